-- migrate:up

-- Money: what the customer pays by the tariff, what the work costs, and days that are closed.
-- Amounts are exact: numeric, in parts of a currency unit of which an hour has as many as microseconds (3 600 000 000), so
-- that hours, minutes and pieces of any price add up without a remainder. Rounding is for whoever shows them.

-- ISO 4217, with the digits of the smallest unit.
CREATE TABLE currency (
    code text PRIMARY KEY CHECK (code ~ '^[A-Z]{3}$'),
    digits integer NOT NULL CHECK (digits BETWEEN 0 AND 4)
);
INSERT INTO currency (code, digits)
SELECT code, digits FROM (VALUES
    (0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'),
    (2, 'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU '
        'CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR '
        'KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK '
        'PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD '
        'USN UYU UZS VED VES WST XCD YER ZAR ZMW ZWG'),
    (3, 'BHD IQD JOD KWD LYD OMR TND'),
    (4, 'CLF UYW')) AS iso (digits, codes)
CROSS JOIN LATERAL string_to_table(iso.codes, ' ') AS code;

-- The one currency of a campaign.
CREATE FUNCTION currency_of(of_campaign bigint) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((SELECT currency FROM lead_rule WHERE campaign_id = of_campaign), 'RUB');
END $$;
-- Whoever sets prices, closes days, changes the currency or tells a revenue does so one after another; the last only
-- beside its like.
CREATE FUNCTION money_turn(of_campaign bigint) RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(661342, of_campaign::integer)
$$;

-- A price, from a day of the campaign's zone until the day from which the next of its kind is: two at once cannot be said.
-- It is never changed: what takes its place, or takes it back, leaves it in the history. One of a base is paid once, on its day.
CREATE TABLE price (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign_id bigint NOT NULL REFERENCES campaign,
    kind text NOT NULL CHECK (kind IN ('tariff_minute', 'tariff_conversation', 'tariff_lead', 'tariff_operator_hour', 'cost_operator_hour',
        'cost_paid_hour', 'cost_trunk_minute', 'cost_base', 'cost_base_contact', 'cost_letter', 'cost_month')),
    base_id bigint REFERENCES base,
    since date NOT NULL CHECK (since >= '2000-01-01' AND since < '2100-01-01'),
    amount numeric NOT NULL CHECK (amount >= 0 AND amount < 100000000000 AND scale(trim_scale(amount)) <= 6),
    currency text NOT NULL REFERENCES currency,
    first_s integer CHECK (first_s BETWEEN 1 AND 3600),   -- billed at least
    step_s integer CHECK (step_s BETWEEN 1 AND 3600),     -- and beyond that by so much
    made_at timestamptz NOT NULL DEFAULT now(),
    made_by bigint REFERENCES app_user,
    withdrawn_at timestamptz,
    withdrawn_by bigint REFERENCES app_user,
    CHECK ((kind = 'cost_base') = (base_id IS NOT NULL)),
    CHECK ((kind IN ('tariff_minute', 'cost_trunk_minute')) = (first_s IS NOT NULL)),
    CHECK ((first_s IS NULL) = (step_s IS NULL)),
    CHECK (withdrawn_at IS NOT NULL OR withdrawn_by IS NULL)
);
CREATE UNIQUE INDEX price_in_force ON price (campaign_id, kind, since) WHERE withdrawn_at IS NULL AND base_id IS NULL;
CREATE UNIQUE INDEX price_of_base ON price (base_id) WHERE withdrawn_at IS NULL AND base_id IS NOT NULL;
CREATE INDEX price_of_campaign ON price (campaign_id, id);

CREATE FUNCTION price_is_said() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.id, NEW.campaign_id, NEW.kind, NEW.base_id, NEW.since, NEW.amount, NEW.currency, NEW.first_s, NEW.step_s, NEW.made_at, NEW.made_by)
            IS DISTINCT FROM
            (OLD.id, OLD.campaign_id, OLD.kind, OLD.base_id, OLD.since, OLD.amount, OLD.currency, OLD.first_s, OLD.step_s, OLD.made_at, OLD.made_by)
            OR OLD.withdrawn_at IS NOT NULL THEN
            RAISE EXCEPTION 'a price stays as it was said' USING ERRCODE = 'check_violation', CONSTRAINT = 'price_is_said';
        END IF;
        RETURN NEW;
    END IF;
    PERFORM money_turn(NEW.campaign_id);
    IF NEW.currency <> currency_of(NEW.campaign_id) THEN
        RAISE EXCEPTION 'the money of this campaign is %', currency_of(NEW.campaign_id)
            USING ERRCODE = 'check_violation', CONSTRAINT = 'price_currency';
    END IF;
    IF NEW.base_id IS NOT NULL AND NOT EXISTS (SELECT FROM base WHERE id = NEW.base_id AND campaign_id = NEW.campaign_id) THEN
        RAISE EXCEPTION 'this base is of another campaign' USING ERRCODE = 'check_violation', CONSTRAINT = 'price_base';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER price_is_said BEFORE INSERT OR UPDATE ON price FOR EACH ROW EXECUTE FUNCTION price_is_said();
