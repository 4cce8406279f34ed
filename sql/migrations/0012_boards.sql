-- migrate:up

-- An attempt that ended, with the names people know: what every list of facts shows.
CREATE VIEW attempt_shown AS
SELECT a.attempt_id, a.campaign_id, a.contact_id, a.base_id, a.phone_id, a.number, a.sent_at, a.rang_at, a.answered_at, a.waiting_at,
    a.connected_at, a.ended_at, a.outcome, a.ended_by, a.cause, a.sip_code, a.key, a.operator_id, a.callback_id, a.counts,
    a.legal_answered, a.legal_abandoned, a.profile, a.profile_version,
    k.name AS campaign, c.name AS contact, p.e164 AS phone, coalesce(u.name, '') AS operator,
    d.code, d.saved_at, d.result, d.decision_maker, d.closes, d.reason, d.address, d.note, d.campaign_id AS said_campaign_id,
    d.operator_id AS said_operator_id, d.attempt_id AS said_attempt_id, n.name_ru, n.name_en
FROM attempt AS a
JOIN campaign AS k ON k.id = a.campaign_id
JOIN contact AS c ON c.id = a.contact_id
JOIN phone AS p ON p.id = a.phone_id
LEFT JOIN app_user AS u ON u.id = a.operator_id
LEFT JOIN disposition AS d ON d.attempt_id = a.attempt_id
LEFT JOIN disposition_kind AS n ON n.campaign_id = d.campaign_id AND n.code = d.code;

-- Dispositions of all campaigns by when they were saved: results of an hour open their facts.
CREATE INDEX disposition_by_time ON disposition (saved_at, attempt_id);

-- What supervisors said to operators: shown until it is acknowledged, and who saw it when.
CREATE TABLE operator_message (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    operator_id bigint NOT NULL REFERENCES app_user (id),
    text text NOT NULL CHECK (length(text) BETWEEN 1 AND 500),
    said_at timestamptz NOT NULL DEFAULT now(),
    said_by bigint REFERENCES app_user (id),
    heard_at timestamptz
);
CREATE INDEX operator_message_of_operator ON operator_message (operator_id, said_at);

-- Why a promise was moved, handed over or cancelled, and by whom; nobody means the service did it by rule.
CREATE TABLE callback_change (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    callback_id bigint NOT NULL REFERENCES callback (id) ON DELETE CASCADE,
    at timestamptz NOT NULL,
    what text NOT NULL CHECK (what IN ('moved', 'handed_over', 'cancelled')),
    reason text NOT NULL,
    by_user bigint REFERENCES app_user (id),
    due_before timestamptz NOT NULL,
    operator_before bigint REFERENCES app_user (id)
);
CREATE INDEX callback_change_of_callback ON callback_change (callback_id, id);

-- The board of promises reads by the promised time: of what is to be kept, and of what became of the others.
CREATE INDEX callback_pending ON callback (due_at, id) WHERE state = 'pending';
CREATE INDEX callback_by_due ON callback (due_at, id);
CREATE INDEX callback_of_operator ON callback (operator_id, due_at) WHERE operator_id IS NOT NULL;

-- A promise with the names people know, what happened to it, and what its owner is doing.
CREATE VIEW callback_shown AS
SELECT k.id, k.campaign_id, k.contact_id, k.due_at, k.next_at, k.operator_id, k.note, k.state, k.moves, k.closed_at, k.promised_at,
    k.made_by_attempt, k.kept_by_attempt, c.name AS contact, p.e164 AS phone, lane.zones, campaign.name AS campaign,
    campaign.state AS campaign_state, coalesce(u.name, '') AS operator, coalesce(closer.name, '') AS closed_by,
    c.closed_by AS contact_closed_by, c.refused_by, l.attempt_id AS live_attempt, o.state AS owner_state, kept.sent_at AS kept_at,
    last.what AS changed_what, last.reason AS changed_reason, last.at AS changed_at, coalesce(changer.name, '') AS changed_by,
    last.due_before, coalesce(earlier.name, '') AS owner_before
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

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
