-- What a campaign is about and what is said in it: every version that was ever saved.

-- name: script_read
-- The last version, or the one asked for; nothing written yet is version 0, an empty script.
SELECT c.id AS campaign_id, coalesce(v.version, 0) AS version, coalesce(v.brief, '') AS brief, coalesce(v.body, '{}') AS body,
    v.saved_at, coalesce(u.name, '') AS saved_by
FROM campaign c
LEFT JOIN LATERAL (
    SELECT * FROM script_version s
    WHERE s.campaign_id = c.id AND (:version::integer IS NULL OR s.version = :version::integer)
    ORDER BY s.version DESC LIMIT 1
) AS v ON true
LEFT JOIN app_user u ON u.id = v.saved_by
WHERE c.id = :campaign_id::bigint;

-- name: script_turn
-- One writer of a script at a time.
SELECT id FROM campaign WHERE id = :campaign_id::bigint FOR NO KEY UPDATE;

-- name: script_write
-- A new version; conversations that go on keep theirs.
INSERT INTO script_version (campaign_id, version, brief, body, saved_at, saved_by)
VALUES (:campaign_id::bigint, :version::integer, :brief::text, :body::jsonb, coalesce(:now::timestamptz, now()), :saved_by::bigint);

-- name: script_versions
-- All versions, the newest first.
SELECT v.version, v.saved_at, coalesce(u.name, '') AS saved_by, jsonb_array_length(coalesce(v.body -> 'steps', '[]')) AS steps
FROM script_version v LEFT JOIN app_user u ON u.id = v.saved_by
WHERE v.campaign_id = :campaign_id::bigint
ORDER BY v.version DESC LIMIT 200;

-- name: script_shown
-- What an attempt showed: the version in force when callee and operator heard each other, or when an operator who had
-- looked at the card asked for the call.
SELECT v.version FROM script_version v
JOIN (
    SELECT campaign_id, connected_at, sent_at, asked FROM attempt_live WHERE attempt_id = :attempt_id::uuid
    UNION ALL
    SELECT campaign_id, connected_at, sent_at, asked FROM attempt WHERE attempt_id = :attempt_id::uuid
) AS a ON a.campaign_id = v.campaign_id AND v.saved_at <= coalesce(a.connected_at, CASE WHEN a.asked THEN a.sent_at END)
ORDER BY v.version DESC LIMIT 1;

-- name: script_words
-- Names of attributes that the last contacts of a campaign have; never their values.
SELECT DISTINCT jsonb_object_keys(attributes) AS word FROM (
    SELECT attributes FROM contact WHERE campaign_id = :campaign_id::bigint ORDER BY id DESC LIMIT 500
) AS last
ORDER BY word LIMIT 200;
