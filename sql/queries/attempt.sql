-- Finished attempts.

-- name: attempt_page
-- Newest first, by keyset: the next page begins under the last row of this one.
SELECT a.attempt_id, a.campaign_id, a.contact_id, p.e164 AS phone, a.number, a.sent_at, a.rang_at, a.answered_at, a.connected_at,
    a.ended_at, a.outcome, a.ended_by, a.cause, a.sip_code, a.key, a.operator_id, d.code
FROM attempt a JOIN phone p ON p.id = a.phone_id LEFT JOIN disposition d ON d.attempt_id = a.attempt_id
WHERE (:campaign_id::bigint IS NULL OR a.campaign_id = :campaign_id::bigint)
    AND (:since::timestamptz IS NULL OR a.sent_at >= :since::timestamptz)
    AND (:until::timestamptz IS NULL OR a.sent_at < :until::timestamptz)
    AND (:outcome::text IS NULL OR a.outcome = :outcome::text)
    AND (:operator_id::bigint IS NULL OR a.operator_id = :operator_id::bigint)
    AND (:before_at::timestamptz IS NULL OR (a.sent_at, a.attempt_id) < (:before_at::timestamptz, :before_id::uuid))
ORDER BY a.sent_at DESC, a.attempt_id DESC
LIMIT :limit::integer;
