-- Bases: loaded files of contacts.

-- name: base_campaign
-- For whom the base is.
SELECT customer_id FROM campaign WHERE id = :campaign_id::bigint;

-- name: base_turn
-- Loads of one customer take turns: what one has written the next one sees as repeated.
SELECT pg_advisory_xact_lock(16961, (:customer_id::bigint % 2147483647)::integer);

-- name: base_of_file
-- The base this file became, if it is still there; of several copies the last.
SELECT id, copy FROM base
WHERE campaign_id = :campaign_id::bigint AND file_hash = :file_hash::bytea AND undone_at IS NULL
ORDER BY copy DESC
LIMIT 1;

-- name: base_add
-- The same file twice is no second copy, unless that is asked for. How many rows went where is not known yet.
INSERT INTO base (campaign_id, name, source, file_hash, copy, loaded_by, rows_in, rows_loaded, rows_rejected)
VALUES (:campaign_id::bigint, :name::text, :source::text, :file_hash::bytea, :copy::integer, :loaded_by::bigint, 0, 0, 0)
RETURNING id;

-- name: base_counts
-- Every row went somewhere.
UPDATE base
SET rows_in = :rows_loaded::integer + :rows_updated::integer + :rows_rejected::integer, rows_loaded = :rows_loaded::integer,
    rows_updated = :rows_updated::integer, rows_rejected = :rows_rejected::integer
WHERE id = :base_id::bigint;

-- name: base_list
-- The bases of a campaign, or one base.
SELECT id, campaign_id, name, loaded_at, rows_in, rows_loaded, rows_updated, rows_rejected, rows_withdrawn, paused, undone_at, by_hand,
    priority
FROM base
WHERE (:campaign_id::bigint IS NULL OR campaign_id = :campaign_id::bigint) AND (:base_id::bigint IS NULL OR id = :base_id::bigint)
ORDER BY id;

-- name: base_of_loader
-- The bases that somebody loaded.
SELECT id FROM base WHERE loaded_by = :user_id::bigint ORDER BY id;

-- name: base_many
-- Some bases.
SELECT id, campaign_id, name, loaded_at, rows_in, rows_loaded, rows_updated, rows_rejected, rows_withdrawn, paused, undone_at, by_hand,
    priority
FROM base WHERE id = ANY(:bases::bigint[])
ORDER BY id;

-- name: base_brought
-- Whether somebody loaded this base, or uploaded this file.
SELECT EXISTS (
    SELECT FROM base WHERE :kind::text = 'base' AND id = :id::bigint AND loaded_by = :user_id::bigint
    UNION ALL
    SELECT FROM base_file WHERE :kind::text = 'file' AND id = :id::bigint AND created_by = :user_id::bigint
);

-- name: base_block_stage
-- Where COPY puts some accepted rows at a time; nobody else sees it.
CREATE TEMPORARY TABLE base_block (row_number integer, name text, attributes text, lane integer, phones text[] COLLATE "C",
    consent text)
ON COMMIT DELETE ROWS;

-- name: base_stage
-- All of them, with their numbers found or made, and the contact each is going to be.
CREATE TEMPORARY TABLE base_row (row_number integer PRIMARY KEY, contact_id bigint, phone_id bigint, lane integer, name text,
    attributes text, phones bigint[], consent text);

-- name: base_known_stage
-- What the database says of a row; reason null: the contact is changed.
CREATE TEMPORARY TABLE base_known (row_number integer PRIMARY KEY, reason text, contact_id bigint);

-- name: base_lane_stage
-- The lanes of the file.
CREATE TEMPORARY TABLE base_lane (lane integer PRIMARY KEY, lane_id bigint);

-- name: base_unstage
-- The connection goes back as it came.
DROP TABLE IF EXISTS base_block, base_row, base_known, base_lane;

-- name: base_staged
-- How far row numbers go.
SELECT coalesce(max(row_number), 0) AS last FROM base_row;

