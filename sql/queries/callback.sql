-- Promises to call back.

-- name: callback_list
-- The next one first.
SELECT k.id, k.campaign_id, k.contact_id, c.name AS contact, p.e164 AS phone, lane.zones, k.due_at, k.next_at, k.operator_id, k.note,
    k.state, k.moves
FROM callback k JOIN contact c ON c.id = k.contact_id JOIN lane ON lane.id = c.lane_id JOIN phone p ON p.id = k.phone_id
WHERE (:campaign_id::bigint IS NULL OR k.campaign_id = :campaign_id::bigint)
    AND (:state::text IS NULL OR k.state = :state::text)
    AND (:id::bigint IS NULL OR k.id = :id::bigint)
ORDER BY k.state <> 'pending', k.next_at, k.id
LIMIT :limit::integer;

-- name: callback_contact
-- The contact's row is the lock for what becomes of it.
SELECT c.id, lane.zones, lane.countries, k.campaign_id, k.state, k.due_at, greatest(p.not_before, 'epoch') AS not_before
FROM callback k JOIN contact c ON c.id = k.contact_id JOIN lane ON lane.id = c.lane_id JOIN phone p ON p.id = c.phone_id
WHERE k.id = :id::bigint
FOR NO KEY UPDATE OF c, k;

-- name: callback_cancel
-- A promise is cancelled by somebody with a name; the contact goes on by its rules.
WITH cancelled AS (
    UPDATE callback SET state = 'cancelled', closed_at = :now::timestamptz, closed_by = :user_id::bigint
    WHERE id = :id::bigint AND state = 'pending'
    RETURNING contact_id
)
UPDATE contact c SET promised = false FROM cancelled WHERE c.id = cancelled.contact_id;

-- name: callback_move
-- The new time is the promise now.
UPDATE callback SET due_at = :due_at::timestamptz, next_at = :due_at::timestamptz, moves = moves + 1
WHERE id = :id::bigint AND state = 'pending';

-- name: callback_own
-- Whom an operator promised to call back.
SELECT contact_id FROM callback WHERE id = :id::bigint AND operator_id = :operator_id::bigint AND state = 'pending';

-- name: callback_now
-- The operator of a promise keeps it now; the time it was promised for.
UPDATE callback k SET due_at = :now::timestamptz, next_at = :now::timestamptz, moves = k.moves + 1
FROM (SELECT id, due_at FROM callback WHERE id = :id::bigint FOR UPDATE) AS before
WHERE k.id = before.id AND k.operator_id = :operator_id::bigint AND k.state = 'pending'
RETURNING before.due_at;
