-- What a forecast is made of: open contacts that are alike, lines on their way, who is on shift, and what was observed.

-- name: ahead_crowds
-- Open contacts nobody is calling or writes about, gathered by what matters of them; whoever may never be called is left
-- out. What comes due is told to the minute. Numbers that are not given up are counted where the first one was tried.
SELECT lane.zones, lane.countries, base.priority * 10 + lane.priority AS priority, c.counted, c.attempts AS number, c.promised,
    CASE WHEN due.at > :now::timestamptz THEN date_trunc('minute', due.at) END AS due_at,
    CASE WHEN c.attempts = 0 THEN 1 ELSE greatest(1, (
        SELECT count(*) FROM contact_phone n WHERE n.contact_id = c.id AND NOT n.dead)) END AS phones,
    coalesce(sent.at, '{}') AS sent, count(*) AS contacts
FROM contact c
JOIN lane ON lane.id = c.lane_id
JOIN base ON base.id = c.base_id
JOIN phone p ON p.id = c.phone_id
LEFT JOIN callback k ON k.contact_id = c.id AND k.state = 'pending'
CROSS JOIN LATERAL (SELECT greatest(coalesce(k.next_at, c.next_at), p.not_before, p.held_until) AS at) AS due
LEFT JOIN (
    SELECT a.contact_id, array_agg(date_trunc('minute', a.sent_at) ORDER BY a.sent_at) AS at
    FROM attempt a
    WHERE a.campaign_id = :campaign_id::bigint AND a.sent_at > :counted_since::timestamptz
        AND (a.counts OR a.rang_at IS NOT NULL OR a.answered_at IS NOT NULL)
    GROUP BY a.contact_id
) AS sent ON sent.contact_id = c.id
WHERE c.campaign_id = :campaign_id::bigint AND c.state = 'open' AND NOT base.paused
    AND coalesce(c.refused_by, '') <> ALL ('{do_not_call,no_consent,number_not_allowed}'::text[])
    AND NOT EXISTS (SELECT FROM do_not_call d WHERE d.phone_id = c.phone_id
        AND (d.scope = 'global' OR d.customer_id = :customer_id::bigint OR d.campaign_id = c.campaign_id))
    AND NOT EXISTS (SELECT FROM attempt_live l WHERE l.contact_id = c.id)
    AND c.id <> ALL(:written::bigint[])
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9;

-- name: ahead_lines
-- Attempts that go on: with the contact as it was before, and whether its operator is on the line already.
SELECT a.sent_at, a.connected_at IS NOT NULL AS connected, a.operator_id, c.id AS contact_id, lane.zones, lane.countries,
    base.priority * 10 + lane.priority AS priority, c.counted, c.attempts AS number, c.promised
FROM attempt_live a
JOIN contact c ON c.id = a.contact_id
JOIN lane ON lane.id = c.lane_id
JOIN base ON base.id = c.base_id
WHERE a.campaign_id = :campaign_id::bigint AND (NOT a.came_in OR a.connected_at IS NOT NULL);

-- name: ahead_crew
-- Operators on shift in the team; a contact of this campaign is named as long as nothing was said of it.
SELECT o.operator_id, o.state, o.since, a.contact_id, lane.zones, lane.countries, base.priority * 10 + lane.priority AS priority,
    c.counted, c.attempts AS number, c.promised
FROM operator_live o
LEFT JOIN attempt a ON a.attempt_id = o.attempt_id AND a.campaign_id = :campaign_id::bigint AND o.state = 'wrap_up'
    AND a.sent_at > :now::timestamptz - interval '1 day'
    AND NOT EXISTS (SELECT FROM disposition d WHERE d.attempt_id = a.attempt_id)
LEFT JOIN contact c ON c.id = a.contact_id AND c.state = 'open'
LEFT JOIN lane ON lane.id = c.lane_id
LEFT JOIN base ON base.id = c.base_id
WHERE o.team_id = :team_id::bigint AND NOT o.leaving;

-- name: ahead_tried
-- How attempts of these campaigns went, the latest so many.
SELECT a.number, a.outcome, a.sent_at, coalesce(a.waiting_at, a.answered_at) AS wanted_at, a.ended_at, d.code
FROM (
    SELECT * FROM attempt
    WHERE campaign_id = ANY(:campaigns::bigint[]) AND sent_at > :since::timestamptz AND NOT came_in
    ORDER BY sent_at DESC LIMIT :rows::integer
) AS a
LEFT JOIN disposition d ON d.attempt_id = a.attempt_id;

-- name: ahead_stretches
-- What operators did for these campaigns, the latest so many; a pause belongs to the campaign of whoever takes it, or to none.
SELECT i.state, i.started_at, i.ended_at,
    NOT EXISTS (SELECT FROM operator_interval e WHERE e.operator_id = i.operator_id AND e.session_id = i.session_id
        AND e.started_at < i.started_at AND e.started_at > i.started_at - interval '1 day') AS first
