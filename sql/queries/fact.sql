-- The attempts behind a number: lists that open from any number, one attempt, one contact.

-- part: of_sent
-- Whose attempts, of which time: what an index finds.
    (:campaign_id::bigint IS NULL OR a.campaign_id = :campaign_id::bigint)
    AND (:operator_id::bigint IS NULL OR a.operator_id = :operator_id::bigint)
    AND (:contact_id::bigint IS NULL OR a.contact_id = :contact_id::bigint)
    AND (:phone_id::bigint IS NULL OR a.phone_id = :phone_id::bigint)
    AND (:since::timestamptz IS NULL OR a.sent_at >= :since::timestamptz)
    AND (:until::timestamptz IS NULL OR a.sent_at < :until::timestamptz)

-- part: narrowed
-- What any list of attempts may be narrowed by further; a row of a breakdown is found by the function that counts it.
    (:outcome::text IS NULL OR a.outcome = :outcome::text)
    AND (:code::text IS NULL OR a.code = :code::text)
    AND (:number::integer IS NULL OR a.number = :number::integer)
    AND (:reason::text IS NULL OR a.reason = :reason::text)
    AND (:weekday::integer IS NULL OR extract(isodow FROM a.sent_at AT TIME ZONE a.zone) = :weekday::integer)
    AND (:hour::integer IS NULL OR extract(hour FROM a.sent_at AT TIME ZONE a.zone) = :hour::integer)
    AND (:name::text IS NULL OR strpos(lower(a.contact), lower(:name::text)) > 0)
    AND (:digits::text IS NULL OR strpos(a.phone, :digits::text) > 0)
    AND (:part::text IS NULL OR kpi_who(:by::text, a.campaign_id, a.customer_id, a.base_id, a.operator_id, a.script, a.caller_number,
        a.number, a.region, a.code, a.reason) = :part::text)

-- part: counted_sent
-- What a number counts of them, by when they were sent. A conversation with somebody who called us has no number: no attempt of ours, it
-- is with the connected ones, and with those of its contact.
    CASE :fact::text
        WHEN 'rang' THEN a.rang_at IS NOT NULL OR a.answered_at IS NOT NULL OR a.outcome = 'no_answer'
        WHEN 'answered' THEN a.legal_answered
        WHEN 'abandoned' THEN a.legal_abandoned
        WHEN 'dialled' THEN a.outcome <> 'not_sent' AND a.number > 0
        WHEN 'reached' THEN a.number > 0
            AND (a.outcome = 'offer_ended' OR (a.outcome = 'connected' AND a.ended_at >= a.connected_at + interval '1 second'))
        ELSE a.number > 0 OR :outcome::text IS NOT NULL OR :contact_id::bigint IS NOT NULL OR :phone_id::bigint IS NOT NULL
    END

-- name: fact_plan
-- Each list is planned for what is asked: a filter nobody named must not spoil the plan of those that are.
SET LOCAL plan_cache_mode = force_custom_plan;

-- name: fact_edge_newest
-- Where a list that filters stops looking: so many attempts further on, so that a page costs the same whatever is sought.
SELECT a.sent_at
FROM attempt a
WHERE {of_sent}
    AND (:at::timestamptz IS NULL OR a.sent_at <= :at::timestamptz)
ORDER BY a.sent_at DESC
OFFSET :look::integer LIMIT 1;

-- name: fact_edge_oldest
-- The same, in the other direction.
SELECT a.sent_at
FROM attempt a
WHERE {of_sent}
    AND (:at::timestamptz IS NULL OR a.sent_at >= :at::timestamptz)
ORDER BY a.sent_at
OFFSET :look::integer LIMIT 1;

-- name: fact_newest
-- Attempts, the newest first, from under the last row of the page before.
SELECT * FROM attempt_shown a
WHERE {of_sent}
    AND (:edge::timestamptz IS NULL OR a.sent_at >= :edge::timestamptz)
    AND (:at::timestamptz IS NULL OR (a.sent_at <= :at::timestamptz
        AND (a.sent_at, a.attempt_id) < (:at::timestamptz, coalesce(:id::uuid, '00000000-0000-0000-0000-000000000000'))))
    AND {narrowed}
    AND {counted_sent}
