-- migrate:up

-- Operators who type a number and call it, for a campaign that allows it.
ALTER TABLE campaign ADD COLUMN manual boolean NOT NULL DEFAULT false;
ALTER TABLE campaign ADD CONSTRAINT manual_needs_operators CHECK (NOT (manual AND operator_free));

-- Of the calls that operators asked for: the number was typed.
ALTER TABLE attempt_live ADD COLUMN manual boolean NOT NULL DEFAULT false;
ALTER TABLE attempt ADD COLUMN manual boolean NOT NULL DEFAULT false;
ALTER TABLE attempt_live ADD CONSTRAINT manual_is_asked CHECK (asked OR NOT manual);
ALTER TABLE attempt ADD CONSTRAINT manual_is_asked CHECK (asked OR NOT manual);

-- Numbers nobody had become contacts of a base of their own; who added one, and when, is its first attempt.
ALTER TABLE base ADD COLUMN by_hand boolean NOT NULL DEFAULT false;
CREATE UNIQUE INDEX base_by_hand ON base (campaign_id) WHERE by_hand;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
