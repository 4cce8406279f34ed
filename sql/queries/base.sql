-- Bases: loaded files of contacts.

-- name: base_add
-- The same file twice is no second copy; a load that is going on is waited for.
INSERT INTO base (campaign_id, name, source, file_hash, loaded_by, rows_in, rows_loaded, rows_rejected)
VALUES (:campaign_id::bigint, :name::text, :source::text, :file_hash::bytea, :loaded_by::bigint,
    :rows_loaded::integer + :rows_rejected::integer, :rows_loaded::integer, :rows_rejected::integer)
ON CONFLICT (campaign_id, file_hash) DO NOTHING
RETURNING id;

-- name: base_of_file
-- The base this file became.
SELECT id FROM base WHERE campaign_id = :campaign_id::bigint AND file_hash = :file_hash::bytea;

-- name: base_list
-- The bases of a campaign, or one base.
SELECT id, campaign_id, name, loaded_at, rows_in, rows_loaded, rows_rejected, paused
FROM base
WHERE (:campaign_id::bigint IS NULL OR campaign_id = :campaign_id::bigint) AND (:base_id::bigint IS NULL OR id = :base_id::bigint)
ORDER BY id;

-- name: base_stage
-- Where COPY puts the accepted rows.
CREATE TEMPORARY TABLE base_row (
    row_number integer, name text, attributes text, zones text[], priority integer, phones text[]
) ON COMMIT DROP;

-- name: base_phones
-- Numbers nobody had yet; in order, so that two loads do not wait for each other.
INSERT INTO phone (e164)
SELECT DISTINCT number.e164 FROM base_row CROSS JOIN unnest(phones) AS number (e164) ORDER BY number.e164
ON CONFLICT DO NOTHING;

-- name: base_lanes
-- Which zones and priorities the file has.
INSERT INTO lane (base_id, campaign_id, zones, priority)
SELECT DISTINCT :base_id::bigint, :campaign_id::bigint, zones, priority FROM base_row;

-- name: base_contacts
-- Each row is a contact; its first number is dialled first.
INSERT INTO contact (base_id, campaign_id, row_number, name, attributes, lane_id, phone_id)
SELECT :base_id::bigint, :campaign_id::bigint, r.row_number, r.name, r.attributes::jsonb, lane.id, p.id
FROM base_row r
JOIN lane ON lane.base_id = :base_id::bigint AND lane.zones = r.zones AND lane.priority = r.priority
JOIN phone p ON p.e164 = r.phones[1]
ORDER BY r.row_number;

-- name: base_contact_phones
-- All its numbers, in the order of the columns.
INSERT INTO contact_phone (contact_id, place, phone_id)
SELECT c.id, number.place, p.id
FROM base_row r
CROSS JOIN unnest(r.phones) WITH ORDINALITY AS number (e164, place)
JOIN contact c ON c.base_id = :base_id::bigint AND c.row_number = r.row_number
JOIN phone p ON p.e164 = number.e164;

-- name: base_pause
-- Its contacts rest until it goes on.
UPDATE base SET paused = :paused::boolean WHERE id = :base_id::bigint;
