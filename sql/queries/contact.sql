-- Contacts as people see them.

-- name: contact_card
-- Whom an operator talks to: only through an attempt that is, or just was, his.
SELECT a.attempt_id, a.campaign_id, campaign.name AS campaign, c.id AS contact_id, c.name, p.e164 AS phone, c.attributes, lane.zones,
    a.number, d.code AS saved, draft.body AS draft
FROM (
    SELECT attempt_id, contact_id, campaign_id, phone_id, operator_id, number FROM attempt_live WHERE attempt_id = :attempt_id::uuid
    UNION ALL
    SELECT attempt_id, contact_id, campaign_id, phone_id, operator_id, number FROM attempt WHERE attempt_id = :attempt_id::uuid
) AS a
JOIN contact c ON c.id = a.contact_id
JOIN lane ON lane.id = c.lane_id
JOIN campaign ON campaign.id = a.campaign_id
JOIN phone p ON p.id = a.phone_id
LEFT JOIN disposition d ON d.attempt_id = a.attempt_id
LEFT JOIN draft ON draft.attempt_id = a.attempt_id
WHERE a.operator_id = :operator_id::bigint;

-- name: contact_history
-- What happened with this contact before.
SELECT a.attempt_id, a.number, a.sent_at, a.outcome, u.name AS operator, d.code, d.note
FROM attempt a LEFT JOIN app_user u ON u.id = a.operator_id LEFT JOIN disposition d ON d.attempt_id = a.attempt_id
WHERE a.contact_id = :contact_id::bigint AND a.attempt_id <> :attempt_id::uuid
ORDER BY a.sent_at DESC
LIMIT 50;

-- name: contact_facts
-- What the gate looks at for one contact; an infinite time stands for another reason (live, forbidden) or for none.
SELECT c.campaign_id, lane.zones, c.counted, CASE WHEN isfinite(coalesce(k.next_at, c.next_at)) THEN coalesce(k.next_at, c.next_at) END
    AS next_at, k.id IS NOT NULL AS promised, c.closed_by,
    b.paused AS base_paused, greatest(p.not_before, 'epoch') AS not_before,
    EXISTS (SELECT FROM attempt_live l WHERE l.phone_id = c.phone_id OR l.contact_id = c.id) AS live,
    ARRAY(
        SELECT d.scope FROM do_not_call d JOIN campaign ON campaign.id = c.campaign_id
        WHERE d.phone_id = c.phone_id
            AND (d.scope = 'global' OR d.customer_id = campaign.customer_id OR d.campaign_id = campaign.id)
    ) AS forbidden,
    ARRAY(
        SELECT t.sent_at FROM attempt t
        WHERE t.phone_id = c.phone_id AND t.sent_at > :now::timestamptz - interval '720 hours'
            AND (t.counts OR t.rang_at IS NOT NULL OR t.answered_at IS NOT NULL)
        ORDER BY t.sent_at
    ) AS phone_sent
FROM contact c JOIN lane ON lane.id = c.lane_id JOIN base b ON b.id = c.base_id JOIN phone p ON p.id = c.phone_id
LEFT JOIN callback k ON k.contact_id = c.id AND k.state = 'pending'
WHERE c.id = :contact_id::bigint;

-- name: contact_why_counts
-- Every contact of a campaign under the first reason that holds it back, in the gate's order; those without one are next in
-- line. What holds for the whole campaign, and which lanes are open, the caller knows.
WITH judged AS (
    SELECT
        CASE
            WHEN c.state = 'closed' THEN 'closed'
            WHEN EXISTS (
                SELECT FROM do_not_call d
                WHERE d.phone_id = c.phone_id
                    AND (d.scope = 'global' OR d.customer_id = :customer_id::bigint OR d.campaign_id = c.campaign_id)
            ) THEN 'do_not_call'
            WHEN :whole_campaign::text IS NOT NULL THEN :whole_campaign::text
            WHEN b.paused THEN 'base_paused'
            WHEN EXISTS (SELECT FROM attempt_live l WHERE l.phone_id = c.phone_id OR l.contact_id = c.id) THEN 'live_attempt'
            WHEN c.counted >= :attempts_max::integer AND k.id IS NULL THEN 'attempts_used_up'
            WHEN (
                SELECT count(*) FROM attempt t
                WHERE t.phone_id = c.phone_id AND t.sent_at > :now::timestamptz - interval '720 hours'
                    AND (t.counts OR t.rang_at IS NOT NULL OR t.answered_at IS NOT NULL)
            ) >= :per_30_days::integer THEN 'per_30_days'
            WHEN (
                SELECT count(*) FROM attempt t
                WHERE t.phone_id = c.phone_id AND t.sent_at > :now::timestamptz - interval '24 hours'
                    AND (t.counts OR t.rang_at IS NOT NULL OR t.answered_at IS NOT NULL)
            ) >= :per_day::integer THEN 'per_day'
            WHEN p.not_before > :now::timestamptz OR EXISTS (
                SELECT FROM attempt t
                WHERE t.phone_id = c.phone_id AND t.sent_at > :now::timestamptz - :min_gap::interval
                    AND (t.counts OR t.rang_at IS NOT NULL OR t.answered_at IS NOT NULL)
            ) THEN 'phone_resting'
            WHEN coalesce(k.next_at, c.next_at) > :now::timestamptz THEN 'not_due'
            WHEN c.lane_id = ANY(:never_lanes::bigint[]) THEN 'no_window'
            WHEN c.lane_id <> ALL(:open_lanes::bigint[]) THEN 'outside_window'
            ELSE 'next'
        END AS reason
    FROM contact c JOIN phone p ON p.id = c.phone_id JOIN base b ON b.id = c.base_id
    LEFT JOIN callback k ON k.contact_id = c.id AND k.state = 'pending'
    WHERE c.campaign_id = :campaign_id::bigint
)
SELECT reason, count(*) AS contacts FROM judged GROUP BY reason ORDER BY reason;

-- name: contact_lanes
-- All lanes of a campaign, those of paused bases too.
SELECT id, zones FROM lane WHERE campaign_id = :campaign_id::bigint;
