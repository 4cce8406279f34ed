-- The facts of a moment, in one transaction. Each statement changes nothing when it is repeated.

-- name: journal_progress
-- A state only grows in rank. The one way back: the switch refused the Bridge and the callee waits again. Who listens is told of
-- those that are connected, of each once: its event's id follows from its own.
WITH moved AS (
UPDATE attempt_live l
SET state = n.state, rang_at = coalesce(n.rang_at, l.rang_at), answered_at = coalesce(n.answered_at, l.answered_at),
    waiting_at = coalesce(n.waiting_at, l.waiting_at), operator_id = n.operator_id,
    connected_at = coalesce(n.connected_at, l.connected_at), key = coalesce(n.key, l.key), ended_by = coalesce(n.ended_by, l.ended_by)
FROM unnest(:ids::uuid[], :states::text[], :rang_at::timestamptz[], :answered_at::timestamptz[], :waiting_at::timestamptz[],
        :operator_ids::bigint[], :connected_at::timestamptz[], :keys::text[], :ended_by::text[])
    AS n (attempt_id, state, rang_at, answered_at, waiting_at, operator_id, connected_at, key, ended_by)
WHERE l.attempt_id = n.attempt_id
    AND (array_position(ARRAY['sent', 'ringing', 'answered', 'offer', 'waiting', 'bridging', 'connected'], n.state)
            >= array_position(ARRAY['sent', 'ringing', 'answered', 'offer', 'waiting', 'bridging', 'connected'], l.state)
        OR (l.state = 'bridging' AND n.state IN ('answered', 'waiting')))
RETURNING l.attempt_id, l.campaign_id, l.contact_id, l.operator_id, l.connected_at, l.state)
SELECT count(tell('attempt.connected', moved.campaign_id, md5('attempt.connected:' || moved.attempt_id)::uuid, moved.connected_at,
    jsonb_build_object('attempt_id', moved.attempt_id, 'contact_id', moved.contact_id, 'operator_id', moved.operator_id)))
FROM moved WHERE moved.state = 'connected' AND EXISTS (SELECT FROM webhook);

-- name: journal_end
-- A live attempt becomes a fact, once: whoever is not live any more is not moved again. Somebody who called us and was not connected
-- is a missed return call and no attempt.
WITH gone AS (
    DELETE FROM attempt_live l
    USING unnest(:ids::uuid[], :rang_at::timestamptz[], :answered_at::timestamptz[], :waiting_at::timestamptz[],
            :operator_ids::bigint[], :connected_at::timestamptz[], :ended_at::timestamptz[], :outcomes::text[], :ended_by::text[],
            :causes::integer[], :sip_codes::integer[], :keys::text[], :counts::boolean[], :legal_answered::boolean[],
            :legal_abandoned::boolean[])
        AS n (attempt_id, rang_at, answered_at, waiting_at, operator_id, connected_at, ended_at, outcome, ended_by, cause,
            sip_code, key, counts, legal_answered, legal_abandoned)
    WHERE l.attempt_id = n.attempt_id
    RETURNING l.attempt_id, l.contact_id, l.campaign_id, l.base_id, l.phone_id, l.switch, l.epoch, l.number, l.profile,
        l.profile_version, l.sent_at, coalesce(n.rang_at, l.rang_at) AS rang_at, coalesce(n.answered_at, l.answered_at) AS answered_at,
        coalesce(n.waiting_at, l.waiting_at) AS waiting_at, coalesce(n.operator_id, l.operator_id) AS operator_id,
        coalesce(n.connected_at, l.connected_at) AS connected_at, n.ended_at, n.outcome, n.ended_by, n.cause, n.sip_code,
        coalesce(n.key, l.key) AS key, l.callback_id, l.asked, l.manual, l.came_in, n.counts, n.legal_answered, n.legal_abandoned, l.caller_number
), returned AS (
    INSERT INTO return_call (id, switch, epoch, trunk, campaign_id, base_id, contact_id, phone_id, caller_number, region, came_at, connected_at,
        operator_id, ended_at, outcome)
    SELECT g.attempt_id, g.switch, g.epoch, t.name, g.campaign_id, g.base_id, g.contact_id, g.phone_id, g.caller_number,
        coalesce((SELECT phone_region(p.e164) FROM phone p WHERE p.id = g.phone_id), ''), g.sent_at,
        g.connected_at, CASE WHEN g.connected_at IS NOT NULL THEN g.operator_id END, g.ended_at,
        CASE WHEN g.connected_at IS NOT NULL THEN 'connected' ELSE 'missed' END
    FROM gone g JOIN campaign k ON k.id = g.campaign_id JOIN trunk t ON t.id = k.trunk_id
    WHERE g.came_in
), kept AS (
    INSERT INTO attempt (attempt_id, contact_id, campaign_id, base_id, phone_id, switch, epoch, number, profile, profile_version,
        sent_at, rang_at, answered_at, waiting_at, operator_id, connected_at, ended_at, outcome, ended_by, cause, sip_code, key,
        callback_id, asked, manual, came_in, counts, legal_answered, legal_abandoned, caller_number, region, script)
    SELECT attempt_id, contact_id, campaign_id, base_id, phone_id, switch, epoch, number, profile, profile_version,
        sent_at, rang_at, answered_at, waiting_at, operator_id, connected_at, ended_at, outcome, ended_by, cause, sip_code, key,
        callback_id, asked, manual, came_in, counts, legal_answered, legal_abandoned, caller_number,
        coalesce((SELECT phone_region(p.e164) FROM phone p WHERE p.id = gone.phone_id), ''),
        coalesce((SELECT max(v.version) FROM script_version v
            WHERE v.campaign_id = gone.campaign_id AND v.saved_at <= coalesce(gone.connected_at, gone.sent_at)), 0)
    FROM gone WHERE NOT came_in OR connected_at IS NOT NULL
), once AS (
    INSERT INTO attempt_end (attempt_id, ended_at) SELECT attempt_id, ended_at FROM gone WHERE NOT came_in OR connected_at IS NOT NULL
)
SELECT attempt_id, CASE WHEN EXISTS (SELECT FROM webhook) AND (NOT came_in OR connected_at IS NOT NULL) THEN
    tell('attempt.ended', campaign_id, md5('attempt.ended:' || attempt_id)::uuid, ended_at, jsonb_build_object(
        'attempt_id', attempt_id, 'contact_id', contact_id, 'operator_id', operator_id, 'number', number, 'outcome', outcome,
        'ended_by', ended_by, 'sent_at', sent_at, 'answered_at', answered_at, 'connected_at', connected_at, 'key', key))
    END AS told
