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
SELECT k.id, lane.zones, lane.countries, k.campaign_id, k.state, k.due_at, k.operator_id, k.phone_id, greatest(p.not_before, 'epoch') AS not_before
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
-- The new time is the promise now, if it still was for the time that was known.
UPDATE callback SET due_at = :due_at::timestamptz, next_at = :due_at::timestamptz, moves = moves + 1, reminded_at = NULL,
    late_at = NULL, late_because = NULL
WHERE id = :id::bigint AND state = 'pending' AND due_at = :due_before::timestamptz;

-- name: callback_own
-- Whom an operator promised to call back.
SELECT contact_id FROM callback WHERE id = :id::bigint AND operator_id = :operator_id::bigint AND state = 'pending';

-- name: callback_now
-- The operator of a promise keeps it now; the time it was promised for.
UPDATE callback k SET due_at = :now::timestamptz, next_at = :now::timestamptz, moves = k.moves + 1, reminded_at = :now::timestamptz,
    late_at = NULL, late_because = NULL
FROM (SELECT id, due_at FROM callback WHERE id = :id::bigint FOR UPDATE) AS before
WHERE k.id = before.id AND k.operator_id = :operator_id::bigint AND k.state = 'pending'
RETURNING before.due_at;

-- name: callback_hand_over
-- Another operator keeps it, or anybody of the team, if it still was whose it was known to be, for that time.
UPDATE callback SET operator_id = :operator_id::bigint
WHERE id = :id::bigint AND state = 'pending' AND operator_id IS NOT DISTINCT FROM :operator_before::bigint
    AND due_at = :due_before::timestamptz;

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

-- name: callback_near
-- Promises that were not tried yet and come due soon, or just did: may they still be kept then?
SELECT k.id, k.campaign_id, k.due_at, k.operator_id, lane.zones, lane.countries
FROM callback k JOIN contact c ON c.id = k.contact_id JOIN lane ON lane.id = c.lane_id
WHERE k.state = 'pending' AND k.due_at = k.next_at AND k.due_at > :since::timestamptz AND k.due_at <= :until::timestamptz
    AND NOT EXISTS (SELECT FROM attempt_live l WHERE l.contact_id = k.contact_id)
ORDER BY k.due_at, k.id;

-- name: callback_remind
-- Their time is near: whoever listens is told.
UPDATE callback SET reminded_at = :now::timestamptz
WHERE state = 'pending' AND reminded_at IS NULL AND due_at <= :until::timestamptz AND due_at > :now::timestamptz;

-- name: callback_newly_late
-- Late, and nobody has written down why.
SELECT * FROM callback_shown k WHERE k.state = 'pending' AND k.late_at IS NULL AND k.due_at < :late::timestamptz
ORDER BY k.due_at LIMIT 1000;

-- name: callback_note_late
-- Why a promise was late when it became so.
UPDATE callback SET late_at = :now::timestamptz, late_because = :why::text
WHERE id = :id::bigint AND state = 'pending' AND late_at IS NULL;

-- name: callback_teams
-- Who is on shift in each team, and who of them is ready.
SELECT team_id, count(*) AS at_work, count(*) FILTER (WHERE state = 'ready') AS ready FROM operator_live GROUP BY team_id;

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

-- name: callback_board_counted
-- Promises that a number counts, the last one first: by when they were made, or due; of one row of a breakdown.
SELECT * FROM callback_shown k
WHERE k.id IN (
        SELECT v.callback_id FROM kpi_promised v JOIN campaign c ON c.id = v.campaign_id JOIN callback p ON p.id = v.callback_id
        WHERE (:since::timestamptz IS NULL OR v.at >= :since::timestamptz) AND (:until::timestamptz IS NULL OR v.at < :until::timestamptz)
            AND CASE :fact::text WHEN 'promises_made' THEN v.promises_made = 1 WHEN 'promises_kept' THEN v.promises_kept = 1
                WHEN 'promises_kept_late' THEN v.promises_kept_late = 1 WHEN 'promises_broken' THEN v.promises_broken = 1
                WHEN 'promises_cancelled' THEN v.promises_cancelled = 1 WHEN 'promises_moved' THEN v.promises_moved = 1
                ELSE v.promises_made = 0 AND p.state = 'pending' AND p.due_at < :now::timestamptz - promise_grace() END
            AND (:part::text IS NULL OR kpi_who(:by::text, v.campaign_id, c.customer_id, v.base_id, v.operator_id, v.script, v.caller_number,
                v.number, v.region, v.code, v.reason) = :part::text))
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
-- Promises due in a period by who was to keep them, or by campaign: kept, in time or late, broken, still late. Cancelled ones were
-- taken back by somebody and count for nobody; those not due yet are nobody's fault. The same sums as in `kpi_promised`.
SELECT CASE :by::text WHEN 'operator' THEN coalesce(u.name, '') ELSE c.name END AS name,
    CASE :by::text WHEN 'operator' THEN k.operator_id ELSE k.campaign_id END AS id,
    sum(v.promises_kept) AS promises_kept, sum(v.promises_kept_late) AS promises_kept_late,
    sum(v.promises_broken) AS promises_broken, count(*) FILTER (WHERE k.state = 'pending') AS promises_late
FROM kpi_promised v
JOIN callback k ON k.id = v.callback_id
JOIN campaign c ON c.id = k.campaign_id
LEFT JOIN app_user u ON u.id = k.operator_id
WHERE v.promises_made = 0 AND v.at >= :since::timestamptz AND v.at < :until::timestamptz AND k.state <> 'cancelled'
    AND (k.state <> 'pending' OR k.due_at < :until::timestamptz - promise_grace())
    AND (:campaign_id::bigint IS NULL OR k.campaign_id = :campaign_id::bigint)
GROUP BY 1, 2
ORDER BY 1
LIMIT 200;
