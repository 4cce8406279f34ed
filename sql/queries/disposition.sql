-- What a conversation was, and what follows from it.

-- name: disposition_contact
-- The contact's row is the lock for what becomes of it.
SELECT c.id, c.state, c.counted, CASE WHEN isfinite(c.next_at) THEN c.next_at END AS next_at, c.promised, lane.zones, lane.countries
FROM contact c JOIN lane ON lane.id = c.lane_id
WHERE c.id = (
    SELECT contact_id FROM attempt_live WHERE attempt_id = :attempt_id::uuid
    UNION ALL
    SELECT contact_id FROM attempt WHERE attempt_id = :attempt_id::uuid
    LIMIT 1)
FOR NO KEY UPDATE OF c;

-- name: disposition_facts
-- Under that lock: the attempt, live or finished; how often this was said of the contact before; what was saved
-- before for this conversation or under this key (one per conversation, one per key).
SELECT a.attempt_id, a.contact_id, a.campaign_id, a.phone_id, a.operator_id, a.callback_id, a.live,
    (SELECT count(*) FROM disposition d WHERE d.contact_id = a.contact_id AND d.code = :code::text) AS times,
    known.attempt_id AS known_attempt_id, known.key AS known_key, known.body_hash AS known_body_hash,
    known.contact_id AS known_contact_id, known.code AS known_code, known.reason AS known_reason,
    known.address AS known_address, known.note AS known_note, known.saved_at AS known_saved_at,
    (SELECT l.id FROM lead l WHERE l.attempt_id = known.attempt_id) AS known_lead_id,
    coalesce((SELECT draft.body ->> 'step' FROM draft WHERE draft.attempt_id = a.attempt_id), '') AS step
FROM (
    SELECT attempt_id, contact_id, campaign_id, phone_id, operator_id, callback_id, true AS live
    FROM attempt_live WHERE attempt_id = :attempt_id::uuid
    UNION ALL
    SELECT attempt_id, contact_id, campaign_id, phone_id, operator_id, callback_id, false
    FROM attempt WHERE attempt_id = :attempt_id::uuid
) AS a
LEFT JOIN LATERAL (
    SELECT * FROM disposition d WHERE d.attempt_id = a.attempt_id OR d.key = :key::text
    ORDER BY d.key = :key::text DESC LIMIT 1
) AS known ON true;

-- name: disposition_sent
-- When a number was called, the last time first, as the gate counts it; a call that goes on counts, too.
SELECT s.sent_at FROM (
    SELECT t.sent_at FROM attempt t
    WHERE t.phone_id = :phone_id::bigint AND t.sent_at > :now::timestamptz - interval '720 hours'
        AND (t.counts OR t.rang_at IS NOT NULL OR t.answered_at IS NOT NULL)
    UNION ALL
    SELECT l.sent_at FROM attempt_live l WHERE l.phone_id = :phone_id::bigint AND NOT l.came_in
) AS s
ORDER BY s.sent_at DESC LIMIT 200;

-- name: disposition_add
-- The flags are kept as they are now, and what the attempt is counted under: a later change of the list does not change
-- what was counted. What is saved needs no draft.
WITH dropped AS (DELETE FROM draft WHERE attempt_id = :attempt_id::uuid)
INSERT INTO disposition (attempt_id, key, body_hash, campaign_id, contact_id, operator_id, code, result, closes, decision_maker,
    verdict, reason, address, note, saved_at, base_id, number, caller_number, region, script)
SELECT :attempt_id::uuid, :key::text, :body_hash::bytea, kind.campaign_id, :contact_id::bigint, :operator_id::bigint, kind.code,
    kind.result, kind.closes, kind.decision_maker, kind.verdict, :reason::text, :address::text, :note::text, :now::timestamptz,
    a.base_id, a.number, a.caller_number, a.region, a.script
