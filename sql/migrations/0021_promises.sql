-- Promises to call back: what they wait for, said when it is so; a reminder before their time, and their owner told.

-- migrate:up

ALTER TABLE callback
    ADD COLUMN reminded_at timestamptz,     -- receivers were told that its time is near
    ADD COLUMN late_at timestamptz,         -- it was seen to be late, and why
    ADD COLUMN late_because text,
    ADD CHECK ((late_at IS NULL) = (late_because IS NULL));
-- Whose time is past needs no reminder, and what was late before this is not late anew.
UPDATE callback SET reminded_at = now() WHERE state = 'pending' AND due_at <= now();
CREATE INDEX callback_not_late ON callback (due_at) WHERE state = 'pending' AND late_at IS NULL;

DROP VIEW callback_shown;
CREATE VIEW callback_shown AS
SELECT k.id, k.campaign_id, k.contact_id, k.due_at, k.next_at, k.operator_id, k.note, k.state, k.moves, k.closed_at, k.promised_at,
    k.made_by_attempt, k.kept_by_attempt, k.late_at, k.late_because, c.name AS contact, p.e164 AS phone, lane.zones, lane.countries,
    campaign.name AS campaign, campaign.state AS campaign_state, campaign.team_id, coalesce(u.name, '') AS operator,
    coalesce(closer.name, '') AS closed_by, c.closed_by AS contact_closed_by, c.refused_by, l.attempt_id AS live_attempt,
    o.state AS owner_state, kept.sent_at AS kept_at, last.what AS changed_what, last.reason AS changed_reason, last.at AS changed_at,
    coalesce(changer.name, '') AS changed_by, last.due_before, coalesce(earlier.name, '') AS owner_before
FROM callback AS k
JOIN contact AS c ON c.id = k.contact_id
JOIN lane ON lane.id = c.lane_id
JOIN phone AS p ON p.id = k.phone_id
JOIN campaign ON campaign.id = k.campaign_id
LEFT JOIN app_user AS u ON u.id = k.operator_id
LEFT JOIN app_user AS closer ON closer.id = k.closed_by
LEFT JOIN attempt_live AS l ON l.callback_id = k.id
LEFT JOIN operator_live AS o ON o.operator_id = k.operator_id
LEFT JOIN LATERAL (SELECT a.sent_at FROM attempt AS a WHERE a.attempt_id = k.kept_by_attempt) AS kept ON true
LEFT JOIN LATERAL (SELECT x.* FROM callback_change AS x WHERE x.callback_id = k.id ORDER BY x.id DESC LIMIT 1) AS last ON true
LEFT JOIN app_user AS changer ON changer.id = last.by_user
LEFT JOIN app_user AS earlier ON earlier.id = last.operator_before;

ALTER TABLE webhook DROP CONSTRAINT webhook_kinds_check;
ALTER TABLE webhook ADD CONSTRAINT webhook_kinds_check CHECK (cardinality(kinds) > 0 AND kinds <@ ARRAY['attempt.connected',
    'attempt.ended', 'disposition.saved', 'lead.made', 'lead.moved', 'lead.late', 'callback.promised', 'callback.changed', 'callback.soon',
    'callback.late', 'campaign.state']);

CREATE OR REPLACE FUNCTION tell_callback() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    event_kind text := CASE WHEN TG_OP = 'INSERT' THEN 'callback.promised'
        WHEN (NEW.state, NEW.due_at, NEW.operator_id) IS DISTINCT FROM (OLD.state, OLD.due_at, OLD.operator_id) THEN 'callback.changed'
        WHEN NEW.late_at IS NOT NULL AND OLD.late_at IS NULL THEN 'callback.late'
        WHEN NEW.reminded_at IS NOT NULL AND OLD.reminded_at IS NULL THEN 'callback.soon' END;
BEGIN
    IF event_kind IS NOT NULL THEN
        PERFORM tell(event_kind, NEW.campaign_id, gen_random_uuid(), now(), jsonb_build_object('callback_id', NEW.id,
            'contact_id', NEW.contact_id, 'state', NEW.state, 'due_at', NEW.due_at, 'operator_id', NEW.operator_id,
            'made_by_attempt', NEW.made_by_attempt, 'kept_by_attempt', NEW.kept_by_attempt, 'late_because', NEW.late_because));
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER tell ON callback;
CREATE TRIGGER tell AFTER INSERT OR UPDATE OF state, due_at, operator_id, reminded_at, late_at ON callback
    FOR EACH ROW EXECUTE FUNCTION tell_callback();

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
