-- What sql/migrations add up to, for reading. Made by scripts/schema; a test holds the two equal.

CREATE FUNCTION public.basket_common() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO basket (campaign_id, code, place, name_ru, name_en) VALUES (NEW.id, 'common', 0, 'Общая', 'Common');
    RETURN NULL;
END $$;

CREATE FUNCTION public.billed_s(duration interval, first_s integer, step_s integer) RETURNS numeric
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT first_s + step_s * ceil(greatest(extract(epoch FROM duration) - first_s, 0) / step_s)
$$;

CREATE FUNCTION public.contact_gone() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM contact_phone cp USING gone WHERE cp.contact_id = gone.id;
    RETURN NULL;
END $$;

CREATE FUNCTION public.contact_keys() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh f WHERE (SELECT p.id FROM phone p WHERE p.id = f.phone_id) IS NULL) THEN
        RAISE EXCEPTION 'a contact has a phone that is not there' USING ERRCODE = 'foreign_key_violation';
    END IF;
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT lane_id, base_id, campaign_id FROM fresh) AS f
        WHERE (SELECT l.id FROM lane l WHERE (l.id, l.base_id, l.campaign_id) = (f.lane_id, f.base_id, f.campaign_id)) IS NULL
    ) THEN
        RAISE EXCEPTION 'a contact is not in a lane of its base' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION public.contact_moved() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM phone p WHERE p.id = NEW.phone_id)
        OR NOT EXISTS (SELECT FROM lane l WHERE (l.id, l.base_id, l.campaign_id) = (NEW.lane_id, NEW.base_id, NEW.campaign_id)) THEN
        RAISE EXCEPTION 'a contact has a phone or a lane that is not there' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION public.contact_phone_keys() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (
        SELECT FROM fresh f
        WHERE (SELECT p.id FROM phone p WHERE p.id = f.phone_id) IS NULL
            OR (SELECT c.id FROM contact c WHERE c.id = f.contact_id) IS NULL
    ) THEN
        RAISE EXCEPTION 'a number of a contact has no contact or no phone' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION public.currency_of(of_campaign bigint) RETURNS text
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN coalesce((SELECT currency FROM lead_rule WHERE campaign_id = of_campaign), 'RUB');
END $$;

CREATE FUNCTION public.currency_stays() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.day_hours(of_day date, zone text) RETURNS TABLE(hour timestamp with time zone, place bigint, places bigint)
    LANGUAGE plpgsql STABLE
    AS $$
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

CREATE FUNCTION public.kpi_attempt_told() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.kpi_bucket(per text, hour timestamp with time zone, zone text) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT CASE WHEN per IN ('day', 'week', 'month') THEN date_trunc(per, hour AT TIME ZONE coalesce(zone, 'UTC')) AT TIME ZONE 'UTC'
        WHEN per = 'hour' THEN hour END
$$;

CREATE FUNCTION public.kpi_closing_told() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.kpi_compare(campaigns bigint[], since timestamp with time zone, until timestamp with time zone) RETURNS TABLE(compared bigint, span text, dim text, campaign_id bigint, at timestamp with time zone, key text, fact text, held bigint, counted bigint)
    LANGUAGE plpgsql STABLE
    AS $$
        #variable_conflict use_column
        BEGIN
        RETURN QUERY
        WITH right_ AS MATERIALIZED (
            SELECT 'hour' AS span, r.hour AS at, r.* FROM kpi_count(campaigns, since, until) AS r
            UNION ALL
            SELECT 'day', d.day::timestamp AT TIME ZONE 'UTC', d.dim, d.campaign_id, NULL, d.key, d.attempts, d.rang, d.answered, d.abandoned, d.dialled, d.reached, d.connected, d.outcome_abandoned, d.early_hangups, d.offers_heard, d.no_answer, d.busy, d.machine, d.invalid_number, d.congestion, d.rejected, d.failed, d.cancelled, d.not_sent, d.unknown, d.said, d.results, d.decision_makers, d.fresh, d.stale, d.off_target, d.closed, d.closed_by_disposition, d.closed_used_up, d.closed_dead, d.calls_of_closed, d.ready_us, d.ringing_us, d.preview_us, d.talk_us, d.wrap_up_us, d.paused_us, d.leads, d.leads_accepted, d.leads_rejected, d.replacements_owed, d.clients, d.promises_made, d.promises_kept, d.promises_kept_late, d.promises_broken, d.promises_cancelled, d.promises_moved, d.return_calls, d.return_missed
            FROM kpi_days(campaigns, kpi_date(since, 'UTC') - 1, kpi_date(until, 'UTC') + 1) AS d
        ), held AS MATERIALIZED (
            SELECT 'hour' AS span, p.hour AS at, p.dim, p.campaign_id, p.key, sum(p.attempts)::bigint AS attempts, sum(p.rang)::bigint AS rang, sum(p.answered)::bigint AS answered, sum(p.abandoned)::bigint AS abandoned, sum(p.dialled)::bigint AS dialled, sum(p.reached)::bigint AS reached, sum(p.connected)::bigint AS connected, sum(p.outcome_abandoned)::bigint AS outcome_abandoned, sum(p.early_hangups)::bigint AS early_hangups, sum(p.offers_heard)::bigint AS offers_heard, sum(p.no_answer)::bigint AS no_answer, sum(p.busy)::bigint AS busy, sum(p.machine)::bigint AS machine, sum(p.invalid_number)::bigint AS invalid_number, sum(p.congestion)::bigint AS congestion, sum(p.rejected)::bigint AS rejected, sum(p.failed)::bigint AS failed, sum(p.cancelled)::bigint AS cancelled, sum(p.not_sent)::bigint AS not_sent, sum(p.unknown)::bigint AS unknown, sum(p.said)::bigint AS said, sum(p.results)::bigint AS results, sum(p.decision_makers)::bigint AS decision_makers, sum(p.fresh)::bigint AS fresh, sum(p.stale)::bigint AS stale, sum(p.off_target)::bigint AS off_target, sum(p.closed)::bigint AS closed, sum(p.closed_by_disposition)::bigint AS closed_by_disposition, sum(p.closed_used_up)::bigint AS closed_used_up, sum(p.closed_dead)::bigint AS closed_dead, sum(p.calls_of_closed)::bigint AS calls_of_closed, sum(p.ready_us)::bigint AS ready_us, sum(p.ringing_us)::bigint AS ringing_us, sum(p.preview_us)::bigint AS preview_us, sum(p.talk_us)::bigint AS talk_us, sum(p.wrap_up_us)::bigint AS wrap_up_us, sum(p.paused_us)::bigint AS paused_us, sum(p.leads)::bigint AS leads, sum(p.leads_accepted)::bigint AS leads_accepted, sum(p.leads_rejected)::bigint AS leads_rejected, sum(p.replacements_owed)::bigint AS replacements_owed, sum(p.clients)::bigint AS clients, sum(p.promises_made)::bigint AS promises_made, sum(p.promises_kept)::bigint AS promises_kept, sum(p.promises_kept_late)::bigint AS promises_kept_late, sum(p.promises_broken)::bigint AS promises_broken, sum(p.promises_cancelled)::bigint AS promises_cancelled, sum(p.promises_moved)::bigint AS promises_moved, sum(p.return_calls)::bigint AS return_calls, sum(p.return_missed)::bigint AS return_missed
            FROM kpi_row AS p
            WHERE p.campaign_id = ANY(campaigns) AND p.hour >= since AND p.hour < until
            GROUP BY p.hour, p.dim, p.campaign_id, p.key
            UNION ALL
            SELECT 'day', d.day::timestamp AT TIME ZONE 'UTC', d.dim, d.campaign_id, d.key, d.attempts, d.rang, d.answered, d.abandoned, d.dialled, d.reached, d.connected, d.outcome_abandoned, d.early_hangups, d.offers_heard, d.no_answer, d.busy, d.machine, d.invalid_number, d.congestion, d.rejected, d.failed, d.cancelled, d.not_sent, d.unknown, d.said, d.results, d.decision_makers, d.fresh, d.stale, d.off_target, d.closed, d.closed_by_disposition, d.closed_used_up, d.closed_dead, d.calls_of_closed, d.ready_us, d.ringing_us, d.preview_us, d.talk_us, d.wrap_up_us, d.paused_us, d.leads, d.leads_accepted, d.leads_rejected, d.replacements_owed, d.clients, d.promises_made, d.promises_kept, d.promises_kept_late, d.promises_broken, d.promises_cancelled, d.promises_moved, d.return_calls, d.return_missed
            FROM kpi_day AS d
            WHERE d.campaign_id = ANY(campaigns) AND d.day >= kpi_date(since, 'UTC') - 1 AND d.day <= kpi_date(until, 'UTC') + 1
        ), both_ AS (
            SELECT span, dim, campaign_id, at, key, jsonb_object(ARRAY['attempts', 'rang', 'answered', 'abandoned', 'dialled', 'reached', 'connected', 'outcome_abandoned', 'early_hangups', 'offers_heard', 'no_answer', 'busy', 'machine', 'invalid_number', 'congestion', 'rejected', 'failed', 'cancelled', 'not_sent', 'unknown', 'said', 'results', 'decision_makers', 'fresh', 'stale', 'off_target', 'closed', 'closed_by_disposition', 'closed_used_up', 'closed_dead', 'calls_of_closed', 'ready_us', 'ringing_us', 'preview_us', 'talk_us', 'wrap_up_us', 'paused_us', 'leads', 'leads_accepted', 'leads_rejected', 'replacements_owed', 'clients', 'promises_made', 'promises_kept', 'promises_kept_late', 'promises_broken', 'promises_cancelled', 'promises_moved', 'return_calls', 'return_missed'], ARRAY[h.attempts::text, h.rang::text, h.answered::text, h.abandoned::text, h.dialled::text, h.reached::text, h.connected::text, h.outcome_abandoned::text, h.early_hangups::text, h.offers_heard::text, h.no_answer::text, h.busy::text, h.machine::text, h.invalid_number::text, h.congestion::text, h.rejected::text, h.failed::text, h.cancelled::text, h.not_sent::text, h.unknown::text, h.said::text, h.results::text, h.decision_makers::text, h.fresh::text, h.stale::text, h.off_target::text, h.closed::text, h.closed_by_disposition::text, h.closed_used_up::text, h.closed_dead::text, h.calls_of_closed::text, h.ready_us::text, h.ringing_us::text, h.preview_us::text, h.talk_us::text, h.wrap_up_us::text, h.paused_us::text, h.leads::text, h.leads_accepted::text, h.leads_rejected::text, h.replacements_owed::text, h.clients::text, h.promises_made::text, h.promises_kept::text, h.promises_kept_late::text, h.promises_broken::text, h.promises_cancelled::text, h.promises_moved::text, h.return_calls::text, h.return_missed::text]) AS held,
                jsonb_object(ARRAY['attempts', 'rang', 'answered', 'abandoned', 'dialled', 'reached', 'connected', 'outcome_abandoned', 'early_hangups', 'offers_heard', 'no_answer', 'busy', 'machine', 'invalid_number', 'congestion', 'rejected', 'failed', 'cancelled', 'not_sent', 'unknown', 'said', 'results', 'decision_makers', 'fresh', 'stale', 'off_target', 'closed', 'closed_by_disposition', 'closed_used_up', 'closed_dead', 'calls_of_closed', 'ready_us', 'ringing_us', 'preview_us', 'talk_us', 'wrap_up_us', 'paused_us', 'leads', 'leads_accepted', 'leads_rejected', 'replacements_owed', 'clients', 'promises_made', 'promises_kept', 'promises_kept_late', 'promises_broken', 'promises_cancelled', 'promises_moved', 'return_calls', 'return_missed'], ARRAY[r.attempts::text, r.rang::text, r.answered::text, r.abandoned::text, r.dialled::text, r.reached::text, r.connected::text, r.outcome_abandoned::text, r.early_hangups::text, r.offers_heard::text, r.no_answer::text, r.busy::text, r.machine::text, r.invalid_number::text, r.congestion::text, r.rejected::text, r.failed::text, r.cancelled::text, r.not_sent::text, r.unknown::text, r.said::text, r.results::text, r.decision_makers::text, r.fresh::text, r.stale::text, r.off_target::text, r.closed::text, r.closed_by_disposition::text, r.closed_used_up::text, r.closed_dead::text, r.calls_of_closed::text, r.ready_us::text, r.ringing_us::text, r.preview_us::text, r.talk_us::text, r.wrap_up_us::text, r.paused_us::text, r.leads::text, r.leads_accepted::text, r.leads_rejected::text, r.replacements_owed::text, r.clients::text, r.promises_made::text, r.promises_kept::text, r.promises_kept_late::text, r.promises_broken::text, r.promises_cancelled::text, r.promises_moved::text, r.return_calls::text, r.return_missed::text]) AS counted
            FROM held AS h FULL JOIN right_ AS r USING (span, dim, campaign_id, at, key)
            WHERE (h.attempts, h.rang, h.answered, h.abandoned, h.dialled, h.reached, h.connected, h.outcome_abandoned, h.early_hangups, h.offers_heard, h.no_answer, h.busy, h.machine, h.invalid_number, h.congestion, h.rejected, h.failed, h.cancelled, h.not_sent, h.unknown, h.said, h.results, h.decision_makers, h.fresh, h.stale, h.off_target, h.closed, h.closed_by_disposition, h.closed_used_up, h.closed_dead, h.calls_of_closed, h.ready_us, h.ringing_us, h.preview_us, h.talk_us, h.wrap_up_us, h.paused_us, h.leads, h.leads_accepted, h.leads_rejected, h.replacements_owed, h.clients, h.promises_made, h.promises_kept, h.promises_kept_late, h.promises_broken, h.promises_cancelled, h.promises_moved, h.return_calls, h.return_missed) IS DISTINCT FROM (r.attempts, r.rang, r.answered, r.abandoned, r.dialled, r.reached, r.connected, r.outcome_abandoned, r.early_hangups, r.offers_heard, r.no_answer, r.busy, r.machine, r.invalid_number, r.congestion, r.rejected, r.failed, r.cancelled, r.not_sent, r.unknown, r.said, r.results, r.decision_makers, r.fresh, r.stale, r.off_target, r.closed, r.closed_by_disposition, r.closed_used_up, r.closed_dead, r.calls_of_closed, r.ready_us, r.ringing_us, r.preview_us, r.talk_us, r.wrap_up_us, r.paused_us, r.leads, r.leads_accepted, r.leads_rejected, r.replacements_owed, r.clients, r.promises_made, r.promises_kept, r.promises_kept_late, r.promises_broken, r.promises_cancelled, r.promises_moved, r.return_calls, r.return_missed)
        )
        SELECT (SELECT count(*) FROM right_), b.span, b.dim, b.campaign_id, b.at, b.key, s.name,
            coalesce((b.held ->> s.name)::bigint, 0), coalesce((b.counted ->> s.name)::bigint, 0)
        FROM (SELECT) AS one LEFT JOIN (
            both_ AS b CROSS JOIN LATERAL jsonb_object_keys(b.held) AS s (name)
        ) ON coalesce((b.held ->> s.name)::bigint, 0) <> coalesce((b.counted ->> s.name)::bigint, 0)
        ORDER BY b.at, b.campaign_id, b.dim, b.key, s.name;
        END $$;

CREATE FUNCTION public.kpi_contact_closed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.kpi_contact_gone() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM closing AS c USING gone WHERE c.contact_id = gone.id;
    RETURN NULL;
END $$;

CREATE FUNCTION public.kpi_count(campaigns bigint[], since timestamp with time zone, until timestamp with time zone) RETURNS TABLE(dim text, campaign_id bigint, hour timestamp with time zone, key text, attempts bigint, rang bigint, answered bigint, abandoned bigint, dialled bigint, reached bigint, connected bigint, outcome_abandoned bigint, early_hangups bigint, offers_heard bigint, no_answer bigint, busy bigint, machine bigint, invalid_number bigint, congestion bigint, rejected bigint, failed bigint, cancelled bigint, not_sent bigint, unknown bigint, said bigint, results bigint, decision_makers bigint, fresh bigint, stale bigint, off_target bigint, closed bigint, closed_by_disposition bigint, closed_used_up bigint, closed_dead bigint, calls_of_closed bigint, ready_us bigint, ringing_us bigint, preview_us bigint, talk_us bigint, wrap_up_us bigint, paused_us bigint, leads bigint, leads_accepted bigint, leads_rejected bigint, replacements_owed bigint, clients bigint, promises_made bigint, promises_kept bigint, promises_kept_late bigint, promises_broken bigint, promises_cancelled bigint, promises_moved bigint, return_calls bigint, return_missed bigint)
    LANGUAGE plpgsql STABLE
    AS $$
        #variable_conflict use_column
        BEGIN
            RETURN QUERY
            WITH p AS MATERIALIZED (
                SELECT f.campaign_id, f.hour, f.base_id, f.operator_id, f.script, f.caller_number, f.number, f.region, f.code, f.reason,
                    sum(f.attempts) AS attempts, sum(f.rang) AS rang, sum(f.answered) AS answered, sum(f.abandoned) AS abandoned, sum(f.dialled) AS dialled, sum(f.reached) AS reached, sum(f.connected) AS connected, sum(f.outcome_abandoned) AS outcome_abandoned, sum(f.early_hangups) AS early_hangups, sum(f.offers_heard) AS offers_heard, sum(f.no_answer) AS no_answer, sum(f.busy) AS busy, sum(f.machine) AS machine, sum(f.invalid_number) AS invalid_number, sum(f.congestion) AS congestion, sum(f.rejected) AS rejected, sum(f.failed) AS failed, sum(f.cancelled) AS cancelled, sum(f.not_sent) AS not_sent, sum(f.unknown) AS unknown, sum(f.said) AS said, sum(f.results) AS results, sum(f.decision_makers) AS decision_makers, sum(f.fresh) AS fresh, sum(f.stale) AS stale, sum(f.off_target) AS off_target, sum(f.closed) AS closed, sum(f.closed_by_disposition) AS closed_by_disposition, sum(f.closed_used_up) AS closed_used_up, sum(f.closed_dead) AS closed_dead, sum(f.calls_of_closed) AS calls_of_closed, sum(f.ready_us) AS ready_us, sum(f.ringing_us) AS ringing_us, sum(f.preview_us) AS preview_us, sum(f.talk_us) AS talk_us, sum(f.wrap_up_us) AS wrap_up_us, sum(f.paused_us) AS paused_us, sum(f.leads) AS leads, sum(f.leads_accepted) AS leads_accepted, sum(f.leads_rejected) AS leads_rejected, sum(f.replacements_owed) AS replacements_owed, sum(f.clients) AS clients, sum(f.promises_made) AS promises_made, sum(f.promises_kept) AS promises_kept, sum(f.promises_kept_late) AS promises_kept_late, sum(f.promises_broken) AS promises_broken, sum(f.promises_cancelled) AS promises_cancelled, sum(f.promises_moved) AS promises_moved, sum(f.return_calls) AS return_calls, sum(f.return_missed) AS return_missed
                FROM kpi_part AS f
                WHERE f.campaign_id = ANY(campaigns) AND f.hour >= since AND f.hour < until AND f.at >= since
                    AND f.at < until + interval '2 hours' AND (f.began_at > since - interval '1 day' OR f.long)
                    AND f.began_at < until + interval '2 hours'
                GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
            )
            SELECT part.dim, p.campaign_id, p.hour, part.key, sum(p.attempts)::bigint, sum(p.rang)::bigint, sum(p.answered)::bigint, sum(p.abandoned)::bigint, sum(p.dialled)::bigint, sum(p.reached)::bigint, sum(p.connected)::bigint, sum(p.outcome_abandoned)::bigint, sum(p.early_hangups)::bigint, sum(p.offers_heard)::bigint, sum(p.no_answer)::bigint, sum(p.busy)::bigint, sum(p.machine)::bigint, sum(p.invalid_number)::bigint, sum(p.congestion)::bigint, sum(p.rejected)::bigint, sum(p.failed)::bigint, sum(p.cancelled)::bigint, sum(p.not_sent)::bigint, sum(p.unknown)::bigint, sum(p.said)::bigint, sum(p.results)::bigint, sum(p.decision_makers)::bigint, sum(p.fresh)::bigint, sum(p.stale)::bigint, sum(p.off_target)::bigint, sum(p.closed)::bigint, sum(p.closed_by_disposition)::bigint, sum(p.closed_used_up)::bigint, sum(p.closed_dead)::bigint, sum(p.calls_of_closed)::bigint, sum(p.ready_us)::bigint, sum(p.ringing_us)::bigint, sum(p.preview_us)::bigint, sum(p.talk_us)::bigint, sum(p.wrap_up_us)::bigint, sum(p.paused_us)::bigint, sum(p.leads)::bigint, sum(p.leads_accepted)::bigint, sum(p.leads_rejected)::bigint, sum(p.replacements_owed)::bigint, sum(p.clients)::bigint, sum(p.promises_made)::bigint, sum(p.promises_kept)::bigint, sum(p.promises_kept_late)::bigint, sum(p.promises_broken)::bigint, sum(p.promises_cancelled)::bigint, sum(p.promises_moved)::bigint, sum(p.return_calls)::bigint, sum(p.return_missed)::bigint
            FROM p CROSS JOIN LATERAL kpi_places(p.campaign_id, p.base_id, p.operator_id, p.script, p.caller_number, p.number, p.region,
                p.code, p.reason) AS part
            GROUP BY 1, 2, 3, 4;
        END $$;

CREATE FUNCTION public.kpi_date(hour timestamp with time zone, zone text) RETURNS date
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT (hour AT TIME ZONE coalesce(zone, 'UTC'))::date
$$;

CREATE FUNCTION public.kpi_days(campaigns bigint[], first date, last date) RETURNS TABLE(dim text, campaign_id bigint, day date, key text, attempts bigint, rang bigint, answered bigint, abandoned bigint, dialled bigint, reached bigint, connected bigint, outcome_abandoned bigint, early_hangups bigint, offers_heard bigint, no_answer bigint, busy bigint, machine bigint, invalid_number bigint, congestion bigint, rejected bigint, failed bigint, cancelled bigint, not_sent bigint, unknown bigint, said bigint, results bigint, decision_makers bigint, fresh bigint, stale bigint, off_target bigint, closed bigint, closed_by_disposition bigint, closed_used_up bigint, closed_dead bigint, calls_of_closed bigint, ready_us bigint, ringing_us bigint, preview_us bigint, talk_us bigint, wrap_up_us bigint, paused_us bigint, leads bigint, leads_accepted bigint, leads_rejected bigint, replacements_owed bigint, clients bigint, promises_made bigint, promises_kept bigint, promises_kept_late bigint, promises_broken bigint, promises_cancelled bigint, promises_moved bigint, return_calls bigint, return_missed bigint)
    LANGUAGE plpgsql STABLE
    AS $$
        #variable_conflict use_column
        BEGIN
            RETURN QUERY
            SELECT h.dim, h.campaign_id, kpi_date(h.hour, k.zone), h.key, sum(h.attempts)::bigint, sum(h.rang)::bigint, sum(h.answered)::bigint, sum(h.abandoned)::bigint, sum(h.dialled)::bigint, sum(h.reached)::bigint, sum(h.connected)::bigint, sum(h.outcome_abandoned)::bigint, sum(h.early_hangups)::bigint, sum(h.offers_heard)::bigint, sum(h.no_answer)::bigint, sum(h.busy)::bigint, sum(h.machine)::bigint, sum(h.invalid_number)::bigint, sum(h.congestion)::bigint, sum(h.rejected)::bigint, sum(h.failed)::bigint, sum(h.cancelled)::bigint, sum(h.not_sent)::bigint, sum(h.unknown)::bigint, sum(h.said)::bigint, sum(h.results)::bigint, sum(h.decision_makers)::bigint, sum(h.fresh)::bigint, sum(h.stale)::bigint, sum(h.off_target)::bigint, sum(h.closed)::bigint, sum(h.closed_by_disposition)::bigint, sum(h.closed_used_up)::bigint, sum(h.closed_dead)::bigint, sum(h.calls_of_closed)::bigint, sum(h.ready_us)::bigint, sum(h.ringing_us)::bigint, sum(h.preview_us)::bigint, sum(h.talk_us)::bigint, sum(h.wrap_up_us)::bigint, sum(h.paused_us)::bigint, sum(h.leads)::bigint, sum(h.leads_accepted)::bigint, sum(h.leads_rejected)::bigint, sum(h.replacements_owed)::bigint, sum(h.clients)::bigint, sum(h.promises_made)::bigint, sum(h.promises_kept)::bigint, sum(h.promises_kept_late)::bigint, sum(h.promises_broken)::bigint, sum(h.promises_cancelled)::bigint, sum(h.promises_moved)::bigint, sum(h.return_calls)::bigint, sum(h.return_missed)::bigint
            FROM kpi_hour AS h LEFT JOIN campaign AS k ON k.id = h.campaign_id
            WHERE h.campaign_id = ANY(campaigns) AND h.hour >= first::timestamp AT TIME ZONE 'UTC' - interval '1 day'
                AND h.hour < last::timestamp AT TIME ZONE 'UTC' + interval '2 days'
                AND kpi_date(h.hour, k.zone) >= first AND kpi_date(h.hour, k.zone) <= last
            GROUP BY 1, 2, 3, 4;
        END $$;

CREATE FUNCTION public.kpi_days_summed(per text, by text, of_dim text, of_key text, campaigns bigint[], first date[], behind date[]) RETURNS TABLE(bucket timestamp with time zone, who text, attempts bigint, rang bigint, answered bigint, abandoned bigint, dialled bigint, reached bigint, connected bigint, outcome_abandoned bigint, early_hangups bigint, offers_heard bigint, no_answer bigint, busy bigint, machine bigint, invalid_number bigint, congestion bigint, rejected bigint, failed bigint, cancelled bigint, not_sent bigint, unknown bigint, said bigint, results bigint, decision_makers bigint, fresh bigint, stale bigint, off_target bigint, closed bigint, closed_by_disposition bigint, closed_used_up bigint, closed_dead bigint, calls_of_closed bigint, ready_us bigint, ringing_us bigint, preview_us bigint, talk_us bigint, wrap_up_us bigint, paused_us bigint, leads bigint, leads_accepted bigint, leads_rejected bigint, replacements_owed bigint, clients bigint, promises_made bigint, promises_kept bigint, promises_kept_late bigint, promises_broken bigint, promises_cancelled bigint, promises_moved bigint, return_calls bigint, return_missed bigint)
    LANGUAGE plpgsql STABLE
    AS $$
        #variable_conflict use_column
        BEGIN
            RETURN QUERY
            SELECT CASE WHEN per <> '' THEN date_trunc(per, p.day::timestamp) AT TIME ZONE 'UTC' END, CASE WHEN by = p.dim THEN p.key
                ELSE kpi_who(by, p.campaign_id, k.customer_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL) END,
                sum(p.attempts)::bigint, sum(p.rang)::bigint, sum(p.answered)::bigint, sum(p.abandoned)::bigint, sum(p.dialled)::bigint, sum(p.reached)::bigint, sum(p.connected)::bigint, sum(p.outcome_abandoned)::bigint, sum(p.early_hangups)::bigint, sum(p.offers_heard)::bigint, sum(p.no_answer)::bigint, sum(p.busy)::bigint, sum(p.machine)::bigint, sum(p.invalid_number)::bigint, sum(p.congestion)::bigint, sum(p.rejected)::bigint, sum(p.failed)::bigint, sum(p.cancelled)::bigint, sum(p.not_sent)::bigint, sum(p.unknown)::bigint, sum(p.said)::bigint, sum(p.results)::bigint, sum(p.decision_makers)::bigint, sum(p.fresh)::bigint, sum(p.stale)::bigint, sum(p.off_target)::bigint, sum(p.closed)::bigint, sum(p.closed_by_disposition)::bigint, sum(p.closed_used_up)::bigint, sum(p.closed_dead)::bigint, sum(p.calls_of_closed)::bigint, sum(p.ready_us)::bigint, sum(p.ringing_us)::bigint, sum(p.preview_us)::bigint, sum(p.talk_us)::bigint, sum(p.wrap_up_us)::bigint, sum(p.paused_us)::bigint, sum(p.leads)::bigint, sum(p.leads_accepted)::bigint, sum(p.leads_rejected)::bigint, sum(p.replacements_owed)::bigint, sum(p.clients)::bigint, sum(p.promises_made)::bigint, sum(p.promises_kept)::bigint, sum(p.promises_kept_late)::bigint, sum(p.promises_broken)::bigint, sum(p.promises_cancelled)::bigint, sum(p.promises_moved)::bigint, sum(p.return_calls)::bigint, sum(p.return_missed)::bigint
            FROM unnest(campaigns, first, behind) AS r (campaign_id, first, behind)
            CROSS JOIN LATERAL (
                SELECT * FROM kpi_day_row AS p
                WHERE p.campaign_id = r.campaign_id AND p.day >= r.first AND p.day < r.behind AND p.dim = of_dim
                    AND (of_key IS NULL OR p.key = of_key)
                OFFSET 0
            ) AS p
            LEFT JOIN campaign AS k ON k.id = p.campaign_id
            GROUP BY 1, 2;
        END $$;

