-- migrate:up

-- A person sees the own sessions and ends one: a number to name it by, and from where it is.
ALTER TABLE web_session
    ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    ADD COLUMN ip text NOT NULL DEFAULT '',
    ADD COLUMN agent text NOT NULL DEFAULT '';
CREATE INDEX web_session_of_user ON web_session (user_id);

-- Programs come with a token of their own: shown once, kept as a hash, for some of what its user may, until a day.
CREATE TABLE api_token (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    user_id bigint NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    scopes text[] NOT NULL CHECK (scopes <@ ARRAY['read', 'pacing', 'bases', 'do_not_call', 'callbacks'] AND cardinality(scopes) > 0),
    addresses inet[] NOT NULL DEFAULT '{}',
    made_by bigint REFERENCES app_user (id),
    made_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT api_token_year CHECK (expires_at <= made_at + interval '366 days')
);
CREATE INDEX api_token_of_user ON api_token (user_id);

-- The audit log is read by its newest rows, by action and by person.
CREATE INDEX audit_of_action ON audit (action, id);
CREATE INDEX audit_of_user ON audit (user_id, id);

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
