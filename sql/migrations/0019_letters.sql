-- migrate:up

-- Letters after a conversation.

-- Which letter a disposition brings: of the campaign's templates; null: none.
ALTER TABLE disposition_kind ADD COLUMN letter text CHECK (letter ~ '^[a-z0-9_]{1,40}$');
UPDATE disposition_kind SET letter = 'lead' WHERE code = 'lead';
UPDATE disposition_kind SET letter = 'proposal' WHERE code IN ('email_decision_maker', 'email_cold');

-- What holds for the letters of a campaign; no row: none are written.
CREATE TABLE letter_rule (
    campaign_id bigint PRIMARY KEY REFERENCES campaign ON DELETE CASCADE,
    mode text NOT NULL CHECK (mode IN ('off', 'send', 'list')),
    language text NOT NULL CHECK (language IN ('ru', 'en')),
    per_hour integer NOT NULL CHECK (per_hour BETWEEN 1 AND 100000),
    per_day integer NOT NULL CHECK (per_day BETWEEN 1 AND 1000000),
    unanswered_max integer NOT NULL CHECK (unanswered_max BETWEEN 1 AND 1000),
    terms_days integer CHECK (terms_days BETWEEN 1 AND 3660),
    manager text NOT NULL CHECK (length(manager) <= 500),
    unsubscribe_scope text NOT NULL CHECK (unsubscribe_scope IN ('global', 'customer', 'campaign'))
);

-- In whose name the letters of a customer go, and where answers to them go.
CREATE TABLE letter_sender (
    customer_id bigint PRIMARY KEY REFERENCES customer,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    address text NOT NULL CHECK (address ~ '^[^[:space:][:cntrl:]<>,;]+@[a-z0-9.-]+$' AND length(address) <= 254),
    reply_to text CHECK (reply_to ~ '^[^[:space:][:cntrl:]<>,;]+@[a-z0-9.-]+$' AND length(reply_to) <= 254)
);

-- What a letter says, every version for ever.
CREATE TABLE letter_template (
    campaign_id bigint NOT NULL REFERENCES campaign ON DELETE CASCADE,
    word text NOT NULL CHECK (word ~ '^[a-z0-9_]{1,40}$'),
    language text NOT NULL CHECK (language IN ('ru', 'en')),
    version integer NOT NULL CHECK (version > 0),
    subject text NOT NULL CHECK (length(subject) <= 500),
    body text NOT NULL CHECK (length(body) <= 20000),
    saved_at timestamptz NOT NULL,
    saved_by bigint REFERENCES app_user,
    PRIMARY KEY (campaign_id, word, language, version)
);
CREATE TRIGGER template_is_kept BEFORE UPDATE ON letter_template FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Letters that are fetched instead of being sent, as they were cut.
CREATE TABLE letter_list (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign_id bigint NOT NULL REFERENCES campaign,
    cut_at timestamptz NOT NULL,
    fetched_at timestamptz,
    UNIQUE (campaign_id, cut_at)
);

-- The outbox of letters, written in the transaction of the disposition; one for each conversation at most. What was sent stays,
-- until the person is erased. The Message-ID follows from message_id and is the same in every try.
CREATE TABLE letter (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    attempt_id uuid NOT NULL UNIQUE REFERENCES disposition,
    contact_id bigint NOT NULL,
    campaign_id bigint NOT NULL REFERENCES campaign,
    customer_id bigint NOT NULL REFERENCES customer,
    word text NOT NULL,
    language text NOT NULL CHECK (language IN ('ru', 'en')),
    address text NOT NULL CHECK (length(address) <= 254),
    made_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'listed', 'refused', 'bounced', 'given_up')),
    reason text,                                    -- a word of ours: why it was refused, given up, or is tried again
    detail text NOT NULL DEFAULT '' CHECK (length(detail) <= 500), -- what the mail server said, or which fields are missing
    template_version integer,                       -- 0: the text nobody has changed
    subject text,
    body text,
    tries integer NOT NULL DEFAULT 0,
    tried_at timestamptz,
    next_at timestamptz NOT NULL DEFAULT '-infinity',
    closed_at timestamptz,
    sent_at timestamptz,
    list_id bigint REFERENCES letter_list,
    bounced_at timestamptz,
    answered_at timestamptz,
    unsubscribed_at timestamptz,
    CHECK ((state = 'waiting') = (closed_at IS NULL)),
    CHECK ((state = 'listed') = (list_id IS NOT NULL)),
    CHECK (state <> 'sent' OR sent_at IS NOT NULL),
    CHECK (state NOT IN ('refused', 'given_up') OR reason IS NOT NULL)
);
CREATE INDEX letter_waiting ON letter (campaign_id, next_at, id) WHERE state = 'waiting';
CREATE INDEX letter_tried ON letter (campaign_id, tried_at) WHERE tried_at IS NOT NULL;
CREATE INDEX letter_of_campaign ON letter (campaign_id, id);
CREATE INDEX letter_of_contact ON letter (contact_id, id);
CREATE INDEX letter_of_state ON letter (state, id);
CREATE INDEX letter_of_address ON letter (lower(address), customer_id);
CREATE INDEX letter_of_list ON letter (list_id, id) WHERE list_id IS NOT NULL;
CREATE TRIGGER never_deleted BEFORE DELETE ON letter FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();

-- Addresses that get no letters: of anybody, of a customer, or of a campaign.
CREATE TABLE letter_stop (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    address text NOT NULL CHECK (address = lower(address) AND length(address) <= 254),
    scope text NOT NULL CHECK (scope IN ('global', 'customer', 'campaign')),
    customer_id bigint REFERENCES customer,
    campaign_id bigint REFERENCES campaign,
    why text NOT NULL CHECK (why IN ('unsubscribed', 'bounced', 'asked')),
    letter_id bigint REFERENCES letter,
    added_by bigint REFERENCES app_user,            -- null: the addressee, or a mail server
    added_at timestamptz NOT NULL,
    CHECK ((scope = 'customer') = (customer_id IS NOT NULL) AND (scope = 'campaign') = (campaign_id IS NOT NULL)),
    UNIQUE NULLS NOT DISTINCT (address, scope, customer_id, campaign_id)
);

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