CREATE FUNCTION public.kpi_disposition_told() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO kpi_delta (campaign_id, hour, base_id, operator_id, script, caller_number, number, region, code, reason,
        said, results, decision_makers, fresh, stale, off_target)
    SELECT d.campaign_id, d.hour, d.base_id, d.operator_id, d.script, d.caller_number, d.number, d.region, d.code, d.reason,
        d.said, d.results, d.decision_makers, d.fresh, d.stale, d.off_target
    FROM fresh AS f JOIN kpi_said AS d ON d.attempt_id = f.attempt_id;
    RETURN NULL;
END $$;

CREATE FUNCTION public.kpi_facts_summed(per text, by text, of_operator bigint, campaigns bigint[], since timestamp with time zone[], until timestamp with time zone[]) RETURNS TABLE(bucket timestamp with time zone, who text, attempts bigint, rang bigint, answered bigint, abandoned bigint, dialled bigint, reached bigint, connected bigint, outcome_abandoned bigint, early_hangups bigint, offers_heard bigint, no_answer bigint, busy bigint, machine bigint, invalid_number bigint, congestion bigint, rejected bigint, failed bigint, cancelled bigint, not_sent bigint, unknown bigint, said bigint, results bigint, decision_makers bigint, fresh bigint, stale bigint, off_target bigint, closed bigint, closed_by_disposition bigint, closed_used_up bigint, closed_dead bigint, calls_of_closed bigint, ready_us bigint, ringing_us bigint, preview_us bigint, talk_us bigint, wrap_up_us bigint, paused_us bigint, leads bigint, leads_accepted bigint, leads_rejected bigint, replacements_owed bigint, clients bigint, promises_made bigint, promises_kept bigint, promises_kept_late bigint, promises_broken bigint, promises_cancelled bigint, promises_moved bigint, return_calls bigint, return_missed bigint)
    LANGUAGE plpgsql STABLE
    AS $$
        #variable_conflict use_column
        BEGIN
            RETURN QUERY
            SELECT kpi_bucket(per, p.hour, k.zone), kpi_who(by, p.campaign_id, k.customer_id, p.base_id, p.operator_id, p.script,
                p.caller_number, p.number, p.region, p.code, p.reason),
                sum(p.attempts)::bigint, sum(p.rang)::bigint, sum(p.answered)::bigint, sum(p.abandoned)::bigint, sum(p.dialled)::bigint, sum(p.reached)::bigint, sum(p.connected)::bigint, sum(p.outcome_abandoned)::bigint, sum(p.early_hangups)::bigint, sum(p.offers_heard)::bigint, sum(p.no_answer)::bigint, sum(p.busy)::bigint, sum(p.machine)::bigint, sum(p.invalid_number)::bigint, sum(p.congestion)::bigint, sum(p.rejected)::bigint, sum(p.failed)::bigint, sum(p.cancelled)::bigint, sum(p.not_sent)::bigint, sum(p.unknown)::bigint, sum(p.said)::bigint, sum(p.results)::bigint, sum(p.decision_makers)::bigint, sum(p.fresh)::bigint, sum(p.stale)::bigint, sum(p.off_target)::bigint, sum(p.closed)::bigint, sum(p.closed_by_disposition)::bigint, sum(p.closed_used_up)::bigint, sum(p.closed_dead)::bigint, sum(p.calls_of_closed)::bigint, sum(p.ready_us)::bigint, sum(p.ringing_us)::bigint, sum(p.preview_us)::bigint, sum(p.talk_us)::bigint, sum(p.wrap_up_us)::bigint, sum(p.paused_us)::bigint, sum(p.leads)::bigint, sum(p.leads_accepted)::bigint, sum(p.leads_rejected)::bigint, sum(p.replacements_owed)::bigint, sum(p.clients)::bigint, sum(p.promises_made)::bigint, sum(p.promises_kept)::bigint, sum(p.promises_kept_late)::bigint, sum(p.promises_broken)::bigint, sum(p.promises_cancelled)::bigint, sum(p.promises_moved)::bigint, sum(p.return_calls)::bigint, sum(p.return_missed)::bigint
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
        END $$;

CREATE FUNCTION public.kpi_filled(template text) RETURNS text
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    pattern text;
BEGIN
    FOR pattern IN SELECT DISTINCT m[1] FROM regexp_matches(template, '\{([^{}]+)\}', 'g') AS m LOOP
        template := replace(template, '{' || pattern || '}', kpi_list(pattern));
    END LOOP;
    RETURN template;
END $$;

CREATE FUNCTION public.kpi_fold(at_most integer) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
        DECLARE
            folded bigint;
        BEGIN
        WITH gone AS (
            DELETE FROM kpi_delta WHERE ctid = ANY(ARRAY(SELECT ctid FROM kpi_delta LIMIT at_most)) RETURNING *
        ), p AS (
            SELECT part.dim, g.campaign_id, g.hour, part.key, sum(g.attempts) AS attempts, sum(g.rang) AS rang, sum(g.answered) AS answered, sum(g.abandoned) AS abandoned, sum(g.dialled) AS dialled, sum(g.reached) AS reached, sum(g.connected) AS connected, sum(g.outcome_abandoned) AS outcome_abandoned, sum(g.early_hangups) AS early_hangups, sum(g.offers_heard) AS offers_heard, sum(g.no_answer) AS no_answer, sum(g.busy) AS busy, sum(g.machine) AS machine, sum(g.invalid_number) AS invalid_number, sum(g.congestion) AS congestion, sum(g.rejected) AS rejected, sum(g.failed) AS failed, sum(g.cancelled) AS cancelled, sum(g.not_sent) AS not_sent, sum(g.unknown) AS unknown, sum(g.said) AS said, sum(g.results) AS results, sum(g.decision_makers) AS decision_makers, sum(g.fresh) AS fresh, sum(g.stale) AS stale, sum(g.off_target) AS off_target, sum(g.closed) AS closed, sum(g.closed_by_disposition) AS closed_by_disposition, sum(g.closed_used_up) AS closed_used_up, sum(g.closed_dead) AS closed_dead, sum(g.calls_of_closed) AS calls_of_closed, sum(g.ready_us) AS ready_us, sum(g.ringing_us) AS ringing_us, sum(g.preview_us) AS preview_us, sum(g.talk_us) AS talk_us, sum(g.wrap_up_us) AS wrap_up_us, sum(g.paused_us) AS paused_us, sum(g.leads) AS leads, sum(g.leads_accepted) AS leads_accepted, sum(g.leads_rejected) AS leads_rejected, sum(g.replacements_owed) AS replacements_owed, sum(g.clients) AS clients, sum(g.promises_made) AS promises_made, sum(g.promises_kept) AS promises_kept, sum(g.promises_kept_late) AS promises_kept_late, sum(g.promises_broken) AS promises_broken, sum(g.promises_cancelled) AS promises_cancelled, sum(g.promises_moved) AS promises_moved, sum(g.return_calls) AS return_calls, sum(g.return_missed) AS return_missed
            FROM gone AS g CROSS JOIN LATERAL kpi_places(g.campaign_id, g.base_id, g.operator_id, g.script, g.caller_number, g.number,
                g.region, g.code, g.reason) AS part
            GROUP BY 1, 2, 3, 4
        ), hours AS (
            INSERT INTO kpi_hour AS h (dim, campaign_id, hour, key, attempts, rang, answered, abandoned, dialled, reached, connected, outcome_abandoned, early_hangups, offers_heard, no_answer, busy, machine, invalid_number, congestion, rejected, failed, cancelled, not_sent, unknown, said, results, decision_makers, fresh, stale, off_target, closed, closed_by_disposition, closed_used_up, closed_dead, calls_of_closed, ready_us, ringing_us, preview_us, talk_us, wrap_up_us, paused_us, leads, leads_accepted, leads_rejected, replacements_owed, clients, promises_made, promises_kept, promises_kept_late, promises_broken, promises_cancelled, promises_moved, return_calls, return_missed)
            SELECT dim, campaign_id, hour, key, attempts, rang, answered, abandoned, dialled, reached, connected, outcome_abandoned, early_hangups, offers_heard, no_answer, busy, machine, invalid_number, congestion, rejected, failed, cancelled, not_sent, unknown, said, results, decision_makers, fresh, stale, off_target, closed, closed_by_disposition, closed_used_up, closed_dead, calls_of_closed, ready_us, ringing_us, preview_us, talk_us, wrap_up_us, paused_us, leads, leads_accepted, leads_rejected, replacements_owed, clients, promises_made, promises_kept, promises_kept_late, promises_broken, promises_cancelled, promises_moved, return_calls, return_missed FROM p
            ON CONFLICT (dim, campaign_id, hour, key) DO UPDATE
            SET (revision, changed_at, attempts, rang, answered, abandoned, dialled, reached, connected, outcome_abandoned, early_hangups, offers_heard, no_answer, busy, machine, invalid_number, congestion, rejected, failed, cancelled, not_sent, unknown, said, results, decision_makers, fresh, stale, off_target, closed, closed_by_disposition, closed_used_up, closed_dead, calls_of_closed, ready_us, ringing_us, preview_us, talk_us, wrap_up_us, paused_us, leads, leads_accepted, leads_rejected, replacements_owed, clients, promises_made, promises_kept, promises_kept_late, promises_broken, promises_cancelled, promises_moved, return_calls, return_missed)
            = (h.revision + (now() >= h.hour + interval '75 minutes')::integer, now(), h.attempts + excluded.attempts, h.rang + excluded.rang, h.answered + excluded.answered, h.abandoned + excluded.abandoned, h.dialled + excluded.dialled, h.reached + excluded.reached, h.connected + excluded.connected, h.outcome_abandoned + excluded.outcome_abandoned, h.early_hangups + excluded.early_hangups, h.offers_heard + excluded.offers_heard, h.no_answer + excluded.no_answer, h.busy + excluded.busy, h.machine + excluded.machine, h.invalid_number + excluded.invalid_number, h.congestion + excluded.congestion, h.rejected + excluded.rejected, h.failed + excluded.failed, h.cancelled + excluded.cancelled, h.not_sent + excluded.not_sent, h.unknown + excluded.unknown, h.said + excluded.said, h.results + excluded.results, h.decision_makers + excluded.decision_makers, h.fresh + excluded.fresh, h.stale + excluded.stale, h.off_target + excluded.off_target, h.closed + excluded.closed, h.closed_by_disposition + excluded.closed_by_disposition, h.closed_used_up + excluded.closed_used_up, h.closed_dead + excluded.closed_dead, h.calls_of_closed + excluded.calls_of_closed, h.ready_us + excluded.ready_us, h.ringing_us + excluded.ringing_us, h.preview_us + excluded.preview_us, h.talk_us + excluded.talk_us, h.wrap_up_us + excluded.wrap_up_us, h.paused_us + excluded.paused_us, h.leads + excluded.leads, h.leads_accepted + excluded.leads_accepted, h.leads_rejected + excluded.leads_rejected, h.replacements_owed + excluded.replacements_owed, h.clients + excluded.clients, h.promises_made + excluded.promises_made, h.promises_kept + excluded.promises_kept, h.promises_kept_late + excluded.promises_kept_late, h.promises_broken + excluded.promises_broken, h.promises_cancelled + excluded.promises_cancelled, h.promises_moved + excluded.promises_moved, h.return_calls + excluded.return_calls, h.return_missed + excluded.return_missed)
        ), days AS (
            INSERT INTO kpi_day AS d (dim, campaign_id, day, key, attempts, rang, answered, abandoned, dialled, reached, connected, outcome_abandoned, early_hangups, offers_heard, no_answer, busy, machine, invalid_number, congestion, rejected, failed, cancelled, not_sent, unknown, said, results, decision_makers, fresh, stale, off_target, closed, closed_by_disposition, closed_used_up, closed_dead, calls_of_closed, ready_us, ringing_us, preview_us, talk_us, wrap_up_us, paused_us, leads, leads_accepted, leads_rejected, replacements_owed, clients, promises_made, promises_kept, promises_kept_late, promises_broken, promises_cancelled, promises_moved, return_calls, return_missed)
            SELECT p.dim, p.campaign_id, kpi_date(p.hour, k.zone), p.key, sum(p.attempts), sum(p.rang), sum(p.answered), sum(p.abandoned), sum(p.dialled), sum(p.reached), sum(p.connected), sum(p.outcome_abandoned), sum(p.early_hangups), sum(p.offers_heard), sum(p.no_answer), sum(p.busy), sum(p.machine), sum(p.invalid_number), sum(p.congestion), sum(p.rejected), sum(p.failed), sum(p.cancelled), sum(p.not_sent), sum(p.unknown), sum(p.said), sum(p.results), sum(p.decision_makers), sum(p.fresh), sum(p.stale), sum(p.off_target), sum(p.closed), sum(p.closed_by_disposition), sum(p.closed_used_up), sum(p.closed_dead), sum(p.calls_of_closed), sum(p.ready_us), sum(p.ringing_us), sum(p.preview_us), sum(p.talk_us), sum(p.wrap_up_us), sum(p.paused_us), sum(p.leads), sum(p.leads_accepted), sum(p.leads_rejected), sum(p.replacements_owed), sum(p.clients), sum(p.promises_made), sum(p.promises_kept), sum(p.promises_kept_late), sum(p.promises_broken), sum(p.promises_cancelled), sum(p.promises_moved), sum(p.return_calls), sum(p.return_missed)
            FROM p LEFT JOIN campaign AS k ON k.id = p.campaign_id
            GROUP BY 1, 2, 3, 4
            ON CONFLICT (dim, campaign_id, day, key) DO UPDATE SET (attempts, rang, answered, abandoned, dialled, reached, connected, outcome_abandoned, early_hangups, offers_heard, no_answer, busy, machine, invalid_number, congestion, rejected, failed, cancelled, not_sent, unknown, said, results, decision_makers, fresh, stale, off_target, closed, closed_by_disposition, closed_used_up, closed_dead, calls_of_closed, ready_us, ringing_us, preview_us, talk_us, wrap_up_us, paused_us, leads, leads_accepted, leads_rejected, replacements_owed, clients, promises_made, promises_kept, promises_kept_late, promises_broken, promises_cancelled, promises_moved, return_calls, return_missed) = ROW (d.attempts + excluded.attempts, d.rang + excluded.rang, d.answered + excluded.answered, d.abandoned + excluded.abandoned, d.dialled + excluded.dialled, d.reached + excluded.reached, d.connected + excluded.connected, d.outcome_abandoned + excluded.outcome_abandoned, d.early_hangups + excluded.early_hangups, d.offers_heard + excluded.offers_heard, d.no_answer + excluded.no_answer, d.busy + excluded.busy, d.machine + excluded.machine, d.invalid_number + excluded.invalid_number, d.congestion + excluded.congestion, d.rejected + excluded.rejected, d.failed + excluded.failed, d.cancelled + excluded.cancelled, d.not_sent + excluded.not_sent, d.unknown + excluded.unknown, d.said + excluded.said, d.results + excluded.results, d.decision_makers + excluded.decision_makers, d.fresh + excluded.fresh, d.stale + excluded.stale, d.off_target + excluded.off_target, d.closed + excluded.closed, d.closed_by_disposition + excluded.closed_by_disposition, d.closed_used_up + excluded.closed_used_up, d.closed_dead + excluded.closed_dead, d.calls_of_closed + excluded.calls_of_closed, d.ready_us + excluded.ready_us, d.ringing_us + excluded.ringing_us, d.preview_us + excluded.preview_us, d.talk_us + excluded.talk_us, d.wrap_up_us + excluded.wrap_up_us, d.paused_us + excluded.paused_us, d.leads + excluded.leads, d.leads_accepted + excluded.leads_accepted, d.leads_rejected + excluded.leads_rejected, d.replacements_owed + excluded.replacements_owed, d.clients + excluded.clients, d.promises_made + excluded.promises_made, d.promises_kept + excluded.promises_kept, d.promises_kept_late + excluded.promises_kept_late, d.promises_broken + excluded.promises_broken, d.promises_cancelled + excluded.promises_cancelled, d.promises_moved + excluded.promises_moved, d.return_calls + excluded.return_calls, d.return_missed + excluded.return_missed)
        )
        SELECT count(*) INTO folded FROM gone;
            RETURN folded;
        END $$;

CREATE FUNCTION public.kpi_hours_summed(per text, by text, of_dim text, of_key text, campaigns bigint[], since timestamp with time zone[], until timestamp with time zone[]) RETURNS TABLE(bucket timestamp with time zone, who text, attempts bigint, rang bigint, answered bigint, abandoned bigint, dialled bigint, reached bigint, connected bigint, outcome_abandoned bigint, early_hangups bigint, offers_heard bigint, no_answer bigint, busy bigint, machine bigint, invalid_number bigint, congestion bigint, rejected bigint, failed bigint, cancelled bigint, not_sent bigint, unknown bigint, said bigint, results bigint, decision_makers bigint, fresh bigint, stale bigint, off_target bigint, closed bigint, closed_by_disposition bigint, closed_used_up bigint, closed_dead bigint, calls_of_closed bigint, ready_us bigint, ringing_us bigint, preview_us bigint, talk_us bigint, wrap_up_us bigint, paused_us bigint, leads bigint, leads_accepted bigint, leads_rejected bigint, replacements_owed bigint, clients bigint, promises_made bigint, promises_kept bigint, promises_kept_late bigint, promises_broken bigint, promises_cancelled bigint, promises_moved bigint, return_calls bigint, return_missed bigint)
    LANGUAGE plpgsql STABLE
    AS $$
        #variable_conflict use_column
        BEGIN
            RETURN QUERY
            SELECT kpi_bucket(per, p.hour, k.zone), CASE WHEN by = p.dim THEN p.key
                ELSE kpi_who(by, p.campaign_id, k.customer_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL) END,
                sum(p.attempts)::bigint, sum(p.rang)::bigint, sum(p.answered)::bigint, sum(p.abandoned)::bigint, sum(p.dialled)::bigint, sum(p.reached)::bigint, sum(p.connected)::bigint, sum(p.outcome_abandoned)::bigint, sum(p.early_hangups)::bigint, sum(p.offers_heard)::bigint, sum(p.no_answer)::bigint, sum(p.busy)::bigint, sum(p.machine)::bigint, sum(p.invalid_number)::bigint, sum(p.congestion)::bigint, sum(p.rejected)::bigint, sum(p.failed)::bigint, sum(p.cancelled)::bigint, sum(p.not_sent)::bigint, sum(p.unknown)::bigint, sum(p.said)::bigint, sum(p.results)::bigint, sum(p.decision_makers)::bigint, sum(p.fresh)::bigint, sum(p.stale)::bigint, sum(p.off_target)::bigint, sum(p.closed)::bigint, sum(p.closed_by_disposition)::bigint, sum(p.closed_used_up)::bigint, sum(p.closed_dead)::bigint, sum(p.calls_of_closed)::bigint, sum(p.ready_us)::bigint, sum(p.ringing_us)::bigint, sum(p.preview_us)::bigint, sum(p.talk_us)::bigint, sum(p.wrap_up_us)::bigint, sum(p.paused_us)::bigint, sum(p.leads)::bigint, sum(p.leads_accepted)::bigint, sum(p.leads_rejected)::bigint, sum(p.replacements_owed)::bigint, sum(p.clients)::bigint, sum(p.promises_made)::bigint, sum(p.promises_kept)::bigint, sum(p.promises_kept_late)::bigint, sum(p.promises_broken)::bigint, sum(p.promises_cancelled)::bigint, sum(p.promises_moved)::bigint, sum(p.return_calls)::bigint, sum(p.return_missed)::bigint
            FROM unnest(campaigns, since, until) AS r (campaign_id, since, until)
            CROSS JOIN LATERAL (
                SELECT * FROM kpi_row AS p
                WHERE p.campaign_id = r.campaign_id AND p.hour >= r.since AND p.hour < r.until AND p.dim = of_dim
                    AND (of_key IS NULL OR p.key = of_key)
                OFFSET 0
            ) AS p
            LEFT JOIN campaign AS k ON k.id = p.campaign_id
            GROUP BY 1, 2;
        END $$;

CREATE FUNCTION public.kpi_interval_told() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.kpi_kind(of_kind text, of_view text, keys text) RETURNS text
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN format('SELECT %L::text AS kind, v.at, %s, ', of_kind, keys) || (
        SELECT string_agg(CASE WHEN a.attname IS NULL THEN '0 AS ' ELSE 'v.' END || n.name, ', ' ORDER BY n.place)
        FROM string_to_table(kpi_list('#'), ', ') WITH ORDINALITY AS n (name, place)
        LEFT JOIN pg_attribute AS a ON a.attrelid = of_view::regclass AND a.attname = n.name
    ) || format(' FROM %I AS v', of_view);
END $$;

CREATE FUNCTION public.kpi_kinds(OUT kind text, OUT of_view text) RETURNS SETOF record
    LANGUAGE sql IMMUTABLE
    AS $$
    VALUES ('tried', 'kpi_tried'), ('said', 'kpi_said'), ('closed', 'kpi_closed'), ('led', 'kpi_led'), ('promised', 'kpi_promised'),
        ('returned', 'kpi_returned')
$$;

CREATE FUNCTION public.kpi_lead_told() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.kpi_list(pattern text) RETURNS text
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN (SELECT string_agg(replace(pattern, '#', attname), ', ' ORDER BY attnum)
        FROM pg_attribute
        WHERE attrelid = 'kpi_delta'::regclass AND attnum > 0 AND NOT attisdropped AND attname NOT IN ('campaign_id', 'hour', 'base_id',
            'operator_id', 'script', 'caller_number', 'number', 'region', 'code', 'reason'));
END $$;

CREATE PROCEDURE public.kpi_make()
    LANGUAGE plpgsql
    AS $_$
DECLARE
    keys text := 'v.at AS began_at, false AS long, v.campaign_id, v.hour, v.base_id, v.operator_id, v.script, v.caller_number, v.number,'
        ' v.region, v.code, v.reason';
BEGIN
    DROP FUNCTION IF EXISTS kpi_hours_summed, kpi_days_summed, kpi_facts_summed, kpi_days, kpi_compare, kpi_count;
    DROP VIEW IF EXISTS kpi_part, kpi_row, kpi_day_row;

    -- All facts.
    EXECUTE 'CREATE VIEW kpi_part AS ' || (SELECT string_agg(kpi_kind(k.kind, k.of_view, keys), ' UNION ALL ') FROM kpi_kinds() AS k)
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
END $_$;

CREATE FUNCTION public.kpi_pieces(started_at timestamp with time zone, ended_at timestamp with time zone, zone text) RETURNS TABLE(at timestamp with time zone, hour timestamp with time zone, us bigint)
    LANGUAGE sql STABLE
    AS $$
    SELECT greatest(started_at, q.at), date_trunc('hour', q.at, zone),
        (1000000 * extract(epoch FROM least(ended_at, q.at + interval '15 minutes') - greatest(started_at, q.at)))::bigint
    FROM generate_series(date_bin('15 minutes', started_at, timestamptz '2000-01-01 00:00Z'), ended_at, interval '15 minutes') AS q (at)
    WHERE least(ended_at, q.at + interval '15 minutes') > greatest(started_at, q.at)
$$;

CREATE FUNCTION public.kpi_places(campaign_id bigint, base_id bigint, operator_id bigint, script integer, caller_number text, number integer, region text, code text, reason text) RETURNS TABLE(dim text, key text)
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT * FROM (VALUES ('total', ''), ('operator', coalesce(operator_id::text, '')), ('base', base_id::text),
        ('script', campaign_id::text || '.' || script::text), ('caller', caller_number), ('number', number::text), ('region', region),
        ('code', code), ('reason', reason)) AS part (dim, key)
    WHERE part.key IS NOT NULL
$$;

