-- Contacts that operators looked at before a call: what became of each look.

-- name: look_counts
-- By operator: how many looks ended in a period, and how.
SELECT e.operator_id, coalesce(u.name, '') AS name, count(*) AS looked, count(*) FILTER (WHERE e.how = 'called') AS called,
    count(*) FILTER (WHERE e.how = 'skipped') AS skipped, count(*) FILTER (WHERE e.how = 'expired') AS expired,
    count(*) FILTER (WHERE e.how = 'refused') AS refused, count(*) FILTER (WHERE e.how = 'returned') AS returned,
    extract(epoch FROM avg(e.ended_at - e.offered_at))::double precision AS look_s
FROM preview_end e LEFT JOIN app_user u ON u.id = e.operator_id
WHERE e.ended_at >= :since::timestamptz AND e.ended_at < :until::timestamptz
    AND (:campaign_ids::bigint[] IS NULL OR e.campaign_id = ANY(:campaign_ids::bigint[]))
    AND (:operator_id::bigint IS NULL OR e.operator_id = :operator_id::bigint)
GROUP BY e.operator_id, u.name
ORDER BY looked DESC, name, e.operator_id;

-- name: look_reasons
-- Why contacts were skipped in a period, the most usual reason first.
SELECT e.reason, count(*) AS skipped
FROM preview_end e
WHERE e.ended_at >= :since::timestamptz AND e.ended_at < :until::timestamptz AND e.how = 'skipped'
    AND (:campaign_ids::bigint[] IS NULL OR e.campaign_id = ANY(:campaign_ids::bigint[]))
    AND (:operator_id::bigint IS NULL OR e.operator_id = :operator_id::bigint)
GROUP BY e.reason
ORDER BY skipped DESC, e.reason;

-- name: look_list
-- Looks, the newest first, from under the last row of the page before; the id is that of the attempt a look led to.
SELECT e.preview_id, e.offered_at, e.ended_at, e.how, e.reason, e.contact_id, coalesce(c.name, '') AS contact,
    c.id IS NOT NULL AS known, k.name AS campaign, coalesce(u.name, '') AS operator
FROM preview_end e
JOIN campaign k ON k.id = e.campaign_id
LEFT JOIN contact c ON c.id = e.contact_id
LEFT JOIN app_user u ON u.id = e.operator_id
WHERE (:since::timestamptz IS NULL OR e.ended_at >= :since::timestamptz)
    AND (:until::timestamptz IS NULL OR e.ended_at < :until::timestamptz)
    AND (:campaign_ids::bigint[] IS NULL OR e.campaign_id = ANY(:campaign_ids::bigint[]))
    AND (:operator_id::bigint IS NULL OR e.operator_id = :operator_id::bigint)
    AND (:how::text IS NULL OR e.how = :how::text)
    AND (:reason::text IS NULL OR e.reason = :reason::text)
    AND (:at::timestamptz IS NULL OR (e.ended_at, e.preview_id) < (:at::timestamptz, :id::uuid))
ORDER BY e.ended_at DESC, e.preview_id DESC
LIMIT :limit::integer;