CREATE TRIGGER never_deleted BEFORE DELETE ON price FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();

-- Days that are closed, one after the other without a gap: each keeps the prices it was counted by. Revision 0 is the
-- closing; later ones hold what facts that came after it added, by the same prices.
CREATE TABLE money_day (
    campaign_id bigint NOT NULL REFERENCES campaign,
    day date NOT NULL,
    revision integer NOT NULL DEFAULT 0 CHECK (revision >= 0),
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    prices bigint[] NOT NULL,
    currency text NOT NULL REFERENCES currency,
    cost numeric NOT NULL,
    revenue numeric NOT NULL,
    closed_at timestamptz NOT NULL DEFAULT now(),
    closed_by bigint REFERENCES app_user,           -- null: the service, by night
    PRIMARY KEY (campaign_id, day, revision),
    UNIQUE (campaign_id, until, revision),
    CHECK (until > since)
);
-- Their amounts, hour by hour: in total, and by operator, base and so on; a price with how much of what it was paid for.
CREATE TABLE money (
    campaign_id bigint NOT NULL,
    dim text NOT NULL,
    hour timestamptz NOT NULL,
    key text NOT NULL,
    price_id bigint NOT NULL REFERENCES price,
    revision integer NOT NULL DEFAULT 0,
    quantity numeric NOT NULL,
    amount numeric NOT NULL,
    PRIMARY KEY (campaign_id, dim, hour, key, price_id, revision)
);
CREATE TRIGGER closing_is_a_fact BEFORE UPDATE OR DELETE ON money_day FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER money_is_a_fact BEFORE UPDATE OR DELETE ON money FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE FUNCTION money_day_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.revision = 0 AND NEW.since <> coalesce((SELECT max(until) FROM money_day WHERE campaign_id = NEW.campaign_id), NEW.since) THEN
        RAISE EXCEPTION 'a day is closed after the one before' USING ERRCODE = 'check_violation', CONSTRAINT = 'money_day_follows';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER money_day_follows BEFORE INSERT ON money_day FOR EACH ROW EXECUTE FUNCTION money_day_follows();

-- Once there is money in it, a campaign's currency stays; a lead's revenue is in the currency of the day it was told.
CREATE FUNCTION currency_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before text := currency_of(NEW.campaign_id);
BEGIN
    IF NEW.currency = before THEN
        RETURN NEW;
    END IF;
    PERFORM money_turn(NEW.campaign_id);
    IF EXISTS (SELECT FROM price WHERE campaign_id = NEW.campaign_id AND withdrawn_at IS NULL)
        OR EXISTS (SELECT FROM money_day WHERE campaign_id = NEW.campaign_id)
        OR EXISTS (SELECT FROM lead WHERE campaign_id = NEW.campaign_id AND revenue IS NOT NULL) THEN
        RAISE EXCEPTION 'the money of this campaign is %', before USING ERRCODE = 'check_violation', CONSTRAINT = 'currency_stays';
    END IF;
    IF NOT EXISTS (SELECT FROM currency WHERE code = NEW.currency) THEN
        RAISE EXCEPTION '% is no currency', NEW.currency USING ERRCODE = 'check_violation', CONSTRAINT = 'currency_known';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER currency_stays BEFORE INSERT OR UPDATE OF currency ON lead_rule FOR EACH ROW EXECUTE FUNCTION currency_stays();
CREATE FUNCTION revenue_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(661342, NEW.campaign_id::integer);
    NEW.currency := currency_of(NEW.campaign_id);
    RETURN NEW;
END $$;
CREATE TRIGGER revenue_told BEFORE UPDATE OF revenue ON lead FOR EACH ROW
    WHEN (old.revenue IS NULL AND new.revenue IS NOT NULL) EXECUTE FUNCTION revenue_told();