CREATE FUNCTION public.kpi_promise_told() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.kpi_remake(campaigns bigint[], since timestamp with time zone, until timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $$
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
            INSERT INTO kpi_hour AS h (dim, campaign_id, hour, key, attempts, rang, answered, abandoned, dialled, reached, connected, outcome_abandoned, early_hangups, offers_heard, no_answer, busy, machine, invalid_number, congestion, rejected, failed, cancelled, not_sent, unknown, said, results, decision_makers, fresh, stale, off_target, closed, closed_by_disposition, closed_used_up, closed_dead, calls_of_closed, ready_us, ringing_us, preview_us, talk_us, wrap_up_us, paused_us, leads, leads_accepted, leads_rejected, replacements_owed, clients, promises_made, promises_kept, promises_kept_late, promises_broken, promises_cancelled, promises_moved, return_calls, return_missed)
            SELECT r.dim, r.campaign_id, r.hour, r.key, r.attempts, r.rang, r.answered, r.abandoned, r.dialled, r.reached, r.connected, r.outcome_abandoned, r.early_hangups, r.offers_heard, r.no_answer, r.busy, r.machine, r.invalid_number, r.congestion, r.rejected, r.failed, r.cancelled, r.not_sent, r.unknown, r.said, r.results, r.decision_makers, r.fresh, r.stale, r.off_target, r.closed, r.closed_by_disposition, r.closed_used_up, r.closed_dead, r.calls_of_closed, r.ready_us, r.ringing_us, r.preview_us, r.talk_us, r.wrap_up_us, r.paused_us, r.leads, r.leads_accepted, r.leads_rejected, r.replacements_owed, r.clients, r.promises_made, r.promises_kept, r.promises_kept_late, r.promises_broken, r.promises_cancelled, r.promises_moved, r.return_calls, r.return_missed FROM right_ AS r
            ON CONFLICT (dim, campaign_id, hour, key) DO UPDATE
            SET (revision, changed_at, attempts, rang, answered, abandoned, dialled, reached, connected, outcome_abandoned, early_hangups, offers_heard, no_answer, busy, machine, invalid_number, congestion, rejected, failed, cancelled, not_sent, unknown, said, results, decision_makers, fresh, stale, off_target, closed, closed_by_disposition, closed_used_up, closed_dead, calls_of_closed, ready_us, ringing_us, preview_us, talk_us, wrap_up_us, paused_us, leads, leads_accepted, leads_rejected, replacements_owed, clients, promises_made, promises_kept, promises_kept_late, promises_broken, promises_cancelled, promises_moved, return_calls, return_missed)
            = (h.revision + (now() >= h.hour + interval '75 minutes')::integer, now(), excluded.attempts, excluded.rang, excluded.answered, excluded.abandoned, excluded.dialled, excluded.reached, excluded.connected, excluded.outcome_abandoned, excluded.early_hangups, excluded.offers_heard, excluded.no_answer, excluded.busy, excluded.machine, excluded.invalid_number, excluded.congestion, excluded.rejected, excluded.failed, excluded.cancelled, excluded.not_sent, excluded.unknown, excluded.said, excluded.results, excluded.decision_makers, excluded.fresh, excluded.stale, excluded.off_target, excluded.closed, excluded.closed_by_disposition, excluded.closed_used_up, excluded.closed_dead, excluded.calls_of_closed, excluded.ready_us, excluded.ringing_us, excluded.preview_us, excluded.talk_us, excluded.wrap_up_us, excluded.paused_us, excluded.leads, excluded.leads_accepted, excluded.leads_rejected, excluded.replacements_owed, excluded.clients, excluded.promises_made, excluded.promises_kept, excluded.promises_kept_late, excluded.promises_broken, excluded.promises_cancelled, excluded.promises_moved, excluded.return_calls, excluded.return_missed)
            WHERE (h.attempts, h.rang, h.answered, h.abandoned, h.dialled, h.reached, h.connected, h.outcome_abandoned, h.early_hangups, h.offers_heard, h.no_answer, h.busy, h.machine, h.invalid_number, h.congestion, h.rejected, h.failed, h.cancelled, h.not_sent, h.unknown, h.said, h.results, h.decision_makers, h.fresh, h.stale, h.off_target, h.closed, h.closed_by_disposition, h.closed_used_up, h.closed_dead, h.calls_of_closed, h.ready_us, h.ringing_us, h.preview_us, h.talk_us, h.wrap_up_us, h.paused_us, h.leads, h.leads_accepted, h.leads_rejected, h.replacements_owed, h.clients, h.promises_made, h.promises_kept, h.promises_kept_late, h.promises_broken, h.promises_cancelled, h.promises_moved, h.return_calls, h.return_missed) IS DISTINCT FROM (excluded.attempts, excluded.rang, excluded.answered, excluded.abandoned, excluded.dialled, excluded.reached, excluded.connected, excluded.outcome_abandoned, excluded.early_hangups, excluded.offers_heard, excluded.no_answer, excluded.busy, excluded.machine, excluded.invalid_number, excluded.congestion, excluded.rejected, excluded.failed, excluded.cancelled, excluded.not_sent, excluded.unknown, excluded.said, excluded.results, excluded.decision_makers, excluded.fresh, excluded.stale, excluded.off_target, excluded.closed, excluded.closed_by_disposition, excluded.closed_used_up, excluded.closed_dead, excluded.calls_of_closed, excluded.ready_us, excluded.ringing_us, excluded.preview_us, excluded.talk_us, excluded.wrap_up_us, excluded.paused_us, excluded.leads, excluded.leads_accepted, excluded.leads_rejected, excluded.replacements_owed, excluded.clients, excluded.promises_made, excluded.promises_kept, excluded.promises_kept_late, excluded.promises_broken, excluded.promises_cancelled, excluded.promises_moved, excluded.return_calls, excluded.return_missed);
            DELETE FROM kpi_day AS d
            WHERE d.campaign_id = ANY(campaigns) AND d.day >= kpi_date(since, 'UTC') - 1 AND d.day <= kpi_date(until, 'UTC') + 1;
            INSERT INTO kpi_day (dim, campaign_id, day, key, attempts, rang, answered, abandoned, dialled, reached, connected, outcome_abandoned, early_hangups, offers_heard, no_answer, busy, machine, invalid_number, congestion, rejected, failed, cancelled, not_sent, unknown, said, results, decision_makers, fresh, stale, off_target, closed, closed_by_disposition, closed_used_up, closed_dead, calls_of_closed, ready_us, ringing_us, preview_us, talk_us, wrap_up_us, paused_us, leads, leads_accepted, leads_rejected, replacements_owed, clients, promises_made, promises_kept, promises_kept_late, promises_broken, promises_cancelled, promises_moved, return_calls, return_missed)
            SELECT * FROM kpi_days(campaigns, kpi_date(since, 'UTC') - 1, kpi_date(until, 'UTC') + 1);
        END $$;

CREATE FUNCTION public.kpi_return_told() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO kpi_delta (campaign_id, hour, base_id, operator_id, script, caller_number, number, region, return_calls, return_missed)
    SELECT v.campaign_id, v.hour, v.base_id, v.operator_id, v.script, v.caller_number, v.number, v.region, v.return_calls, v.return_missed
    FROM kpi_returned AS v WHERE v.id = NEW.id;
    RETURN NEW;
END $$;

CREATE FUNCTION public.kpi_who(by text, campaign_id bigint, customer_id bigint, base_id bigint, operator_id bigint, script integer, caller_number text, number integer, region text, code text, reason text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT CASE by WHEN 'campaign' THEN campaign_id::text WHEN 'customer' THEN coalesce(customer_id, 0)::text
        WHEN 'operator' THEN coalesce(operator_id::text, '') WHEN 'base' THEN base_id::text WHEN 'script' THEN campaign_id::text || '.' || script::text
        WHEN 'caller' THEN caller_number WHEN 'number' THEN number::text WHEN 'region' THEN region WHEN 'code' THEN code
        WHEN 'reason' THEN reason ELSE '' END
$$;

CREATE FUNCTION public.kpi_zone_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO kpi_stale (campaign_id) VALUES (NEW.id) ON CONFLICT (campaign_id) DO UPDATE SET since = now();
    RETURN NULL;
END $$;

CREATE FUNCTION public.lead_moves() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF (NEW.attempt_id, NEW.contact_id, NEW.campaign_id, NEW.customer_id, NEW.phone_id, NEW.made_at)
        IS DISTINCT FROM (OLD.attempt_id, OLD.contact_id, OLD.campaign_id, OLD.customer_id, OLD.phone_id, OLD.made_at) THEN
        RAISE EXCEPTION 'what made a lead stays as it is' USING ERRCODE = 'check_violation', CONSTRAINT = 'lead_is_linked';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (('new', 'in_work'), ('new', 'accepted'), ('new', 'rejected'),
        ('in_work', 'accepted'), ('in_work', 'rejected'), ('accepted', 'client')) THEN
        RAISE EXCEPTION 'a lead that is % cannot become %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'lead_way';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION public.make_partitions(today date) RETURNS integer
    LANGUAGE plpgsql
    AS $$
DECLARE
    parent text;
    part text;
    month timestamp;
    made integer := 0;
BEGIN
    FOREACH parent IN ARRAY ARRAY['attempt', 'operator_interval'] LOOP
        FOR ahead IN 0..2 LOOP
            month := date_trunc('month', today::timestamp) + make_interval(months => ahead);
            part := parent || to_char(month, '_YYYY_MM');
            CONTINUE WHEN to_regclass(part) IS NOT NULL;
            BEGIN
                EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', part, parent,
                    month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
                made := made + 1;
            EXCEPTION
                WHEN check_violation THEN RAISE WARNING 'rows of % are in the default partition', part;
                WHEN duplicate_table OR unique_violation THEN NULL; -- another process was quicker
            END;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;

CREATE FUNCTION public.money_count(of_campaign bigint, begins timestamp with time zone, ends timestamp with time zone, given bigint[], of_dim text DEFAULT NULL::text) RETURNS TABLE(dim text, hour timestamp with time zone, key text, price_id bigint, quantity numeric, amount numeric)
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

CREATE FUNCTION public.money_day_follows() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NEW.revision = 0 AND NEW.since <> coalesce((SELECT max(until) FROM money_day WHERE campaign_id = NEW.campaign_id), NEW.since) THEN
        RAISE EXCEPTION 'a day is closed after the one before' USING ERRCODE = 'check_violation', CONSTRAINT = 'money_day_follows';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION public.money_rows(campaigns bigint[], of_dim text, begins timestamp with time zone, ends timestamp with time zone) RETURNS TABLE(campaign_id bigint, hour timestamp with time zone, key text, price_id bigint, quantity numeric, amount numeric)
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

CREATE FUNCTION public.money_share(amount numeric, place bigint, places bigint, digits integer) RETURNS numeric
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT round(amount * place / places, digits) - round(amount * (place - 1) / places, digits)
$$;

CREATE FUNCTION public.money_turn(of_campaign bigint) RETURNS void
    LANGUAGE sql
    AS $$
    SELECT pg_advisory_xact_lock(661342, of_campaign::integer)
$$;

CREATE FUNCTION public.phone_region(e164 text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT CASE
        WHEN e164 ~ '^\+[17]' THEN left(e164, 5)
        WHEN e164 ~ '^\+(20|27|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])' THEN left(e164, 3)
        WHEN e164 ~ '^\+' THEN left(e164, 4)
        ELSE ''
    END
$$;

CREATE FUNCTION public.price_days(of_campaign bigint, first date, last date, given bigint[]) RETURNS TABLE(day date, id bigint, kind text, amount numeric, first_s integer, step_s integer)
    LANGUAGE plpgsql STABLE
    AS $$
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

CREATE FUNCTION public.price_is_said() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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
    IF NEW.base_id IS NOT NULL AND EXISTS (
        SELECT FROM price AS p JOIN money_day AS d ON d.campaign_id = p.campaign_id AND p.id = ANY(d.prices) WHERE p.base_id = NEW.base_id) THEN
        RAISE EXCEPTION 'this base was paid on a day that is closed' USING ERRCODE = 'check_violation', CONSTRAINT = 'price_base_paid';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION public.promise_grace() RETURNS interval
    LANGUAGE sql IMMUTABLE
    AS $$ SELECT interval '60 seconds' $$;

CREATE FUNCTION public.recording_moves() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NEW.state <> OLD.state AND NOT ((OLD.state = 'recording') OR (OLD.state = 'failed' AND NEW.state IN ('stored', 'deleted'))
        OR (OLD.state = 'stored' AND NEW.state = 'deleted')) THEN
        RAISE EXCEPTION 'a recording that is % becomes not %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION public.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'facts are written once: % on % is refused', TG_OP, TG_TABLE_NAME;
END $$;

CREATE FUNCTION public.refuse_delete() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never deleted', TG_TABLE_NAME USING ERRCODE = 'foreign_key_violation';
END $$;

CREATE FUNCTION public.refuse_move() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'rows of % stay where they are', TG_TABLE_NAME USING ERRCODE = 'foreign_key_violation';
END $$;

CREATE FUNCTION public.revenue_told() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(661342, NEW.campaign_id::integer);
    NEW.currency := currency_of(NEW.campaign_id);
    RETURN NEW;
END $$;

CREATE FUNCTION public.suppress_erased() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (SELECT FROM suppression) THEN
        INSERT INTO do_not_call (phone_id, scope, reason)
        SELECT n.id, 'global', 'erased' FROM new_phones n JOIN suppression s ON s.hash = suppression_hash(n.e164)
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION public.suppression_hash(e164 text) RETURNS bytea
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    key bytea := decode(nullif(current_setting('dialer.suppression_key', true), ''), 'hex');
BEGIN
    IF key IS NULL THEN
        RAISE EXCEPTION 'the suppression key is not set on this connection' USING ERRCODE = 'DI001';
    END IF;
    RETURN sha256(key || sha256(key || convert_to(e164, 'UTF8')));
END $$;

CREATE FUNCTION public.tell(event_kind text, of_campaign bigint, event uuid, happened_at timestamp with time zone, told jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO delivery (webhook_id, event_id, kind, campaign_id, at, body)
    SELECT w.id, event, event_kind, of_campaign, happened_at, told
    FROM webhook w
    WHERE event_kind = ANY(w.kinds) AND (w.campaign_id IS NULL OR w.campaign_id = of_campaign)
        AND (w.customer_id IS NULL OR w.customer_id = (SELECT c.customer_id FROM campaign c WHERE c.id = of_campaign))
    FOR KEY SHARE OF w SKIP LOCKED
    ON CONFLICT (webhook_id, event_id) DO NOTHING;
END $$;

CREATE FUNCTION public.tell_callback() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    event_kind text := CASE WHEN TG_OP = 'INSERT' THEN 'callback.promised'
        WHEN (NEW.state, NEW.due_at, NEW.operator_id) IS DISTINCT FROM (OLD.state, OLD.due_at, OLD.operator_id) THEN 'callback.changed'
        WHEN NEW.late_at IS NOT NULL AND OLD.late_at IS NULL THEN 'callback.late'
        WHEN NEW.reminded_at IS NOT NULL AND OLD.reminded_at IS NULL THEN 'callback.soon' END;
BEGIN
    IF event_kind IS NOT NULL THEN
        PERFORM tell(event_kind, NEW.campaign_id, gen_random_uuid(), now(), jsonb_build_object('callback_id', NEW.id,
            'contact_id', NEW.contact_id, 'state', NEW.state, 'due_at', NEW.due_at, 'operator_id', NEW.operator_id,
            'made_by_attempt', NEW.made_by_attempt, 'kept_by_attempt', NEW.kept_by_attempt, 'late_because', NEW.late_because));
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION public.tell_campaign() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM tell('campaign.state', NEW.id, gen_random_uuid(), now(), jsonb_build_object('state', NEW.state, 'before', OLD.state));
    RETURN NULL;
END $$;

CREATE FUNCTION public.tell_disposition() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM tell('disposition.saved', NEW.campaign_id, gen_random_uuid(), NEW.saved_at, jsonb_build_object(
        'attempt_id', NEW.attempt_id, 'contact_id', NEW.contact_id, 'operator_id', NEW.operator_id, 'code', NEW.code,
        'reason', NEW.reason, 'result', NEW.result, 'closes', NEW.closes, 'decision_maker', NEW.decision_maker));
    RETURN NULL;
END $$;

CREATE FUNCTION public.tell_lead() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    event_kind text := CASE WHEN TG_OP = 'INSERT' THEN 'lead.made' WHEN NEW.state <> OLD.state THEN 'lead.moved'
        WHEN NEW.late_at IS NOT NULL AND OLD.late_at IS NULL THEN 'lead.late' END;
BEGIN
    IF event_kind IS NOT NULL THEN
        PERFORM tell(event_kind, NEW.campaign_id, gen_random_uuid(), CASE event_kind WHEN 'lead.made' THEN NEW.made_at ELSE now() END,
            jsonb_build_object('lead_id', NEW.id, 'attempt_id', NEW.attempt_id, 'contact_id', NEW.contact_id, 'state', NEW.state,
                'due_at', NEW.due_at, 'owner_id', NEW.owner_id, 'duplicate_of', NEW.duplicate_of, 'replaces', NEW.replaces,
                'revenue', NEW.revenue::text, 'currency', NEW.currency, 'basket', NEW.basket));
    END IF;
    RETURN NULL;
END $$;

CREATE TABLE public.abandon_budget (
    campaign_id bigint NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    answered integer DEFAULT 0 NOT NULL,
    abandoned integer DEFAULT 0 NOT NULL,
    uncovered integer DEFAULT 0 NOT NULL,
    carried_answered integer DEFAULT 0 NOT NULL,
    carried_abandoned integer DEFAULT 0 NOT NULL,
    cap_permille integer NOT NULL,
    CONSTRAINT abandon_budget_check CHECK (((answered >= abandoned) AND (abandoned >= 0) AND (uncovered >= 0))),
    CONSTRAINT abandon_cap CHECK (((uncovered = 0) OR (((abandoned + uncovered) * 1000) <= (cap_permille * (answered + uncovered)))))
);

CREATE TABLE public.api_token (
    id bigint NOT NULL,
    token_hash bytea NOT NULL,
    user_id bigint NOT NULL,
    name text NOT NULL,
    scopes text[] NOT NULL,
    addresses inet[] DEFAULT '{}'::inet[] NOT NULL,
    made_by bigint,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    revoked_at timestamp with time zone,
    CONSTRAINT api_token_name_check CHECK (((length(name) >= 1) AND (length(name) <= 100))),
    CONSTRAINT api_token_scopes_check CHECK (((scopes <@ ARRAY['read'::text, 'pacing'::text, 'bases'::text, 'do_not_call'::text, 'callbacks'::text]) AND (cardinality(scopes) > 0))),
    CONSTRAINT api_token_token_hash_check CHECK ((length(token_hash) = 32)),
    CONSTRAINT api_token_year CHECK ((expires_at <= (made_at + '366 days'::interval)))
);

ALTER TABLE public.api_token ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.api_token_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.app_setting (
    name text NOT NULL,
    value jsonb NOT NULL,
    CONSTRAINT app_setting_name_check CHECK ((name ~ '^[a-z_]{1,60}$'::text))
);

CREATE TABLE public.app_user (
    id bigint NOT NULL,
    login text NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    password_hash text NOT NULL,
    team_id bigint,
    customer_id bigint,
    language text DEFAULT 'en'::text NOT NULL,
    disabled boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    address text,
    CONSTRAINT app_user_address_check CHECK (((address ~ '^[^[:space:][:cntrl:]<>,;]+@[a-z0-9.-]+$'::text) AND (length(address) <= 254))),
    CONSTRAINT app_user_language_check CHECK ((language = ANY (ARRAY['en'::text, 'ru'::text]))),
    CONSTRAINT app_user_role_check CHECK ((role = ANY (ARRAY['operator'::text, 'supervisor'::text, 'base_manager'::text, 'admin'::text, 'auditor'::text, 'customer'::text, 'api'::text])))
);

ALTER TABLE public.app_user ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.app_user_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.attempt (
    attempt_id uuid NOT NULL,
    contact_id bigint NOT NULL,
    campaign_id bigint NOT NULL,
    base_id bigint NOT NULL,
    phone_id bigint NOT NULL,
    switch text NOT NULL,
    epoch bigint NOT NULL,
    number integer NOT NULL,
    profile text NOT NULL,
    profile_version integer NOT NULL,
    sent_at timestamp with time zone NOT NULL,
    rang_at timestamp with time zone,
    answered_at timestamp with time zone,
    waiting_at timestamp with time zone,
    operator_id bigint,
    connected_at timestamp with time zone,
    ended_at timestamp with time zone NOT NULL,
    outcome text NOT NULL,
    ended_by text NOT NULL,
    cause integer,
    sip_code integer,
    key text,
    callback_id bigint,
    counts boolean NOT NULL,
    legal_answered boolean NOT NULL,
    legal_abandoned boolean NOT NULL,
    caller_number text DEFAULT ''::text NOT NULL,
    region text DEFAULT ''::text NOT NULL,
    script integer DEFAULT 0 NOT NULL,
    asked boolean DEFAULT false NOT NULL,
    manual boolean DEFAULT false NOT NULL,
    came_in boolean DEFAULT false NOT NULL,
    CONSTRAINT attempt_check CHECK (((outcome <> 'connected'::text) OR ((connected_at IS NOT NULL) AND ((answered_at IS NOT NULL) OR came_in)))),
    CONSTRAINT attempt_check1 CHECK ((legal_answered OR (NOT legal_abandoned))),
    CONSTRAINT attempt_ended_by_check CHECK ((ended_by = ANY (ARRAY['callee'::text, 'operator'::text, 'service'::text, 'switch_restart'::text, 'phone_lost'::text, 'lost'::text]))),
    CONSTRAINT attempt_outcome_check CHECK ((outcome = ANY (ARRAY['connected'::text, 'abandoned'::text, 'early_hangup'::text, 'offer_ended'::text, 'no_answer'::text, 'busy'::text, 'machine'::text, 'invalid_number'::text, 'congestion'::text, 'rejected'::text, 'failed'::text, 'cancelled'::text, 'not_sent'::text, 'unknown'::text]))),
    CONSTRAINT came_in_is_apart CHECK (((NOT came_in) OR (asked AND (rang_at IS NULL) AND (answered_at IS NULL) AND (NOT counts) AND (NOT legal_answered) AND (outcome = 'connected'::text)))),
    CONSTRAINT manual_is_asked CHECK ((asked OR (NOT manual)))
)
PARTITION BY RANGE (sent_at);

CREATE TABLE public.attempt_end (
    attempt_id uuid NOT NULL,
    ended_at timestamp with time zone NOT NULL
);

CREATE TABLE public.attempt_live (
    phone_id bigint NOT NULL,
    attempt_id uuid NOT NULL,
    contact_id bigint NOT NULL,
    campaign_id bigint NOT NULL,
    base_id bigint NOT NULL,
    switch text NOT NULL,
    epoch bigint NOT NULL,
    number integer NOT NULL,
    counted integer NOT NULL,
    profile text NOT NULL,
    profile_version integer NOT NULL,
    state text DEFAULT 'sent'::text NOT NULL,
    sent_at timestamp with time zone NOT NULL,
    rang_at timestamp with time zone,
    answered_at timestamp with time zone,
    waiting_at timestamp with time zone,
    operator_id bigint,
    connected_at timestamp with time zone,
    key text,
    callback_id bigint,
    for_operator bigint,
    ended_by text,
    caller_number text DEFAULT ''::text NOT NULL,
    asked boolean DEFAULT false NOT NULL,
    manual boolean DEFAULT false NOT NULL,
    came_in boolean DEFAULT false NOT NULL,
    CONSTRAINT attempt_live_state_check CHECK ((state = ANY (ARRAY['sent'::text, 'ringing'::text, 'answered'::text, 'offer'::text, 'waiting'::text, 'bridging'::text, 'connected'::text]))),
    CONSTRAINT came_in_is_apart CHECK (((NOT came_in) OR (asked AND (rang_at IS NULL) AND (answered_at IS NULL)))),
    CONSTRAINT manual_is_asked CHECK ((asked OR (NOT manual)))
);

CREATE TABLE public.attempt_other (
    attempt_id uuid NOT NULL,
    contact_id bigint NOT NULL,
    campaign_id bigint NOT NULL,
    base_id bigint NOT NULL,
    phone_id bigint NOT NULL,
    switch text NOT NULL,
    epoch bigint NOT NULL,
    number integer NOT NULL,
    profile text NOT NULL,
    profile_version integer NOT NULL,
    sent_at timestamp with time zone NOT NULL,
    rang_at timestamp with time zone,
    answered_at timestamp with time zone,
    waiting_at timestamp with time zone,
    operator_id bigint,
    connected_at timestamp with time zone,
    ended_at timestamp with time zone NOT NULL,
    outcome text NOT NULL,
    ended_by text NOT NULL,
    cause integer,
    sip_code integer,
    key text,
    callback_id bigint,
    counts boolean NOT NULL,
    legal_answered boolean NOT NULL,
    legal_abandoned boolean NOT NULL,
    caller_number text DEFAULT ''::text NOT NULL,
    region text DEFAULT ''::text NOT NULL,
    script integer DEFAULT 0 NOT NULL,
    asked boolean DEFAULT false NOT NULL,
    manual boolean DEFAULT false NOT NULL,
    came_in boolean DEFAULT false NOT NULL,
    CONSTRAINT attempt_check CHECK (((outcome <> 'connected'::text) OR ((connected_at IS NOT NULL) AND ((answered_at IS NOT NULL) OR came_in)))),
    CONSTRAINT attempt_check1 CHECK ((legal_answered OR (NOT legal_abandoned))),
    CONSTRAINT attempt_ended_by_check CHECK ((ended_by = ANY (ARRAY['callee'::text, 'operator'::text, 'service'::text, 'switch_restart'::text, 'phone_lost'::text, 'lost'::text]))),
    CONSTRAINT attempt_outcome_check CHECK ((outcome = ANY (ARRAY['connected'::text, 'abandoned'::text, 'early_hangup'::text, 'offer_ended'::text, 'no_answer'::text, 'busy'::text, 'machine'::text, 'invalid_number'::text, 'congestion'::text, 'rejected'::text, 'failed'::text, 'cancelled'::text, 'not_sent'::text, 'unknown'::text]))),
    CONSTRAINT came_in_is_apart CHECK (((NOT came_in) OR (asked AND (rang_at IS NULL) AND (answered_at IS NULL) AND (NOT counts) AND (NOT legal_answered) AND (outcome = 'connected'::text)))),
    CONSTRAINT manual_is_asked CHECK ((asked OR (NOT manual)))
);

CREATE TABLE public.campaign (
    id bigint NOT NULL,
    name text NOT NULL,
    customer_id bigint NOT NULL,
    team_id bigint NOT NULL,
    trunk_id bigint NOT NULL,
    mode text NOT NULL,
    state text DEFAULT 'draft'::text NOT NULL,
    zone text DEFAULT 'UTC'::text NOT NULL,
    profile text DEFAULT 'strict'::text NOT NULL,
    caller_number text DEFAULT ''::text NOT NULL,
    ring_timeout_s integer DEFAULT 25 NOT NULL,
    wrap_up_s integer DEFAULT 30 NOT NULL,
    after_wrap_up text DEFAULT 'ready'::text NOT NULL,
    attempts_max integer DEFAULT 4 NOT NULL,
    cap_permille integer DEFAULT 20 NOT NULL,
    max_lines_per_operator real DEFAULT 4 NOT NULL,
    max_lines integer DEFAULT 100 NOT NULL,
    key_wait_s integer DEFAULT 20 NOT NULL,
    weight real DEFAULT 1 NOT NULL,
    offer text,
    operator_free boolean DEFAULT false NOT NULL,
    retry jsonb DEFAULT '{}'::jsonb NOT NULL,
    keys jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    purpose text DEFAULT 'marketing'::text NOT NULL,
    override jsonb DEFAULT '{}'::jsonb NOT NULL,
    loosened jsonb DEFAULT '{}'::jsonb NOT NULL,
    target_permille integer,
    caution real DEFAULT 1 NOT NULL,
    budget_mode text DEFAULT 'strict'::text NOT NULL,
    preview_s integer DEFAULT 60 NOT NULL,
    preview_calls boolean DEFAULT false NOT NULL,
    manual boolean DEFAULT false NOT NULL,
    listening_shown boolean DEFAULT true NOT NULL,
    recording text DEFAULT 'off'::text NOT NULL,
    recording_days integer DEFAULT 90 NOT NULL,
    recording_stops boolean DEFAULT false NOT NULL,
    recording_operator boolean DEFAULT false NOT NULL,
    recording_customer boolean DEFAULT false NOT NULL,
    return_wait_s integer DEFAULT 20 NOT NULL,
    CONSTRAINT campaign_after_wrap_up_check CHECK ((after_wrap_up = ANY (ARRAY['ready'::text, 'paused'::text]))),
    CONSTRAINT campaign_attempts_max_check CHECK (((attempts_max >= 1) AND (attempts_max <= 20))),
    CONSTRAINT campaign_budget_mode_check CHECK ((budget_mode = ANY (ARRAY['strict'::text, 'probable'::text]))),
    CONSTRAINT campaign_caller_number_check CHECK ((caller_number ~ '^(\+?[0-9]{3,15})?$'::text)),
    CONSTRAINT campaign_cap_permille_check CHECK (((cap_permille >= 0) AND (cap_permille <= 50))),
    CONSTRAINT campaign_caution_check CHECK (((caution >= (0.1)::double precision) AND (caution <= (10)::double precision))),
    CONSTRAINT campaign_check CHECK (((mode <> 'ivr'::text) OR (offer IS NOT NULL))),
    CONSTRAINT campaign_key_wait_s_check CHECK (((key_wait_s >= 2) AND (key_wait_s <= 60))),
    CONSTRAINT campaign_max_lines_check CHECK ((max_lines > 0)),
    CONSTRAINT campaign_max_lines_per_operator_check CHECK ((max_lines_per_operator >= (1)::double precision)),
    CONSTRAINT campaign_mode_check CHECK ((mode = ANY (ARRAY['progressive'::text, 'predictive'::text, 'ivr'::text, 'preview'::text]))),
    CONSTRAINT campaign_offer_check CHECK ((offer ~ '^[a-z0-9_-]{1,32}$'::text)),
    CONSTRAINT campaign_preview_s_check CHECK (((preview_s >= 5) AND (preview_s <= 600))),
    CONSTRAINT campaign_purpose_check CHECK ((purpose = ANY (ARRAY['marketing'::text, 'survey'::text, 'service'::text, 'debt'::text]))),
    CONSTRAINT campaign_recording_check CHECK ((recording = ANY (ARRAY['off'::text, 'on'::text, 'told'::text, 'consent'::text]))),
    CONSTRAINT campaign_recording_days_check CHECK (((recording_days >= 1) AND (recording_days <= 3650))),
    CONSTRAINT campaign_return_wait_s_check CHECK (((return_wait_s >= 5) AND (return_wait_s <= 28))),
    CONSTRAINT campaign_ring_timeout_s_check CHECK (((ring_timeout_s >= 5) AND (ring_timeout_s <= 60))),
    CONSTRAINT campaign_state_check CHECK ((state = ANY (ARRAY['draft'::text, 'running'::text, 'paused'::text, 'stopped'::text]))),
    CONSTRAINT campaign_target_permille_check CHECK (((target_permille >= 0) AND (target_permille <= 50))),
    CONSTRAINT campaign_weight_check CHECK ((weight > (0)::double precision)),
    CONSTRAINT campaign_wrap_up_s_check CHECK (((wrap_up_s >= 1) AND (wrap_up_s <= 600))),
    CONSTRAINT manual_needs_operators CHECK ((NOT (manual AND operator_free)))
);

CREATE TABLE public.contact (
    id bigint NOT NULL,
    base_id bigint NOT NULL,
    campaign_id bigint NOT NULL,
    row_number integer NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    attributes jsonb DEFAULT '{}'::jsonb NOT NULL,
    lane_id bigint NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    closed_by text,
    closed_at timestamp with time zone,
    phone_id bigint NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    counted integer DEFAULT 0 NOT NULL,
    next_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    refused_by text,
    promised boolean DEFAULT false NOT NULL,
    decided_by uuid,
    origin_id bigint,
    CONSTRAINT contact_check CHECK ((((state = 'closed'::text) = (closed_by IS NOT NULL)) AND ((state = 'closed'::text) = (closed_at IS NOT NULL)))),
    CONSTRAINT contact_closed_by_check CHECK ((closed_by = ANY (ARRAY['disposition'::text, 'used_up'::text, 'dead'::text, 'erased'::text]))),
    CONSTRAINT contact_state_check CHECK ((state = ANY (ARRAY['open'::text, 'closed'::text])))
);

CREATE TABLE public.disposition (
    attempt_id uuid NOT NULL,
    key text NOT NULL,
    body_hash bytea NOT NULL,
    campaign_id bigint NOT NULL,
    contact_id bigint NOT NULL,
    operator_id bigint,
    code text NOT NULL,
    result boolean NOT NULL,
    closes boolean NOT NULL,
    decision_maker boolean NOT NULL,
    verdict text,
    reason text,
    address text,
    note text DEFAULT ''::text NOT NULL,
    saved_at timestamp with time zone DEFAULT now() NOT NULL,
    base_id bigint DEFAULT 0 NOT NULL,
    number integer DEFAULT 0 NOT NULL,
    caller_number text DEFAULT ''::text NOT NULL,
    region text DEFAULT ''::text NOT NULL,
    script integer DEFAULT 0 NOT NULL
);

CREATE TABLE public.disposition_kind (
    campaign_id bigint NOT NULL,
    code text NOT NULL,
    place integer NOT NULL,
    name_ru text NOT NULL,
    name_en text NOT NULL,
    result boolean DEFAULT false NOT NULL,
    closes boolean DEFAULT true NOT NULL,
    decision_maker boolean DEFAULT false NOT NULL,
    verdict text,
    needs text[] DEFAULT '{}'::text[] NOT NULL,
    reasons text[] DEFAULT '{}'::text[] NOT NULL,
    dnc_scope text,
    retry jsonb,
    refusal boolean DEFAULT false NOT NULL,
    key text,
    colour text,
    archived_at timestamp with time zone,
    makes_lead boolean DEFAULT false NOT NULL,
    letter text,
    basket text,
    CONSTRAINT disposition_kind_code_check CHECK ((code ~ '^[a-z0-9_]{1,40}$'::text)),
    CONSTRAINT disposition_kind_colour_check CHECK ((colour = ANY (ARRAY['success'::text, 'callback'::text, 'refusal'::text, 'bad_number'::text, 'technical'::text]))),
    CONSTRAINT disposition_kind_dnc_scope_check CHECK ((dnc_scope = ANY (ARRAY['global'::text, 'customer'::text, 'campaign'::text]))),
    CONSTRAINT disposition_kind_key_check CHECK ((key ~ '^[0-9]$'::text)),
    CONSTRAINT disposition_kind_letter_check CHECK ((letter ~ '^[a-z0-9_]{1,40}$'::text)),
    CONSTRAINT disposition_kind_verdict_check CHECK ((verdict = ANY (ARRAY['fresh'::text, 'stale'::text, 'off_target'::text])))
);

CREATE TABLE public.phone (
    id bigint NOT NULL,
    e164 text NOT NULL COLLATE pg_catalog."C",
    not_before timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    held_until timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    CONSTRAINT phone_e164_check CHECK ((e164 ~ '^(\+[1-9][0-9]{6,14}|erased:[0-9]+)$'::text))
);

CREATE VIEW public.attempt_shown AS
 SELECT a.attempt_id,
    a.campaign_id,
    a.contact_id,
    a.base_id,
    a.phone_id,
    a.number,
    a.sent_at,
    a.rang_at,
    a.answered_at,
    a.waiting_at,
    a.connected_at,
    a.ended_at,
    a.outcome,
    a.ended_by,
    a.cause,
    a.sip_code,
    a.key,
    a.operator_id,
    a.callback_id,
    a.counts,
    a.legal_answered,
    a.legal_abandoned,
    a.profile,
    a.profile_version,
    k.name AS campaign,
    c.name AS contact,
    p.e164 AS phone,
    COALESCE(u.name, ''::text) AS operator,
    d.code,
    d.saved_at,
    d.result,
    d.decision_maker,
    d.closes,
    d.reason,
    d.address,
    d.note,
    d.campaign_id AS said_campaign_id,
    d.operator_id AS said_operator_id,
    d.attempt_id AS said_attempt_id,
    n.name_ru,
    n.name_en,
    k.zone,
    k.customer_id,
    a.script,
    a.caller_number,
    a.region
   FROM ((((((public.attempt a
     JOIN public.campaign k ON ((k.id = a.campaign_id)))
     JOIN public.contact c ON ((c.id = a.contact_id)))
     JOIN public.phone p ON ((p.id = a.phone_id)))
     LEFT JOIN public.app_user u ON ((u.id = a.operator_id)))
     LEFT JOIN public.disposition d ON ((d.attempt_id = a.attempt_id)))
     LEFT JOIN public.disposition_kind n ON (((n.campaign_id = d.campaign_id) AND (n.code = d.code))));

CREATE TABLE public.audit (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    user_id bigint,
    action text NOT NULL,
    object text NOT NULL,
    before jsonb,
    after jsonb,
    ip text
);

ALTER TABLE public.audit ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.base (
    id bigint NOT NULL,
    campaign_id bigint NOT NULL,
    name text NOT NULL,
    source text DEFAULT ''::text NOT NULL,
    file_hash bytea NOT NULL,
    loaded_at timestamp with time zone DEFAULT now() NOT NULL,
    loaded_by bigint,
    rows_in integer NOT NULL,
    rows_loaded integer NOT NULL,
    rows_rejected integer NOT NULL,
    paused boolean DEFAULT false NOT NULL,
    rows_updated integer DEFAULT 0 NOT NULL,
    rows_withdrawn integer DEFAULT 0 NOT NULL,
    undone_at timestamp with time zone,
    copy integer DEFAULT 0 NOT NULL,
    priority integer DEFAULT 0 NOT NULL,
    pass integer DEFAULT 1 NOT NULL,
    by_hand boolean DEFAULT false NOT NULL,
    CONSTRAINT base_priority_check CHECK (((priority >= 0) AND (priority <= 9))),
    CONSTRAINT base_rows CHECK ((rows_in = ((rows_loaded + rows_updated) + rows_rejected))),
    CONSTRAINT base_undone CHECK (((undone_at IS NULL) OR (rows_withdrawn = rows_loaded))),
    CONSTRAINT base_withdrawn CHECK (((rows_withdrawn >= 0) AND (rows_withdrawn <= rows_loaded)))
);

CREATE TABLE public.base_change (
    base_id bigint NOT NULL,
    contact_id bigint NOT NULL,
    name text NOT NULL,
    attributes jsonb NOT NULL
);

CREATE TABLE public.base_file (
    id bigint NOT NULL,
    campaign_id bigint NOT NULL,
    name text NOT NULL,
    file_hash bytea NOT NULL,
    bytes bigint NOT NULL,
    state text DEFAULT 'new'::text NOT NULL,
    found jsonb DEFAULT '{}'::jsonb NOT NULL,
    report jsonb DEFAULT '{}'::jsonb NOT NULL,
    progress jsonb DEFAULT '{}'::jsonb NOT NULL,
    error jsonb,
    base_id bigint,
    created_by bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT base_file_state_check CHECK ((state = ANY (ARRAY['new'::text, 'looking'::text, 'ready'::text, 'rehearsing'::text, 'rehearsed'::text, 'loading'::text, 'loaded'::text, 'failed'::text])))
);

ALTER TABLE public.base_file ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.base_file_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE public.base ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.base_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.base_pass (
    base_id bigint NOT NULL,
    pass integer NOT NULL,
    started_at timestamp with time zone NOT NULL,
    started_by bigint,
    outcomes text[] NOT NULL,
    dispositions text[] NOT NULL,
    contacts integer NOT NULL,
    CONSTRAINT base_pass_pass_check CHECK ((pass > 1))
);

CREATE TABLE public.base_template (
    name text NOT NULL,
    template jsonb NOT NULL,
    saved_by bigint,
    saved_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.basket (
    campaign_id bigint NOT NULL,
    code text NOT NULL,
    place integer NOT NULL,
    name_ru text NOT NULL,
    name_en text NOT NULL,
    warmth text,
    accuracy text,
    product text DEFAULT ''::text NOT NULL,
    conditions jsonb DEFAULT '[]'::jsonb NOT NULL,
    owner_id bigint,
    contact_within_s integer,
    archived_at timestamp with time zone,
    CONSTRAINT basket_accuracy_check CHECK ((accuracy = ANY (ARRAY['exact'::text, 'close'::text, 'rough'::text]))),
    CONSTRAINT basket_check CHECK (((code <> 'common'::text) OR ((conditions = '[]'::jsonb) AND (archived_at IS NULL)))),
    CONSTRAINT basket_code_check CHECK ((code ~ '^[a-z0-9_]{1,40}$'::text)),
    CONSTRAINT basket_contact_within_s_check CHECK (((contact_within_s >= 60) AND (contact_within_s <= 2592000))),
    CONSTRAINT basket_name_en_check CHECK (((length(name_en) >= 1) AND (length(name_en) <= 100))),
    CONSTRAINT basket_name_ru_check CHECK (((length(name_ru) >= 1) AND (length(name_ru) <= 100))),
    CONSTRAINT basket_product_check CHECK ((length(product) <= 100)),
    CONSTRAINT basket_warmth_check CHECK ((warmth = ANY (ARRAY['hot'::text, 'warm'::text, 'cold'::text])))
);

CREATE TABLE public.callback (
    id bigint NOT NULL,
    contact_id bigint NOT NULL,
    campaign_id bigint NOT NULL,
    phone_id bigint NOT NULL,
    made_by_attempt uuid,
    promised_at timestamp with time zone DEFAULT now() NOT NULL,
    due_at timestamp with time zone NOT NULL,
    next_at timestamp with time zone NOT NULL,
    operator_id bigint,
    note text DEFAULT ''::text NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
    closed_at timestamp with time zone,
    closed_by bigint,
    kept_by_attempt uuid,
    moves integer DEFAULT 0 NOT NULL,
    reminded_at timestamp with time zone,
    late_at timestamp with time zone,
    late_because text,
    urgent boolean DEFAULT false NOT NULL,
    CONSTRAINT callback_check CHECK (((state = 'pending'::text) = (closed_at IS NULL))),
    CONSTRAINT callback_check1 CHECK (((late_at IS NULL) = (late_because IS NULL))),
    CONSTRAINT callback_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'kept'::text, 'broken'::text, 'cancelled'::text, 'blocked'::text])))
);

CREATE TABLE public.callback_change (
    id bigint NOT NULL,
    callback_id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    what text NOT NULL,
    reason text NOT NULL,
    by_user bigint,
    due_before timestamp with time zone NOT NULL,
    operator_before bigint,
    CONSTRAINT callback_change_what_check CHECK ((what = ANY (ARRAY['moved'::text, 'handed_over'::text, 'cancelled'::text])))
);

ALTER TABLE public.callback_change ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.callback_change_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE public.callback ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.callback_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.lane (
    id bigint NOT NULL,
    base_id bigint NOT NULL,
    campaign_id bigint NOT NULL,
    zones text[] NOT NULL,
    priority integer DEFAULT 0 NOT NULL,
    countries text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT lane_priority_check CHECK (((priority >= 0) AND (priority <= 9)))
);

CREATE TABLE public.operator_live (
    operator_id bigint NOT NULL,
    session_id uuid NOT NULL,
    switch text NOT NULL,
    seat text NOT NULL,
    team_id bigint NOT NULL,
    name text NOT NULL,
    state text NOT NULL,
    since timestamp with time zone NOT NULL,
    reason text,
    until timestamp with time zone,
    campaign_id bigint,
    attempt_id uuid,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    pause_after text,
    leaving boolean DEFAULT false NOT NULL,
    CONSTRAINT operator_live_seat_check CHECK ((seat ~ '^[a-z0-9_-]{1,32}$'::text)),
    CONSTRAINT operator_live_state_check CHECK ((state = ANY (ARRAY['ready'::text, 'ringing'::text, 'talking'::text, 'wrap_up'::text, 'paused'::text, 'preview'::text])))
);

CREATE VIEW public.callback_shown AS
 SELECT k.id,
    k.campaign_id,
    k.contact_id,
    k.due_at,
    k.next_at,
    k.operator_id,
    k.note,
    k.state,
    k.moves,
    k.closed_at,
    k.promised_at,
    k.made_by_attempt,
    k.kept_by_attempt,
    k.late_at,
    k.late_because,
    c.name AS contact,
    p.e164 AS phone,
    lane.zones,
    lane.countries,
    campaign.name AS campaign,
    campaign.state AS campaign_state,
    campaign.team_id,
    COALESCE(u.name, ''::text) AS operator,
    COALESCE(closer.name, ''::text) AS closed_by,
    c.closed_by AS contact_closed_by,
    c.refused_by,
    l.attempt_id AS live_attempt,
    o.state AS owner_state,
    kept.sent_at AS kept_at,
    last.what AS changed_what,
    last.reason AS changed_reason,
    last.at AS changed_at,
    COALESCE(changer.name, ''::text) AS changed_by,
    last.due_before,
    COALESCE(earlier.name, ''::text) AS owner_before,
    k.urgent
   FROM ((((((((((((public.callback k
     JOIN public.contact c ON ((c.id = k.contact_id)))
     JOIN public.lane ON ((lane.id = c.lane_id)))
     JOIN public.phone p ON ((p.id = k.phone_id)))
     JOIN public.campaign ON ((campaign.id = k.campaign_id)))
     LEFT JOIN public.app_user u ON ((u.id = k.operator_id)))
     LEFT JOIN public.app_user closer ON ((closer.id = k.closed_by)))
     LEFT JOIN public.attempt_live l ON ((l.callback_id = k.id)))
     LEFT JOIN public.operator_live o ON ((o.operator_id = k.operator_id)))
     LEFT JOIN LATERAL ( SELECT a.sent_at
           FROM public.attempt a
          WHERE (a.attempt_id = k.kept_by_attempt)) kept ON (true))
     LEFT JOIN LATERAL ( SELECT x.id,
            x.callback_id,
            x.at,
            x.what,
            x.reason,
            x.by_user,
            x.due_before,
            x.operator_before
           FROM public.callback_change x
          WHERE (x.callback_id = k.id)
          ORDER BY x.id DESC
         LIMIT 1) last ON (true))
     LEFT JOIN public.app_user changer ON ((changer.id = last.by_user)))
     LEFT JOIN public.app_user earlier ON ((earlier.id = last.operator_before)));

ALTER TABLE public.campaign ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.campaign_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.closing (
    contact_id bigint NOT NULL,
    campaign_id bigint NOT NULL,
    base_id bigint NOT NULL,
    closed_at timestamp with time zone NOT NULL,
    closed_by text NOT NULL,
    operator_id bigint,
    number integer DEFAULT 0 NOT NULL,
    caller_number text DEFAULT ''::text NOT NULL,
    region text DEFAULT ''::text NOT NULL,
    script integer DEFAULT 0 NOT NULL,
    rang integer DEFAULT 0 NOT NULL
);

CREATE TABLE public.consent (
    id bigint NOT NULL,
    phone_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    purpose text NOT NULL,
    wording text NOT NULL,
    channel text NOT NULL,
    given_at timestamp with time zone NOT NULL,
    evidence text DEFAULT ''::text NOT NULL,
    evidence_hash bytea NOT NULL,
    expires_at timestamp with time zone DEFAULT 'infinity'::timestamp with time zone NOT NULL,
    withdrawn_at timestamp with time zone,
    added_by bigint,
    added_at timestamp with time zone DEFAULT now() NOT NULL,
    base_id bigint,
    CONSTRAINT consent_channel_check CHECK ((channel = ANY (ARRAY['web'::text, 'paper'::text, 'voice'::text, 'message'::text, 'in_person'::text, 'file'::text]))),
    CONSTRAINT consent_check CHECK ((expires_at > given_at)),
    CONSTRAINT consent_evidence_hash_check CHECK ((length(evidence_hash) = 32)),
    CONSTRAINT consent_purpose_check CHECK ((purpose = ANY (ARRAY['marketing'::text, 'survey'::text, 'service'::text, 'debt'::text])))
);

ALTER TABLE public.consent ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.consent_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE public.contact ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.contact_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.contact_phone (
    contact_id bigint NOT NULL,
    place integer NOT NULL,
    phone_id bigint NOT NULL,
    dead boolean DEFAULT false NOT NULL
);

CREATE TABLE public.currency (
    code text NOT NULL,
    digits integer NOT NULL,
    CONSTRAINT currency_code_check CHECK ((code ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT currency_digits_check CHECK (((digits >= 0) AND (digits <= 4)))
);

CREATE TABLE public.customer (
    id bigint NOT NULL,
    name text NOT NULL,
    country text,
    CONSTRAINT customer_country_check CHECK ((country ~ '^[A-Z]{2}$'::text))
);

ALTER TABLE public.customer ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.customer_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.delivery (
    id bigint NOT NULL,
    webhook_id bigint NOT NULL,
    event_id uuid NOT NULL,
    kind text NOT NULL,
    campaign_id bigint,
    at timestamp with time zone NOT NULL,
    body jsonb NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    next_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    status integer,
    error text,
    closed_at timestamp with time zone,
    CONSTRAINT delivery_check CHECK (((state = 'pending'::text) = (closed_at IS NULL))),
    CONSTRAINT delivery_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'delivered'::text, 'given_up'::text])))
);

