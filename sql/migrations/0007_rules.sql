-- migrate:up

-- Whether a disposition is a refusal: a flag like the others, that profiles have a rule about.
ALTER TABLE disposition_kind ADD COLUMN refusal boolean NOT NULL DEFAULT false;
UPDATE disposition_kind SET refusal = true WHERE code LIKE 'refused\_%';

-- What was said last at a number to a customer, by class of disposition: so long nobody calls it for that customer. Written
-- for every number of the contact, under their locks.
CREATE TABLE disposition_rest (
    phone_id bigint NOT NULL REFERENCES phone,
    customer_id bigint NOT NULL REFERENCES customer,
    class text NOT NULL CHECK (class IN ('result', 'refusal', 'stale', 'off_target')),
    said_at timestamptz NOT NULL,
    rests_until timestamptz NOT NULL,       -- by the rules it was said under; another campaign's may hold longer
    PRIMARY KEY (phone_id, customer_id, class)
);

-- Where the customer is: the rules of that country hold beside those of the campaign and of the callee.
ALTER TABLE customer ADD COLUMN country text CHECK (country ~ '^[A-Z]{2}$');

-- The countries of a contact's numbers, whose rules hold beside the campaign's.
ALTER TABLE lane
    ADD COLUMN countries text[] NOT NULL DEFAULT '{}',
    DROP CONSTRAINT lane_base_id_zones_priority_key,
    ADD CONSTRAINT lane_once UNIQUE (base_id, zones, priority, countries);

-- Consent may come with a base; undoing the load takes it back. Its phone is not checked: phones are never deleted, and a
-- load would hold the lock of each until its commit.
ALTER TABLE consent
    ADD COLUMN base_id bigint REFERENCES base,
    DROP CONSTRAINT consent_phone_id_fkey,
    DROP CONSTRAINT consent_channel_check,
    ADD CONSTRAINT consent_channel_check CHECK (channel IN ('web', 'paper', 'voice', 'message', 'in_person', 'file'));
CREATE INDEX consent_of_base ON consent (base_id) WHERE base_id IS NOT NULL;

-- Files of do-not-call numbers: each is taken once, and can be taken back. Whatever a person or another file names too stays
-- when the file is taken back: its entries lose their file.
CREATE TABLE do_not_call_file (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    file_hash bytea NOT NULL,
    scope text NOT NULL CHECK (scope IN ('global', 'customer', 'campaign')),
    customer_id bigint REFERENCES customer,
    campaign_id bigint REFERENCES campaign,
    rows_in integer NOT NULL,
    rows_added integer NOT NULL,
    rows_known integer NOT NULL,            -- forbidden already, or in an earlier row
    rows_rejected integer NOT NULL,
    taken_at timestamptz NOT NULL,
    taken_by bigint REFERENCES app_user,
    undone_at timestamptz,
    undone_by bigint REFERENCES app_user,
    CHECK (rows_in = rows_added + rows_known + rows_rejected),
    CHECK ((scope = 'customer') = (customer_id IS NOT NULL) AND (scope = 'campaign') = (campaign_id IS NOT NULL))
);
CREATE UNIQUE INDEX do_not_call_file_once ON do_not_call_file (file_hash, scope, customer_id, campaign_id) NULLS NOT DISTINCT
    WHERE undone_at IS NULL;
ALTER TABLE do_not_call ADD COLUMN file_id bigint REFERENCES do_not_call_file;
CREATE INDEX do_not_call_of_file ON do_not_call (file_id) WHERE file_id IS NOT NULL;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