ORDER BY a.sent_at DESC, a.attempt_id DESC
LIMIT :limit::integer;

-- name: fact_oldest
-- The same, the oldest first.
SELECT * FROM attempt_shown a
WHERE {of_sent}
    AND (:edge::timestamptz IS NULL OR a.sent_at <= :edge::timestamptz)
    AND (:at::timestamptz IS NULL OR (a.sent_at >= :at::timestamptz
        AND (a.sent_at, a.attempt_id) > (:at::timestamptz, coalesce(:id::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))))
    AND {narrowed}
    AND {counted_sent}
ORDER BY a.sent_at, a.attempt_id
LIMIT :limit::integer;

-- name: fact_said
-- Attempts whose disposition was saved in a period: the facts behind results, which belong to the hour they were saved in.
SELECT * FROM attempt_shown a
WHERE a.saved_at IS NOT NULL
    AND (:campaign_id::bigint IS NULL OR a.said_campaign_id = :campaign_id::bigint)
    AND (:operator_id::bigint IS NULL OR a.said_operator_id = :operator_id::bigint)
    AND (:contact_id::bigint IS NULL OR a.contact_id = :contact_id::bigint)
    AND (:phone_id::bigint IS NULL OR a.phone_id = :phone_id::bigint)
    AND (:since::timestamptz IS NULL OR a.saved_at >= :since::timestamptz)
    AND (:until::timestamptz IS NULL OR a.saved_at < :until::timestamptz)
    AND (:at::timestamptz IS NULL OR (a.saved_at <= :at::timestamptz
        AND (a.saved_at, a.said_attempt_id) < (:at::timestamptz, :id::uuid)))
    AND {narrowed}
    AND CASE :fact::text WHEN 'results' THEN a.result WHEN 'decision_makers' THEN a.decision_maker WHEN 'closed' THEN a.closes ELSE true END
ORDER BY a.saved_at DESC, a.said_attempt_id DESC
LIMIT :limit::integer;

-- name: fact_now
-- Attempts that go on, the newest first.
SELECT l.attempt_id, l.campaign_id, l.contact_id, l.number, l.state, l.sent_at, l.rang_at, l.answered_at, l.connected_at,
    k.name AS campaign, c.name AS contact, p.e164 AS phone, coalesce(u.name, '') AS operator
FROM attempt_live l
JOIN campaign k ON k.id = l.campaign_id JOIN contact c ON c.id = l.contact_id JOIN phone p ON p.id = l.phone_id
LEFT JOIN app_user u ON u.id = l.operator_id
WHERE (:campaign_id::bigint IS NULL OR l.campaign_id = :campaign_id::bigint)
    AND (:operator_id::bigint IS NULL OR l.operator_id = :operator_id::bigint)
ORDER BY l.sent_at DESC
LIMIT :limit::integer;

-- name: fact_phone
-- A number that was typed whole.
SELECT id FROM phone WHERE e164 = :e164::text;

-- name: fact_attempt
-- One attempt, finished or going on, with all that is known of it.
SELECT a.*, c.name AS contact, p.e164 AS phone, k.name AS campaign, k.mode, k.team_id, k.customer_id, b.name AS base, lane.zones,
    coalesce(u.name, '') AS operator, d.code, d.saved_at, d.result, d.reason, d.address, d.note, d.operator_id AS said_by,
    n.name_ru, n.name_en, made.id AS made_callback, made.due_at AS made_due_at, made.state AS made_state