ALTER TABLE public.delivery ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.delivery_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.disposition_rest (
    phone_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    class text NOT NULL,
    said_at timestamp with time zone NOT NULL,
    rests_until timestamp with time zone NOT NULL,
    CONSTRAINT disposition_rest_class_check CHECK ((class = ANY (ARRAY['result'::text, 'refusal'::text, 'stale'::text, 'off_target'::text])))
);

CREATE TABLE public.do_not_call (
    id bigint NOT NULL,
    phone_id bigint NOT NULL,
    scope text NOT NULL,
    customer_id bigint,
    campaign_id bigint,
    reason text DEFAULT ''::text NOT NULL,
    added_by bigint,
    added_at timestamp with time zone DEFAULT now() NOT NULL,
    file_id bigint,
    CONSTRAINT do_not_call_check CHECK ((((scope = 'customer'::text) = (customer_id IS NOT NULL)) AND ((scope = 'campaign'::text) = (campaign_id IS NOT NULL)))),
    CONSTRAINT do_not_call_scope_check CHECK ((scope = ANY (ARRAY['global'::text, 'customer'::text, 'campaign'::text])))
);

CREATE TABLE public.do_not_call_file (
    id bigint NOT NULL,
    name text NOT NULL,
    file_hash bytea NOT NULL,
    scope text NOT NULL,
    customer_id bigint,
    campaign_id bigint,
    rows_in integer NOT NULL,
    rows_added integer NOT NULL,
    rows_known integer NOT NULL,
    rows_rejected integer NOT NULL,
    taken_at timestamp with time zone NOT NULL,
    taken_by bigint,
    undone_at timestamp with time zone,
    undone_by bigint,
    CONSTRAINT do_not_call_file_check CHECK ((rows_in = ((rows_added + rows_known) + rows_rejected))),
    CONSTRAINT do_not_call_file_check1 CHECK ((((scope = 'customer'::text) = (customer_id IS NOT NULL)) AND ((scope = 'campaign'::text) = (campaign_id IS NOT NULL)))),
    CONSTRAINT do_not_call_file_scope_check CHECK ((scope = ANY (ARRAY['global'::text, 'customer'::text, 'campaign'::text])))
);

