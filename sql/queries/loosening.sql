-- Loosening a profile's rules for one campaign: asked by one admin, approved by another.

-- name: loosening_ask
-- Nothing changes by asking.
INSERT INTO loosening (campaign_id, changes, reason, asked_by, asked_at)
VALUES (:campaign_id::bigint, :changes::jsonb, :reason::text, :user_id::bigint, :now::timestamptz)
RETURNING id;

-- name: loosening_open
-- One that waits, and whether another admin could approve it.
SELECT l.id, l.campaign_id, l.changes, l.reason, l.asked_by, l.asked_at,
    EXISTS (SELECT FROM app_user u WHERE u.role = 'admin' AND NOT u.disabled AND u.id <> l.asked_by) AS others
FROM loosening l WHERE l.id = :id::bigint AND l.approved_at IS NULL
FOR UPDATE OF l;

-- name: loosening_approve
-- The table refuses the same admin within a day.
UPDATE loosening SET approved_by = :user_id::bigint, approved_at = :now::timestamptz WHERE id = :id::bigint;

-- name: loosening_apply
-- What was loosened before stays unless it is named again.
UPDATE campaign SET loosened = loosened || :changes::jsonb WHERE id = :campaign_id::bigint;

-- name: loosening_list
-- Of a campaign, those that wait first.
SELECT id, campaign_id, changes, reason, asked_by, asked_at, approved_by, approved_at
FROM loosening WHERE campaign_id = :campaign_id::bigint ORDER BY approved_at IS NOT NULL, id DESC;
