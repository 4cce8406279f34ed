-- Money: prices, days that are closed, and what both give. Amounts are in parts of a currency unit (3 600 000 000 of them).

-- name: money_turn
-- One after another: whoever sets a price, closes a day, or changes the currency.
SELECT money_turn(:campaign_id::bigint);

-- name: money_rule
-- Zone and currency of a campaign, and up to when its days are closed.
SELECT c.zone, y.code AS currency, y.digits, (SELECT max(d.until) FROM money_day d WHERE d.campaign_id = c.id) AS closed_until,
    (SELECT max(d.day) FROM money_day d WHERE d.campaign_id = c.id) AS closed_day, kpi_date(:now::timestamptz, c.zone) AS today
FROM campaign c JOIN currency y ON y.code = currency_of(c.id)
WHERE c.id = :campaign_id::bigint;

-- name: price_list
-- All prices ever said for a campaign, the newest first; `until` is the day from which another one holds.
SELECT p.id, p.kind, p.base_id, coalesce(b.name, '') AS base, p.since, p.amount, p.currency, p.first_s, p.step_s, p.made_at,
    coalesce(m.name, '') AS made_by, p.withdrawn_at, coalesce(w.name, '') AS withdrawn_by,
    CASE WHEN p.withdrawn_at IS NULL AND p.base_id IS NULL THEN (
        SELECT min(n.since) FROM price n
        WHERE n.campaign_id = p.campaign_id AND n.kind = p.kind AND n.since > p.since AND n.withdrawn_at IS NULL) END AS until
FROM price p LEFT JOIN base b ON b.id = p.base_id LEFT JOIN app_user m ON m.id = p.made_by LEFT JOIN app_user w ON w.id = p.withdrawn_by
WHERE p.campaign_id = :campaign_id::bigint AND (:tariff_only::boolean IS NOT TRUE OR p.kind LIKE 'tariff%')
ORDER BY p.id DESC LIMIT :limit::integer;

-- name: price_same
-- The price whose place another one takes: of the same kind from the same day, or of the same base.
SELECT id, amount, first_s, step_s, since FROM price
WHERE campaign_id = :campaign_id::bigint AND kind = :kind::text AND withdrawn_at IS NULL
    AND CASE WHEN :base_id::bigint IS NULL THEN base_id IS NULL AND since = :since::date ELSE base_id = :base_id::bigint END;

-- name: price_add
-- From now on it is said.
INSERT INTO price (campaign_id, kind, base_id, since, amount, currency, first_s, step_s, made_at, made_by)
VALUES (:campaign_id::bigint, :kind::text, :base_id::bigint, :since::date, :amount::numeric, :currency::text, :first_s::integer,
    :step_s::integer, :now::timestamptz, :by::bigint)
RETURNING id;

-- name: price_withdraw
-- It holds no longer, but for days that were closed with it.
UPDATE price SET withdrawn_at = :now::timestamptz, withdrawn_by = :by::bigint
WHERE id = :id::bigint AND campaign_id = :campaign_id::bigint AND withdrawn_at IS NULL
RETURNING kind, amount, since;

-- name: money_next
-- The stretch that is closed next: to the end of the first day that is not closed, with the prices of its dates. None
-- before there is a price.
WITH last AS (
    SELECT c.id, c.zone, d.day, d.until, (SELECT min(p.since) FROM price p WHERE p.campaign_id = c.id AND p.withdrawn_at IS NULL) AS first
    FROM campaign c LEFT JOIN LATERAL (
        SELECT day, until FROM money_day WHERE campaign_id = c.id ORDER BY until DESC LIMIT 1) AS d ON true
    WHERE c.id = :campaign_id::bigint
), next AS (
    SELECT id, zone, until, coalesce(greatest(day + 1, kpi_date(until, zone)), first) AS day FROM last WHERE coalesce(day, first) IS NOT NULL
), stretch AS (
    SELECT n.id, n.zone, n.day, coalesce(n.until, (SELECT min(h.hour) FROM day_hours(n.day, n.zone) AS h)) AS since,
        (SELECT min(h.hour) FROM day_hours(n.day + 1, n.zone) AS h) AS until
    FROM next AS n
)
SELECT s.day, s.since, s.until, ARRAY(
        SELECT p.id FROM price_days(s.id, kpi_date(s.since, s.zone), s.day, NULL) AS p
        UNION SELECT p.id FROM price p WHERE p.campaign_id = s.id AND p.base_id IS NOT NULL AND p.withdrawn_at IS NULL
            AND p.since BETWEEN kpi_date(s.since, s.zone) AND s.day) AS prices,
    EXISTS (SELECT FROM kpi_stale k WHERE k.campaign_id = s.id) AS stale
FROM stretch AS s;