FROM operator_interval i
WHERE i.campaign_id = ANY(:campaigns::bigint[]) AND i.started_at > :since::timestamptz
    AND i.state IN ('talking', 'wrap_up', 'preview')
ORDER BY i.started_at DESC
LIMIT :rows::integer;

-- name: ahead_pauses
-- Pauses and readiness of the team's operators, the latest so many.
SELECT i.state, i.started_at, i.ended_at,
    i.state = 'paused' AND NOT EXISTS (SELECT FROM operator_interval e WHERE e.operator_id = i.operator_id
        AND e.session_id = i.session_id AND e.started_at < i.started_at AND e.started_at > i.started_at - interval '1 day') AS first
FROM operator_interval i JOIN app_user u ON u.id = i.operator_id
WHERE u.team_id = :team_id::bigint AND i.started_at > :since::timestamptz AND i.state IN ('paused', 'ready', 'ringing')
ORDER BY i.started_at DESC
LIMIT :rows::integer;

-- name: ahead_promises
-- How long ahead people are promised to be called back.
SELECT extract(epoch FROM due_at - promised_at)::float8 AS ahead_s
FROM callback WHERE campaign_id = ANY(:campaigns::bigint[]) AND due_at > promised_at
ORDER BY id DESC LIMIT 500;

-- name: ahead_hours
-- Who answered in which hour of the campaign's day, before today.
SELECT extract(hour FROM h.hour AT TIME ZONE c.zone)::integer AS hour, sum(h.rang)::integer AS rang, sum(h.answered)::integer AS answered
FROM kpi_hour h JOIN campaign c ON c.id = h.campaign_id
WHERE h.dim = 'total' AND h.campaign_id = :campaign_id::bigint AND h.hour >= :since::timestamptz AND h.hour < :today::timestamptz
GROUP BY 1;

-- name: ahead_today
-- What the present day has brought so far, and the share of this campaign in the team's conversations of the last hour.
SELECT
    (SELECT count(*) FROM disposition WHERE campaign_id = :campaign_id::bigint AND saved_at >= :today::timestamptz AND result) AS results,
    (SELECT count(*) FROM attempt WHERE campaign_id = :campaign_id::bigint AND sent_at >= :today::timestamptz AND NOT came_in)
        + (SELECT count(*) FROM attempt_live WHERE campaign_id = :campaign_id::bigint AND NOT came_in) AS attempts,
    (SELECT count(*) FROM attempt WHERE campaign_id = :campaign_id::bigint AND sent_at >= :today::timestamptz AND outcome = 'connected'
            AND NOT came_in)
        + (SELECT count(*) FROM attempt_live WHERE campaign_id = :campaign_id::bigint AND connected_at IS NOT NULL AND NOT came_in) AS connects,
    (SELECT count(*) FROM attempt a JOIN campaign c ON c.id = a.campaign_id WHERE c.team_id = :team_id::bigint
        AND a.outcome = 'connected' AND a.sent_at >= :lately::timestamptz) AS of_all,
    (SELECT count(*) FROM attempt WHERE campaign_id = :campaign_id::bigint AND outcome = 'connected'
        AND sent_at >= :lately::timestamptz) AS own,
    (SELECT count(*) FROM app_user WHERE team_id = :team_id::bigint AND role = 'operator' AND NOT disabled) AS operators,
    EXISTS (SELECT FROM campaign WHERE team_id = :team_id::bigint AND id <> :campaign_id::bigint AND state = 'running') AS shared;

-- name: ahead_earlier
-- Campaigns whose facts are believed where this one has few: those of the same customer, else all that dial alike.
SELECT id, customer_id = :customer_id::bigint AS same_customer FROM campaign
WHERE id <> :campaign_id::bigint AND state <> 'draft' AND (customer_id = :customer_id::bigint OR mode = :mode::text)
ORDER BY same_customer DESC, id DESC
LIMIT 20;

-- name: ahead_work
-- When the team worked on each of the last days, in minutes of the campaign's day, and how many operators.
SELECT min(extract(epoch FROM (i.started_at AT TIME ZONE :zone::text)::time) / 60)::integer AS begins,
    max(extract(epoch FROM (i.ended_at AT TIME ZONE :zone::text)::time) / 60)::integer AS ends,
    count(DISTINCT i.operator_id)::integer AS operators
FROM operator_interval i JOIN app_user u ON u.id = i.operator_id
WHERE u.team_id = :team_id::bigint AND i.started_at >= :since::timestamptz AND i.started_at < :today::timestamptz
    AND (i.started_at AT TIME ZONE :zone::text)::date = (i.ended_at AT TIME ZONE :zone::text)::date
GROUP BY (i.started_at AT TIME ZONE :zone::text)::date;
