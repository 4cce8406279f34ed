-- migrate:up

-- A load can be undone while nobody of it was called, and the file then be loaded again.
ALTER TABLE base
    ADD COLUMN rows_updated integer NOT NULL DEFAULT 0,   -- changed a contact that was there already
    ADD COLUMN rows_withdrawn integer NOT NULL DEFAULT 0, -- of rows_loaded: taken back before anybody called them
    ADD COLUMN undone_at timestamptz,
    ADD COLUMN copy integer NOT NULL DEFAULT 0,           -- above 0: the same file, loaded again on purpose
    DROP CONSTRAINT base_check,
    DROP CONSTRAINT base_campaign_id_file_hash_key,
    ADD CONSTRAINT base_rows CHECK (rows_in = rows_loaded + rows_updated + rows_rejected),
    ADD CONSTRAINT base_withdrawn CHECK (rows_withdrawn BETWEEN 0 AND rows_loaded),
    ADD CONSTRAINT base_undone CHECK (undone_at IS NULL OR rows_withdrawn = rows_loaded);
CREATE UNIQUE INDEX base_of_file ON base (campaign_id, file_hash, copy) WHERE undone_at IS NULL; -- no second copy

-- One key instead of three: a contact's base and campaign are those of its lane. Checking keys is most of what a contact costs.
ALTER TABLE lane ADD CONSTRAINT lane_place UNIQUE (id, base_id, campaign_id);
ALTER TABLE contact
    DROP CONSTRAINT contact_base_id_fkey,
    DROP CONSTRAINT contact_campaign_id_fkey,
    DROP CONSTRAINT contact_lane_id_fkey,
    ADD CONSTRAINT contact_in_lane FOREIGN KEY (lane_id, base_id, campaign_id) REFERENCES lane (id, base_id, campaign_id);

-- What a load found in a contact that it changed, so that undoing it can put that back.
CREATE TABLE base_change (
    base_id bigint NOT NULL REFERENCES base,
    contact_id bigint NOT NULL REFERENCES contact ON DELETE CASCADE,
    name text NOT NULL,
    attributes jsonb NOT NULL,
    PRIMARY KEY (base_id, contact_id)
);
CREATE INDEX base_change_of_contact ON base_change (contact_id);
CREATE INDEX callback_of_contact ON callback (contact_id); -- contacts are deleted when a load is undone

-- A file on its way to be a base: uploaded, looked at, rehearsed, loaded. Its bytes lie in the service's folder.
CREATE TABLE base_file (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign_id bigint NOT NULL REFERENCES campaign,
    name text NOT NULL,
    file_hash bytea NOT NULL,
    bytes bigint NOT NULL,
    state text NOT NULL DEFAULT 'new'
        CHECK (state IN ('new', 'looking', 'ready', 'rehearsing', 'rehearsed', 'loading', 'loaded', 'failed')),
    found jsonb NOT NULL DEFAULT '{}',      -- plan, sheets and sample
    report jsonb NOT NULL DEFAULT '{}',     -- of the last rehearsal or load
    progress jsonb NOT NULL DEFAULT '{}',
    error jsonb,
    base_id bigint REFERENCES base,
    created_by bigint REFERENCES app_user,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now() -- a worker that is silent for long is dead
);

-- How files of a supplier are read.
CREATE TABLE base_template (
    name text PRIMARY KEY,
    template jsonb NOT NULL,
    saved_by bigint REFERENCES app_user,
    saved_at timestamptz NOT NULL DEFAULT now()
);

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
