-- Contacts as people see them.

-- name: contact_card
-- Whom an operator talks to, or looks at: only through an attempt or a preview that is, or just was, his.
SELECT a.attempt_id, a.campaign_id, campaign.name AS campaign, c.id AS contact_id, c.name, p.e164 AS phone, c.attributes, lane.zones,
    a.number, a.came_in, a.callback_id IS NOT NULL AS promised, d.code AS saved, draft.body AS draft, coalesce(s.brief, '') AS brief,
    coalesce(s.body, '{}') AS script, coalesce(s.version, 0) AS script_version,
    campaign.preview_calls AS calls_at_deadline
FROM (
    SELECT attempt_id, contact_id, campaign_id, phone_id, operator_id, number, callback_id, connected_at, came_in
    FROM attempt_live WHERE attempt_id = :attempt_id::uuid
    UNION ALL
    SELECT attempt_id, contact_id, campaign_id, phone_id, operator_id, number, callback_id, connected_at, came_in
    FROM attempt WHERE attempt_id = :attempt_id::uuid
    UNION ALL
    SELECT v.preview_id, v.contact_id, v.campaign_id, v.phone_id, v.operator_id, looked.attempts + 1,
        (SELECT k.id FROM callback k WHERE k.contact_id = v.contact_id AND k.state = 'pending'), NULL, false
    FROM preview v JOIN contact looked ON looked.id = v.contact_id WHERE v.preview_id = :attempt_id::uuid
) AS a
JOIN contact c ON c.id = a.contact_id
JOIN lane ON lane.id = c.lane_id
JOIN campaign ON campaign.id = a.campaign_id
JOIN phone p ON p.id = a.phone_id
LEFT JOIN disposition d ON d.attempt_id = a.attempt_id
LEFT JOIN draft ON draft.attempt_id = a.attempt_id
LEFT JOIN LATERAL (
    SELECT v.version, v.brief, v.body FROM script_version v
    WHERE v.campaign_id = a.campaign_id AND v.saved_at <= coalesce(a.connected_at, now())
    ORDER BY v.version DESC LIMIT 1
) AS s ON true
WHERE a.operator_id = :operator_id::bigint;

-- name: contact_history
-- What happened with this contact before, and with the one it was made of; calls of his that nobody took, too.
WITH RECURSIVE person AS (
    SELECT c.id, c.origin_id FROM contact c WHERE c.id = :contact_id::bigint
    UNION
    SELECT c.id, c.origin_id FROM person JOIN contact c ON c.id = person.origin_id
)
SELECT a.attempt_id, a.number, a.sent_at, a.outcome, u.name AS operator, d.code, d.note, a.came_in
FROM attempt a LEFT JOIN app_user u ON u.id = a.operator_id LEFT JOIN disposition d ON d.attempt_id = a.attempt_id
WHERE a.contact_id IN (SELECT id FROM person) AND a.attempt_id <> :attempt_id::uuid
UNION ALL
SELECT r.id, 0, r.came_at, 'missed', NULL, NULL, NULL, true
FROM return_call r WHERE r.contact_id IN (SELECT id FROM person) AND r.outcome = 'missed' AND r.id <> :attempt_id::uuid
ORDER BY sent_at DESC
LIMIT 50;

