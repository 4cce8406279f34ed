-- Recordings of conversations.

-- name: recording_begin
-- Conversations that are recorded from now on; one that has its row keeps it.
INSERT INTO recording (attempt_id, campaign_id, phone_id, operator_id, switch, began_at)
SELECT t.attempt_id, t.campaign_id, t.phone_id, t.operator_id, :switch::text, t.began_at
FROM unnest(:attempts::uuid[], :campaigns::bigint[], :phones::bigint[], :operators::bigint[], :began_at::timestamptz[])
    AS t (attempt_id, campaign_id, phone_id, operator_id, began_at)
ON CONFLICT DO NOTHING;

-- name: recording_pause
-- A pause, or its end.
INSERT INTO recording_pause (attempt_id, paused_at, resumed_at, user_id)
SELECT * FROM unnest(:attempts::uuid[], :paused_at::timestamptz[], :resumed_at::timestamptz[], :operators::bigint[])
ON CONFLICT (attempt_id, paused_at) DO UPDATE SET resumed_at = coalesce(excluded.resumed_at, recording_pause.resumed_at);

-- name: recording_live
-- Recordings of conversations that go on, and since when each is paused, for an engine that begins.
SELECT r.attempt_id, p.paused_at
FROM recording r JOIN attempt_live l ON l.attempt_id = r.attempt_id
LEFT JOIN recording_pause p ON p.attempt_id = r.attempt_id AND p.resumed_at IS NULL
WHERE r.switch = :switch::text AND r.state = 'recording';

-- name: recording_of
-- One conversation's recording, with what its campaign lets others hear.
SELECT r.attempt_id, r.campaign_id, r.operator_id, r.state, r.began_at, r.stored_at, r.seed, r.bytes, r.duration_ms, r.why, r.hold,
    r.deleted_at, r.removed_at, c.recording_operator, c.recording_customer,
    ARRAY(SELECT jsonb_build_object('paused_at', p.paused_at, 'resumed_at', p.resumed_at) FROM recording_pause p
        WHERE p.attempt_id = r.attempt_id ORDER BY p.paused_at) AS pauses
FROM recording r JOIN campaign c ON c.id = r.campaign_id
WHERE r.attempt_id = :attempt_id::uuid;

-- name: recording_shown
-- What is known of the recordings of these conversations.
SELECT r.attempt_id, r.state, r.duration_ms, r.why, r.hold, r.deleted_at, r.operator_id, c.recording_operator, c.recording_customer
FROM recording r JOIN campaign c ON c.id = r.campaign_id
WHERE r.attempt_id = ANY(:attempts::uuid[]);

-- name: recording_file
-- What a file in the switch's folder is: the recording of that attempt, whether it goes on, and how it was to be recorded.
SELECT a.live, a.campaign_id, a.phone_id, a.operator_id, a.switch, a.connected_at, a.ended_at, a.ended_by IN ('lost', 'switch_restart') AS unseen,
    c.recording AS way, r.state, r.began_at
FROM (
    SELECT true AS live, campaign_id, phone_id, operator_id, switch, connected_at, NULL::timestamptz AS ended_at, '' AS ended_by
    FROM attempt_live WHERE attempt_id = :attempt_id::uuid
    UNION ALL
    SELECT false, campaign_id, phone_id, operator_id, switch, connected_at, ended_at, ended_by
    FROM attempt WHERE attempt_id = :attempt_id::uuid
) AS a JOIN campaign c ON c.id = a.campaign_id LEFT JOIN recording r ON r.attempt_id = :attempt_id::uuid
ORDER BY a.live LIMIT 1;

-- name: recording_stored
-- It is sealed on its volume; one that was deleted meanwhile stays so.
UPDATE recording
SET state = 'stored', why = NULL, seed = :seed::bytea, bytes = :bytes::bigint, duration_ms = :duration_ms::bigint, stored_at = :at::timestamptz
WHERE attempt_id = :attempt_id::uuid AND state IN ('recording', 'failed')
RETURNING attempt_id;

