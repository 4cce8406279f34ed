-- migrate:up

-- Baskets of a campaign's leads: by warmth, accuracy and product, each with its owner and its deadline. Rules are data, asked in
-- their order; what none of them takes is in 'common', which every campaign has.
CREATE TABLE basket (
    campaign_id bigint NOT NULL REFERENCES campaign ON DELETE CASCADE,
    code text NOT NULL CHECK (code ~ '^[a-z0-9_]{1,40}$'),
    place integer NOT NULL,
    name_ru text NOT NULL CHECK (length(name_ru) BETWEEN 1 AND 100),
    name_en text NOT NULL CHECK (length(name_en) BETWEEN 1 AND 100),
    warmth text CHECK (warmth IN ('hot', 'warm', 'cold')),
    accuracy text CHECK (accuracy IN ('exact', 'close', 'rough')),
    product text NOT NULL DEFAULT '' CHECK (length(product) <= 100),
    conditions jsonb NOT NULL DEFAULT '[]',         -- all must hold; none: only by a disposition or by hand
    owner_id bigint REFERENCES app_user,            -- whose new leads here are
    contact_within_s integer CHECK (contact_within_s BETWEEN 60 AND 2592000), -- null: as the campaign's rule says
    archived_at timestamptz,
    PRIMARY KEY (campaign_id, code),
    CHECK (code <> 'common' OR (conditions = '[]' AND archived_at IS NULL))
);

INSERT INTO basket (campaign_id, code, place, name_ru, name_en) SELECT id, 'common', 0, 'Общая', 'Common' FROM campaign;

CREATE FUNCTION basket_common() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO basket (campaign_id, code, place, name_ru, name_en) VALUES (NEW.id, 'common', 0, 'Общая', 'Common');
    RETURN NULL;
END $$;
CREATE TRIGGER basket_common AFTER INSERT ON campaign FOR EACH ROW EXECUTE FUNCTION basket_common();

-- The flag of a disposition: its leads go there, whatever the rules say.
ALTER TABLE disposition_kind ADD COLUMN basket text, ADD FOREIGN KEY (campaign_id, basket) REFERENCES basket (campaign_id, code);

-- Every lead is in exactly one basket, of its own campaign.
ALTER TABLE lead ADD COLUMN basket text NOT NULL DEFAULT 'common',
    ADD COLUMN by_hand boolean NOT NULL DEFAULT false, -- somebody put it there: rules do not move it
    ADD COLUMN step text NOT NULL DEFAULT '' CHECK (length(step) <= 200), -- where the script was when it was made
    ADD FOREIGN KEY (campaign_id, basket) REFERENCES basket (campaign_id, code);
CREATE INDEX lead_of_basket ON lead (campaign_id, basket, id);

ALTER TABLE lead_change ADD COLUMN reason text NOT NULL DEFAULT '' CHECK (length(reason) <= 1000),
    DROP CONSTRAINT lead_change_what_check,
    ADD CONSTRAINT lead_change_what_check CHECK (what IN ('made', 'moved', 'given', 'changed', 'late', 'revenue', 'basket'));

-- What happened stays told; why somebody moved it may name a person, and goes with an erasure.
DROP TRIGGER change_is_a_fact ON lead_change;
CREATE TRIGGER never_deleted BEFORE DELETE ON lead_change FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER change_is_a_fact BEFORE UPDATE ON lead_change FOR EACH ROW
    WHEN (NEW.reason <> '' OR to_jsonb(NEW) - 'reason' IS DISTINCT FROM to_jsonb(OLD) - 'reason')
    EXECUTE FUNCTION refuse_change();

-- An event tells the basket too, and a deadline that was moved on is not late.
CREATE OR REPLACE FUNCTION tell_lead() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    event_kind text := CASE WHEN TG_OP = 'INSERT' THEN 'lead.made' WHEN NEW.state <> OLD.state THEN 'lead.moved'
        WHEN NEW.late_at IS NOT NULL AND OLD.late_at IS NULL THEN 'lead.late' END;
BEGIN
    IF event_kind IS NOT NULL THEN
        PERFORM tell(event_kind, NEW.campaign_id, gen_random_uuid(), CASE event_kind WHEN 'lead.made' THEN NEW.made_at ELSE now() END,
            jsonb_build_object('lead_id', NEW.id, 'attempt_id', NEW.attempt_id, 'contact_id', NEW.contact_id, 'state', NEW.state,
                'due_at', NEW.due_at, 'owner_id', NEW.owner_id, 'duplicate_of', NEW.duplicate_of, 'replaces', NEW.replaces,
                'revenue', NEW.revenue::text, 'currency', NEW.currency, 'basket', NEW.basket));
    END IF;
    RETURN NULL;
END $$;

-- A contact made of another one, who refused in another campaign: the same person, whose history is one.
ALTER TABLE contact ADD COLUMN origin_id bigint;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