ALTER TABLE public.do_not_call_file ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.do_not_call_file_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE public.do_not_call ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.do_not_call_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.draft (
    attempt_id uuid NOT NULL,
    operator_id bigint NOT NULL,
    body jsonb NOT NULL,
    saved_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.engine_lease (
    switch text NOT NULL,
    epoch bigint DEFAULT 0 NOT NULL,
    holder jsonb,
    expires_at timestamp with time zone DEFAULT '1970-01-01 00:00:00+00'::timestamp with time zone NOT NULL
);

CREATE TABLE public.kpi_check (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL,
    compared bigint NOT NULL,
    different bigint NOT NULL,
    differences jsonb DEFAULT '[]'::jsonb NOT NULL
);

ALTER TABLE public.kpi_check ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.kpi_check_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW public.kpi_closed AS
 SELECT c.contact_id,
    c.closed_at AS at,
    c.campaign_id,
    date_trunc('hour'::text, c.closed_at, k.zone) AS hour,
    c.base_id,
    c.operator_id,
    c.script,
    c.caller_number,
    c.number,
    c.region,
    NULL::text AS code,
    NULL::text AS reason,
    ((c.closed_by = 'dead'::text))::integer AS stale,
    1 AS closed,
    ((c.closed_by = 'disposition'::text))::integer AS closed_by_disposition,
    ((c.closed_by = 'used_up'::text))::integer AS closed_used_up,
    ((c.closed_by = 'dead'::text))::integer AS closed_dead,
    c.rang AS calls_of_closed
   FROM (public.closing c
     JOIN public.campaign k ON ((k.id = c.campaign_id)));

CREATE TABLE public.kpi_day (
    dim text NOT NULL,
    campaign_id bigint NOT NULL,
    key text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    rang integer DEFAULT 0 NOT NULL,
    answered integer DEFAULT 0 NOT NULL,
    abandoned integer DEFAULT 0 NOT NULL,
    dialled integer DEFAULT 0 NOT NULL,
    reached integer DEFAULT 0 NOT NULL,
    connected integer DEFAULT 0 NOT NULL,
    outcome_abandoned integer DEFAULT 0 NOT NULL,
    early_hangups integer DEFAULT 0 NOT NULL,
    offers_heard integer DEFAULT 0 NOT NULL,
    no_answer integer DEFAULT 0 NOT NULL,
    busy integer DEFAULT 0 NOT NULL,
    machine integer DEFAULT 0 NOT NULL,
    invalid_number integer DEFAULT 0 NOT NULL,
    congestion integer DEFAULT 0 NOT NULL,
    rejected integer DEFAULT 0 NOT NULL,
    failed integer DEFAULT 0 NOT NULL,
    cancelled integer DEFAULT 0 NOT NULL,
    not_sent integer DEFAULT 0 NOT NULL,
    unknown integer DEFAULT 0 NOT NULL,
    said integer DEFAULT 0 NOT NULL,
    results integer DEFAULT 0 NOT NULL,
    decision_makers integer DEFAULT 0 NOT NULL,
    fresh integer DEFAULT 0 NOT NULL,
    stale integer DEFAULT 0 NOT NULL,
    off_target integer DEFAULT 0 NOT NULL,
    closed integer DEFAULT 0 NOT NULL,
    closed_by_disposition integer DEFAULT 0 NOT NULL,
    closed_used_up integer DEFAULT 0 NOT NULL,
    closed_dead integer DEFAULT 0 NOT NULL,
    calls_of_closed integer DEFAULT 0 NOT NULL,
    ready_us bigint DEFAULT 0 NOT NULL,
    ringing_us bigint DEFAULT 0 NOT NULL,
    preview_us bigint DEFAULT 0 NOT NULL,
    talk_us bigint DEFAULT 0 NOT NULL,
    wrap_up_us bigint DEFAULT 0 NOT NULL,
    paused_us bigint DEFAULT 0 NOT NULL,
    leads integer DEFAULT 0 NOT NULL,
    leads_accepted integer DEFAULT 0 NOT NULL,
    leads_rejected integer DEFAULT 0 NOT NULL,
    replacements_owed integer DEFAULT 0 NOT NULL,
    clients integer DEFAULT 0 NOT NULL,
    day date NOT NULL,
    promises_made integer DEFAULT 0 NOT NULL,
    promises_kept integer DEFAULT 0 NOT NULL,
    promises_kept_late integer DEFAULT 0 NOT NULL,
    promises_broken integer DEFAULT 0 NOT NULL,
    promises_cancelled integer DEFAULT 0 NOT NULL,
    promises_moved integer DEFAULT 0 NOT NULL,
    return_calls integer DEFAULT 0 NOT NULL,
    return_missed integer DEFAULT 0 NOT NULL,
    CONSTRAINT kpi_hour_dim_check CHECK ((dim = ANY (ARRAY['total'::text, 'operator'::text, 'base'::text, 'script'::text, 'caller'::text, 'number'::text, 'region'::text, 'code'::text, 'reason'::text])))
);

CREATE TABLE public.kpi_delta (
    campaign_id bigint NOT NULL,
    hour timestamp with time zone NOT NULL,
    base_id bigint,
    operator_id bigint,
    script integer,
    caller_number text,
    number integer,
    region text,
    code text,
    reason text,
    attempts integer DEFAULT 0 NOT NULL,
    rang integer DEFAULT 0 NOT NULL,
    answered integer DEFAULT 0 NOT NULL,
    abandoned integer DEFAULT 0 NOT NULL,
    dialled integer DEFAULT 0 NOT NULL,
    reached integer DEFAULT 0 NOT NULL,
    connected integer DEFAULT 0 NOT NULL,
    outcome_abandoned integer DEFAULT 0 NOT NULL,
    early_hangups integer DEFAULT 0 NOT NULL,
    offers_heard integer DEFAULT 0 NOT NULL,
    no_answer integer DEFAULT 0 NOT NULL,
    busy integer DEFAULT 0 NOT NULL,
    machine integer DEFAULT 0 NOT NULL,
    invalid_number integer DEFAULT 0 NOT NULL,
    congestion integer DEFAULT 0 NOT NULL,
    rejected integer DEFAULT 0 NOT NULL,
    failed integer DEFAULT 0 NOT NULL,
    cancelled integer DEFAULT 0 NOT NULL,
    not_sent integer DEFAULT 0 NOT NULL,
    unknown integer DEFAULT 0 NOT NULL,
    said integer DEFAULT 0 NOT NULL,
    results integer DEFAULT 0 NOT NULL,
    decision_makers integer DEFAULT 0 NOT NULL,
    fresh integer DEFAULT 0 NOT NULL,
    stale integer DEFAULT 0 NOT NULL,
    off_target integer DEFAULT 0 NOT NULL,
    closed integer DEFAULT 0 NOT NULL,
    closed_by_disposition integer DEFAULT 0 NOT NULL,
    closed_used_up integer DEFAULT 0 NOT NULL,
    closed_dead integer DEFAULT 0 NOT NULL,
    calls_of_closed integer DEFAULT 0 NOT NULL,
    ready_us bigint DEFAULT 0 NOT NULL,
    ringing_us bigint DEFAULT 0 NOT NULL,
    preview_us bigint DEFAULT 0 NOT NULL,
    talk_us bigint DEFAULT 0 NOT NULL,
    wrap_up_us bigint DEFAULT 0 NOT NULL,
    paused_us bigint DEFAULT 0 NOT NULL,
    leads integer DEFAULT 0 NOT NULL,
    leads_accepted integer DEFAULT 0 NOT NULL,
    leads_rejected integer DEFAULT 0 NOT NULL,
    replacements_owed integer DEFAULT 0 NOT NULL,
    clients integer DEFAULT 0 NOT NULL,
    promises_made integer DEFAULT 0 NOT NULL,
    promises_kept integer DEFAULT 0 NOT NULL,
    promises_kept_late integer DEFAULT 0 NOT NULL,
    promises_broken integer DEFAULT 0 NOT NULL,
    promises_cancelled integer DEFAULT 0 NOT NULL,
    promises_moved integer DEFAULT 0 NOT NULL,
    return_calls integer DEFAULT 0 NOT NULL,
    return_missed integer DEFAULT 0 NOT NULL
);

CREATE VIEW public.kpi_day_row AS
 SELECT d.dim,
    d.campaign_id,
    d.day,
    d.key,
    d.attempts,
    d.rang,
    d.answered,
    d.abandoned,
    d.dialled,
    d.reached,
    d.connected,
    d.outcome_abandoned,
    d.early_hangups,
    d.offers_heard,
    d.no_answer,
    d.busy,
    d.machine,
    d.invalid_number,
    d.congestion,
    d.rejected,
    d.failed,
    d.cancelled,
    d.not_sent,
    d.unknown,
    d.said,
    d.results,
    d.decision_makers,
    d.fresh,
    d.stale,
    d.off_target,
    d.closed,
    d.closed_by_disposition,
    d.closed_used_up,
    d.closed_dead,
    d.calls_of_closed,
    d.ready_us,
    d.ringing_us,
    d.preview_us,
    d.talk_us,
    d.wrap_up_us,
    d.paused_us,
    d.leads,
    d.leads_accepted,
    d.leads_rejected,
    d.replacements_owed,
    d.clients,
    d.promises_made,
    d.promises_kept,
    d.promises_kept_late,
    d.promises_broken,
    d.promises_cancelled,
    d.promises_moved,
    d.return_calls,
    d.return_missed
   FROM public.kpi_day d
UNION ALL
 SELECT part.dim,
    p.campaign_id,
    public.kpi_date(p.hour, k.zone) AS day,
    part.key,
    p.attempts,
    p.rang,
    p.answered,
    p.abandoned,
    p.dialled,
    p.reached,
    p.connected,
    p.outcome_abandoned,
    p.early_hangups,
    p.offers_heard,
    p.no_answer,
    p.busy,
    p.machine,
    p.invalid_number,
    p.congestion,
    p.rejected,
    p.failed,
    p.cancelled,
    p.not_sent,
    p.unknown,
    p.said,
    p.results,
    p.decision_makers,
    p.fresh,
    p.stale,
    p.off_target,
    p.closed,
    p.closed_by_disposition,
    p.closed_used_up,
    p.closed_dead,
    p.calls_of_closed,
    p.ready_us,
    p.ringing_us,
    p.preview_us,
    p.talk_us,
    p.wrap_up_us,
    p.paused_us,
    p.leads,
    p.leads_accepted,
    p.leads_rejected,
    p.replacements_owed,
    p.clients,
    p.promises_made,
    p.promises_kept,
    p.promises_kept_late,
    p.promises_broken,
    p.promises_cancelled,
    p.promises_moved,
    p.return_calls,
    p.return_missed
   FROM ((public.kpi_delta p
     LEFT JOIN public.campaign k ON ((k.id = p.campaign_id)))
     CROSS JOIN LATERAL public.kpi_places(p.campaign_id, p.base_id, p.operator_id, p.script, p.caller_number, p.number, p.region, p.code, p.reason) part(dim, key));

CREATE TABLE public.kpi_hour (
    dim text NOT NULL,
    campaign_id bigint NOT NULL,
    hour timestamp with time zone NOT NULL,
    key text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    rang integer DEFAULT 0 NOT NULL,
    answered integer DEFAULT 0 NOT NULL,
    abandoned integer DEFAULT 0 NOT NULL,
    dialled integer DEFAULT 0 NOT NULL,
    reached integer DEFAULT 0 NOT NULL,
    connected integer DEFAULT 0 NOT NULL,
    outcome_abandoned integer DEFAULT 0 NOT NULL,
    early_hangups integer DEFAULT 0 NOT NULL,
    offers_heard integer DEFAULT 0 NOT NULL,
    no_answer integer DEFAULT 0 NOT NULL,
    busy integer DEFAULT 0 NOT NULL,
    machine integer DEFAULT 0 NOT NULL,
    invalid_number integer DEFAULT 0 NOT NULL,
    congestion integer DEFAULT 0 NOT NULL,
    rejected integer DEFAULT 0 NOT NULL,
    failed integer DEFAULT 0 NOT NULL,
    cancelled integer DEFAULT 0 NOT NULL,
    not_sent integer DEFAULT 0 NOT NULL,
    unknown integer DEFAULT 0 NOT NULL,
    said integer DEFAULT 0 NOT NULL,
    results integer DEFAULT 0 NOT NULL,
    decision_makers integer DEFAULT 0 NOT NULL,
    fresh integer DEFAULT 0 NOT NULL,
    stale integer DEFAULT 0 NOT NULL,
    off_target integer DEFAULT 0 NOT NULL,
    closed integer DEFAULT 0 NOT NULL,
    closed_by_disposition integer DEFAULT 0 NOT NULL,
    closed_used_up integer DEFAULT 0 NOT NULL,
    closed_dead integer DEFAULT 0 NOT NULL,
    calls_of_closed integer DEFAULT 0 NOT NULL,
    ready_us bigint DEFAULT 0 NOT NULL,
    ringing_us bigint DEFAULT 0 NOT NULL,
    preview_us bigint DEFAULT 0 NOT NULL,
    talk_us bigint DEFAULT 0 NOT NULL,
    wrap_up_us bigint DEFAULT 0 NOT NULL,
    paused_us bigint DEFAULT 0 NOT NULL,
    revision integer DEFAULT 0 NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    leads integer DEFAULT 0 NOT NULL,
    leads_accepted integer DEFAULT 0 NOT NULL,
    leads_rejected integer DEFAULT 0 NOT NULL,
    replacements_owed integer DEFAULT 0 NOT NULL,
    clients integer DEFAULT 0 NOT NULL,
    promises_made integer DEFAULT 0 NOT NULL,
    promises_kept integer DEFAULT 0 NOT NULL,
    promises_kept_late integer DEFAULT 0 NOT NULL,
    promises_broken integer DEFAULT 0 NOT NULL,
    promises_cancelled integer DEFAULT 0 NOT NULL,
    promises_moved integer DEFAULT 0 NOT NULL,
    return_calls integer DEFAULT 0 NOT NULL,
    return_missed integer DEFAULT 0 NOT NULL,
    CONSTRAINT kpi_hour_dim_check CHECK ((dim = ANY (ARRAY['total'::text, 'operator'::text, 'base'::text, 'script'::text, 'caller'::text, 'number'::text, 'region'::text, 'code'::text, 'reason'::text])))
);

CREATE TABLE public.lead (
    id bigint NOT NULL,
    attempt_id uuid NOT NULL,
    contact_id bigint NOT NULL,
    campaign_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    phone_id bigint NOT NULL,
    operator_id bigint,
    made_at timestamp with time zone NOT NULL,
    person text DEFAULT ''::text NOT NULL,
    company text DEFAULT ''::text NOT NULL,
    company_key text,
    address text DEFAULT ''::text NOT NULL,
    agreed text DEFAULT ''::text NOT NULL,
    owner_id bigint,
    state text DEFAULT 'new'::text NOT NULL,
    due_at timestamp with time zone NOT NULL,
    late_at timestamp with time zone,
    contacted_at timestamp with time zone,
    decided_at timestamp with time zone,
    reason text,
    client_at timestamp with time zone,
    revenue numeric(13,2),
    currency text NOT NULL,
    duplicate_of bigint,
    replaces bigint,
    basket text DEFAULT 'common'::text NOT NULL,
    by_hand boolean DEFAULT false NOT NULL,
    step text DEFAULT ''::text NOT NULL,
    CONSTRAINT lead_address_check CHECK ((length(address) <= 200)),
    CONSTRAINT lead_agreed_check CHECK ((length(agreed) <= 4000)),
    CONSTRAINT lead_check CHECK ((duplicate_of < id)),
    CONSTRAINT lead_check1 CHECK ((replaces < id)),
    CONSTRAINT lead_check2 CHECK (((state = 'new'::text) = (contacted_at IS NULL))),
    CONSTRAINT lead_check3 CHECK (((state = ANY (ARRAY['new'::text, 'in_work'::text])) = (decided_at IS NULL))),
    CONSTRAINT lead_check4 CHECK (((state = 'rejected'::text) = (reason IS NOT NULL))),
    CONSTRAINT lead_check5 CHECK (((state = 'client'::text) = (client_at IS NOT NULL))),
    CONSTRAINT lead_check6 CHECK (((revenue IS NULL) OR (state = 'client'::text))),
    CONSTRAINT lead_check7 CHECK (((duplicate_of IS NULL) OR (replaces IS NULL))),
    CONSTRAINT lead_company_check CHECK ((length(company) <= 200)),
    CONSTRAINT lead_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT lead_person_check CHECK ((length(person) <= 200)),
    CONSTRAINT lead_revenue_check CHECK ((revenue >= (0)::numeric)),
    CONSTRAINT lead_state_check CHECK ((state = ANY (ARRAY['new'::text, 'in_work'::text, 'accepted'::text, 'rejected'::text, 'client'::text]))),
    CONSTRAINT lead_step_check CHECK ((length(step) <= 200))
);

CREATE VIEW public.kpi_led AS
 SELECT l.id AS lead_id,
    e.at,
    l.campaign_id,
    date_trunc('hour'::text, e.at, k.zone) AS hour,
    d.base_id,
    l.operator_id,
    d.script,
    d.caller_number,
    d.number,
    d.region,
    d.code,
    d.reason,
    e.leads,
    e.leads_accepted,
    e.leads_rejected,
    e.replacements_owed,
    e.clients
   FROM (((( SELECT lead.id,
            lead.made_at AS at,
            1 AS leads,
            0 AS leads_accepted,
            0 AS leads_rejected,
            0 AS replacements_owed,
            0 AS clients
           FROM public.lead
        UNION ALL
         SELECT r.id,
            r.decided_at,
            0,
            ((r.state <> 'rejected'::text))::integer AS int4,
            ((r.state = 'rejected'::text))::integer AS int4,
            (((r.state = 'rejected'::text) AND (NOT (EXISTS ( SELECT
                   FROM public.lead s
                  WHERE (s.replaces = r.id))))))::integer AS int4,
            0
           FROM public.lead r
          WHERE (r.decided_at IS NOT NULL)
        UNION ALL
         SELECT lead.id,
            lead.client_at,
            0,
            0,
            0,
            0,
            1
           FROM public.lead
          WHERE (lead.client_at IS NOT NULL)) e
     JOIN public.lead l ON ((l.id = e.id)))
     JOIN public.disposition d ON ((d.attempt_id = l.attempt_id)))
     JOIN public.campaign k ON ((k.id = l.campaign_id)));

CREATE TABLE public.operator_interval (
    operator_id bigint NOT NULL,
    session_id uuid NOT NULL,
    state text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    reason text,
    campaign_id bigint,
    attempt_id uuid,
    CONSTRAINT operator_interval_check CHECK ((ended_at >= started_at)),
    CONSTRAINT operator_interval_state_check CHECK ((state = ANY (ARRAY['ready'::text, 'ringing'::text, 'talking'::text, 'wrap_up'::text, 'paused'::text, 'preview'::text])))
)
PARTITION BY RANGE (started_at);

CREATE VIEW public.kpi_owned AS
 SELECT i.operator_id,
    i.session_id,
    i.state,
    i.started_at,
    i.ended_at,
    COALESCE(i.campaign_id, ( SELECT n.campaign_id
           FROM public.operator_interval n
          WHERE ((n.operator_id = i.operator_id) AND (n.session_id = i.session_id) AND (n.campaign_id IS NOT NULL) AND (n.started_at > i.started_at) AND (n.started_at < (i.started_at + '12:00:00'::interval)) AND (i.campaign_id IS NULL))
          ORDER BY n.started_at
         LIMIT 1), ( SELECT n.campaign_id
           FROM public.operator_interval n
          WHERE ((n.operator_id = i.operator_id) AND (n.session_id = i.session_id) AND (n.campaign_id IS NOT NULL) AND (n.started_at < i.started_at) AND (n.started_at > (i.started_at - '12:00:00'::interval)) AND (i.campaign_id IS NULL))
          ORDER BY n.started_at DESC
         LIMIT 1), (0)::bigint) AS campaign_id
   FROM public.operator_interval i;

CREATE VIEW public.kpi_promised AS
 SELECT p.id AS callback_id,
    e.at,
    p.campaign_id,
    date_trunc('hour'::text, e.at, k.zone) AS hour,
    c.base_id,
    p.operator_id,
    COALESCE(d.script, 0) AS script,
    COALESCE(d.caller_number, ''::text) AS caller_number,
    COALESCE(d.number, 0) AS number,
    COALESCE(d.region, ''::text) AS region,
    NULL::text AS code,
    NULL::text AS reason,
    e.promises_made,
    e.promises_kept,
    (((e.promises_kept = 1) AND (kept.sent_at > (p.due_at + public.promise_grace()))))::integer AS promises_kept_late,
    e.promises_broken,
    e.promises_cancelled,
    e.promises_moved
   FROM (((((( SELECT callback.id,
            callback.promised_at AS at,
            1 AS promises_made,
            0 AS promises_kept,
            0 AS promises_broken,
            0 AS promises_cancelled,
            0 AS promises_moved
           FROM public.callback
        UNION ALL
         SELECT callback.id,
            callback.due_at,
            0,
            ((callback.state = 'kept'::text))::integer AS int4,
            ((callback.state = ANY (ARRAY['broken'::text, 'blocked'::text])))::integer AS int4,
            ((callback.state = 'cancelled'::text))::integer AS int4,
            ((callback.moves > 0))::integer AS int4
           FROM public.callback) e
     JOIN public.callback p ON ((p.id = e.id)))
     JOIN public.contact c ON ((c.id = p.contact_id)))
     JOIN public.campaign k ON ((k.id = p.campaign_id)))
     LEFT JOIN public.disposition d ON ((d.attempt_id = p.made_by_attempt)))
     LEFT JOIN LATERAL ( SELECT a.sent_at
           FROM public.attempt a
          WHERE (a.attempt_id = p.kept_by_attempt)
        UNION ALL
         SELECT l.sent_at
           FROM public.attempt_live l
          WHERE (l.attempt_id = p.kept_by_attempt)
 LIMIT 1) kept ON ((e.promises_kept = 1)));

CREATE TABLE public.return_call (
    id uuid NOT NULL,
    switch text NOT NULL,
    epoch bigint NOT NULL,
    trunk text NOT NULL,
    campaign_id bigint,
    base_id bigint,
    contact_id bigint,
    phone_id bigint,
    caller_number text DEFAULT ''::text NOT NULL,
    region text DEFAULT ''::text NOT NULL,
    came_at timestamp with time zone NOT NULL,
    connected_at timestamp with time zone,
    operator_id bigint,
    ended_at timestamp with time zone NOT NULL,
    outcome text NOT NULL,
    why text DEFAULT ''::text NOT NULL,
    CONSTRAINT return_call_check CHECK (((outcome = 'refused'::text) = (why <> ''::text))),
    CONSTRAINT return_call_check1 CHECK (((outcome = 'connected'::text) = (connected_at IS NOT NULL))),
    CONSTRAINT return_call_check2 CHECK (((outcome = 'refused'::text) OR ((campaign_id IS NOT NULL) AND (contact_id IS NOT NULL) AND (phone_id IS NOT NULL)))),
    CONSTRAINT return_call_outcome_check CHECK ((outcome = ANY (ARRAY['connected'::text, 'missed'::text, 'refused'::text]))),
    CONSTRAINT return_call_why_check CHECK ((why = ANY (ARRAY[''::text, 'unknown'::text, 'closed'::text])))
);

CREATE VIEW public.kpi_returned AS
 SELECT r.id,
    r.came_at AS at,
    r.campaign_id,
    date_trunc('hour'::text, r.came_at, k.zone) AS hour,
    r.base_id,
    r.operator_id,
    0 AS script,
    r.caller_number,
    0 AS number,
    r.region,
    NULL::text AS code,
    NULL::text AS reason,
    1 AS return_calls,
    ((r.outcome = 'missed'::text))::integer AS return_missed
   FROM (public.return_call r
     JOIN public.campaign k ON ((k.id = r.campaign_id)))
  WHERE (r.outcome <> 'refused'::text);

CREATE VIEW public.kpi_said AS
 SELECT d.attempt_id,
    d.saved_at AS at,
    d.campaign_id,
    date_trunc('hour'::text, d.saved_at, k.zone) AS hour,
    d.base_id,
    d.operator_id,
    d.script,
    d.caller_number,
    d.number,
    d.region,
    d.code,
    d.reason,
    1 AS said,
    (d.result)::integer AS results,
    (d.decision_maker)::integer AS decision_makers,
    ((NOT (d.verdict IS DISTINCT FROM 'fresh'::text)))::integer AS fresh,
    ((NOT (d.verdict IS DISTINCT FROM 'stale'::text)))::integer AS stale,
    ((NOT (d.verdict IS DISTINCT FROM 'off_target'::text)))::integer AS off_target
   FROM (public.disposition d
     JOIN public.campaign k ON ((k.id = d.campaign_id)));

CREATE VIEW public.kpi_timed AS
 SELECT o.started_at,
    o.ended_at,
    p.at,
    o.campaign_id,
    p.hour,
    o.operator_id,
        CASE o.state
            WHEN 'ready'::text THEN p.us
            ELSE (0)::bigint
        END AS ready_us,
        CASE o.state
            WHEN 'ringing'::text THEN p.us
            ELSE (0)::bigint
        END AS ringing_us,
        CASE o.state
            WHEN 'preview'::text THEN p.us
            ELSE (0)::bigint
        END AS preview_us,
        CASE o.state
            WHEN 'talking'::text THEN p.us
            ELSE (0)::bigint
        END AS talk_us,
        CASE o.state
            WHEN 'wrap_up'::text THEN p.us
            ELSE (0)::bigint
        END AS wrap_up_us,
        CASE o.state
            WHEN 'paused'::text THEN p.us
            ELSE (0)::bigint
        END AS paused_us
   FROM ((public.kpi_owned o
     LEFT JOIN public.campaign k ON ((k.id = o.campaign_id)))
     CROSS JOIN LATERAL public.kpi_pieces(o.started_at, o.ended_at, COALESCE(k.zone, 'UTC'::text)) p(at, hour, us));

CREATE VIEW public.kpi_tried AS
 SELECT a.attempt_id,
    a.contact_id,
    a.sent_at AS at,
    a.campaign_id,
    date_trunc('hour'::text, a.sent_at, k.zone) AS hour,
    a.base_id,
    a.operator_id,
    a.script,
    a.caller_number,
    a.number,
    a.region,
    NULL::text AS code,
    NULL::text AS reason,
        CASE
            WHEN ((a.outcome = 'connected'::text) AND (NOT a.came_in)) THEN ((1000)::double precision * (EXTRACT(epoch FROM (a.connected_at -
            CASE k.mode
                WHEN 'ivr'::text THEN COALESCE(a.waiting_at, a.answered_at)
                ELSE a.answered_at
            END)))::double precision)
            ELSE NULL::double precision
        END AS voice_ms,
    ((NOT a.came_in))::integer AS attempts,
    (((a.rang_at IS NOT NULL) OR (a.answered_at IS NOT NULL) OR (a.outcome = 'no_answer'::text)))::integer AS rang,
    (a.legal_answered)::integer AS answered,
    (a.legal_abandoned)::integer AS abandoned,
    (((a.outcome <> 'not_sent'::text) AND (NOT a.came_in)))::integer AS dialled,
    (((a.outcome = 'offer_ended'::text) OR ((a.outcome = 'connected'::text) AND (NOT a.came_in) AND (a.ended_at >= (a.connected_at + '00:00:01'::interval)))))::integer AS reached,
    ((a.outcome = 'connected'::text))::integer AS connected,
    ((a.outcome = 'abandoned'::text))::integer AS outcome_abandoned,
    ((a.outcome = 'early_hangup'::text))::integer AS early_hangups,
    ((a.outcome = 'offer_ended'::text))::integer AS offers_heard,
    ((a.outcome = 'no_answer'::text))::integer AS no_answer,
    ((a.outcome = 'busy'::text))::integer AS busy,
    ((a.outcome = 'machine'::text))::integer AS machine,
    ((a.outcome = 'invalid_number'::text))::integer AS invalid_number,
    ((a.outcome = 'congestion'::text))::integer AS congestion,
    ((a.outcome = 'rejected'::text))::integer AS rejected,
    ((a.outcome = 'failed'::text))::integer AS failed,
    ((a.outcome = 'cancelled'::text))::integer AS cancelled,
    ((a.outcome = 'not_sent'::text))::integer AS not_sent,
    ((a.outcome = 'unknown'::text))::integer AS unknown
   FROM (public.attempt a
     JOIN public.campaign k ON ((k.id = a.campaign_id)));

CREATE VIEW public.kpi_part AS
 SELECT 'tried'::text AS kind,
    v.at,
    v.at AS began_at,
    false AS long,
    v.campaign_id,
    v.hour,
    v.base_id,
    v.operator_id,
    v.script,
    v.caller_number,
    v.number,
    v.region,
    v.code,
    v.reason,
    v.attempts,
    v.rang,
    v.answered,
    v.abandoned,
    v.dialled,
    v.reached,
    v.connected,
    v.outcome_abandoned,
    v.early_hangups,
    v.offers_heard,
    v.no_answer,
    v.busy,
    v.machine,
    v.invalid_number,
    v.congestion,
    v.rejected,
    v.failed,
    v.cancelled,
    v.not_sent,
    v.unknown,
    0 AS said,
    0 AS results,
    0 AS decision_makers,
    0 AS fresh,
    0 AS stale,
    0 AS off_target,
    0 AS closed,
    0 AS closed_by_disposition,
    0 AS closed_used_up,
    0 AS closed_dead,
    0 AS calls_of_closed,
    0 AS ready_us,
    0 AS ringing_us,
    0 AS preview_us,
    0 AS talk_us,
    0 AS wrap_up_us,
    0 AS paused_us,
    0 AS leads,
    0 AS leads_accepted,
    0 AS leads_rejected,
    0 AS replacements_owed,
    0 AS clients,
    0 AS promises_made,
    0 AS promises_kept,
    0 AS promises_kept_late,
    0 AS promises_broken,
    0 AS promises_cancelled,
    0 AS promises_moved,
    0 AS return_calls,
    0 AS return_missed
   FROM public.kpi_tried v
UNION ALL
 SELECT 'said'::text AS kind,
    v.at,
    v.at AS began_at,
    false AS long,
    v.campaign_id,
    v.hour,
    v.base_id,
    v.operator_id,
    v.script,
    v.caller_number,
    v.number,
    v.region,
    v.code,
    v.reason,
    0 AS attempts,
    0 AS rang,
    0 AS answered,
    0 AS abandoned,
    0 AS dialled,
    0 AS reached,
    0 AS connected,
    0 AS outcome_abandoned,
    0 AS early_hangups,
    0 AS offers_heard,
    0 AS no_answer,
    0 AS busy,
    0 AS machine,
    0 AS invalid_number,
    0 AS congestion,
    0 AS rejected,
    0 AS failed,
    0 AS cancelled,
    0 AS not_sent,
    0 AS unknown,
    v.said,
    v.results,
    v.decision_makers,
    v.fresh,
    v.stale,
    v.off_target,
    0 AS closed,
    0 AS closed_by_disposition,
    0 AS closed_used_up,
    0 AS closed_dead,
    0 AS calls_of_closed,
    0 AS ready_us,
    0 AS ringing_us,
    0 AS preview_us,
    0 AS talk_us,
    0 AS wrap_up_us,
    0 AS paused_us,
    0 AS leads,
    0 AS leads_accepted,
    0 AS leads_rejected,
    0 AS replacements_owed,
    0 AS clients,
    0 AS promises_made,
    0 AS promises_kept,
    0 AS promises_kept_late,
    0 AS promises_broken,
    0 AS promises_cancelled,
    0 AS promises_moved,
    0 AS return_calls,
    0 AS return_missed
   FROM public.kpi_said v
UNION ALL
 SELECT 'closed'::text AS kind,
    v.at,
    v.at AS began_at,
    false AS long,
    v.campaign_id,
    v.hour,
    v.base_id,
    v.operator_id,
    v.script,
    v.caller_number,
    v.number,
    v.region,
    v.code,
    v.reason,
    0 AS attempts,
    0 AS rang,
    0 AS answered,
    0 AS abandoned,
    0 AS dialled,
    0 AS reached,
    0 AS connected,
    0 AS outcome_abandoned,
    0 AS early_hangups,
    0 AS offers_heard,
    0 AS no_answer,
    0 AS busy,
    0 AS machine,
    0 AS invalid_number,
    0 AS congestion,
    0 AS rejected,
    0 AS failed,
    0 AS cancelled,
    0 AS not_sent,
    0 AS unknown,
    0 AS said,
    0 AS results,
    0 AS decision_makers,
    0 AS fresh,
    v.stale,
    0 AS off_target,
    v.closed,
    v.closed_by_disposition,
    v.closed_used_up,
    v.closed_dead,
    v.calls_of_closed,
    0 AS ready_us,
    0 AS ringing_us,
    0 AS preview_us,
    0 AS talk_us,
    0 AS wrap_up_us,
    0 AS paused_us,
    0 AS leads,
    0 AS leads_accepted,
    0 AS leads_rejected,
    0 AS replacements_owed,
    0 AS clients,
    0 AS promises_made,
    0 AS promises_kept,
    0 AS promises_kept_late,
    0 AS promises_broken,
    0 AS promises_cancelled,
    0 AS promises_moved,
    0 AS return_calls,
    0 AS return_missed
   FROM public.kpi_closed v
UNION ALL
 SELECT 'led'::text AS kind,
    v.at,
    v.at AS began_at,
    false AS long,
    v.campaign_id,
    v.hour,
    v.base_id,
    v.operator_id,
    v.script,
    v.caller_number,
    v.number,
    v.region,
    v.code,
    v.reason,
    0 AS attempts,
    0 AS rang,
    0 AS answered,
    0 AS abandoned,
    0 AS dialled,
    0 AS reached,
    0 AS connected,
    0 AS outcome_abandoned,
    0 AS early_hangups,
    0 AS offers_heard,
    0 AS no_answer,
    0 AS busy,
    0 AS machine,
    0 AS invalid_number,
    0 AS congestion,
    0 AS rejected,
    0 AS failed,
    0 AS cancelled,
    0 AS not_sent,
    0 AS unknown,
    0 AS said,
    0 AS results,
    0 AS decision_makers,
    0 AS fresh,
    0 AS stale,
    0 AS off_target,
    0 AS closed,
    0 AS closed_by_disposition,
    0 AS closed_used_up,
    0 AS closed_dead,
    0 AS calls_of_closed,
    0 AS ready_us,
    0 AS ringing_us,
    0 AS preview_us,
    0 AS talk_us,
    0 AS wrap_up_us,
    0 AS paused_us,
    v.leads,
    v.leads_accepted,
    v.leads_rejected,
    v.replacements_owed,
    v.clients,
    0 AS promises_made,
    0 AS promises_kept,
    0 AS promises_kept_late,
    0 AS promises_broken,
    0 AS promises_cancelled,
    0 AS promises_moved,
    0 AS return_calls,
    0 AS return_missed
   FROM public.kpi_led v
UNION ALL
 SELECT 'promised'::text AS kind,
    v.at,
    v.at AS began_at,
    false AS long,
    v.campaign_id,
    v.hour,
    v.base_id,
    v.operator_id,
    v.script,
    v.caller_number,
    v.number,
    v.region,
    v.code,
    v.reason,
    0 AS attempts,
    0 AS rang,
    0 AS answered,
    0 AS abandoned,
    0 AS dialled,
    0 AS reached,
    0 AS connected,
    0 AS outcome_abandoned,
    0 AS early_hangups,
    0 AS offers_heard,
    0 AS no_answer,
    0 AS busy,
    0 AS machine,
    0 AS invalid_number,
    0 AS congestion,
    0 AS rejected,
    0 AS failed,
    0 AS cancelled,
    0 AS not_sent,
    0 AS unknown,
    0 AS said,
    0 AS results,
    0 AS decision_makers,
    0 AS fresh,
    0 AS stale,
    0 AS off_target,
    0 AS closed,
    0 AS closed_by_disposition,
    0 AS closed_used_up,
    0 AS closed_dead,
    0 AS calls_of_closed,
    0 AS ready_us,
    0 AS ringing_us,
    0 AS preview_us,
    0 AS talk_us,
    0 AS wrap_up_us,
    0 AS paused_us,
    0 AS leads,
    0 AS leads_accepted,
    0 AS leads_rejected,
    0 AS replacements_owed,
    0 AS clients,
    v.promises_made,
    v.promises_kept,
    v.promises_kept_late,
    v.promises_broken,
    v.promises_cancelled,
    v.promises_moved,
    0 AS return_calls,
    0 AS return_missed
   FROM public.kpi_promised v
UNION ALL
 SELECT 'returned'::text AS kind,
    v.at,
    v.at AS began_at,
    false AS long,
    v.campaign_id,
    v.hour,
    v.base_id,
    v.operator_id,
    v.script,
    v.caller_number,
    v.number,
    v.region,
    v.code,
    v.reason,
    0 AS attempts,
    0 AS rang,
    0 AS answered,
    0 AS abandoned,
    0 AS dialled,
    0 AS reached,
    0 AS connected,
    0 AS outcome_abandoned,
    0 AS early_hangups,
    0 AS offers_heard,
    0 AS no_answer,
    0 AS busy,
    0 AS machine,
    0 AS invalid_number,
    0 AS congestion,
    0 AS rejected,
    0 AS failed,
    0 AS cancelled,
    0 AS not_sent,
    0 AS unknown,
    0 AS said,
    0 AS results,
    0 AS decision_makers,
    0 AS fresh,
    0 AS stale,
    0 AS off_target,
    0 AS closed,
    0 AS closed_by_disposition,
    0 AS closed_used_up,
    0 AS closed_dead,
    0 AS calls_of_closed,
    0 AS ready_us,
    0 AS ringing_us,
    0 AS preview_us,
    0 AS talk_us,
    0 AS wrap_up_us,
    0 AS paused_us,
    0 AS leads,
    0 AS leads_accepted,
    0 AS leads_rejected,
    0 AS replacements_owed,
    0 AS clients,
    0 AS promises_made,
    0 AS promises_kept,
    0 AS promises_kept_late,
    0 AS promises_broken,
    0 AS promises_cancelled,
    0 AS promises_moved,
    v.return_calls,
    v.return_missed
   FROM public.kpi_returned v
UNION ALL
 SELECT 'timed'::text AS kind,
    v.at,
    v.started_at AS began_at,
    ((v.ended_at - v.started_at) > '1 day'::interval) AS long,
    v.campaign_id,
    v.hour,
    NULL::bigint AS base_id,
    v.operator_id,
    NULL::integer AS script,
    NULL::text AS caller_number,
    NULL::integer AS number,
    NULL::text AS region,
    NULL::text AS code,
    NULL::text AS reason,
    0 AS attempts,
    0 AS rang,
    0 AS answered,
    0 AS abandoned,
    0 AS dialled,
    0 AS reached,
    0 AS connected,
    0 AS outcome_abandoned,
    0 AS early_hangups,
    0 AS offers_heard,
    0 AS no_answer,
    0 AS busy,
    0 AS machine,
    0 AS invalid_number,
    0 AS congestion,
    0 AS rejected,
    0 AS failed,
    0 AS cancelled,
    0 AS not_sent,
    0 AS unknown,
    0 AS said,
    0 AS results,
    0 AS decision_makers,
    0 AS fresh,
    0 AS stale,
    0 AS off_target,
    0 AS closed,
    0 AS closed_by_disposition,
    0 AS closed_used_up,
    0 AS closed_dead,
    0 AS calls_of_closed,
    v.ready_us,
    v.ringing_us,
    v.preview_us,
    v.talk_us,
    v.wrap_up_us,
    v.paused_us,
    0 AS leads,
    0 AS leads_accepted,
    0 AS leads_rejected,
    0 AS replacements_owed,
    0 AS clients,
    0 AS promises_made,
    0 AS promises_kept,
    0 AS promises_kept_late,
    0 AS promises_broken,
    0 AS promises_cancelled,
    0 AS promises_moved,
    0 AS return_calls,
    0 AS return_missed
   FROM public.kpi_timed v;

CREATE VIEW public.kpi_row AS
 SELECT h.dim,
    h.campaign_id,
    h.hour,
    h.key,
    h.attempts,
    h.rang,
    h.answered,
    h.abandoned,
    h.dialled,
    h.reached,
    h.connected,
    h.outcome_abandoned,
    h.early_hangups,
    h.offers_heard,
    h.no_answer,
    h.busy,
    h.machine,
    h.invalid_number,
    h.congestion,
    h.rejected,
    h.failed,
    h.cancelled,
    h.not_sent,
    h.unknown,
    h.said,
    h.results,
    h.decision_makers,
    h.fresh,
    h.stale,
    h.off_target,
    h.closed,
    h.closed_by_disposition,
    h.closed_used_up,
    h.closed_dead,
    h.calls_of_closed,
    h.ready_us,
    h.ringing_us,
    h.preview_us,
    h.talk_us,
    h.wrap_up_us,
    h.paused_us,
    h.leads,
    h.leads_accepted,
    h.leads_rejected,
    h.replacements_owed,
    h.clients,
    h.promises_made,
    h.promises_kept,
    h.promises_kept_late,
    h.promises_broken,
    h.promises_cancelled,
    h.promises_moved,
    h.return_calls,
    h.return_missed
   FROM public.kpi_hour h
UNION ALL
 SELECT part.dim,
    p.campaign_id,
    p.hour,
    part.key,
    p.attempts,
    p.rang,
    p.answered,
    p.abandoned,
    p.dialled,
    p.reached,
    p.connected,
    p.outcome_abandoned,
    p.early_hangups,
    p.offers_heard,
    p.no_answer,
    p.busy,
    p.machine,
    p.invalid_number,
    p.congestion,
    p.rejected,
    p.failed,
    p.cancelled,
    p.not_sent,
    p.unknown,
    p.said,
    p.results,
    p.decision_makers,
    p.fresh,
    p.stale,
    p.off_target,
    p.closed,
    p.closed_by_disposition,
    p.closed_used_up,
    p.closed_dead,
    p.calls_of_closed,
    p.ready_us,
    p.ringing_us,
    p.preview_us,
    p.talk_us,
    p.wrap_up_us,
    p.paused_us,
    p.leads,
    p.leads_accepted,
    p.leads_rejected,
    p.replacements_owed,
    p.clients,
    p.promises_made,
    p.promises_kept,
    p.promises_kept_late,
    p.promises_broken,
    p.promises_cancelled,
    p.promises_moved,
    p.return_calls,
    p.return_missed
   FROM (public.kpi_delta p
     CROSS JOIN LATERAL public.kpi_places(p.campaign_id, p.base_id, p.operator_id, p.script, p.caller_number, p.number, p.region, p.code, p.reason) part(dim, key));

CREATE TABLE public.kpi_stale (
    campaign_id bigint NOT NULL,
    since timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE public.lane ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.lane_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.lead_change (
    id bigint NOT NULL,
    lead_id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    by_user bigint,
    what text NOT NULL,
    before text,
    after text,
    reason text DEFAULT ''::text NOT NULL,
    CONSTRAINT lead_change_reason_check CHECK ((length(reason) <= 1000)),
    CONSTRAINT lead_change_what_check CHECK ((what = ANY (ARRAY['made'::text, 'moved'::text, 'given'::text, 'changed'::text, 'late'::text, 'revenue'::text, 'basket'::text])))
);

ALTER TABLE public.lead_change ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.lead_change_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE public.lead ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.lead_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.lead_rule (
    campaign_id bigint NOT NULL,
    contact_within_s integer DEFAULT 86400 NOT NULL,
    currency text DEFAULT 'RUB'::text NOT NULL,
    CONSTRAINT lead_rule_contact_within_s_check CHECK (((contact_within_s >= 60) AND (contact_within_s <= 2592000))),
    CONSTRAINT lead_rule_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text))
);

