-- migrate:up

-- People who called the shown number back become numbers: all of them, and those whom nobody could serve.
ALTER TABLE kpi_delta ADD COLUMN return_calls integer NOT NULL DEFAULT 0, ADD COLUMN return_missed integer NOT NULL DEFAULT 0;
ALTER TABLE kpi_hour ADD COLUMN return_calls integer NOT NULL DEFAULT 0, ADD COLUMN return_missed integer NOT NULL DEFAULT 0;
ALTER TABLE kpi_day ADD COLUMN return_calls integer NOT NULL DEFAULT 0, ADD COLUMN return_missed integer NOT NULL DEFAULT 0;

-- One counts when it came, for the campaign that had called there; one that was refused is nobody's. It is of the attempt number 0, and
-- of no script: what was said in it follows its conversation.
CREATE VIEW kpi_returned AS
SELECT r.id, r.came_at AS at, r.campaign_id, date_trunc('hour', r.came_at, k.zone) AS hour, r.base_id, r.operator_id, 0 AS script,
    r.caller_number, 0 AS number, r.region, NULL::text AS code, NULL::text AS reason,
    1 AS return_calls, (r.outcome = 'missed')::integer AS return_missed
FROM return_call AS r JOIN campaign AS k ON k.id = r.campaign_id
WHERE r.outcome <> 'refused';

CREATE FUNCTION kpi_return_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO kpi_delta (campaign_id, hour, base_id, operator_id, script, caller_number, number, region, return_calls, return_missed)
    SELECT v.campaign_id, v.hour, v.base_id, v.operator_id, v.script, v.caller_number, v.number, v.region, v.return_calls, v.return_missed
    FROM kpi_returned AS v WHERE v.id = NEW.id;
    RETURN NEW;
END $$;
CREATE TRIGGER kpi_return AFTER INSERT ON return_call FOR EACH ROW EXECUTE FUNCTION kpi_return_told();

CREATE OR REPLACE FUNCTION kpi_kinds(OUT kind text, OUT of_view text) RETURNS SETOF record LANGUAGE sql IMMUTABLE AS $$
    VALUES ('tried', 'kpi_tried'), ('said', 'kpi_said'), ('closed', 'kpi_closed'), ('led', 'kpi_led'), ('promised', 'kpi_promised'),
        ('returned', 'kpi_returned')
$$;
CALL kpi_make();
INSERT INTO kpi_stale (campaign_id) SELECT id FROM campaign UNION ALL SELECT 0
ON CONFLICT (campaign_id) DO UPDATE SET since = now();

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
