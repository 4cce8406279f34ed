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

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