-- name: base_analyze
-- The planner cannot know what COPY brought.
ANALYZE base_row (row_number, phone_id);

-- name: base_soon
-- Numbers alone are nobody's contacts, and the load's own commit, which waits for the disk, comes after them.
SET LOCAL synchronous_commit = off;

-- name: base_phones
-- Numbers nobody had yet, a few thousand at a time: whoever waits for one of them (a do-not-call entry, another load) waits
-- a moment, not for the whole file. In order, so that two loads do not wait for each other.
INSERT INTO phone (e164)
SELECT DISTINCT number.e164 FROM base_block CROSS JOIN unnest(phones) AS number (e164)
ORDER BY number.e164
ON CONFLICT DO NOTHING;

-- name: base_numbered
-- The rows with the ids of their numbers, null for those nobody has. Each is looked up by the index (a subquery, no join): a
-- plan that reads all phones would cost more than the load.
INSERT INTO base_row (row_number, contact_id, phone_id, lane, name, attributes, phones, consent)
SELECT row_number, CASE WHEN :making::boolean THEN nextval('contact_id_seq') END, ids[1], lane, name, attributes, ids, consent
FROM (
    SELECT b.*, ARRAY(
        SELECT (SELECT p.id FROM phone p WHERE p.e164 = number.e164)
        FROM unnest(b.phones) WITH ORDINALITY AS number (e164, place) ORDER BY number.place
    ) AS ids
    FROM base_block b
    OFFSET 0
) AS numbered
ORDER BY row_number;

-- name: base_judge
-- Rows whose every number is forbidden, and rows whose first number a contact of the campaign, or of the customer's other
-- campaigns, has already.
INSERT INTO base_known (row_number, reason, contact_id)
WITH silent AS (
    SELECT r.row_number
    FROM base_row r CROSS JOIN unnest(r.phones) AS number (phone_id)
    WHERE EXISTS (
        SELECT FROM do_not_call d
        WHERE d.phone_id = number.phone_id
            AND (d.scope = 'global' OR d.customer_id = :customer_id::bigint OR d.campaign_id = :campaign_id::bigint)
    )
    GROUP BY r.row_number
    HAVING count(*) = cardinality(r.phones)
), there AS (
    SELECT r.row_number, min(c.id) FILTER (WHERE c.campaign_id = :campaign_id::bigint) AS here,
        min(c.id) FILTER (WHERE c.campaign_id <> :campaign_id::bigint) AS elsewhere
    FROM base_row r
    JOIN contact_phone cp ON cp.phone_id = r.phone_id JOIN contact c ON c.id = cp.contact_id JOIN campaign k ON k.id = c.campaign_id
    WHERE k.customer_id = :customer_id::bigint
    GROUP BY r.row_number
)
SELECT row_number, 'do_not_call', NULL FROM silent
UNION ALL
SELECT row_number,
    CASE WHEN here IS NOT NULL AND :in_campaign::text <> 'keep' THEN CASE :in_campaign::text WHEN 'skip' THEN 'in_campaign' END
        ELSE CASE :elsewhere::text WHEN 'skip' THEN 'elsewhere' END END,
    CASE WHEN here IS NOT NULL AND :in_campaign::text <> 'keep' THEN here ELSE elsewhere END
FROM there
WHERE ((here IS NOT NULL AND :in_campaign::text <> 'keep') OR (elsewhere IS NOT NULL AND :elsewhere::text <> 'keep'))
    AND row_number NOT IN (SELECT row_number FROM silent);

-- name: base_judged
-- Rows by what the database said.
SELECT coalesce(reason, 'update') AS reason, count(*) AS rows FROM base_known GROUP BY 1;

-- name: base_verdicts
-- Line and reason of each row the database rejects.
SELECT row_number, reason FROM base_known WHERE reason IS NOT NULL ORDER BY row_number;

