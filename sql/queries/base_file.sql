-- Files on their way to be bases, and templates for reading them.

-- name: file_add
-- A file that came.
INSERT INTO base_file (campaign_id, name, file_hash, bytes, created_by)
VALUES (:campaign_id::bigint, :name::text, :file_hash::bytea, :bytes::bigint, :created_by::bigint)
RETURNING id;

-- name: file_get
-- One file.
SELECT f.id, f.campaign_id, c.name AS campaign, f.name, f.file_hash, f.bytes, f.state, f.found, f.report, f.progress, f.error,
    f.base_id, f.created_at, f.updated_at, now() - f.updated_at > make_interval(secs => :silent_s::double precision) AS silent
FROM base_file f JOIN campaign c ON c.id = f.campaign_id
WHERE f.id = :file_id::bigint;

-- name: file_list
-- The last files that came for a campaign.
SELECT f.id, f.campaign_id, c.name AS campaign, f.name, f.file_hash, f.bytes, f.state, f.found, f.report, f.progress, f.error,
    f.base_id, f.created_at, f.updated_at, now() - f.updated_at > make_interval(secs => :silent_s::double precision) AS silent
FROM base_file f JOIN campaign c ON c.id = f.campaign_id
WHERE f.campaign_id = :campaign_id::bigint AND (:user_id::bigint IS NULL OR f.created_by = :user_id::bigint)
ORDER BY f.id DESC
LIMIT 20;

-- name: file_begin
-- One thing at a time happens to a file; what is silent for long has died.
UPDATE base_file
SET state = :state::text, progress = '{}', error = NULL, updated_at = now()
WHERE id = :file_id::bigint AND state <> 'loaded'
    AND (state NOT IN ('looking', 'rehearsing', 'loading')
        OR now() - updated_at > make_interval(secs => :silent_s::double precision));

-- name: file_progress
-- How far it is, for whoever looks.
UPDATE base_file SET progress = :progress::jsonb, updated_at = now() WHERE id = :file_id::bigint;

-- name: file_end
-- What came of it.
UPDATE base_file
SET state = :state::text, found = coalesce(:found::jsonb, found), report = coalesce(:report::jsonb, report), error = :error::jsonb,
    base_id = coalesce(:base_id::bigint, base_id), updated_at = now()
WHERE id = :file_id::bigint;

-- name: file_remove
-- Forget a file.
DELETE FROM base_file WHERE id = :file_id::bigint AND state NOT IN ('looking', 'rehearsing', 'loading');

-- name: file_old
-- Files nobody needs any more.
DELETE FROM base_file WHERE updated_at < now() - make_interval(days => :days::integer) RETURNING id;

-- name: template_list
-- All templates.
SELECT name, template, saved_at FROM base_template ORDER BY name;

-- name: template_save
-- The same name again replaces it.
INSERT INTO base_template (name, template, saved_by) VALUES (:name::text, :template::jsonb, :saved_by::bigint)
ON CONFLICT (name) DO UPDATE SET template = excluded.template, saved_by = excluded.saved_by, saved_at = now();

-- name: template_remove
-- Forget a template.
DELETE FROM base_template WHERE name = :name::text;
