-- migrate:up

-- Reports that go by mail on schedule.

-- Where a user's own reports may go without an admin.
ALTER TABLE app_user ADD COLUMN address text CHECK (address ~ '^[^[:space:][:cntrl:]<>,;]+@[a-z0-9.-]+$' AND length(address) <= 254);

-- A report somebody asked for, with the rights of that user, which are asked again whenever it is sent.
CREATE TABLE subscription (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES app_user,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    campaign_id bigint REFERENCES campaign,         -- null: all that the user may see
    zone text NOT NULL,                             -- of the campaign when it was saved; of several, the one chosen
    period text NOT NULL CHECK (period IN ('yesterday', 'week', 'month')),
    breakdown text NOT NULL CHECK (breakdown IN ('operator', 'campaign', 'base', 'customer', 'script', 'caller', 'number', 'region')),
    language text NOT NULL CHECK (language IN ('ru', 'en')),
    form text NOT NULL CHECK (form IN ('csv', 'xlsx')),
    weekdays smallint[] NOT NULL CHECK (weekdays <@ ARRAY[1, 2, 3, 4, 5, 6, 7]::smallint[]),
    month_day smallint CHECK (month_day BETWEEN 1 AND 31),
    hour smallint NOT NULL CHECK (hour BETWEEN 0 AND 23),
    made_at timestamptz NOT NULL,
    next_day date NOT NULL,
    next_at timestamptz NOT NULL,
    stopped_at timestamptz,
    stopped_why text CHECK (stopped_why IN ('asked', 'link', 'disabled', 'rights', 'nobody')),
    removed_at timestamptz,
    CHECK ((month_day IS NULL) = (cardinality(weekdays) > 0)),
    CHECK ((stopped_at IS NULL) = (stopped_why IS NULL))
);
CREATE INDEX subscription_due ON subscription (next_at) WHERE stopped_at IS NULL AND removed_at IS NULL;
CREATE INDEX subscription_of_user ON subscription (user_id, id);

-- To whom it goes. Others than the user's own address stand as long as the admin who allowed them is one.
CREATE TABLE subscriber (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subscription_id bigint NOT NULL REFERENCES subscription,
    address text NOT NULL CHECK (length(address) <= 254),
    allowed_by bigint REFERENCES app_user,          -- null: it is the user's own
    stopped_at timestamptz,                         -- by the link of a letter, or nobody is there
    stopped_why text CHECK (stopped_why IN ('link', 'bounced')),
    removed_at timestamptz,
    CHECK ((stopped_at IS NULL) = (stopped_why IS NULL))
);
CREATE UNIQUE INDEX subscriber_once ON subscriber (subscription_id, lower(address)) WHERE removed_at IS NULL;

-- A day on which a report was due (null: a trial), each once; what it says is kept until its last letter has left.
CREATE TABLE report_run (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subscription_id bigint NOT NULL REFERENCES subscription,
    day date,
    about date NOT NULL,                            -- the day whose yesterday, week or month before it tells
    due_at timestamptz NOT NULL,
    subject text,
    body text,
    UNIQUE (subscription_id, day)
);
CREATE TABLE report_file (
    run_id bigint NOT NULL REFERENCES report_run,
    place smallint NOT NULL,
    name text NOT NULL,
    media text NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (run_id, place)
);

-- The outbox of reports: one for each address. The Message-ID follows from message_id and is the same in every try.
CREATE TABLE report_letter (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    run_id bigint NOT NULL REFERENCES report_run,
    subscriber_id bigint REFERENCES subscriber,     -- null: a trial
    address text NOT NULL,
    made_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'refused', 'bounced', 'given_up')),
    reason text,
    detail text NOT NULL DEFAULT '' CHECK (length(detail) <= 500),
    tries integer NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL DEFAULT '-infinity',
    sent_at timestamptz,
    closed_at timestamptz,
    CHECK ((state = 'waiting') = (closed_at IS NULL)),
    CHECK (state <> 'sent' OR sent_at IS NOT NULL),
    CHECK (state NOT IN ('refused', 'given_up') OR reason IS NOT NULL)
);
CREATE INDEX report_letter_waiting ON report_letter (next_at, id) WHERE state = 'waiting';
CREATE INDEX report_letter_of_run ON report_letter (run_id);
CREATE INDEX report_run_of ON report_run (subscription_id, id);
CREATE TRIGGER never_deleted BEFORE DELETE ON report_letter FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();

-- An attempt says in which row of which breakdown it is counted.
CREATE OR REPLACE VIEW attempt_shown AS
SELECT a.attempt_id, a.campaign_id, a.contact_id, a.base_id, a.phone_id, a.number, a.sent_at, a.rang_at, a.answered_at, a.waiting_at,
    a.connected_at, a.ended_at, a.outcome, a.ended_by, a.cause, a.sip_code, a.key, a.operator_id, a.callback_id, a.counts,
    a.legal_answered, a.legal_abandoned, a.profile, a.profile_version,
    k.name AS campaign, c.name AS contact, p.e164 AS phone, coalesce(u.name, '') AS operator,
    d.code, d.saved_at, d.result, d.decision_maker, d.closes, d.reason, d.address, d.note, d.campaign_id AS said_campaign_id,
    d.operator_id AS said_operator_id, d.attempt_id AS said_attempt_id, n.name_ru, n.name_en, k.zone,
    k.customer_id, a.script, a.caller_number, a.region
FROM attempt AS a
JOIN campaign AS k ON k.id = a.campaign_id
JOIN contact AS c ON c.id = a.contact_id
JOIN phone AS p ON p.id = a.phone_id
LEFT JOIN app_user AS u ON u.id = a.operator_id
LEFT JOIN disposition AS d ON d.attempt_id = a.attempt_id
LEFT JOIN disposition_kind AS n ON n.campaign_id = d.campaign_id AND n.code = d.code;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
