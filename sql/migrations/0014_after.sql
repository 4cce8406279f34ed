-- migrate:up

-- After the call: leads, and who is told of what.

-- A disposition that makes a lead.
ALTER TABLE disposition_kind ADD COLUMN makes_lead boolean NOT NULL DEFAULT false;
UPDATE disposition_kind SET makes_lead = true WHERE code = 'lead';

-- What holds for the leads of a campaign; no row: the defaults of the columns.
CREATE TABLE lead_rule (
    campaign_id bigint PRIMARY KEY REFERENCES campaign ON DELETE CASCADE,
    contact_within_s integer NOT NULL DEFAULT 86400 CHECK (contact_within_s BETWEEN 60 AND 2592000),
    currency text NOT NULL DEFAULT 'RUB' CHECK (currency ~ '^[A-Z]{3}$')
);

-- A named person who showed interest, made by a disposition in its transaction and handed to the customer. One for each
-- conversation, for ever. Names and texts are the person's and go with an erasure; everything else is a fact.
CREATE TABLE lead (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    attempt_id uuid NOT NULL UNIQUE REFERENCES disposition,
    contact_id bigint NOT NULL,
    campaign_id bigint NOT NULL REFERENCES campaign,
    customer_id bigint NOT NULL REFERENCES customer,
    phone_id bigint NOT NULL,
    operator_id bigint REFERENCES app_user,         -- null: the offer, by a key
    made_at timestamptz NOT NULL,
    person text NOT NULL DEFAULT '' CHECK (length(person) <= 200),
    company text NOT NULL DEFAULT '' CHECK (length(company) <= 200),
    company_key text,
    address text NOT NULL DEFAULT '' CHECK (length(address) <= 200),
    agreed text NOT NULL DEFAULT '' CHECK (length(agreed) <= 4000),
    owner_id bigint REFERENCES app_user,
    state text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'in_work', 'accepted', 'rejected', 'client')),
    due_at timestamptz NOT NULL,
    late_at timestamptz,                            -- when its lateness was told
    contacted_at timestamptz,
    decided_at timestamptz,
    reason text,
    client_at timestamptz,
    revenue numeric(13, 2) CHECK (revenue >= 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    duplicate_of bigint REFERENCES lead CHECK (duplicate_of < id),
    replaces bigint UNIQUE REFERENCES lead CHECK (replaces < id),
    CHECK ((state = 'new') = (contacted_at IS NULL)),
    CHECK ((state IN ('new', 'in_work')) = (decided_at IS NULL)),
    CHECK ((state = 'rejected') = (reason IS NOT NULL)),
    CHECK ((state = 'client') = (client_at IS NOT NULL)),
    CHECK (revenue IS NULL OR state = 'client'),
    CHECK (duplicate_of IS NULL OR replaces IS NULL)
);
CREATE INDEX lead_of_campaign ON lead (campaign_id, id);
CREATE INDEX lead_of_customer ON lead (customer_id, id);
CREATE INDEX lead_of_contact ON lead (contact_id);
CREATE INDEX lead_of_state ON lead (state, id);
CREATE INDEX lead_of_company ON lead (customer_id, company_key, id) WHERE company_key IS NOT NULL;
CREATE INDEX lead_waiting ON lead (due_at) WHERE state = 'new';
CREATE INDEX lead_rejected ON lead (campaign_id, decided_at, id) WHERE state = 'rejected';

-- The ways a lead may go, as core/leads has them; whose it is and what made it never changes.
CREATE FUNCTION lead_moves() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER lead_moves BEFORE UPDATE ON lead FOR EACH ROW EXECUTE FUNCTION lead_moves();
CREATE TRIGGER never_deleted BEFORE DELETE ON lead FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();

-- What happened to a lead, told once. Nobody means the service did it by rule.
CREATE TABLE lead_change (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lead_id bigint NOT NULL REFERENCES lead,
    at timestamptz NOT NULL,
    by_user bigint REFERENCES app_user,
    what text NOT NULL CHECK (what IN ('made', 'moved', 'given', 'changed', 'late', 'revenue')),
    before text,
    after text
);
CREATE INDEX lead_change_of_lead ON lead_change (lead_id, id);
CREATE TRIGGER change_is_a_fact BEFORE UPDATE OR DELETE ON lead_change FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Who wants to be told of what: a receiver of the customer's, of one campaign, or (neither) of everything. Its secret is not
-- here: it follows from the seed and a key outside the database.
CREATE TABLE webhook (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    url text NOT NULL CHECK (length(url) BETWEEN 8 AND 2000),
    customer_id bigint REFERENCES customer,
    campaign_id bigint REFERENCES campaign ON DELETE CASCADE,
    kinds text[] NOT NULL CHECK (cardinality(kinds) > 0 AND kinds <@ ARRAY['attempt.connected', 'attempt.ended', 'disposition.saved',
        'lead.made', 'lead.moved', 'lead.late', 'callback.promised', 'callback.changed', 'campaign.state']),
    seed bytea NOT NULL CHECK (length(seed) = 16),
    seed_before bytea CHECK (length(seed_before) = 16),  -- signs beside the new one until then
    seed_before_until timestamptz,
    made_by bigint REFERENCES app_user,
    made_at timestamptz NOT NULL DEFAULT now(),
    paused_at timestamptz,
    CHECK (customer_id IS NULL OR campaign_id IS NULL),
    CHECK ((seed_before IS NULL) = (seed_before_until IS NULL))
);