-- name: money_close
-- Close a stretch: its amounts and its prices are kept.
WITH counted AS MATERIALIZED (
    SELECT * FROM money_count(:campaign_id::bigint, :since::timestamptz, :until::timestamptz, :prices::bigint[])
), kept AS (
    INSERT INTO money (campaign_id, dim, hour, key, price_id, quantity, amount)
    SELECT :campaign_id::bigint, dim, hour, key, price_id, quantity, amount FROM counted
)
INSERT INTO money_day (campaign_id, day, since, until, prices, currency, cost, revenue, closed_at, closed_by)
SELECT :campaign_id::bigint, :day::date, :since::timestamptz, :until::timestamptz, :prices::bigint[], currency_of(:campaign_id::bigint),
    coalesce(sum(c.amount) FILTER (WHERE p.kind LIKE 'cost%'), 0), coalesce(sum(c.amount) FILTER (WHERE p.kind LIKE 'tariff%'), 0),
    :now::timestamptz, :by::bigint
FROM (SELECT * FROM counted WHERE dim = 'total') AS c JOIN price p ON p.id = c.price_id
RETURNING cost, revenue;

-- name: money_settle
-- What facts that came after a day was closed add to it, by its own prices, as the next revision; none if nothing came.
WITH day AS (
    SELECT d.*, (SELECT max(x.revision) + 1 FROM money_day x WHERE x.campaign_id = d.campaign_id AND x.day = d.day) AS next
    FROM money_day d WHERE d.campaign_id = :campaign_id::bigint AND d.day = :day::date AND d.revision = 0
), counted AS MATERIALIZED (
    SELECT c.* FROM day AS d CROSS JOIN LATERAL money_count(d.campaign_id, d.since, d.until, d.prices) AS c
), held AS MATERIALIZED (
    SELECT m.dim, m.hour, m.key, m.price_id, sum(m.quantity) AS quantity, sum(m.amount) AS amount
    FROM day AS d JOIN money m ON m.campaign_id = d.campaign_id AND m.hour >= d.since AND m.hour < d.until
    GROUP BY 1, 2, 3, 4
), late AS MATERIALIZED (
    SELECT dim, hour, key, price_id, coalesce(c.quantity, 0) - coalesce(h.quantity, 0) AS quantity,
        coalesce(c.amount, 0) - coalesce(h.amount, 0) AS amount
    FROM counted AS c FULL JOIN held AS h USING (dim, hour, key, price_id)
    WHERE (c.quantity, c.amount) IS DISTINCT FROM (h.quantity, h.amount)
), kept AS (
    INSERT INTO money (campaign_id, dim, hour, key, price_id, revision, quantity, amount)
    SELECT d.campaign_id, l.dim, l.hour, l.key, l.price_id, d.next, l.quantity, l.amount FROM day AS d CROSS JOIN late AS l
)
INSERT INTO money_day (campaign_id, day, revision, since, until, prices, currency, cost, revenue, closed_at)
SELECT d.campaign_id, d.day, d.next, d.since, d.until, d.prices, d.currency,
    coalesce(sum(l.amount) FILTER (WHERE l.dim = 'total' AND p.kind LIKE 'cost%'), 0),
    coalesce(sum(l.amount) FILTER (WHERE l.dim = 'total' AND p.kind LIKE 'tariff%'), 0), :now::timestamptz
FROM day AS d CROSS JOIN late AS l JOIN price p ON p.id = l.price_id
GROUP BY d.campaign_id, d.day, d.next, d.since, d.until, d.prices, d.currency
RETURNING revision, cost, revenue;

-- name: money_due
-- Campaigns with a price: their days are to be closed.
SELECT DISTINCT campaign_id FROM price WHERE withdrawn_at IS NULL ORDER BY 1;

-- name: money_lately
-- The last days of a campaign that are closed.
SELECT day FROM money_day WHERE campaign_id = :campaign_id::bigint AND revision = 0 AND until > :since::timestamptz ORDER BY day;

-- name: money_days
-- Closed days of a campaign, the last first, each revision by itself.
SELECT d.day, d.revision, d.since, d.until, d.currency, d.cost, d.revenue, d.closed_at, coalesce(u.name, '') AS closed_by
FROM money_day d LEFT JOIN app_user u ON u.id = d.closed_by
WHERE d.campaign_id = :campaign_id::bigint
ORDER BY d.until DESC, d.revision DESC LIMIT :limit::integer;