CREATE INDEX letter_sent ON letter (campaign_id, sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX base_of_time ON base (campaign_id, loaded_at);

-- Seconds a carrier bills for a call by its step: 60/60 whole minutes, 1/1 seconds, 30/6 half a minute and then sixes.
CREATE FUNCTION billed_s(duration interval, first_s integer, step_s integer) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
    SELECT first_s + step_s * ceil(greatest(extract(epoch FROM duration) - first_s, 0) / step_s)
$$;
-- Part `place` of an amount that is spread over `places`, in whole smallest units: all parts together are the amount.
CREATE FUNCTION money_share(amount numeric, place bigint, places bigint, digits integer) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
    SELECT round(amount * place / places, digits) - round(amount * (place - 1) / places, digits)
$$;
-- The hours of a date, in order: 23 to 25 where clocks change.
CREATE FUNCTION day_hours(of_day date, zone text) RETURNS TABLE (hour timestamptz, place bigint, places bigint) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT h.hour, row_number() OVER (ORDER BY h.hour), count(*) OVER ()
    FROM (
        SELECT DISTINCT date_trunc('hour', q.at, zone) AS hour
        FROM generate_series(of_day::timestamp AT TIME ZONE zone - interval '2 hours', of_day::timestamp AT TIME ZONE zone + interval '27 hours',
            interval '15 minutes') AS q (at)
    ) AS h
    WHERE kpi_date(h.hour, zone) = of_day;
END $$;

-- The price of each kind that holds on each date: of those that were given, else of those not taken back.
CREATE FUNCTION price_days(of_campaign bigint, first date, last date, given bigint[]) RETURNS TABLE (day date, id bigint, kind text,
    amount numeric, first_s integer, step_s integer) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT g.day::date, p.id, p.kind, p.amount, p.first_s, p.step_s
    FROM generate_series(first::timestamp, last::timestamp, interval '1 day') AS g (day)
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (x.kind) x.* FROM price AS x
        WHERE x.campaign_id = of_campaign AND x.base_id IS NULL AND x.since <= g.day::date
            AND (x.id = ANY(given) OR (given IS NULL AND x.withdrawn_at IS NULL))
        ORDER BY x.kind, x.since DESC, x.id DESC
    ) AS p;
END $$;

-- What the hours that begin in a time cost and bring, as facts and prices say: for each row of `kpi_places` and price how much
-- was paid for (microseconds, billed seconds, pieces, hours of a month) and the amount.
CREATE FUNCTION money_count(of_campaign bigint, begins timestamptz, ends timestamptz, given bigint[])
    RETURNS TABLE (dim text, hour timestamptz, key text, price_id bigint, quantity numeric, amount numeric) LANGUAGE plpgsql STABLE AS $$
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
        SELECT h.hour, a.base_id, a.operator_id, a.script, a.caller_number, a.number, a.region, p.id,
            sum(billed_s(a.ended_at - CASE p.kind WHEN 'tariff_minute' THEN a.connected_at ELSE a.answered_at END, p.first_s, p.step_s)) AS quantity
        FROM attempt AS a
        CROSS JOIN LATERAL (SELECT date_trunc('hour', a.sent_at, its_zone) AS hour) AS h
        JOIN p ON p.day = kpi_date(h.hour, its_zone)
            AND (p.kind = 'cost_trunk_minute' OR (p.kind = 'tariff_minute' AND a.outcome = 'connected'))
        WHERE a.campaign_id = of_campaign AND a.answered_at IS NOT NULL AND a.sent_at >= begins AND a.sent_at < ends + interval '2 hours'
            AND h.hour >= begins AND h.hour < ends
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
    ), letters AS (
        SELECT h.hour, d.base_id, d.operator_id, d.script, d.caller_number, d.number, d.region, d.code, d.reason, p.id, count(*)::numeric AS quantity
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
        UNION ALL
        SELECT place.dim, l.hour, place.key, l.id, l.quantity
        FROM letters AS l CROSS JOIN LATERAL kpi_places(of_campaign, l.base_id, l.operator_id, l.script, l.caller_number, l.number, l.region,
            l.code, l.reason) AS place
        UNION ALL
        SELECT place.dim, b.hour, place.key, b.id, b.quantity
        FROM bases AS b CROSS JOIN LATERAL (VALUES ('total', ''), ('base', b.base_id::text)) AS place (dim, key)
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
            AND r.dim IN ('total', 'operator', 'base', 'script', 'caller', 'number', 'region', 'code', 'reason')
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
    WHERE p.kind = 'cost_month' AND h.hour >= begins AND h.hour < ends;
END $$;

-- The amounts of some campaigns in one kind of row: as they were closed, then as facts and prices say.
CREATE FUNCTION money_rows(campaigns bigint[], of_dim text, begins timestamptz, ends timestamptz)
    RETURNS TABLE (campaign_id bigint, hour timestamptz, key text, price_id bigint, quantity numeric, amount numeric)
    LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT m.campaign_id, m.hour, m.key, m.price_id, m.quantity, m.amount
    FROM money AS m WHERE m.campaign_id = ANY(campaigns) AND m.dim = of_dim AND m.hour >= begins AND m.hour < ends
    UNION ALL
    SELECT c.id, o.hour, o.key, o.price_id, o.quantity, o.amount
    FROM campaign AS c
    CROSS JOIN LATERAL money_count(c.id, greatest(begins, (SELECT max(d.until) FROM money_day AS d WHERE d.campaign_id = c.id)), ends, NULL) AS o
    WHERE c.id = ANY(campaigns) AND o.dim = of_dim;
END $$;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
