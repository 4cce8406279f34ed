-- Money of open days is counted for the breakdown that is asked for, not for all nine.

-- migrate:up

DROP FUNCTION money_count(bigint, timestamp with time zone, timestamp with time zone, bigint[]);

CREATE FUNCTION money_count(of_campaign bigint, begins timestamp with time zone, ends timestamp with time zone, given bigint[], of_dim text DEFAULT NULL)
    RETURNS TABLE(dim text, hour timestamp with time zone, key text, price_id bigint, quantity numeric, amount numeric)
    LANGUAGE plpgsql STABLE
    AS $$
#variable_conflict use_column
DECLARE
    its_zone text := (SELECT c.zone FROM campaign AS c WHERE c.id = of_campaign);
    its_digits integer := (SELECT c.digits FROM currency AS c WHERE c.code = currency_of(of_campaign));
    first_day date := kpi_date(begins, its_zone) - 1;
    last_day date := kpi_date(ends, its_zone);
BEGIN
    IF ends <= begins OR NOT EXISTS (SELECT FROM price AS p WHERE p.campaign_id = of_campaign AND p.since <= last_day
            AND (p.id = ANY(given) OR (given IS NULL AND p.withdrawn_at IS NULL))) THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH p AS MATERIALIZED (
        SELECT * FROM price_days(of_campaign, first_day, last_day, given)
    ), calls AS (
        SELECT h.hour,
            CASE WHEN coalesce(of_dim, 'base') = 'base' THEN a.base_id END AS base_id,
            CASE WHEN coalesce(of_dim, 'operator') = 'operator' THEN a.operator_id END AS operator_id,
            CASE WHEN coalesce(of_dim, 'script') = 'script' THEN a.script END AS script,
            CASE WHEN coalesce(of_dim, 'caller') = 'caller' THEN a.caller_number END AS caller_number,
            CASE WHEN coalesce(of_dim, 'number') = 'number' THEN a.number END AS number,
            CASE WHEN coalesce(of_dim, 'region') = 'region' THEN a.region END AS region,
            p.id, sum(billed_s(a.ended_at - CASE p.kind WHEN 'tariff_minute' THEN a.connected_at ELSE a.answered_at END, p.first_s, p.step_s)) AS quantity
        FROM attempt AS a
        CROSS JOIN LATERAL (SELECT date_trunc('hour', a.sent_at, its_zone) AS hour) AS h
        JOIN p ON p.day = kpi_date(h.hour, its_zone)
            AND (p.kind = 'cost_trunk_minute' OR (p.kind = 'tariff_minute' AND a.outcome = 'connected'))
        WHERE a.campaign_id = of_campaign AND a.answered_at IS NOT NULL AND a.sent_at >= begins AND a.sent_at < ends + interval '2 hours'
            AND h.hour >= begins AND h.hour < ends
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
    ), letters AS (
        SELECT h.hour,
            CASE WHEN coalesce(of_dim, 'base') = 'base' THEN d.base_id END AS base_id,
            CASE WHEN coalesce(of_dim, 'operator') = 'operator' THEN d.operator_id END AS operator_id,
            CASE WHEN coalesce(of_dim, 'script') = 'script' THEN d.script END AS script,
            CASE WHEN coalesce(of_dim, 'caller') = 'caller' THEN d.caller_number END AS caller_number,
            CASE WHEN coalesce(of_dim, 'number') = 'number' THEN d.number END AS number,
            CASE WHEN coalesce(of_dim, 'region') = 'region' THEN d.region END AS region,
            CASE WHEN coalesce(of_dim, 'code') = 'code' THEN d.code END AS code,
            CASE WHEN coalesce(of_dim, 'reason') = 'reason' THEN d.reason END AS reason,
            p.id, count(*)::numeric AS quantity
        FROM letter AS l
        JOIN disposition AS d ON d.attempt_id = l.attempt_id
        CROSS JOIN LATERAL (SELECT date_trunc('hour', l.sent_at, its_zone) AS hour) AS h
        JOIN p ON p.day = kpi_date(h.hour, its_zone) AND p.kind = 'cost_letter'
        WHERE l.campaign_id = of_campaign AND l.sent_at >= begins AND l.sent_at < ends + interval '2 hours' AND h.hour >= begins AND h.hour < ends
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
    ), bases AS (
        SELECT h.hour, b.id AS base_id, p.id, b.rows_loaded::numeric AS quantity
        FROM base AS b
        CROSS JOIN LATERAL (SELECT date_trunc('hour', b.loaded_at, its_zone) AS hour) AS h
        JOIN p ON p.day = kpi_date(h.hour, its_zone) AND p.kind = 'cost_base_contact'
        WHERE b.campaign_id = of_campaign AND NOT b.by_hand AND b.undone_at IS NULL AND b.rows_loaded > 0
            AND b.loaded_at >= begins AND b.loaded_at < ends + interval '2 hours' AND h.hour >= begins AND h.hour < ends
        UNION ALL
        SELECT h.hour, x.base_id, x.id, 1
        FROM price AS x CROSS JOIN LATERAL day_hours(x.since, its_zone) AS h
        WHERE x.campaign_id = of_campaign AND x.base_id IS NOT NULL AND (x.id = ANY(given) OR (given IS NULL AND x.withdrawn_at IS NULL))
            AND x.since BETWEEN first_day AND last_day AND h.place = 1 AND h.hour >= begins AND h.hour < ends
    ), parts AS (
        SELECT place.dim, c.hour, place.key, c.id, c.quantity
        FROM calls AS c CROSS JOIN LATERAL kpi_places(of_campaign, c.base_id, c.operator_id, c.script, c.caller_number, c.number, c.region,
            NULL, NULL) AS place
        WHERE place.dim = coalesce(of_dim, place.dim)
        UNION ALL
        SELECT place.dim, l.hour, place.key, l.id, l.quantity
        FROM letters AS l CROSS JOIN LATERAL kpi_places(of_campaign, l.base_id, l.operator_id, l.script, l.caller_number, l.number, l.region,
            l.code, l.reason) AS place
        WHERE place.dim = coalesce(of_dim, place.dim)
        UNION ALL
        SELECT place.dim, b.hour, place.key, b.id, b.quantity
        FROM bases AS b CROSS JOIN LATERAL (VALUES ('total', ''), ('base', b.base_id::text)) AS place (dim, key)
        WHERE place.dim = coalesce(of_dim, place.dim)
        UNION ALL
        SELECT r.dim, r.hour, r.key, p.id, CASE p.kind
                WHEN 'tariff_conversation' THEN r.connected
                WHEN 'tariff_lead' THEN r.leads_accepted
                WHEN 'cost_paid_hour' THEN r.ready_us + r.ringing_us + r.preview_us + r.talk_us + r.wrap_up_us + r.paused_us
                ELSE r.ready_us + r.ringing_us + r.preview_us + r.talk_us + r.wrap_up_us END::numeric
        FROM kpi_row AS r
        JOIN p ON p.day = kpi_date(r.hour, its_zone) AND p.kind IN ('tariff_conversation', 'tariff_lead', 'tariff_operator_hour',
            'cost_operator_hour', 'cost_paid_hour')
        WHERE r.campaign_id = of_campaign AND r.hour >= begins AND r.hour < ends
            AND r.dim = ANY(CASE WHEN of_dim IS NULL
                THEN ARRAY['total', 'operator', 'base', 'script', 'caller', 'number', 'region', 'code', 'reason'] ELSE ARRAY[of_dim] END)
    ), summed AS (
        SELECT x.dim, x.hour, x.key, x.id, sum(x.quantity) AS quantity FROM parts AS x GROUP BY 1, 2, 3, 4
    )
    SELECT s.dim, s.hour, s.key, s.id, s.quantity, s.quantity * q.amount * CASE q.kind
            WHEN 'cost_operator_hour' THEN 1 WHEN 'cost_paid_hour' THEN 1 WHEN 'tariff_operator_hour' THEN 1
            WHEN 'cost_trunk_minute' THEN 60000000 WHEN 'tariff_minute' THEN 60000000 ELSE 3600000000 END
    FROM summed AS s JOIN price AS q ON q.id = s.id
    WHERE s.quantity <> 0
    UNION ALL
    SELECT 'total', h.hour, '', p.id, 1::numeric, 3600000000 * money_share(
        money_share(p.amount, extract(day FROM p.day)::bigint,
            extract(day FROM date_trunc('month', p.day::timestamp) + interval '1 month' - interval '1 day')::bigint, its_digits),
        h.place, h.places, its_digits)
    FROM p CROSS JOIN LATERAL day_hours(p.day, its_zone) AS h
    WHERE p.kind = 'cost_month' AND coalesce(of_dim, 'total') = 'total' AND h.hour >= begins AND h.hour < ends;
END $$;

CREATE OR REPLACE FUNCTION money_rows(campaigns bigint[], of_dim text, begins timestamp with time zone, ends timestamp with time zone) RETURNS TABLE(campaign_id bigint, hour timestamp with time zone, key text, price_id bigint, quantity numeric, amount numeric)
    LANGUAGE plpgsql STABLE
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT m.campaign_id, m.hour, m.key, m.price_id, m.quantity, m.amount
    FROM money AS m WHERE m.campaign_id = ANY(campaigns) AND m.dim = of_dim AND m.hour >= begins AND m.hour < ends
    UNION ALL
    SELECT c.id, o.hour, o.key, o.price_id, o.quantity, o.amount
    FROM campaign AS c
    CROSS JOIN LATERAL money_count(c.id, greatest(begins, (SELECT max(d.until) FROM money_day AS d WHERE d.campaign_id = c.id)), ends, NULL,
        of_dim) AS o
    WHERE c.id = ANY(campaigns);
END $$;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
