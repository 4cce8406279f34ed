-- Promises to call back become numbers: made, kept, kept late, broken, cancelled, moved.

-- migrate:up

ALTER TABLE kpi_delta
    ADD COLUMN promises_made integer NOT NULL DEFAULT 0, ADD COLUMN promises_kept integer NOT NULL DEFAULT 0,
    ADD COLUMN promises_kept_late integer NOT NULL DEFAULT 0, ADD COLUMN promises_broken integer NOT NULL DEFAULT 0,
    ADD COLUMN promises_cancelled integer NOT NULL DEFAULT 0, ADD COLUMN promises_moved integer NOT NULL DEFAULT 0;
ALTER TABLE kpi_hour
    ADD COLUMN promises_made integer NOT NULL DEFAULT 0, ADD COLUMN promises_kept integer NOT NULL DEFAULT 0,
    ADD COLUMN promises_kept_late integer NOT NULL DEFAULT 0, ADD COLUMN promises_broken integer NOT NULL DEFAULT 0,
    ADD COLUMN promises_cancelled integer NOT NULL DEFAULT 0, ADD COLUMN promises_moved integer NOT NULL DEFAULT 0;
ALTER TABLE kpi_day
    ADD COLUMN promises_made integer NOT NULL DEFAULT 0, ADD COLUMN promises_kept integer NOT NULL DEFAULT 0,
    ADD COLUMN promises_kept_late integer NOT NULL DEFAULT 0, ADD COLUMN promises_broken integer NOT NULL DEFAULT 0,
    ADD COLUMN promises_cancelled integer NOT NULL DEFAULT 0, ADD COLUMN promises_moved integer NOT NULL DEFAULT 0;
CREATE INDEX callback_by_promise ON callback (promised_at);

-- From when on a promise that was kept counts as kept late, and one that waits as late: as `core.callbacks` says.
CREATE FUNCTION promise_grace() RETURNS interval LANGUAGE sql IMMUTABLE AS $$ SELECT interval '60 seconds' $$;

-- A promise counts when it was made, and when it was due: what became of it. Its owner is who was to keep it at last; the rest
-- follows the conversation in which it was made.
CREATE VIEW kpi_promised AS
SELECT p.id AS callback_id, e.at, p.campaign_id, date_trunc('hour', e.at, k.zone) AS hour, c.base_id, p.operator_id,
    coalesce(d.script, 0) AS script, coalesce(d.caller_number, '') AS caller_number, coalesce(d.number, 0) AS number,
    coalesce(d.region, '') AS region, NULL::text AS code, NULL::text AS reason, e.promises_made, e.promises_kept,
    (e.promises_kept = 1 AND kept.sent_at > p.due_at + promise_grace())::integer AS promises_kept_late, e.promises_broken,
    e.promises_cancelled, e.promises_moved
FROM (
    SELECT id, promised_at AS at, 1 AS promises_made, 0 AS promises_kept, 0 AS promises_broken, 0 AS promises_cancelled, 0 AS promises_moved
    FROM callback
    UNION ALL
    SELECT id, due_at, 0, (state = 'kept')::integer, (state IN ('broken', 'blocked'))::integer, (state = 'cancelled')::integer,
        (moves > 0)::integer
    FROM callback
) AS e
JOIN callback AS p ON p.id = e.id JOIN contact AS c ON c.id = p.contact_id JOIN campaign AS k ON k.id = p.campaign_id
LEFT JOIN disposition AS d ON d.attempt_id = p.made_by_attempt
LEFT JOIN LATERAL (
    SELECT a.sent_at FROM attempt AS a WHERE a.attempt_id = p.kept_by_attempt
    UNION ALL
    SELECT l.sent_at FROM attempt_live AS l WHERE l.attempt_id = p.kept_by_attempt
    LIMIT 1
) AS kept ON e.promises_kept = 1;

-- What it counts is taken back before it changes, and told again after.
CREATE FUNCTION kpi_promise_told() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sign integer := CASE TG_WHEN WHEN 'BEFORE' THEN -1 ELSE 1 END;
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.state, OLD.due_at, OLD.operator_id, OLD.moves, OLD.kept_by_attempt)
        IS NOT DISTINCT FROM (NEW.state, NEW.due_at, NEW.operator_id, NEW.moves, NEW.kept_by_attempt) THEN
        RETURN NEW;
    END IF;
    INSERT INTO kpi_delta (campaign_id, hour, base_id, operator_id, script, caller_number, number, region,
        promises_made, promises_kept, promises_kept_late, promises_broken, promises_cancelled, promises_moved)
    SELECT v.campaign_id, v.hour, v.base_id, v.operator_id, v.script, v.caller_number, v.number, v.region, sign * v.promises_made,
        sign * v.promises_kept, sign * v.promises_kept_late, sign * v.promises_broken, sign * v.promises_cancelled, sign * v.promises_moved
    FROM kpi_promised AS v
    WHERE v.callback_id = NEW.id
        AND (v.promises_made, v.promises_kept, v.promises_broken, v.promises_cancelled, v.promises_moved) <> (0, 0, 0, 0, 0);
    RETURN NEW;
END $$;
CREATE TRIGGER kpi_promise_made AFTER INSERT ON callback FOR EACH ROW EXECUTE FUNCTION kpi_promise_told();
CREATE TRIGGER kpi_promise_before BEFORE UPDATE OF state, due_at, operator_id, moves, kept_by_attempt ON callback
    FOR EACH ROW EXECUTE FUNCTION kpi_promise_told();
CREATE TRIGGER kpi_promise_after AFTER UPDATE OF state, due_at, operator_id, moves, kept_by_attempt ON callback
    FOR EACH ROW EXECUTE FUNCTION kpi_promise_told();

-- The sorts of facts that numbers are made of, each a view; whoever adds one adds it here and calls kpi_make again.
CREATE FUNCTION kpi_kinds(OUT kind text, OUT of_view text) RETURNS SETOF record LANGUAGE sql IMMUTABLE AS $$
    VALUES ('tried', 'kpi_tried'), ('said', 'kpi_said'), ('closed', 'kpi_closed'), ('led', 'kpi_led'), ('promised', 'kpi_promised')
$$;
DO $$
DECLARE
    made text := pg_get_functiondef('kpi_make()'::regprocedure);
    listed text := '''CREATE VIEW kpi_part AS '' || (SELECT string_agg(kpi_kind(k.kind, k.of_view, keys), '' UNION ALL '') FROM kpi_kinds() AS k)';
    began integer := strpos(made, '''CREATE VIEW kpi_part AS ''');
    ended integer := strpos(made, '|| '' UNION ALL '' || kpi_kind(''timed''');
BEGIN
    EXECUTE left(made, began - 1) || listed || E'\n        ' || substr(made, ended);
END $$;
CALL kpi_make();
INSERT INTO kpi_stale (campaign_id) SELECT id FROM campaign UNION ALL SELECT 0
ON CONFLICT (campaign_id) DO UPDATE SET since = now();

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
