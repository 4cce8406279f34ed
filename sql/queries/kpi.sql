-- The numbers: sums of day rows where whole days are asked for, of hour rows at their ends, of the facts elsewhere. A fact belongs to an
-- hour of its campaign's zone: an attempt by when it was sent, operator time cut at the hour, a disposition by when it
-- was saved, a contact by when it was closed.
-- All give rows by `per` (hour, day, week, month; the latter three by the date in the campaign's zone) and `by`.

-- name: kpi_stretches
-- For each campaign (0: time of nobody's) the whole hours of its zone inside a period, and inside these the whole days: from
-- when to when, and their dates. None of either where hour rows are not right yet.
WITH c AS (
    SELECT c.id, c.zone, s.campaign_id IS NOT NULL AS stale
    FROM (SELECT id, zone FROM campaign UNION ALL SELECT 0, 'UTC') AS c LEFT JOIN kpi_stale s ON s.campaign_id = c.id
    WHERE :campaigns::bigint[] IS NULL OR c.id = ANY(:campaigns::bigint[])
), whole AS (
    SELECT z.zone,
        (SELECT min(q.at) FROM generate_series(date_bin('15 minutes', :since::timestamptz, timestamptz '2000-01-01 00:00Z'),
                :since::timestamptz + interval '3 hours', interval '15 minutes') AS q (at)
            WHERE q.at >= :since::timestamptz AND date_trunc('hour', q.at, z.zone) = q.at) AS since,
        (SELECT max(q.at) FROM generate_series(date_bin('15 minutes', :until::timestamptz, timestamptz '2000-01-01 00:00Z') - interval '3 hours',
                :until::timestamptz, interval '15 minutes') AS q (at)
            WHERE date_trunc('hour', q.at, z.zone) = q.at) AS until
    FROM (SELECT DISTINCT zone FROM c) AS z
), dates AS (
    SELECT w.*, kpi_date(w.since, w.zone)
            + (kpi_date(w.since - interval '1 second', w.zone) = kpi_date(w.since, w.zone))::integer AS first,
        kpi_date(w.until, w.zone) AS behind
    FROM whole AS w
), days AS (
    SELECT d.*, (SELECT min(q.at) FROM generate_series(d.since, d.since + interval '27 hours', interval '15 minutes') AS q (at)
            WHERE kpi_date(q.at, d.zone) = d.first) AS first_at,
        (SELECT min(q.at) FROM generate_series(d.until - interval '27 hours', d.until, interval '15 minutes') AS q (at)
            WHERE kpi_date(q.at, d.zone) = d.behind) AS behind_at
    FROM dates AS d
)
SELECT c.id, CASE WHEN NOT c.stale THEN d.since END AS since, CASE WHEN NOT c.stale THEN d.until END AS until, d.first, d.behind,
    d.first_at, d.behind_at
FROM c JOIN days AS d USING (zone)
ORDER BY c.id;

-- name: kpi_sums
-- Sums of whole hours.
SELECT * FROM kpi_hours_summed(:per::text, :by::text, :dim::text, :key::text, :campaigns::bigint[], :since::timestamptz[], :until::timestamptz[]);

-- name: kpi_day_sums
-- Sums of whole days.
SELECT * FROM kpi_days_summed(:per::text, :by::text, :dim::text, :key::text, :campaigns::bigint[], :since::date[], :until::date[]);

-- name: kpi_facts
-- The same sums but those of time, from the facts, of any stretches.
SELECT * FROM kpi_facts_summed(:per::text, :by::text, :operator_id::bigint, :campaigns::bigint[], :since::timestamptz[], :until::timestamptz[]);

-- name: kpi_time
-- Operator time from the facts, of any stretches, each looked up by itself; only a stretch of a shift that is longer than a
-- day can have begun more than a day before.
WITH r AS (
    SELECT * FROM unnest(:campaigns::bigint[], :since::timestamptz[], :until::timestamptz[]) AS r (campaign_id, since, until)
), s AS (
    SELECT r.since, r.until, o.*
    FROM (SELECT DISTINCT since, until FROM r) AS at
    CROSS JOIN LATERAL (
        SELECT * FROM kpi_owned o
        WHERE o.started_at > at.since - interval '1 day' AND o.started_at < at.until AND o.ended_at > at.since
            AND (:operator_id::bigint IS NULL OR o.operator_id = :operator_id::bigint)
        UNION ALL
        SELECT * FROM kpi_owned o
        WHERE o.ended_at - o.started_at > interval '1 day' AND o.started_at <= at.since - interval '1 day' AND o.ended_at > at.since
            AND (:operator_id::bigint IS NULL OR o.operator_id = :operator_id::bigint)
        OFFSET 0
    ) AS o
    JOIN r ON r.campaign_id = o.campaign_id AND r.since = at.since AND r.until = at.until
)
SELECT kpi_bucket(:per::text, p.hour, k.zone) AS bucket,
    kpi_who(:by::text, s.campaign_id, k.customer_id, NULL, s.operator_id, NULL, NULL, NULL, NULL, NULL, NULL) AS who,
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
SELECT kpi_bucket(:per::text, p.hour, k.zone) AS bucket,
    kpi_who(:by::text, s.campaign_id, k.customer_id, NULL, s.operator_id, NULL, NULL, NULL, NULL, NULL, NULL) AS who,
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
SELECT kpi_bucket(:per::text, p.hour, k.zone) AS bucket,
    kpi_who(:by::text, p.campaign_id, k.customer_id, p.base_id, p.operator_id, p.script, p.caller_number, p.number, p.region, p.code,
        p.reason) AS who,
    count(*) AS live
FROM (
    SELECT l.campaign_id, date_trunc('hour', l.sent_at, c.zone) AS hour, l.base_id, l.operator_id, 0 AS script, l.caller_number,
        l.number, phone_region(n.e164) AS region, NULL AS code, NULL AS reason
    FROM attempt_live l JOIN campaign c ON c.id = l.campaign_id LEFT JOIN phone n ON n.id = l.phone_id
    WHERE l.sent_at >= :since::timestamptz AND l.sent_at < :until::timestamptz AND NOT l.came_in
        AND (:campaigns::bigint[] IS NULL OR l.campaign_id = ANY(:campaigns::bigint[]))
        AND (:operator_id::bigint IS NULL OR l.operator_id = :operator_id::bigint)
) AS p JOIN campaign k ON k.id = p.campaign_id
WHERE :by::text NOT IN ('code', 'reason')
GROUP BY 1, 2;

-- name: kpi_late
-- Promises whose time has passed and that wait still.
SELECT kpi_bucket(:per::text, date_trunc('hour', p.due_at, k.zone), k.zone) AS bucket,
    kpi_who(:by::text, p.campaign_id, k.customer_id, c.base_id, p.operator_id, coalesce(d.script, 0), coalesce(d.caller_number, ''),
        coalesce(d.number, 0), coalesce(d.region, ''), NULL, NULL) AS who,
    count(*) AS promises_late
FROM callback p JOIN campaign k ON k.id = p.campaign_id JOIN contact c ON c.id = p.contact_id
LEFT JOIN disposition d ON d.attempt_id = p.made_by_attempt
WHERE p.state = 'pending' AND p.due_at >= :since::timestamptz
    AND p.due_at < least(:until::timestamptz, :now::timestamptz - promise_grace())
    AND (:campaigns::bigint[] IS NULL OR p.campaign_id = ANY(:campaigns::bigint[]))
    AND (:operator_id::bigint IS NULL OR p.operator_id = :operator_id::bigint) AND :by::text NOT IN ('code', 'reason')
GROUP BY 1, 2;

-- name: kpi_apart
-- What does not add up over hours: different contacts, and percentiles.
SELECT kpi_bucket(:per::text, p.hour, k.zone) AS bucket,
    kpi_who(:by::text, p.campaign_id, k.customer_id, p.base_id, p.operator_id, p.script, p.caller_number, p.number, p.region, p.code,
        p.reason) AS who,
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
    SELECT kpi_bucket(:per::text, p.hour, k.zone) AS bucket, k.zone,
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
