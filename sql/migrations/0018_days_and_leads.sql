-- migrate:up

-- Leads become numbers, and days are kept beside hours.

ALTER TABLE kpi_delta
    ADD COLUMN leads integer NOT NULL DEFAULT 0, ADD COLUMN leads_accepted integer NOT NULL DEFAULT 0,
    ADD COLUMN leads_rejected integer NOT NULL DEFAULT 0, ADD COLUMN replacements_owed integer NOT NULL DEFAULT 0,
    ADD COLUMN clients integer NOT NULL DEFAULT 0;
ALTER TABLE kpi_hour
    ADD COLUMN leads integer NOT NULL DEFAULT 0, ADD COLUMN leads_accepted integer NOT NULL DEFAULT 0,
    ADD COLUMN leads_rejected integer NOT NULL DEFAULT 0, ADD COLUMN replacements_owed integer NOT NULL DEFAULT 0,
    ADD COLUMN clients integer NOT NULL DEFAULT 0;
CREATE INDEX kpi_hour_by_time ON kpi_hour (hour);

-- A lead counts when it was made, when it was decided on and when it bought; the rest follows its conversation. A rejected
-- one owes a replacement until another lead stands in for it.
CREATE VIEW kpi_led AS
SELECT l.id AS lead_id, e.at, l.campaign_id, date_trunc('hour', e.at, k.zone) AS hour, d.base_id, l.operator_id, d.script, d.caller_number,
    d.number, d.region, d.code, d.reason, e.leads, e.leads_accepted, e.leads_rejected, e.replacements_owed, e.clients
FROM (
    SELECT id, made_at AS at, 1 AS leads, 0 AS leads_accepted, 0 AS leads_rejected, 0 AS replacements_owed, 0 AS clients FROM lead
    UNION ALL
    SELECT id, decided_at, 0, (state <> 'rejected')::integer, (state = 'rejected')::integer,
        (state = 'rejected' AND NOT EXISTS (SELECT FROM lead AS s WHERE s.replaces = r.id))::integer, 0
    FROM lead AS r WHERE decided_at IS NOT NULL
    UNION ALL
    SELECT id, client_at, 0, 0, 0, 0, 1 FROM lead WHERE client_at IS NOT NULL
) AS e
JOIN lead AS l ON l.id = e.id JOIN disposition AS d ON d.attempt_id = l.attempt_id JOIN campaign AS k ON k.id = l.campaign_id;
CREATE INDEX lead_by_made ON lead (made_at);
CREATE INDEX lead_by_decision ON lead (decided_at) WHERE decided_at IS NOT NULL;
CREATE INDEX lead_by_client ON lead (client_at) WHERE client_at IS NOT NULL;

