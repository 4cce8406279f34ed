-- migrate:up

-- Live control of pacing: what supervisors turn, under the cap that admins and the law set.
ALTER TABLE campaign
    ADD COLUMN target_permille integer CHECK (target_permille BETWEEN 0 AND 50), -- null: the cap itself
    ADD COLUMN caution real NOT NULL DEFAULT 1 CHECK (caution BETWEEN 0.1 AND 10),
    ADD COLUMN budget_mode text NOT NULL DEFAULT 'strict' CHECK (budget_mode IN ('strict', 'probable'));

-- Why a campaign dialled as it did, minute by minute, with all a decision was made from: it can be made again.
CREATE TABLE pacing_minute (
    campaign_id bigint NOT NULL REFERENCES campaign ON DELETE CASCADE,
    minute timestamptz NOT NULL,
    decided_at timestamptz NOT NULL,        -- of the minute's last decision, which the rest is about
    calls integer NOT NULL,                 -- new calls it allowed
    target integer NOT NULL,                -- lines in flight with them
    reason text NOT NULL,                   -- the limiting rule
    sentence jsonb NOT NULL,                -- language -> sentence
    inputs jsonb NOT NULL,                  -- snapshot, learned, policy
    decisions integer NOT NULL,             -- in this minute
    placed integer NOT NULL,                -- calls all of them allowed
    reasons jsonb NOT NULL,                 -- limiting rule -> decisions
    PRIMARY KEY (campaign_id, minute)
);

-- What pacing learned, kept over restarts and days.
CREATE TABLE pacing_learned (
    of_kind text NOT NULL CHECK (of_kind IN ('campaign', 'team')),
    of_id bigint NOT NULL,
    state jsonb NOT NULL,
    saved_at timestamptz NOT NULL,
    PRIMARY KEY (of_kind, of_id)
);

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
