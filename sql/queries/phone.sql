-- Everything about one number, whoever has it.

-- name: phone_find
-- By what is written on it.
SELECT id FROM phone WHERE e164 = :e164::text;

-- name: phone_lock
-- The lock for everything about it: the claim's own.
SELECT id FROM phone WHERE e164 = :e164::text FOR UPDATE;

-- name: phone_erase_turn
-- Loads end before an erasure or after it: see base_end.
SELECT pg_advisory_xact_lock(16962, 0);

-- name: phone_attempts
-- Its attempts across campaigns and bases, live ones too, the newest first.
SELECT a.attempt_id, a.campaign_id, campaign.name AS campaign, a.base_id, base.name AS base, a.contact_id, a.number, a.sent_at,
    a.answered_at, a.connected_at, a.ended_at, a.outcome, a.profile, a.profile_version, d.code, d.note, d.address
FROM (
    SELECT attempt_id, campaign_id, base_id, contact_id, number, sent_at, answered_at, connected_at, NULL::timestamptz AS ended_at,
        NULL::text AS outcome, profile, profile_version
    FROM attempt_live WHERE phone_id = :phone_id::bigint
    UNION ALL
    SELECT attempt_id, campaign_id, base_id, contact_id, number, sent_at, answered_at, connected_at, ended_at, outcome, profile,
        profile_version
    FROM attempt WHERE phone_id = :phone_id::bigint
) AS a
JOIN campaign ON campaign.id = a.campaign_id LEFT JOIN base ON base.id = a.base_id LEFT JOIN disposition d ON d.attempt_id = a.attempt_id
ORDER BY a.sent_at DESC, a.attempt_id;

-- name: phone_contacts
-- Whose number it is, in every base.
SELECT c.id, c.name, c.attributes, campaign.name AS campaign, base.name AS base, base.loaded_at, c.state,
    ARRAY(SELECT p.e164 FROM contact_phone o JOIN phone p ON p.id = o.phone_id WHERE o.contact_id = c.id ORDER BY o.place) AS phones
FROM contact_phone cp JOIN contact c ON c.id = cp.contact_id JOIN campaign ON campaign.id = c.campaign_id JOIN base ON base.id = c.base_id
WHERE cp.phone_id = :phone_id::bigint
ORDER BY c.id;

-- name: phone_callbacks
-- What was promised to it.
SELECT k.id, k.due_at, k.state, k.note FROM callback k WHERE k.phone_id = :phone_id::bigint ORDER BY k.id;

-- name: phone_leads
-- Leads that its conversations became.
SELECT l.id, l.made_at, l.state, l.person, l.company, l.address, l.agreed, l.reason, customer.name AS customer
FROM lead l JOIN customer ON customer.id = l.customer_id WHERE l.phone_id = :phone_id::bigint ORDER BY l.id;

-- name: phone_letters
-- Letters after its conversations.
SELECT l.id, l.made_at, l.address, l.state, l.reason, l.subject, l.body, l.sent_at
FROM letter l JOIN disposition d ON d.attempt_id = l.attempt_id JOIN (
    SELECT attempt_id FROM attempt WHERE phone_id = :phone_id::bigint
    UNION ALL
    SELECT attempt_id FROM attempt_live WHERE phone_id = :phone_id::bigint
) AS a ON a.attempt_id = l.attempt_id
ORDER BY l.id;

-- name: phone_return_calls
-- When it called us, and what became of it.
SELECT r.id, campaign.name AS campaign, r.came_at, r.connected_at, r.ended_at, r.outcome, r.why, r.caller_number
FROM return_call r JOIN campaign ON campaign.id = r.campaign_id
WHERE r.phone_id = :phone_id::bigint
ORDER BY r.came_at DESC, r.id;

-- name: phone_do_not_calls
-- Who may not call it.
SELECT d.scope, d.reason, d.added_at FROM do_not_call d WHERE d.phone_id = :phone_id::bigint ORDER BY d.id;

-- name: phone_rests
-- For which customers it rests after what was said.
SELECT customer.name AS customer, r.class, r.said_at, r.rests_until
FROM disposition_rest r JOIN customer ON customer.id = r.customer_id
WHERE r.phone_id = :phone_id::bigint
ORDER BY r.said_at DESC, r.class;

