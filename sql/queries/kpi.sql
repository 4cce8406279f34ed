-- The numbers: sums of hour rows where whole hours are asked for, of the facts themselves elsewhere. A fact belongs to an
-- hour of its campaign's zone: an attempt by when it was sent, operator time cut at the hour, a disposition by when it
-- was saved, a contact by when it was closed.
-- All give rows by `per` (hour, day, week, month; the latter three by the date in the campaign's zone) and `by`.

-- name: kpi_stretches
-- For each campaign (0: time of nobody's) the whole hours of its zone inside a period; none where hour rows are not right yet.
SELECT c.id, CASE WHEN s.campaign_id IS NULL THEN whole.since END AS since, CASE WHEN s.campaign_id IS NULL THEN whole.until END AS until
FROM (SELECT id, zone FROM campaign UNION ALL SELECT 0, 'UTC') AS c
LEFT JOIN kpi_stale s ON s.campaign_id = c.id
CROSS JOIN LATERAL (
    SELECT (SELECT min(q.at) FROM generate_series(date_bin('15 minutes', :since::timestamptz, timestamptz '2000-01-01 00:00Z'),
                :since::timestamptz + interval '3 hours', interval '15 minutes') AS q (at)
            WHERE q.at >= :since::timestamptz AND date_trunc('hour', q.at, c.zone) = q.at) AS since,
        (SELECT max(q.at) FROM generate_series(date_bin('15 minutes', :until::timestamptz, timestamptz '2000-01-01 00:00Z') - interval '3 hours',
                :until::timestamptz, interval '15 minutes') AS q (at)
            WHERE date_trunc('hour', q.at, c.zone) = q.at) AS until
) AS whole
WHERE :campaigns::bigint[] IS NULL OR c.id = ANY(:campaigns::bigint[])
ORDER BY c.id;

-- name: kpi_sums
-- Sums of whole hours, from the hour rows and from what is not folded into them yet.
SELECT CASE WHEN :per::text IN ('day', 'week', 'month') THEN date_trunc(:per::text, p.hour AT TIME ZONE coalesce(k.zone, 'UTC')) AT TIME ZONE 'UTC'
        WHEN :per::text = 'hour' THEN p.hour END AS bucket,
    CASE WHEN :by::text = 'campaign' THEN p.campaign_id::text WHEN :by::text = 'customer' THEN coalesce(k.customer_id, 0)::text
        WHEN :by::text = p.dim THEN p.key ELSE '' END AS who,
    sum(p.attempts)::bigint AS attempts, sum(p.rang)::bigint AS rang, sum(p.answered)::bigint AS answered,
    sum(p.abandoned)::bigint AS abandoned, sum(p.dialled)::bigint AS dialled, sum(p.reached)::bigint AS reached,
    sum(p.connected)::bigint AS connected, sum(p.outcome_abandoned)::bigint AS outcome_abandoned,
    sum(p.early_hangups)::bigint AS early_hangups, sum(p.offers_heard)::bigint AS offers_heard, sum(p.no_answer)::bigint AS no_answer,
    sum(p.busy)::bigint AS busy, sum(p.machine)::bigint AS machine, sum(p.invalid_number)::bigint AS invalid_number,
    sum(p.congestion)::bigint AS congestion, sum(p.rejected)::bigint AS rejected, sum(p.failed)::bigint AS failed,
    sum(p.cancelled)::bigint AS cancelled, sum(p.not_sent)::bigint AS not_sent, sum(p.unknown)::bigint AS unknown,
    sum(p.said)::bigint AS said, sum(p.results)::bigint AS results, sum(p.decision_makers)::bigint AS decision_makers,
    sum(p.fresh)::bigint AS fresh, sum(p.stale)::bigint AS stale, sum(p.off_target)::bigint AS off_target, sum(p.closed)::bigint AS closed,
    sum(p.closed_by_disposition)::bigint AS closed_by_disposition, sum(p.closed_used_up)::bigint AS closed_used_up,
    sum(p.closed_dead)::bigint AS closed_dead, sum(p.calls_of_closed)::bigint AS calls_of_closed, sum(p.ready_us)::bigint AS ready_us,
    sum(p.ringing_us)::bigint AS ringing_us, sum(p.preview_us)::bigint AS preview_us, sum(p.talk_us)::bigint AS talk_us,
    sum(p.wrap_up_us)::bigint AS wrap_up_us, sum(p.paused_us)::bigint AS paused_us
FROM unnest(:campaigns::bigint[], :since::timestamptz[], :until::timestamptz[]) AS r (campaign_id, since, until)
JOIN kpi_row p ON p.campaign_id = r.campaign_id AND p.hour >= r.since AND p.hour < r.until
LEFT JOIN campaign k ON k.id = p.campaign_id
WHERE p.dim = :dim::text AND (:key::text IS NULL OR p.key = :key::text)
GROUP BY 1, 2;

-- name: kpi_facts
-- The same sums but those of time, from the facts, of any stretches.
SELECT CASE WHEN :per::text IN ('day', 'week', 'month') THEN date_trunc(:per::text, p.hour AT TIME ZONE coalesce(k.zone, 'UTC')) AT TIME ZONE 'UTC'
        WHEN :per::text = 'hour' THEN p.hour END AS bucket,
    CASE :by::text WHEN 'campaign' THEN p.campaign_id::text WHEN 'customer' THEN coalesce(k.customer_id, 0)::text
        WHEN 'operator' THEN coalesce(p.operator_id::text, '') WHEN 'base' THEN p.base_id::text
        WHEN 'script' THEN p.campaign_id || '.' || p.script WHEN 'caller' THEN p.caller_number WHEN 'number' THEN p.number::text
        WHEN 'region' THEN p.region WHEN 'code' THEN p.code WHEN 'reason' THEN p.reason ELSE '' END AS who,
    sum(p.attempts)::bigint AS attempts, sum(p.rang)::bigint AS rang, sum(p.answered)::bigint AS answered,
    sum(p.abandoned)::bigint AS abandoned, sum(p.dialled)::bigint AS dialled, sum(p.reached)::bigint AS reached,
    sum(p.connected)::bigint AS connected, sum(p.outcome_abandoned)::bigint AS outcome_abandoned,
    sum(p.early_hangups)::bigint AS early_hangups, sum(p.offers_heard)::bigint AS offers_heard, sum(p.no_answer)::bigint AS no_answer,
    sum(p.busy)::bigint AS busy, sum(p.machine)::bigint AS machine, sum(p.invalid_number)::bigint AS invalid_number,
    sum(p.congestion)::bigint AS congestion, sum(p.rejected)::bigint AS rejected, sum(p.failed)::bigint AS failed,
    sum(p.cancelled)::bigint AS cancelled, sum(p.not_sent)::bigint AS not_sent, sum(p.unknown)::bigint AS unknown,
    sum(p.said)::bigint AS said, sum(p.results)::bigint AS results, sum(p.decision_makers)::bigint AS decision_makers,
    sum(p.fresh)::bigint AS fresh, sum(p.stale)::bigint AS stale, sum(p.off_target)::bigint AS off_target, sum(p.closed)::bigint AS closed,
    sum(p.closed_by_disposition)::bigint AS closed_by_disposition, sum(p.closed_used_up)::bigint AS closed_used_up,
    sum(p.closed_dead)::bigint AS closed_dead, sum(p.calls_of_closed)::bigint AS calls_of_closed
FROM unnest(:campaigns::bigint[], :since::timestamptz[], :until::timestamptz[]) AS r (campaign_id, since, until)
JOIN kpi_part p ON p.campaign_id = r.campaign_id AND p.at >= r.since AND p.at < r.until AND p.kind <> 'timed'
LEFT JOIN campaign k ON k.id = p.campaign_id
WHERE (:operator_id::bigint IS NULL OR p.operator_id = :operator_id::bigint) AND (:by::text <> 'code' OR p.code IS NOT NULL)
    AND (:by::text <> 'reason' OR p.reason IS NOT NULL)
GROUP BY 1, 2;

-- name: kpi_time
-- Operator time from the facts, of any stretches.
WITH r AS (
    SELECT * FROM unnest(:campaigns::bigint[], :since::timestamptz[], :until::timestamptz[]) AS r (campaign_id, since, until)
), s AS (
    SELECT r.since, r.until, o.*
    FROM (SELECT DISTINCT since, until FROM r) AS at
    JOIN kpi_owned o ON (o.started_at > at.since - interval '1 day' OR o.ended_at - o.started_at > interval '1 day')
        AND o.started_at < at.until AND o.ended_at > at.since
        AND (:operator_id::bigint IS NULL OR o.operator_id = :operator_id::bigint)
    JOIN r ON r.campaign_id = o.campaign_id AND r.since = at.since AND r.until = at.until
)
SELECT CASE WHEN :per::text IN ('day', 'week', 'month') THEN date_trunc(:per::text, p.hour AT TIME ZONE coalesce(k.zone, 'UTC')) AT TIME ZONE 'UTC'
        WHEN :per::text = 'hour' THEN p.hour END AS bucket,
    CASE :by::text WHEN 'campaign' THEN s.campaign_id::text WHEN 'customer' THEN coalesce(k.customer_id, 0)::text
        WHEN 'operator' THEN s.operator_id::text ELSE '' END AS who,
    sum(CASE s.state WHEN 'ready' THEN p.us ELSE 0 END)::bigint AS ready_us,
    sum(CASE s.state WHEN 'ringing' THEN p.us ELSE 0 END)::bigint AS ringing_us,
    sum(CASE s.state WHEN 'preview' THEN p.us ELSE 0 END)::bigint AS preview_us,
    sum(CASE s.state WHEN 'talking' THEN p.us ELSE 0 END)::bigint AS talk_us,
    sum(CASE s.state WHEN 'wrap_up' THEN p.us ELSE 0 END)::bigint AS wrap_up_us,
    sum(CASE s.state WHEN 'paused' THEN p.us ELSE 0 END)::bigint AS paused_us
FROM s LEFT JOIN campaign k ON k.id = s.campaign_id
CROSS JOIN LATERAL kpi_pieces(greatest(s.started_at, s.since), least(s.ended_at, s.until), coalesce(k.zone, 'UTC')) AS p
GROUP BY 1, 2;

-- name: kpi_time_now
-- What operators are doing counts up to now. A call that goes on has the waiting before it as well, which the hour rows
-- give to the call before until it ends.
WITH live AS (
    SELECT o.operator_id, o.session_id, o.state, o.since, o.campaign_id, last.campaign_id AS last_campaign_id,
        coalesce(last.started_at, o.since - interval '12 hours') AS last_at
    FROM operator_live o
    LEFT JOIN LATERAL (
        SELECT i.campaign_id, i.started_at FROM operator_interval i
        WHERE i.operator_id = o.operator_id AND i.session_id = o.session_id AND i.campaign_id IS NOT NULL
            AND i.started_at > o.since - interval '12 hours'
        ORDER BY i.started_at DESC LIMIT 1
    ) AS last ON true
    WHERE :operator_id::bigint IS NULL OR o.operator_id = :operator_id::bigint
), moved AS (
    SELECT live.operator_id, i.state, i.started_at, i.ended_at, live.campaign_id, coalesce(live.last_campaign_id, 0) AS last_campaign_id
    FROM live JOIN operator_interval i ON i.operator_id = live.operator_id AND i.session_id = live.session_id
        AND i.campaign_id IS NULL AND i.started_at > live.last_at
    WHERE live.campaign_id <> coalesce(live.last_campaign_id, 0)
), s AS (
    SELECT operator_id, state, since AS started_at, greatest(since, :now::timestamptz) AS ended_at,
        coalesce(campaign_id, last_campaign_id, 0) AS campaign_id, 1 AS sign, true AS open
    FROM live
    UNION ALL
    SELECT operator_id, state, started_at, ended_at, campaign_id, 1, false FROM moved
    UNION ALL
    SELECT operator_id, state, started_at, ended_at, last_campaign_id, -1, false FROM moved
)
SELECT CASE WHEN :per::text IN ('day', 'week', 'month') THEN date_trunc(:per::text, p.hour AT TIME ZONE coalesce(k.zone, 'UTC')) AT TIME ZONE 'UTC'
        WHEN :per::text = 'hour' THEN p.hour END AS bucket,
    CASE :by::text WHEN 'campaign' THEN s.campaign_id::text WHEN 'customer' THEN coalesce(k.customer_id, 0)::text
        WHEN 'operator' THEN s.operator_id::text ELSE '' END AS who,
    sum(CASE s.state WHEN 'ready' THEN s.sign * p.us ELSE 0 END)::bigint AS ready_us,
    sum(CASE s.state WHEN 'ringing' THEN s.sign * p.us ELSE 0 END)::bigint AS ringing_us,
    sum(CASE s.state WHEN 'preview' THEN s.sign * p.us ELSE 0 END)::bigint AS preview_us,
    sum(CASE s.state WHEN 'talking' THEN s.sign * p.us ELSE 0 END)::bigint AS talk_us,
    sum(CASE s.state WHEN 'wrap_up' THEN s.sign * p.us ELSE 0 END)::bigint AS wrap_up_us,
    sum(CASE s.state WHEN 'paused' THEN s.sign * p.us ELSE 0 END)::bigint AS paused_us, sum(CASE WHEN s.open THEN p.us ELSE 0 END)::bigint AS open_us
FROM s LEFT JOIN campaign k ON k.id = s.campaign_id
CROSS JOIN LATERAL kpi_pieces(greatest(s.started_at, :since::timestamptz), least(s.ended_at, :until::timestamptz), coalesce(k.zone, 'UTC')) AS p
WHERE :campaigns::bigint[] IS NULL OR s.campaign_id = ANY(:campaigns::bigint[])
GROUP BY 1, 2;

-- name: kpi_live
-- Attempts that go on.
SELECT CASE WHEN :per::text IN ('day', 'week', 'month') THEN date_trunc(:per::text, p.hour AT TIME ZONE coalesce(k.zone, 'UTC')) AT TIME ZONE 'UTC'
        WHEN :per::text = 'hour' THEN p.hour END AS bucket,
    CASE :by::text WHEN 'campaign' THEN p.campaign_id::text WHEN 'customer' THEN coalesce(k.customer_id, 0)::text
        WHEN 'operator' THEN coalesce(p.operator_id::text, '') WHEN 'base' THEN p.base_id::text
        WHEN 'script' THEN p.campaign_id || '.' || p.script WHEN 'caller' THEN p.caller_number WHEN 'number' THEN p.number::text
        WHEN 'region' THEN p.region WHEN 'code' THEN p.code WHEN 'reason' THEN p.reason ELSE '' END AS who,
    count(*) AS live
FROM (
    SELECT l.campaign_id, date_trunc('hour', l.sent_at, c.zone) AS hour, l.base_id, l.operator_id, 0 AS script, l.caller_number,
        l.number, phone_region(n.e164) AS region, NULL AS code, NULL AS reason
    FROM attempt_live l JOIN campaign c ON c.id = l.campaign_id LEFT JOIN phone n ON n.id = l.phone_id
    WHERE l.sent_at >= :since::timestamptz AND l.sent_at < :until::timestamptz
        AND (:campaigns::bigint[] IS NULL OR l.campaign_id = ANY(:campaigns::bigint[]))
        AND (:operator_id::bigint IS NULL OR l.operator_id = :operator_id::bigint)
) AS p JOIN campaign k ON k.id = p.campaign_id
WHERE :by::text NOT IN ('code', 'reason')
GROUP BY 1, 2;

-- name: kpi_apart
-- What does not add up over hours: different contacts, and percentiles.
SELECT CASE WHEN :per::text IN ('day', 'week', 'month') THEN date_trunc(:per::text, p.hour AT TIME ZONE coalesce(k.zone, 'UTC')) AT TIME ZONE 'UTC'
        WHEN :per::text = 'hour' THEN p.hour END AS bucket,
    CASE :by::text WHEN 'campaign' THEN p.campaign_id::text WHEN 'customer' THEN coalesce(k.customer_id, 0)::text
        WHEN 'operator' THEN coalesce(p.operator_id::text, '') WHEN 'base' THEN p.base_id::text
        WHEN 'script' THEN p.campaign_id || '.' || p.script WHEN 'caller' THEN p.caller_number WHEN 'number' THEN p.number::text
        WHEN 'region' THEN p.region WHEN 'code' THEN p.code WHEN 'reason' THEN p.reason ELSE '' END AS who,
    count(DISTINCT p.contact_id) FILTER (WHERE p.dialled = 1) AS contacts_dialled,
    count(DISTINCT p.contact_id) FILTER (WHERE p.reached = 1) AS contacts_reached,
    percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY p.voice_ms) FILTER (WHERE p.connected = 1) AS voice_ms
FROM kpi_tried p JOIN campaign k ON k.id = p.campaign_id
WHERE p.campaign_id = ANY(:campaigns::bigint[]) AND p.at >= :since::timestamptz AND p.at < :until::timestamptz
    AND (:operator_id::bigint IS NULL OR p.operator_id = :operator_id::bigint) AND :by::text NOT IN ('code', 'reason')
GROUP BY 1, 2;

-- name: kpi_clock
-- How much of each hour, day, week or month of the period has passed, also of those without any fact.
SELECT c.bucket, max(c.us)::bigint AS clock_us
FROM (
    SELECT CASE WHEN :per::text IN ('day', 'week', 'month') THEN date_trunc(:per::text, p.hour AT TIME ZONE coalesce(k.zone, 'UTC')) AT TIME ZONE 'UTC'
        WHEN :per::text = 'hour' THEN p.hour END AS bucket, k.zone,
        sum(p.us) AS us
    FROM (
        SELECT DISTINCT zone FROM campaign
        WHERE state <> 'draft' AND (:campaigns::bigint[] IS NULL OR id = ANY(:campaigns::bigint[]))
    ) AS k
    CROSS JOIN LATERAL kpi_pieces(:since::timestamptz, least(:until::timestamptz, :now::timestamptz), k.zone) AS p
    GROUP BY 1, 2
) AS c
GROUP BY 1;

-- name: kpi_labels
-- What people call the operators, campaigns and so on of some rows.
SELECT 'operator' AS kind, id::text AS key, name FROM app_user WHERE :by::text = 'operator' AND id::text = ANY(:keys::text[])
UNION ALL SELECT 'campaign', id::text, name FROM campaign WHERE :by::text = 'campaign' AND id::text = ANY(:keys::text[])
UNION ALL SELECT 'base', id::text, name FROM base WHERE :by::text = 'base' AND id::text = ANY(:keys::text[])
UNION ALL SELECT 'customer', id::text, name FROM customer WHERE :by::text = 'customer' AND id::text = ANY(:keys::text[])
UNION ALL SELECT 'script', k.key, c.name || ' v' || split_part(k.key, '.', 2)
    FROM unnest(:keys::text[]) AS k (key) JOIN campaign c ON c.id::text = split_part(k.key, '.', 1) WHERE :by::text = 'script';

-- name: kpi_now
-- The clock of the database.
SELECT now();

-- name: kpi_campaigns
-- All campaigns, of one customer, or one, with the zone its hours are counted in.
SELECT id, zone FROM campaign
WHERE (:campaign_id::bigint IS NULL OR id = :campaign_id::bigint) AND (:customer_id::bigint IS NULL OR customer_id = :customer_id::bigint)
ORDER BY id;