FROM (
    SELECT attempt_id, contact_id, campaign_id, base_id, phone_id, number, profile, profile_version, sent_at, rang_at, answered_at, waiting_at,
        operator_id, connected_at, ended_at, outcome, ended_by, cause, sip_code, key, callback_id, manual, counts, legal_abandoned
    FROM attempt WHERE attempt_id = :id::uuid
    UNION ALL
    SELECT attempt_id, contact_id, campaign_id, base_id, phone_id, number, profile, profile_version, sent_at, rang_at, answered_at, waiting_at,
        operator_id, connected_at, NULL, NULL, NULL, NULL, NULL, key, callback_id, manual, NULL, NULL
    FROM attempt_live WHERE attempt_id = :id::uuid
) AS a
JOIN contact c ON c.id = a.contact_id JOIN lane ON lane.id = c.lane_id JOIN base b ON b.id = a.base_id
JOIN phone p ON p.id = a.phone_id JOIN campaign k ON k.id = a.campaign_id
LEFT JOIN app_user u ON u.id = a.operator_id
LEFT JOIN disposition d ON d.attempt_id = a.attempt_id
LEFT JOIN disposition_kind n ON n.campaign_id = d.campaign_id AND n.code = d.code
LEFT JOIN callback made ON made.made_by_attempt = a.attempt_id AND made.contact_id = a.contact_id
ORDER BY made.id DESC NULLS LAST
LIMIT 1;

-- name: fact_minute
-- What pacing decided in the minute of an attempt; minutes are kept for a day.
SELECT decided_at, calls, target, reason, sentence, decisions, placed FROM pacing_minute
WHERE campaign_id = :campaign_id::bigint AND minute = date_trunc('minute', :at::timestamptz);

-- name: fact_contact
-- One contact.
SELECT c.id, c.name, c.attributes, c.state, c.closed_by, c.closed_at, c.next_at, c.attempts, c.counted, c.promised, c.row_number,
    k.id AS campaign_id, k.name AS campaign, k.attempts_max, b.id AS base_id, b.name AS base, lane.zones, c.origin_id
FROM contact c JOIN campaign k ON k.id = c.campaign_id JOIN base b ON b.id = c.base_id JOIN lane ON lane.id = c.lane_id
WHERE c.id = :contact_id::bigint;

-- name: fact_phones
-- Its numbers in order, how often each was called in campaigns this user may see, and what forbids it.
SELECT p.id, p.e164 AS phone, x.place, x.dead, p.id = c.phone_id AS is_next,
    CASE WHEN isfinite(p.not_before) THEN p.not_before END AS rests_until,
    (SELECT count(*) FROM attempt a WHERE a.phone_id = p.id AND (:team_id::bigint IS NULL OR EXISTS (
        SELECT FROM campaign k WHERE k.id = a.campaign_id AND k.team_id = :team_id::bigint))) AS attempts,
    ARRAY(
        SELECT d.scope FROM do_not_call d JOIN campaign k ON k.id = c.campaign_id
        WHERE d.phone_id = p.id AND (d.scope = 'global' OR d.customer_id = k.customer_id OR d.campaign_id = k.id) ORDER BY d.scope
    ) AS forbidden
FROM contact c JOIN contact_phone x ON x.contact_id = c.id JOIN phone p ON p.id = x.phone_id
WHERE c.id = :contact_id::bigint
ORDER BY x.place;

-- name: fact_promises
-- Promises made to a contact, the newest first.
SELECT k.id, k.due_at, k.next_at, k.state, k.note, k.moves, k.made_by_attempt, k.kept_by_attempt, k.closed_at, coalesce(u.name, '') AS operator
FROM callback k LEFT JOIN app_user u ON u.id = k.operator_id
WHERE k.contact_id = :contact_id::bigint
ORDER BY k.id DESC
LIMIT 50;

-- name: fact_choices
-- Operators and dispositions a list may be filtered by: of one campaign's team, or all.
SELECT 'operator' AS kind, u.id::text AS value, u.name AS name_en, u.name AS name_ru
FROM app_user u
WHERE u.role = 'operator' AND (:campaign_id::bigint IS NULL OR u.team_id = (SELECT team_id FROM campaign WHERE id = :campaign_id::bigint))
UNION ALL
SELECT 'code', n.code, n.name_en, n.name_ru FROM disposition_kind n WHERE n.campaign_id = :campaign_id::bigint
ORDER BY 1, 3
LIMIT 1000;

-- name: fact_owner
-- Whose an attempt is.
SELECT k.team_id, k.customer_id FROM (
    SELECT campaign_id FROM attempt WHERE attempt_id = :id::uuid
    UNION ALL
    SELECT campaign_id FROM attempt_live WHERE attempt_id = :id::uuid
) AS a JOIN campaign k ON k.id = a.campaign_id;
