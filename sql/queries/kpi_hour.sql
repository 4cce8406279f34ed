-- Keeping the hour rows: folding what was told into them, making them anew, comparing them with the facts.

-- name: kpi_hour_turn
-- One keeper at a time; asked before the statement that changes rows, whose snapshot must be later.
SELECT pg_advisory_xact_lock(661340);

-- name: kpi_hour_fold
-- What facts told goes into their hour and day rows; a change after the hour was over is a revision.
SELECT kpi_fold(:limit::integer);

-- name: kpi_hour_days
-- From when to when some campaigns have facts.
SELECT least(
        (SELECT min(sent_at) FROM attempt WHERE campaign_id = ANY(:campaigns::bigint[])),
        (SELECT min(saved_at) FROM disposition WHERE campaign_id = ANY(:campaigns::bigint[])),
        (SELECT min(closed_at) FROM contact WHERE campaign_id = ANY(:campaigns::bigint[]) AND state = 'closed'),
        (SELECT min(hour) FROM kpi_row WHERE dim = 'total' AND campaign_id = ANY(:campaigns::bigint[])),
        (SELECT min(promised_at) FROM callback WHERE campaign_id = ANY(:campaigns::bigint[])),
        (SELECT min(came_at) FROM return_call WHERE campaign_id = ANY(:campaigns::bigint[])),
        (SELECT min(started_at) FROM operator_interval)) AS since,
    greatest(
        (SELECT max(sent_at) FROM attempt WHERE campaign_id = ANY(:campaigns::bigint[])),
        (SELECT max(saved_at) FROM disposition WHERE campaign_id = ANY(:campaigns::bigint[])),
        (SELECT max(closed_at) FROM contact WHERE campaign_id = ANY(:campaigns::bigint[]) AND state = 'closed'),
        (SELECT max(greatest(made_at, decided_at, client_at)) FROM lead WHERE campaign_id = ANY(:campaigns::bigint[])),
        (SELECT max(hour) FROM kpi_row WHERE dim = 'total' AND campaign_id = ANY(:campaigns::bigint[])),
        (SELECT max(greatest(promised_at, due_at)) FROM callback WHERE campaign_id = ANY(:campaigns::bigint[])),
        (SELECT max(came_at) FROM return_call WHERE campaign_id = ANY(:campaigns::bigint[])),
        (SELECT max(ended_at) FROM operator_interval)) AS until;

-- name: kpi_hour_closings
-- Closings as the contacts say: those of contacts that are open again go, missing ones come.
WITH gone AS (
    DELETE FROM closing c
    WHERE c.campaign_id = ANY(:campaigns::bigint[]) AND c.closed_at >= :since::timestamptz AND c.closed_at < :until::timestamptz
        AND NOT EXISTS (SELECT FROM contact x WHERE x.id = c.contact_id AND x.closed_at = c.closed_at AND x.closed_by = c.closed_by)
)
INSERT INTO closing (contact_id, campaign_id, base_id, closed_at, closed_by, operator_id, number, caller_number, region, script, rang)
SELECT x.id, x.campaign_id, x.base_id, x.closed_at, x.closed_by, said.operator_id, coalesce(said.number, last.number, 0),
    coalesce(said.caller_number, last.caller_number, ''), coalesce(said.region, last.region, ''), coalesce(said.script, last.script, 0),
    (SELECT count(*) FROM attempt a
        WHERE a.contact_id = x.id AND (a.rang_at IS NOT NULL OR a.answered_at IS NOT NULL OR a.outcome = 'no_answer'))
FROM contact x
LEFT JOIN LATERAL (
    SELECT * FROM disposition d WHERE x.closed_by = 'disposition' AND d.contact_id = x.id AND d.saved_at <= x.closed_at
    ORDER BY d.saved_at DESC LIMIT 1
) AS said ON true
LEFT JOIN LATERAL (
    SELECT a.number, a.caller_number, a.region, a.script FROM attempt a WHERE a.contact_id = x.id AND a.sent_at <= x.closed_at
    ORDER BY a.sent_at DESC LIMIT 1
) AS last ON true
WHERE x.campaign_id = ANY(:campaigns::bigint[]) AND x.state = 'closed' AND x.closed_at >= :since::timestamptz
    AND x.closed_at < :until::timestamptz AND NOT EXISTS (SELECT FROM closing c WHERE c.contact_id = x.id)
ON CONFLICT DO NOTHING;

-- name: kpi_hour_rang
-- How often the contacts closed in a time were rung, counted anew.
UPDATE closing c SET rang = n.rang
FROM (
    SELECT x.contact_id, (SELECT count(*) FROM attempt a
        WHERE a.contact_id = x.contact_id AND (a.rang_at IS NOT NULL OR a.answered_at IS NOT NULL OR a.outcome = 'no_answer')) AS rang
    FROM closing x
    WHERE x.campaign_id = ANY(:campaigns::bigint[]) AND x.closed_at >= :since::timestamptz AND x.closed_at < :until::timestamptz
) AS n
WHERE c.contact_id = n.contact_id AND c.rang <> n.rang;

-- name: kpi_hour_remake
-- The hour rows of a time as the facts say, and its days as the hours say; hours that are right already are not touched.
SELECT kpi_remake(:campaigns::bigint[], :since::timestamptz, :until::timestamptz);

-- name: kpi_hour_compare
-- Where hour rows and facts differ, or day rows and hour rows: each row and sum with both values.
SELECT * FROM kpi_compare(:campaigns::bigint[], :since::timestamptz, :until::timestamptz);

-- name: kpi_hour_doubts
-- Closings of a time that are not what contacts and attempts say.
SELECT count(*)
FROM (
    SELECT id, closed_at, closed_by FROM contact
    WHERE campaign_id = ANY(:campaigns::bigint[]) AND state = 'closed' AND closed_at >= :since::timestamptz AND closed_at < :until::timestamptz
) AS x
FULL JOIN (
    SELECT c.contact_id, c.closed_at, c.closed_by, c.rang = (SELECT count(*) FROM attempt a
        WHERE a.contact_id = c.contact_id AND (a.rang_at IS NOT NULL OR a.answered_at IS NOT NULL OR a.outcome = 'no_answer')) AS right_
    FROM closing c
    WHERE c.campaign_id = ANY(:campaigns::bigint[]) AND c.closed_at >= :since::timestamptz AND c.closed_at < :until::timestamptz
) AS c ON c.contact_id = x.id AND c.closed_at = x.closed_at AND c.closed_by = x.closed_by
WHERE x.id IS NULL OR c.contact_id IS NULL OR NOT c.right_;

-- name: kpi_hour_campaigns
-- All campaigns, and nobody's.
SELECT id FROM campaign UNION ALL SELECT 0 ORDER BY 1;

-- name: kpi_hour_stale
-- Campaigns whose hour rows are to be made anew.
SELECT campaign_id, since FROM kpi_stale ORDER BY campaign_id;

-- name: kpi_hour_fresh
-- They are right now, if nothing put them in doubt meanwhile.
DELETE FROM kpi_stale WHERE campaign_id = :campaign_id::bigint AND since = :since::timestamptz;

-- name: kpi_hour_found
-- What a comparison found.
INSERT INTO kpi_check (since, until, compared, different, differences)
VALUES (:since::timestamptz, :until::timestamptz, :compared::bigint, :different::bigint, :differences::jsonb)
RETURNING at;

-- name: kpi_hour_checked
-- The last comparison.
SELECT at, since, until, compared, different, differences FROM kpi_check ORDER BY id DESC LIMIT 1;
