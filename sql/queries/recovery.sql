-- What an engine reads when it starts, and what it learns from.

-- name: recovery_adopt
-- The live attempts of the switch belong to the engine that holds its lease now.
UPDATE attempt_live l SET epoch = e.epoch FROM engine_lease e WHERE l.switch = :switch::text AND e.switch = l.switch AND l.epoch <> e.epoch;

-- name: recovery_attempts
-- What was on its way when the last engine stopped.
SELECT l.attempt_id, l.campaign_id, l.contact_id, l.phone_id, p.e164, l.number, l.counted, l.state, l.sent_at, l.rang_at,
    l.answered_at, l.waiting_at, l.operator_id, l.connected_at, l.key, l.callback_id, l.for_operator, l.asked, l.manual, l.came_in, l.ended_by
FROM attempt_live l JOIN phone p ON p.id = l.phone_id
WHERE l.switch = :switch::text
ORDER BY l.sent_at, l.attempt_id;

-- name: recovery_operators
-- Who was at work.
SELECT operator_id, session_id, seat, team_id, name, state, since, reason, until, campaign_id, attempt_id, pause_after, leaving
FROM operator_live
WHERE switch = :switch::text
ORDER BY operator_id;

-- name: recovery_previews
-- Whom they looked at.
SELECT preview_id AS id, operator_id, campaign_id, contact_id, phone_id, offered_at
FROM preview WHERE switch = :switch::text ORDER BY preview_id;

-- name: recovery_learned
-- Means over the last attempts that reached the network, and over the last wrap-ups, for the first forecast.
WITH recent AS (
    SELECT sent_at, answered_at, connected_at, ended_at FROM attempt
    WHERE campaign_id = :campaign_id::bigint AND NOT asked AND (counts OR rang_at IS NOT NULL OR outcome = 'invalid_number')
    ORDER BY sent_at DESC LIMIT 250
), wrap_up AS (
    SELECT started_at, ended_at FROM operator_interval
    WHERE campaign_id = :campaign_id::bigint AND state = 'wrap_up'
    ORDER BY started_at DESC LIMIT 250
)
SELECT count(*) AS n_answer_rate, count(answered_at) AS n_ring_s, count(connected_at) AS n_talk_s,
    avg((answered_at IS NOT NULL)::integer)::float8 AS answer_rate,
    avg(extract(epoch FROM answered_at - sent_at))::float8 AS ring_s,
    (avg(extract(epoch FROM ended_at - connected_at)) FILTER (WHERE connected_at IS NOT NULL))::float8 AS talk_s,
    (SELECT count(*) FROM wrap_up) AS n_wrap_up_s,
    (SELECT avg(extract(epoch FROM ended_at - started_at))::float8 FROM wrap_up) AS wrap_up_s
FROM recent;

-- name: recovery_callbacks_due
-- Promises that need an operator soon, the first ones of each campaign.
SELECT campaign.id AS campaign_id, due.next_at, due.operator_id
FROM unnest(:campaigns::bigint[]) AS campaign (id) CROSS JOIN LATERAL (
    SELECT k.next_at, k.operator_id, k.id
    FROM callback k JOIN contact c ON c.id = k.contact_id
    WHERE k.campaign_id = campaign.id AND k.state = 'pending' AND k.next_at <= :until::timestamptz AND c.state = 'open'
        AND NOT EXISTS (SELECT FROM attempt_live l WHERE l.contact_id = k.contact_id)
    ORDER BY k.next_at, k.id
    LIMIT 50
) AS due
ORDER BY campaign.id, due.next_at, due.id;

-- name: recovery_budgets
-- The legal counts as they stand.
SELECT campaign_id, starts_at, ends_at, answered, abandoned, uncovered, cap_permille, carried_answered, carried_abandoned
FROM abandon_budget WHERE campaign_id = ANY(:campaigns::bigint[]);
