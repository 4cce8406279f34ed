-- The tables of the admin pages: searched, sorted and paged here. A count stops at 10,001: nobody pages further.

-- name: office_users
-- People by login, name, role or team; what is told of each is looked up for those of the page alone.
SELECT u.id, u.login, u.name, u.role, u.team_id, u.language, u.disabled, coalesce(t.name, '') AS team, coalesce(c.name, '') AS customer,
    (SELECT max(s.seen_at) FROM web_session AS s WHERE s.user_id = u.id) AS seen_at,
    EXISTS (SELECT FROM second_factor AS f WHERE f.user_id = u.id AND f.confirmed_at IS NOT NULL) AS factor
FROM (
    SELECT u.*, CASE :sort::text WHEN 'name' THEN u.name WHEN 'role' THEN u.role
        WHEN 'team' THEN coalesce((SELECT t.name FROM team AS t WHERE t.id = u.team_id), '') ELSE u.login END AS place
    FROM app_user AS u
    WHERE (:q::text = '' OR strpos(lower(u.login || ' ' || u.name), lower(:q::text)) > 0
            OR u.team_id IN (SELECT t.id FROM team AS t WHERE strpos(lower(t.name), lower(:q::text)) > 0))
        AND (:role::text = '' OR u.role = :role::text)
    ORDER BY CASE WHEN NOT :down::boolean THEN CASE :sort::text WHEN 'name' THEN u.name WHEN 'role' THEN u.role
            WHEN 'team' THEN coalesce((SELECT t.name FROM team AS t WHERE t.id = u.team_id), '') ELSE u.login END END,
        CASE WHEN :down::boolean THEN CASE :sort::text WHEN 'name' THEN u.name WHEN 'role' THEN u.role
            WHEN 'team' THEN coalesce((SELECT t.name FROM team AS t WHERE t.id = u.team_id), '') ELSE u.login END END DESC,
        u.id
    LIMIT :limit::integer OFFSET :offset::integer
) AS u
LEFT JOIN team AS t ON t.id = u.team_id
LEFT JOIN customer AS c ON c.id = u.customer_id
ORDER BY CASE WHEN NOT :down::boolean THEN u.place END, CASE WHEN :down::boolean THEN u.place END DESC, u.id;

-- name: office_users_count
-- How many that are.
SELECT count(*) FROM (
    SELECT FROM app_user AS u
    WHERE (:q::text = '' OR strpos(lower(u.login || ' ' || u.name), lower(:q::text)) > 0
            OR u.team_id IN (SELECT t.id FROM team AS t WHERE strpos(lower(t.name), lower(:q::text)) > 0))
        AND (:role::text = '' OR u.role = :role::text)
    LIMIT 10001
) AS found;

-- name: office_do_not_call
-- Entries by number or reason; the newest first unless sorted otherwise.
SELECT d.id, p.e164 AS phone, d.scope, d.reason, d.added_at, coalesce(u.name, '') AS added_by,
    coalesce(c.name, k.name, '') AS of_name
FROM do_not_call AS d
JOIN phone AS p ON p.id = d.phone_id
LEFT JOIN app_user AS u ON u.id = d.added_by
LEFT JOIN customer AS c ON c.id = d.customer_id
LEFT JOIN campaign AS k ON k.id = d.campaign_id
WHERE (:digits::text = '' OR strpos(p.e164, :digits::text) > 0)
    AND (:q::text = '' OR :digits::text <> '' OR strpos(lower(d.reason), lower(:q::text)) > 0)
    AND (:scope::text = '' OR d.scope = :scope::text)
ORDER BY
    CASE WHEN :sort::text = 'phone' AND NOT :down::boolean THEN p.e164 END,
    CASE WHEN :sort::text = 'phone' AND :down::boolean THEN p.e164 END DESC,
    CASE WHEN :sort::text = 'added' AND NOT :down::boolean THEN d.id END,
    d.id DESC
LIMIT :limit::integer OFFSET :offset::integer;

-- name: office_do_not_call_count
-- How many that are.
SELECT count(*) FROM (
    SELECT FROM do_not_call AS d JOIN phone AS p ON p.id = d.phone_id
    WHERE (:digits::text = '' OR strpos(p.e164, :digits::text) > 0)
        AND (:q::text = '' OR :digits::text <> '' OR strpos(lower(d.reason), lower(:q::text)) > 0)
        AND (:scope::text = '' OR d.scope = :scope::text)
    LIMIT 10001
) AS found;

-- name: office_do_not_call_files
-- Files of do-not-call numbers, the last first, with the names of whose they are and of who took them.
SELECT f.id, f.name, f.scope, f.rows_added, f.rows_known, f.rows_rejected, f.taken_at, f.undone_at, coalesce(u.name, '') AS taken_by,
    coalesce(v.name, '') AS undone_by, coalesce(c.name, k.name, '') AS of_name
