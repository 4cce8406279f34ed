-- People who call the shown number back.

-- name: return_numbers
-- Numbers that campaigns of a switch show on a trunk: their countries are the trunk's.
SELECT DISTINCT c.caller_number
FROM campaign c JOIN trunk t ON t.id = c.trunk_id JOIN team ON team.id = c.team_id
WHERE t.name = :trunk::text AND team.switch = :switch::text AND c.caller_number <> '';

-- name: return_last
-- The last call to a phone, by whom the shown number says, and its contact. A dialled number that no campaign shows is the carrier's
-- own name of the line, and says nothing.
SELECT a.campaign_id, a.contact_id, c.base_id, a.phone_id, p.e164, a.profile, a.profile_version, a.caller_number,
    k.state IN ('running', 'paused') AND NOT k.operator_free AND k.id = ANY(:campaigns::bigint[]) AS open
FROM phone p
JOIN LATERAL (
    SELECT t.campaign_id, t.contact_id, t.phone_id, t.profile, t.profile_version, t.caller_number, t.sent_at
    FROM attempt t WHERE t.phone_id = p.id AND t.sent_at > :since::timestamptz AND NOT t.came_in AND t.outcome <> 'not_sent'
    UNION ALL
    SELECT l.campaign_id, l.contact_id, l.phone_id, l.profile, l.profile_version, l.caller_number, l.sent_at
    FROM attempt_live l WHERE l.phone_id = p.id
) AS a ON true
JOIN campaign k ON k.id = a.campaign_id JOIN team ON team.id = k.team_id JOIN trunk ON trunk.id = k.trunk_id
JOIN contact c ON c.id = a.contact_id
WHERE p.e164 = ANY(:numbers::text[]) AND team.switch = :switch::text AND trunk.name = :trunk::text
    AND (ltrim(a.caller_number, '+') = ANY(:dialled::text[])
        OR NOT EXISTS (SELECT FROM campaign x WHERE x.caller_number <> '' AND ltrim(x.caller_number, '+') = ANY(:dialled::text[])))
ORDER BY a.sent_at DESC
LIMIT 1;

-- name: return_lock
-- Contact and phone, as a claim locks them: what is read about them next cannot change.
SELECT FROM contact c, phone p WHERE c.id = :contact_id::bigint AND p.id = :phone_id::bigint FOR NO KEY UPDATE OF c, p;

-- name: return_facts
-- What holds for the caller now, also if a claim or a do-not-call entry was waited for; and our line to the person, whichever of
-- the numbers rings. Somebody talks to us on it, or waits: nobody has called in vain.
SELECT c.counted, live.phone_id AS live_phone_id, coalesce(live.came_in OR live.connected_at IS NOT NULL, false) AS talks,
    (SELECT b.id FROM callback b WHERE b.contact_id = c.id AND b.state = 'pending') AS callback_id,
    EXISTS (SELECT FROM do_not_call d WHERE d.phone_id = :phone_id::bigint
        AND (d.scope = 'global' OR d.customer_id = k.customer_id OR d.campaign_id = k.id)) AS forbidden
FROM contact c JOIN campaign k ON k.id = c.campaign_id
LEFT JOIN LATERAL (
    SELECT l.* FROM attempt_live l WHERE l.phone_id = :phone_id::bigint OR l.contact_id = c.id
    ORDER BY l.phone_id <> :phone_id::bigint LIMIT 1
) AS live ON true
WHERE c.id = :contact_id::bigint;

-- name: return_take
-- The caller holds the phone from now on.
INSERT INTO attempt_live (phone_id, attempt_id, contact_id, campaign_id, base_id, switch, epoch, number, counted, profile, profile_version,
    state, sent_at, waiting_at, callback_id, caller_number, asked, came_in)
VALUES (:phone_id::bigint, :id::uuid, :contact_id::bigint, :campaign_id::bigint, :base_id::bigint, :switch::text, :epoch::bigint, 0,
    :counted::integer, :profile::text, :profile_version::integer, 'waiting', :now::timestamptz, :now::timestamptz, :callback_id::bigint,
    :caller_number::text, true, true);

-- name: return_refused
-- A caller for whom nobody is here.
INSERT INTO return_call (id, switch, epoch, trunk, campaign_id, base_id, contact_id, phone_id, caller_number, came_at, ended_at, outcome, why)
VALUES (:id::uuid, :switch::text, :epoch::bigint, :trunk::text, :campaign_id::bigint, :base_id::bigint, :contact_id::bigint,
    :phone_id::bigint, :caller_number::text, :now::timestamptz, :now::timestamptz, 'refused', :why::text)
ON CONFLICT DO NOTHING;

