-- What brings contacts back after a disposition, and those who wait by it.

-- name: retry_rule_lock
-- Saves of this disposition wait, so that each goes by the rule of before and is seen here, or by the new one.
SELECT code FROM disposition_kind WHERE campaign_id = :campaign_id::bigint AND code = :code::text FOR UPDATE;

-- name: retry_rule_share
-- A save goes by the rule as it stands until it is committed. Before the contact's lock, as a change of the rule has it.
SELECT k.code FROM disposition_kind k
WHERE k.code = :code::text AND k.campaign_id = (
    SELECT campaign_id FROM attempt_live WHERE attempt_id = :attempt_id::uuid
    UNION ALL
    SELECT campaign_id FROM attempt WHERE attempt_id = :attempt_id::uuid
    LIMIT 1)
FOR SHARE OF k;

-- name: retry_rule_campaign
-- Changes of a campaign's rules by outcome come one after another.
SELECT id FROM campaign WHERE id = :campaign_id::bigint FOR NO KEY UPDATE;

-- name: retry_rule_outcome
-- From the next attempt that ends so on.
UPDATE campaign SET retry = retry || jsonb_build_object(:outcome::text, :rule::jsonb) WHERE id = :campaign_id::bigint;

-- name: retry_rule_set
-- From now on.
UPDATE disposition_kind SET retry = :rule::jsonb WHERE campaign_id = :campaign_id::bigint AND code = :code::text;

-- name: retry_rule_times
-- The most often this was said of one contact.
SELECT coalesce(max(times), 0) FROM (
    SELECT count(*) AS times FROM disposition WHERE campaign_id = :campaign_id::bigint AND code = :code::text GROUP BY contact_id
) AS said;

-- name: retry_rule_waiting
-- How many wait because this was said last: whom a change of its rule plans anew.
SELECT d.code, count(*) AS contacts
FROM disposition d
JOIN contact c ON c.id = d.contact_id AND c.decided_by = d.attempt_id
JOIN attempt t ON t.attempt_id = d.attempt_id AND t.number = c.attempts
WHERE d.campaign_id = :campaign_id::bigint AND c.state = 'open' AND NOT c.promised AND isfinite(c.next_at)
GROUP BY 1;

-- name: retry_rule_replan
-- Whoever waits because this was said last: the new rule, by how often it was said; ``waits`` null closes the contact.
WITH waiting AS (
    SELECT c.id, d.saved_at, (SELECT count(*) FROM disposition e WHERE e.contact_id = c.id AND e.code = d.code) AS times
    FROM disposition d
    JOIN contact c ON c.id = d.contact_id AND c.decided_by = d.attempt_id
    JOIN attempt t ON t.attempt_id = d.attempt_id AND t.number = c.attempts
    WHERE d.campaign_id = :campaign_id::bigint AND d.code = :code::text AND c.state = 'open' AND NOT c.promised
        AND isfinite(c.next_at)
    ORDER BY c.id
    FOR NO KEY UPDATE OF c
)
UPDATE contact c
SET next_at = CASE WHEN rule.waits IS NULL THEN 'infinity' ELSE w.saved_at + rule.waits END, refused_by = NULL,
    state = CASE WHEN rule.waits IS NULL THEN 'closed' ELSE 'open' END,
    closed_by = CASE WHEN rule.waits IS NULL THEN 'disposition' END,
    closed_at = CASE WHEN rule.waits IS NULL THEN :now::timestamptz END
FROM waiting w JOIN unnest(:waits::interval[]) WITH ORDINALITY AS rule (waits, times) USING (times)
WHERE c.id = w.id;
