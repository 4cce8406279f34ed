-- Keeping the hour rows: folding what was told into them, making them anew, comparing them with the facts.

-- name: kpi_hour_turn
-- One keeper at a time; asked before the statement that changes rows, whose snapshot must be later.
SELECT pg_advisory_xact_lock(661340);

-- name: kpi_hour_fold
-- What facts told goes into their hour rows; a change after the hour was over is a revision.
WITH p AS (
    DELETE FROM kpi_delta WHERE ctid = ANY(ARRAY(SELECT ctid FROM kpi_delta LIMIT :limit::integer)) RETURNING *
), folded AS (
    INSERT INTO kpi_hour AS h (dim, campaign_id, hour, key,
        attempts, rang, answered, abandoned, dialled, reached, connected, outcome_abandoned, early_hangups, offers_heard, no_answer, busy,
        machine, invalid_number, congestion, rejected, failed, cancelled, not_sent, unknown, said, results, decision_makers, fresh, stale,
        off_target, closed, closed_by_disposition, closed_used_up, closed_dead, calls_of_closed, ready_us, ringing_us, preview_us, talk_us,
        wrap_up_us, paused_us)
    SELECT part.dim, p.campaign_id, p.hour, part.key,
        sum(p.attempts), sum(p.rang), sum(p.answered), sum(p.abandoned), sum(p.dialled), sum(p.reached), sum(p.connected),
        sum(p.outcome_abandoned), sum(p.early_hangups), sum(p.offers_heard), sum(p.no_answer), sum(p.busy), sum(p.machine),
        sum(p.invalid_number), sum(p.congestion), sum(p.rejected), sum(p.failed), sum(p.cancelled), sum(p.not_sent), sum(p.unknown),
        sum(p.said), sum(p.results), sum(p.decision_makers), sum(p.fresh), sum(p.stale), sum(p.off_target), sum(p.closed),
        sum(p.closed_by_disposition), sum(p.closed_used_up), sum(p.closed_dead), sum(p.calls_of_closed), sum(p.ready_us),
        sum(p.ringing_us), sum(p.preview_us), sum(p.talk_us), sum(p.wrap_up_us), sum(p.paused_us)
    FROM p
    CROSS JOIN LATERAL (VALUES ('total', ''), ('operator', coalesce(p.operator_id::text, '')), ('base', p.base_id::text),
        ('script', p.campaign_id || '.' || p.script), ('caller', p.caller_number), ('number', p.number::text), ('region', p.region),
        ('code', p.code), ('reason', p.reason)) AS part (dim, key)
    WHERE part.key IS NOT NULL
    GROUP BY 1, 2, 3, 4
    ON CONFLICT (dim, campaign_id, hour, key) DO UPDATE
    SET (revision, changed_at,
        attempts, rang, answered, abandoned, dialled, reached, connected, outcome_abandoned, early_hangups, offers_heard, no_answer, busy,
        machine, invalid_number, congestion, rejected, failed, cancelled, not_sent, unknown, said, results, decision_makers, fresh, stale,
        off_target, closed, closed_by_disposition, closed_used_up, closed_dead, calls_of_closed, ready_us, ringing_us, preview_us, talk_us,
        wrap_up_us, paused_us)
    = (h.revision + (now() >= h.hour + interval '75 minutes')::integer, now(),
        h.attempts + excluded.attempts, h.rang + excluded.rang, h.answered + excluded.answered, h.abandoned + excluded.abandoned,
        h.dialled + excluded.dialled, h.reached + excluded.reached, h.connected + excluded.connected,
        h.outcome_abandoned + excluded.outcome_abandoned, h.early_hangups + excluded.early_hangups, h.offers_heard + excluded.offers_heard,
        h.no_answer + excluded.no_answer, h.busy + excluded.busy, h.machine + excluded.machine, h.invalid_number + excluded.invalid_number,
        h.congestion + excluded.congestion, h.rejected + excluded.rejected, h.failed + excluded.failed, h.cancelled + excluded.cancelled,
        h.not_sent + excluded.not_sent, h.unknown + excluded.unknown, h.said + excluded.said, h.results + excluded.results,
        h.decision_makers + excluded.decision_makers, h.fresh + excluded.fresh, h.stale + excluded.stale,
        h.off_target + excluded.off_target, h.closed + excluded.closed, h.closed_by_disposition + excluded.closed_by_disposition,
        h.closed_used_up + excluded.closed_used_up, h.closed_dead + excluded.closed_dead, h.calls_of_closed + excluded.calls_of_closed,
        h.ready_us + excluded.ready_us, h.ringing_us + excluded.ringing_us, h.preview_us + excluded.preview_us,
        h.talk_us + excluded.talk_us, h.wrap_up_us + excluded.wrap_up_us, h.paused_us + excluded.paused_us)
)
SELECT count(*) FROM p;

