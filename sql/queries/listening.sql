-- Supervisors who hear conversations.

-- name: listening_begin
-- Before the supervisor's phone is called; the operator must be one who talks.
INSERT INTO listening (id, user_id, operator_id, attempt_id, switch, mode, shown, began_at)
VALUES (:id::uuid, :user_id::bigint, :operator_id::bigint, :attempt_id::uuid, :switch::text, :mode::text, :shown::boolean,
    :began_at::timestamptz);

-- name: listening_end
-- It is over, once; and the audit log has who, whom, from when to when and why.
WITH told AS (
    SELECT * FROM unnest(:ids::uuid[], :ended_at::timestamptz[], :hows::text[]) AS t (id, ended_at, how)
), ended AS (
    UPDATE listening l SET ended_at = greatest(told.ended_at, l.began_at), how = told.how
    FROM told WHERE l.id = told.id AND l.ended_at IS NULL
    RETURNING l.*
)
INSERT INTO audit (user_id, action, object, after)
SELECT user_id, 'operator.listening_ended', 'user:' || operator_id,
    jsonb_build_object('from', began_at, 'to', ended_at, 'how', how, 'attempt', attempt_id)
FROM ended;

-- name: listening_lost
-- What an earlier engine left open is over: its phones are hung up at the first look at the switch.
SELECT id FROM listening WHERE switch = :switch::text AND ended_at IS NULL AND began_at < :at::timestamptz ORDER BY began_at, id;