-- Day rows: sums of the hour rows of a date of the campaign's zone, changed with them in one statement.
CREATE TABLE kpi_day (LIKE kpi_hour INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
ALTER TABLE kpi_day DROP COLUMN hour, DROP COLUMN revision, DROP COLUMN changed_at, ADD COLUMN day date NOT NULL;
ALTER TABLE kpi_day ADD PRIMARY KEY (dim, campaign_id, day, key);
CREATE INDEX kpi_day_by_date ON kpi_day (day);
-- Nothing is in them yet: every campaign is counted from the facts until hours and days were made.
INSERT INTO kpi_stale (campaign_id) SELECT id FROM campaign UNION ALL SELECT 0
ON CONFLICT (campaign_id) DO UPDATE SET since = now();

-- The rows a fact counts in.
CREATE FUNCTION kpi_places(campaign_id bigint, base_id bigint, operator_id bigint, script integer, caller_number text, number integer,
    region text, code text, reason text) RETURNS TABLE (dim text, key text) LANGUAGE sql IMMUTABLE AS $$
    SELECT * FROM (VALUES ('total', ''), ('operator', coalesce(operator_id::text, '')), ('base', base_id::text),
        ('script', campaign_id::text || '.' || script::text), ('caller', caller_number), ('number', number::text), ('region', region),
        ('code', code), ('reason', reason)) AS part (dim, key)
    WHERE part.key IS NOT NULL
$$;
-- A fact's row in a breakdown by time, and in one by what it belongs to.
CREATE FUNCTION kpi_bucket(per text, hour timestamptz, zone text) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN per IN ('day', 'week', 'month') THEN date_trunc(per, hour AT TIME ZONE coalesce(zone, 'UTC')) AT TIME ZONE 'UTC'
        WHEN per = 'hour' THEN hour END
$$;
CREATE FUNCTION kpi_who(by text, campaign_id bigint, customer_id bigint, base_id bigint, operator_id bigint, script integer,
    caller_number text, number integer, region text, code text, reason text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE by WHEN 'campaign' THEN campaign_id::text WHEN 'customer' THEN coalesce(customer_id, 0)::text
        WHEN 'operator' THEN coalesce(operator_id::text, '') WHEN 'base' THEN base_id::text WHEN 'script' THEN campaign_id::text || '.' || script::text
        WHEN 'caller' THEN caller_number WHEN 'number' THEN number::text WHEN 'region' THEN region WHEN 'code' THEN code
        WHEN 'reason' THEN reason ELSE '' END
$$;
CREATE FUNCTION kpi_date(hour timestamptz, zone text) RETURNS date LANGUAGE sql IMMUTABLE AS $$
    SELECT (hour AT TIME ZONE coalesce(zone, 'UTC'))::date
$$;

-- Everything that adds up sums is made from one list: the columns of kpi_delta behind its keys. `{sum(p.#) AS #}` stands for
-- that of each. Whoever adds a sum adds it to kpi_delta, kpi_hour and kpi_day and calls kpi_make again.
CREATE FUNCTION kpi_list(pattern text) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT string_agg(replace(pattern, '#', attname), ', ' ORDER BY attnum)
        FROM pg_attribute
        WHERE attrelid = 'kpi_delta'::regclass AND attnum > 0 AND NOT attisdropped AND attname NOT IN ('campaign_id', 'hour', 'base_id',
            'operator_id', 'script', 'caller_number', 'number', 'region', 'code', 'reason'));
END $$;
CREATE FUNCTION kpi_filled(template text) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    pattern text;
BEGIN
    FOR pattern IN SELECT DISTINCT m[1] FROM regexp_matches(template, '\{([^{}]+)\}', 'g') AS m LOOP
        template := replace(template, '{' || pattern || '}', kpi_list(pattern));
    END LOOP;
    RETURN template;
END $$;
-- The list over one kind of fact, which has some of the sums; the others are 0.
CREATE FUNCTION kpi_kind(of_kind text, of_view text, keys text) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN format('SELECT %L::text AS kind, v.at, %s, ', of_kind, keys) || (
        SELECT string_agg(CASE WHEN a.attname IS NULL THEN '0 AS ' ELSE 'v.' END || n.name, ', ' ORDER BY n.place)
        FROM string_to_table(kpi_list('#'), ', ') WITH ORDINALITY AS n (name, place)
        LEFT JOIN pg_attribute AS a ON a.attrelid = of_view::regclass AND a.attname = n.name
    ) || format(' FROM %I AS v', of_view);
END $$;

CREATE PROCEDURE kpi_make() LANGUAGE plpgsql AS $make$
DECLARE
    keys text := 'v.at AS began_at, false AS long, v.campaign_id, v.hour, v.base_id, v.operator_id, v.script, v.caller_number, v.number,'
        ' v.region, v.code, v.reason';
BEGIN
    DROP FUNCTION IF EXISTS kpi_hours_summed, kpi_days_summed, kpi_facts_summed, kpi_days, kpi_compare, kpi_count;
    DROP VIEW IF EXISTS kpi_part, kpi_row, kpi_day_row;

    -- All facts.
    EXECUTE 'CREATE VIEW kpi_part AS ' || kpi_kind('tried', 'kpi_tried', keys) || ' UNION ALL ' || kpi_kind('said', 'kpi_said', keys)
        || ' UNION ALL ' || kpi_kind('closed', 'kpi_closed', keys) || ' UNION ALL ' || kpi_kind('led', 'kpi_led', keys)
        || ' UNION ALL ' || kpi_kind('timed', 'kpi_timed', 'v.started_at, v.ended_at - v.started_at > interval ''1 day'', v.campaign_id,'
        ' v.hour, NULL, v.operator_id, NULL, NULL, NULL, NULL, NULL, NULL');

    -- Hours and days with what is not folded into them yet.
    EXECUTE kpi_filled($$
        CREATE VIEW kpi_row AS
        SELECT h.dim, h.campaign_id, h.hour, h.key, {h.#} FROM kpi_hour AS h
        UNION ALL
        SELECT part.dim, p.campaign_id, p.hour, part.key, {p.#}
        FROM kpi_delta AS p CROSS JOIN LATERAL kpi_places(p.campaign_id, p.base_id, p.operator_id, p.script, p.caller_number, p.number,
            p.region, p.code, p.reason) AS part
    $$);
    EXECUTE kpi_filled($$
        CREATE VIEW kpi_day_row AS
        SELECT d.dim, d.campaign_id, d.day, d.key, {d.#} FROM kpi_day AS d
        UNION ALL
        SELECT part.dim, p.campaign_id, kpi_date(p.hour, k.zone), part.key, {p.#}
        FROM kpi_delta AS p LEFT JOIN campaign AS k ON k.id = p.campaign_id
        CROSS JOIN LATERAL kpi_places(p.campaign_id, p.base_id, p.operator_id, p.script, p.caller_number, p.number, p.region, p.code,
            p.reason) AS part
    $$);

    -- Sums of hours, of days and of the facts (but time), each row named by `per` and `by`. OFFSET 0: each stretch is looked
    -- up by itself, since a join of all at once would read the whole ledger for the half hours at the ends of a month.
    EXECUTE kpi_filled($$
        CREATE FUNCTION kpi_hours_summed(per text, by text, of_dim text, of_key text, campaigns bigint[], since timestamptz[],
            until timestamptz[]) RETURNS TABLE (bucket timestamptz, who text, {# bigint}) LANGUAGE plpgsql STABLE AS $f$
        #variable_conflict use_column
        BEGIN
            RETURN QUERY
            SELECT kpi_bucket(per, p.hour, k.zone), CASE WHEN by = p.dim THEN p.key
                ELSE kpi_who(by, p.campaign_id, k.customer_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL) END,
                {sum(p.#)::bigint}
            FROM unnest(campaigns, since, until) AS r (campaign_id, since, until)
            CROSS JOIN LATERAL (
                SELECT * FROM kpi_row AS p
                WHERE p.campaign_id = r.campaign_id AND p.hour >= r.since AND p.hour < r.until AND p.dim = of_dim
                    AND (of_key IS NULL OR p.key = of_key)
                OFFSET 0
            ) AS p
            LEFT JOIN campaign AS k ON k.id = p.campaign_id
            GROUP BY 1, 2;
        END $f$
    $$);
    EXECUTE kpi_filled($$
        CREATE FUNCTION kpi_days_summed(per text, by text, of_dim text, of_key text, campaigns bigint[], first date[], behind date[])
            RETURNS TABLE (bucket timestamptz, who text, {# bigint}) LANGUAGE plpgsql STABLE AS $f$
        #variable_conflict use_column
        BEGIN
            RETURN QUERY
            SELECT CASE WHEN per <> '' THEN date_trunc(per, p.day::timestamp) AT TIME ZONE 'UTC' END, CASE WHEN by = p.dim THEN p.key
                ELSE kpi_who(by, p.campaign_id, k.customer_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL) END,
                {sum(p.#)::bigint}
            FROM unnest(campaigns, first, behind) AS r (campaign_id, first, behind)
            CROSS JOIN LATERAL (
                SELECT * FROM kpi_day_row AS p
                WHERE p.campaign_id = r.campaign_id AND p.day >= r.first AND p.day < r.behind AND p.dim = of_dim
                    AND (of_key IS NULL OR p.key = of_key)
                OFFSET 0
            ) AS p
            LEFT JOIN campaign AS k ON k.id = p.campaign_id
            GROUP BY 1, 2;
        END $f$
    $$);
    EXECUTE kpi_filled($$
        CREATE FUNCTION kpi_facts_summed(per text, by text, of_operator bigint, campaigns bigint[], since timestamptz[],
            until timestamptz[]) RETURNS TABLE (bucket timestamptz, who text, {# bigint}) LANGUAGE plpgsql STABLE AS $f$
        #variable_conflict use_column
        BEGIN
            RETURN QUERY
            SELECT kpi_bucket(per, p.hour, k.zone), kpi_who(by, p.campaign_id, k.customer_id, p.base_id, p.operator_id, p.script,
                p.caller_number, p.number, p.region, p.code, p.reason),
                {sum(p.#)::bigint}
            FROM unnest(campaigns, since, until) AS r (campaign_id, since, until)
            CROSS JOIN LATERAL (
                SELECT * FROM kpi_part AS p
                WHERE p.campaign_id = r.campaign_id AND p.at >= r.since AND p.at < r.until AND p.kind <> 'timed'
                    AND (of_operator IS NULL OR p.operator_id = of_operator) AND (by <> 'code' OR p.code IS NOT NULL)
                    AND (by <> 'reason' OR p.reason IS NOT NULL)
                OFFSET 0
            ) AS p
            LEFT JOIN campaign AS k ON k.id = p.campaign_id
            GROUP BY 1, 2;
        END $f$
    $$);

    -- The hour rows of a time as the facts alone say: what the stored ones must be equal to.
    EXECUTE kpi_filled($$
        CREATE FUNCTION kpi_count(campaigns bigint[], since timestamptz, until timestamptz)
            RETURNS TABLE (dim text, campaign_id bigint, hour timestamptz, key text, {# bigint}) LANGUAGE plpgsql STABLE AS $f$
        #variable_conflict use_column
        BEGIN
            RETURN QUERY
            WITH p AS MATERIALIZED (
                SELECT f.campaign_id, f.hour, f.base_id, f.operator_id, f.script, f.caller_number, f.number, f.region, f.code, f.reason,
                    {sum(f.#) AS #}
                FROM kpi_part AS f
                WHERE f.campaign_id = ANY(campaigns) AND f.hour >= since AND f.hour < until AND f.at >= since
                    AND f.at < until + interval '2 hours' AND (f.began_at > since - interval '1 day' OR f.long)
                    AND f.began_at < until + interval '2 hours'
                GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
            )
            SELECT part.dim, p.campaign_id, p.hour, part.key, {sum(p.#)::bigint}
            FROM p CROSS JOIN LATERAL kpi_places(p.campaign_id, p.base_id, p.operator_id, p.script, p.caller_number, p.number, p.region,
                p.code, p.reason) AS part
            GROUP BY 1, 2, 3, 4;
        END $f$
    $$);

    -- What facts told goes into hours and days; a change after the hour was over is a revision.
    EXECUTE kpi_filled($$
        CREATE OR REPLACE FUNCTION kpi_fold(at_most integer) RETURNS bigint LANGUAGE plpgsql AS $f$
        DECLARE
            folded bigint;
        BEGIN
        WITH gone AS (
            DELETE FROM kpi_delta WHERE ctid = ANY(ARRAY(SELECT ctid FROM kpi_delta LIMIT at_most)) RETURNING *
        ), p AS (
            SELECT part.dim, g.campaign_id, g.hour, part.key, {sum(g.#) AS #}
            FROM gone AS g CROSS JOIN LATERAL kpi_places(g.campaign_id, g.base_id, g.operator_id, g.script, g.caller_number, g.number,
                g.region, g.code, g.reason) AS part
            GROUP BY 1, 2, 3, 4
        ), hours AS (
            INSERT INTO kpi_hour AS h (dim, campaign_id, hour, key, {#})
            SELECT dim, campaign_id, hour, key, {#} FROM p
            ON CONFLICT (dim, campaign_id, hour, key) DO UPDATE
            SET (revision, changed_at, {#})
            = (h.revision + (now() >= h.hour + interval '75 minutes')::integer, now(), {h.# + excluded.#})
        ), days AS (
            INSERT INTO kpi_day AS d (dim, campaign_id, day, key, {#})
            SELECT p.dim, p.campaign_id, kpi_date(p.hour, k.zone), p.key, {sum(p.#)}
            FROM p LEFT JOIN campaign AS k ON k.id = p.campaign_id
            GROUP BY 1, 2, 3, 4
            ON CONFLICT (dim, campaign_id, day, key) DO UPDATE SET ({#}) = ROW ({d.# + excluded.#})
        )
        SELECT count(*) INTO folded FROM gone;
            RETURN folded;
        END $f$
    $$);

    -- Hours of a time as the facts say, and all days they may be in as the hours say; hours that are right are not touched.
    EXECUTE kpi_filled($$
        CREATE OR REPLACE FUNCTION kpi_remake(campaigns bigint[], since timestamptz, until timestamptz) RETURNS void
            LANGUAGE plpgsql AS $f$
        #variable_conflict use_column
        BEGIN
            WITH right_ AS MATERIALIZED (
                SELECT * FROM kpi_count(campaigns, since, until)
            ), told AS (
                DELETE FROM kpi_delta AS d WHERE d.campaign_id = ANY(campaigns) AND d.hour >= since AND d.hour < until
            ), dropped AS (
                DELETE FROM kpi_hour AS h
                WHERE h.campaign_id = ANY(campaigns) AND h.hour >= since AND h.hour < until
                    AND NOT EXISTS (SELECT FROM right_ AS r WHERE (r.dim, r.campaign_id, r.hour, r.key) = (h.dim, h.campaign_id, h.hour, h.key))
            )
            INSERT INTO kpi_hour AS h (dim, campaign_id, hour, key, {#})
            SELECT r.dim, r.campaign_id, r.hour, r.key, {r.#} FROM right_ AS r
            ON CONFLICT (dim, campaign_id, hour, key) DO UPDATE
            SET (revision, changed_at, {#})
            = (h.revision + (now() >= h.hour + interval '75 minutes')::integer, now(), {excluded.#})
            WHERE ({h.#}) IS DISTINCT FROM ({excluded.#});
            DELETE FROM kpi_day AS d
            WHERE d.campaign_id = ANY(campaigns) AND d.day >= kpi_date(since, 'UTC') - 1 AND d.day <= kpi_date(until, 'UTC') + 1;
            INSERT INTO kpi_day (dim, campaign_id, day, key, {#})
            SELECT * FROM kpi_days(campaigns, kpi_date(since, 'UTC') - 1, kpi_date(until, 'UTC') + 1);
        END $f$
    $$);

    -- The day rows of some dates as the hour rows say.
    EXECUTE kpi_filled($$
        CREATE FUNCTION kpi_days(campaigns bigint[], first date, last date)
            RETURNS TABLE (dim text, campaign_id bigint, day date, key text, {# bigint}) LANGUAGE plpgsql STABLE AS $f$
        #variable_conflict use_column
        BEGIN
            RETURN QUERY
            SELECT h.dim, h.campaign_id, kpi_date(h.hour, k.zone), h.key, {sum(h.#)::bigint}
            FROM kpi_hour AS h LEFT JOIN campaign AS k ON k.id = h.campaign_id
            WHERE h.campaign_id = ANY(campaigns) AND h.hour >= first::timestamp AT TIME ZONE 'UTC' - interval '1 day'
                AND h.hour < last::timestamp AT TIME ZONE 'UTC' + interval '2 days'
                AND kpi_date(h.hour, k.zone) >= first AND kpi_date(h.hour, k.zone) <= last
            GROUP BY 1, 2, 3, 4;
        END $f$
    $$);

    -- Where hours differ from the facts, and days from the hours: each row and sum with both values.
    EXECUTE kpi_filled($$
        CREATE FUNCTION kpi_compare(campaigns bigint[], since timestamptz, until timestamptz) RETURNS TABLE (compared bigint, span text,
            dim text, campaign_id bigint, at timestamptz, key text, fact text, held bigint, counted bigint) LANGUAGE plpgsql STABLE AS $f$
        #variable_conflict use_column
        BEGIN
        RETURN QUERY
        WITH right_ AS MATERIALIZED (
            SELECT 'hour' AS span, r.hour AS at, r.* FROM kpi_count(campaigns, since, until) AS r
            UNION ALL
            SELECT 'day', d.day::timestamp AT TIME ZONE 'UTC', d.dim, d.campaign_id, NULL, d.key, {d.#}
            FROM kpi_days(campaigns, kpi_date(since, 'UTC') - 1, kpi_date(until, 'UTC') + 1) AS d
        ), held AS MATERIALIZED (
            SELECT 'hour' AS span, p.hour AS at, p.dim, p.campaign_id, p.key, {sum(p.#)::bigint AS #}
            FROM kpi_row AS p
            WHERE p.campaign_id = ANY(campaigns) AND p.hour >= since AND p.hour < until
            GROUP BY p.hour, p.dim, p.campaign_id, p.key
            UNION ALL
            SELECT 'day', d.day::timestamp AT TIME ZONE 'UTC', d.dim, d.campaign_id, d.key, {d.#}
            FROM kpi_day AS d
            WHERE d.campaign_id = ANY(campaigns) AND d.day >= kpi_date(since, 'UTC') - 1 AND d.day <= kpi_date(until, 'UTC') + 1
        ), both_ AS (
            SELECT span, dim, campaign_id, at, key, jsonb_object(ARRAY[{'#'}], ARRAY[{h.#::text}]) AS held,
                jsonb_object(ARRAY[{'#'}], ARRAY[{r.#::text}]) AS counted
            FROM held AS h FULL JOIN right_ AS r USING (span, dim, campaign_id, at, key)
            WHERE ({h.#}) IS DISTINCT FROM ({r.#})
        )
        SELECT (SELECT count(*) FROM right_), b.span, b.dim, b.campaign_id, b.at, b.key, s.name,
            coalesce((b.held ->> s.name)::bigint, 0), coalesce((b.counted ->> s.name)::bigint, 0)
        FROM (SELECT) AS one LEFT JOIN (
            both_ AS b CROSS JOIN LATERAL jsonb_object_keys(b.held) AS s (name)
        ) ON coalesce((b.held ->> s.name)::bigint, 0) <> coalesce((b.counted ->> s.name)::bigint, 0)
        ORDER BY b.at, b.campaign_id, b.dim, b.key, s.name;
        END $f$
    $$);
END $make$;
CALL kpi_make();

-- What a lead counts is taken back before it changes, and told again after; one that stands in for another pays for it.
CREATE FUNCTION kpi_lead_told() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sign integer := CASE TG_WHEN WHEN 'BEFORE' THEN -1 ELSE 1 END;
BEGIN
    INSERT INTO kpi_delta (campaign_id, hour, base_id, operator_id, script, caller_number, number, region, code, reason,
        leads, leads_accepted, leads_rejected, replacements_owed, clients)
    SELECT l.campaign_id, l.hour, l.base_id, l.operator_id, l.script, l.caller_number, l.number, l.region, l.code, l.reason,
        sign * l.leads, sign * l.leads_accepted, sign * l.leads_rejected, sign * l.replacements_owed, sign * l.clients
    FROM kpi_led AS l WHERE l.lead_id = NEW.id;
    IF TG_OP = 'INSERT' AND NEW.replaces IS NOT NULL THEN
        INSERT INTO kpi_delta (campaign_id, hour, base_id, operator_id, script, caller_number, number, region, code, reason, replacements_owed)
        SELECT l.campaign_id, l.hour, l.base_id, l.operator_id, l.script, l.caller_number, l.number, l.region, l.code, l.reason, -1
        FROM kpi_led AS l WHERE l.lead_id = NEW.replaces AND l.leads_rejected = 1;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER kpi_lead_before BEFORE UPDATE OF state, decided_at, client_at ON lead FOR EACH ROW EXECUTE FUNCTION kpi_lead_told();
CREATE TRIGGER kpi_lead_after AFTER INSERT OR UPDATE OF state, decided_at, client_at ON lead FOR EACH ROW EXECUTE FUNCTION kpi_lead_told();

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