CREATE TABLE public.letter (
    id bigint NOT NULL,
    message_id uuid DEFAULT gen_random_uuid() NOT NULL,
    attempt_id uuid NOT NULL,
    contact_id bigint NOT NULL,
    campaign_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    word text NOT NULL,
    language text NOT NULL,
    address text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    reason text,
    detail text DEFAULT ''::text NOT NULL,
    template_version integer,
    subject text,
    body text,
    tries integer DEFAULT 0 NOT NULL,
    tried_at timestamp with time zone,
    next_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    sent_at timestamp with time zone,
    list_id bigint,
    bounced_at timestamp with time zone,
    answered_at timestamp with time zone,
    unsubscribed_at timestamp with time zone,
    CONSTRAINT letter_address_check CHECK ((length(address) <= 254)),
    CONSTRAINT letter_check CHECK (((state = 'waiting'::text) = (closed_at IS NULL))),
    CONSTRAINT letter_check1 CHECK (((state = 'listed'::text) = (list_id IS NOT NULL))),
    CONSTRAINT letter_check2 CHECK (((state <> 'sent'::text) OR (sent_at IS NOT NULL))),
    CONSTRAINT letter_check3 CHECK (((state <> ALL (ARRAY['refused'::text, 'given_up'::text])) OR (reason IS NOT NULL))),
    CONSTRAINT letter_detail_check CHECK ((length(detail) <= 500)),
    CONSTRAINT letter_language_check CHECK ((language = ANY (ARRAY['ru'::text, 'en'::text]))),
    CONSTRAINT letter_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'sent'::text, 'listed'::text, 'refused'::text, 'bounced'::text, 'given_up'::text])))
);

ALTER TABLE public.letter ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.letter_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.letter_list (
    id bigint NOT NULL,
    campaign_id bigint NOT NULL,
    cut_at timestamp with time zone NOT NULL,
    fetched_at timestamp with time zone
);

ALTER TABLE public.letter_list ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.letter_list_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.letter_rule (
    campaign_id bigint NOT NULL,
    mode text NOT NULL,
    language text NOT NULL,
    per_hour integer NOT NULL,
    per_day integer NOT NULL,
    unanswered_max integer NOT NULL,
    terms_days integer,
    manager text NOT NULL,
    unsubscribe_scope text NOT NULL,
    CONSTRAINT letter_rule_language_check CHECK ((language = ANY (ARRAY['ru'::text, 'en'::text]))),
    CONSTRAINT letter_rule_manager_check CHECK ((length(manager) <= 500)),
    CONSTRAINT letter_rule_mode_check CHECK ((mode = ANY (ARRAY['off'::text, 'send'::text, 'list'::text]))),
    CONSTRAINT letter_rule_per_day_check CHECK (((per_day >= 1) AND (per_day <= 1000000))),
    CONSTRAINT letter_rule_per_hour_check CHECK (((per_hour >= 1) AND (per_hour <= 100000))),
    CONSTRAINT letter_rule_terms_days_check CHECK (((terms_days >= 1) AND (terms_days <= 3660))),
    CONSTRAINT letter_rule_unanswered_max_check CHECK (((unanswered_max >= 1) AND (unanswered_max <= 1000))),
    CONSTRAINT letter_rule_unsubscribe_scope_check CHECK ((unsubscribe_scope = ANY (ARRAY['global'::text, 'customer'::text, 'campaign'::text])))
);

CREATE TABLE public.letter_sender (
    customer_id bigint NOT NULL,
    name text NOT NULL,
    address text NOT NULL,
    reply_to text,
    CONSTRAINT letter_sender_address_check CHECK (((address ~ '^[^[:space:][:cntrl:]<>,;]+@[a-z0-9.-]+$'::text) AND (length(address) <= 254))),
    CONSTRAINT letter_sender_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT letter_sender_reply_to_check CHECK (((reply_to ~ '^[^[:space:][:cntrl:]<>,;]+@[a-z0-9.-]+$'::text) AND (length(reply_to) <= 254)))
);

CREATE TABLE public.letter_stop (
    id bigint NOT NULL,
    address text NOT NULL,
    scope text NOT NULL,
    customer_id bigint,
    campaign_id bigint,
    why text NOT NULL,
    letter_id bigint,
    added_by bigint,
    added_at timestamp with time zone NOT NULL,
    CONSTRAINT letter_stop_address_check CHECK (((address = lower(address)) AND (length(address) <= 254))),
    CONSTRAINT letter_stop_check CHECK ((((scope = 'customer'::text) = (customer_id IS NOT NULL)) AND ((scope = 'campaign'::text) = (campaign_id IS NOT NULL)))),
    CONSTRAINT letter_stop_scope_check CHECK ((scope = ANY (ARRAY['global'::text, 'customer'::text, 'campaign'::text]))),
    CONSTRAINT letter_stop_why_check CHECK ((why = ANY (ARRAY['unsubscribed'::text, 'bounced'::text, 'asked'::text])))
);

ALTER TABLE public.letter_stop ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.letter_stop_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.letter_template (
    campaign_id bigint NOT NULL,
    word text NOT NULL,
    language text NOT NULL,
    version integer NOT NULL,
    subject text NOT NULL,
    body text NOT NULL,
    saved_at timestamp with time zone NOT NULL,
    saved_by bigint,
    CONSTRAINT letter_template_body_check CHECK ((length(body) <= 20000)),
    CONSTRAINT letter_template_language_check CHECK ((language = ANY (ARRAY['ru'::text, 'en'::text]))),
    CONSTRAINT letter_template_subject_check CHECK ((length(subject) <= 500)),
    CONSTRAINT letter_template_version_check CHECK ((version > 0)),
    CONSTRAINT letter_template_word_check CHECK ((word ~ '^[a-z0-9_]{1,40}$'::text))
);

CREATE TABLE public.listening (
    id uuid NOT NULL,
    user_id bigint NOT NULL,
    operator_id bigint NOT NULL,
    attempt_id uuid NOT NULL,
    switch text NOT NULL,
    mode text NOT NULL,
    shown boolean NOT NULL,
    began_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    how text,
    CONSTRAINT listening_check CHECK (((ended_at IS NULL) = (how IS NULL))),
    CONSTRAINT listening_check1 CHECK ((ended_at >= began_at)),
    CONSTRAINT listening_how_check CHECK ((how = ANY (ARRAY['conversation'::text, 'phone_lost'::text, 'hung_up'::text, 'not_answered'::text, 'stopped'::text, 'moved'::text, 'page_gone'::text, 'service'::text, 'refused'::text]))),
    CONSTRAINT listening_mode_check CHECK ((mode = ANY (ARRAY['listen'::text, 'whisper'::text, 'join'::text])))
);

CREATE TABLE public.login_try (
    login text NOT NULL,
    ip text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.loosening (
    id bigint NOT NULL,
    campaign_id bigint NOT NULL,
    changes jsonb NOT NULL,
    reason text NOT NULL,
    asked_by bigint NOT NULL,
    asked_at timestamp with time zone DEFAULT now() NOT NULL,
    approved_by bigint,
    approved_at timestamp with time zone,
    CONSTRAINT loosening_by_two CHECK (((approved_by <> asked_by) OR (approved_at >= (asked_at + '24:00:00'::interval)))),
    CONSTRAINT loosening_check CHECK (((approved_by IS NULL) = (approved_at IS NULL))),
    CONSTRAINT loosening_reason_check CHECK ((length(reason) >= 10))
);

ALTER TABLE public.loosening ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.loosening_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.money (
    campaign_id bigint NOT NULL,
    dim text NOT NULL,
    hour timestamp with time zone NOT NULL,
    key text NOT NULL,
    price_id bigint NOT NULL,
    revision integer DEFAULT 0 NOT NULL,
    quantity numeric NOT NULL,
    amount numeric NOT NULL
);

CREATE TABLE public.money_day (
    campaign_id bigint NOT NULL,
    day date NOT NULL,
    revision integer DEFAULT 0 NOT NULL,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL,
    prices bigint[] NOT NULL,
    currency text NOT NULL,
    cost numeric NOT NULL,
    revenue numeric NOT NULL,
    closed_at timestamp with time zone DEFAULT now() NOT NULL,
    closed_by bigint,
    CONSTRAINT money_day_check CHECK ((until > since)),
    CONSTRAINT money_day_revision_check CHECK ((revision >= 0))
);

CREATE TABLE public.national_list (
    name text NOT NULL,
    imported_at timestamp with time zone NOT NULL,
    imported_by bigint,
    numbers integer NOT NULL,
    CONSTRAINT national_list_name_check CHECK ((name ~ '^[a-z0-9-]{1,32}$'::text))
);

CREATE TABLE public.national_number (
    e164 text NOT NULL COLLATE pg_catalog."C",
    list text NOT NULL
);

CREATE TABLE public.offer (
    id bigint NOT NULL,
    word text NOT NULL,
    name text NOT NULL,
    spoken text DEFAULT ''::text NOT NULL,
    language text DEFAULT ''::text NOT NULL,
    audio bytea NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    made_by bigint,
    archived_at timestamp with time zone,
    CONSTRAINT offer_audio_check CHECK (((length(audio) >= 4000) AND (length(audio) <= 1440000))),
    CONSTRAINT offer_language_check CHECK ((language = ANY (ARRAY[''::text, 'en'::text, 'ru'::text]))),
    CONSTRAINT offer_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT offer_word_check CHECK ((word ~ '^[a-z0-9_]{1,32}$'::text))
);

ALTER TABLE public.offer ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.offer_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE SEQUENCE public.offer_word
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE public.operator_interval_other (
    operator_id bigint NOT NULL,
    session_id uuid NOT NULL,
    state text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    reason text,
    campaign_id bigint,
    attempt_id uuid,
    CONSTRAINT operator_interval_check CHECK ((ended_at >= started_at)),
    CONSTRAINT operator_interval_state_check CHECK ((state = ANY (ARRAY['ready'::text, 'ringing'::text, 'talking'::text, 'wrap_up'::text, 'paused'::text, 'preview'::text])))
);

CREATE TABLE public.operator_message (
    id bigint NOT NULL,
    operator_id bigint NOT NULL,
    text text NOT NULL,
    said_at timestamp with time zone DEFAULT now() NOT NULL,
    said_by bigint,
    heard_at timestamp with time zone,
    CONSTRAINT operator_message_text_check CHECK (((length(text) >= 1) AND (length(text) <= 500)))
);

ALTER TABLE public.operator_message ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.operator_message_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.pacing_learned (
    of_kind text NOT NULL,
    of_id bigint NOT NULL,
    state jsonb NOT NULL,
    saved_at timestamp with time zone NOT NULL,
    CONSTRAINT pacing_learned_of_kind_check CHECK ((of_kind = ANY (ARRAY['campaign'::text, 'team'::text])))
);

CREATE TABLE public.pacing_minute (
    campaign_id bigint NOT NULL,
    minute timestamp with time zone NOT NULL,
    decided_at timestamp with time zone NOT NULL,
    calls integer NOT NULL,
    target integer NOT NULL,
    reason text NOT NULL,
    sentence jsonb NOT NULL,
    inputs jsonb NOT NULL,
    decisions integer NOT NULL,
    placed integer NOT NULL,
    reasons jsonb NOT NULL
);

CREATE TABLE public.pause_kind (
    code text NOT NULL,
    place integer NOT NULL,
    name_ru text NOT NULL,
    name_en text NOT NULL,
    allowed_s integer,
    CONSTRAINT pause_kind_allowed_s_check CHECK ((allowed_s > 0)),
    CONSTRAINT pause_kind_code_check CHECK ((code ~ '^[a-z0-9_-]{1,40}$'::text))
);

ALTER TABLE public.phone ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.phone_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.preview (
    phone_id bigint NOT NULL,
    preview_id uuid NOT NULL,
    contact_id bigint NOT NULL,
    campaign_id bigint NOT NULL,
    operator_id bigint NOT NULL,
    switch text NOT NULL,
    offered_at timestamp with time zone NOT NULL
);

CREATE TABLE public.preview_end (
    preview_id uuid NOT NULL,
    operator_id bigint NOT NULL,
    campaign_id bigint NOT NULL,
    contact_id bigint NOT NULL,
    offered_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    how text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    CONSTRAINT preview_end_check CHECK ((ended_at >= offered_at)),
    CONSTRAINT preview_end_how_check CHECK ((how = ANY (ARRAY['called'::text, 'skipped'::text, 'expired'::text, 'refused'::text, 'returned'::text])))
);

CREATE TABLE public.price (
    id bigint NOT NULL,
    campaign_id bigint NOT NULL,
    kind text NOT NULL,
    base_id bigint,
    since date NOT NULL,
    amount numeric NOT NULL,
    currency text NOT NULL,
    first_s integer,
    step_s integer,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    made_by bigint,
    withdrawn_at timestamp with time zone,
    withdrawn_by bigint,
    CONSTRAINT price_amount_check CHECK (((amount >= (0)::numeric) AND (amount < ('100000000000'::bigint)::numeric) AND (scale(trim_scale(amount)) <= 6))),
    CONSTRAINT price_check CHECK (((kind = 'cost_base'::text) = (base_id IS NOT NULL))),
    CONSTRAINT price_check1 CHECK (((kind = ANY (ARRAY['tariff_minute'::text, 'cost_trunk_minute'::text])) = (first_s IS NOT NULL))),
    CONSTRAINT price_check2 CHECK (((first_s IS NULL) = (step_s IS NULL))),
    CONSTRAINT price_check3 CHECK (((withdrawn_at IS NOT NULL) OR (withdrawn_by IS NULL))),
    CONSTRAINT price_first_s_check CHECK (((first_s >= 1) AND (first_s <= 3600))),
    CONSTRAINT price_kind_check CHECK ((kind = ANY (ARRAY['tariff_minute'::text, 'tariff_conversation'::text, 'tariff_lead'::text, 'tariff_operator_hour'::text, 'cost_operator_hour'::text, 'cost_paid_hour'::text, 'cost_trunk_minute'::text, 'cost_base'::text, 'cost_base_contact'::text, 'cost_letter'::text, 'cost_month'::text]))),
    CONSTRAINT price_since_check CHECK (((since >= '2000-01-01'::date) AND (since < '2100-01-01'::date))),
    CONSTRAINT price_step_s_check CHECK (((step_s >= 1) AND (step_s <= 3600)))
);

ALTER TABLE public.price ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.price_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.recording (
    attempt_id uuid NOT NULL,
    campaign_id bigint NOT NULL,
    phone_id bigint NOT NULL,
    operator_id bigint,
    switch text NOT NULL,
    state text DEFAULT 'recording'::text NOT NULL,
    began_at timestamp with time zone NOT NULL,
    stored_at timestamp with time zone,
    seed bytea,
    bytes bigint,
    duration_ms bigint,
    why text,
    hold text,
    deleted_at timestamp with time zone,
    removed_at timestamp with time zone,
    CONSTRAINT held_stays CHECK (((hold IS NULL) OR (state <> 'deleted'::text))),
    CONSTRAINT recording_bytes_check CHECK ((bytes > 0)),
    CONSTRAINT recording_check CHECK (((state = 'stored'::text) = (seed IS NOT NULL))),
    CONSTRAINT recording_check1 CHECK (((state <> 'stored'::text) OR ((stored_at IS NOT NULL) AND (bytes IS NOT NULL) AND (duration_ms IS NOT NULL)))),
    CONSTRAINT recording_check2 CHECK ((((state = 'failed'::text) AND (why = ANY (ARRAY['no_file'::text, 'empty'::text, 'unreadable'::text]))) OR ((state = 'deleted'::text) AND (why = ANY (ARRAY['retention'::text, 'erasure'::text, 'asked'::text]))) OR ((state = ANY (ARRAY['recording'::text, 'stored'::text])) AND (why IS NULL)))),
    CONSTRAINT recording_check3 CHECK (((state = 'deleted'::text) = (deleted_at IS NOT NULL))),
    CONSTRAINT recording_check4 CHECK (((removed_at IS NULL) OR (state = 'deleted'::text))),
    CONSTRAINT recording_duration_ms_check CHECK ((duration_ms > 0)),
    CONSTRAINT recording_hold_check CHECK (((length(hold) >= 1) AND (length(hold) <= 500))),
    CONSTRAINT recording_seed_check CHECK ((length(seed) = 32)),
    CONSTRAINT recording_state_check CHECK ((state = ANY (ARRAY['recording'::text, 'stored'::text, 'failed'::text, 'deleted'::text]))),
    CONSTRAINT recording_why_check CHECK ((why = ANY (ARRAY['no_file'::text, 'empty'::text, 'unreadable'::text, 'retention'::text, 'erasure'::text, 'asked'::text])))
);

CREATE TABLE public.recording_pause (
    attempt_id uuid NOT NULL,
    paused_at timestamp with time zone NOT NULL,
    resumed_at timestamp with time zone,
    user_id bigint,
    CONSTRAINT recording_pause_check CHECK ((resumed_at >= paused_at))
);

CREATE TABLE public.recovery_code (
    code_hash bytea NOT NULL,
    user_id bigint NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT recovery_code_code_hash_check CHECK ((length(code_hash) = 32))
);

CREATE TABLE public.report_file (
    run_id bigint NOT NULL,
    place smallint NOT NULL,
    name text NOT NULL,
    media text NOT NULL,
    content bytea NOT NULL
);

CREATE TABLE public.report_letter (
    id bigint NOT NULL,
    message_id uuid DEFAULT gen_random_uuid() NOT NULL,
    run_id bigint NOT NULL,
    subscriber_id bigint,
    address text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    reason text,
    detail text DEFAULT ''::text NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    next_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    sent_at timestamp with time zone,
    closed_at timestamp with time zone,
    CONSTRAINT report_letter_check CHECK (((state = 'waiting'::text) = (closed_at IS NULL))),
    CONSTRAINT report_letter_check1 CHECK (((state <> 'sent'::text) OR (sent_at IS NOT NULL))),
    CONSTRAINT report_letter_check2 CHECK (((state <> ALL (ARRAY['refused'::text, 'given_up'::text])) OR (reason IS NOT NULL))),
    CONSTRAINT report_letter_detail_check CHECK ((length(detail) <= 500)),
    CONSTRAINT report_letter_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'sent'::text, 'refused'::text, 'bounced'::text, 'given_up'::text])))
);

