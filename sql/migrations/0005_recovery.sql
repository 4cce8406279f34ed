-- migrate:up

-- What an operator asked for while a call or the abandonment budget held him: it must outlive a crash.
ALTER TABLE operator_live ADD COLUMN pause_after text, ADD COLUMN leaving boolean NOT NULL DEFAULT false;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
