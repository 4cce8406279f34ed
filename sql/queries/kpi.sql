-- The numbers, counted from the facts.

-- name: kpi
-- The base sums of dialer/core/kpi.py for a period, in rows by hour, operator, campaign or in total. A fact belongs to
-- an hour of its campaign's zone: an attempt by when it was sent, operator time cut at the hour, a disposition by when
-- it was saved, a contact by when it was closed. What an operator is doing now counts up to now.
WITH ask AS (
    SELECT :since::timestamptz AS since, :until::timestamptz AS until, :by::text AS by, :zone::text AS zone,
        :campaign_id::bigint AS campaign_id, coalesce(:now::timestamptz, now()) AS now
), shift AS (
    SELECT i.operator_id, i.session_id, i.state, i.started_at, i.ended_at, i.campaign_id, false AS open
    FROM ask CROSS JOIN operator_interval i
    WHERE i.started_at > ask.since - interval '12 hours' AND i.started_at < ask.until AND i.ended_at > ask.since
    UNION ALL
    SELECT o.operator_id, o.session_id, o.state, o.since, greatest(o.since, ask.now), o.campaign_id, true
    FROM ask CROSS JOIN operator_live o
    WHERE o.since < ask.until
), owned AS (
    SELECT s.operator_id, s.state, s.started_at, s.ended_at, s.open, -- no shift is longer than 12 hours: the leg's own limit
        coalesce(s.campaign_id, (
            SELECT i.campaign_id FROM operator_interval i
            WHERE i.operator_id = s.operator_id AND i.session_id = s.session_id AND i.campaign_id IS NOT NULL
                AND i.started_at > s.started_at AND i.started_at < s.started_at + interval '12 hours'
            ORDER BY i.started_at LIMIT 1
        ), (
            SELECT o.campaign_id FROM operator_live o
            WHERE o.operator_id = s.operator_id AND o.session_id = s.session_id
        ), (
            SELECT i.campaign_id FROM operator_interval i
            WHERE i.operator_id = s.operator_id AND i.session_id = s.session_id AND i.campaign_id IS NOT NULL
                AND i.started_at < s.started_at AND i.started_at > s.started_at - interval '12 hours'
            ORDER BY i.started_at DESC LIMIT 1
        )) AS campaign_id
    FROM shift s
), piece AS (
    SELECT o.operator_id, o.campaign_id, o.state, o.open, coalesce(c.zone, ask.zone) AS zone, quarter.starts_at AS at,
        extract(epoch FROM least(o.ended_at, ask.until, quarter.starts_at + interval '15 minutes')
            - greatest(o.started_at, ask.since, quarter.starts_at)) AS s
    FROM ask CROSS JOIN owned o LEFT JOIN campaign c ON c.id = o.campaign_id
    CROSS JOIN LATERAL generate_series(
        date_bin('15 minutes', greatest(o.started_at, ask.since), timestamptz '2000-01-01 00:00Z'),
        least(o.ended_at, ask.until), interval '15 minutes'
    ) AS quarter (starts_at)
    WHERE ask.campaign_id IS NULL OR o.campaign_id = ask.campaign_id
), worked AS (
    SELECT CASE ask.by WHEN 'hour' THEN date_trunc('hour', p.at, p.zone) ELSE '-infinity' END AS hour,
        CASE ask.by WHEN 'operator' THEN p.operator_id WHEN 'campaign' THEN coalesce(p.campaign_id, 0) ELSE 0 END AS who,
        coalesce(sum(p.s) FILTER (WHERE p.state = 'ready'), 0) AS ready_s,
        coalesce(sum(p.s) FILTER (WHERE p.state = 'ringing'), 0) AS ringing_s,
        coalesce(sum(p.s) FILTER (WHERE p.state = 'preview'), 0) AS preview_s,
        coalesce(sum(p.s) FILTER (WHERE p.state = 'talking'), 0) AS talk_s,
        coalesce(sum(p.s) FILTER (WHERE p.state = 'wrap_up'), 0) AS wrap_up_s,
        coalesce(sum(p.s) FILTER (WHERE p.state = 'paused'), 0) AS paused_s,
        coalesce(sum(p.s) FILTER (WHERE p.open), 0) AS open_s
    FROM piece p, ask
    WHERE p.s > 0
    GROUP BY 1, 2
), tried AS (
    SELECT CASE ask.by WHEN 'hour' THEN date_trunc('hour', a.sent_at, c.zone) ELSE '-infinity' END AS hour,
        CASE ask.by WHEN 'operator' THEN coalesce(a.operator_id, 0) WHEN 'campaign' THEN a.campaign_id ELSE 0 END AS who,
        count(*) AS attempts,
        count(*) FILTER (WHERE a.rang_at IS NOT NULL OR a.answered_at IS NOT NULL OR a.outcome = 'no_answer') AS rang,
        count(*) FILTER (WHERE a.legal_answered) AS answered,
        count(*) FILTER (WHERE a.legal_abandoned) AS abandoned,
        count(*) FILTER (WHERE a.outcome = 'early_hangup') AS early_hangups,
        count(*) FILTER (WHERE a.outcome = 'connected') AS connected,
        count(DISTINCT a.contact_id) FILTER (WHERE a.outcome <> 'not_sent') AS contacts_dialled,
        count(DISTINCT a.contact_id) FILTER (
            WHERE a.outcome = 'offer_ended'
                OR (a.outcome = 'connected' AND a.ended_at >= a.connected_at + interval '1 second')
        ) AS contacts_reached,
        percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY 1000 * extract(epoch FROM a.connected_at
            - CASE c.mode WHEN 'ivr' THEN coalesce(a.waiting_at, a.answered_at) ELSE a.answered_at END)::double precision)
            FILTER (WHERE a.outcome = 'connected') AS voice_ms
    FROM ask CROSS JOIN attempt a JOIN campaign c ON c.id = a.campaign_id
    WHERE a.sent_at >= ask.since AND a.sent_at < ask.until
        AND (ask.campaign_id IS NULL OR a.campaign_id = ask.campaign_id)
    GROUP BY 1, 2
), trying AS (
    SELECT CASE ask.by WHEN 'hour' THEN date_trunc('hour', l.sent_at, c.zone) ELSE '-infinity' END AS hour,
        CASE ask.by WHEN 'operator' THEN coalesce(l.operator_id, 0) WHEN 'campaign' THEN l.campaign_id ELSE 0 END AS who,
        count(*) AS live
    FROM ask CROSS JOIN attempt_live l JOIN campaign c ON c.id = l.campaign_id
    WHERE l.sent_at >= ask.since AND l.sent_at < ask.until
        AND (ask.campaign_id IS NULL OR l.campaign_id = ask.campaign_id)
    GROUP BY 1, 2
), said AS (
    SELECT CASE ask.by WHEN 'hour' THEN date_trunc('hour', d.saved_at, c.zone) ELSE '-infinity' END AS hour,
        CASE ask.by WHEN 'operator' THEN coalesce(d.operator_id, 0) WHEN 'campaign' THEN d.campaign_id ELSE 0 END AS who,
        count(*) FILTER (WHERE d.result) AS results,
        count(*) FILTER (WHERE d.decision_maker) AS decision_makers
    FROM ask CROSS JOIN disposition d JOIN campaign c ON c.id = d.campaign_id
    WHERE d.saved_at >= ask.since AND d.saved_at < ask.until
        AND (ask.campaign_id IS NULL OR d.campaign_id = ask.campaign_id)
    GROUP BY 1, 2
), done AS (
    SELECT CASE ask.by WHEN 'hour' THEN date_trunc('hour', x.closed_at, c.zone) ELSE '-infinity' END AS hour,
        CASE ask.by WHEN 'operator' THEN coalesce(closer.operator_id, 0) WHEN 'campaign' THEN x.campaign_id ELSE 0 END AS who,
        count(*) AS closed,
        count(*) FILTER (WHERE x.closed_by = 'disposition') AS closed_by_disposition,
        count(*) FILTER (WHERE x.closed_by = 'used_up') AS closed_used_up,
        sum(life.rang) AS calls_of_closed
    FROM ask CROSS JOIN contact x JOIN campaign c ON c.id = x.campaign_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS rang FROM attempt a
        WHERE a.contact_id = x.id AND (a.rang_at IS NOT NULL OR a.answered_at IS NOT NULL OR a.outcome = 'no_answer')
    ) AS life
    LEFT JOIN LATERAL (
        SELECT d.operator_id FROM disposition d
        WHERE x.closed_by = 'disposition' AND d.contact_id = x.id
        ORDER BY d.saved_at DESC LIMIT 1
    ) AS closer ON true
    WHERE x.state = 'closed' AND x.closed_at >= ask.since AND x.closed_at < ask.until
        AND (ask.campaign_id IS NULL OR x.campaign_id = ask.campaign_id)
    GROUP BY 1, 2
), clock AS (
    SELECT date_trunc('hour', quarter.starts_at, z.zone) AS hour, 0::bigint AS who,
        sum(extract(epoch FROM least(ask.until, ask.now, quarter.starts_at + interval '15 minutes')
            - greatest(ask.since, quarter.starts_at))) AS clock_s
    FROM ask CROSS JOIN LATERAL (
        SELECT DISTINCT c.zone FROM campaign c WHERE c.state <> 'draft' AND (ask.campaign_id IS NULL OR c.id = ask.campaign_id)
    ) AS z
    CROSS JOIN LATERAL generate_series(
        date_bin('15 minutes', ask.since, timestamptz '2000-01-01 00:00Z'), least(ask.until, ask.now), interval '15 minutes'
    ) AS quarter (starts_at)
    WHERE ask.by = 'hour'
    GROUP BY 1, z.zone
), row AS (
    SELECT hour, who FROM worked UNION SELECT hour, who FROM tried UNION SELECT hour, who FROM trying
    UNION SELECT hour, who FROM said UNION SELECT hour, who FROM done
    UNION SELECT hour, who FROM clock WHERE clock_s > 0
    UNION SELECT '-infinity', 0 FROM ask WHERE by = 'total'
)
SELECT row.hour, row.who,
    CASE ask.by WHEN 'hour' THEN to_char(row.hour AT TIME ZONE ask.zone, 'YYYY-MM-DD HH24:MI') ELSE coalesce(u.name, k.name) END
        AS label,
    coalesce(t.attempts, 0) AS attempts, coalesce(g.live, 0) AS live, coalesce(t.rang, 0) AS rang,
    coalesce(t.answered, 0) AS answered, coalesce(t.abandoned, 0) AS abandoned,
    coalesce(t.early_hangups, 0) AS early_hangups, coalesce(t.connected, 0) AS connected,
    coalesce(t.contacts_dialled, 0) AS contacts_dialled, coalesce(t.contacts_reached, 0) AS contacts_reached,
    coalesce(s.results, 0) AS results, coalesce(s.decision_makers, 0) AS decision_makers,
    coalesce(d.closed, 0) AS closed, coalesce(d.closed_by_disposition, 0) AS closed_by_disposition,
    coalesce(d.closed_used_up, 0) AS closed_used_up, coalesce(d.calls_of_closed, 0) AS calls_of_closed,
    coalesce(w.ready_s, 0) AS ready_s, coalesce(w.ringing_s, 0) AS ringing_s, coalesce(w.preview_s, 0) AS preview_s,
    coalesce(w.talk_s, 0) AS talk_s,
    coalesce(w.wrap_up_s, 0) AS wrap_up_s, coalesce(w.paused_s, 0) AS paused_s, coalesce(w.open_s, 0) AS open_s,
    coalesce((SELECT max(clock.clock_s) FROM clock WHERE clock.hour = row.hour),
        CASE WHEN ask.by = 'hour' THEN 0
            ELSE greatest(0, extract(epoch FROM least(ask.until, ask.now) - ask.since)) END) AS clock_s,
    t.voice_ms[1] AS voice_p50_ms, t.voice_ms[2] AS voice_p95_ms, t.voice_ms[3] AS voice_p99_ms
FROM ask CROSS JOIN row
LEFT JOIN tried t USING (hour, who)
LEFT JOIN trying g USING (hour, who)
LEFT JOIN said s USING (hour, who)
LEFT JOIN done d USING (hour, who)
LEFT JOIN worked w USING (hour, who)
LEFT JOIN app_user u ON ask.by = 'operator' AND u.id = row.who
LEFT JOIN campaign k ON ask.by = 'campaign' AND k.id = row.who
ORDER BY row.hour, row.who;

-- name: kpi_zone
-- In which zone a campaign's hours are counted.
SELECT zone FROM campaign WHERE id = :campaign_id::bigint;
