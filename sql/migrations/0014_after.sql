-- migrate:up

-- After the call: leads.

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

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