FROM gone;

-- name: journal_dead_phones
-- A number that is none is given up for its contact.
UPDATE contact_phone cp SET dead = true
FROM unnest(:contacts::bigint[], :phones::bigint[]) AS n (contact_id, phone_id)
WHERE cp.contact_id = n.contact_id AND cp.phone_id = n.phone_id;

-- name: journal_contacts
-- What an end means for its contact; a disposition of the same attempt, saved before, has decided already.
UPDATE contact c
SET counted = c.counted + n.counts::integer,
    phone_id = coalesce(other.phone_id, c.phone_id),
    next_at = CASE WHEN c.decided_by = n.attempt_id THEN c.next_at ELSE coalesce(n.next_at, 'infinity') END,
    state = CASE WHEN c.decided_by = n.attempt_id OR other.closes IS NULL THEN c.state ELSE 'closed' END,
    closed_by = CASE WHEN c.decided_by = n.attempt_id OR other.closes IS NULL OR c.state = 'closed' THEN c.closed_by
        ELSE other.closes END,
    closed_at = CASE WHEN c.decided_by = n.attempt_id OR other.closes IS NULL OR c.state = 'closed' THEN c.closed_at
        ELSE n.ended_at END
FROM unnest(:ids::uuid[], :contacts::bigint[], :phones::bigint[], :counts::boolean[], :next_at::timestamptz[], :closes::text[],
        :next_phone::boolean[], :dead_phone::boolean[], :ended_at::timestamptz[])
    AS n (attempt_id, contact_id, phone_id, counts, next_at, closes, next_phone, dead_phone, ended_at)
CROSS JOIN LATERAL (
    SELECT living.phone_id, coalesce(n.closes, CASE WHEN n.dead_phone AND living.phone_id IS NULL THEN 'dead' END) AS closes
    FROM (VALUES (true)) AS one (row)
    LEFT JOIN LATERAL (
        SELECT cp.phone_id FROM contact_phone cp JOIN contact_phone tried USING (contact_id)
        WHERE cp.contact_id = n.contact_id AND tried.phone_id = n.phone_id AND NOT cp.dead
        ORDER BY cp.place <= tried.place, cp.place
        LIMIT 1
    ) AS living ON n.next_phone OR n.dead_phone
) AS other
WHERE c.id = n.contact_id;

-- name: journal_phones
-- The number itself rests, for every campaign.
UPDATE phone p SET not_before = greatest(p.not_before, n.not_before), held_until = greatest(p.held_until, n.held_until)
FROM (
    SELECT told.phone_id, max(told.not_before) AS not_before, max(told.held_until) AS held_until
    FROM unnest(:phones::bigint[], :not_before::timestamptz[], :held_until::timestamptz[]) AS told (phone_id, not_before, held_until)
    GROUP BY told.phone_id
) AS n
WHERE p.id = n.phone_id;