-- name: return_missed
-- A caller whom our own call to the same person kept from an operator.
INSERT INTO return_call (id, switch, epoch, trunk, campaign_id, base_id, contact_id, phone_id, caller_number, region, came_at, ended_at, outcome)
SELECT :id::uuid, :switch::text, :epoch::bigint, :trunk::text, :campaign_id::bigint, :base_id::bigint, :contact_id::bigint, p.id,
    :caller_number::text, phone_region(p.e164), :now::timestamptz, :now::timestamptz, 'missed'
FROM phone p WHERE p.id = :phone_id::bigint
ON CONFLICT DO NOTHING;

-- name: return_owed
-- Whom nobody could serve is called back before all others: a promise there is already becomes this one, a closed contact is open for
-- it. Nobody who said never to call is, nobody who was erased, and no number that is the contact's no more.
WITH missed AS (
    SELECT r.id, r.contact_id, r.campaign_id, r.phone_id, r.ended_at
    FROM return_call r JOIN contact c ON c.id = r.contact_id JOIN campaign k ON k.id = r.campaign_id
    JOIN phone p ON p.id = r.phone_id AND p.e164 NOT LIKE 'erased:%'
    JOIN contact_phone cp ON cp.contact_id = c.id AND cp.phone_id = p.id
    WHERE r.id = ANY(:ids::uuid[]) AND r.outcome = 'missed'
        AND NOT EXISTS (SELECT FROM do_not_call d WHERE d.phone_id = r.phone_id
            AND (d.scope = 'global' OR d.customer_id = k.customer_id OR d.campaign_id = k.id))
), sooner AS (
    UPDATE callback b SET urgent = true, next_at = least(b.next_at, m.ended_at), due_at = least(b.due_at, m.ended_at), operator_id = NULL,
        phone_id = m.phone_id
    FROM missed m WHERE b.contact_id = m.contact_id AND b.state = 'pending'
    RETURNING b.contact_id
), made AS (
    INSERT INTO callback (contact_id, campaign_id, phone_id, made_by_attempt, promised_at, due_at, next_at, urgent)
    SELECT m.contact_id, m.campaign_id, m.phone_id, m.id, m.ended_at, m.ended_at, m.ended_at, true
    FROM missed m WHERE NOT EXISTS (SELECT FROM callback b WHERE b.contact_id = m.contact_id AND b.state = 'pending')
    RETURNING contact_id
)
UPDATE contact c
SET state = 'open', closed_by = NULL, closed_at = NULL, promised = true, phone_id = m.phone_id,
    next_at = CASE WHEN c.state = 'closed' THEN 'infinity' ELSE c.next_at END, refused_by = NULL
FROM missed m WHERE c.id = m.contact_id;

-- name: return_beside_lock
-- Contacts that are about to be closed: a look-up that holds one of them is waited for.
SELECT c.id FROM contact c WHERE c.id = ANY(:contacts::bigint[]) ORDER BY c.id FOR NO KEY UPDATE OF c;

-- name: return_beside
-- Those of them who called us in vain since then, and are owed a call.
SELECT n.contact_id FROM unnest(:contacts::bigint[], :since::timestamptz[]) AS n (contact_id, since)
WHERE EXISTS (SELECT FROM return_call r WHERE r.contact_id = n.contact_id AND r.came_at >= n.since AND r.outcome = 'missed')
    AND EXISTS (SELECT FROM callback b WHERE b.contact_id = n.contact_id AND b.state = 'pending' AND b.urgent);

-- name: return_list
-- Calls that came in to these campaigns, the newest first, from under the last row of the page before. One that was served is an
-- attempt of the same id.
SELECT r.id, r.came_at, r.ended_at, r.connected_at, r.outcome, r.contact_id, coalesce(c.name, '') AS contact, c.id IS NOT NULL AS known,
    k.name AS campaign, r.caller_number, coalesce(u.name, '') AS operator,
    (SELECT b.state FROM callback b WHERE b.made_by_attempt = r.id) AS promise
FROM return_call r
JOIN campaign k ON k.id = r.campaign_id
LEFT JOIN contact c ON c.id = r.contact_id
LEFT JOIN app_user u ON u.id = r.operator_id
WHERE r.outcome <> 'refused'
    AND (:since::timestamptz IS NULL OR r.came_at >= :since::timestamptz)
    AND (:until::timestamptz IS NULL OR r.came_at < :until::timestamptz)
    AND (:campaign_ids::bigint[] IS NULL OR r.campaign_id = ANY(:campaign_ids::bigint[]))
    AND (:operator_id::bigint IS NULL OR r.operator_id = :operator_id::bigint)
    AND (:outcome::text IS NULL OR r.outcome = :outcome::text)
    AND (:at::timestamptz IS NULL OR (r.came_at, r.id) < (:at::timestamptz, :id::uuid))
ORDER BY r.came_at DESC, r.id DESC
LIMIT :limit::integer;