FROM disposition_kind kind CROSS JOIN (
    SELECT l.base_id, l.number, l.caller_number, phone_region(p.e164) AS region, coalesce((SELECT max(v.version) FROM script_version v
        WHERE v.campaign_id = l.campaign_id AND v.saved_at <= coalesce(l.connected_at, l.sent_at)), 0) AS script
    FROM attempt_live l JOIN phone p ON p.id = l.phone_id WHERE l.attempt_id = :attempt_id::uuid
    UNION ALL
    SELECT base_id, number, caller_number, region, script FROM attempt WHERE attempt_id = :attempt_id::uuid
    LIMIT 1
) AS a
WHERE kind.campaign_id = :campaign_id::bigint AND kind.code = :code::text;

-- name: disposition_rest_lock
-- The numbers of the contact, as the claim locks them.
SELECT p.id FROM contact_phone cp JOIN phone p ON p.id = cp.phone_id WHERE cp.contact_id = :contact_id::bigint
ORDER BY p.id
FOR NO KEY UPDATE OF p;

-- name: disposition_rest
-- What was said holds for every number of the contact; what was said before may hold longer.
INSERT INTO disposition_rest (phone_id, customer_id, class, said_at, rests_until)
SELECT phone_id, :customer_id::bigint, class, :now::timestamptz, rests_until
FROM unnest(:phones::bigint[]) AS phone_id CROSS JOIN unnest(:classes::text[], :until::timestamptz[]) AS rest (class, rests_until)
ON CONFLICT (phone_id, customer_id, class) DO UPDATE
SET said_at = greatest(disposition_rest.said_at, excluded.said_at),
    rests_until = greatest(disposition_rest.rests_until, excluded.rests_until);

-- name: disposition_callbacks
-- The promise this conversation kept; any other pending one gives way to a new promise or to a closed contact.
UPDATE callback
SET state = CASE WHEN id = :kept_id::bigint THEN 'kept' ELSE 'cancelled' END, closed_at = :now::timestamptz,
    closed_by = CASE WHEN id = :kept_id::bigint THEN NULL ELSE :operator_id::bigint END,
    kept_by_attempt = CASE WHEN id = :kept_id::bigint THEN :attempt_id::uuid END
WHERE contact_id = :contact_id::bigint AND state = 'pending' AND (id = :kept_id::bigint OR :replaces::boolean);

-- name: disposition_promise
-- A promise to call again, at the number they spoke on.
INSERT INTO callback (contact_id, campaign_id, phone_id, made_by_attempt, promised_at, due_at, next_at, operator_id, note)
VALUES (:contact_id::bigint, :campaign_id::bigint, :phone_id::bigint, :attempt_id::uuid, :now::timestamptz, :due_at::timestamptz,
    :due_at::timestamptz, :owner_id::bigint, :note::text);

-- name: disposition_decide
-- What becomes of the contact; the end of the same attempt will not decide again.
UPDATE contact c
SET state = CASE WHEN :closes::text IS NULL THEN 'open' ELSE 'closed' END, closed_by = :closes::text,
    closed_at = CASE WHEN :closes::text IS NOT NULL THEN :now::timestamptz END,
    next_at = coalesce(:next_at::timestamptz, 'infinity'), decided_by = :attempt_id::uuid, refused_by = NULL,
    phone_id = CASE WHEN :promises::boolean THEN :phone_id::bigint ELSE c.phone_id END,
    promised = EXISTS (SELECT FROM callback k WHERE k.contact_id = c.id AND k.state = 'pending')
WHERE c.id = :contact_id::bigint;

-- name: disposition_draft_save
-- What was typed so far, of the operator whose conversation it is.
INSERT INTO draft (attempt_id, operator_id, body)
SELECT mine.attempt_id, mine.operator_id, :body::jsonb
FROM (
    SELECT attempt_id, operator_id FROM attempt_live WHERE attempt_id = :attempt_id::uuid
    UNION ALL
    SELECT attempt_id, operator_id FROM attempt WHERE attempt_id = :attempt_id::uuid
) AS mine
WHERE mine.operator_id = :operator_id::bigint
    AND NOT EXISTS (SELECT FROM disposition d WHERE d.attempt_id = mine.attempt_id)
ON CONFLICT (attempt_id) DO UPDATE SET body = excluded.body, saved_at = now();

-- name: disposition_saved
-- Whether this conversation has its disposition already.
SELECT code FROM disposition WHERE attempt_id = :attempt_id::uuid;
