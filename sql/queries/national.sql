-- Do-not-call registers of states, imported whole.

-- name: national_stage
-- Where COPY puts an import; nobody else sees it.
CREATE TEMPORARY TABLE national_row (e164 text PRIMARY KEY) ON COMMIT DROP;

-- name: national_list_add
-- A list is made when it is first imported.
INSERT INTO national_list (name, imported_at, numbers) VALUES (:name::text, '-infinity', 0) ON CONFLICT DO NOTHING;

-- name: national_drop
-- Who is on it no more.
DELETE FROM national_number n WHERE n.list = :name::text AND NOT EXISTS (SELECT FROM national_row r WHERE r.e164 = n.e164);

-- name: national_fill
-- Who is new on it.
INSERT INTO national_number (e164, list) SELECT e164, :name::text FROM national_row ORDER BY e164 ON CONFLICT DO NOTHING;

-- name: national_lock
-- Claims wait from here until the import is committed: each of them sees it, or is seen by national_live.
SELECT count(*) FROM (SELECT campaign_id FROM abandon_budget ORDER BY campaign_id FOR UPDATE) AS budgets;

-- name: national_imported
-- When, and how many.
UPDATE national_list SET imported_at = :at::timestamptz, imported_by = :user_id::bigint, numbers = (SELECT count(*) FROM national_row)
WHERE name = :name::text RETURNING numbers;

-- name: national_live
-- Lines to numbers that are on it now; those that are not answered are cut.
SELECT l.phone_id FROM attempt_live l JOIN phone p ON p.id = l.phone_id JOIN national_row r ON r.e164 = p.e164;

-- name: national_all
-- All lists.
SELECT name, imported_at, numbers FROM national_list ORDER BY name;