ALTER TABLE public.report_letter ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.report_letter_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.report_run (
    id bigint NOT NULL,
    subscription_id bigint NOT NULL,
    day date,
    about date NOT NULL,
    due_at timestamp with time zone NOT NULL,
    subject text,
    body text
);

ALTER TABLE public.report_run ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.report_run_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.script_version (
    campaign_id bigint NOT NULL,
    version integer NOT NULL,
    brief text DEFAULT ''::text NOT NULL,
    body jsonb DEFAULT '{}'::jsonb NOT NULL,
    saved_at timestamp with time zone DEFAULT now() NOT NULL,
    saved_by bigint,
    CONSTRAINT script_version_version_check CHECK ((version > 0))
);

CREATE TABLE public.seat (
    switch text NOT NULL,
    name text NOT NULL,
    user_id bigint NOT NULL,
    given_at timestamp with time zone DEFAULT now() NOT NULL,
    shown text,
    CONSTRAINT seat_name_check CHECK ((name ~ '^[a-z0-9_-]{1,28}$'::text))
);

CREATE TABLE public.second_factor (
    user_id bigint NOT NULL,
    seed bytea NOT NULL,
    began_at timestamp with time zone DEFAULT now() NOT NULL,
    confirmed_at timestamp with time zone,
    last_step bigint DEFAULT 0 NOT NULL,
    CONSTRAINT second_factor_seed_check CHECK ((length(seed) = 16))
);

CREATE TABLE public.subscriber (
    id bigint NOT NULL,
    subscription_id bigint NOT NULL,
    address text NOT NULL,
    allowed_by bigint,
    stopped_at timestamp with time zone,
    stopped_why text,
    removed_at timestamp with time zone,
    CONSTRAINT subscriber_address_check CHECK ((length(address) <= 254)),
    CONSTRAINT subscriber_check CHECK (((stopped_at IS NULL) = (stopped_why IS NULL))),
    CONSTRAINT subscriber_stopped_why_check CHECK ((stopped_why = ANY (ARRAY['link'::text, 'bounced'::text])))
);

ALTER TABLE public.subscriber ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.subscriber_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.subscription (
    id bigint NOT NULL,
    user_id bigint NOT NULL,
    name text NOT NULL,
    campaign_id bigint,
    zone text NOT NULL,
    period text NOT NULL,
    breakdown text NOT NULL,
    language text NOT NULL,
    form text NOT NULL,
    weekdays smallint[] NOT NULL,
    month_day smallint,
    hour smallint NOT NULL,
    made_at timestamp with time zone NOT NULL,
    next_day date NOT NULL,
    next_at timestamp with time zone NOT NULL,
    stopped_at timestamp with time zone,
    stopped_why text,
    removed_at timestamp with time zone,
    CONSTRAINT subscription_breakdown_check CHECK ((breakdown = ANY (ARRAY['operator'::text, 'campaign'::text, 'base'::text, 'customer'::text, 'script'::text, 'caller'::text, 'number'::text, 'region'::text]))),
    CONSTRAINT subscription_check CHECK (((month_day IS NULL) = (cardinality(weekdays) > 0))),
    CONSTRAINT subscription_check1 CHECK (((stopped_at IS NULL) = (stopped_why IS NULL))),
    CONSTRAINT subscription_form_check CHECK ((form = ANY (ARRAY['csv'::text, 'xlsx'::text]))),
    CONSTRAINT subscription_hour_check CHECK (((hour >= 0) AND (hour <= 23))),
    CONSTRAINT subscription_language_check CHECK ((language = ANY (ARRAY['ru'::text, 'en'::text]))),
    CONSTRAINT subscription_month_day_check CHECK (((month_day >= 1) AND (month_day <= 31))),
    CONSTRAINT subscription_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT subscription_period_check CHECK ((period = ANY (ARRAY['yesterday'::text, 'week'::text, 'month'::text]))),
    CONSTRAINT subscription_stopped_why_check CHECK ((stopped_why = ANY (ARRAY['asked'::text, 'link'::text, 'disabled'::text, 'rights'::text, 'nobody'::text]))),
    CONSTRAINT subscription_weekdays_check CHECK ((weekdays <@ ARRAY[(1)::smallint, (2)::smallint, (3)::smallint, (4)::smallint, (5)::smallint, (6)::smallint, (7)::smallint]))
);

ALTER TABLE public.subscription ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.subscription_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.suppression (
    hash bytea NOT NULL,
    erased_at timestamp with time zone NOT NULL
);

CREATE TABLE public.team (
    id bigint NOT NULL,
    name text NOT NULL,
    switch text DEFAULT 'main'::text NOT NULL
);

ALTER TABLE public.team ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.team_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.trunk (
    id bigint NOT NULL,
    name text NOT NULL,
    kind text DEFAULT 'carrier'::text NOT NULL,
    max_channels integer DEFAULT 100 NOT NULL,
    calls_per_s real DEFAULT 20 NOT NULL,
    causes jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT trunk_calls_per_s_check CHECK ((calls_per_s > (0)::double precision)),
    CONSTRAINT trunk_kind_check CHECK ((kind = ANY (ARRAY['carrier'::text, 'world'::text]))),
    CONSTRAINT trunk_max_channels_check CHECK ((max_channels > 0)),
    CONSTRAINT trunk_name_check CHECK ((name ~ '^[a-z0-9_-]{1,32}$'::text))
);

ALTER TABLE public.trunk ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.trunk_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.web_session (
    token_hash bytea NOT NULL,
    user_id bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    id bigint NOT NULL,
    ip text DEFAULT ''::text NOT NULL,
    agent text DEFAULT ''::text NOT NULL
);

ALTER TABLE public.web_session ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.web_session_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.webhook (
    id bigint NOT NULL,
    name text NOT NULL,
    url text NOT NULL,
    customer_id bigint,
    campaign_id bigint,
    kinds text[] NOT NULL,
    seed bytea NOT NULL,
    seed_before bytea,
    seed_before_until timestamp with time zone,
    made_by bigint,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    paused_at timestamp with time zone,
    CONSTRAINT webhook_check CHECK (((customer_id IS NULL) OR (campaign_id IS NULL))),
    CONSTRAINT webhook_check1 CHECK (((seed_before IS NULL) = (seed_before_until IS NULL))),
    CONSTRAINT webhook_kinds_check CHECK (((cardinality(kinds) > 0) AND (kinds <@ ARRAY['attempt.connected'::text, 'attempt.ended'::text, 'disposition.saved'::text, 'lead.made'::text, 'lead.moved'::text, 'lead.late'::text, 'callback.promised'::text, 'callback.changed'::text, 'callback.soon'::text, 'callback.late'::text, 'campaign.state'::text]))),
    CONSTRAINT webhook_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT webhook_seed_before_check CHECK ((length(seed_before) = 16)),
    CONSTRAINT webhook_seed_check CHECK ((length(seed) = 16)),
    CONSTRAINT webhook_url_check CHECK (((length(url) >= 8) AND (length(url) <= 2000)))
);

