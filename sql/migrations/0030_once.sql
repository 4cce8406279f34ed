-- What is done once stays so: a base is paid once.

-- migrate:up

CREATE OR REPLACE FUNCTION price_is_said() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.id, NEW.campaign_id, NEW.kind, NEW.base_id, NEW.since, NEW.amount, NEW.currency, NEW.first_s, NEW.step_s, NEW.made_at, NEW.made_by)
            IS DISTINCT FROM
            (OLD.id, OLD.campaign_id, OLD.kind, OLD.base_id, OLD.since, OLD.amount, OLD.currency, OLD.first_s, OLD.step_s, OLD.made_at, OLD.made_by)
            OR OLD.withdrawn_at IS NOT NULL THEN
            RAISE EXCEPTION 'a price stays as it was said' USING ERRCODE = 'check_violation', CONSTRAINT = 'price_is_said';
        END IF;
        RETURN NEW;
    END IF;
    PERFORM money_turn(NEW.campaign_id);
    IF NEW.currency <> currency_of(NEW.campaign_id) THEN
        RAISE EXCEPTION 'the money of this campaign is %', currency_of(NEW.campaign_id)
            USING ERRCODE = 'check_violation', CONSTRAINT = 'price_currency';
    END IF;
    IF NEW.base_id IS NOT NULL AND NOT EXISTS (SELECT FROM base WHERE id = NEW.base_id AND campaign_id = NEW.campaign_id) THEN
        RAISE EXCEPTION 'this base is of another campaign' USING ERRCODE = 'check_violation', CONSTRAINT = 'price_base';
    END IF;
    IF NEW.base_id IS NOT NULL AND EXISTS (
        SELECT FROM price AS p JOIN money_day AS d ON d.campaign_id = p.campaign_id AND p.id = ANY(d.prices) WHERE p.base_id = NEW.base_id) THEN
        RAISE EXCEPTION 'this base was paid on a day that is closed' USING ERRCODE = 'check_violation', CONSTRAINT = 'price_base_paid';
    END IF;
    RETURN NEW;
END $$;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
