-- migrate:up

-- People and places -------------------------------------------------------

CREATE TABLE customer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE
);

CREATE TABLE team (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    switch text NOT NULL DEFAULT 'main'
);

CREATE TABLE app_user (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    login text NOT NULL UNIQUE,
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('operator', 'supervisor', 'base_manager', 'admin', 'auditor', 'customer', 'api')),
    password_hash text NOT NULL,            -- argon2id
    team_id bigint REFERENCES team,         -- operators: where they work
    customer_id bigint REFERENCES customer, -- customers: whose campaigns they see
    language text NOT NULL DEFAULT 'en' CHECK (language IN ('en', 'ru')),
    disabled boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE web_session (
    token_hash bytea PRIMARY KEY,           -- SHA-256 of the opaque token
    user_id bigint NOT NULL REFERENCES app_user ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);

CREATE TABLE login_try (
    login text NOT NULL,
    ip text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX login_try_recent ON login_try (at);

CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    user_id bigint REFERENCES app_user,     -- null: the service itself
    action text NOT NULL,
    object text NOT NULL,
    before jsonb,
    after jsonb,
    ip text
);
CREATE INDEX audit_of_object ON audit (object, at);

-- Campaigns ---------------------------------------------------------------

CREATE TABLE trunk (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9_-]{1,32}$'),
    kind text NOT NULL DEFAULT 'carrier' CHECK (kind IN ('carrier', 'world')),
    max_channels integer NOT NULL DEFAULT 100 CHECK (max_channels > 0),
    calls_per_s real NOT NULL DEFAULT 20 CHECK (calls_per_s > 0),
    causes jsonb NOT NULL DEFAULT '{}'      -- "<q850>" or "<q850>/<sip>" -> outcome
);

CREATE TABLE campaign (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    customer_id bigint NOT NULL REFERENCES customer,
    team_id bigint NOT NULL REFERENCES team,
    trunk_id bigint NOT NULL REFERENCES trunk,
    mode text NOT NULL CHECK (mode IN ('progressive', 'predictive', 'ivr')),
    state text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'running', 'paused', 'stopped')),
    zone text NOT NULL DEFAULT 'UTC',       -- in which its hours are counted
    profile text NOT NULL DEFAULT 'strict', -- id of a packaged compliance profile
    caller_number text NOT NULL DEFAULT '' CHECK (caller_number ~ '^(\+?[0-9]{3,15})?$'),
    ring_timeout_s integer NOT NULL DEFAULT 25 CHECK (ring_timeout_s BETWEEN 5 AND 60),
    wrap_up_s integer NOT NULL DEFAULT 30 CHECK (wrap_up_s BETWEEN 1 AND 600),
    after_wrap_up text NOT NULL DEFAULT 'ready' CHECK (after_wrap_up IN ('ready', 'paused')),
    attempts_max integer NOT NULL DEFAULT 4 CHECK (attempts_max BETWEEN 1 AND 20),
    cap_permille integer NOT NULL DEFAULT 20 CHECK (cap_permille BETWEEN 0 AND 50),
    max_lines_per_operator real NOT NULL DEFAULT 4 CHECK (max_lines_per_operator >= 1),
    max_lines integer NOT NULL DEFAULT 100 CHECK (max_lines > 0),
    key_wait_s integer NOT NULL DEFAULT 20 CHECK (key_wait_s BETWEEN 2 AND 60),
    weight real NOT NULL DEFAULT 1 CHECK (weight > 0),
    offer text CHECK (offer ~ '^[a-z0-9_-]{1,32}$'),
    operator_free boolean NOT NULL DEFAULT false,
    retry jsonb NOT NULL DEFAULT '{}',      -- outcome -> rule; what is absent is the default
    keys jsonb NOT NULL DEFAULT '{}',       -- key of the offer -> "operator", "repeat" or a disposition
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (mode <> 'ivr' OR offer IS NOT NULL)
);

CREATE TABLE disposition_kind (
    campaign_id bigint NOT NULL REFERENCES campaign ON DELETE CASCADE,
    code text NOT NULL CHECK (code ~ '^[a-z0-9_]{1,40}$'),
    place integer NOT NULL,                 -- fixed order on the page
    name_ru text NOT NULL,
    name_en text NOT NULL,
    result boolean NOT NULL DEFAULT false,
    closes boolean NOT NULL DEFAULT true,
    decision_maker boolean NOT NULL DEFAULT false,
    verdict text CHECK (verdict IN ('fresh', 'stale', 'off_target')),
    needs text[] NOT NULL DEFAULT '{}',
    reasons text[] NOT NULL DEFAULT '{}',
    dnc_scope text CHECK (dnc_scope IN ('global', 'customer', 'campaign')),
    retry jsonb,
    PRIMARY KEY (campaign_id, code),
    UNIQUE (campaign_id, place)
);