-- The outbox: what each receiver is still to be told, written in the transaction of the fact. No names, no numbers: ids, words and
-- times. The event's id is the same in every try, so that a receiver knows a repetition.
CREATE TABLE delivery (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook_id bigint NOT NULL REFERENCES webhook ON DELETE CASCADE,
    event_id uuid NOT NULL,
    kind text NOT NULL,
    campaign_id bigint,
    at timestamptz NOT NULL,
    body jsonb NOT NULL,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'given_up')),
    tries integer NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL DEFAULT '-infinity',
    status integer,                                 -- HTTP status of the last answer
    error text,                                     -- why the last try brought none
    closed_at timestamptz,
    UNIQUE (webhook_id, event_id),
    CHECK ((state = 'pending') = (closed_at IS NULL))
);
CREATE INDEX delivery_pending ON delivery (webhook_id, next_at, id) WHERE state = 'pending';
CREATE INDEX delivery_of_webhook ON delivery (webhook_id, id);
CREATE INDEX delivery_closed ON delivery (closed_at) WHERE state <> 'pending';

-- Tell whoever listens. Where nobody does, nothing is written. A receiver that is just being removed is neither told nor
-- waited for: no fact may fail, or be late, for its sake.
CREATE FUNCTION tell(event_kind text, of_campaign bigint, event uuid, happened_at timestamptz, told jsonb) RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO delivery (webhook_id, event_id, kind, campaign_id, at, body)
    SELECT w.id, event, event_kind, of_campaign, happened_at, told
    FROM webhook w
    WHERE event_kind = ANY(w.kinds) AND (w.campaign_id IS NULL OR w.campaign_id = of_campaign)
        AND (w.customer_id IS NULL OR w.customer_id = (SELECT c.customer_id FROM campaign c WHERE c.id = of_campaign))
    FOR KEY SHARE OF w SKIP LOCKED
    ON CONFLICT (webhook_id, event_id) DO NOTHING;
END $$;

-- Triggers, so that no way of writing a fact forgets to tell it, and none tells what is rolled back.
CREATE FUNCTION tell_disposition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tell('disposition.saved', NEW.campaign_id, gen_random_uuid(), NEW.saved_at, jsonb_build_object(
        'attempt_id', NEW.attempt_id, 'contact_id', NEW.contact_id, 'operator_id', NEW.operator_id, 'code', NEW.code,
        'reason', NEW.reason, 'result', NEW.result, 'closes', NEW.closes, 'decision_maker', NEW.decision_maker));
    RETURN NULL;
END $$;
CREATE TRIGGER tell AFTER INSERT ON disposition FOR EACH ROW EXECUTE FUNCTION tell_disposition();

CREATE FUNCTION tell_lead() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    event_kind text := CASE WHEN TG_OP = 'INSERT' THEN 'lead.made' WHEN NEW.state <> OLD.state THEN 'lead.moved'
        WHEN NEW.late_at IS DISTINCT FROM OLD.late_at THEN 'lead.late' END;
BEGIN
    IF event_kind IS NOT NULL THEN
        PERFORM tell(event_kind, NEW.campaign_id, gen_random_uuid(), CASE event_kind WHEN 'lead.made' THEN NEW.made_at ELSE now() END,
            jsonb_build_object('lead_id', NEW.id, 'attempt_id', NEW.attempt_id, 'contact_id', NEW.contact_id, 'state', NEW.state,
                'due_at', NEW.due_at, 'owner_id', NEW.owner_id, 'duplicate_of', NEW.duplicate_of, 'replaces', NEW.replaces,
                'revenue', NEW.revenue::text, 'currency', NEW.currency));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER tell AFTER INSERT OR UPDATE OF state, late_at ON lead FOR EACH ROW EXECUTE FUNCTION tell_lead();

CREATE FUNCTION tell_callback() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.state, NEW.due_at, NEW.operator_id) IS NOT DISTINCT FROM (OLD.state, OLD.due_at, OLD.operator_id) THEN
        RETURN NULL;
    END IF;
    PERFORM tell(CASE TG_OP WHEN 'INSERT' THEN 'callback.promised' ELSE 'callback.changed' END, NEW.campaign_id, gen_random_uuid(), now(),
        jsonb_build_object('callback_id', NEW.id, 'contact_id', NEW.contact_id, 'state', NEW.state, 'due_at', NEW.due_at,
            'operator_id', NEW.operator_id, 'made_by_attempt', NEW.made_by_attempt, 'kept_by_attempt', NEW.kept_by_attempt));
    RETURN NULL;
END $$;
CREATE TRIGGER tell AFTER INSERT OR UPDATE OF state, due_at, operator_id ON callback FOR EACH ROW EXECUTE FUNCTION tell_callback();

CREATE FUNCTION tell_campaign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tell('campaign.state', NEW.id, gen_random_uuid(), now(), jsonb_build_object('state', NEW.state, 'before', OLD.state));
    RETURN NULL;
END $$;
CREATE TRIGGER tell AFTER UPDATE OF state ON campaign FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION tell_campaign();

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
