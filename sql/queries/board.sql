-- What the live board shows beside the engine's own state: the last hour, what is left, promises, trunks, who changed what.

-- name: board_minutes
-- Connected and abandoned calls of the last hour by the minute they ended in; an attempt is ended within an hour of its start.
SELECT campaign_id, date_trunc('minute', ended_at) AS minute,
    count(*) FILTER (WHERE outcome = 'connected') AS connected,
    count(*) FILTER (WHERE legal_abandoned) AS abandoned
FROM attempt
WHERE sent_at > :since::timestamptz - interval '1 hour' AND ended_at >= :since::timestamptz
GROUP BY campaign_id, minute;

-- name: board_left
-- Contacts that may still be called, how many were closed in the last hour and since when: when a base ends.
SELECT c.id AS campaign_id,
    (SELECT count(*) FROM contact o JOIN base b ON b.id = o.base_id WHERE o.campaign_id = c.id AND o.state = 'open' AND NOT b.by_hand)
        AS left,
    lately.closed,
    coalesce(extract(epoch FROM :now::timestamptz - lately.first_at), 0)::float8 AS over_s
FROM campaign AS c
CROSS JOIN LATERAL (
    SELECT count(*) AS closed, min(closed_at) AS first_at
    FROM contact WHERE campaign_id = c.id AND state = 'closed' AND closed_at >= :since::timestamptz
) AS lately
WHERE c.state IN ('running', 'paused');

-- name: board_callbacks
-- Promises that are due soon, those that are late already, and those to people who called back and found nobody.
SELECT campaign_id,
    count(*) FILTER (WHERE next_at >= :now::timestamptz AND next_at < :soon::timestamptz) AS due,
    count(*) FILTER (WHERE due_at < :late::timestamptz) AS late,
    count(*) FILTER (WHERE urgent) AS urgent
FROM callback
WHERE state = 'pending' AND next_at < :soon::timestamptz
GROUP BY campaign_id;

-- name: board_trunks
-- Lines to carriers with what they carry now.
SELECT t.name, t.kind, t.max_channels, t.calls_per_s, count(a.attempt_id) AS lines
FROM trunk AS t
LEFT JOIN campaign AS c ON c.trunk_id = t.id
LEFT JOIN attempt_live AS a ON a.campaign_id = c.id
GROUP BY t.id
ORDER BY t.name;

-- name: board_crew
-- Whose operators are on shift.
SELECT operator_id, team_id FROM operator_live;

-- name: board_settings
-- How each campaign is steered now, and who changed something in it last.
SELECT c.id AS campaign_id, c.team_id, c.customer_id, c.cap_permille, c.target_permille, c.caution, c.max_lines_per_operator, c.budget_mode,
    last.at AS changed_at, last.action AS changed_action, coalesce(u.name, '') AS changed_by
FROM campaign AS c
LEFT JOIN LATERAL (
    SELECT a.at, a.action, a.user_id FROM audit AS a WHERE a.object = 'campaign:' || c.id ORDER BY a.at DESC LIMIT 1
) AS last ON true
LEFT JOIN app_user AS u ON u.id = last.user_id
WHERE c.state <> 'draft'
ORDER BY c.id;
