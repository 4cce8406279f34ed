-- Why campaigns dialled as they did, and what pacing learned.

-- name: pacing_keep
-- The minutes that are over; a minute told twice (after a restart within it) keeps what came last.
INSERT INTO pacing_minute (campaign_id, minute, decided_at, calls, target, reason, sentence, inputs, decisions, placed, reasons)
SELECT n.campaign_id, n.minute, n.decided_at, n.calls, n.target, n.reason, n.sentence, n.inputs, n.decisions, n.placed, n.reasons
FROM unnest(:campaigns::bigint[], :minutes::timestamptz[], :decided_at::timestamptz[], :calls::integer[], :targets::integer[],
        :reasons::text[], :sentences::jsonb[], :inputs::jsonb[], :decisions::integer[], :placed::integer[], :counts::jsonb[])
    AS n (campaign_id, minute, decided_at, calls, target, reason, sentence, inputs, decisions, placed, reasons)
JOIN campaign c ON c.id = n.campaign_id
ON CONFLICT (campaign_id, minute) DO UPDATE
SET decided_at = excluded.decided_at, calls = excluded.calls, target = excluded.target, reason = excluded.reason,
    sentence = excluded.sentence, inputs = excluded.inputs, decisions = excluded.decisions, placed = excluded.placed,
    reasons = excluded.reasons;

-- name: pacing_forget
-- A day is kept.
DELETE FROM pacing_minute WHERE campaign_id = ANY(:campaigns::bigint[]) AND minute < :before::timestamptz;

-- name: pacing_learned_keep
-- Whole states, by campaign and by team.
INSERT INTO pacing_learned (of_kind, of_id, state, saved_at)
SELECT n.of_kind, n.of_id, n.state, :saved_at::timestamptz
FROM unnest(:kinds::text[], :ids::bigint[], :states::jsonb[]) AS n (of_kind, of_id, state)
ON CONFLICT (of_kind, of_id) DO UPDATE SET state = excluded.state, saved_at = excluded.saved_at;

-- name: pacing_learned
-- What this campaign or team had learned.
SELECT state FROM pacing_learned WHERE of_kind = :of_kind::text AND of_id = :of_id::bigint;

-- name: pacing_minutes
-- The minutes of a campaign, the oldest first.
SELECT campaign_id, minute, decided_at, calls, target, reason, sentence, inputs, decisions, placed, reasons
FROM pacing_minute
WHERE campaign_id = :campaign_id::bigint AND minute >= :since::timestamptz AND minute < :until::timestamptz
ORDER BY minute;

-- name: pacing_exceptions
-- Abandons that no bound can prevent, and rings we ended early, since a window began. Lost on a phone: some operator of the
-- team had lost the phone between ready and ringing while the callee was on the line.
SELECT count(*) FILTER (WHERE a.legal_abandoned AND a.ended_by = 'switch_restart') AS switch_died,
    count(*) FILTER (WHERE a.legal_abandoned AND a.ended_by = 'lost') AS engine_died,
    count(*) FILTER (WHERE a.legal_abandoned AND a.ended_by NOT IN ('switch_restart', 'lost') AND EXISTS (
        SELECT FROM operator_interval i JOIN app_user u ON u.id = i.operator_id JOIN campaign c ON c.id = a.campaign_id
        WHERE i.state = 'ready' AND u.team_id = c.team_id AND i.ended_at BETWEEN a.sent_at AND a.ended_at
            AND EXISTS (SELECT FROM operator_interval r WHERE r.session_id = i.session_id AND r.state = 'ringing'
                AND r.started_at = i.ended_at))) AS phone_lost,
    count(*) FILTER (WHERE a.outcome = 'unknown' AND NOT a.legal_answered) AS unseen,
    count(*) FILTER (WHERE a.outcome = 'cancelled') AS cut,
    count(*) FILTER (WHERE a.outcome = 'cancelled' AND a.rang_at IS NOT NULL
        AND a.ended_at - a.rang_at < make_interval(secs => :short_ring_s::float8)) AS cut_short
FROM attempt a
WHERE a.campaign_id = :campaign_id::bigint AND a.sent_at >= :since::timestamptz;
