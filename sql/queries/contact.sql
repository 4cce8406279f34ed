-- Contacts as people see them.

-- name: contact_card
-- Whom an operator talks to: only through an attempt that is, or just was, his.
SELECT a.attempt_id, a.campaign_id, campaign.name AS campaign, c.id AS contact_id, c.name, p.e164 AS phone, c.attributes, lane.zones,
    a.number, a.callback_id IS NOT NULL AS promised, d.code AS saved, draft.body AS draft, coalesce(s.brief, '') AS brief,
    coalesce(s.body, '{}') AS script
FROM (
    SELECT attempt_id, contact_id, campaign_id, phone_id, operator_id, number, callback_id
    FROM attempt_live WHERE attempt_id = :attempt_id::uuid
    UNION ALL
    SELECT attempt_id, contact_id, campaign_id, phone_id, operator_id, number, callback_id
    FROM attempt WHERE attempt_id = :attempt_id::uuid
) AS a
JOIN contact c ON c.id = a.contact_id
JOIN lane ON lane.id = c.lane_id
JOIN campaign ON campaign.id = a.campaign_id
JOIN phone p ON p.id = a.phone_id
LEFT JOIN disposition d ON d.attempt_id = a.attempt_id
LEFT JOIN draft ON draft.attempt_id = a.attempt_id
LEFT JOIN campaign_script s ON s.campaign_id = a.campaign_id
WHERE a.operator_id = :operator_id::bigint;

-- name: contact_history
-- What happened with this contact before.
SELECT a.attempt_id, a.number, a.sent_at, a.outcome, u.name AS operator, d.code, d.note
FROM attempt a LEFT JOIN app_user u ON u.id = a.operator_id LEFT JOIN disposition d ON d.attempt_id = a.attempt_id
WHERE a.contact_id = :contact_id::bigint AND a.attempt_id <> :attempt_id::uuid
ORDER BY a.sent_at DESC
LIMIT 50;

-- name: contact_facts
-- What the gate looks at for one contact, at each number that may be its turn: the present one first, then those after it.
-- An infinite time stands for another reason (live, forbidden) or for none.
SELECT c.campaign_id, p.e164, lane.zones, c.counted,
    CASE WHEN isfinite(coalesce(k.next_at, c.next_at)) THEN coalesce(k.next_at, c.next_at) END AS next_at,
    CASE WHEN k.id IS NOT NULL THEN 'callback'
        ELSE (
            SELECT coalesce(d.code, t.outcome) FROM attempt t
            LEFT JOIN disposition d ON d.attempt_id = t.attempt_id AND d.attempt_id = c.decided_by
            WHERE t.contact_id = c.id ORDER BY t.sent_at DESC LIMIT 1
        ) END AS waits_after,
    k.id IS NOT NULL AS promised, c.closed_by, b.paused AS base_paused, greatest(p.not_before, 'epoch') AS not_before,
    greatest(p.held_until, 'epoch') AS held_until,
    EXISTS (SELECT FROM operator_live o WHERE o.operator_id = k.operator_id AND o.state = 'ready') AS operator_held,
    EXISTS (SELECT FROM attempt_live l WHERE l.phone_id = p.id OR l.contact_id = c.id) AS live,
    ARRAY(
        SELECT d.scope FROM do_not_call d
        WHERE d.phone_id = p.id AND (d.scope = 'global' OR d.customer_id = campaign.customer_id OR d.campaign_id = campaign.id)
        UNION ALL
        SELECT 'national' FROM national_number n WHERE n.e164 = p.e164 AND n.list = ANY(:national_lists::text[])
    ) AS forbidden,
    (
        SELECT CASE WHEN bool_or(g.withdrawn_at IS NULL AND g.given_at <= :now::timestamptz AND g.expires_at > :now::timestamptz)
            THEN 'valid' WHEN count(*) > 0 THEN 'over' END
        FROM consent g
        WHERE g.phone_id = p.id AND g.customer_id = campaign.customer_id AND g.purpose = campaign.purpose
    ) AS consent,
    ARRAY(
        SELECT t.sent_at FROM attempt t
        WHERE t.phone_id = p.id AND t.sent_at > :now::timestamptz - interval '720 hours'
            AND (t.counts OR t.rang_at IS NOT NULL OR t.answered_at IS NOT NULL)
        ORDER BY t.sent_at
    ) AS phone_sent,
    ARRAY(SELECT r.class FROM disposition_rest r WHERE r.phone_id = p.id AND r.customer_id = campaign.customer_id ORDER BY r.class)
        AS said,
    ARRAY(SELECT r.said_at FROM disposition_rest r WHERE r.phone_id = p.id AND r.customer_id = campaign.customer_id ORDER BY r.class)
        AS said_at,
    ARRAY(SELECT r.rests_until FROM disposition_rest r WHERE r.phone_id = p.id AND r.customer_id = campaign.customer_id ORDER BY r.class)
        AS said_until
