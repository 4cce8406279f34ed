-- Numbers that are not called: by anybody, for a customer, or by a campaign.

-- name: do_not_call_number
-- A number may be forbidden before any base has it.
INSERT INTO phone (e164) VALUES (:e164::text) ON CONFLICT (e164) DO UPDATE SET e164 = excluded.e164 RETURNING id;

-- name: do_not_call_lock
-- The same lock as the claim's: either the claim sees the entry, or whoever adds it sees the live attempt.
SELECT id FROM phone WHERE id = :phone_id::bigint FOR UPDATE;

-- name: do_not_call_add
-- Saying it again changes nothing.
INSERT INTO do_not_call (phone_id, scope, customer_id, campaign_id, reason, added_by, added_at)
VALUES (:phone_id::bigint, :scope::text, CASE :scope::text WHEN 'customer' THEN :customer_id::bigint END,
    CASE :scope::text WHEN 'campaign' THEN :campaign_id::bigint END, :reason::text, :added_by::bigint,
    coalesce(:at::timestamptz, now()))
ON CONFLICT DO NOTHING;

-- name: do_not_call_find
-- The entry as it stands.
SELECT d.id, d.phone_id, p.e164 AS phone, d.scope, d.customer_id, d.campaign_id, d.reason, d.added_by, d.added_at
FROM do_not_call d JOIN phone p ON p.id = d.phone_id
WHERE d.phone_id = :phone_id::bigint AND d.scope = :scope::text
    AND d.customer_id IS NOT DISTINCT FROM CASE :scope::text WHEN 'customer' THEN :customer_id::bigint END
    AND d.campaign_id IS NOT DISTINCT FROM CASE :scope::text WHEN 'campaign' THEN :campaign_id::bigint END;

-- name: do_not_call_block
-- A promise to a forbidden number is not dropped but blocked, and shown as such.
WITH blocked AS (
    UPDATE callback k SET state = 'blocked', closed_at = coalesce(:at::timestamptz, now()), closed_by = :added_by::bigint
    FROM campaign, contact c
    WHERE campaign.id = k.campaign_id AND c.id = k.contact_id AND k.state = 'pending'
        AND :phone_id::bigint IN (k.phone_id, c.phone_id)
        AND (:scope::text = 'global' OR (:scope::text = 'customer' AND campaign.customer_id = :customer_id::bigint)
            OR (:scope::text = 'campaign' AND campaign.id = :campaign_id::bigint))
    RETURNING k.contact_id
)
UPDATE contact c SET promised = false FROM blocked WHERE c.id = blocked.contact_id;

-- name: do_not_call_of_attempt
-- Whose number an attempt called, for whom.
SELECT a.phone_id, a.campaign_id, c.customer_id
FROM (
    SELECT phone_id, campaign_id FROM attempt_live WHERE attempt_id = :attempt_id::uuid
    UNION ALL
    SELECT phone_id, campaign_id FROM attempt WHERE attempt_id = :attempt_id::uuid
) AS a JOIN campaign c ON c.id = a.campaign_id;

-- name: do_not_call_list
-- Newest first.
SELECT d.id, d.phone_id, p.e164 AS phone, d.scope, d.customer_id, d.campaign_id, d.reason, d.added_by, d.added_at
FROM do_not_call d JOIN phone p ON p.id = d.phone_id
WHERE :before::bigint IS NULL OR d.id < :before::bigint
ORDER BY d.id DESC LIMIT :limit::integer;

-- name: do_not_call_remove
-- The audit log keeps who did.
DELETE FROM do_not_call WHERE id = :id::bigint RETURNING phone_id, scope, customer_id, campaign_id, reason;

-- name: do_not_call_judge_again
-- Contacts the gate sent away for this number come before it once more.
UPDATE contact c SET next_at = now(), refused_by = NULL, phone_id = :phone_id::bigint
FROM contact_phone cp
WHERE cp.contact_id = c.id AND cp.phone_id = :phone_id::bigint AND NOT cp.dead AND c.state = 'open'
    AND c.refused_by IN ('do_not_call', 'number_not_allowed', 'no_consent') AND c.next_at = 'infinity';
