-- migrate:up

-- Whether conversations are recorded, and what callees are told: nothing, by the operator or the offer before it, or asked first.
ALTER TABLE campaign ADD COLUMN recording text NOT NULL DEFAULT 'off' CHECK (recording IN ('off', 'on', 'told', 'consent'));
ALTER TABLE campaign ADD COLUMN recording_days integer NOT NULL DEFAULT 90 CHECK (recording_days BETWEEN 1 AND 3650);
-- Where recordings cannot be kept (a full disk): dial on without, or start no more calls.
ALTER TABLE campaign ADD COLUMN recording_stops boolean NOT NULL DEFAULT false;
ALTER TABLE campaign ADD COLUMN recording_operator boolean NOT NULL DEFAULT false;
ALTER TABLE campaign ADD COLUMN recording_customer boolean NOT NULL DEFAULT false;

-- Recordings of conversations, one row each from its first second on; no row: not recorded. What is deleted keeps its row, as
-- proof, and nothing that opens a copy of its file: the key of a file follows from the seed and a key outside the database.
CREATE TABLE recording (
    attempt_id uuid PRIMARY KEY,
    campaign_id bigint NOT NULL REFERENCES campaign,
    phone_id bigint NOT NULL REFERENCES phone,
    operator_id bigint REFERENCES app_user,
    switch text NOT NULL,
    state text NOT NULL DEFAULT 'recording' CHECK (state IN ('recording', 'stored', 'failed', 'deleted')),
    began_at timestamptz NOT NULL,
    stored_at timestamptz,
    seed bytea CHECK (length(seed) = 32),
    bytes bigint CHECK (bytes > 0),             -- as it is played
    duration_ms bigint CHECK (duration_ms > 0),
    why text CHECK (why IN ('no_file', 'empty', 'unreadable', 'retention', 'erasure', 'asked')),
    hold text CHECK (length(hold) BETWEEN 1 AND 500), -- why it must not be deleted: a legal hold
    deleted_at timestamptz,
    removed_at timestamptz,                     -- when its file was gone, too
    CHECK ((state = 'stored') = (seed IS NOT NULL)),
    CHECK (state <> 'stored' OR (stored_at IS NOT NULL AND bytes IS NOT NULL AND duration_ms IS NOT NULL)),
    CHECK ((state = 'failed' AND why IN ('no_file', 'empty', 'unreadable')) OR (state = 'deleted' AND why IN ('retention',
        'erasure', 'asked')) OR (state IN ('recording', 'stored') AND why IS NULL)),
    CHECK ((state = 'deleted') = (deleted_at IS NOT NULL)),
    CHECK (removed_at IS NULL OR state = 'deleted'),
    CONSTRAINT held_stays CHECK (hold IS NULL OR state <> 'deleted')
);
CREATE INDEX recording_open ON recording (switch, began_at) WHERE state = 'recording';
CREATE INDEX recording_to_remove ON recording (deleted_at) WHERE state = 'deleted' AND removed_at IS NULL;
CREATE INDEX recording_by_age ON recording (campaign_id, began_at) WHERE state = 'stored' AND hold IS NULL;
CREATE INDEX recording_of_phone ON recording (phone_id);

-- What is deleted or gone does not come back; what was stored is not written again.
CREATE FUNCTION recording_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> OLD.state AND NOT ((OLD.state = 'recording') OR (OLD.state = 'failed' AND NEW.state IN ('stored', 'deleted'))
        OR (OLD.state = 'stored' AND NEW.state = 'deleted')) THEN
        RAISE EXCEPTION 'a recording that is % becomes not %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER recording_moves BEFORE UPDATE ON recording FOR EACH ROW EXECUTE FUNCTION recording_moves();

-- Stretches of which there is no sound: the operator paused it, for the data of a card, or the callee had not agreed yet.
CREATE TABLE recording_pause (
    attempt_id uuid NOT NULL,
    paused_at timestamptz NOT NULL,
    resumed_at timestamptz CHECK (resumed_at >= paused_at),
    user_id bigint REFERENCES app_user,
    PRIMARY KEY (attempt_id, paused_at)
);
CREATE UNIQUE INDEX one_pause_at_a_time ON recording_pause (attempt_id) WHERE resumed_at IS NULL;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