ALTER TABLE public.webhook ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.webhook_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.wrap_up_extension (
    operator_id bigint NOT NULL,
    attempt_id uuid NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.attempt ATTACH PARTITION public.attempt_other DEFAULT;

ALTER TABLE ONLY public.operator_interval ATTACH PARTITION public.operator_interval_other DEFAULT;

ALTER TABLE ONLY public.abandon_budget
    ADD CONSTRAINT abandon_budget_pkey PRIMARY KEY (campaign_id);

ALTER TABLE ONLY public.api_token
    ADD CONSTRAINT api_token_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.api_token
    ADD CONSTRAINT api_token_token_hash_key UNIQUE (token_hash);

ALTER TABLE ONLY public.app_setting
    ADD CONSTRAINT app_setting_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.app_user
    ADD CONSTRAINT app_user_login_key UNIQUE (login);

ALTER TABLE ONLY public.app_user
    ADD CONSTRAINT app_user_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.attempt_end
    ADD CONSTRAINT attempt_end_pkey PRIMARY KEY (attempt_id);

ALTER TABLE ONLY public.attempt_live
    ADD CONSTRAINT attempt_live_attempt_id_key UNIQUE (attempt_id);

ALTER TABLE ONLY public.attempt_live
    ADD CONSTRAINT attempt_live_contact_id_key UNIQUE (contact_id);

ALTER TABLE ONLY public.attempt_live
    ADD CONSTRAINT attempt_live_pkey PRIMARY KEY (phone_id);

ALTER TABLE ONLY public.attempt
    ADD CONSTRAINT attempt_pkey PRIMARY KEY (sent_at, attempt_id);

ALTER TABLE ONLY public.attempt_other
    ADD CONSTRAINT attempt_other_pkey PRIMARY KEY (sent_at, attempt_id);

ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.base_change
    ADD CONSTRAINT base_change_pkey PRIMARY KEY (base_id, contact_id);

ALTER TABLE ONLY public.base_file
    ADD CONSTRAINT base_file_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.base_pass
    ADD CONSTRAINT base_pass_pkey PRIMARY KEY (base_id, pass);

ALTER TABLE ONLY public.base
    ADD CONSTRAINT base_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.base_template
    ADD CONSTRAINT base_template_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.basket
    ADD CONSTRAINT basket_pkey PRIMARY KEY (campaign_id, code);

ALTER TABLE ONLY public.callback_change
    ADD CONSTRAINT callback_change_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.callback
    ADD CONSTRAINT callback_made_by_attempt_key UNIQUE (made_by_attempt);

ALTER TABLE ONLY public.callback
    ADD CONSTRAINT callback_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.campaign
    ADD CONSTRAINT campaign_name_key UNIQUE (name);

ALTER TABLE ONLY public.campaign
    ADD CONSTRAINT campaign_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.closing
    ADD CONSTRAINT closing_pkey PRIMARY KEY (contact_id);

ALTER TABLE ONLY public.consent
    ADD CONSTRAINT consent_phone_id_customer_id_purpose_evidence_hash_key UNIQUE (phone_id, customer_id, purpose, evidence_hash);

ALTER TABLE ONLY public.consent
    ADD CONSTRAINT consent_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.contact
    ADD CONSTRAINT contact_base_id_row_number_key UNIQUE (base_id, row_number);

ALTER TABLE ONLY public.contact_phone
    ADD CONSTRAINT contact_phone_once UNIQUE (phone_id, contact_id);

ALTER TABLE ONLY public.contact_phone
    ADD CONSTRAINT contact_phone_pkey PRIMARY KEY (contact_id, place);

ALTER TABLE ONLY public.contact
    ADD CONSTRAINT contact_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.currency
    ADD CONSTRAINT currency_pkey PRIMARY KEY (code);

ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_name_key UNIQUE (name);

ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_webhook_id_event_id_key UNIQUE (webhook_id, event_id);

ALTER TABLE ONLY public.disposition
    ADD CONSTRAINT disposition_key_key UNIQUE (key);

ALTER TABLE ONLY public.disposition_kind
    ADD CONSTRAINT disposition_kind_pkey PRIMARY KEY (campaign_id, code);

ALTER TABLE ONLY public.disposition_kind
    ADD CONSTRAINT disposition_kind_place UNIQUE (campaign_id, place) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.disposition
    ADD CONSTRAINT disposition_pkey PRIMARY KEY (attempt_id);

ALTER TABLE ONLY public.disposition_rest
    ADD CONSTRAINT disposition_rest_pkey PRIMARY KEY (phone_id, customer_id, class);

ALTER TABLE ONLY public.do_not_call_file
    ADD CONSTRAINT do_not_call_file_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.do_not_call
    ADD CONSTRAINT do_not_call_phone_id_scope_customer_id_campaign_id_key UNIQUE NULLS NOT DISTINCT (phone_id, scope, customer_id, campaign_id);

ALTER TABLE ONLY public.do_not_call
    ADD CONSTRAINT do_not_call_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.draft
    ADD CONSTRAINT draft_pkey PRIMARY KEY (attempt_id);

ALTER TABLE ONLY public.engine_lease
    ADD CONSTRAINT engine_lease_pkey PRIMARY KEY (switch);

ALTER TABLE ONLY public.kpi_check
    ADD CONSTRAINT kpi_check_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.kpi_day
    ADD CONSTRAINT kpi_day_pkey PRIMARY KEY (dim, campaign_id, day, key);

ALTER TABLE ONLY public.kpi_hour
    ADD CONSTRAINT kpi_hour_pkey PRIMARY KEY (dim, campaign_id, hour, key);

ALTER TABLE ONLY public.kpi_stale
    ADD CONSTRAINT kpi_stale_pkey PRIMARY KEY (campaign_id);

ALTER TABLE ONLY public.lane
    ADD CONSTRAINT lane_once UNIQUE (base_id, zones, priority, countries);

ALTER TABLE ONLY public.lane
    ADD CONSTRAINT lane_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.lane
    ADD CONSTRAINT lane_place UNIQUE (id, base_id, campaign_id);

ALTER TABLE ONLY public.lead
    ADD CONSTRAINT lead_attempt_id_key UNIQUE (attempt_id);

ALTER TABLE ONLY public.lead_change
    ADD CONSTRAINT lead_change_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.lead
    ADD CONSTRAINT lead_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.lead
    ADD CONSTRAINT lead_replaces_key UNIQUE (replaces);

ALTER TABLE ONLY public.lead_rule
    ADD CONSTRAINT lead_rule_pkey PRIMARY KEY (campaign_id);

ALTER TABLE ONLY public.letter
    ADD CONSTRAINT letter_attempt_id_key UNIQUE (attempt_id);

ALTER TABLE ONLY public.letter_list
    ADD CONSTRAINT letter_list_campaign_id_cut_at_key UNIQUE (campaign_id, cut_at);

ALTER TABLE ONLY public.letter_list
    ADD CONSTRAINT letter_list_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.letter
    ADD CONSTRAINT letter_message_id_key UNIQUE (message_id);

ALTER TABLE ONLY public.letter
    ADD CONSTRAINT letter_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.letter_rule
    ADD CONSTRAINT letter_rule_pkey PRIMARY KEY (campaign_id);

ALTER TABLE ONLY public.letter_sender
    ADD CONSTRAINT letter_sender_pkey PRIMARY KEY (customer_id);

ALTER TABLE ONLY public.letter_stop
    ADD CONSTRAINT letter_stop_address_scope_customer_id_campaign_id_key UNIQUE NULLS NOT DISTINCT (address, scope, customer_id, campaign_id);

ALTER TABLE ONLY public.letter_stop
    ADD CONSTRAINT letter_stop_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.letter_template
    ADD CONSTRAINT letter_template_pkey PRIMARY KEY (campaign_id, word, language, version);

ALTER TABLE ONLY public.listening
    ADD CONSTRAINT listening_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.loosening
    ADD CONSTRAINT loosening_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.money_day
    ADD CONSTRAINT money_day_campaign_id_until_revision_key UNIQUE (campaign_id, until, revision);

ALTER TABLE ONLY public.money_day
    ADD CONSTRAINT money_day_pkey PRIMARY KEY (campaign_id, day, revision);

ALTER TABLE ONLY public.money
    ADD CONSTRAINT money_pkey PRIMARY KEY (campaign_id, dim, hour, key, price_id, revision);

ALTER TABLE ONLY public.national_list
    ADD CONSTRAINT national_list_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.national_number
    ADD CONSTRAINT national_number_pkey PRIMARY KEY (e164, list);

ALTER TABLE ONLY public.offer
    ADD CONSTRAINT offer_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.offer
    ADD CONSTRAINT offer_word_key UNIQUE (word);

ALTER TABLE ONLY public.operator_interval
    ADD CONSTRAINT operator_interval_pkey PRIMARY KEY (started_at, operator_id);

ALTER TABLE ONLY public.operator_interval_other
    ADD CONSTRAINT operator_interval_other_pkey PRIMARY KEY (started_at, operator_id);

ALTER TABLE ONLY public.operator_live
    ADD CONSTRAINT operator_live_pkey PRIMARY KEY (operator_id);

ALTER TABLE ONLY public.operator_live
    ADD CONSTRAINT operator_live_seat_key UNIQUE (seat);

ALTER TABLE ONLY public.operator_live
    ADD CONSTRAINT operator_live_session_id_key UNIQUE (session_id);

ALTER TABLE ONLY public.operator_message
    ADD CONSTRAINT operator_message_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.pacing_learned
    ADD CONSTRAINT pacing_learned_pkey PRIMARY KEY (of_kind, of_id);

ALTER TABLE ONLY public.pacing_minute
    ADD CONSTRAINT pacing_minute_pkey PRIMARY KEY (campaign_id, minute);

ALTER TABLE ONLY public.pause_kind
    ADD CONSTRAINT pause_kind_pkey PRIMARY KEY (code);

ALTER TABLE ONLY public.pause_kind
    ADD CONSTRAINT pause_kind_place_key UNIQUE (place);

ALTER TABLE ONLY public.phone
    ADD CONSTRAINT phone_e164_key UNIQUE (e164);

ALTER TABLE ONLY public.phone
    ADD CONSTRAINT phone_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.preview
    ADD CONSTRAINT preview_contact_id_key UNIQUE (contact_id);

ALTER TABLE ONLY public.preview_end
    ADD CONSTRAINT preview_end_pkey PRIMARY KEY (preview_id);

ALTER TABLE ONLY public.preview
    ADD CONSTRAINT preview_operator_id_key UNIQUE (operator_id);

ALTER TABLE ONLY public.preview
    ADD CONSTRAINT preview_pkey PRIMARY KEY (phone_id);

ALTER TABLE ONLY public.preview
    ADD CONSTRAINT preview_preview_id_key UNIQUE (preview_id);

ALTER TABLE ONLY public.price
    ADD CONSTRAINT price_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.recording_pause
    ADD CONSTRAINT recording_pause_pkey PRIMARY KEY (attempt_id, paused_at);

ALTER TABLE ONLY public.recording
    ADD CONSTRAINT recording_pkey PRIMARY KEY (attempt_id);

ALTER TABLE ONLY public.recovery_code
    ADD CONSTRAINT recovery_code_pkey PRIMARY KEY (code_hash);

ALTER TABLE ONLY public.report_file
    ADD CONSTRAINT report_file_pkey PRIMARY KEY (run_id, place);

ALTER TABLE ONLY public.report_letter
    ADD CONSTRAINT report_letter_message_id_key UNIQUE (message_id);

ALTER TABLE ONLY public.report_letter
    ADD CONSTRAINT report_letter_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.report_run
    ADD CONSTRAINT report_run_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.report_run
    ADD CONSTRAINT report_run_subscription_id_day_key UNIQUE (subscription_id, day);

ALTER TABLE ONLY public.return_call
    ADD CONSTRAINT return_call_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.script_version
    ADD CONSTRAINT script_version_pkey PRIMARY KEY (campaign_id, version);

ALTER TABLE ONLY public.seat
    ADD CONSTRAINT seat_pkey PRIMARY KEY (switch, name);

ALTER TABLE ONLY public.seat
    ADD CONSTRAINT seat_user_id_key UNIQUE (user_id);

ALTER TABLE ONLY public.second_factor
    ADD CONSTRAINT second_factor_pkey PRIMARY KEY (user_id);

ALTER TABLE ONLY public.subscriber
    ADD CONSTRAINT subscriber_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.subscription
    ADD CONSTRAINT subscription_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.suppression
    ADD CONSTRAINT suppression_pkey PRIMARY KEY (hash);

ALTER TABLE ONLY public.team
    ADD CONSTRAINT team_name_key UNIQUE (name);

ALTER TABLE ONLY public.team
    ADD CONSTRAINT team_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.trunk
    ADD CONSTRAINT trunk_name_key UNIQUE (name);

ALTER TABLE ONLY public.trunk
    ADD CONSTRAINT trunk_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.web_session
    ADD CONSTRAINT web_session_id_key UNIQUE (id);

ALTER TABLE ONLY public.web_session
    ADD CONSTRAINT web_session_pkey PRIMARY KEY (token_hash);

ALTER TABLE ONLY public.webhook
    ADD CONSTRAINT webhook_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.wrap_up_extension
    ADD CONSTRAINT wrap_up_extension_pkey PRIMARY KEY (operator_id, at);

CREATE INDEX api_token_of_user ON public.api_token USING btree (user_id);

CREATE INDEX attempt_by_id ON ONLY public.attempt USING btree (attempt_id);

CREATE INDEX attempt_live_campaign ON public.attempt_live USING btree (campaign_id);

CREATE INDEX attempt_of_campaign ON ONLY public.attempt USING btree (campaign_id, sent_at);

CREATE INDEX attempt_of_contact ON ONLY public.attempt USING btree (contact_id, sent_at);

CREATE INDEX attempt_of_operator ON ONLY public.attempt USING btree (operator_id, sent_at) WHERE (operator_id IS NOT NULL);

CREATE INDEX attempt_of_phone ON ONLY public.attempt USING btree (phone_id, sent_at);

CREATE INDEX attempt_other_attempt_id_idx ON public.attempt_other USING btree (attempt_id);

CREATE INDEX attempt_other_campaign_id_sent_at_idx ON public.attempt_other USING btree (campaign_id, sent_at);

CREATE INDEX attempt_other_contact_id_sent_at_idx ON public.attempt_other USING btree (contact_id, sent_at);

CREATE INDEX attempt_other_operator_id_sent_at_idx ON public.attempt_other USING btree (operator_id, sent_at) WHERE (operator_id IS NOT NULL);

CREATE INDEX attempt_other_phone_id_sent_at_idx ON public.attempt_other USING btree (phone_id, sent_at);

CREATE INDEX audit_of_action ON public.audit USING btree (action, id);

CREATE INDEX audit_of_object ON public.audit USING btree (object, at);

CREATE INDEX audit_of_user ON public.audit USING btree (user_id, id);

CREATE UNIQUE INDEX base_by_hand ON public.base USING btree (campaign_id) WHERE by_hand;

CREATE INDEX base_change_of_contact ON public.base_change USING btree (contact_id);

CREATE UNIQUE INDEX base_of_file ON public.base USING btree (campaign_id, file_hash, copy) WHERE (undone_at IS NULL);

CREATE INDEX base_of_time ON public.base USING btree (campaign_id, loaded_at);

CREATE INDEX callback_by_due ON public.callback USING btree (due_at, id);

CREATE INDEX callback_by_promise ON public.callback USING btree (promised_at);

CREATE INDEX callback_change_of_callback ON public.callback_change USING btree (callback_id, id);

CREATE INDEX callback_due ON public.callback USING btree (campaign_id, next_at) WHERE (state = 'pending'::text);

CREATE INDEX callback_not_late ON public.callback USING btree (due_at) WHERE ((state = 'pending'::text) AND (late_at IS NULL));

CREATE INDEX callback_of_contact ON public.callback USING btree (contact_id);

CREATE INDEX callback_of_operator ON public.callback USING btree (operator_id, due_at) WHERE (operator_id IS NOT NULL);

CREATE INDEX callback_pending ON public.callback USING btree (due_at, id) WHERE (state = 'pending'::text);

CREATE INDEX callback_urgent ON public.callback USING btree (campaign_id) WHERE (urgent AND (state = 'pending'::text));

CREATE INDEX closing_of_campaign ON public.closing USING btree (campaign_id, closed_at);

CREATE INDEX consent_of_base ON public.consent USING btree (base_id) WHERE (base_id IS NOT NULL);

CREATE INDEX contact_closed ON public.contact USING btree (campaign_id, closed_at) WHERE (state = 'closed'::text);

CREATE INDEX contact_due ON public.contact USING btree (lane_id, next_at, id) WHERE ((state = 'open'::text) AND (NOT promised));

CREATE INDEX contact_of_campaign ON public.contact USING btree (campaign_id);

CREATE INDEX contact_of_phone ON public.contact USING btree (phone_id);

CREATE INDEX delivery_closed ON public.delivery USING btree (closed_at) WHERE (state <> 'pending'::text);

CREATE INDEX delivery_of_webhook ON public.delivery USING btree (webhook_id, id);

CREATE INDEX delivery_pending ON public.delivery USING btree (webhook_id, next_at, id) WHERE (state = 'pending'::text);

CREATE INDEX disposition_by_time ON public.disposition USING btree (saved_at, attempt_id);

CREATE UNIQUE INDEX disposition_kind_key ON public.disposition_kind USING btree (campaign_id, key) WHERE (archived_at IS NULL);

CREATE INDEX disposition_of_campaign ON public.disposition USING btree (campaign_id, saved_at);

CREATE INDEX disposition_of_contact ON public.disposition USING btree (contact_id);

CREATE UNIQUE INDEX do_not_call_file_once ON public.do_not_call_file USING btree (file_hash, scope, customer_id, campaign_id) NULLS NOT DISTINCT WHERE (undone_at IS NULL);

CREATE INDEX do_not_call_of_file ON public.do_not_call USING btree (file_id) WHERE (file_id IS NOT NULL);

CREATE INDEX kpi_day_by_date ON public.kpi_day USING btree (day);

CREATE INDEX kpi_hour_by_time ON public.kpi_hour USING btree (hour);

CREATE INDEX lane_of_campaign ON public.lane USING btree (campaign_id);

CREATE INDEX lead_by_client ON public.lead USING btree (client_at) WHERE (client_at IS NOT NULL);

CREATE INDEX lead_by_decision ON public.lead USING btree (decided_at) WHERE (decided_at IS NOT NULL);

CREATE INDEX lead_by_made ON public.lead USING btree (made_at);

CREATE INDEX lead_change_of_lead ON public.lead_change USING btree (lead_id, id);

CREATE INDEX lead_of_basket ON public.lead USING btree (campaign_id, basket, id);

CREATE INDEX lead_of_campaign ON public.lead USING btree (campaign_id, id);

CREATE INDEX lead_of_company ON public.lead USING btree (customer_id, company_key, id) WHERE (company_key IS NOT NULL);

CREATE INDEX lead_of_contact ON public.lead USING btree (contact_id);

CREATE INDEX lead_of_customer ON public.lead USING btree (customer_id, id);

CREATE INDEX lead_of_state ON public.lead USING btree (state, id);

CREATE INDEX lead_rejected ON public.lead USING btree (campaign_id, decided_at, id) WHERE (state = 'rejected'::text);

CREATE INDEX lead_waiting ON public.lead USING btree (due_at) WHERE (state = 'new'::text);

CREATE INDEX letter_of_address ON public.letter USING btree (lower(address), customer_id);

CREATE INDEX letter_of_campaign ON public.letter USING btree (campaign_id, id);

CREATE INDEX letter_of_contact ON public.letter USING btree (contact_id, id);

CREATE INDEX letter_of_list ON public.letter USING btree (list_id, id) WHERE (list_id IS NOT NULL);

CREATE INDEX letter_of_state ON public.letter USING btree (state, id);

CREATE INDEX letter_sent ON public.letter USING btree (campaign_id, sent_at) WHERE (sent_at IS NOT NULL);

CREATE INDEX letter_tried ON public.letter USING btree (campaign_id, tried_at) WHERE (tried_at IS NOT NULL);

CREATE INDEX letter_waiting ON public.letter USING btree (campaign_id, next_at, id) WHERE (state = 'waiting'::text);

CREATE INDEX listening_of_attempt ON public.listening USING btree (attempt_id);

CREATE INDEX listening_open ON public.listening USING btree (switch) WHERE (ended_at IS NULL);

CREATE INDEX login_try_recent ON public.login_try USING btree (at);

CREATE UNIQUE INDEX one_callee_per_operator ON public.attempt_live USING btree (operator_id) WHERE ((state = ANY (ARRAY['bridging'::text, 'connected'::text])) AND (ended_by IS DISTINCT FROM 'phone_lost'::text));

CREATE UNIQUE INDEX one_pause_at_a_time ON public.recording_pause USING btree (attempt_id) WHERE (resumed_at IS NULL);

CREATE UNIQUE INDEX one_pending_callback ON public.callback USING btree (contact_id) WHERE (state = 'pending'::text);

CREATE INDEX operator_interval_by_time ON ONLY public.operator_interval USING btree (started_at);

CREATE INDEX operator_interval_long ON ONLY public.operator_interval USING btree (started_at) WHERE ((ended_at - started_at) > '1 day'::interval);

CREATE INDEX operator_interval_of_campaign ON ONLY public.operator_interval USING btree (campaign_id, started_at);

CREATE INDEX operator_interval_of_operator ON ONLY public.operator_interval USING btree (operator_id, started_at);

CREATE INDEX operator_interval_other_campaign_id_started_at_idx ON public.operator_interval_other USING btree (campaign_id, started_at);

CREATE INDEX operator_interval_other_operator_id_started_at_idx ON public.operator_interval_other USING btree (operator_id, started_at);

CREATE INDEX operator_interval_other_started_at_idx ON public.operator_interval_other USING btree (started_at);

CREATE INDEX operator_interval_other_started_at_idx1 ON public.operator_interval_other USING btree (started_at) WHERE ((ended_at - started_at) > '1 day'::interval);

CREATE INDEX operator_message_of_operator ON public.operator_message USING btree (operator_id, said_at);

CREATE INDEX preview_end_by_time ON public.preview_end USING btree (ended_at, preview_id);

CREATE INDEX preview_end_of_campaign ON public.preview_end USING btree (campaign_id, ended_at, preview_id);

CREATE INDEX preview_end_of_operator ON public.preview_end USING btree (operator_id, ended_at);

CREATE UNIQUE INDEX price_in_force ON public.price USING btree (campaign_id, kind, since) WHERE ((withdrawn_at IS NULL) AND (base_id IS NULL));

CREATE UNIQUE INDEX price_of_base ON public.price USING btree (base_id) WHERE ((withdrawn_at IS NULL) AND (base_id IS NOT NULL));

CREATE INDEX price_of_campaign ON public.price USING btree (campaign_id, id);

CREATE INDEX recording_by_age ON public.recording USING btree (campaign_id, began_at) WHERE ((state = 'stored'::text) AND (hold IS NULL));

CREATE INDEX recording_of_phone ON public.recording USING btree (phone_id);

CREATE INDEX recording_open ON public.recording USING btree (switch, began_at) WHERE (state = 'recording'::text);

CREATE INDEX recording_to_remove ON public.recording USING btree (deleted_at) WHERE ((state = 'deleted'::text) AND (removed_at IS NULL));

CREATE INDEX recovery_code_of_user ON public.recovery_code USING btree (user_id);

CREATE INDEX report_letter_of_run ON public.report_letter USING btree (run_id);

CREATE INDEX report_letter_waiting ON public.report_letter USING btree (next_at, id) WHERE (state = 'waiting'::text);

CREATE INDEX report_run_of ON public.report_run USING btree (subscription_id, id);

CREATE INDEX return_call_of_campaign ON public.return_call USING btree (campaign_id, came_at);

CREATE INDEX return_call_of_contact ON public.return_call USING btree (contact_id, came_at) WHERE (contact_id IS NOT NULL);

CREATE INDEX return_call_of_phone ON public.return_call USING btree (phone_id, came_at) WHERE (phone_id IS NOT NULL);

CREATE UNIQUE INDEX subscriber_once ON public.subscriber USING btree (subscription_id, lower(address)) WHERE (removed_at IS NULL);

CREATE INDEX subscription_due ON public.subscription USING btree (next_at) WHERE ((stopped_at IS NULL) AND (removed_at IS NULL));

CREATE INDEX subscription_of_user ON public.subscription USING btree (user_id, id);

CREATE INDEX web_session_of_user ON public.web_session USING btree (user_id);

ALTER INDEX public.attempt_by_id ATTACH PARTITION public.attempt_other_attempt_id_idx;

ALTER INDEX public.attempt_of_campaign ATTACH PARTITION public.attempt_other_campaign_id_sent_at_idx;

ALTER INDEX public.attempt_of_contact ATTACH PARTITION public.attempt_other_contact_id_sent_at_idx;

ALTER INDEX public.attempt_of_operator ATTACH PARTITION public.attempt_other_operator_id_sent_at_idx;

ALTER INDEX public.attempt_of_phone ATTACH PARTITION public.attempt_other_phone_id_sent_at_idx;

ALTER INDEX public.attempt_pkey ATTACH PARTITION public.attempt_other_pkey;

ALTER INDEX public.operator_interval_of_campaign ATTACH PARTITION public.operator_interval_other_campaign_id_started_at_idx;

ALTER INDEX public.operator_interval_of_operator ATTACH PARTITION public.operator_interval_other_operator_id_started_at_idx;

ALTER INDEX public.operator_interval_pkey ATTACH PARTITION public.operator_interval_other_pkey;

ALTER INDEX public.operator_interval_by_time ATTACH PARTITION public.operator_interval_other_started_at_idx;

ALTER INDEX public.operator_interval_long ATTACH PARTITION public.operator_interval_other_started_at_idx1;

CREATE TRIGGER attempt_end_is_a_fact BEFORE DELETE OR UPDATE ON public.attempt_end FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER attempt_is_a_fact BEFORE DELETE OR UPDATE ON public.attempt FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER audit_is_a_fact BEFORE DELETE OR UPDATE ON public.audit FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER basket_common AFTER INSERT ON public.campaign FOR EACH ROW EXECUTE FUNCTION public.basket_common();

CREATE TRIGGER change_is_a_fact BEFORE UPDATE ON public.lead_change FOR EACH ROW WHEN (((new.reason <> ''::text) OR ((to_jsonb(new.*) - 'reason'::text) IS DISTINCT FROM (to_jsonb(old.*) - 'reason'::text)))) EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER closing_is_a_fact BEFORE DELETE OR UPDATE ON public.money_day FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER contact_gone AFTER DELETE ON public.contact REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.contact_gone();

CREATE TRIGGER contact_keys AFTER INSERT ON public.contact REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION public.contact_keys();

CREATE TRIGGER contact_moved AFTER UPDATE OF phone_id, lane_id, base_id, campaign_id ON public.contact FOR EACH ROW WHEN (((old.phone_id <> new.phone_id) OR (old.lane_id <> new.lane_id) OR (old.base_id <> new.base_id) OR (old.campaign_id <> new.campaign_id))) EXECUTE FUNCTION public.contact_moved();

CREATE TRIGGER contact_phone_keys AFTER INSERT ON public.contact_phone REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION public.contact_phone_keys();

CREATE TRIGGER currency_stays BEFORE INSERT OR UPDATE OF currency ON public.lead_rule FOR EACH ROW EXECUTE FUNCTION public.currency_stays();

CREATE TRIGGER interval_is_a_fact BEFORE DELETE OR UPDATE ON public.operator_interval FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER kpi_attempt AFTER INSERT ON public.attempt REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION public.kpi_attempt_told();

CREATE TRIGGER kpi_campaign AFTER UPDATE OF zone ON public.campaign FOR EACH ROW WHEN ((old.zone <> new.zone)) EXECUTE FUNCTION public.kpi_zone_changed();

CREATE TRIGGER kpi_closing_after AFTER INSERT OR UPDATE ON public.closing FOR EACH ROW EXECUTE FUNCTION public.kpi_closing_told();

CREATE TRIGGER kpi_closing_before BEFORE DELETE OR UPDATE ON public.closing FOR EACH ROW EXECUTE FUNCTION public.kpi_closing_told();

CREATE TRIGGER kpi_contact AFTER UPDATE OF state, closed_at, closed_by ON public.contact FOR EACH ROW WHEN (((old.closed_at IS DISTINCT FROM new.closed_at) OR (old.closed_by IS DISTINCT FROM new.closed_by))) EXECUTE FUNCTION public.kpi_contact_closed();

CREATE TRIGGER kpi_contact_gone AFTER DELETE ON public.contact REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.kpi_contact_gone();

CREATE TRIGGER kpi_disposition AFTER INSERT ON public.disposition REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION public.kpi_disposition_told();

CREATE TRIGGER kpi_interval AFTER INSERT ON public.operator_interval REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION public.kpi_interval_told();

CREATE TRIGGER kpi_lead_after AFTER INSERT OR UPDATE OF state, decided_at, client_at ON public.lead FOR EACH ROW EXECUTE FUNCTION public.kpi_lead_told();

CREATE TRIGGER kpi_lead_before BEFORE UPDATE OF state, decided_at, client_at ON public.lead FOR EACH ROW EXECUTE FUNCTION public.kpi_lead_told();

CREATE TRIGGER kpi_promise_after AFTER UPDATE OF state, due_at, operator_id, moves, kept_by_attempt ON public.callback FOR EACH ROW EXECUTE FUNCTION public.kpi_promise_told();

CREATE TRIGGER kpi_promise_before BEFORE UPDATE OF state, due_at, operator_id, moves, kept_by_attempt ON public.callback FOR EACH ROW EXECUTE FUNCTION public.kpi_promise_told();

CREATE TRIGGER kpi_promise_made AFTER INSERT ON public.callback FOR EACH ROW EXECUTE FUNCTION public.kpi_promise_told();

CREATE TRIGGER kpi_return AFTER INSERT ON public.return_call FOR EACH ROW EXECUTE FUNCTION public.kpi_return_told();

CREATE TRIGGER lead_moves BEFORE UPDATE ON public.lead FOR EACH ROW EXECUTE FUNCTION public.lead_moves();

CREATE TRIGGER money_day_follows BEFORE INSERT ON public.money_day FOR EACH ROW EXECUTE FUNCTION public.money_day_follows();

CREATE TRIGGER money_is_a_fact BEFORE DELETE OR UPDATE ON public.money FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER never_deleted BEFORE DELETE ON public.lane FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_delete();

CREATE TRIGGER never_deleted BEFORE DELETE ON public.lead FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_delete();

CREATE TRIGGER never_deleted BEFORE DELETE ON public.lead_change FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER never_deleted BEFORE DELETE ON public.letter FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_delete();

CREATE TRIGGER never_deleted BEFORE DELETE ON public.phone FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_delete();

CREATE TRIGGER never_deleted BEFORE DELETE ON public.price FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_delete();

CREATE TRIGGER never_deleted BEFORE DELETE ON public.report_letter FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_delete();

CREATE TRIGGER never_moved AFTER UPDATE OF contact_id, phone_id ON public.contact_phone FOR EACH ROW EXECUTE FUNCTION public.refuse_move();

CREATE TRIGGER preview_end_is_a_fact BEFORE DELETE OR UPDATE ON public.preview_end FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER price_is_said BEFORE INSERT OR UPDATE ON public.price FOR EACH ROW EXECUTE FUNCTION public.price_is_said();

CREATE TRIGGER recording_moves BEFORE UPDATE ON public.recording FOR EACH ROW EXECUTE FUNCTION public.recording_moves();

CREATE TRIGGER return_call_is_a_fact BEFORE DELETE OR UPDATE ON public.return_call FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER revenue_told BEFORE UPDATE OF revenue ON public.lead FOR EACH ROW WHEN (((old.revenue IS NULL) AND (new.revenue IS NOT NULL))) EXECUTE FUNCTION public.revenue_told();

CREATE TRIGGER suppress_erased AFTER INSERT ON public.phone REFERENCING NEW TABLE AS new_phones FOR EACH STATEMENT EXECUTE FUNCTION public.suppress_erased();

CREATE TRIGGER tell AFTER INSERT OR UPDATE OF state, due_at, operator_id, reminded_at, late_at ON public.callback FOR EACH ROW EXECUTE FUNCTION public.tell_callback();

CREATE TRIGGER tell AFTER UPDATE OF state ON public.campaign FOR EACH ROW WHEN ((old.state <> new.state)) EXECUTE FUNCTION public.tell_campaign();

CREATE TRIGGER tell AFTER INSERT ON public.disposition FOR EACH ROW EXECUTE FUNCTION public.tell_disposition();

CREATE TRIGGER tell AFTER INSERT OR UPDATE OF state, late_at ON public.lead FOR EACH ROW EXECUTE FUNCTION public.tell_lead();

CREATE TRIGGER template_is_kept BEFORE UPDATE ON public.letter_template FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER version_is_a_fact BEFORE UPDATE ON public.script_version FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

ALTER TABLE ONLY public.abandon_budget
    ADD CONSTRAINT abandon_budget_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaign(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.api_token
    ADD CONSTRAINT api_token_made_by_fkey FOREIGN KEY (made_by) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.api_token
    ADD CONSTRAINT api_token_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.app_user(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.app_user
    ADD CONSTRAINT app_user_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id);

ALTER TABLE ONLY public.app_user
    ADD CONSTRAINT app_user_team_id_fkey FOREIGN KEY (team_id) REFERENCES public.team(id);

ALTER TABLE ONLY public.attempt_live
    ADD CONSTRAINT attempt_live_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaign(id);

ALTER TABLE ONLY public.attempt_live
    ADD CONSTRAINT attempt_live_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES public.contact(id);

ALTER TABLE ONLY public.attempt_live
    ADD CONSTRAINT attempt_live_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.attempt_live
    ADD CONSTRAINT attempt_live_phone_id_fkey FOREIGN KEY (phone_id) REFERENCES public.phone(id);

ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.base
    ADD CONSTRAINT base_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaign(id);

ALTER TABLE ONLY public.base_change
    ADD CONSTRAINT base_change_base_id_fkey FOREIGN KEY (base_id) REFERENCES public.base(id);

ALTER TABLE ONLY public.base_change
    ADD CONSTRAINT base_change_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES public.contact(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.base_file
    ADD CONSTRAINT base_file_base_id_fkey FOREIGN KEY (base_id) REFERENCES public.base(id);

ALTER TABLE ONLY public.base_file
    ADD CONSTRAINT base_file_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaign(id);

ALTER TABLE ONLY public.base_file
    ADD CONSTRAINT base_file_created_by_fkey FOREIGN KEY (created_by) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.base
    ADD CONSTRAINT base_loaded_by_fkey FOREIGN KEY (loaded_by) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.base_pass
    ADD CONSTRAINT base_pass_base_id_fkey FOREIGN KEY (base_id) REFERENCES public.base(id);

ALTER TABLE ONLY public.base_pass
    ADD CONSTRAINT base_pass_started_by_fkey FOREIGN KEY (started_by) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.base_template
    ADD CONSTRAINT base_template_saved_by_fkey FOREIGN KEY (saved_by) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.basket
    ADD CONSTRAINT basket_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaign(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.basket
    ADD CONSTRAINT basket_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.callback
    ADD CONSTRAINT callback_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaign(id);

ALTER TABLE ONLY public.callback_change
    ADD CONSTRAINT callback_change_by_user_fkey FOREIGN KEY (by_user) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.callback_change
    ADD CONSTRAINT callback_change_callback_id_fkey FOREIGN KEY (callback_id) REFERENCES public.callback(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.callback_change
    ADD CONSTRAINT callback_change_operator_before_fkey FOREIGN KEY (operator_before) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.callback
    ADD CONSTRAINT callback_closed_by_fkey FOREIGN KEY (closed_by) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.callback
    ADD CONSTRAINT callback_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES public.contact(id);

ALTER TABLE ONLY public.callback
    ADD CONSTRAINT callback_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.callback
    ADD CONSTRAINT callback_phone_id_fkey FOREIGN KEY (phone_id) REFERENCES public.phone(id);

ALTER TABLE ONLY public.campaign
    ADD CONSTRAINT campaign_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id);

ALTER TABLE ONLY public.campaign
    ADD CONSTRAINT campaign_team_id_fkey FOREIGN KEY (team_id) REFERENCES public.team(id);

ALTER TABLE ONLY public.campaign
    ADD CONSTRAINT campaign_trunk_id_fkey FOREIGN KEY (trunk_id) REFERENCES public.trunk(id);

ALTER TABLE ONLY public.consent
    ADD CONSTRAINT consent_added_by_fkey FOREIGN KEY (added_by) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.consent
    ADD CONSTRAINT consent_base_id_fkey FOREIGN KEY (base_id) REFERENCES public.base(id);

ALTER TABLE ONLY public.consent
    ADD CONSTRAINT consent_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id);

ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_webhook_id_fkey FOREIGN KEY (webhook_id) REFERENCES public.webhook(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.disposition
    ADD CONSTRAINT disposition_campaign_id_code_fkey FOREIGN KEY (campaign_id, code) REFERENCES public.disposition_kind(campaign_id, code);

ALTER TABLE ONLY public.disposition_kind
    ADD CONSTRAINT disposition_kind_campaign_id_basket_fkey FOREIGN KEY (campaign_id, basket) REFERENCES public.basket(campaign_id, code);

ALTER TABLE ONLY public.disposition_kind
    ADD CONSTRAINT disposition_kind_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaign(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.disposition_rest
    ADD CONSTRAINT disposition_rest_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id);

ALTER TABLE ONLY public.disposition_rest
    ADD CONSTRAINT disposition_rest_phone_id_fkey FOREIGN KEY (phone_id) REFERENCES public.phone(id);

ALTER TABLE ONLY public.do_not_call
    ADD CONSTRAINT do_not_call_added_by_fkey FOREIGN KEY (added_by) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.do_not_call
    ADD CONSTRAINT do_not_call_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaign(id);

ALTER TABLE ONLY public.do_not_call
    ADD CONSTRAINT do_not_call_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id);

ALTER TABLE ONLY public.do_not_call_file
    ADD CONSTRAINT do_not_call_file_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaign(id);

ALTER TABLE ONLY public.do_not_call_file
    ADD CONSTRAINT do_not_call_file_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id);

ALTER TABLE ONLY public.do_not_call
    ADD CONSTRAINT do_not_call_file_id_fkey FOREIGN KEY (file_id) REFERENCES public.do_not_call_file(id);

ALTER TABLE ONLY public.do_not_call_file
    ADD CONSTRAINT do_not_call_file_taken_by_fkey FOREIGN KEY (taken_by) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.do_not_call_file
    ADD CONSTRAINT do_not_call_file_undone_by_fkey FOREIGN KEY (undone_by) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.do_not_call
    ADD CONSTRAINT do_not_call_phone_id_fkey FOREIGN KEY (phone_id) REFERENCES public.phone(id);

ALTER TABLE ONLY public.draft
    ADD CONSTRAINT draft_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.lane
    ADD CONSTRAINT lane_base_id_fkey FOREIGN KEY (base_id) REFERENCES public.base(id);

ALTER TABLE ONLY public.lane
    ADD CONSTRAINT lane_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaign(id);

ALTER TABLE ONLY public.lead
    ADD CONSTRAINT lead_attempt_id_fkey FOREIGN KEY (attempt_id) REFERENCES public.disposition(attempt_id);

ALTER TABLE ONLY public.lead
    ADD CONSTRAINT lead_campaign_id_basket_fkey FOREIGN KEY (campaign_id, basket) REFERENCES public.basket(campaign_id, code);

ALTER TABLE ONLY public.lead
    ADD CONSTRAINT lead_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaign(id);

ALTER TABLE ONLY public.lead_change
    ADD CONSTRAINT lead_change_by_user_fkey FOREIGN KEY (by_user) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.lead_change
    ADD CONSTRAINT lead_change_lead_id_fkey FOREIGN KEY (lead_id) REFERENCES public.lead(id);

ALTER TABLE ONLY public.lead
    ADD CONSTRAINT lead_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id);

ALTER TABLE ONLY public.lead
    ADD CONSTRAINT lead_duplicate_of_fkey FOREIGN KEY (duplicate_of) REFERENCES public.lead(id);

ALTER TABLE ONLY public.lead
    ADD CONSTRAINT lead_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.lead
    ADD CONSTRAINT lead_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.lead
    ADD CONSTRAINT lead_replaces_fkey FOREIGN KEY (replaces) REFERENCES public.lead(id);

ALTER TABLE ONLY public.lead_rule
    ADD CONSTRAINT lead_rule_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaign(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.letter
    ADD CONSTRAINT letter_attempt_id_fkey FOREIGN KEY (attempt_id) REFERENCES public.disposition(attempt_id);

ALTER TABLE ONLY public.letter
    ADD CONSTRAINT letter_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaign(id);

ALTER TABLE ONLY public.letter
    ADD CONSTRAINT letter_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id);

ALTER TABLE ONLY public.letter_list
    ADD CONSTRAINT letter_list_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaign(id);

ALTER TABLE ONLY public.letter
    ADD CONSTRAINT letter_list_id_fkey FOREIGN KEY (list_id) REFERENCES public.letter_list(id);

ALTER TABLE ONLY public.letter_rule
    ADD CONSTRAINT letter_rule_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaign(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.letter_sender
    ADD CONSTRAINT letter_sender_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id);

ALTER TABLE ONLY public.letter_stop
    ADD CONSTRAINT letter_stop_added_by_fkey FOREIGN KEY (added_by) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.letter_stop
    ADD CONSTRAINT letter_stop_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaign(id);

ALTER TABLE ONLY public.letter_stop
    ADD CONSTRAINT letter_stop_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id);

ALTER TABLE ONLY public.letter_stop
    ADD CONSTRAINT letter_stop_letter_id_fkey FOREIGN KEY (letter_id) REFERENCES public.letter(id);

ALTER TABLE ONLY public.letter_template
    ADD CONSTRAINT letter_template_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaign(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.letter_template
    ADD CONSTRAINT letter_template_saved_by_fkey FOREIGN KEY (saved_by) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.listening
    ADD CONSTRAINT listening_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.listening
    ADD CONSTRAINT listening_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.loosening
    ADD CONSTRAINT loosening_approved_by_fkey FOREIGN KEY (approved_by) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.loosening
    ADD CONSTRAINT loosening_asked_by_fkey FOREIGN KEY (asked_by) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.loosening
    ADD CONSTRAINT loosening_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaign(id);

ALTER TABLE ONLY public.money_day
    ADD CONSTRAINT money_day_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaign(id);

ALTER TABLE ONLY public.money_day
    ADD CONSTRAINT money_day_closed_by_fkey FOREIGN KEY (closed_by) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.money_day
    ADD CONSTRAINT money_day_currency_fkey FOREIGN KEY (currency) REFERENCES public.currency(code);

ALTER TABLE ONLY public.money
    ADD CONSTRAINT money_price_id_fkey FOREIGN KEY (price_id) REFERENCES public.price(id);

ALTER TABLE ONLY public.national_list
    ADD CONSTRAINT national_list_imported_by_fkey FOREIGN KEY (imported_by) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.national_number
    ADD CONSTRAINT national_number_list_fkey FOREIGN KEY (list) REFERENCES public.national_list(name);

ALTER TABLE ONLY public.offer
    ADD CONSTRAINT offer_made_by_fkey FOREIGN KEY (made_by) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.operator_live
    ADD CONSTRAINT operator_live_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.operator_live
    ADD CONSTRAINT operator_live_team_id_fkey FOREIGN KEY (team_id) REFERENCES public.team(id);

ALTER TABLE ONLY public.operator_message
    ADD CONSTRAINT operator_message_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.operator_message
    ADD CONSTRAINT operator_message_said_by_fkey FOREIGN KEY (said_by) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.pacing_minute
    ADD CONSTRAINT pacing_minute_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaign(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.preview
    ADD CONSTRAINT preview_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaign(id);

ALTER TABLE ONLY public.preview
    ADD CONSTRAINT preview_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES public.contact(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.preview
    ADD CONSTRAINT preview_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.preview
    ADD CONSTRAINT preview_phone_id_fkey FOREIGN KEY (phone_id) REFERENCES public.phone(id);

ALTER TABLE ONLY public.price
    ADD CONSTRAINT price_base_id_fkey FOREIGN KEY (base_id) REFERENCES public.base(id);

ALTER TABLE ONLY public.price
    ADD CONSTRAINT price_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaign(id);

ALTER TABLE ONLY public.price
    ADD CONSTRAINT price_currency_fkey FOREIGN KEY (currency) REFERENCES public.currency(code);

ALTER TABLE ONLY public.price
    ADD CONSTRAINT price_made_by_fkey FOREIGN KEY (made_by) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.price
    ADD CONSTRAINT price_withdrawn_by_fkey FOREIGN KEY (withdrawn_by) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.recording
    ADD CONSTRAINT recording_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaign(id);

ALTER TABLE ONLY public.recording
    ADD CONSTRAINT recording_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.recording_pause
    ADD CONSTRAINT recording_pause_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.recording
    ADD CONSTRAINT recording_phone_id_fkey FOREIGN KEY (phone_id) REFERENCES public.phone(id);

ALTER TABLE ONLY public.recovery_code
    ADD CONSTRAINT recovery_code_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.second_factor(user_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.report_file
    ADD CONSTRAINT report_file_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.report_run(id);

ALTER TABLE ONLY public.report_letter
    ADD CONSTRAINT report_letter_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.report_run(id);

ALTER TABLE ONLY public.report_letter
    ADD CONSTRAINT report_letter_subscriber_id_fkey FOREIGN KEY (subscriber_id) REFERENCES public.subscriber(id);

ALTER TABLE ONLY public.report_run
    ADD CONSTRAINT report_run_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES public.subscription(id);

ALTER TABLE ONLY public.return_call
    ADD CONSTRAINT return_call_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaign(id);

ALTER TABLE ONLY public.return_call
    ADD CONSTRAINT return_call_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.script_version
    ADD CONSTRAINT script_version_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaign(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.script_version
    ADD CONSTRAINT script_version_saved_by_fkey FOREIGN KEY (saved_by) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.seat
    ADD CONSTRAINT seat_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.app_user(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.second_factor
    ADD CONSTRAINT second_factor_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.app_user(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.subscriber
    ADD CONSTRAINT subscriber_allowed_by_fkey FOREIGN KEY (allowed_by) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.subscriber
    ADD CONSTRAINT subscriber_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES public.subscription(id);

ALTER TABLE ONLY public.subscription
    ADD CONSTRAINT subscription_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaign(id);

ALTER TABLE ONLY public.subscription
    ADD CONSTRAINT subscription_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.web_session
    ADD CONSTRAINT web_session_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.app_user(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.webhook
    ADD CONSTRAINT webhook_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES public.campaign(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.webhook
    ADD CONSTRAINT webhook_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id);

ALTER TABLE ONLY public.webhook
    ADD CONSTRAINT webhook_made_by_fkey FOREIGN KEY (made_by) REFERENCES public.app_user(id);

ALTER TABLE ONLY public.wrap_up_extension
    ADD CONSTRAINT wrap_up_extension_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES public.app_user(id);
