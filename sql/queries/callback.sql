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
SELECT k.id, lane.zones, lane.countries, k.campaign_id, k.state, k.due_at, k.operator_id, greatest(p.not_before, 'epoch') AS not_before
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

-- name: callback_hand_over
-- Another operator keeps it, or anybody of the team.
UPDATE callback SET operator_id = :operator_id::bigint WHERE id = :id::bigint AND state = 'pending';

-- name: callback_note
-- Why it was changed, by whom, and what it was before.
INSERT INTO callback_change (callback_id, at, what, reason, by_user, due_before, operator_before)
VALUES (:id::bigint, :now::timestamptz, :what::text, :reason::text, :user_id::bigint, :due_before::timestamptz, :operator_before::bigint);

-- name: callback_team
-- Whether an operator works in the team of a campaign.
SELECT EXISTS (
    SELECT FROM app_user u JOIN campaign c ON c.team_id = u.team_id
    WHERE u.id = :operator_id::bigint AND u.role = 'operator' AND NOT u.disabled AND c.id = :campaign_id::bigint
);

-- name: callback_waiting
-- Promises whose time has come while their owner is not ready: candidates to be handed over.
SELECT k.id, k.due_at, k.next_at, k.operator_id, o.state AS owner_state
FROM callback k LEFT JOIN operator_live o ON o.operator_id = k.operator_id
WHERE k.state = 'pending' AND k.operator_id IS NOT NULL AND k.due_at <= :now::timestamptz AND k.next_at <= :now::timestamptz
    AND o.state IS DISTINCT FROM 'ready'
    AND NOT EXISTS (SELECT FROM attempt_live l WHERE l.contact_id = k.contact_id)
ORDER BY k.due_at
LIMIT 1000;

-- name: callback_board_open
-- Promises to be kept, the next one first, from under the last row of the page before.
SELECT * FROM callback_shown k
WHERE k.state = 'pending'
    AND (:campaign_id::bigint IS NULL OR k.campaign_id = :campaign_id::bigint)
    AND (:operator_id::bigint IS NULL OR k.operator_id = :operator_id::bigint)
    AND (NOT :anybody::boolean OR k.operator_id IS NULL)
    AND (:q::text = '' OR strpos(lower(k.contact), lower(:q::text)) > 0)
    AND (:until::timestamptz IS NULL OR k.due_at < :until::timestamptz)
    AND (NOT :moved::boolean OR k.moves > 0)
    AND (:at::timestamptz IS NULL OR (k.due_at, k.id) > (:at::timestamptz, :id::bigint))
ORDER BY k.due_at, k.id
LIMIT :limit::integer;

-- name: callback_board_closed
-- What became of promises, the last one first.
SELECT * FROM callback_shown k
WHERE (k.state = ANY(:states::text[]) OR (:moved::boolean AND k.moves > 0))
    AND (:campaign_id::bigint IS NULL OR k.campaign_id = :campaign_id::bigint)
    AND (:operator_id::bigint IS NULL OR k.operator_id = :operator_id::bigint)
    AND (NOT :anybody::boolean OR k.operator_id IS NULL)
    AND (:q::text = '' OR strpos(lower(k.contact), lower(:q::text)) > 0)
    AND (:at::timestamptz IS NULL OR (k.due_at, k.id) < (:at::timestamptz, :id::bigint))
ORDER BY k.due_at DESC, k.id DESC
LIMIT :limit::integer;

-- name: callback_counts
-- How many promises there are of each kind: to be kept, and of those of a period what became of them.
SELECT count(*) FILTER (WHERE k.state = 'pending') AS pending,
    count(*) FILTER (WHERE k.state = 'pending' AND k.due_at <= :now::timestamptz AND k.due_at >= :late::timestamptz) AS due,
    count(*) FILTER (WHERE k.state = 'pending' AND k.due_at < :late::timestamptz) AS late,
    count(*) FILTER (WHERE k.state = 'kept' AND k.due_at >= :since::timestamptz) AS kept,
    count(*) FILTER (WHERE k.state IN ('broken', 'blocked') AND k.due_at >= :since::timestamptz) AS broken,
    count(*) FILTER (WHERE k.moves > 0 AND k.due_at >= :since::timestamptz) AS moved,
    count(*) FILTER (WHERE k.state = 'cancelled' AND k.due_at >= :since::timestamptz) AS cancelled
FROM callback k
WHERE (k.state = 'pending' OR k.due_at >= :since::timestamptz)
    AND (:campaign_id::bigint IS NULL OR k.campaign_id = :campaign_id::bigint);

-- name: callback_shares
-- Promises of a period by who was to keep them, or by campaign: kept in time, kept late, broken, still late. Cancelled ones were
-- taken back by somebody and count for nobody; those not due yet are nobody's fault.
SELECT CASE :by::text WHEN 'operator' THEN coalesce(u.name, '') ELSE c.name END AS name,
    CASE :by::text WHEN 'operator' THEN k.operator_id ELSE k.campaign_id END AS id,
    count(*) FILTER (WHERE k.state = 'kept' AND kept.sent_at <= k.due_at + :grace::interval) AS in_time,
    count(*) FILTER (WHERE k.state = 'kept' AND kept.sent_at > k.due_at + :grace::interval) AS kept_late,
    count(*) FILTER (WHERE k.state IN ('broken', 'blocked')) AS broken,
    count(*) FILTER (WHERE k.state = 'pending') AS late
FROM callback k
JOIN campaign c ON c.id = k.campaign_id
LEFT JOIN app_user u ON u.id = k.operator_id
LEFT JOIN LATERAL (SELECT a.sent_at FROM attempt a WHERE a.attempt_id = k.kept_by_attempt) AS kept ON true
WHERE k.due_at >= :since::timestamptz AND k.due_at < :late::timestamptz AND k.state <> 'cancelled'
    AND (:campaign_id::bigint IS NULL OR k.campaign_id = :campaign_id::bigint)
GROUP BY 1, 2
ORDER BY 1
LIMIT 200;