-- name: journal_callbacks
-- A promise was kept, is tried again, or broke because its contact is closed.
WITH closing AS (
    UPDATE callback k
    SET state = CASE WHEN n.state = 'pending' AND c.state = 'closed' THEN 'broken' ELSE n.state END,
        next_at = CASE WHEN n.state = 'pending' THEN coalesce(n.next_at, n.ended_at + interval '1 minute') ELSE k.next_at END,
        closed_at = CASE WHEN n.state = 'pending' AND c.state = 'open' THEN NULL ELSE n.ended_at END,
        kept_by_attempt = CASE WHEN n.state = 'kept' THEN n.attempt_id END
    FROM unnest(:ids::uuid[], :callbacks::bigint[], :states::text[], :next_at::timestamptz[], :ended_at::timestamptz[])
        AS n (attempt_id, callback_id, state, next_at, ended_at), contact c
    WHERE k.id = n.callback_id AND k.state = 'pending' AND c.id = k.contact_id
    RETURNING k.contact_id, k.state
)
UPDATE contact c SET promised = false FROM closing WHERE c.id = closing.contact_id AND closing.state <> 'pending';

-- name: journal_budget
-- An end leaves the legal count as the attempt belongs to this window (it was sent in it), and one line fewer in flight.
UPDATE abandon_budget b
SET answered = b.answered + (SELECT count(*) FROM unnest(:answered::timestamptz[]) AS sent (at) WHERE sent.at >= b.starts_at),
    abandoned = b.abandoned + (SELECT count(*) FROM unnest(:abandoned::timestamptz[]) AS sent (at) WHERE sent.at >= b.starts_at),
    uncovered = greatest(0, b.uncovered - :ended::integer)
WHERE b.campaign_id = :campaign_id::bigint;

-- name: journal_previews
-- A contact that is with its operator no more; how that came about is kept, once.
WITH gone AS (
    DELETE FROM preview v USING unnest(:ids::uuid[]) AS n (id) WHERE v.preview_id = n.id
)
INSERT INTO preview_end (preview_id, operator_id, campaign_id, contact_id, offered_at, ended_at, how, reason)
SELECT * FROM unnest(:ids::uuid[], :operators::bigint[], :campaigns::bigint[], :contacts::bigint[], :offered_at::timestamptz[],
    :ended_at::timestamptz[], :hows::text[], :reasons::text[])
ON CONFLICT DO NOTHING;

-- name: journal_operators_gone
-- A shift that is over has no row.
DELETE FROM operator_live o
USING unnest(:operators::bigint[], :sessions::uuid[]) AS n (operator_id, session_id)
WHERE o.operator_id = n.operator_id AND o.session_id = n.session_id;

-- name: journal_operators
-- Where each operator is, whole rows.
INSERT INTO operator_live (operator_id, session_id, switch, seat, team_id, name, state, since, reason, until, campaign_id, attempt_id,
    pause_after, leaving)
SELECT n.operator_id, n.session_id, t.switch, n.seat, n.team_id, n.name, n.state, n.since, n.reason, n.until, n.campaign_id, n.attempt_id,
    n.pause_after, n.leaving
FROM unnest(:operators::bigint[], :sessions::uuid[], :seats::text[], :teams::bigint[], :names::text[], :states::text[],
        :since::timestamptz[], :reasons::text[], :until::timestamptz[], :campaigns::bigint[], :attempts::uuid[],
        :pauses_after::text[], :leaving::boolean[])
    AS n (operator_id, session_id, seat, team_id, name, state, since, reason, until, campaign_id, attempt_id, pause_after, leaving)
JOIN team t ON t.id = n.team_id
ON CONFLICT (operator_id) DO UPDATE
SET session_id = excluded.session_id, switch = excluded.switch, seat = excluded.seat, team_id = excluded.team_id,
    name = excluded.name, state = excluded.state, since = excluded.since, reason = excluded.reason, until = excluded.until,
    campaign_id = excluded.campaign_id, attempt_id = excluded.attempt_id, pause_after = excluded.pause_after,
    leaving = excluded.leaving, updated_at = now();

-- name: journal_intervals
-- Closed stretches of shifts.
INSERT INTO operator_interval (operator_id, session_id, state, started_at, ended_at, reason, campaign_id, attempt_id)
SELECT * FROM unnest(:operators::bigint[], :sessions::uuid[], :states::text[], :started_at::timestamptz[],
    :ended_at::timestamptz[], :reasons::text[], :campaigns::bigint[], :attempts::uuid[])
ON CONFLICT DO NOTHING;