-- name: base_shown
-- The first of them, for people.
SELECT k.row_number AS line, k.reason, concat_ws(' ', nullif(r.name, ''), p.e164) AS text
FROM base_known k JOIN base_row r USING (row_number) JOIN phone p ON p.id = r.phone_id
WHERE k.reason IS NOT NULL
ORDER BY k.row_number
LIMIT :most::integer;

-- name: base_lanes
-- Which zones, priorities and countries of numbers the file has.
WITH given AS (
    SELECT (place - 1)::integer AS lane, ARRAY(SELECT jsonb_array_elements_text(one -> 0)) AS zones, (one ->> 1)::integer AS priority,
        ARRAY(SELECT jsonb_array_elements_text(one -> 2)) AS countries
    FROM jsonb_array_elements(:lanes::jsonb) WITH ORDINALITY AS l (one, place)
), made AS (
    INSERT INTO lane (base_id, campaign_id, zones, priority, countries)
    SELECT :base_id::bigint, :campaign_id::bigint, zones, priority, countries FROM given
    RETURNING id, zones, priority, countries
)
INSERT INTO base_lane (lane, lane_id) SELECT g.lane, m.id FROM given g JOIN made m USING (zones, priority, countries);

-- name: base_contacts
-- Each row is a contact; the first of its numbers is dialled first.
INSERT INTO contact (id, base_id, campaign_id, row_number, name, attributes, lane_id, phone_id)
OVERRIDING SYSTEM VALUE
SELECT r.contact_id, :base_id::bigint, :campaign_id::bigint, r.row_number, r.name, r.attributes::jsonb, lane.lane_id, r.phone_id
FROM base_row r JOIN base_lane lane USING (lane)
WHERE r.row_number > :after::integer AND r.row_number <= :until::integer
    AND NOT EXISTS (SELECT FROM base_known k WHERE k.row_number = r.row_number);

-- name: base_contact_phones
-- All its numbers in order.
INSERT INTO contact_phone (contact_id, place, phone_id)
SELECT r.contact_id, number.place, number.phone_id
FROM base_row r CROSS JOIN unnest(r.phones) WITH ORDINALITY AS number (phone_id, place)
WHERE r.row_number > :after::integer AND r.row_number <= :until::integer
    AND NOT EXISTS (SELECT FROM base_known k WHERE k.row_number = r.row_number);

-- name: base_consents
-- What the rows say of consent, for each of their numbers; the same evidence again changes nothing.
INSERT INTO consent (phone_id, customer_id, purpose, wording, channel, given_at, evidence, evidence_hash, expires_at, added_by, base_id)
SELECT DISTINCT ON (number.phone_id, purpose, hash) number.phone_id, campaign.customer_id, coalesce(g.purpose, campaign.purpose) AS purpose,
    'file', 'file', g.given_at, g.evidence, decode(g.hash, 'hex') AS hash, coalesce(g.expires_at, 'infinity'), :loaded_by::bigint,
    :base_id::bigint
FROM base_row r
JOIN campaign ON campaign.id = :campaign_id::bigint
CROSS JOIN jsonb_to_record(r.consent::jsonb)
    AS g (given_at timestamptz, expires_at timestamptz, purpose text, evidence text, hash text)
CROSS JOIN unnest(r.phones) AS number (phone_id)
WHERE r.consent IS NOT NULL AND NOT EXISTS (SELECT FROM base_known k WHERE k.row_number = r.row_number AND k.reason IS NOT NULL)
ORDER BY number.phone_id, purpose, hash, g.given_at
ON CONFLICT DO NOTHING;