-- name: money_sides
-- Of these campaigns: currencies, and whether any price of a tariff, and any of costs, was ever in force.
SELECT currency_of(c.id) AS currency, y.digits,
    bool_or(EXISTS (SELECT FROM price p WHERE p.campaign_id = c.id AND p.kind LIKE 'tariff%'
        AND (p.withdrawn_at IS NULL OR EXISTS (SELECT FROM money_day d WHERE d.campaign_id = c.id AND p.id = ANY(d.prices))))) AS tariff,
    bool_or(EXISTS (SELECT FROM price p WHERE p.campaign_id = c.id AND p.kind LIKE 'cost%'
        AND (p.withdrawn_at IS NULL OR EXISTS (SELECT FROM money_day d WHERE d.campaign_id = c.id AND p.id = ANY(d.prices))))) AS cost,
    bool_or(EXISTS (SELECT FROM lead l WHERE l.campaign_id = c.id AND l.revenue IS NOT NULL)) AS orders,
    array_agg(c.id) AS campaigns
FROM campaign c JOIN currency y ON y.code = currency_of(c.id)
WHERE :campaigns::bigint[] IS NULL OR c.id = ANY(:campaigns::bigint[])
GROUP BY 1, 2;

-- name: money_sums
-- What hours that begin in a period cost and bring, by kind of price.
SELECT kpi_bucket(:per::text, m.hour, k.zone) AS bucket,
    CASE :by::text WHEN 'campaign' THEN m.campaign_id::text WHEN 'customer' THEN k.customer_id::text WHEN '' THEN '' WHEN 'total' THEN ''
        ELSE m.key END AS who,
    currency_of(m.campaign_id) AS currency, p.kind, sum(m.amount) AS amount
FROM money_rows(:campaigns::bigint[], :dim::text, :since::timestamptz, least(:until::timestamptz, :now::timestamptz)) AS m
JOIN campaign k ON k.id = m.campaign_id JOIN price p ON p.id = m.price_id
WHERE (:key::text IS NULL OR m.key = :key::text) AND (:tariff_only::boolean IS NOT TRUE OR p.kind LIKE 'tariff%')
GROUP BY 1, 2, 3, 4;

-- name: money_orders
-- What clients bought, by when they became clients.
SELECT kpi_bucket(:per::text, h.hour, k.zone) AS bucket,
    kpi_who(:by::text, l.campaign_id, k.customer_id, d.base_id, l.operator_id, d.script, d.caller_number, d.number, d.region, d.code,
        d.reason) AS who,
    l.currency, sum(l.revenue) AS amount
FROM lead l JOIN campaign k ON k.id = l.campaign_id JOIN disposition d ON d.attempt_id = l.attempt_id
CROSS JOIN LATERAL (SELECT date_trunc('hour', l.client_at, k.zone) AS hour) AS h
WHERE l.campaign_id = ANY(:campaigns::bigint[]) AND l.revenue IS NOT NULL AND l.client_at >= :since::timestamptz
    AND l.client_at < :until::timestamptz + interval '2 hours' AND h.hour >= :since::timestamptz AND h.hour < :until::timestamptz
    AND (:operator_id::bigint IS NULL OR l.operator_id = :operator_id::bigint) AND (:by::text <> 'reason' OR d.reason IS NOT NULL)
GROUP BY 1, 2, 3;

-- name: money_made_of
-- Price by price what a period of a campaign is made of: how much was paid for, and the amount.
SELECT p.id, p.kind, p.base_id, coalesce(b.name, '') AS base, p.since, p.amount AS price, p.first_s, p.step_s, sum(m.quantity) AS quantity,
    sum(m.amount) AS amount
FROM money_rows(ARRAY[:campaign_id::bigint], CASE WHEN :operator_id::bigint IS NULL THEN 'total' ELSE 'operator' END, :since::timestamptz,
    least(:until::timestamptz, :now::timestamptz)) AS m
JOIN price p ON p.id = m.price_id LEFT JOIN base b ON b.id = p.base_id
WHERE (:operator_id::bigint IS NULL OR m.key = :operator_id::bigint::text)
    AND (:tariff_only::boolean IS NOT TRUE OR p.kind LIKE 'tariff%')
GROUP BY 1, 2, 3, 4 ORDER BY p.kind, p.since, p.id;

-- name: money_as_if
-- The same of one day, by the prices said now, closed or not: for a rehearsal.
SELECT p.id, p.kind, p.base_id, coalesce(b.name, '') AS base, p.since, p.amount AS price, p.first_s, p.step_s, sum(m.quantity) AS quantity,
    sum(m.amount) AS amount
FROM campaign c
CROSS JOIN LATERAL money_count(c.id, (SELECT min(h.hour) FROM day_hours(:day::date, c.zone) AS h),
    (SELECT min(h.hour) FROM day_hours(:day::date + 1, c.zone) AS h), NULL, 'total') AS m
JOIN price p ON p.id = m.price_id LEFT JOIN base b ON b.id = p.base_id
WHERE c.id = :campaign_id::bigint
GROUP BY 1, 2, 3, 4 ORDER BY p.kind, p.since, p.id;
