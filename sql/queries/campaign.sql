-- Campaigns with all they need: trunk, dispositions, budget.

-- name: campaign_list
-- A campaign as the engine and the pages read it; absent parameters do not filter.
SELECT c.id, c.name, c.mode, c.state, c.team_id, c.customer_id, c.zone, c.profile, c.purpose, c.override, c.loosened, c.caller_number, c.ring_timeout_s, c.wrap_up_s,
    c.after_wrap_up, c.attempts_max, c.cap_permille, c.target_permille, c.budget_mode, c.caution,
    c.max_lines_per_operator, c.max_lines, c.key_wait_s, c.return_wait_s, c.weight, c.offer,
    c.operator_free, c.preview_s, c.preview_calls, c.listening_shown, c.recording, c.recording_days, c.recording_stops, c.recording_operator, c.recording_customer, c.manual, c.retry, c.keys, customer.country AS customer_country, c.trunk_id, t.name AS trunk_name, t.kind AS trunk_kind, t.max_channels, t.calls_per_s, t.causes,
    (SELECT coalesce(sum(b.rows_in), 0) FROM base b WHERE b.campaign_id = c.id AND NOT b.paused AND NOT b.by_hand) AS base_rows
FROM campaign c JOIN trunk t ON t.id = c.trunk_id JOIN team ON team.id = c.team_id JOIN customer ON customer.id = c.customer_id
WHERE (:switch::text IS NULL OR (team.switch = :switch::text AND c.state <> 'draft'))
    AND (:campaign_id::bigint IS NULL OR c.id = :campaign_id::bigint)
ORDER BY c.id;

-- name: campaign_names
-- What pages call the customer, team and trunk of each campaign.
SELECT c.id, customer.name AS customer, team.name AS team, t.name AS trunk
FROM campaign c JOIN customer ON customer.id = c.customer_id JOIN team ON team.id = c.team_id JOIN trunk t ON t.id = c.trunk_id
WHERE :campaign_id::bigint IS NULL OR c.id = :campaign_id::bigint;

-- name: campaign_kinds
-- The dispositions of these campaigns in their place on the page.
SELECT campaign_id, code, name_ru, name_en, result, closes, decision_maker, verdict, refusal, needs, reasons, dnc_scope, retry,
    key, colour, makes_lead, letter, basket, archived_at IS NOT NULL AS archived
FROM disposition_kind WHERE campaign_id = ANY(:campaigns::bigint[])
ORDER BY campaign_id, place;

-- name: campaign_customer
-- A customer is made when it is first named.
INSERT INTO customer (name) VALUES (:name::text) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id;

-- name: campaign_team
-- So is a team.
INSERT INTO team (name) VALUES (:name::text) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id;

-- name: campaign_trunk
-- A trunk is set up before a campaign can use it.
SELECT id FROM trunk WHERE name = :name::text;

-- name: campaign_trunk_set
-- A line to a carrier, by its endpoint's name, with its limits.
INSERT INTO trunk (name, kind, max_channels, calls_per_s)
VALUES (:name::text, :kind::text, :max_channels::integer, :calls_per_s::real)
ON CONFLICT (name) DO UPDATE
SET kind = excluded.kind, max_channels = excluded.max_channels, calls_per_s = excluded.calls_per_s
RETURNING id;

-- name: campaign_add
-- A draft with nothing but what it cannot be without.
INSERT INTO campaign (name, customer_id, team_id, trunk_id, mode, offer)
VALUES (:name::text, :customer_id::bigint, :team_id::bigint, :trunk_id::bigint, :mode::text, :offer::text)
ON CONFLICT (name) DO NOTHING RETURNING id;

-- name: campaign_change
-- What is absent in the changes stays.
UPDATE campaign c
SET (name, mode, zone, profile, purpose, override, caller_number, ring_timeout_s, wrap_up_s, after_wrap_up, attempts_max, cap_permille,
        target_permille, budget_mode, caution, max_lines_per_operator, max_lines, key_wait_s, return_wait_s, weight, offer, operator_free, preview_s,
        preview_calls, listening_shown, recording, recording_days, recording_stops, recording_operator, recording_customer, manual, retry, keys)
    = (SELECT n.name, n.mode, n.zone, n.profile, n.purpose, n.override, n.caller_number, n.ring_timeout_s, n.wrap_up_s, n.after_wrap_up, n.attempts_max,
            n.cap_permille, n.target_permille, n.budget_mode, n.caution, n.max_lines_per_operator, n.max_lines, n.key_wait_s, n.return_wait_s,
            n.weight, n.offer, n.operator_free, n.preview_s, n.preview_calls, n.listening_shown, n.recording, n.recording_days, n.recording_stops, n.recording_operator,
            n.recording_customer, n.manual, n.retry, n.keys
        FROM jsonb_populate_record(c, :changes::jsonb) n)
WHERE c.id = :campaign_id::bigint;

-- name: campaign_state
-- Start, pause, stop.
UPDATE campaign SET state = :state::text WHERE id = :campaign_id::bigint;

-- name: campaign_kind_add
-- One disposition of a new campaign's list.
INSERT INTO disposition_kind (campaign_id, code, place, name_ru, name_en, result, closes, decision_maker, verdict, refusal, needs, reasons,
    dnc_scope, retry, key, colour, makes_lead, letter, basket)
VALUES (:campaign_id::bigint, :code::text, :place::integer, :name_ru::text, :name_en::text, :result::boolean, :closes::boolean,
    :decision_maker::boolean, :verdict::text, :refusal::boolean, :needs::text[], :reasons::text[], :dnc_scope::text, :retry::jsonb,
    :key::text, :colour::text, :makes_lead::boolean, :letter::text, :basket::text);

-- name: campaign_budget_add
-- The legal count of the present window; what was dialled elsewhere in it is carried in.
INSERT INTO abandon_budget (campaign_id, starts_at, ends_at, answered, abandoned, carried_answered, carried_abandoned, cap_permille)
VALUES (:campaign_id::bigint, :starts_at::timestamptz, :ends_at::timestamptz, :answered::integer, :abandoned::integer,
    :answered::integer, :abandoned::integer, :cap_permille::integer);
