-- The gate: contacts on their way to being dialled.

-- name: claim_lanes
-- What a claim may look at: the lanes of the campaign that are not paused. The caller sorts out whose windows are open. Of
-- numbers dialled by hand only the promised ones are called.
SELECT lane.id, lane.zones, lane.countries, base.by_hand, base.priority * 10 + lane.priority AS priority
FROM lane JOIN base ON base.id = lane.base_id
WHERE lane.campaign_id = :campaign_id::bigint AND NOT base.paused
ORDER BY priority DESC, lane.id;

-- name: claim_budget
-- One claim of a campaign at a time: its budget is locked first.
SELECT b.campaign_id, b.starts_at, b.ends_at, b.answered, b.abandoned, b.uncovered, b.cap_permille, b.carried_answered,
    b.carried_abandoned, c.operator_free,
    c.state = 'running' AND c.mode = :mode::text AND c.purpose = :purpose::text AND (t.kind = ANY(:trunk_kinds::text[]))
        AND (c.manual OR NOT :manual::boolean) AS open,
    (SELECT min(coalesce(n.imported_at, '-infinity')) FROM unnest(:national_lists::text[]) AS wanted (name)
        LEFT JOIN national_list n USING (name)) < :now::timestamptz - :list_max_age::interval AS lists_too_old
FROM abandon_budget b JOIN campaign c ON c.id = b.campaign_id JOIN trunk t ON t.id = c.trunk_id
WHERE b.campaign_id = :campaign_id::bigint
FOR UPDATE OF b;

-- name: claim_pause
-- A campaign whose national lists are too old, or were never imported, calls nobody until somebody starts it again.
WITH paused AS (
    UPDATE campaign SET state = 'paused' WHERE id = :campaign_id::bigint AND state = 'running' RETURNING id
)
INSERT INTO audit (action, object, before, after)
SELECT 'campaign.state', 'campaign:' || id, '{"state": "running"}', '{"state": "paused", "because": "lists_too_old"}' FROM paused;

-- name: claim_budget_set
-- A new legal window begins at nothing; the cap follows the campaign and the profile.
UPDATE abandon_budget
SET starts_at = :starts_at::timestamptz, ends_at = :ends_at::timestamptz, answered = :answered::integer,
    abandoned = :abandoned::integer, uncovered = :uncovered::integer, cap_permille = :cap_permille::integer,
    carried_answered = :carried_answered::integer, carried_abandoned = :carried_abandoned::integer
WHERE campaign_id = :campaign_id::bigint;

-- name: claim_in_flight
-- I of the budget: lines that may still need an operator, and those of them that an older window counts. Asked after the
-- budget's lock is ours, so nothing is missed.
SELECT count(*) AS in_flight, count(*) FILTER (WHERE sent_at < :starts_at::timestamptz) AS older
FROM attempt_live WHERE campaign_id = :campaign_id::bigint AND state <> 'connected' AND NOT asked;

-- name: claim_rested
-- Contacts this operator skipped, or let a deadline pass for.
SELECT contact_id FROM preview_end
WHERE operator_id = :operator_id::bigint AND ended_at > :since::timestamptz AND how IN ('skipped', 'expired');

-- name: claim_forgotten
-- Who is offered a contact looks at none: a row that says otherwise was left by an answer that was lost, or is about to go.
DELETE FROM preview WHERE operator_id = :operator_id::bigint;

-- name: claim_one
-- The contact an operator asked for, locked as those of claim_lock are.
SELECT c.id, c.lane_id
FROM contact c JOIN phone p ON p.id = c.phone_id
WHERE c.id = :contact_id::bigint AND c.campaign_id = :campaign_id::bigint
FOR NO KEY UPDATE OF c, p;

-- name: claim_number
-- Makes a number known that nobody had.
INSERT INTO phone (e164) VALUES (:e164::text) ON CONFLICT DO NOTHING;

-- name: claim_base_by_hand
-- The base of a campaign for numbers that operators type: made once; and a row more in it.
INSERT INTO base (campaign_id, name, source, file_hash, by_hand, rows_in, rows_loaded, rows_rejected)
VALUES (:campaign_id::bigint, 'By hand · Вручную', 'operators', sha256('by hand'), true, 1, 1, 0)
ON CONFLICT (campaign_id) WHERE by_hand DO UPDATE SET rows_in = base.rows_in + 1, rows_loaded = base.rows_loaded + 1
RETURNING id, rows_loaded;

