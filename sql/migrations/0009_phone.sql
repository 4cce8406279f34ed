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

-- Why operators pause, in the order of the page, and how long a day each may be.
CREATE TABLE pause_kind (
    code text PRIMARY KEY CHECK (code ~ '^[a-z0-9_-]{1,40}$'),
    place integer NOT NULL UNIQUE,
    name_ru text NOT NULL,
    name_en text NOT NULL,
    allowed_s integer CHECK (allowed_s > 0) -- null: as long as it takes
);
INSERT INTO pause_kind (code, place, name_ru, name_en, allowed_s) VALUES
    ('break', 1, 'Перерыв', 'Break', 1800),
    ('lunch', 2, 'Обед', 'Lunch', 2700),
    ('meeting', 3, 'Совещание', 'Meeting', NULL),
    ('other', 4, 'Другое', 'Other', 900);

-- What a campaign is about and what is said in it; operators, supervisors and the customer read the same.
CREATE TABLE campaign_script (
    campaign_id bigint PRIMARY KEY REFERENCES campaign ON DELETE CASCADE,
    brief text NOT NULL DEFAULT '',
    body jsonb NOT NULL DEFAULT '{}'        -- steps with answers, objections, where to begin by kind of contact
);

-- Each "+30 s" of a wrap-up.
CREATE TABLE wrap_up_extension (
    operator_id bigint NOT NULL REFERENCES app_user,
    attempt_id uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (operator_id, at)
);

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