-- name: kpi_hour_days
-- From when to when some campaigns have facts.
SELECT least(
        (SELECT min(sent_at) FROM attempt WHERE campaign_id = ANY(:campaigns::bigint[])),
        (SELECT min(saved_at) FROM disposition WHERE campaign_id = ANY(:campaigns::bigint[])),
        (SELECT min(closed_at) FROM contact WHERE campaign_id = ANY(:campaigns::bigint[]) AND state = 'closed'),
        (SELECT min(hour) FROM kpi_row WHERE dim = 'total' AND campaign_id = ANY(:campaigns::bigint[])),
        (SELECT min(started_at) FROM operator_interval)) AS since,
    greatest(
        (SELECT max(sent_at) FROM attempt WHERE campaign_id = ANY(:campaigns::bigint[])),
        (SELECT max(saved_at) FROM disposition WHERE campaign_id = ANY(:campaigns::bigint[])),
        (SELECT max(closed_at) FROM contact WHERE campaign_id = ANY(:campaigns::bigint[]) AND state = 'closed'),
        (SELECT max(hour) FROM kpi_row WHERE dim = 'total' AND campaign_id = ANY(:campaigns::bigint[])),
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
-- The hour rows of a time as the facts say; rows that are right already are not touched.
WITH right_ AS MATERIALIZED (
    SELECT * FROM kpi_count(:campaigns::bigint[], :since::timestamptz, :until::timestamptz)
), told AS (
    DELETE FROM kpi_delta d
    WHERE d.campaign_id = ANY(:campaigns::bigint[]) AND d.hour >= :since::timestamptz AND d.hour < :until::timestamptz
), dropped AS (
    DELETE FROM kpi_hour h
    WHERE h.campaign_id = ANY(:campaigns::bigint[]) AND h.hour >= :since::timestamptz AND h.hour < :until::timestamptz
        AND NOT EXISTS (SELECT FROM right_ r WHERE (r.dim, r.campaign_id, r.hour, r.key) = (h.dim, h.campaign_id, h.hour, h.key))
)
INSERT INTO kpi_hour AS h (dim, campaign_id, hour, key,
    attempts, rang, answered, abandoned, dialled, reached, connected, outcome_abandoned, early_hangups, offers_heard, no_answer, busy,
    machine, invalid_number, congestion, rejected, failed, cancelled, not_sent, unknown, said, results, decision_makers, fresh, stale,
    off_target, closed, closed_by_disposition, closed_used_up, closed_dead, calls_of_closed, ready_us, ringing_us, preview_us, talk_us,
    wrap_up_us, paused_us)
SELECT r.dim, r.campaign_id, r.hour, r.key,
    r.attempts, r.rang, r.answered, r.abandoned, r.dialled, r.reached, r.connected, r.outcome_abandoned, r.early_hangups, r.offers_heard,
    r.no_answer, r.busy, r.machine, r.invalid_number, r.congestion, r.rejected, r.failed, r.cancelled, r.not_sent, r.unknown, r.said,
    r.results, r.decision_makers, r.fresh, r.stale, r.off_target, r.closed, r.closed_by_disposition, r.closed_used_up, r.closed_dead,
    r.calls_of_closed, r.ready_us, r.ringing_us, r.preview_us, r.talk_us, r.wrap_up_us, r.paused_us
FROM right_ r
ON CONFLICT (dim, campaign_id, hour, key) DO UPDATE
SET (revision, changed_at,
    attempts, rang, answered, abandoned, dialled, reached, connected, outcome_abandoned, early_hangups, offers_heard, no_answer, busy,
    machine, invalid_number, congestion, rejected, failed, cancelled, not_sent, unknown, said, results, decision_makers, fresh, stale,
    off_target, closed, closed_by_disposition, closed_used_up, closed_dead, calls_of_closed, ready_us, ringing_us, preview_us, talk_us,
    wrap_up_us, paused_us)
= (h.revision + (now() >= h.hour + interval '75 minutes')::integer, now(),
    excluded.attempts, excluded.rang, excluded.answered, excluded.abandoned, excluded.dialled, excluded.reached, excluded.connected,
    excluded.outcome_abandoned, excluded.early_hangups, excluded.offers_heard, excluded.no_answer, excluded.busy, excluded.machine,
    excluded.invalid_number, excluded.congestion, excluded.rejected, excluded.failed, excluded.cancelled, excluded.not_sent,
    excluded.unknown, excluded.said, excluded.results, excluded.decision_makers, excluded.fresh, excluded.stale, excluded.off_target,
    excluded.closed, excluded.closed_by_disposition, excluded.closed_used_up, excluded.closed_dead, excluded.calls_of_closed,
    excluded.ready_us, excluded.ringing_us, excluded.preview_us, excluded.talk_us, excluded.wrap_up_us, excluded.paused_us)
WHERE (
    h.attempts, h.rang, h.answered, h.abandoned, h.dialled, h.reached, h.connected, h.outcome_abandoned, h.early_hangups, h.offers_heard,
    h.no_answer, h.busy, h.machine, h.invalid_number, h.congestion, h.rejected, h.failed, h.cancelled, h.not_sent, h.unknown, h.said,
    h.results, h.decision_makers, h.fresh, h.stale, h.off_target, h.closed, h.closed_by_disposition, h.closed_used_up, h.closed_dead,
    h.calls_of_closed, h.ready_us, h.ringing_us, h.preview_us, h.talk_us, h.wrap_up_us, h.paused_us)
IS DISTINCT FROM (
    excluded.attempts, excluded.rang, excluded.answered, excluded.abandoned, excluded.dialled, excluded.reached, excluded.connected,
    excluded.outcome_abandoned, excluded.early_hangups, excluded.offers_heard, excluded.no_answer, excluded.busy, excluded.machine,
    excluded.invalid_number, excluded.congestion, excluded.rejected, excluded.failed, excluded.cancelled, excluded.not_sent,
    excluded.unknown, excluded.said, excluded.results, excluded.decision_makers, excluded.fresh, excluded.stale, excluded.off_target,
    excluded.closed, excluded.closed_by_disposition, excluded.closed_used_up, excluded.closed_dead, excluded.calls_of_closed,
    excluded.ready_us, excluded.ringing_us, excluded.preview_us, excluded.talk_us, excluded.wrap_up_us, excluded.paused_us);

-- name: kpi_hour_compare
-- Where hour rows and facts differ: each row and sum with both values.
WITH right_ AS MATERIALIZED (
    SELECT * FROM kpi_count(:campaigns::bigint[], :since::timestamptz, :until::timestamptz)
), held AS MATERIALIZED (
    SELECT p.dim, p.campaign_id, p.hour, p.key,
        sum(p.attempts)::bigint AS attempts, sum(p.rang)::bigint AS rang, sum(p.answered)::bigint AS answered,
        sum(p.abandoned)::bigint AS abandoned, sum(p.dialled)::bigint AS dialled, sum(p.reached)::bigint AS reached,
        sum(p.connected)::bigint AS connected, sum(p.outcome_abandoned)::bigint AS outcome_abandoned,
        sum(p.early_hangups)::bigint AS early_hangups, sum(p.offers_heard)::bigint AS offers_heard, sum(p.no_answer)::bigint AS no_answer,
        sum(p.busy)::bigint AS busy, sum(p.machine)::bigint AS machine, sum(p.invalid_number)::bigint AS invalid_number,
        sum(p.congestion)::bigint AS congestion, sum(p.rejected)::bigint AS rejected, sum(p.failed)::bigint AS failed,
        sum(p.cancelled)::bigint AS cancelled, sum(p.not_sent)::bigint AS not_sent, sum(p.unknown)::bigint AS unknown,
        sum(p.said)::bigint AS said, sum(p.results)::bigint AS results, sum(p.decision_makers)::bigint AS decision_makers,
        sum(p.fresh)::bigint AS fresh, sum(p.stale)::bigint AS stale, sum(p.off_target)::bigint AS off_target,
        sum(p.closed)::bigint AS closed, sum(p.closed_by_disposition)::bigint AS closed_by_disposition,
        sum(p.closed_used_up)::bigint AS closed_used_up, sum(p.closed_dead)::bigint AS closed_dead,
        sum(p.calls_of_closed)::bigint AS calls_of_closed, sum(p.ready_us)::bigint AS ready_us, sum(p.ringing_us)::bigint AS ringing_us,
        sum(p.preview_us)::bigint AS preview_us, sum(p.talk_us)::bigint AS talk_us, sum(p.wrap_up_us)::bigint AS wrap_up_us,
        sum(p.paused_us)::bigint AS paused_us
    FROM kpi_row p
    WHERE p.campaign_id = ANY(:campaigns::bigint[]) AND p.hour >= :since::timestamptz AND p.hour < :until::timestamptz
    GROUP BY 1, 2, 3, 4
), both_ AS (
    SELECT dim, campaign_id, hour, key, to_jsonb(h) AS held, to_jsonb(r) AS counted
    FROM held h FULL JOIN right_ r USING (dim, campaign_id, hour, key)
    WHERE (
        h.attempts, h.rang, h.answered, h.abandoned, h.dialled, h.reached, h.connected, h.outcome_abandoned, h.early_hangups,
        h.offers_heard, h.no_answer, h.busy, h.machine, h.invalid_number, h.congestion, h.rejected, h.failed, h.cancelled, h.not_sent,
        h.unknown, h.said, h.results, h.decision_makers, h.fresh, h.stale, h.off_target, h.closed, h.closed_by_disposition,
        h.closed_used_up, h.closed_dead, h.calls_of_closed, h.ready_us, h.ringing_us, h.preview_us, h.talk_us, h.wrap_up_us, h.paused_us)
    IS DISTINCT FROM (
        r.attempts, r.rang, r.answered, r.abandoned, r.dialled, r.reached, r.connected, r.outcome_abandoned, r.early_hangups,
        r.offers_heard, r.no_answer, r.busy, r.machine, r.invalid_number, r.congestion, r.rejected, r.failed, r.cancelled, r.not_sent,
        r.unknown, r.said, r.results, r.decision_makers, r.fresh, r.stale, r.off_target, r.closed, r.closed_by_disposition,
        r.closed_used_up, r.closed_dead, r.calls_of_closed, r.ready_us, r.ringing_us, r.preview_us, r.talk_us, r.wrap_up_us, r.paused_us)
)
SELECT (SELECT count(*) FROM right_) AS compared, b.dim, b.campaign_id, b.hour, b.key, s.name AS fact,
    coalesce((b.held ->> s.name)::bigint, 0) AS held, coalesce((b.counted ->> s.name)::bigint, 0) AS counted
FROM (SELECT) AS one LEFT JOIN (
    both_ b CROSS JOIN LATERAL jsonb_object_keys(coalesce(b.held, '{}') || coalesce(b.counted, '{}')) AS s (name)
) ON s.name NOT IN ('dim', 'campaign_id', 'hour', 'key')
    AND coalesce((b.held ->> s.name)::bigint, 0) <> coalesce((b.counted ->> s.name)::bigint, 0)
ORDER BY b.hour, b.campaign_id, b.dim, b.key, s.name;

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
