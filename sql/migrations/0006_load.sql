-- migrate:up

-- The keys of contacts are checked a statement at a time. Checked a row at a time they were half of what a load costs, and
-- each check locked its phone, so that claims passed it over and do-not-call entries waited for the load. No lock is needed
-- where nothing referred to ever goes: phones and lanes are never deleted, which is held below.
ALTER TABLE contact DROP CONSTRAINT contact_phone_id_fkey, DROP CONSTRAINT contact_in_lane;
ALTER TABLE contact_phone DROP CONSTRAINT contact_phone_contact_id_fkey, DROP CONSTRAINT contact_phone_phone_id_fkey;

CREATE FUNCTION refuse_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never deleted', TG_TABLE_NAME USING ERRCODE = 'foreign_key_violation';
END $$;
CREATE TRIGGER never_deleted BEFORE DELETE ON phone FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
CREATE TRIGGER never_deleted BEFORE DELETE ON lane FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();

-- Looked up by index row by row (a subquery, no join): a plan that reads all phones would cost more than the load.
CREATE FUNCTION contact_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh f WHERE (SELECT p.id FROM phone p WHERE p.id = f.phone_id) IS NULL) THEN
        RAISE EXCEPTION 'a contact has a phone that is not there' USING ERRCODE = 'foreign_key_violation';
    END IF;
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT lane_id, base_id, campaign_id FROM fresh) AS f
        WHERE (SELECT l.id FROM lane l WHERE (l.id, l.base_id, l.campaign_id) = (f.lane_id, f.base_id, f.campaign_id)) IS NULL
    ) THEN
        RAISE EXCEPTION 'a contact is not in a lane of its base' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER contact_keys AFTER INSERT ON contact REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION contact_keys();

CREATE FUNCTION contact_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM phone p WHERE p.id = NEW.phone_id)
        OR NOT EXISTS (SELECT FROM lane l WHERE (l.id, l.base_id, l.campaign_id) = (NEW.lane_id, NEW.base_id, NEW.campaign_id)) THEN
        RAISE EXCEPTION 'a contact has a phone or a lane that is not there' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER contact_moved AFTER UPDATE OF phone_id, lane_id, base_id, campaign_id ON contact FOR EACH ROW
    WHEN ((OLD.phone_id, OLD.lane_id, OLD.base_id, OLD.campaign_id) <> (NEW.phone_id, NEW.lane_id, NEW.base_id, NEW.campaign_id))
    EXECUTE FUNCTION contact_moved();

CREATE FUNCTION contact_phone_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM fresh f
        WHERE (SELECT p.id FROM phone p WHERE p.id = f.phone_id) IS NULL
            OR (SELECT c.id FROM contact c WHERE c.id = f.contact_id) IS NULL
    ) THEN
        RAISE EXCEPTION 'a number of a contact has no contact or no phone' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER contact_phone_keys AFTER INSERT ON contact_phone REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION contact_phone_keys();

CREATE FUNCTION refuse_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % stay where they are', TG_TABLE_NAME USING ERRCODE = 'foreign_key_violation';
END $$;
CREATE TRIGGER never_moved AFTER UPDATE OF contact_id, phone_id ON contact_phone FOR EACH ROW EXECUTE FUNCTION refuse_move();

-- Whose load is undone takes his numbers with him.
CREATE FUNCTION contact_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM contact_phone cp USING gone WHERE cp.contact_id = gone.id;
    RETURN NULL;
END $$;
CREATE TRIGGER contact_gone AFTER DELETE ON contact REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION contact_gone();

-- One index instead of two: no number twice at a contact, and the contacts of a number.
ALTER TABLE contact_phone
    DROP CONSTRAINT contact_phone_contact_id_phone_id_key,
    ADD CONSTRAINT contact_phone_once UNIQUE (phone_id, contact_id);
DROP INDEX contact_phone_of_phone;

-- Numbers are compared letter by letter, not as the words of a language.
ALTER TABLE phone ALTER COLUMN e164 TYPE text COLLATE "C";
ALTER TABLE national_number ALTER COLUMN e164 TYPE text COLLATE "C";

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