FROM do_not_call_file AS f
LEFT JOIN app_user AS u ON u.id = f.taken_by
LEFT JOIN app_user AS v ON v.id = f.undone_by
LEFT JOIN customer AS c ON c.id = f.customer_id
LEFT JOIN campaign AS k ON k.id = f.campaign_id
ORDER BY f.id DESC
LIMIT :limit::integer;

-- name: office_audit
-- Who did what: by action, object or name, the newest first.
SELECT a.id, a.at, coalesce(u.name, '') AS who, coalesce(u.login, '') AS login, a.action, a.object, a.before, a.after, coalesce(a.ip, '') AS ip
FROM audit AS a
LEFT JOIN app_user AS u ON u.id = a.user_id
WHERE (:q::text = '' OR strpos(lower((a.action || ' ' || a.object) COLLATE "C"), lower(:q::text)) > 0
        OR a.user_id IN (SELECT u.id FROM app_user AS u WHERE strpos(lower(u.name || ' ' || u.login), lower(:q::text)) > 0))
    AND (:since::timestamptz IS NULL OR a.at >= :since::timestamptz)
    AND (:until::timestamptz IS NULL OR a.at < :until::timestamptz)
ORDER BY CASE WHEN NOT :down::boolean THEN a.id END, a.id DESC
LIMIT :limit::integer OFFSET :offset::integer;

-- name: office_names
-- What people call things of these kinds and ids; null for what is gone or has no name.
SELECT w.kind, w.id, CASE w.kind
    WHEN 'campaign' THEN (SELECT c.name FROM campaign c WHERE c.id = w.id)
    WHEN 'base' THEN (SELECT b.name FROM base b WHERE b.id = w.id)
    WHEN 'customer' THEN (SELECT c.name FROM customer c WHERE c.id = w.id)
    WHEN 'team' THEN (SELECT t.name FROM team t WHERE t.id = w.id)
    WHEN 'trunk' THEN (SELECT t.name FROM trunk t WHERE t.id = w.id)
    WHEN 'user' THEN (SELECT u.name FROM app_user u WHERE u.id = w.id)
    WHEN 'token' THEN (SELECT t.name FROM api_token t WHERE t.id = w.id)
    WHEN 'offer' THEN (SELECT o.name FROM offer o WHERE o.id = w.id)
    WHEN 'webhook' THEN (SELECT h.name FROM webhook h WHERE h.id = w.id)
    WHEN 'do_not_call_file' THEN (SELECT f.name FROM do_not_call_file f WHERE f.id = w.id)
    WHEN 'callback' THEN (SELECT c.name FROM callback k JOIN contact c ON c.id = k.contact_id WHERE k.id = w.id)
    WHEN 'lead' THEN (SELECT c.name FROM lead l JOIN contact c ON c.id = l.contact_id WHERE l.id = w.id)
END AS name
FROM unnest(:kinds::text[], :ids::bigint[]) AS w (kind, id);

-- name: office_kinds
-- What dispositions of campaigns are called; of several of one code the newest campaign's.
SELECT DISTINCT ON (code) code, name_ru, name_en
FROM disposition_kind
WHERE campaign_id = ANY(:campaigns::bigint[])
ORDER BY code, campaign_id DESC;

-- name: office_audit_count
-- How many that are.
SELECT count(*) FROM (
    SELECT FROM audit AS a LEFT JOIN app_user AS u ON u.id = a.user_id
    WHERE (:q::text = '' OR strpos(lower((a.action || ' ' || a.object) COLLATE "C"), lower(:q::text)) > 0
        OR a.user_id IN (SELECT u.id FROM app_user AS u WHERE strpos(lower(u.name || ' ' || u.login), lower(:q::text)) > 0))
        AND (:since::timestamptz IS NULL OR a.at >= :since::timestamptz)
        AND (:until::timestamptz IS NULL OR a.at < :until::timestamptz)
    LIMIT 10001
) AS found;

-- name: office_campaigns
-- Campaigns with what is left of their bases.
SELECT c.id, c.name, c.mode, c.state, c.profile, customer.name AS customer, team.name AS team, t.name AS trunk,
    (SELECT coalesce(sum(b.rows_loaded - b.rows_withdrawn), 0)::bigint FROM base AS b WHERE b.campaign_id = c.id) AS contacts
FROM campaign AS c
JOIN customer ON customer.id = c.customer_id
JOIN team ON team.id = c.team_id
JOIN trunk AS t ON t.id = c.trunk_id
WHERE (:q::text = '' OR strpos(lower(c.name || ' ' || customer.name || ' ' || team.name), lower(:q::text)) > 0)
    AND (:state::text = '' OR c.state = :state::text)
    AND (:team_id::bigint IS NULL OR c.team_id = :team_id::bigint)
    AND (:customer_id::bigint IS NULL OR c.customer_id = :customer_id::bigint)
