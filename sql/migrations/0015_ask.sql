-- migrate:up

-- Operators who look before a call is made.
ALTER TABLE campaign DROP CONSTRAINT campaign_mode_check;
ALTER TABLE campaign ADD CONSTRAINT campaign_mode_check CHECK (mode IN ('progressive', 'predictive', 'ivr', 'preview'));
ALTER TABLE campaign
    ADD COLUMN preview_s integer NOT NULL DEFAULT 60 CHECK (preview_s BETWEEN 5 AND 600),
    ADD COLUMN preview_calls boolean NOT NULL DEFAULT false; -- what nobody decides in time is called, and not skipped

ALTER TABLE operator_live DROP CONSTRAINT operator_live_state_check;
ALTER TABLE operator_live ADD CONSTRAINT operator_live_state_check
    CHECK (state IN ('ready', 'ringing', 'talking', 'wrap_up', 'paused', 'preview'));
ALTER TABLE operator_interval DROP CONSTRAINT operator_interval_state_check;
ALTER TABLE operator_interval ADD CONSTRAINT operator_interval_state_check
    CHECK (state IN ('ready', 'ringing', 'talking', 'wrap_up', 'paused', 'preview'));

-- An operator asked for this call and waits for it: it needs no cover, and is outside of the abandonment budget.
ALTER TABLE attempt_live ADD COLUMN asked boolean NOT NULL DEFAULT false;
ALTER TABLE attempt ADD COLUMN asked boolean NOT NULL DEFAULT false;

-- Contacts that operators look at. Nobody else takes the contact or its number meanwhile; the id becomes the attempt's.
CREATE TABLE preview (
    phone_id bigint PRIMARY KEY REFERENCES phone,
    preview_id uuid NOT NULL UNIQUE,
    contact_id bigint NOT NULL UNIQUE REFERENCES contact ON DELETE CASCADE, -- its load may be taken back meanwhile
    campaign_id bigint NOT NULL REFERENCES campaign,
    operator_id bigint NOT NULL UNIQUE REFERENCES app_user,
    switch text NOT NULL,
    offered_at timestamptz NOT NULL
);

-- How each look ended.
CREATE TABLE preview_end (
    preview_id uuid PRIMARY KEY,
    operator_id bigint NOT NULL,
    campaign_id bigint NOT NULL,
    contact_id bigint NOT NULL,
    offered_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    how text NOT NULL CHECK (how IN ('called', 'skipped', 'expired', 'refused', 'returned')),
    reason text NOT NULL DEFAULT '',
    CHECK (ended_at >= offered_at)
);
CREATE INDEX preview_end_of_operator ON preview_end (operator_id, ended_at);
CREATE TRIGGER preview_end_is_a_fact BEFORE UPDATE OR DELETE ON preview_end FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