-- name: base_consents_judge_again
-- Contacts elsewhere that waited for one come before the gate once more, at that number.
UPDATE contact c SET next_at = now(), refused_by = NULL, phone_id = agreed.phone_id
FROM (
    SELECT DISTINCT ON (cp.contact_id) cp.contact_id, cp.phone_id
    FROM consent g JOIN contact_phone cp ON cp.phone_id = g.phone_id
    WHERE g.base_id = :base_id::bigint AND NOT cp.dead
    ORDER BY cp.contact_id, cp.place
) AS agreed
WHERE c.id = agreed.contact_id AND c.state = 'open' AND c.next_at = 'infinity' AND c.refused_by = 'no_consent';

-- name: base_consents_keep
-- A load that is undone brought them by mistake: on which somebody was called, they stay as proof, and hold no more.
UPDATE consent g SET withdrawn_at = now()
WHERE g.base_id = :base_id::bigint AND g.withdrawn_at IS NULL AND (
    EXISTS (SELECT FROM attempt t WHERE t.phone_id = g.phone_id AND t.sent_at >= g.added_at)
    OR EXISTS (SELECT FROM attempt_live l WHERE l.phone_id = g.phone_id)
);

-- name: base_consents_forget
-- The others are gone.
DELETE FROM consent WHERE base_id = :base_id::bigint AND withdrawn_at IS NULL;

-- name: base_end
-- An erasure that began waits for our commit, one that is at its end we wait for: none of the two misses a contact.
SELECT pg_advisory_xact_lock(16962, 0);

-- name: base_erased
-- Numbers that were erased while the load ran, of contacts that it made or changed.
SELECT DISTINCT p.id AS phone_id, now() AS at
FROM phone p JOIN contact_phone cp ON cp.phone_id = p.id JOIN contact c ON c.id = cp.contact_id
WHERE p.e164 LIKE 'erased:%' AND (c.base_id = :base_id::bigint
    OR EXISTS (SELECT FROM base_change b WHERE b.base_id = :base_id::bigint AND b.contact_id = c.id));

-- name: base_keep_before
-- What the contacts were before this load changes them.
INSERT INTO base_change (base_id, contact_id, name, attributes)
SELECT DISTINCT ON (c.id) :base_id::bigint, c.id, c.name, c.attributes
FROM base_known k JOIN contact c ON c.id = k.contact_id
WHERE k.reason IS NULL
ORDER BY c.id;

-- name: base_change
-- The last row of the file counts; attributes it does not have stay.
UPDATE contact c
SET name = CASE WHEN last.name = '' THEN c.name ELSE last.name END, attributes = c.attributes || last.attributes::jsonb
FROM (
    SELECT DISTINCT ON (k.contact_id) k.contact_id, r.name, r.attributes
    FROM base_known k JOIN base_row r USING (row_number)
    WHERE k.reason IS NULL
    ORDER BY k.contact_id, k.row_number DESC
) AS last
WHERE c.id = last.contact_id;

-- name: base_pause
-- Its contacts rest until it goes on.
UPDATE base SET paused = :paused::boolean WHERE id = :base_id::bigint;

-- name: base_lock
-- Before anything of it is taken back.
SELECT rows_loaded, rows_withdrawn, undone_at FROM base WHERE id = :base_id::bigint FOR UPDATE;

-- name: base_withdraw
-- Contacts of a base nobody ever called are gone; a claim that is taking one of them right now wins.
DELETE FROM contact WHERE base_id = :base_id::bigint AND attempts = 0;

-- name: base_withdrawn
-- Whole: then it is undone, and its file may be loaded again.
UPDATE base
SET rows_withdrawn = rows_withdrawn + :rows::integer, undone_at = CASE WHEN :undone::boolean THEN now() END,
    paused = paused OR :undone::boolean
WHERE id = :base_id::bigint;

-- name: base_put_back
-- Contacts that the load changed are again as they were.
UPDATE contact c SET name = b.name, attributes = b.attributes
FROM base_change b
WHERE b.base_id = :base_id::bigint AND c.id = b.contact_id;

-- name: base_forget_before
-- Put back once.
DELETE FROM base_change WHERE base_id = :base_id::bigint;
