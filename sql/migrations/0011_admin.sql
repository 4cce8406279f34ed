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

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
