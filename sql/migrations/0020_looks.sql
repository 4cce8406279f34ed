-- migrate:up

-- Looks of a period, and those of one campaign in it.
CREATE INDEX preview_end_by_time ON preview_end (ended_at, preview_id);
CREATE INDEX preview_end_of_campaign ON preview_end (campaign_id, ended_at, preview_id);

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