-- name: claim_lane_by_hand
-- Where a number of these zones and countries stands in that base.
INSERT INTO lane (base_id, campaign_id, zones, countries)
VALUES (:base_id::bigint, :campaign_id::bigint, :zones::text[], :countries::text[])
ON CONFLICT (base_id, zones, priority, countries) DO UPDATE SET priority = lane.priority
RETURNING id;

-- name: claim_contact_by_hand
-- Its contact.
INSERT INTO contact (base_id, campaign_id, row_number, lane_id, phone_id)
SELECT :base_id::bigint, :campaign_id::bigint, :row_number::integer, :lane_id::bigint, p.id FROM phone p WHERE p.e164 = :e164::text
RETURNING id, phone_id;

-- name: claim_contact_phone
-- The only number it has.
INSERT INTO contact_phone (contact_id, place, phone_id) VALUES (:contact_id::bigint, 1, :phone_id::bigint);

-- name: claim_turn_to
-- The number that was typed is the contact's turn, whichever of its numbers was.
UPDATE contact SET phone_id = :phone_id::bigint WHERE id = :contact_id::bigint AND phone_id <> :phone_id::bigint;

-- name: claim_lock
-- Who is next: promises first, those to whoever called in vain before all others (one to an operator only while that one is free, or is not at work), then the due head of
-- each open lane. Their rows are locked, so that what the gate reads next about contact and phone cannot change. NO KEY: rows
-- that only refer to them may come meanwhile.
WITH promised AS (
    SELECT k.contact_id, k.next_at, k.urgent::integer AS priority
    FROM callback k JOIN contact c ON c.id = k.contact_id
    WHERE k.campaign_id = :campaign_id::bigint AND k.state = 'pending' AND k.next_at <= :now::timestamptz
        AND c.state = 'open' AND c.lane_id = ANY(:lanes::bigint[])
        AND (k.operator_id IS NULL OR k.operator_id = ANY(:ready_operators::bigint[])
            OR (k.next_at <= :now::timestamptz - :owner_grace::interval
                AND NOT EXISTS (SELECT FROM operator_live o WHERE o.operator_id = k.operator_id)))
        AND NOT EXISTS (SELECT FROM attempt_live l WHERE l.contact_id = k.contact_id)
        AND NOT EXISTS (SELECT FROM preview v WHERE v.contact_id = k.contact_id)
        AND k.contact_id <> ALL(:rested::bigint[])
    ORDER BY k.urgent DESC, k.next_at, k.id
    LIMIT :wanted::integer
), ordinary AS (
    SELECT head.id AS contact_id, lane.priority, head.next_at
    FROM unnest(:lanes::bigint[], :priorities::integer[]) AS lane (id, priority)
    CROSS JOIN LATERAL (
        SELECT c.id, c.next_at FROM contact c
        WHERE c.lane_id = lane.id AND c.state = 'open' AND NOT c.promised AND c.next_at <= :now::timestamptz
            AND NOT EXISTS (SELECT FROM preview v WHERE v.contact_id = c.id) AND c.id <> ALL(:rested::bigint[])
        ORDER BY c.next_at, c.id
        LIMIT :wanted::integer
    ) AS head
    WHERE NOT :callbacks_only::boolean AND lane.id <> ALL(:by_hand::bigint[])
    ORDER BY lane.priority DESC, head.next_at, head.id
    LIMIT :wanted::integer
), next AS (
    SELECT contact_id, 1 AS turn, priority, next_at FROM promised
    UNION ALL
    SELECT contact_id, 2, priority, next_at FROM ordinary
    ORDER BY turn, priority DESC, next_at, contact_id
    LIMIT :wanted::integer
)
SELECT c.id, c.lane_id
FROM next JOIN contact c ON c.id = next.contact_id JOIN phone p ON p.id = c.phone_id
ORDER BY next.turn, next.priority DESC, next.next_at, c.id
FOR NO KEY UPDATE OF c, p SKIP LOCKED;

