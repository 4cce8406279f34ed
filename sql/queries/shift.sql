-- What an operator sees of the own day.

-- name: shift_pauses
-- Why one may pause, how long a day, and how long that was used since then; the pause that goes on included.
SELECT k.code, k.name_ru, k.name_en, k.allowed_s, coalesce(sum(extract(epoch FROM i.ended_at - greatest(i.started_at, :since::timestamptz))), 0)::float8 AS used_s
FROM pause_kind k
LEFT JOIN (
    SELECT reason, started_at, ended_at FROM operator_interval
    WHERE operator_id = :operator_id::bigint AND state = 'paused' AND ended_at > :since::timestamptz
        AND started_at > :since::timestamptz - interval '1 day'
    UNION ALL
    SELECT reason, since, greatest(:now::timestamptz, since) FROM operator_live
    WHERE operator_id = :operator_id::bigint AND state = 'paused'
) AS i ON i.reason = k.code
GROUP BY k.code
ORDER BY k.place;

-- name: shift_times
-- Seconds in each state since then, the present state included.
SELECT state, sum(extract(epoch FROM ended_at - greatest(started_at, :since::timestamptz)))::float8 AS seconds
FROM (
    SELECT state, started_at, ended_at FROM operator_interval
    WHERE operator_id = :operator_id::bigint AND ended_at > :since::timestamptz AND started_at > :since::timestamptz - interval '1 day'
    UNION ALL
    SELECT state, since, greatest(:now::timestamptz, since) FROM operator_live WHERE operator_id = :operator_id::bigint
) AS i
GROUP BY state;

-- name: shift_work
-- Conversations, what they were, and how often a wrap-up was made longer.
SELECT
    (SELECT count(*) FROM attempt a WHERE a.operator_id = :operator_id::bigint AND a.outcome = 'connected'
        AND a.sent_at > :since::timestamptz) AS talks,
    count(*) AS saved, count(*) FILTER (WHERE d.result) AS results, count(*) FILTER (WHERE d.decision_maker) AS decision_makers,
    (SELECT count(*) FROM wrap_up_extension x WHERE x.operator_id = :operator_id::bigint AND x.at > :since::timestamptz) AS extensions
FROM disposition d
WHERE d.operator_id = :operator_id::bigint AND d.saved_at > :since::timestamptz;

-- name: shift_callbacks
-- Promises to be kept by this operator, the next one first.
SELECT k.id, k.campaign_id, campaign.name AS campaign, c.name AS contact, p.e164 AS phone, lane.zones, k.due_at, k.next_at, k.note
FROM callback k JOIN contact c ON c.id = k.contact_id JOIN lane ON lane.id = c.lane_id JOIN phone p ON p.id = k.phone_id
JOIN campaign ON campaign.id = k.campaign_id
WHERE k.operator_id = :operator_id::bigint AND k.state = 'pending'
ORDER BY k.next_at, k.id
LIMIT 50;

-- name: shift_extended
-- A wrap-up was made longer.
INSERT INTO wrap_up_extension (operator_id, attempt_id) VALUES (:operator_id::bigint, :attempt_id::uuid);

-- name: shift_promise
-- What decides whether a callback may be promised from this conversation, and how many others are due in that hour.
SELECT a.campaign_id, a.phone_id, lane.zones, lane.countries, (
    SELECT count(*) FROM callback k
    WHERE k.campaign_id = a.campaign_id AND k.state = 'pending' AND k.contact_id <> a.contact_id
        AND k.next_at >= date_trunc('hour', :due_at::timestamptz) AND k.next_at < date_trunc('hour', :due_at::timestamptz) + interval '1 hour'
    ) AS same_hour
FROM (
    SELECT campaign_id, contact_id, phone_id, operator_id FROM attempt_live WHERE attempt_id = :attempt_id::uuid
    UNION ALL
    SELECT campaign_id, contact_id, phone_id, operator_id FROM attempt WHERE attempt_id = :attempt_id::uuid
) AS a
JOIN contact c ON c.id = a.contact_id JOIN lane ON lane.id = c.lane_id
WHERE a.operator_id = :operator_id::bigint;

-- name: shift_move
-- The operator works in the team of this campaign from now on; no row if there is no such campaign or it is the same team.
UPDATE app_user u SET team_id = c.team_id FROM campaign c
WHERE u.id = :operator_id::bigint AND u.role = 'operator' AND c.id = :campaign_id::bigint AND u.team_id IS DISTINCT FROM c.team_id
RETURNING c.team_id, c.name AS campaign, u.language;
