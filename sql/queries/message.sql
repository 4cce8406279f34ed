-- What supervisors say to operators.

-- name: message_say
-- Something for one operator's page.
INSERT INTO operator_message (operator_id, text, said_at, said_by)
VALUES (:operator_id::bigint, :text::text, :now::timestamptz, :user_id::bigint)
RETURNING id;

-- name: message_unheard
-- What an operator has not acknowledged, the oldest first; yesterday's news is not shown any more.
SELECT m.id, m.said_at AS at, coalesce(u.name, '') AS by, m.text
FROM operator_message m LEFT JOIN app_user u ON u.id = m.said_by
WHERE m.operator_id = :operator_id::bigint AND m.heard_at IS NULL AND m.said_at > :now::timestamptz - interval '12 hours'
ORDER BY m.id DESC
LIMIT :limit::integer;

-- name: message_hear
-- The operator saw what was shown: everything up to the newest message on the page.
UPDATE operator_message SET heard_at = :now::timestamptz
WHERE operator_id = :operator_id::bigint AND heard_at IS NULL AND id <= :newest::bigint;

-- name: message_list
-- What was said to an operator lately, and when it was seen.
SELECT m.id, m.said_at AS at, coalesce(u.name, '') AS by, m.text, m.heard_at
FROM operator_message m LEFT JOIN app_user u ON u.id = m.said_by
WHERE m.operator_id = :operator_id::bigint AND m.said_at > :now::timestamptz - interval '12 hours'
ORDER BY m.id DESC
LIMIT 20;
