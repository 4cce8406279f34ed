-- Files of numbers that are not called: taken whole, and taken back.

-- name: do_not_call_file_known
-- Which of these numbers are forbidden in this scope already.
SELECT p.e164
FROM unnest(:numbers::text[]) AS given (e164) JOIN phone p USING (e164)
JOIN do_not_call d ON d.phone_id = p.id AND d.scope = :scope::text
    AND d.customer_id IS NOT DISTINCT FROM :customer_id::bigint AND d.campaign_id IS NOT DISTINCT FROM :campaign_id::bigint;

-- name: do_not_call_file_same
-- The same file, taken before for the same scope and not taken back.
SELECT id FROM do_not_call_file
WHERE file_hash = :file_hash::bytea AND scope = :scope::text AND undone_at IS NULL
    AND customer_id IS NOT DISTINCT FROM :customer_id::bigint AND campaign_id IS NOT DISTINCT FROM :campaign_id::bigint;

-- name: do_not_call_file_numbers
-- Numbers nobody had yet, in a commit of their own: a number alone is nobody's contact.
INSERT INTO phone (e164) SELECT e164 FROM unnest(:numbers::text[]) AS given (e164) ORDER BY e164 ON CONFLICT DO NOTHING;

-- name: do_not_call_file_lock
-- The claim's own lock, on each of them: either a claim sees the entry, or the live attempt is seen here.
SELECT p.id, p.e164 FROM phone p JOIN unnest(:numbers::text[]) AS given (e164) USING (e164)
ORDER BY p.id
FOR UPDATE OF p;

-- name: do_not_call_file_add
-- How many rows went where is not known yet.
INSERT INTO do_not_call_file (name, file_hash, scope, customer_id, campaign_id, rows_in, rows_added, rows_known, rows_rejected,
    taken_at, taken_by)
VALUES (:name::text, :file_hash::bytea, :scope::text, :customer_id::bigint, :campaign_id::bigint, 0, 0, 0, 0, :now::timestamptz,
    :user_id::bigint)
RETURNING id;

-- name: do_not_call_file_entries
-- An entry that is there already stays when this file is taken back, and so it does when the one that brought it is.
INSERT INTO do_not_call (phone_id, scope, customer_id, campaign_id, reason, added_by, added_at, file_id)
SELECT phone_id, :scope::text, :customer_id::bigint, :campaign_id::bigint, 'file', :user_id::bigint, :now::timestamptz, :file_id::bigint
FROM unnest(:phones::bigint[]) AS phone_id
ON CONFLICT (phone_id, scope, customer_id, campaign_id) DO UPDATE SET file_id = NULL WHERE do_not_call.file_id IS NOT NULL;

-- name: do_not_call_file_counts
-- Every row went somewhere.
UPDATE do_not_call_file
SET rows_in = :added::integer + :known::integer + :rejected::integer, rows_added = :added::integer, rows_known = :known::integer,
    rows_rejected = :rejected::integer
WHERE id = :file_id::bigint;

-- name: do_not_call_file_block
-- Promises to forbidden numbers are not dropped but blocked, and shown as such.
WITH blocked AS (
    UPDATE callback k SET state = 'blocked', closed_at = :now::timestamptz, closed_by = :user_id::bigint
    FROM campaign, contact c
    WHERE campaign.id = k.campaign_id AND c.id = k.contact_id AND k.state = 'pending'
        AND (k.phone_id = ANY(:phones::bigint[]) OR c.phone_id = ANY(:phones::bigint[]))
        AND (:scope::text = 'global' OR (:scope::text = 'customer' AND campaign.customer_id = :customer_id::bigint)
            OR (:scope::text = 'campaign' AND campaign.id = :campaign_id::bigint))
    RETURNING k.contact_id
)
UPDATE contact c SET promised = false FROM blocked WHERE c.id = blocked.contact_id;

-- name: do_not_call_file_live
-- Lines to them; those that are not answered are cut.
SELECT phone_id FROM attempt_live WHERE phone_id = ANY(:phones::bigint[]);

-- name: do_not_call_file_list
-- All files, or one, the last first.
SELECT id, name, scope, customer_id, campaign_id, rows_in, rows_added, rows_known, rows_rejected, taken_at, taken_by, undone_at, undone_by
FROM do_not_call_file
WHERE :id::bigint IS NULL OR id = :id::bigint
ORDER BY id DESC;

-- name: do_not_call_file_undone
-- Taken back once, by somebody with a name.
UPDATE do_not_call_file SET undone_at = :now::timestamptz, undone_by = :user_id::bigint
WHERE id = :id::bigint AND undone_at IS NULL;

-- name: do_not_call_file_remove
-- The entries that only this file brought.
DELETE FROM do_not_call WHERE file_id = :id::bigint RETURNING phone_id;

-- name: do_not_call_file_judge_again
-- Contacts the gate sent away for these numbers come before it once more.
UPDATE contact c SET next_at = now(), refused_by = NULL, phone_id = free.phone_id
FROM (
    SELECT DISTINCT ON (cp.contact_id) cp.contact_id, cp.phone_id
    FROM contact_phone cp WHERE cp.phone_id = ANY(:phones::bigint[]) AND NOT cp.dead
    ORDER BY cp.contact_id, cp.place
) AS free
WHERE c.id = free.contact_id AND c.state = 'open' AND c.next_at = 'infinity'
    AND c.refused_by IN ('do_not_call', 'number_not_allowed', 'no_consent');
