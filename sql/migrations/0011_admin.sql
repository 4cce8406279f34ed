-- migrate:up

-- What an admin sets for the whole installation; what is absent is the default.
CREATE TABLE app_setting (
    name text PRIMARY KEY CHECK (name ~ '^[a-z_]{1,60}$'),
    value jsonb NOT NULL
);

-- The second factor of a login. The secret itself is not here: it follows from the seed and a key outside the database.
CREATE TABLE second_factor (
    user_id bigint PRIMARY KEY REFERENCES app_user ON DELETE CASCADE,
    seed bytea NOT NULL CHECK (length(seed) = 16),
    began_at timestamptz NOT NULL DEFAULT now(),
    confirmed_at timestamptz,               -- null: set up, no code shown yet; asked for at no login
    last_step bigint NOT NULL DEFAULT 0     -- a code of this step or an earlier one was used: none is good twice
);
CREATE TABLE recovery_code (
    code_hash bytea PRIMARY KEY CHECK (length(code_hash) = 32),
    user_id bigint NOT NULL REFERENCES second_factor ON DELETE CASCADE,
    used_at timestamptz
);
CREATE INDEX recovery_code_of_user ON recovery_code (user_id);

-- Every version of a script stays: an attempt showed the one that was in force when it was connected.
CREATE TABLE script_version (
    campaign_id bigint NOT NULL REFERENCES campaign ON DELETE CASCADE,
    version integer NOT NULL CHECK (version > 0),
    brief text NOT NULL DEFAULT '',
    body jsonb NOT NULL DEFAULT '{}',       -- steps with answers, objections, where to begin by kind of contact
    saved_at timestamptz NOT NULL DEFAULT now(),
    saved_by bigint REFERENCES app_user,
    PRIMARY KEY (campaign_id, version)
);
INSERT INTO script_version (campaign_id, version, brief, body, saved_at)
SELECT s.campaign_id, 1, s.brief, s.body, c.created_at FROM campaign_script s JOIN campaign c ON c.id = s.campaign_id;
DROP TABLE campaign_script;
CREATE TRIGGER version_is_a_fact BEFORE UPDATE ON script_version FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A disposition keeps its code and with it its numbers: it is renamed, moved, given another key or colour, and archived
-- instead of deleted.
ALTER TABLE disposition_kind
    ADD COLUMN key text CHECK (key ~ '^[0-9]$'),
    ADD COLUMN colour text CHECK (colour IN ('success', 'callback', 'refusal', 'bad_number', 'technical')),
    ADD COLUMN archived_at timestamptz,
    DROP CONSTRAINT disposition_kind_campaign_id_place_key,
    ADD CONSTRAINT disposition_kind_place UNIQUE (campaign_id, place) DEFERRABLE INITIALLY DEFERRED;
UPDATE disposition_kind SET key = (place + 1) % 10 WHERE place < 10;
CREATE UNIQUE INDEX disposition_kind_key ON disposition_kind (campaign_id, key) WHERE archived_at IS NULL;

-- Recorded offers, as the line carries them: 8 kHz u-law, 8,000 bytes a second. The switch plays copies of these. An offer
-- is never changed: what an attempt played can be heard again.
CREATE SEQUENCE offer_word;
CREATE TABLE offer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    word text NOT NULL UNIQUE CHECK (word ~ '^[a-z0-9_]{1,32}$'), -- campaigns name it so, files too; never what a user typed
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    spoken text NOT NULL DEFAULT '',        -- the text a voice was made of; empty: a recording
    language text NOT NULL DEFAULT '' CHECK (language IN ('', 'en', 'ru')),
    audio bytea NOT NULL CHECK (length(audio) BETWEEN 4000 AND 1440000),
    made_at timestamptz NOT NULL DEFAULT now(),
    made_by bigint REFERENCES app_user,
    archived_at timestamptz
);

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