-- name: contact_facts
-- What the gate looks at for one contact, at each number that may be its turn: the present one first, or that one, then those
-- after it.
-- An infinite time stands for another reason (live, forbidden) or for none.
SELECT c.campaign_id, p.e164, lane.zones, c.counted,
    CASE WHEN isfinite(coalesce(k.next_at, c.next_at)) THEN coalesce(k.next_at, c.next_at) END AS next_at,
    CASE WHEN k.id IS NOT NULL THEN 'callback'
        ELSE (
            SELECT coalesce(d.code, t.outcome) FROM attempt t
            LEFT JOIN disposition d ON d.attempt_id = t.attempt_id AND d.attempt_id = c.decided_by
            WHERE t.contact_id = c.id ORDER BY t.sent_at DESC LIMIT 1
        ) END AS waits_after,
    k.id IS NOT NULL AS promised, c.closed_by, b.paused AS base_paused, b.by_hand, greatest(p.not_before, 'epoch') AS not_before,
    greatest(p.held_until, 'epoch') AS held_until,
    EXISTS (SELECT FROM operator_live o WHERE o.operator_id = k.operator_id AND o.state = 'ready') AS operator_held,
    EXISTS (SELECT FROM attempt_live l WHERE l.phone_id = p.id OR l.contact_id = c.id)
        OR looked.since IS NOT NULL AS live,
    coalesce(looked.by, '') AS looked_by, looked.since AS looked_since,
    ARRAY(
        SELECT d.scope FROM do_not_call d
        WHERE d.phone_id = p.id AND (d.scope = 'global' OR d.customer_id = campaign.customer_id OR d.campaign_id = campaign.id)
        UNION ALL
        SELECT 'national' FROM national_number n WHERE n.e164 = p.e164 AND n.list = ANY(:national_lists::text[])
    ) AS forbidden,
    (
        SELECT CASE WHEN bool_or(g.withdrawn_at IS NULL AND g.given_at > g.last_withdrawn_at
                AND g.given_at <= :now::timestamptz AND g.expires_at > :now::timestamptz)
            THEN 'valid' WHEN count(*) > 0 THEN 'over' END
        FROM (
            SELECT *, coalesce(max(withdrawn_at) OVER (), '-infinity') AS last_withdrawn_at FROM consent
            WHERE phone_id = p.id AND customer_id = campaign.customer_id AND purpose = campaign.purpose
        ) AS g
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
JOIN contact_phone this ON this.contact_id = c.id AND this.phone_id = coalesce(:phone_id::bigint, c.phone_id)
LEFT JOIN callback k ON k.contact_id = c.id AND k.state = 'pending'
JOIN contact_phone other ON other.contact_id = c.id
    AND (other.place = this.place OR (other.place > this.place AND NOT other.dead AND k.id IS NULL))
JOIN phone p ON p.id = other.phone_id
LEFT JOIN LATERAL (
    SELECT u.name AS by, v.offered_at AS since FROM preview v LEFT JOIN app_user u ON u.id = v.operator_id
    WHERE v.phone_id = p.id OR v.contact_id = c.id
    ORDER BY v.offered_at LIMIT 1
) AS looked ON true
WHERE c.id = :contact_id::bigint
ORDER BY other.place;

-- name: contact_of_number
-- The contacts of a campaign that have this number, those that may still be called first; who they are and what was said last.
SELECT c.id, cp.phone_id, c.name, c.state, c.counted, base.name AS base, base.by_hand, lane.zones,
    last.sent_at AS last_at, last.outcome AS last_outcome, last.code AS last_code
FROM phone p JOIN contact_phone cp ON cp.phone_id = p.id JOIN contact c ON c.id = cp.contact_id
JOIN lane ON lane.id = c.lane_id JOIN base ON base.id = c.base_id
LEFT JOIN LATERAL (
    SELECT a.sent_at, a.outcome, d.code FROM attempt a LEFT JOIN disposition d USING (attempt_id)
    WHERE a.contact_id = c.id ORDER BY a.sent_at DESC LIMIT 1
) AS last ON true
WHERE p.e164 = :e164::text AND c.campaign_id = :campaign_id::bigint
ORDER BY c.state DESC, c.id
LIMIT 20;

-- name: contact_lane
-- What decides when a contact may be called, and under whose rules.
SELECT c.lane_id AS id, lane.zones, lane.countries, b.paused
FROM contact c JOIN lane ON lane.id = c.lane_id JOIN base b ON b.id = c.base_id WHERE c.id = :contact_id::bigint;

-- name: contact_manual
-- For which campaigns an operator may dial by hand now.
SELECT c.id FROM campaign c JOIN app_user u ON u.team_id = c.team_id
WHERE u.id = :operator_id::bigint AND c.manual AND c.state = 'running' ORDER BY c.name;

-- name: contact_campaign
-- Whose contact it is, and of which countries its numbers are.
SELECT c.campaign_id, lane.countries FROM contact c JOIN lane ON lane.id = c.lane_id WHERE c.id = :contact_id::bigint;

-- name: contact_lists_too_old
-- Whether a national list is older than the profile allows, or was never imported.
SELECT coalesce(min(coalesce(n.imported_at, '-infinity')) < :now::timestamptz - :list_max_age::interval, false)
FROM unnest(:national_lists::text[]) AS wanted (name) LEFT JOIN national_list n USING (name);

-- name: contact_why_plan
-- The counts below read whole bases. Their planner does not know how many of a million numbers rest, are forbidden or agreed;
-- where it takes them for one, it would go through them once for each contact. Joined by hash, each is read once.
SET LOCAL enable_nestloop = off;

-- name: contact_why_memory
-- A base's hash tables without files.
SET LOCAL work_mem = '64MB';

-- name: contact_why_counts
-- Every contact of these lanes under the first reason that holds it back, in the gate's order; those without one are next in
-- line. With the first moment at which that reason passes for one of them. Asked about is the contact's present number, or
-- where that is refused for what it is, the next one that is not. What holds for the whole campaign, and when lanes open,
-- the caller knows. Most numbers have nothing against them: ``number`` holds the others, and each contact is looked up in it
-- once.
WITH every AS (
    SELECT p.id AS phone_id, CASE WHEN NOT p.e164 ^@ ANY(:allow::text[]) THEN 'number_not_allowed' END AS refused,
        p.not_before AS rests_until, p.held_until, NULL::timestamptz AS day_until, NULL::timestamptz AS days7_until,
        NULL::timestamptz AS days30_until, NULL::timestamptz AS said_until, NULL::boolean AS live, NULL::boolean AS agreed
    FROM phone p
    WHERE p.not_before > :now::timestamptz OR p.held_until > :now::timestamptz OR NOT p.e164 ^@ ANY(:allow::text[])
    UNION ALL
    SELECT p.id, 'number_not_allowed', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM unnest(:deny::text[]) AS never (prefix) JOIN phone p ON p.e164 >= never.prefix AND p.e164 < never.prefix || ':'
    UNION ALL
    SELECT d.phone_id, 'do_not_call', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM do_not_call d WHERE d.scope = 'global' OR d.customer_id = :customer_id::bigint OR d.campaign_id = :campaign_id::bigint
    UNION ALL
    SELECT p.id, 'do_not_call', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM national_number n JOIN phone p USING (e164) WHERE n.list = ANY(:national_lists::text[])
    UNION ALL
    SELECT g.phone_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, bool_or(g.stands)
    FROM (
        SELECT phone_id, withdrawn_at IS NULL AND given_at <= :now::timestamptz AND expires_at > :now::timestamptz
            AND given_at > coalesce(max(withdrawn_at) OVER (PARTITION BY phone_id), '-infinity') AS stands
        FROM consent WHERE customer_id = :customer_id::bigint AND purpose = :purpose::text
    ) AS g
    GROUP BY g.phone_id HAVING :consent_needed::boolean OR NOT bool_or(g.stands)
    UNION ALL
    SELECT d.phone_id, NULL, d.sent[1] + :min_gap::interval, NULL, d.sent[:per_day::integer] + interval '24 hours',
        d.sent[:per_7_days::integer] + interval '168 hours', d.sent[:per_30_days::integer] + interval '720 hours', NULL, NULL, NULL
    FROM (
        SELECT t.phone_id, array_agg(t.sent_at ORDER BY t.sent_at DESC) AS sent
        FROM attempt t
        WHERE t.sent_at > :now::timestamptz - interval '720 hours'
            AND (t.counts OR t.rang_at IS NOT NULL OR t.answered_at IS NOT NULL)
        GROUP BY t.phone_id
    ) AS d
    UNION ALL
    SELECT r.phone_id, NULL, NULL, NULL, NULL, NULL, NULL, greatest(r.rests_until, r.said_at + own.rests_for), NULL, NULL
    FROM disposition_rest r
    LEFT JOIN unnest(:after_classes::text[], :after_for::interval[]) AS own (class, rests_for) USING (class)
    WHERE r.customer_id = :customer_id::bigint
    UNION ALL
    SELECT l.phone_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, true, NULL FROM attempt_live l
    UNION ALL
    SELECT v.phone_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, true, NULL FROM preview v
), number AS MATERIALIZED (
    SELECT phone_id, min(refused) AS refused, max(rests_until) AS rests_until, max(held_until) AS held_until,
        max(day_until) AS day_until, max(days7_until) AS days7_until, max(days30_until) AS days30_until,
        max(said_until) AS said_until, bool_or(live) AS live, bool_or(agreed) AS agreed
    FROM every GROUP BY phone_id
), promise AS MATERIALIZED (
    SELECT k.contact_id, k.next_at,
        EXISTS (SELECT FROM operator_live o WHERE o.operator_id = k.operator_id AND o.state = 'ready') AS operator_held
    FROM callback k WHERE k.campaign_id = :campaign_id::bigint AND k.state = 'pending'
), stuck AS MATERIALIZED (
    SELECT c.id, c.phone_id
    FROM contact c LEFT JOIN number n ON n.phone_id = c.phone_id LEFT JOIN promise k ON k.contact_id = c.id
    WHERE c.lane_id = ANY(:lanes::bigint[]) AND c.state = 'open' AND k.contact_id IS NULL
        AND (n.refused IS NOT NULL OR NOT coalesce(n.agreed, NOT :consent_needed::boolean))
), spare AS MATERIALIZED (
    SELECT DISTINCT ON (other.contact_id) other.contact_id, other.phone_id
    FROM stuck
    JOIN contact_phone other ON other.contact_id = stuck.id AND other.place > 1 AND NOT other.dead
    JOIN contact_phone this ON this.contact_id = stuck.id AND this.phone_id = stuck.phone_id AND this.place < other.place
    LEFT JOIN number m ON m.phone_id = other.phone_id
    WHERE m.refused IS NULL AND coalesce(m.agreed, NOT :consent_needed::boolean)
    ORDER BY other.contact_id, other.place
), judged AS (
    SELECT n.said_until, n.days30_until, n.days7_until, n.day_until, n.held_until, n.rests_until, w.opens_at,
        coalesce(k.next_at, c.next_at) AS next_at,
        CASE
            WHEN n.refused IS NOT NULL THEN n.refused
            WHEN NOT coalesce(n.agreed, NOT :consent_needed::boolean) THEN 'no_consent'
            WHEN :whole_campaign::text IS NOT NULL THEN :whole_campaign::text
            WHEN w.paused THEN 'base_paused'
            WHEN n.live OR l.contact_id IS NOT NULL OR c.id IN (SELECT v.contact_id FROM preview v) THEN 'live_attempt'
            WHEN c.counted >= :attempts_max::integer AND k.contact_id IS NULL THEN 'attempts_used_up'
            WHEN n.said_until > :now::timestamptz THEN 'after_disposition'
            WHEN n.days30_until > :now::timestamptz THEN 'per_30_days'
            WHEN n.days7_until > :now::timestamptz THEN 'per_7_days'
            WHEN n.day_until > :now::timestamptz THEN 'per_day'
            WHEN n.held_until > :now::timestamptz AND k.operator_held IS NOT TRUE AND NOT :chosen::boolean THEN 'after_abandon'
            WHEN n.rests_until > :now::timestamptz THEN 'phone_resting'
            WHEN coalesce(k.next_at, c.next_at) > :now::timestamptz THEN 'not_due'
            WHEN w.by_hand AND k.contact_id IS NULL THEN 'by_hand'
            WHEN w.opens_at IS NULL THEN 'no_window'
            WHEN w.opens_at > :now::timestamptz THEN 'outside_window'
            ELSE 'next'
        END AS reason
    FROM contact c
    LEFT JOIN spare s ON s.contact_id = c.id
    LEFT JOIN number n ON n.phone_id = coalesce(s.phone_id, c.phone_id)
    LEFT JOIN promise k ON k.contact_id = c.id
    LEFT JOIN attempt_live l ON l.contact_id = c.id
    JOIN unnest(:lanes::bigint[], :paused::boolean[], :by_hand::boolean[], :opens_at::timestamptz[])
        AS w (lane_id, paused, by_hand, opens_at)
        ON w.lane_id = c.lane_id
    WHERE c.state = 'open'
)
SELECT reason, count(*) AS contacts, CASE WHEN isfinite(min(until)) THEN min(until) END AS until
FROM (
    SELECT j.reason,
        CASE j.reason WHEN 'after_disposition' THEN j.said_until WHEN 'per_30_days' THEN j.days30_until
            WHEN 'per_7_days' THEN j.days7_until WHEN 'per_day' THEN j.day_until WHEN 'after_abandon' THEN j.held_until
            WHEN 'phone_resting' THEN j.rests_until WHEN 'not_due' THEN j.next_at WHEN 'outside_window' THEN j.opens_at
        END AS until
    FROM judged j
) AS timed
GROUP BY reason
UNION ALL
SELECT 'closed', count(*), NULL FROM contact c WHERE c.lane_id = ANY(:lanes::bigint[]) AND c.state = 'closed' HAVING count(*) > 0
ORDER BY reason;

-- name: contact_lanes
-- All lanes of a campaign, or of one base, those of paused bases too.
SELECT lane.id, lane.zones, lane.countries, base.paused, base.by_hand
FROM lane JOIN base ON base.id = lane.base_id
WHERE lane.campaign_id = :campaign_id::bigint AND (:base_id::bigint IS NULL OR base.id = :base_id::bigint)
ORDER BY lane.id;

-- name: contact_base_campaign
-- Whose base it is.
SELECT campaign_id FROM base WHERE id = :base_id::bigint;
