-- The order of bases, and their passes.

-- name: pass_priority
-- 9 first; inside a base the priority of its rows decides.
UPDATE base SET priority = :priority::integer WHERE id = :base_id::bigint;

-- name: pass_begin
-- Closed contacts whose last attempt ended so, or whose last conversation was said to be so, go again from the first living
-- number, with a fresh count of attempts; what law and do-not-call say of them holds as ever.
WITH locked AS (
    SELECT id, pass + 1 AS pass FROM base WHERE id = :base_id::bigint FOR UPDATE
), again AS (
    UPDATE contact c
    SET state = 'open', closed_by = NULL, closed_at = NULL, counted = 0, next_at = :now::timestamptz, refused_by = NULL,
        decided_by = NULL,
        phone_id = (SELECT cp.phone_id FROM contact_phone cp WHERE cp.contact_id = c.id AND NOT cp.dead ORDER BY cp.place LIMIT 1)
    FROM locked
    WHERE c.base_id = locked.id AND c.state = 'closed' AND c.closed_by IN ('used_up', 'disposition')
        AND NOT EXISTS (SELECT FROM attempt_live l WHERE l.contact_id = c.id)
        AND EXISTS (SELECT FROM contact_phone cp WHERE cp.contact_id = c.id AND NOT cp.dead)
        AND CASE WHEN c.closed_by = 'disposition'
            THEN (SELECT d.code FROM disposition d WHERE d.contact_id = c.id ORDER BY d.saved_at DESC LIMIT 1) = ANY(:dispositions::text[])
            ELSE (SELECT a.outcome FROM attempt a WHERE a.contact_id = c.id ORDER BY a.sent_at DESC LIMIT 1) = ANY(:outcomes::text[]) END
    RETURNING c.id
), numbered AS (
    UPDATE base SET pass = locked.pass FROM locked WHERE base.id = locked.id
)
INSERT INTO base_pass (base_id, pass, started_at, started_by, outcomes, dispositions, contacts)
SELECT locked.id, locked.pass, :now::timestamptz, :user_id::bigint, :outcomes::text[], :dispositions::text[], (SELECT count(*) FROM again)
FROM locked
RETURNING pass, contacts;

-- name: pass_who
-- Whom a pass would call again now: used-up contacts by how their last attempt ended, closed ones by what was said last.
SELECT c.closed_by AS kind, c.word, count(*) AS contacts
FROM (
    SELECT c.closed_by, CASE c.closed_by
        WHEN 'disposition' THEN (SELECT d.code FROM disposition d WHERE d.contact_id = c.id ORDER BY d.saved_at DESC LIMIT 1)
        ELSE (SELECT a.outcome FROM attempt a WHERE a.contact_id = c.id ORDER BY a.sent_at DESC LIMIT 1) END AS word
    FROM contact c
    WHERE c.base_id = :base_id::bigint AND c.state = 'closed' AND c.closed_by IN ('used_up', 'disposition')
        AND NOT EXISTS (SELECT FROM attempt_live l WHERE l.contact_id = c.id)
        AND EXISTS (SELECT FROM contact_phone cp WHERE cp.contact_id = c.id AND NOT cp.dead)
) AS c
WHERE c.word IS NOT NULL
GROUP BY 1, 2
ORDER BY 3 DESC, 2;

-- name: pass_yield
-- What each pass brought: an attempt belongs to the pass in which it was sent.
WITH pass AS (
    SELECT id AS base_id, 1 AS pass, loaded_at AS started_at, rows_loaded AS contacts, '{}'::text[] AS outcomes,
        '{}'::text[] AS dispositions
    FROM base WHERE id = :base_id::bigint
    UNION ALL
    SELECT base_id, pass, started_at, contacts, outcomes, dispositions FROM base_pass WHERE base_id = :base_id::bigint
), spans AS (
    SELECT pass.*, CASE pass WHEN 1 THEN '-infinity' ELSE started_at END AS since,
        coalesce(lead(started_at) OVER (ORDER BY pass), 'infinity') AS until
    FROM pass
)
SELECT s.pass, s.started_at, s.contacts, s.outcomes, s.dispositions, count(a.attempt_id) AS attempts,
    count(DISTINCT a.contact_id) FILTER (WHERE a.connected_at IS NOT NULL) AS reached,
    count(d.attempt_id) FILTER (WHERE d.result) AS results
FROM spans s
LEFT JOIN attempt a ON a.contact_id IN (SELECT id FROM contact WHERE base_id = :base_id::bigint)
    AND a.sent_at >= s.since AND a.sent_at < s.until AND NOT a.came_in
LEFT JOIN disposition d ON d.attempt_id = a.attempt_id
GROUP BY s.pass, s.started_at, s.contacts, s.outcomes, s.dispositions
ORDER BY s.pass;