-- Abandons in the current legal window, and the last gate of pacing. What ends lowers `uncovered`, so only a claim
-- can meet the check; dialer/core/budget proves that no other update can.
CREATE TABLE abandon_budget (
    campaign_id bigint PRIMARY KEY REFERENCES campaign ON DELETE CASCADE,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    answered integer NOT NULL DEFAULT 0,    -- by a person, in this window
    abandoned integer NOT NULL DEFAULT 0,   -- of them
    uncovered integer NOT NULL DEFAULT 0,   -- lines in flight beyond the free operators
    carried_answered integer NOT NULL DEFAULT 0,  -- of `answered`: brought in, not dialled here
    carried_abandoned integer NOT NULL DEFAULT 0,
    cap_permille integer NOT NULL,
    CHECK (answered >= abandoned AND abandoned >= 0 AND uncovered >= 0),
    CONSTRAINT abandon_cap CHECK (uncovered = 0 OR (abandoned + uncovered) * 1000 <= cap_permille * (answered + uncovered))
);

-- Bases and contacts ------------------------------------------------------

CREATE TABLE base (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign_id bigint NOT NULL REFERENCES campaign,
    name text NOT NULL,
    source text NOT NULL DEFAULT '',
    file_hash bytea NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT now(),
    loaded_by bigint REFERENCES app_user,
    rows_in integer NOT NULL,
    rows_loaded integer NOT NULL,
    rows_rejected integer NOT NULL,
    paused boolean NOT NULL DEFAULT false,
    UNIQUE (campaign_id, file_hash),        -- the same file twice is no second copy
    CHECK (rows_in = rows_loaded + rows_rejected)
);

-- One row per number: the lock for everything about it.
CREATE TABLE phone (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    e164 text NOT NULL UNIQUE CHECK (e164 ~ '^\+[1-9][0-9]{6,14}$'),
    not_before timestamptz NOT NULL DEFAULT '-infinity'
);

-- Contacts that share base, zones and priority. A claim looks at the due head of each lane whose windows are open, so its
-- cost does not grow with the base.
CREATE TABLE lane (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    base_id bigint NOT NULL REFERENCES base,
    campaign_id bigint NOT NULL REFERENCES campaign,
    zones text[] NOT NULL,                  -- possible zones; called only while all their windows are open
    priority integer NOT NULL DEFAULT 0 CHECK (priority BETWEEN 0 AND 9), -- 9 first
    UNIQUE (base_id, zones, priority)
);
CREATE INDEX lane_of_campaign ON lane (campaign_id);

CREATE TABLE contact (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    base_id bigint NOT NULL REFERENCES base,
    campaign_id bigint NOT NULL REFERENCES campaign,
    row_number integer NOT NULL,            -- line of the file it came from
    name text NOT NULL DEFAULT '',
    attributes jsonb NOT NULL DEFAULT '{}',
    lane_id bigint NOT NULL REFERENCES lane,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
    closed_by text CHECK (closed_by IN ('disposition', 'used_up', 'dead')),
    closed_at timestamptz,
    phone_id bigint NOT NULL REFERENCES phone, -- the one to be dialled next
    attempts integer NOT NULL DEFAULT 0,    -- number of the last attempt
    counted integer NOT NULL DEFAULT 0,     -- of them, those that use up the limit
    next_at timestamptz NOT NULL DEFAULT '-infinity', -- infinity: live, or waits for its disposition, or see refused_by
    refused_by text,                        -- why the gate sent it away the last time
    promised boolean NOT NULL DEFAULT false, -- has a pending callback: called by that, not by its lane
    decided_by uuid,                        -- attempt whose disposition decided what comes next; its end then does not
    UNIQUE (base_id, row_number),
    CHECK ((state = 'closed') = (closed_by IS NOT NULL) AND (state = 'closed') = (closed_at IS NOT NULL))
);
CREATE INDEX contact_due ON contact (lane_id, next_at, id) WHERE state = 'open' AND NOT promised;
CREATE INDEX contact_of_campaign ON contact (campaign_id);
CREATE INDEX contact_closed ON contact (campaign_id, closed_at) WHERE state = 'closed'; -- the numbers of a period
CREATE INDEX contact_of_phone ON contact (phone_id);

