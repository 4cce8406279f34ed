-- migrate:up

-- What a campaign calls for decides which calls its profile allows. Its override can only tighten the profile; what two
-- admins agreed to loosen stands apart, with both names.
ALTER TABLE campaign
    ADD COLUMN purpose text NOT NULL DEFAULT 'marketing' CHECK (purpose IN ('marketing', 'survey', 'service', 'debt')),
    ADD COLUMN override jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN loosened jsonb NOT NULL DEFAULT '{}';

CREATE TABLE loosening (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign_id bigint NOT NULL REFERENCES campaign,
    changes jsonb NOT NULL,
    reason text NOT NULL CHECK (length(reason) >= 10),
    asked_by bigint NOT NULL REFERENCES app_user,
    asked_at timestamptz NOT NULL DEFAULT now(),
    approved_by bigint REFERENCES app_user,
    approved_at timestamptz,
    CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    -- A second admin, or, where there is none, the same one a day later.
    CONSTRAINT loosening_by_two CHECK (approved_by <> asked_by OR approved_at >= asked_at + interval '24 hours')
);

-- Do-not-call registers of states, imported whole; how old an import may be is the profile's to say.
CREATE TABLE national_list (
    name text PRIMARY KEY CHECK (name ~ '^[a-z0-9-]{1,32}$'),
    imported_at timestamptz NOT NULL,
    imported_by bigint REFERENCES app_user,
    numbers integer NOT NULL
);
CREATE TABLE national_number (
    e164 text NOT NULL,
    list text NOT NULL REFERENCES national_list,
    PRIMARY KEY (e164, list)
);

-- Who agreed to be called, by whom, for what, and how it is proven. Withdrawn or expired it counts as do-not-call.
CREATE TABLE consent (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    phone_id bigint NOT NULL REFERENCES phone,
    customer_id bigint NOT NULL REFERENCES customer,
    purpose text NOT NULL CHECK (purpose IN ('marketing', 'survey', 'service', 'debt')),
    wording text NOT NULL,                  -- version of the text that was agreed to
    channel text NOT NULL CHECK (channel IN ('web', 'paper', 'voice', 'message', 'in_person')),
    given_at timestamptz NOT NULL,
    evidence text NOT NULL DEFAULT '',      -- where it is kept
    evidence_hash bytea NOT NULL CHECK (length(evidence_hash) = 32), -- SHA-256 of what proves it
    expires_at timestamptz NOT NULL DEFAULT 'infinity',
    withdrawn_at timestamptz,
    added_by bigint REFERENCES app_user,
    added_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (phone_id, customer_id, purpose, evidence_hash),
    CHECK (expires_at > given_at)
);

-- After an abandoned call the number rests longer than after another one, unless an operator is held for the next.
ALTER TABLE phone ADD COLUMN held_until timestamptz NOT NULL DEFAULT '-infinity';

-- A number that was erased keeps its row, for the facts that name it, and nothing that tells whose it was.
ALTER TABLE phone DROP CONSTRAINT phone_e164_check;
ALTER TABLE phone ADD CONSTRAINT phone_e164_check CHECK (e164 ~ '^(\+[1-9][0-9]{6,14}|erased:[0-9]+)$');
ALTER TABLE contact DROP CONSTRAINT contact_closed_by_check;
ALTER TABLE contact ADD CONSTRAINT contact_closed_by_check
    CHECK (closed_by IN ('disposition', 'used_up', 'dead', 'erased'));

-- Erased numbers stay suppressed: their keyed hashes. The key is the service's (a setting of its connections), never here.
CREATE TABLE suppression (
    hash bytea PRIMARY KEY,
    erased_at timestamptz NOT NULL
);

CREATE FUNCTION suppression_hash(e164 text) RETURNS bytea LANGUAGE plpgsql STABLE AS $$
DECLARE
    key bytea := decode(nullif(current_setting('dialer.suppression_key', true), ''), 'hex');
BEGIN
    IF key IS NULL THEN
        RAISE EXCEPTION 'the suppression key is not set on this connection' USING ERRCODE = 'DI001';
    END IF;
    RETURN sha256(key || sha256(key || convert_to(e164, 'UTF8')));
END $$;

-- Whoever comes back in a file after an erasure is forbidden before anybody can take the number. Costs nothing while
-- nobody was erased.
CREATE FUNCTION suppress_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM suppression) THEN
        INSERT INTO do_not_call (phone_id, scope, reason)
        SELECT n.id, 'global', 'erased' FROM new_phones n JOIN suppression s ON s.hash = suppression_hash(n.e164)
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER suppress_erased AFTER INSERT ON phone REFERENCING NEW TABLE AS new_phones
    FOR EACH STATEMENT EXECUTE FUNCTION suppress_erased();

-- The order of bases, and their passes: each begins with some outcomes going again.
ALTER TABLE base
    ADD COLUMN priority integer NOT NULL DEFAULT 0 CHECK (priority BETWEEN 0 AND 9), -- 9 first
    ADD COLUMN pass integer NOT NULL DEFAULT 1;
CREATE TABLE base_pass (
    base_id bigint NOT NULL REFERENCES base,
    pass integer NOT NULL CHECK (pass > 1), -- the first pass is the load
    started_at timestamptz NOT NULL,
    started_by bigint REFERENCES app_user,
    outcomes text[] NOT NULL,
    dispositions text[] NOT NULL,
    contacts integer NOT NULL,
    PRIMARY KEY (base_id, pass)
);

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
