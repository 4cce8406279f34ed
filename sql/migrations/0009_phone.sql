-- migrate:up

-- Whose seat is whose: given at login, taken back from people who left. The secrets are not here.
CREATE TABLE seat (
    switch text NOT NULL,
    name text NOT NULL CHECK (name ~ '^[a-z0-9_-]{1,28}$'),
    user_id bigint NOT NULL UNIQUE REFERENCES app_user ON DELETE CASCADE,
    given_at timestamptz NOT NULL DEFAULT now(),
    shown text,                             -- mark of the desk phone's secret this user was shown, once; the seat stays his
    PRIMARY KEY (switch, name)
);

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
