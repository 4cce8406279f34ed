-- Consent: who agreed to be called, by whom, for what, and how it is proven.

-- name: consent_add
-- The same evidence again changes nothing.
INSERT INTO consent (phone_id, customer_id, purpose, wording, channel, given_at, evidence, evidence_hash, expires_at, added_by)
VALUES (:phone_id::bigint, :customer_id::bigint, :purpose::text, :wording::text, :channel::text, :given_at::timestamptz,
    :evidence::text, :evidence_hash::bytea, coalesce(:expires_at::timestamptz, 'infinity'), :added_by::bigint)
ON CONFLICT DO NOTHING;

-- name: consent_withdraw
-- Under the phone's lock: what stood stands no more.
WITH withdrawn AS (
    UPDATE consent SET withdrawn_at = :at::timestamptz
    WHERE phone_id = :phone_id::bigint AND customer_id = :customer_id::bigint AND withdrawn_at IS NULL
        AND (:purpose::text IS NULL OR purpose = :purpose::text)
    RETURNING id
)
SELECT count(*) FROM withdrawn;

-- name: consent_block
-- Promises to a number that withdrew are blocked, and shown as such.
WITH blocked AS (
    UPDATE callback k SET state = 'blocked', closed_at = :at::timestamptz, closed_by = :user_id::bigint
    FROM campaign, contact c
    WHERE campaign.id = k.campaign_id AND c.id = k.contact_id AND k.state = 'pending'
        AND :phone_id::bigint IN (k.phone_id, c.phone_id) AND campaign.customer_id = :customer_id::bigint
        AND (:purpose::text IS NULL OR campaign.purpose = :purpose::text)
    RETURNING k.contact_id
)
UPDATE contact c SET promised = false FROM blocked WHERE c.id = blocked.contact_id;

-- name: consent_of_phone
-- Every consent of a number, the newest first.
SELECT g.id, g.phone_id, g.customer_id, customer.name AS customer, g.purpose, g.wording, g.channel, g.given_at, g.evidence,
    encode(g.evidence_hash, 'hex') AS evidence_hash, CASE WHEN isfinite(g.expires_at) THEN g.expires_at END AS expires_at,
    g.withdrawn_at, g.added_at
FROM consent g JOIN customer ON customer.id = g.customer_id
WHERE g.phone_id = :phone_id::bigint
ORDER BY g.given_at DESC, g.id DESC;

-- name: consent_judge_again
-- Contacts the gate sent away for this number come before it once more, at this number.
UPDATE contact c SET next_at = now(), refused_by = NULL, phone_id = :phone_id::bigint
FROM contact_phone cp
WHERE cp.contact_id = c.id AND cp.phone_id = :phone_id::bigint AND NOT cp.dead AND c.state = 'open'
    AND c.refused_by IN ('do_not_call', 'number_not_allowed', 'no_consent') AND c.next_at = 'infinity';
