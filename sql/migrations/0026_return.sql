-- migrate:up

-- People who call the shown number back. So long somebody who waits hears it ring, before nobody could serve.
ALTER TABLE campaign ADD COLUMN return_wait_s integer NOT NULL DEFAULT 20 CHECK (return_wait_s BETWEEN 5 AND 28);

-- A conversation with somebody who called us. While it waits and goes on it holds the phone as our own attempts do; none of it
-- rang or was answered over there, so that no limit, law or number of ours takes it for a call we made.
ALTER TABLE attempt_live ADD COLUMN came_in boolean NOT NULL DEFAULT false;
ALTER TABLE attempt ADD COLUMN came_in boolean NOT NULL DEFAULT false;
ALTER TABLE attempt_live ADD CONSTRAINT came_in_is_apart CHECK (NOT came_in OR (asked AND rang_at IS NULL AND answered_at IS NULL));
ALTER TABLE attempt ADD CONSTRAINT came_in_is_apart CHECK (NOT came_in OR (asked AND rang_at IS NULL AND answered_at IS NULL
    AND NOT counts AND NOT legal_answered AND outcome = 'connected'));
ALTER TABLE attempt DROP CONSTRAINT attempt_check;
ALTER TABLE attempt ADD CONSTRAINT attempt_check
    CHECK (outcome <> 'connected' OR (connected_at IS NOT NULL AND (answered_at IS NOT NULL OR came_in)));

-- Every call that came in over a trunk: a fact. One that was connected is a conversation of the same id in `attempt`, too.
-- Whoever is unknown to us stays so: no number is kept.
CREATE TABLE return_call (
    id uuid PRIMARY KEY,
    switch text NOT NULL,
    epoch bigint NOT NULL,
    trunk text NOT NULL,
    campaign_id bigint REFERENCES campaign,
    base_id bigint,
    contact_id bigint,
    phone_id bigint,
    caller_number text NOT NULL DEFAULT '',     -- the shown number that was called
    region text NOT NULL DEFAULT '',
    came_at timestamptz NOT NULL,
    connected_at timestamptz,
    operator_id bigint REFERENCES app_user,
    ended_at timestamptz NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('connected', 'missed', 'refused')),
    why text NOT NULL DEFAULT '' CHECK (why IN ('', 'unknown', 'closed')),  -- of a refused one: nobody called there, the campaign is over
    CHECK ((outcome = 'refused') = (why <> '')),
    CHECK ((outcome = 'connected') = (connected_at IS NOT NULL)),
    CHECK (outcome = 'refused' OR (campaign_id IS NOT NULL AND contact_id IS NOT NULL AND phone_id IS NOT NULL))
);
CREATE INDEX return_call_of_campaign ON return_call (campaign_id, came_at);
CREATE INDEX return_call_of_contact ON return_call (contact_id, came_at) WHERE contact_id IS NOT NULL;
CREATE INDEX return_call_of_phone ON return_call (phone_id, came_at) WHERE phone_id IS NOT NULL;
CREATE TRIGGER return_call_is_a_fact BEFORE DELETE OR UPDATE ON return_call FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A missed one owes a call back before all others.
ALTER TABLE callback ADD COLUMN urgent boolean NOT NULL DEFAULT false;
CREATE INDEX callback_urgent ON callback (campaign_id) WHERE urgent AND state = 'pending';
CREATE OR REPLACE VIEW callback_shown AS
SELECT k.id, k.campaign_id, k.contact_id, k.due_at, k.next_at, k.operator_id, k.note, k.state, k.moves, k.closed_at, k.promised_at,
    k.made_by_attempt, k.kept_by_attempt, k.late_at, k.late_because, c.name AS contact, p.e164 AS phone, lane.zones, lane.countries,
    campaign.name AS campaign, campaign.state AS campaign_state, campaign.team_id, coalesce(u.name, '') AS operator,
    coalesce(closer.name, '') AS closed_by, c.closed_by AS contact_closed_by, c.refused_by, l.attempt_id AS live_attempt,
    o.state AS owner_state, kept.sent_at AS kept_at, last.what AS changed_what, last.reason AS changed_reason, last.at AS changed_at,
    coalesce(changer.name, '') AS changed_by, last.due_before, coalesce(earlier.name, '') AS owner_before,
    k.urgent
FROM callback AS k
JOIN contact AS c ON c.id = k.contact_id
JOIN lane ON lane.id = c.lane_id
JOIN phone AS p ON p.id = k.phone_id
JOIN campaign ON campaign.id = k.campaign_id
LEFT JOIN app_user AS u ON u.id = k.operator_id
LEFT JOIN app_user AS closer ON closer.id = k.closed_by
LEFT JOIN attempt_live AS l ON l.callback_id = k.id
LEFT JOIN operator_live AS o ON o.operator_id = k.operator_id
LEFT JOIN LATERAL (SELECT a.sent_at FROM attempt AS a WHERE a.attempt_id = k.kept_by_attempt) AS kept ON true
LEFT JOIN LATERAL (SELECT x.* FROM callback_change AS x WHERE x.callback_id = k.id ORDER BY x.id DESC LIMIT 1) AS last ON true
LEFT JOIN app_user AS changer ON changer.id = last.by_user
LEFT JOIN app_user AS earlier ON earlier.id = last.operator_before;

-- Talk and results of such conversations count; calls we made they are not.
CREATE OR REPLACE VIEW kpi_tried AS
SELECT a.attempt_id, a.contact_id, a.sent_at AS at, a.campaign_id, date_trunc('hour', a.sent_at, k.zone) AS hour, a.base_id,
    a.operator_id, a.script, a.caller_number, a.number, a.region, NULL::text AS code, NULL::text AS reason,
    CASE WHEN a.outcome = 'connected' AND NOT a.came_in THEN 1000 * extract(epoch FROM a.connected_at
        - CASE k.mode WHEN 'ivr' THEN coalesce(a.waiting_at, a.answered_at) ELSE a.answered_at END)::double precision END AS voice_ms,
    (NOT a.came_in)::integer AS attempts, (a.rang_at IS NOT NULL OR a.answered_at IS NOT NULL OR a.outcome = 'no_answer')::integer AS rang,
    a.legal_answered::integer AS answered, a.legal_abandoned::integer AS abandoned,
    (a.outcome <> 'not_sent' AND NOT a.came_in)::integer AS dialled,
    (a.outcome = 'offer_ended' OR (a.outcome = 'connected' AND NOT a.came_in AND a.ended_at >= a.connected_at + interval '1 second'))::integer
        AS reached,
    (a.outcome = 'connected')::integer AS connected, (a.outcome = 'abandoned')::integer AS outcome_abandoned,
    (a.outcome = 'early_hangup')::integer AS early_hangups, (a.outcome = 'offer_ended')::integer AS offers_heard,
    (a.outcome = 'no_answer')::integer AS no_answer, (a.outcome = 'busy')::integer AS busy, (a.outcome = 'machine')::integer AS machine,
    (a.outcome = 'invalid_number')::integer AS invalid_number, (a.outcome = 'congestion')::integer AS congestion,
    (a.outcome = 'rejected')::integer AS rejected, (a.outcome = 'failed')::integer AS failed,
    (a.outcome = 'cancelled')::integer AS cancelled, (a.outcome = 'not_sent')::integer AS not_sent,
    (a.outcome = 'unknown')::integer AS unknown
FROM attempt AS a JOIN campaign AS k ON k.id = a.campaign_id;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
