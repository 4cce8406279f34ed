-- Segments: who refused, by disposition and reason, to be called by another campaign of the customer.

-- name: segment_counts
-- What was said last of the contacts of a campaign, where that was a refusal.
WITH last AS (
    SELECT DISTINCT ON (d.contact_id) d.contact_id, d.code, d.reason
    FROM disposition d WHERE d.campaign_id = :campaign_id::bigint
    ORDER BY d.contact_id, d.saved_at DESC
)
SELECT k.code, k.name_ru, k.name_en, last.reason, count(*) AS contacts
FROM last JOIN disposition_kind k ON k.campaign_id = :campaign_id::bigint AND k.code = last.code
WHERE k.refusal
GROUP BY k.code, k.name_ru, k.name_en, k.place, last.reason
ORDER BY k.place, contacts DESC, last.reason;

-- name: segment_found
-- Each contact of a segment, who refused last first, with what becomes of it where no number of it comes twice.
WITH last AS (
    SELECT DISTINCT ON (d.contact_id) d.contact_id, d.code, d.reason, d.saved_at
    FROM disposition d WHERE d.campaign_id = :campaign_id::bigint
    ORDER BY d.contact_id, d.saved_at DESC
), segment AS (
    SELECT c.id, c.state, c.closed_by, lane.zones, lane.countries, lane.priority, last.saved_at,
        ARRAY(SELECT x.phone_id FROM contact_phone x WHERE x.contact_id = c.id AND NOT x.dead) AS phones
    FROM last JOIN disposition_kind k ON k.campaign_id = :campaign_id::bigint AND k.code = last.code
    JOIN contact c ON c.id = last.contact_id JOIN lane ON lane.id = c.lane_id
    WHERE k.refusal AND (:code::text IS NULL OR last.code = :code::text) AND (:reason::text IS NULL OR last.reason = :reason::text)
        AND (:since::timestamptz IS NULL OR last.saved_at >= :since::timestamptz)
        AND (:until::timestamptz IS NULL OR last.saved_at < :until::timestamptz)
)
SELECT s.id, s.zones, s.countries, s.priority, s.phones,
    CASE
        WHEN s.closed_by = 'erased' THEN 'erased'
        WHEN s.state = 'open' THEN 'open'
        WHEN cardinality(s.phones) = 0 THEN 'dead'
        WHEN NOT EXISTS (
            SELECT FROM contact_phone x
            WHERE x.contact_id = s.id AND NOT x.dead AND NOT EXISTS (
                SELECT FROM do_not_call n
                WHERE n.phone_id = x.phone_id AND (n.scope = 'global' OR n.customer_id = :customer_id::bigint
                    OR n.campaign_id = :target_id::bigint))
        ) THEN 'do_not_call'
        WHEN EXISTS (
            SELECT FROM contact_phone x JOIN contact_phone y USING (phone_id) JOIN contact o ON o.id = y.contact_id
            WHERE x.contact_id = s.id AND o.campaign_id = :target_id::bigint
        ) THEN 'in_campaign'
        ELSE 'loaded'
    END AS verdict
FROM segment s
ORDER BY s.saved_at DESC, s.id;

-- name: segment_lane
-- Where contacts of these zones and countries stand in the new base.
INSERT INTO lane (base_id, campaign_id, zones, countries, priority)
VALUES (:base_id::bigint, :campaign_id::bigint, :zones::text[], :countries::text[], :priority::integer)
RETURNING id;

-- name: segment_contacts
-- The same people under the same numbers, linked to whom they come from.
INSERT INTO contact (base_id, campaign_id, row_number, name, attributes, lane_id, phone_id, origin_id)
SELECT :base_id::bigint, :campaign_id::bigint, given.row_number, c.name, c.attributes, given.lane_id, (
        SELECT x.phone_id FROM contact_phone x WHERE x.contact_id = c.id AND NOT x.dead ORDER BY x.place LIMIT 1
    ), c.id
FROM unnest(:contacts::bigint[], :lanes::bigint[]) WITH ORDINALITY AS given (contact_id, lane_id, row_number)
JOIN contact c ON c.id = given.contact_id;

-- name: segment_numbers
-- All their numbers in the same order, dead ones too.
INSERT INTO contact_phone (contact_id, place, phone_id, dead)
SELECT c.id, x.place, x.phone_id, x.dead
FROM contact c JOIN contact_phone x ON x.contact_id = c.origin_id
WHERE c.base_id = :base_id::bigint;
