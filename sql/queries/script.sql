-- What a campaign is about and what is said in it.

-- name: script_read
-- Nothing written yet is an empty script.
SELECT c.id AS campaign_id, coalesce(s.brief, '') AS brief, coalesce(s.body, '{}') AS body
FROM campaign c LEFT JOIN campaign_script s ON s.campaign_id = c.id
WHERE c.id = :campaign_id::bigint;

-- name: script_write
-- The whole of it; conversations that go on see it at their next look.
INSERT INTO campaign_script (campaign_id, brief, body) VALUES (:campaign_id::bigint, :brief::text, :body::jsonb)
ON CONFLICT (campaign_id) DO UPDATE SET brief = excluded.brief, body = excluded.body;