CREATE TABLE contact_phone (
    contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    place integer NOT NULL,
    phone_id bigint NOT NULL REFERENCES phone,
    dead boolean NOT NULL DEFAULT false,
    PRIMARY KEY (contact_id, place),
    UNIQUE (contact_id, phone_id)
);
CREATE INDEX contact_phone_of_phone ON contact_phone (phone_id);

CREATE TABLE do_not_call (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    phone_id bigint NOT NULL REFERENCES phone,
    scope text NOT NULL CHECK (scope IN ('global', 'customer', 'campaign')),
    customer_id bigint REFERENCES customer,
    campaign_id bigint REFERENCES campaign,
    reason text NOT NULL DEFAULT '',
    added_by bigint REFERENCES app_user,    -- null: the callee, by key
    added_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((scope = 'customer') = (customer_id IS NOT NULL) AND (scope = 'campaign') = (campaign_id IS NOT NULL)),
    UNIQUE NULLS NOT DISTINCT (phone_id, scope, customer_id, campaign_id)
);

-- Attempts ----------------------------------------------------------------

CREATE TABLE engine_lease (
    switch text PRIMARY KEY,
    epoch bigint NOT NULL DEFAULT 0,
    holder jsonb,                           -- host, process id, its start time, boot id; null when released
    expires_at timestamptz NOT NULL DEFAULT 'epoch'
);

CREATE TABLE attempt_live (
    phone_id bigint PRIMARY KEY REFERENCES phone,  -- a phone is never in two live attempts
    attempt_id uuid NOT NULL UNIQUE,
    contact_id bigint NOT NULL REFERENCES contact,
    campaign_id bigint NOT NULL REFERENCES campaign,
    base_id bigint NOT NULL,
    switch text NOT NULL,
    epoch bigint NOT NULL,
    number integer NOT NULL,                -- ordinal at the contact
    counted integer NOT NULL,               -- earlier attempts that used up the limit
    profile text NOT NULL,
    profile_version integer NOT NULL,
    state text NOT NULL DEFAULT 'sent'
        CHECK (state IN ('sent', 'ringing', 'answered', 'offer', 'waiting', 'bridging', 'connected')),
    sent_at timestamptz NOT NULL,
    rang_at timestamptz,
    answered_at timestamptz,
    waiting_at timestamptz,
    operator_id bigint REFERENCES app_user,
    connected_at timestamptz,
    key text,                               -- the last one pressed in the offer
    callback_id bigint,                     -- the promise it keeps
    for_operator bigint,                    -- with whom it was promised
    ended_by text,                          -- who asked for the end, while the hangup is under way
    UNIQUE (contact_id)
);
-- Whose phone was lost is with nobody: the callee hears the message, and the operator may be back before it ends.
CREATE UNIQUE INDEX one_callee_per_operator ON attempt_live (operator_id)
    WHERE state IN ('bridging', 'connected') AND ended_by IS DISTINCT FROM 'phone_lost';
CREATE INDEX attempt_live_campaign ON attempt_live (campaign_id);

CREATE TABLE attempt (
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
    sent_at timestamptz NOT NULL,
    rang_at timestamptz,
    answered_at timestamptz,
    waiting_at timestamptz,
    operator_id bigint,
    connected_at timestamptz,
    ended_at timestamptz NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('connected', 'abandoned', 'early_hangup', 'offer_ended', 'no_answer', 'busy',
        'machine', 'invalid_number', 'congestion', 'rejected', 'failed', 'cancelled', 'not_sent', 'unknown')),
    ended_by text NOT NULL CHECK (ended_by IN ('callee', 'operator', 'service', 'switch_restart', 'phone_lost', 'lost')),
    cause integer,
    sip_code integer,
    key text,
    callback_id bigint,
    counts boolean NOT NULL,                -- uses up one of the contact's attempts
    legal_answered boolean NOT NULL,
    legal_abandoned boolean NOT NULL,
    PRIMARY KEY (sent_at, attempt_id),
    CHECK (outcome <> 'connected' OR (connected_at IS NOT NULL AND answered_at IS NOT NULL)),
    CHECK (legal_answered OR NOT legal_abandoned)
) PARTITION BY RANGE (sent_at);
CREATE TABLE attempt_other PARTITION OF attempt DEFAULT;
CREATE INDEX attempt_of_campaign ON attempt (campaign_id, sent_at);
CREATE INDEX attempt_of_phone ON attempt (phone_id, sent_at);
CREATE INDEX attempt_of_contact ON attempt (contact_id, sent_at);
CREATE INDEX attempt_by_id ON attempt (attempt_id);
CREATE INDEX attempt_of_operator ON attempt (operator_id, sent_at) WHERE operator_id IS NOT NULL;