-- name: claim_take
-- The gate itself, the live attempts and the budget in one statement: what passes is taken, what does not is told why
-- and when to come again; a number that may never be called gives way to the contact's next one. What passes for an operator
-- who looks first is only reserved; the contact an operator asked for is called. Runs under the locks of claim_budget and claim_lock. Its conditions and their order are those of dialer/core/gate.
WITH asked AS (
    SELECT c.id AS contact_id, c.phone_id, c.campaign_id, c.base_id, c.attempts, c.counted, p.e164, p.not_before, w.place,
        k.id AS callback_id, k.operator_id AS owner_id,
        CASE WHEN :operator_id::bigint IS NULL AND k.operator_id = ANY(:ready_operators::bigint[]) IS NOT TRUE THEN p.held_until
            END AS held_until
    FROM unnest(:contacts::bigint[]) WITH ORDINALITY AS w (contact_id, place)
    JOIN contact c ON c.id = w.contact_id
    JOIN phone p ON p.id = c.phone_id
    JOIN base b ON b.id = c.base_id
    LEFT JOIN callback k ON k.contact_id = c.id AND k.state = 'pending'
    WHERE c.state = 'open' AND NOT b.paused AND coalesce(k.next_at, c.next_at) <= :now::timestamptz
), known AS (
    SELECT a.*, agreed.valid, agreed.recorded,
        EXISTS (SELECT FROM attempt_live l WHERE l.phone_id = a.phone_id OR l.contact_id = a.contact_id)
            OR EXISTS (SELECT FROM preview v WHERE (v.phone_id = a.phone_id OR v.contact_id = a.contact_id)
                AND v.operator_id IS DISTINCT FROM :operator_id::bigint) AS live,
        EXISTS (
            SELECT FROM do_not_call d
            WHERE d.phone_id = a.phone_id
                AND (d.scope = 'global' OR d.customer_id = :customer_id::bigint OR d.campaign_id = a.campaign_id)
        ) OR EXISTS (SELECT FROM national_number n WHERE n.e164 = a.e164 AND n.list = ANY(:national_lists::text[])) AS forbidden,
        ARRAY(SELECT t.sent_at FROM attempt t
            WHERE t.phone_id = a.phone_id AND t.sent_at > :now::timestamptz - interval '720 hours'
                AND (t.counts OR t.rang_at IS NOT NULL OR t.answered_at IS NOT NULL)
            ORDER BY t.sent_at DESC LIMIT :per_30_days::integer) AS sent,
        (
            SELECT max(greatest(r.rests_until, r.said_at + own.rests_for))
            FROM disposition_rest r
            LEFT JOIN unnest(:after_classes::text[], :after_for::interval[]) AS own (class, rests_for) USING (class)
            WHERE r.phone_id = a.phone_id AND r.customer_id = :customer_id::bigint
        ) AS said_until
    FROM asked a
    CROSS JOIN LATERAL (
        SELECT coalesce(bool_or(g.withdrawn_at IS NULL AND g.given_at > g.last_withdrawn_at
                AND g.given_at <= :now::timestamptz AND g.expires_at > :now::timestamptz), false) AS valid,
            count(*) > 0 AS recorded
        FROM (
            SELECT *, coalesce(max(withdrawn_at) OVER (), '-infinity') AS last_withdrawn_at FROM consent
            WHERE phone_id = a.phone_id AND customer_id = :customer_id::bigint AND purpose = :purpose::text
        ) AS g
    ) AS agreed
), counted AS (
    SELECT k.*, greatest(k.not_before, k.sent[1] + :min_gap::interval) AS rests_until,
        k.sent[:per_day::integer] + interval '24 hours' AS day_until,
        k.sent[:per_7_days::integer] + interval '168 hours' AS days7_until,
        k.sent[:per_30_days::integer] + interval '720 hours' AS days30_until
    FROM known k
), judged AS (
    SELECT n.*, greatest(n.rests_until, n.held_until, n.said_until, n.day_until, n.days7_until, n.days30_until) AS until,
        CASE
            WHEN n.forbidden THEN 'do_not_call'
            WHEN NOT n.e164 ^@ ANY(:allow::text[]) OR n.e164 ^@ ANY(:deny::text[]) THEN 'number_not_allowed'
            WHEN NOT n.valid AND (:consent_needed::boolean OR n.recorded) THEN 'no_consent'
            WHEN n.live THEN 'live_attempt'
            WHEN n.counted >= :attempts_max::integer AND n.callback_id IS NULL THEN 'attempts_used_up'
            WHEN n.said_until > :now::timestamptz THEN 'after_disposition'
            WHEN n.days30_until > :now::timestamptz THEN 'per_30_days'
            WHEN n.days7_until > :now::timestamptz THEN 'per_7_days'
            WHEN n.day_until > :now::timestamptz THEN 'per_day'
            WHEN n.held_until > :now::timestamptz THEN 'after_abandon'
            WHEN n.rests_until > :now::timestamptz THEN 'phone_resting'
        END AS refusal
    FROM counted n
), hopeless AS (
    SELECT j.contact_id, j.callback_id,
        CASE WHEN j.callback_id IS NULL THEN (
            SELECT other.phone_id FROM contact_phone other JOIN contact_phone this USING (contact_id)
            WHERE other.contact_id = j.contact_id AND this.phone_id = j.phone_id AND other.place > this.place AND NOT other.dead
            ORDER BY other.place LIMIT 1
        ) END AS next_phone_id
    FROM judged j WHERE j.refusal IN ('do_not_call', 'number_not_allowed', 'no_consent')
), passed AS (
    SELECT j.*, row_number() OVER (ORDER BY j.place) AS turn
    FROM (SELECT DISTINCT ON (phone_id) * FROM judged WHERE refusal IS NULL ORDER BY phone_id, place) j
), taken AS (
    INSERT INTO attempt_live (phone_id, attempt_id, contact_id, campaign_id, base_id, switch, epoch, number, counted, profile,
        profile_version, sent_at, callback_id, for_operator, asked, manual, operator_id, caller_number)
    SELECT p.phone_id, fresh.id, p.contact_id, p.campaign_id, p.base_id, :switch::text, :epoch::bigint, p.attempts + 1, p.counted,
        :profile::text, :profile_version::integer, :now::timestamptz, p.callback_id,
        coalesce(:operator_id::bigint, CASE WHEN p.owner_id = ANY(:ready_operators::bigint[]) THEN p.owner_id END),
        :operator_id::bigint IS NOT NULL, :manual::boolean, :operator_id::bigint, :caller_number::text
    FROM passed p JOIN unnest(:ids::uuid[]) WITH ORDINALITY AS fresh (id, turn) ON fresh.turn = p.turn
    WHERE NOT :only_shown::boolean
    RETURNING attempt_id, contact_id, for_operator
), shown AS (
    INSERT INTO preview (phone_id, preview_id, contact_id, campaign_id, operator_id, switch, offered_at)
    SELECT p.phone_id, fresh.id, p.contact_id, p.campaign_id, :operator_id::bigint, :switch::text, :now::timestamptz
    FROM passed p JOIN unnest(:ids::uuid[]) WITH ORDINALITY AS fresh (id, turn) ON fresh.turn = p.turn
    WHERE :only_shown::boolean
    RETURNING preview_id AS attempt_id, contact_id, NULL::bigint AS for_operator
), looked AS (
    DELETE FROM preview v USING taken t WHERE v.contact_id = t.contact_id AND v.operator_id = :operator_id::bigint
    RETURNING v.*
), called AS (
    INSERT INTO preview_end (preview_id, operator_id, campaign_id, contact_id, offered_at, ended_at, how)
    SELECT preview_id, operator_id, campaign_id, contact_id, offered_at, greatest(:now::timestamptz, offered_at), 'called' FROM looked
), numbered AS (
    UPDATE contact c SET attempts = c.attempts + 1, next_at = 'infinity', refused_by = NULL
    FROM taken WHERE c.id = taken.contact_id
), refused AS (
    UPDATE contact c
    SET refused_by = j.refusal,
        phone_id = coalesce(h.next_phone_id, c.phone_id),
        next_at = CASE WHEN h.next_phone_id IS NOT NULL THEN c.next_at WHEN h.contact_id IS NOT NULL THEN 'infinity'
            WHEN j.callback_id IS NOT NULL THEN c.next_at
            WHEN j.refusal = 'live_attempt' THEN :now::timestamptz + interval '30 seconds' ELSE j.until END,
        promised = c.promised AND h.contact_id IS NULL,
        state = CASE j.refusal WHEN 'attempts_used_up' THEN 'closed' ELSE c.state END,
        closed_by = CASE j.refusal WHEN 'attempts_used_up' THEN 'used_up' END,
        closed_at = CASE j.refusal WHEN 'attempts_used_up' THEN :now::timestamptz END
    FROM judged j LEFT JOIN hopeless h USING (contact_id)
    WHERE j.refusal IS NOT NULL AND c.id = j.contact_id
), moved AS (
    UPDATE callback k
    SET next_at = CASE WHEN h.contact_id IS NOT NULL THEN k.next_at
            WHEN j.refusal = 'live_attempt' THEN :now::timestamptz + interval '30 seconds' ELSE j.until END,
        state = CASE WHEN h.contact_id IS NOT NULL THEN 'blocked' ELSE k.state END,
        closed_at = CASE WHEN h.contact_id IS NOT NULL THEN :now::timestamptz END
    FROM judged j LEFT JOIN hopeless h USING (contact_id)
    WHERE j.refusal IS NOT NULL AND k.id = j.callback_id
), spent AS (
    UPDATE abandon_budget b
    SET uncovered = CASE WHEN :operator_free::boolean THEN 0 ELSE greatest(0,
            (SELECT count(*) FROM attempt_live l WHERE l.campaign_id = b.campaign_id AND l.state <> 'connected' AND NOT l.asked)
            + (SELECT count(*) FROM taken) - :free::integer) END
    WHERE b.campaign_id = :campaign_id::bigint AND :operator_id::bigint IS NULL AND EXISTS (SELECT FROM taken)
    RETURNING b.uncovered
)
SELECT t.attempt_id, j.contact_id, j.phone_id, j.e164, j.attempts + 1 AS number, j.counted, j.callback_id, t.for_operator,
    j.refusal, j.until, h.next_phone_id IS NOT NULL AS again, (SELECT uncovered FROM spent) AS uncovered
