-- Numbers that are not called: by anybody, for a customer, or by a campaign.

-- name: do_not_call_number
-- A number may be forbidden before any base has it.
INSERT INTO phone (e164) VALUES (:e164::text) ON CONFLICT (e164) DO UPDATE SET e164 = excluded.e164 RETURNING id;

-- name: do_not_call_lock
-- The same lock as the claim's: either the claim sees the entry, or whoever adds it sees the live attempt.
SELECT id FROM phone WHERE id = :phone_id::bigint FOR UPDATE;

-- name: do_not_call_add
-- Saying it again changes nothing, but that the entry outlives the file that brought it.
INSERT INTO do_not_call (phone_id, scope, customer_id, campaign_id, reason, added_by, added_at)
VALUES (:phone_id::bigint, :scope::text, CASE :scope::text WHEN 'customer' THEN :customer_id::bigint END,
    CASE :scope::text WHEN 'campaign' THEN :campaign_id::bigint END, :reason::text, :added_by::bigint,
    coalesce(:at::timestamptz, now()))
ON CONFLICT (phone_id, scope, customer_id, campaign_id) DO UPDATE SET file_id = NULL WHERE do_not_call.file_id IS NOT NULL;

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

-- name: do_not_call_ringing
-- Lines on their way to numbers that may not be called any more, wherever and by whomever that was said.
SELECT l.phone_id
FROM attempt_live l JOIN campaign c ON c.id = l.campaign_id JOIN phone p ON p.id = l.phone_id
WHERE l.switch = :switch::text AND l.state IN ('sent', 'ringing') AND l.ended_by IS NULL AND (
    p.e164 ^@ 'erased:'
    OR EXISTS (
        SELECT FROM do_not_call d
        WHERE d.phone_id = l.phone_id AND (d.scope = 'global' OR d.customer_id = c.customer_id OR d.campaign_id = c.id)
    )
    OR EXISTS (
        SELECT FROM national_number n JOIN unnest(:campaigns::bigint[], :lists::text[]) AS needs (campaign_id, list) USING (list)
        WHERE n.e164 = p.e164 AND needs.campaign_id = l.campaign_id
    )
    OR EXISTS (
        SELECT FROM disposition_rest r
        WHERE r.phone_id = l.phone_id AND r.customer_id = c.customer_id AND r.said_at >= l.sent_at AND r.rests_until > r.said_at
    )
    OR (
        SELECT count(*) > 0 AND NOT bool_or(g.withdrawn_at IS NULL AND g.given_at > g.last_withdrawn_at AND g.expires_at > now())
        FROM (
            SELECT *, coalesce(max(withdrawn_at) OVER (), '-infinity') AS last_withdrawn_at FROM consent
            WHERE phone_id = l.phone_id AND customer_id = c.customer_id AND purpose = c.purpose
        ) AS g
    )
);

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