FROM contact c JOIN lane ON lane.id = c.lane_id JOIN base b ON b.id = c.base_id JOIN campaign ON campaign.id = c.campaign_id
JOIN contact_phone this ON this.contact_id = c.id AND this.phone_id = c.phone_id
LEFT JOIN callback k ON k.contact_id = c.id AND k.state = 'pending'
JOIN contact_phone other ON other.contact_id = c.id
    AND (other.place = this.place OR (other.place > this.place AND NOT other.dead AND k.id IS NULL))
JOIN phone p ON p.id = other.phone_id
WHERE c.id = :contact_id::bigint
ORDER BY other.place;

-- name: contact_campaign
-- Whose contact it is.
SELECT campaign_id FROM contact WHERE id = :contact_id::bigint;

-- name: contact_lists_too_old
-- Whether a national list is older than the profile allows, or was never imported.
SELECT coalesce(min(coalesce(n.imported_at, '-infinity')) < :now::timestamptz - :list_max_age::interval, false)
FROM unnest(:national_lists::text[]) AS wanted (name) LEFT JOIN national_list n USING (name);

-- name: contact_why_counts
-- Every contact of a campaign, or of one base, under the first reason that holds it back, in the gate's order; those
-- without one are next in line. With the first moment at which that reason passes for one of them. What holds for the
-- whole campaign, and when lanes open, the caller knows.
WITH mine AS (
    SELECT c.id, c.state, c.lane_id, c.counted, c.phone_id, b.paused, k.id AS callback_id, k.operator_id,
        coalesce(k.next_at, c.next_at) AS next_at
    FROM contact c JOIN base b ON b.id = c.base_id LEFT JOIN callback k ON k.contact_id = c.id AND k.state = 'pending'
    WHERE c.campaign_id = :campaign_id::bigint AND (:base_id::bigint IS NULL OR c.base_id = :base_id::bigint)
), asked AS (
    SELECT m.id AS contact_id, other.place, p.id AS phone_id, p.not_before, p.held_until,
        CASE
            WHEN p.id IN (
                SELECT d.phone_id FROM do_not_call d
                WHERE d.scope = 'global' OR d.customer_id = :customer_id::bigint OR d.campaign_id = :campaign_id::bigint
            ) OR EXISTS (SELECT FROM national_number n WHERE n.e164 = p.e164 AND n.list = ANY(:national_lists::text[]))
            THEN 'do_not_call'
            WHEN NOT p.e164 ^@ ANY(:allow::text[]) OR p.e164 ^@ ANY(:deny::text[]) THEN 'number_not_allowed'
            WHEN p.id IN (
                SELECT g.phone_id FROM consent g
                WHERE g.customer_id = :customer_id::bigint AND g.purpose = :purpose::text AND g.withdrawn_at IS NULL
                    AND g.given_at <= :now::timestamptz AND g.expires_at > :now::timestamptz
            ) THEN NULL
            WHEN :consent_needed::boolean OR p.id IN (
                SELECT g.phone_id FROM consent g WHERE g.customer_id = :customer_id::bigint AND g.purpose = :purpose::text
            ) THEN 'no_consent'
        END AS hopeless
    FROM mine m
    JOIN contact_phone this ON this.contact_id = m.id AND this.phone_id = m.phone_id
    JOIN contact_phone other ON other.contact_id = m.id
        AND (other.place = this.place OR (other.place > this.place AND NOT other.dead AND m.callback_id IS NULL))
    JOIN phone p ON p.id = other.phone_id
    WHERE m.state = 'open'
), chosen AS (
    SELECT DISTINCT ON (contact_id) * FROM asked ORDER BY contact_id, hopeless IS NOT NULL, place
), dialled AS (
    SELECT t.phone_id, array_agg(t.sent_at ORDER BY t.sent_at DESC) AS sent
    FROM attempt t
    WHERE t.sent_at > :now::timestamptz - interval '720 hours' AND (t.counts OR t.rang_at IS NOT NULL OR t.answered_at IS NOT NULL)
        AND t.phone_id IN (SELECT phone_id FROM chosen)
    GROUP BY t.phone_id
), said AS (
    SELECT r.phone_id, max(greatest(r.rests_until, r.said_at + own.rests_for)) AS until
    FROM disposition_rest r
    LEFT JOIN unnest(:after_classes::text[], :after_for::interval[]) AS own (class, rests_for) USING (class)
    WHERE r.customer_id = :customer_id::bigint
    GROUP BY r.phone_id
), known AS (
    SELECT m.*, n.hopeless, s.until AS said_until, l.phone_id IS NOT NULL OR mine_live.contact_id IS NOT NULL AS live,
        CASE WHEN NOT EXISTS (SELECT FROM operator_live o WHERE o.operator_id = m.operator_id AND o.state = 'ready')
            THEN n.held_until END AS held_until,
        greatest(n.not_before, d.sent[1] + :min_gap::interval) AS rests_until,
        d.sent[:per_day::integer] + interval '24 hours' AS day_until,
        d.sent[:per_7_days::integer] + interval '168 hours' AS days7_until,
        d.sent[:per_30_days::integer] + interval '720 hours' AS days30_until,
        w.opens_at
    FROM mine m
    LEFT JOIN chosen n ON n.contact_id = m.id
    LEFT JOIN dialled d ON d.phone_id = n.phone_id
    LEFT JOIN said s ON s.phone_id = n.phone_id
    LEFT JOIN attempt_live l ON l.phone_id = n.phone_id
    LEFT JOIN attempt_live mine_live ON mine_live.contact_id = m.id
    LEFT JOIN unnest(:lanes::bigint[], :opens_at::timestamptz[]) AS w (lane_id, opens_at) ON w.lane_id = m.lane_id
), judged AS (
    SELECT k.*,
        CASE
            WHEN k.state = 'closed' THEN 'closed'
            WHEN k.hopeless IS NOT NULL THEN k.hopeless
            WHEN :whole_campaign::text IS NOT NULL THEN :whole_campaign::text
            WHEN k.paused THEN 'base_paused'
            WHEN k.live THEN 'live_attempt'
            WHEN k.counted >= :attempts_max::integer AND k.callback_id IS NULL THEN 'attempts_used_up'
            WHEN k.said_until > :now::timestamptz THEN 'after_disposition'
            WHEN k.days30_until > :now::timestamptz THEN 'per_30_days'
            WHEN k.days7_until > :now::timestamptz THEN 'per_7_days'
            WHEN k.day_until > :now::timestamptz THEN 'per_day'
            WHEN k.held_until > :now::timestamptz THEN 'after_abandon'
            WHEN k.rests_until > :now::timestamptz THEN 'phone_resting'
            WHEN k.next_at > :now::timestamptz THEN 'not_due'
            WHEN k.opens_at IS NULL THEN 'no_window'
            WHEN k.opens_at > :now::timestamptz THEN 'outside_window'
            ELSE 'next'
        END AS reason
    FROM known k
), timed AS (
    SELECT j.reason,
        CASE j.reason WHEN 'after_disposition' THEN j.said_until WHEN 'per_30_days' THEN j.days30_until WHEN 'per_7_days' THEN j.days7_until WHEN 'per_day' THEN j.day_until
            WHEN 'after_abandon' THEN j.held_until WHEN 'phone_resting' THEN j.rests_until WHEN 'not_due' THEN j.next_at
            WHEN 'outside_window' THEN j.opens_at END AS until
    FROM judged j
)
SELECT reason, count(*) AS contacts, CASE WHEN isfinite(min(until)) THEN min(until) END AS until FROM timed GROUP BY reason ORDER BY reason;

-- name: contact_lanes
-- All lanes of a campaign, those of paused bases too.
SELECT id, zones FROM lane WHERE campaign_id = :campaign_id::bigint;

-- name: contact_base_campaign
-- Whose base it is.
SELECT campaign_id FROM base WHERE id = :base_id::bigint;