FROM judged j LEFT JOIN (SELECT * FROM taken UNION ALL SELECT * FROM shown) AS t USING (contact_id) LEFT JOIN hopeless h USING (contact_id)
ORDER BY j.place;

-- name: claim_next_due
-- When nobody came through: the first moment somebody of each lane, or of the promises, comes due; null for never. A
-- promise whose operator is at work and busy waits for that operator, not for a time. Who asks for promises hears of those.
SELECT lane.id AS lane_id, CASE WHEN head.due_at < 'infinity' THEN greatest(head.due_at, :now::timestamptz) END AS due_at
FROM lane
CROSS JOIN LATERAL (
    SELECT least(
        (SELECT c.next_at FROM contact c
            WHERE NOT :callbacks_only::boolean AND lane.id <> ALL(:by_hand::bigint[]) AND c.lane_id = lane.id AND c.state = 'open' AND NOT c.promised
                AND NOT EXISTS (SELECT FROM preview v WHERE v.contact_id = c.id)
            ORDER BY c.next_at LIMIT 1),
        (SELECT min(CASE WHEN k.operator_id IS NULL OR k.operator_id = ANY(:ready_operators::bigint[]) THEN k.next_at
                    ELSE k.next_at + :owner_grace::interval END)
            FROM callback k JOIN contact c ON c.id = k.contact_id
            WHERE k.campaign_id = lane.campaign_id AND k.state = 'pending' AND c.lane_id = lane.id AND c.state = 'open'
                AND NOT EXISTS (SELECT FROM attempt_live l WHERE l.contact_id = c.id)
                AND NOT EXISTS (SELECT FROM preview v WHERE v.contact_id = c.id)
                AND (k.operator_id IS NULL OR k.operator_id = ANY(:ready_operators::bigint[])
                    OR NOT EXISTS (SELECT FROM operator_live o WHERE o.operator_id = k.operator_id)))
    ) AS due_at
) AS head
WHERE lane.id = ANY(:lanes::bigint[]);