-- name: recording_failed
-- There is nothing to keep.
UPDATE recording SET state = 'failed', why = :why::text WHERE attempt_id = ANY(:attempts::uuid[]) AND state = 'recording'
RETURNING attempt_id;

-- name: recording_missing
-- Conversations that ended this long ago and left no file that is known of.
SELECT r.attempt_id FROM recording r
WHERE r.switch = :switch::text AND r.state = 'recording'
    AND EXISTS (SELECT FROM attempt a WHERE a.attempt_id = r.attempt_id AND a.ended_at < :before::timestamptz);

-- name: recording_expire
-- What is older than its campaign keeps it is deleted: nothing opens it any more. Each has its line in the audit log.
WITH old AS (
    SELECT r.attempt_id FROM recording r JOIN campaign c ON c.id = r.campaign_id
    WHERE r.state = 'stored' AND r.hold IS NULL AND r.began_at < :now::timestamptz - make_interval(days => c.recording_days)
    ORDER BY r.began_at LIMIT :limit::integer
    FOR UPDATE OF r SKIP LOCKED
), gone AS (
    UPDATE recording r SET state = 'deleted', why = 'retention', seed = NULL, deleted_at = :now::timestamptz
    FROM old WHERE r.attempt_id = old.attempt_id
    RETURNING r.attempt_id, r.campaign_id, r.began_at, r.bytes
)
INSERT INTO audit (action, object, after)
SELECT 'recording.delete', 'attempt:' || attempt_id,
    jsonb_build_object('why', 'retention', 'campaign', campaign_id, 'began_at', began_at, 'bytes', bytes)
FROM gone
RETURNING id;

-- name: recording_delete
-- Deleted by a person.
UPDATE recording SET state = 'deleted', why = 'asked', seed = NULL, deleted_at = :at::timestamptz
WHERE attempt_id = :attempt_id::uuid AND state IN ('stored', 'failed') AND hold IS NULL
RETURNING bytes;

-- name: recording_lock
-- Whoever holds or deletes it does so after us.
SELECT FROM recording WHERE attempt_id = :attempt_id::uuid FOR UPDATE;

-- name: recording_erase
-- A person is forgotten: with their number goes what they said, except where a legal hold keeps it; how many, and how many stay.
WITH gone AS (
    UPDATE recording SET state = 'deleted', why = 'erasure', seed = NULL, deleted_at = :at::timestamptz
    WHERE phone_id = :phone_id::bigint AND state <> 'deleted' AND hold IS NULL
    RETURNING attempt_id
)
SELECT (SELECT count(*) FROM gone) AS gone,
    (SELECT count(*) FROM recording WHERE phone_id = :phone_id::bigint AND hold IS NOT NULL) AS held;

-- name: recording_hold
-- A legal hold with its reason, or its end.
UPDATE recording SET hold = :reason::text WHERE attempt_id = :attempt_id::uuid AND state <> 'deleted' RETURNING attempt_id;

-- name: recording_to_remove
-- Deleted ones whose file may still be there.
SELECT attempt_id FROM recording WHERE state = 'deleted' AND removed_at IS NULL ORDER BY deleted_at LIMIT :limit::integer;

-- name: recording_removed
-- Their files are gone.
UPDATE recording SET removed_at = :at::timestamptz WHERE attempt_id = ANY(:attempts::uuid[]) AND state = 'deleted' AND removed_at IS NULL;

-- name: recording_known
-- Which of these are stored, or on the way there.
SELECT attempt_id FROM recording WHERE attempt_id = ANY(:attempts::uuid[]) AND state IN ('stored', 'recording');

-- name: recording_of_phone
-- Recordings of a number's conversations, without the sound.
SELECT attempt_id, campaign_id, state, began_at, duration_ms, why, deleted_at FROM recording
WHERE phone_id = :phone_id::bigint ORDER BY began_at, attempt_id;
