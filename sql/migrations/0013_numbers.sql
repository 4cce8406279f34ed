-- migrate:up

-- What the numbers are broken down by is kept with the fact: the number that was shown, where the called number belongs
-- (which outlives its erasure), and the script in force.
CREATE FUNCTION phone_region(e164 text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN e164 ~ '^\+[17]' THEN left(e164, 5)
        WHEN e164 ~ '^\+(20|27|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])' THEN left(e164, 3)
        WHEN e164 ~ '^\+' THEN left(e164, 4)
        ELSE ''
    END
$$;

ALTER TABLE attempt_live ADD COLUMN caller_number text NOT NULL DEFAULT '';
ALTER TABLE attempt
    ADD COLUMN caller_number text NOT NULL DEFAULT '',
    ADD COLUMN region text NOT NULL DEFAULT '',
    ADD COLUMN script integer NOT NULL DEFAULT 0;
ALTER TABLE disposition
    ADD COLUMN base_id bigint NOT NULL DEFAULT 0,
    ADD COLUMN number integer NOT NULL DEFAULT 0,
    ADD COLUMN caller_number text NOT NULL DEFAULT '',
    ADD COLUMN region text NOT NULL DEFAULT '',
    ADD COLUMN script integer NOT NULL DEFAULT 0;

-- Who closed a contact, and at which attempt; `rang` counts its attempts that rang, over its whole life.
CREATE TABLE closing (
    contact_id bigint PRIMARY KEY,
    campaign_id bigint NOT NULL,
    base_id bigint NOT NULL,
    closed_at timestamptz NOT NULL,
    closed_by text NOT NULL,
    operator_id bigint,
    number integer NOT NULL DEFAULT 0,
    caller_number text NOT NULL DEFAULT '',
    region text NOT NULL DEFAULT '',
    script integer NOT NULL DEFAULT 0,
    rang integer NOT NULL DEFAULT 0
);
CREATE INDEX closing_of_campaign ON closing (campaign_id, closed_at);

-- What each fact adds to the numbers of its hour: one view for each kind of fact, `kpi_part` of all. An hour is one of
-- the campaign's zone; operator time of nobody's campaign has campaign 0 and zone UTC.
CREATE VIEW kpi_tried AS
SELECT a.attempt_id, a.contact_id, a.sent_at AS at, a.campaign_id, date_trunc('hour', a.sent_at, k.zone) AS hour, a.base_id,
    a.operator_id, a.script, a.caller_number, a.number, a.region, NULL::text AS code, NULL::text AS reason,
    CASE WHEN a.outcome = 'connected' THEN 1000 * extract(epoch FROM a.connected_at
        - CASE k.mode WHEN 'ivr' THEN coalesce(a.waiting_at, a.answered_at) ELSE a.answered_at END)::double precision END AS voice_ms,
    1 AS attempts, (a.rang_at IS NOT NULL OR a.answered_at IS NOT NULL OR a.outcome = 'no_answer')::integer AS rang,
    a.legal_answered::integer AS answered, a.legal_abandoned::integer AS abandoned, (a.outcome <> 'not_sent')::integer AS dialled,
    (a.outcome = 'offer_ended' OR (a.outcome = 'connected' AND a.ended_at >= a.connected_at + interval '1 second'))::integer AS reached,
    (a.outcome = 'connected')::integer AS connected, (a.outcome = 'abandoned')::integer AS outcome_abandoned,
    (a.outcome = 'early_hangup')::integer AS early_hangups, (a.outcome = 'offer_ended')::integer AS offers_heard,
    (a.outcome = 'no_answer')::integer AS no_answer, (a.outcome = 'busy')::integer AS busy, (a.outcome = 'machine')::integer AS machine,
    (a.outcome = 'invalid_number')::integer AS invalid_number, (a.outcome = 'congestion')::integer AS congestion,
    (a.outcome = 'rejected')::integer AS rejected, (a.outcome = 'failed')::integer AS failed,
    (a.outcome = 'cancelled')::integer AS cancelled, (a.outcome = 'not_sent')::integer AS not_sent,
    (a.outcome = 'unknown')::integer AS unknown
FROM attempt AS a JOIN campaign AS k ON k.id = a.campaign_id;

CREATE VIEW kpi_said AS
SELECT d.attempt_id, d.saved_at AS at, d.campaign_id, date_trunc('hour', d.saved_at, k.zone) AS hour, d.base_id, d.operator_id,
    d.script, d.caller_number, d.number, d.region, d.code, d.reason,
    1 AS said, d.result::integer AS results, d.decision_maker::integer AS decision_makers,
    (d.verdict IS NOT DISTINCT FROM 'fresh')::integer AS fresh, (d.verdict IS NOT DISTINCT FROM 'stale')::integer AS stale,
    (d.verdict IS NOT DISTINCT FROM 'off_target')::integer AS off_target
FROM disposition AS d JOIN campaign AS k ON k.id = d.campaign_id;

CREATE VIEW kpi_closed AS
SELECT c.contact_id, c.closed_at AS at, c.campaign_id, date_trunc('hour', c.closed_at, k.zone) AS hour, c.base_id, c.operator_id,
    c.script, c.caller_number, c.number, c.region, NULL::text AS code, NULL::text AS reason,
    (c.closed_by = 'dead')::integer AS stale, 1 AS closed, (c.closed_by = 'disposition')::integer AS closed_by_disposition,
    (c.closed_by = 'used_up')::integer AS closed_used_up, (c.closed_by = 'dead')::integer AS closed_dead, c.rang AS calls_of_closed
FROM closing AS c JOIN campaign AS k ON k.id = c.campaign_id;

-- An interval cut at the hours of a zone. Every offset of the world is a multiple of fifteen minutes.
CREATE FUNCTION kpi_pieces(started_at timestamptz, ended_at timestamptz, zone text) RETURNS TABLE (at timestamptz, hour timestamptz, us bigint)
    LANGUAGE sql STABLE AS $$
    SELECT greatest(started_at, q.at), date_trunc('hour', q.at, zone),
        (1000000 * extract(epoch FROM least(ended_at, q.at + interval '15 minutes') - greatest(started_at, q.at)))::bigint
    FROM generate_series(date_bin('15 minutes', started_at, timestamptz '2000-01-01 00:00Z'), ended_at, interval '15 minutes') AS q (at)
    WHERE least(ended_at, q.at + interval '15 minutes') > greatest(started_at, q.at)
$$;

-- Whose time it is: a state without a call belongs to the campaign of the next call of the shift, after the last call to
-- that call's. No shift is longer than 12 hours: the leg's own limit.
CREATE VIEW kpi_owned AS
SELECT i.operator_id, i.session_id, i.state, i.started_at, i.ended_at, coalesce(i.campaign_id, (
        SELECT n.campaign_id FROM operator_interval AS n
        WHERE n.operator_id = i.operator_id AND n.session_id = i.session_id AND n.campaign_id IS NOT NULL
            AND n.started_at > i.started_at AND n.started_at < i.started_at + interval '12 hours' AND i.campaign_id IS NULL
        ORDER BY n.started_at LIMIT 1
    ), (
        SELECT n.campaign_id FROM operator_interval AS n
        WHERE n.operator_id = i.operator_id AND n.session_id = i.session_id AND n.campaign_id IS NOT NULL
            AND n.started_at < i.started_at AND n.started_at > i.started_at - interval '12 hours' AND i.campaign_id IS NULL
        ORDER BY n.started_at DESC LIMIT 1
    ), 0) AS campaign_id
FROM operator_interval AS i;

CREATE VIEW kpi_timed AS
SELECT o.started_at, o.ended_at, p.at, o.campaign_id, p.hour, o.operator_id,
    CASE o.state WHEN 'ready' THEN p.us ELSE 0 END AS ready_us, CASE o.state WHEN 'ringing' THEN p.us ELSE 0 END AS ringing_us,
    CASE o.state WHEN 'preview' THEN p.us ELSE 0 END AS preview_us, CASE o.state WHEN 'talking' THEN p.us ELSE 0 END AS talk_us,
    CASE o.state WHEN 'wrap_up' THEN p.us ELSE 0 END AS wrap_up_us, CASE o.state WHEN 'paused' THEN p.us ELSE 0 END AS paused_us
FROM kpi_owned AS o LEFT JOIN campaign AS k ON k.id = o.campaign_id
CROSS JOIN LATERAL kpi_pieces(o.started_at, o.ended_at, coalesce(k.zone, 'UTC')) AS p;

CREATE VIEW kpi_part AS
SELECT 'tried' AS kind, t.at, t.at AS began_at, false AS long, t.campaign_id, t.hour, t.base_id, t.operator_id, t.script, t.caller_number, t.number,
    t.region, t.code, t.reason,
    t.attempts, t.rang, t.answered, t.abandoned, t.dialled, t.reached, t.connected, t.outcome_abandoned, t.early_hangups, t.offers_heard,
    t.no_answer, t.busy, t.machine, t.invalid_number, t.congestion, t.rejected, t.failed, t.cancelled, t.not_sent, t.unknown, 0 AS said,
    0 AS results, 0 AS decision_makers, 0 AS fresh, 0 AS stale, 0 AS off_target, 0 AS closed, 0 AS closed_by_disposition,
    0 AS closed_used_up, 0 AS closed_dead, 0 AS calls_of_closed, 0::bigint AS ready_us, 0::bigint AS ringing_us, 0::bigint AS preview_us,
    0::bigint AS talk_us, 0::bigint AS wrap_up_us, 0::bigint AS paused_us
FROM kpi_tried AS t
UNION ALL
SELECT 'said', d.at, d.at, false, d.campaign_id, d.hour, d.base_id, d.operator_id, d.script, d.caller_number, d.number, d.region, d.code, d.reason,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, d.said, d.results, d.decision_makers, d.fresh, d.stale, d.off_target, 0, 0,
    0, 0, 0, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint
FROM kpi_said AS d
UNION ALL
SELECT 'closed', c.at, c.at, false, c.campaign_id, c.hour, c.base_id, c.operator_id, c.script, c.caller_number, c.number, c.region, c.code, c.reason,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, c.stale, 0, c.closed, c.closed_by_disposition,
    c.closed_used_up, c.closed_dead, c.calls_of_closed, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint
FROM kpi_closed AS c
UNION ALL
SELECT 'timed', o.at, o.started_at, o.ended_at - o.started_at > interval '1 day', o.campaign_id, o.hour, NULL, o.operator_id, NULL, NULL, NULL, NULL, NULL, NULL,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, o.ready_us, o.ringing_us, o.preview_us,
    o.talk_us, o.wrap_up_us, o.paused_us
FROM kpi_timed AS o;

-- What facts add, row by row as they are written, in their own transaction: only inserted, so that no two writers wait
-- for each other. A background step folds them into the hour rows; whoever reads adds both.
CREATE TABLE kpi_delta (
    campaign_id bigint NOT NULL,
    hour timestamptz NOT NULL,
    base_id bigint,
    operator_id bigint,
    script integer,
    caller_number text,
    number integer,
    region text,
    code text,
    reason text,
    attempts integer NOT NULL DEFAULT 0, rang integer NOT NULL DEFAULT 0, answered integer NOT NULL DEFAULT 0, abandoned integer NOT NULL
    DEFAULT 0, dialled integer NOT NULL DEFAULT 0, reached integer NOT NULL DEFAULT 0, connected integer NOT NULL DEFAULT 0,
    outcome_abandoned integer NOT NULL DEFAULT 0, early_hangups integer NOT NULL DEFAULT 0, offers_heard integer NOT NULL DEFAULT 0,
    no_answer integer NOT NULL DEFAULT 0, busy integer NOT NULL DEFAULT 0, machine integer NOT NULL DEFAULT 0, invalid_number integer NOT
    NULL DEFAULT 0, congestion integer NOT NULL DEFAULT 0, rejected integer NOT NULL DEFAULT 0, failed integer NOT NULL DEFAULT 0, cancelled
    integer NOT NULL DEFAULT 0, not_sent integer NOT NULL DEFAULT 0, unknown integer NOT NULL DEFAULT 0, said integer NOT NULL DEFAULT 0,
    results integer NOT NULL DEFAULT 0, decision_makers integer NOT NULL DEFAULT 0, fresh integer NOT NULL DEFAULT 0, stale integer NOT NULL
    DEFAULT 0, off_target integer NOT NULL DEFAULT 0, closed integer NOT NULL DEFAULT 0, closed_by_disposition integer NOT NULL DEFAULT 0,
    closed_used_up integer NOT NULL DEFAULT 0, closed_dead integer NOT NULL DEFAULT 0, calls_of_closed integer NOT NULL DEFAULT 0, ready_us
    bigint NOT NULL DEFAULT 0, ringing_us bigint NOT NULL DEFAULT 0, preview_us bigint NOT NULL DEFAULT 0, talk_us bigint NOT NULL DEFAULT
    0, wrap_up_us bigint NOT NULL DEFAULT 0, paused_us bigint NOT NULL DEFAULT 0
);

-- The hour rows: for each campaign and hour one in total, and one for each operator, base, script, caller number, attempt
-- number, region, disposition and reason that had any fact. `revision` counts changes after the hour was over.
CREATE TABLE kpi_hour (
    dim text NOT NULL CHECK (dim IN ('total', 'operator', 'base', 'script', 'caller', 'number', 'region', 'code', 'reason')),
    campaign_id bigint NOT NULL,
    hour timestamptz NOT NULL,
    key text NOT NULL,
    attempts integer NOT NULL DEFAULT 0, rang integer NOT NULL DEFAULT 0, answered integer NOT NULL DEFAULT 0, abandoned integer NOT NULL
    DEFAULT 0, dialled integer NOT NULL DEFAULT 0, reached integer NOT NULL DEFAULT 0, connected integer NOT NULL DEFAULT 0,
    outcome_abandoned integer NOT NULL DEFAULT 0, early_hangups integer NOT NULL DEFAULT 0, offers_heard integer NOT NULL DEFAULT 0,
    no_answer integer NOT NULL DEFAULT 0, busy integer NOT NULL DEFAULT 0, machine integer NOT NULL DEFAULT 0, invalid_number integer NOT
    NULL DEFAULT 0, congestion integer NOT NULL DEFAULT 0, rejected integer NOT NULL DEFAULT 0, failed integer NOT NULL DEFAULT 0, cancelled
    integer NOT NULL DEFAULT 0, not_sent integer NOT NULL DEFAULT 0, unknown integer NOT NULL DEFAULT 0, said integer NOT NULL DEFAULT 0,
    results integer NOT NULL DEFAULT 0, decision_makers integer NOT NULL DEFAULT 0, fresh integer NOT NULL DEFAULT 0, stale integer NOT NULL
    DEFAULT 0, off_target integer NOT NULL DEFAULT 0, closed integer NOT NULL DEFAULT 0, closed_by_disposition integer NOT NULL DEFAULT 0,
    closed_used_up integer NOT NULL DEFAULT 0, closed_dead integer NOT NULL DEFAULT 0, calls_of_closed integer NOT NULL DEFAULT 0, ready_us
    bigint NOT NULL DEFAULT 0, ringing_us bigint NOT NULL DEFAULT 0, preview_us bigint NOT NULL DEFAULT 0, talk_us bigint NOT NULL DEFAULT
    0, wrap_up_us bigint NOT NULL DEFAULT 0, paused_us bigint NOT NULL DEFAULT 0,
    revision integer NOT NULL DEFAULT 0,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (dim, campaign_id, hour, key)
);

-- Campaigns (0: nobody's) whose hour rows are not right yet: they are counted from the facts until they were made anew.
CREATE TABLE kpi_stale (
    campaign_id bigint PRIMARY KEY,
    since timestamptz NOT NULL DEFAULT now()
);

-- Each look at whether hour rows and facts are equal; `differences` names the sums that are not.
CREATE TABLE kpi_check (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    compared bigint NOT NULL,
    different bigint NOT NULL,
    differences jsonb NOT NULL DEFAULT '[]'
);

CREATE VIEW kpi_row AS
SELECT h.dim, h.campaign_id, h.hour, h.key,
    h.attempts, h.rang, h.answered, h.abandoned, h.dialled, h.reached, h.connected, h.outcome_abandoned, h.early_hangups, h.offers_heard,
    h.no_answer, h.busy, h.machine, h.invalid_number, h.congestion, h.rejected, h.failed, h.cancelled, h.not_sent, h.unknown, h.said,
    h.results, h.decision_makers, h.fresh, h.stale, h.off_target, h.closed, h.closed_by_disposition, h.closed_used_up, h.closed_dead,
    h.calls_of_closed, h.ready_us, h.ringing_us, h.preview_us, h.talk_us, h.wrap_up_us, h.paused_us
FROM kpi_hour AS h
UNION ALL
SELECT part.dim, p.campaign_id, p.hour, part.key,
    p.attempts, p.rang, p.answered, p.abandoned, p.dialled, p.reached, p.connected, p.outcome_abandoned, p.early_hangups, p.offers_heard,
    p.no_answer, p.busy, p.machine, p.invalid_number, p.congestion, p.rejected, p.failed, p.cancelled, p.not_sent, p.unknown, p.said,
    p.results, p.decision_makers, p.fresh, p.stale, p.off_target, p.closed, p.closed_by_disposition, p.closed_used_up, p.closed_dead,
    p.calls_of_closed, p.ready_us, p.ringing_us, p.preview_us, p.talk_us, p.wrap_up_us, p.paused_us
FROM kpi_delta AS p
CROSS JOIN LATERAL (VALUES ('total', ''), ('operator', coalesce(p.operator_id::text, '')), ('base', p.base_id::text),
    ('script', p.campaign_id || '.' || p.script), ('caller', p.caller_number), ('number', p.number::text), ('region', p.region),
    ('code', p.code), ('reason', p.reason)) AS part (dim, key)
WHERE part.key IS NOT NULL;

-- The hour rows of a time as the facts alone say: what the stored ones must be equal to.
CREATE FUNCTION kpi_count(campaigns bigint[], since timestamptz, until timestamptz) RETURNS TABLE (
    dim text, campaign_id bigint, hour timestamptz, key text,
    attempts bigint, rang bigint, answered bigint, abandoned bigint, dialled bigint, reached bigint, connected bigint, outcome_abandoned
    bigint, early_hangups bigint, offers_heard bigint, no_answer bigint, busy bigint, machine bigint, invalid_number bigint, congestion
    bigint, rejected bigint, failed bigint, cancelled bigint, not_sent bigint, unknown bigint, said bigint, results bigint, decision_makers
    bigint, fresh bigint, stale bigint, off_target bigint, closed bigint, closed_by_disposition bigint, closed_used_up bigint, closed_dead
    bigint, calls_of_closed bigint, ready_us bigint, ringing_us bigint, preview_us bigint, talk_us bigint, wrap_up_us bigint, paused_us
    bigint
) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH p AS MATERIALIZED (
        SELECT f.campaign_id, f.hour, f.base_id, f.operator_id, f.script, f.caller_number, f.number, f.region, f.code, f.reason,
            sum(f.attempts) AS attempts, sum(f.rang) AS rang, sum(f.answered) AS answered, sum(f.abandoned) AS abandoned,
            sum(f.dialled) AS dialled, sum(f.reached) AS reached, sum(f.connected) AS connected,
            sum(f.outcome_abandoned) AS outcome_abandoned, sum(f.early_hangups) AS early_hangups, sum(f.offers_heard) AS offers_heard,
            sum(f.no_answer) AS no_answer, sum(f.busy) AS busy, sum(f.machine) AS machine, sum(f.invalid_number) AS invalid_number,
            sum(f.congestion) AS congestion, sum(f.rejected) AS rejected, sum(f.failed) AS failed, sum(f.cancelled) AS cancelled,
            sum(f.not_sent) AS not_sent, sum(f.unknown) AS unknown, sum(f.said) AS said, sum(f.results) AS results,
            sum(f.decision_makers) AS decision_makers, sum(f.fresh) AS fresh, sum(f.stale) AS stale, sum(f.off_target) AS off_target,
            sum(f.closed) AS closed, sum(f.closed_by_disposition) AS closed_by_disposition, sum(f.closed_used_up) AS closed_used_up,
            sum(f.closed_dead) AS closed_dead, sum(f.calls_of_closed) AS calls_of_closed, sum(f.ready_us) AS ready_us,
            sum(f.ringing_us) AS ringing_us, sum(f.preview_us) AS preview_us, sum(f.talk_us) AS talk_us, sum(f.wrap_up_us) AS wrap_up_us,
            sum(f.paused_us) AS paused_us
        FROM kpi_part AS f
        WHERE f.campaign_id = ANY(campaigns) AND f.hour >= since AND f.hour < until AND f.at >= since AND f.at < until + interval '2 hours'
            AND (f.began_at > since - interval '1 day' OR f.long) AND f.began_at < until + interval '2 hours'
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
    )
    SELECT part.dim, p.campaign_id, p.hour, part.key,
        sum(p.attempts)::bigint, sum(p.rang)::bigint, sum(p.answered)::bigint, sum(p.abandoned)::bigint, sum(p.dialled)::bigint,
        sum(p.reached)::bigint, sum(p.connected)::bigint, sum(p.outcome_abandoned)::bigint, sum(p.early_hangups)::bigint,
        sum(p.offers_heard)::bigint, sum(p.no_answer)::bigint, sum(p.busy)::bigint, sum(p.machine)::bigint, sum(p.invalid_number)::bigint,
        sum(p.congestion)::bigint, sum(p.rejected)::bigint, sum(p.failed)::bigint, sum(p.cancelled)::bigint, sum(p.not_sent)::bigint,
        sum(p.unknown)::bigint, sum(p.said)::bigint, sum(p.results)::bigint, sum(p.decision_makers)::bigint, sum(p.fresh)::bigint,
        sum(p.stale)::bigint, sum(p.off_target)::bigint, sum(p.closed)::bigint, sum(p.closed_by_disposition)::bigint,
        sum(p.closed_used_up)::bigint, sum(p.closed_dead)::bigint, sum(p.calls_of_closed)::bigint, sum(p.ready_us)::bigint,
        sum(p.ringing_us)::bigint, sum(p.preview_us)::bigint, sum(p.talk_us)::bigint, sum(p.wrap_up_us)::bigint, sum(p.paused_us)::bigint
    FROM p
    CROSS JOIN LATERAL (VALUES ('total', ''), ('operator', coalesce(p.operator_id::text, '')), ('base', p.base_id::text),
        ('script', p.campaign_id || '.' || p.script), ('caller', p.caller_number), ('number', p.number::text), ('region', p.region),
        ('code', p.code), ('reason', p.reason)) AS part (dim, key)
    WHERE part.key IS NOT NULL
    GROUP BY 1, 2, 3, 4;
END $$;
CREATE INDEX operator_interval_by_time ON operator_interval (started_at);
-- Whoever went home in a pause has one stretch of days.
CREATE INDEX operator_interval_long ON operator_interval (started_at) WHERE ended_at - started_at > interval '1 day';

-- An attempt counts in its hour; if it rang and its contact is closed already, also in the hour of that.
CREATE FUNCTION kpi_attempt_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO kpi_delta (campaign_id, hour, base_id, operator_id, script, caller_number, number, region,
        attempts, rang, answered, abandoned, dialled, reached, connected, outcome_abandoned, early_hangups, offers_heard, no_answer, busy,
        machine, invalid_number, congestion, rejected, failed, cancelled, not_sent, unknown)
    SELECT t.campaign_id, t.hour, t.base_id, t.operator_id, t.script, t.caller_number, t.number, t.region,
        t.attempts, t.rang, t.answered, t.abandoned, t.dialled, t.reached, t.connected, t.outcome_abandoned, t.early_hangups,
        t.offers_heard, t.no_answer, t.busy, t.machine, t.invalid_number, t.congestion, t.rejected, t.failed, t.cancelled, t.not_sent,
        t.unknown
    FROM fresh AS f JOIN kpi_tried AS t ON t.attempt_id = f.attempt_id AND t.at = f.sent_at;
    PERFORM FROM contact AS c WHERE c.id IN (SELECT f.contact_id FROM fresh AS f) ORDER BY c.id FOR NO KEY UPDATE; -- before the closing is looked for
    UPDATE closing AS c SET rang = c.rang + n.rang
    FROM (
        SELECT f.contact_id, count(*)::integer AS rang FROM fresh AS f
        WHERE f.rang_at IS NOT NULL OR f.answered_at IS NOT NULL OR f.outcome = 'no_answer'
        GROUP BY f.contact_id
    ) AS n
    WHERE c.contact_id = n.contact_id;
    RETURN NULL;
END $$;
CREATE TRIGGER kpi_attempt AFTER INSERT ON attempt REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION kpi_attempt_told();

CREATE FUNCTION kpi_disposition_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO kpi_delta (campaign_id, hour, base_id, operator_id, script, caller_number, number, region, code, reason,
        said, results, decision_makers, fresh, stale, off_target)
    SELECT d.campaign_id, d.hour, d.base_id, d.operator_id, d.script, d.caller_number, d.number, d.region, d.code, d.reason,
        d.said, d.results, d.decision_makers, d.fresh, d.stale, d.off_target
    FROM fresh AS f JOIN kpi_said AS d ON d.attempt_id = f.attempt_id;
    RETURN NULL;
END $$;
CREATE TRIGGER kpi_disposition AFTER INSERT ON disposition REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION kpi_disposition_told();

-- A contact is closed, opened again by a new pass, or closed otherwise.
CREATE FUNCTION kpi_contact_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM closing WHERE contact_id = NEW.id;
    INSERT INTO closing (contact_id, campaign_id, base_id, closed_at, closed_by, operator_id, number, caller_number, region, script, rang)
    SELECT NEW.id, NEW.campaign_id, NEW.base_id, NEW.closed_at, NEW.closed_by, said.operator_id, coalesce(last.number, 0),
        coalesce(last.caller_number, ''), coalesce(last.region, ''), coalesce(last.script, 0), (
            SELECT count(*) FROM attempt AS a
            WHERE a.contact_id = NEW.id AND (a.rang_at IS NOT NULL OR a.answered_at IS NOT NULL OR a.outcome = 'no_answer'))
    FROM (VALUES (true)) AS one (row)
    LEFT JOIN LATERAL (
        SELECT * FROM disposition AS d
        WHERE NEW.closed_by = 'disposition' AND d.contact_id = NEW.id AND d.saved_at <= NEW.closed_at
        ORDER BY d.saved_at DESC LIMIT 1
    ) AS said ON true
    LEFT JOIN LATERAL (
        SELECT said.number, said.caller_number, said.region, said.script, 1 AS place WHERE said.attempt_id IS NOT NULL
        UNION ALL
        (SELECT a.number, a.caller_number, a.region, a.script, 2 FROM attempt AS a
            WHERE a.contact_id = NEW.id AND a.sent_at <= NEW.closed_at ORDER BY a.sent_at DESC LIMIT 1)
        ORDER BY place LIMIT 1
    ) AS last ON true
    WHERE NEW.closed_at IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER kpi_contact AFTER UPDATE OF state, closed_at, closed_by ON contact FOR EACH ROW
    WHEN (old.closed_at IS DISTINCT FROM new.closed_at OR old.closed_by IS DISTINCT FROM new.closed_by)
    EXECUTE FUNCTION kpi_contact_closed();
CREATE FUNCTION kpi_contact_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM closing AS c USING gone WHERE c.contact_id = gone.id;
    RETURN NULL;
END $$;
CREATE TRIGGER kpi_contact_gone AFTER DELETE ON contact REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION kpi_contact_gone();

-- What a closing counts is taken back before it changes, and told again after.
CREATE FUNCTION kpi_closing_told() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sign integer := CASE TG_WHEN WHEN 'BEFORE' THEN -1 ELSE 1 END;
    contact bigint := CASE TG_WHEN WHEN 'BEFORE' THEN OLD.contact_id ELSE NEW.contact_id END;
BEGIN
    INSERT INTO kpi_delta (campaign_id, hour, base_id, operator_id, script, caller_number, number, region,
        stale, closed, closed_by_disposition, closed_used_up, closed_dead, calls_of_closed)
    SELECT c.campaign_id, c.hour, c.base_id, c.operator_id, c.script, c.caller_number, c.number, c.region,
        sign * c.stale, sign * c.closed, sign * c.closed_by_disposition, sign * c.closed_used_up, sign * c.closed_dead, sign *
        c.calls_of_closed
    FROM kpi_closed AS c WHERE c.contact_id = contact;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER kpi_closing_before BEFORE UPDATE OR DELETE ON closing FOR EACH ROW EXECUTE FUNCTION kpi_closing_told();
CREATE TRIGGER kpi_closing_after AFTER INSERT OR UPDATE ON closing FOR EACH ROW EXECUTE FUNCTION kpi_closing_told();

-- Stretches of shifts. A call also decides whose the waiting before it was, and the first after a last one what comes
-- behind it: such stretches move from the campaign that had them.
CREATE FUNCTION kpi_interval_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(661341, who.operator_id::integer) FROM (SELECT DISTINCT operator_id FROM fresh ORDER BY 1) AS who;
    INSERT INTO kpi_delta (campaign_id, hour, operator_id,
        ready_us, ringing_us, preview_us, talk_us, wrap_up_us, paused_us)
    WITH span AS (
        SELECT f.operator_id, f.session_id, min(f.started_at) AS first, max(f.started_at) AS last
        FROM fresh AS f GROUP BY f.operator_id, f.session_id
    ), near AS (
        SELECT s.operator_id, s.session_id, coalesce((
            SELECT max(n.started_at) FROM operator_interval AS n
            WHERE n.operator_id = s.operator_id AND n.session_id = s.session_id AND n.campaign_id IS NOT NULL
                AND n.started_at < s.first AND n.started_at > s.first - interval '12 hours'
        ), s.first - interval '12 hours') AS first, coalesce((
            SELECT min(n.started_at) FROM operator_interval AS n
            WHERE n.operator_id = s.operator_id AND n.session_id = s.session_id AND n.campaign_id IS NOT NULL
                AND n.started_at > s.last AND n.started_at < s.last + interval '12 hours'
        ), s.last + interval '12 hours') AS last
        FROM span AS s
    ), known AS (
        SELECT i.operator_id, i.session_id, i.state, i.started_at, i.ended_at, i.campaign_id,
            EXISTS (SELECT FROM fresh AS f WHERE (f.operator_id, f.session_id, f.started_at) = (i.operator_id, i.session_id, i.started_at)) AS told
        FROM near AS s JOIN operator_interval AS i
            ON i.operator_id = s.operator_id AND i.session_id = s.session_id AND i.started_at >= s.first AND i.started_at <= s.last
    ), changed AS (
        SELECT i.*, coalesce(i.campaign_id, later.campaign_id, sooner.campaign_id, 0) AS owner,
            coalesce(later_before.campaign_id, sooner_before.campaign_id, 0) AS owner_before
        FROM known AS i
        LEFT JOIN LATERAL (SELECT n.campaign_id FROM known AS n WHERE n.session_id = i.session_id AND n.operator_id = i.operator_id
            AND n.campaign_id IS NOT NULL AND n.started_at > i.started_at ORDER BY n.started_at LIMIT 1) AS later ON i.campaign_id IS NULL
        LEFT JOIN LATERAL (SELECT n.campaign_id FROM known AS n WHERE n.session_id = i.session_id AND n.operator_id = i.operator_id
            AND n.campaign_id IS NOT NULL AND n.started_at < i.started_at ORDER BY n.started_at DESC LIMIT 1) AS sooner ON i.campaign_id IS NULL
        LEFT JOIN LATERAL (SELECT n.campaign_id FROM known AS n WHERE n.session_id = i.session_id AND n.operator_id = i.operator_id
            AND n.campaign_id IS NOT NULL AND NOT n.told AND n.started_at > i.started_at ORDER BY n.started_at LIMIT 1) AS later_before ON NOT i.told
        LEFT JOIN LATERAL (SELECT n.campaign_id FROM known AS n WHERE n.session_id = i.session_id AND n.operator_id = i.operator_id
            AND n.campaign_id IS NOT NULL AND NOT n.told AND n.started_at < i.started_at ORDER BY n.started_at DESC LIMIT 1) AS sooner_before ON NOT i.told
        WHERE i.told OR i.campaign_id IS NULL
    ), o AS (
        SELECT operator_id, state, started_at, ended_at, owner AS campaign_id, 1 AS sign FROM changed WHERE told OR owner <> owner_before
        UNION ALL
        SELECT operator_id, state, started_at, ended_at, owner_before, -1 FROM changed WHERE NOT told AND owner <> owner_before
    )
    SELECT o.campaign_id, p.hour, o.operator_id,
        sum(CASE o.state WHEN 'ready' THEN o.sign * p.us ELSE 0 END), sum(CASE o.state WHEN 'ringing' THEN o.sign * p.us ELSE 0 END),
        sum(CASE o.state WHEN 'preview' THEN o.sign * p.us ELSE 0 END), sum(CASE o.state WHEN 'talking' THEN o.sign * p.us ELSE 0 END),
        sum(CASE o.state WHEN 'wrap_up' THEN o.sign * p.us ELSE 0 END), sum(CASE o.state WHEN 'paused' THEN o.sign * p.us ELSE 0 END)
    FROM o LEFT JOIN campaign AS k ON k.id = o.campaign_id
    CROSS JOIN LATERAL kpi_pieces(o.started_at, o.ended_at, coalesce(k.zone, 'UTC')) AS p
    GROUP BY o.campaign_id, p.hour, o.operator_id;
    RETURN NULL;
END $$;
CREATE TRIGGER kpi_interval AFTER INSERT ON operator_interval REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION kpi_interval_told();

-- Another zone has other hours: all of the campaign is counted anew.
CREATE FUNCTION kpi_zone_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO kpi_stale (campaign_id) VALUES (NEW.id) ON CONFLICT (campaign_id) DO UPDATE SET since = now();
    RETURN NULL;
END $$;
CREATE TRIGGER kpi_campaign AFTER UPDATE OF zone ON campaign FOR EACH ROW WHEN (old.zone <> new.zone) EXECUTE FUNCTION kpi_zone_changed();

-- Lists of attempts open from a weekday and an hour of the campaign's zone.
CREATE OR REPLACE VIEW attempt_shown AS
SELECT a.attempt_id, a.campaign_id, a.contact_id, a.base_id, a.phone_id, a.number, a.sent_at, a.rang_at, a.answered_at, a.waiting_at,
    a.connected_at, a.ended_at, a.outcome, a.ended_by, a.cause, a.sip_code, a.key, a.operator_id, a.callback_id, a.counts,
    a.legal_answered, a.legal_abandoned, a.profile, a.profile_version,
    k.name AS campaign, c.name AS contact, p.e164 AS phone, coalesce(u.name, '') AS operator,
    d.code, d.saved_at, d.result, d.decision_maker, d.closes, d.reason, d.address, d.note, d.campaign_id AS said_campaign_id,
    d.operator_id AS said_operator_id, d.attempt_id AS said_attempt_id, n.name_ru, n.name_en, k.zone
FROM attempt AS a
JOIN campaign AS k ON k.id = a.campaign_id
JOIN contact AS c ON c.id = a.contact_id
JOIN phone AS p ON p.id = a.phone_id
LEFT JOIN app_user AS u ON u.id = a.operator_id
LEFT JOIN disposition AS d ON d.attempt_id = a.attempt_id
LEFT JOIN disposition_kind AS n ON n.campaign_id = d.campaign_id AND n.code = d.code;

-- What was written before.
UPDATE disposition AS d SET base_id = a.base_id, number = a.number
FROM (SELECT attempt_id, base_id, number FROM attempt UNION ALL SELECT attempt_id, base_id, number FROM attempt_live) AS a
WHERE a.attempt_id = d.attempt_id;
INSERT INTO closing (contact_id, campaign_id, base_id, closed_at, closed_by, operator_id, rang)
SELECT c.id, c.campaign_id, c.base_id, c.closed_at, c.closed_by, (
    SELECT d.operator_id FROM disposition AS d
    WHERE c.closed_by = 'disposition' AND d.contact_id = c.id AND d.saved_at <= c.closed_at
    ORDER BY d.saved_at DESC LIMIT 1
), (
    SELECT count(*) FROM attempt AS a
    WHERE a.contact_id = c.id AND (a.rang_at IS NOT NULL OR a.answered_at IS NOT NULL OR a.outcome = 'no_answer'))
FROM contact AS c WHERE c.state = 'closed';
INSERT INTO kpi_stale (campaign_id) SELECT id FROM campaign UNION ALL SELECT 0;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
