-- migrate:up

-- Whether an operator sees a supervisor who only listens; one who can be heard is always shown.
ALTER TABLE campaign ADD COLUMN listening_shown boolean NOT NULL DEFAULT true;

-- Supervisors who heard conversations: written before their phone is called, ended once. The audit log has each step too.
CREATE TABLE listening (
    id uuid PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES app_user,
    operator_id bigint NOT NULL REFERENCES app_user,
    attempt_id uuid NOT NULL,
    switch text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('listen', 'whisper', 'join')), -- the first one
    shown boolean NOT NULL,
    began_at timestamptz NOT NULL,
    ended_at timestamptz,
    how text CHECK (how IN ('conversation', 'phone_lost', 'hung_up', 'not_answered', 'stopped', 'moved', 'page_gone', 'service',
        'refused')),
    CHECK ((ended_at IS NULL) = (how IS NULL)),
    CHECK (ended_at >= began_at)
);
CREATE INDEX listening_open ON listening (switch) WHERE ended_at IS NULL;
CREATE INDEX listening_of_attempt ON listening (attempt_id);

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