-- name: phone_suppress
-- Its keyed hash stays, so that it is not called again when another file brings it back.
INSERT INTO suppression (hash, erased_at) VALUES (suppression_hash(:e164::text), :at::timestamptz) ON CONFLICT DO NOTHING;

-- name: phone_erase_addresses
-- Nobody writes to whoever has it again; of the addresses, too, only the keyed hash stays.
WITH told AS (
    SELECT DISTINCT lower(l.address) AS address
    FROM contact_phone cp JOIN letter l ON l.contact_id = cp.contact_id
    WHERE cp.phone_id = :phone_id::bigint AND l.address <> ''
), stops AS (
    DELETE FROM letter_stop s USING told WHERE s.address = told.address
)
INSERT INTO suppression (hash, erased_at) SELECT suppression_hash(address), :at::timestamptz FROM told ON CONFLICT DO NOTHING;

-- name: phone_erase_contacts
-- Whoever has it is nobody now: no name, no attributes, no promise, no other number.
WITH person AS (
    UPDATE contact c
    SET name = '', attributes = '{}', promised = false, state = 'closed', phone_id = :phone_id::bigint,
        closed_by = coalesce(c.closed_by, 'erased'), closed_at = coalesce(c.closed_at, :at::timestamptz)
    FROM contact_phone cp WHERE cp.contact_id = c.id AND cp.phone_id = :phone_id::bigint
    RETURNING c.id
), other_numbers AS (
    DELETE FROM contact_phone cp USING person WHERE cp.contact_id = person.id AND cp.phone_id <> :phone_id::bigint
), promises AS (
    UPDATE callback k
    SET note = '', state = CASE k.state WHEN 'pending' THEN 'blocked' ELSE k.state END,
        closed_at = CASE k.state WHEN 'pending' THEN :at::timestamptz ELSE k.closed_at END
    FROM person WHERE k.contact_id = person.id
), changes AS (
    DELETE FROM base_change b USING person WHERE b.contact_id = person.id
), said AS (
    UPDATE disposition d SET note = '', address = NULL FROM person WHERE d.contact_id = person.id
), leads AS (
    UPDATE lead l
    SET person = '', company = '', company_key = NULL, address = '', agreed = '', reason = CASE WHEN l.reason IS NOT NULL THEN '' END
    FROM person WHERE l.contact_id = person.id
    RETURNING l.id
), lead_reasons AS (
    UPDATE lead_change h SET reason = '' FROM leads WHERE h.lead_id = leads.id AND h.reason <> ''
), letters AS (
    UPDATE letter l
    SET address = '', subject = NULL, body = NULL, detail = '', state = CASE l.state WHEN 'waiting' THEN 'refused' ELSE l.state END,
        reason = CASE l.state WHEN 'waiting' THEN 'erased' ELSE l.reason END,
        closed_at = CASE l.state WHEN 'waiting' THEN :at::timestamptz ELSE l.closed_at END
    FROM person WHERE l.contact_id = person.id
), drafts AS (
    DELETE FROM draft USING attempt a, person WHERE draft.attempt_id = a.attempt_id AND a.contact_id = person.id
)
SELECT count(*) FROM person;

-- name: phone_erase_consents
-- The hash of the evidence stays as proof; where it was kept does not.
UPDATE consent SET evidence = '', withdrawn_at = coalesce(withdrawn_at, :at::timestamptz) WHERE phone_id = :phone_id::bigint;

-- name: phone_erase_files
-- Samples and reports of uploaded files may show it.
UPDATE base_file SET found = '{}', report = '{}'
WHERE strpos(found::text, :digits::text) > 0 OR strpos(report::text, :digits::text) > 0;

-- name: phone_erase_reasons
-- What somebody wrote beside a do-not-call entry.
UPDATE do_not_call SET reason = 'erased' WHERE phone_id = :phone_id::bigint;

-- name: phone_erase
-- The row stays, for the facts that name it.
UPDATE phone SET e164 = 'erased:' || id WHERE id = :phone_id::bigint;