-- Every attempt id that ever was, so that no partition can hold it twice.
CREATE TABLE attempt_end (
    attempt_id uuid PRIMARY KEY,
    ended_at timestamptz NOT NULL
);

-- Operators ---------------------------------------------------------------

CREATE TABLE operator_live (
    operator_id bigint PRIMARY KEY REFERENCES app_user,
    session_id uuid NOT NULL UNIQUE,
    switch text NOT NULL,
    seat text NOT NULL UNIQUE CHECK (seat ~ '^[a-z0-9_-]{1,32}$'),
    team_id bigint NOT NULL REFERENCES team,
    name text NOT NULL,
    state text NOT NULL CHECK (state IN ('ready', 'ringing', 'talking', 'wrap_up', 'paused')),
    since timestamptz NOT NULL,
    reason text,
    until timestamptz,
    campaign_id bigint,
    attempt_id uuid,
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE operator_interval (
    operator_id bigint NOT NULL,
    session_id uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('ready', 'ringing', 'talking', 'wrap_up', 'paused')),
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    reason text,
    campaign_id bigint,
    attempt_id uuid,
    PRIMARY KEY (started_at, operator_id),  -- an operator is in one state at a time; repeats are no-ops
    CHECK (ended_at >= started_at)
) PARTITION BY RANGE (started_at);
CREATE TABLE operator_interval_other PARTITION OF operator_interval DEFAULT;
CREATE INDEX operator_interval_of_operator ON operator_interval (operator_id, started_at);
CREATE INDEX operator_interval_of_campaign ON operator_interval (campaign_id, started_at);

-- Dispositions and promises -----------------------------------------------

CREATE TABLE disposition (
    attempt_id uuid PRIMARY KEY,            -- one per conversation
    key text NOT NULL UNIQUE,               -- idempotency key
    body_hash bytea NOT NULL,               -- the same key with other content is refused
    campaign_id bigint NOT NULL,
    contact_id bigint NOT NULL,
    operator_id bigint,                     -- null: the offer
    code text NOT NULL,
    result boolean NOT NULL,                -- flags as they were when it was saved
    closes boolean NOT NULL,
    decision_maker boolean NOT NULL,
    verdict text,
    reason text,
    address text,
    note text NOT NULL DEFAULT '',
    saved_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (campaign_id, code) REFERENCES disposition_kind (campaign_id, code)
);
CREATE INDEX disposition_of_campaign ON disposition (campaign_id, saved_at);
CREATE INDEX disposition_of_contact ON disposition (contact_id);

CREATE TABLE draft (
    attempt_id uuid PRIMARY KEY,
    operator_id bigint NOT NULL REFERENCES app_user,
    body jsonb NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE callback (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    contact_id bigint NOT NULL REFERENCES contact,
    campaign_id bigint NOT NULL REFERENCES campaign,
    phone_id bigint NOT NULL REFERENCES phone,
    made_by_attempt uuid UNIQUE,            -- one promise per conversation
    promised_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL,            -- as promised
    next_at timestamptz NOT NULL,           -- when it is tried next; later than due_at after a busy or no answer
    operator_id bigint REFERENCES app_user, -- null: anyone
    note text NOT NULL DEFAULT '',
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'kept', 'broken', 'cancelled', 'blocked')),
    closed_at timestamptz,
    closed_by bigint REFERENCES app_user,
    kept_by_attempt uuid,
    moves integer NOT NULL DEFAULT 0,
    CHECK ((state = 'pending') = (closed_at IS NULL))
);
CREATE UNIQUE INDEX one_pending_callback ON callback (contact_id) WHERE state = 'pending';
CREATE INDEX callback_due ON callback (campaign_id, next_at) WHERE state = 'pending';

-- Partitions of this and the next two months, made ahead: at start and daily. Rows of other months rest in the default
-- partition; a month it already holds rows of stays there.
CREATE FUNCTION make_partitions(today date) RETURNS integer LANGUAGE plpgsql AS $$
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

-- Facts are written once.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'facts are written once: % on % is refused', TG_OP, TG_TABLE_NAME;
END $$;
CREATE TRIGGER attempt_is_a_fact BEFORE UPDATE OR DELETE ON attempt FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER attempt_end_is_a_fact BEFORE UPDATE OR DELETE ON attempt_end FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER interval_is_a_fact BEFORE UPDATE OR DELETE ON operator_interval FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_is_a_fact BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