ORDER BY
    CASE WHEN NOT :down::boolean THEN CASE :sort::text WHEN 'customer' THEN customer.name WHEN 'team' THEN team.name WHEN 'state' THEN c.state WHEN 'mode' THEN c.mode ELSE c.name END END,
    CASE WHEN :down::boolean THEN CASE :sort::text WHEN 'customer' THEN customer.name WHEN 'team' THEN team.name WHEN 'state' THEN c.state WHEN 'mode' THEN c.mode ELSE c.name END END DESC,
    c.id
LIMIT :limit::integer OFFSET :offset::integer;

-- name: office_campaigns_count
-- How many that are.
SELECT count(*) FROM (
    SELECT FROM campaign AS c JOIN customer ON customer.id = c.customer_id JOIN team ON team.id = c.team_id
    WHERE (:q::text = '' OR strpos(lower(c.name || ' ' || customer.name || ' ' || team.name), lower(:q::text)) > 0)
        AND (:state::text = '' OR c.state = :state::text)
        AND (:team_id::bigint IS NULL OR c.team_id = :team_id::bigint)
        AND (:customer_id::bigint IS NULL OR c.customer_id = :customer_id::bigint)
    LIMIT 10001
) AS found;

-- name: office_choices
-- Names to choose from in forms.
SELECT 'team' AS kind, name FROM team
UNION ALL SELECT 'customer', name FROM customer
UNION ALL SELECT 'trunk', name FROM trunk
UNION ALL SELECT 'caller_number', caller_number FROM campaign WHERE caller_number <> ''
ORDER BY kind, name;

-- name: office_trunks
-- Lines to carriers, the campaigns on them and the numbers they show.
SELECT t.id, t.name, t.kind, t.max_channels, t.calls_per_s,
    coalesce(array_agg(c.name ORDER BY c.name) FILTER (WHERE c.id IS NOT NULL), '{}') AS campaigns,
    coalesce(array_agg(DISTINCT c.caller_number) FILTER (WHERE c.caller_number <> ''), '{}') AS caller_numbers
FROM trunk AS t LEFT JOIN campaign AS c ON c.trunk_id = t.id
GROUP BY t.id
ORDER BY t.name;

-- name: office_trunk
-- One trunk, as a call on it needs it, and the profiles of the campaigns that use it.
SELECT t.id, t.name, t.kind, t.max_channels, t.calls_per_s, t.causes,
    ARRAY(SELECT DISTINCT c.profile FROM campaign AS c WHERE c.trunk_id = t.id ORDER BY c.profile) AS profiles
FROM trunk AS t WHERE t.name = :name::text;

-- name: office_planned
-- What a base's plan is made of: contacts that may still be called, people of the team, and how the campaign's calls went.
SELECT
    (SELECT count(*) FROM contact WHERE campaign_id = :campaign_id::bigint AND state = 'open') AS contacts,
    (SELECT count(*) FROM app_user AS u JOIN team AS t ON t.id = u.team_id
        WHERE t.name = :team::text AND u.role = 'operator' AND NOT u.disabled) AS operators,
    count(*) FILTER (WHERE a.rang_at IS NOT NULL) AS rang,
    count(*) FILTER (WHERE a.outcome = 'connected') AS connected,
    extract(epoch FROM avg(a.ended_at - a.connected_at) FILTER (WHERE a.outcome = 'connected'))::double precision AS talk_s
FROM (SELECT * FROM attempt WHERE campaign_id = :campaign_id::bigint AND NOT came_in ORDER BY sent_at DESC LIMIT 5000) AS a;

-- name: office_expected
-- What a campaign that is not made yet is planned with: people of the team, and how the last calls for this customer
-- and of this team went. An offer's calls connect otherwise than others, so they are told apart.
SELECT k.kind,
    (SELECT count(*) FROM app_user AS u JOIN team AS t ON t.id = u.team_id
        WHERE t.name = :team::text AND u.role = 'operator' AND NOT u.disabled) AS operators,
    count(a.rang_at) AS rang,
    count(a.rang_at) FILTER (WHERE a.outcome = 'connected') AS connected,
    extract(epoch FROM avg(a.ended_at - a.connected_at) FILTER (WHERE a.outcome = 'connected'))::double precision AS talk_s
FROM (VALUES (1, 'customer'), (2, 'team')) AS k (place, kind)
LEFT JOIN LATERAL (
    SELECT c.id FROM campaign AS c JOIN customer AS o ON o.id = c.customer_id JOIN team AS t ON t.id = c.team_id
    WHERE CASE k.kind WHEN 'customer' THEN o.name = :customer::text ELSE t.name = :team::text END
        AND (c.mode = 'ivr') = (:mode::text = 'ivr')
    ORDER BY c.id DESC LIMIT 10
) AS near ON true
LEFT JOIN LATERAL (
    SELECT * FROM attempt WHERE campaign_id = near.id AND NOT came_in ORDER BY sent_at DESC LIMIT 1000
) AS a ON true
GROUP BY k.place, k.kind
ORDER BY k.place;
