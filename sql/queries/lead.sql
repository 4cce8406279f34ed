-- Leads: made by a disposition in its transaction, handed to the customer, followed until they buy.

-- name: lead_turn
-- Leads of a customer are made one after the other, so that each knows of those it repeats and of those it replaces.
SELECT id FROM customer WHERE id = :customer_id::bigint FOR NO KEY UPDATE;

-- name: lead_facts
-- What a lead is made of: the contact as its base told it, the rule of its campaign, the earliest lead of the customer with one
-- of the contact's numbers or the company, and the oldest rejected lead that nobody stands in for yet.
SELECT c.name, c.attributes, coalesce(r.contact_within_s, 86400) AS contact_within_s, coalesce(r.currency, 'RUB') AS currency,
    (
        SELECT min(l.id) FROM lead l
        WHERE l.customer_id = :customer_id::bigint AND l.contact_id IN (
            SELECT other.contact_id FROM contact_phone mine JOIN contact_phone other USING (phone_id) WHERE mine.contact_id = c.id)
    ) AS same_number,
    (
        SELECT l.id FROM lead l
        WHERE l.campaign_id = c.campaign_id AND l.state = 'rejected' AND NOT EXISTS (SELECT FROM lead s WHERE s.replaces = l.id)
        ORDER BY l.decided_at, l.id LIMIT 1
    ) AS owed
FROM contact c LEFT JOIN lead_rule r ON r.campaign_id = c.campaign_id
WHERE c.id = :contact_id::bigint;

-- name: lead_same_company
-- The earliest lead of the customer with this company.
SELECT min(id) FROM lead WHERE customer_id = :customer_id::bigint AND company_key = :company_key::text;

-- name: lead_add
-- The card, and that it was made.
WITH made AS (
    INSERT INTO lead (attempt_id, contact_id, campaign_id, customer_id, phone_id, operator_id, made_at, person, company, company_key,
        address, agreed, due_at, currency, duplicate_of, replaces, basket, owner_id, step)
    VALUES (:attempt_id::uuid, :contact_id::bigint, :campaign_id::bigint, :customer_id::bigint, :phone_id::bigint,
        :operator_id::bigint, :now::timestamptz, :person::text, :company::text, :company_key::text, :address::text, :agreed::text,
        :due_at::timestamptz, :currency::text, :duplicate_of::bigint, :replaces::bigint, :basket::text, :owner_id::bigint, :step::text)
    RETURNING id, operator_id, made_at
)
INSERT INTO lead_change (lead_id, at, by_user, what, after) SELECT id, made_at, operator_id, 'made', 'new' FROM made RETURNING lead_id;

-- name: lead_lock
-- A lead for what is to become of it.
SELECT l.id, l.state, l.made_at, l.basket, l.due_at, l.contacted_at, l.decided_at, l.reason, l.client_at, l.revenue, l.owner_id, l.campaign_id,
    l.customer_id, l.person, l.company, l.address, l.agreed
FROM lead l WHERE l.id = :id::bigint FOR NO KEY UPDATE;

-- name: lead_move
-- Where it is now, as core/leads decided.
UPDATE lead SET state = :state::text, contacted_at = :contacted_at::timestamptz, decided_at = :decided_at::timestamptz,
    reason = :reason::text, client_at = :client_at::timestamptz, revenue = :revenue::numeric
WHERE id = :id::bigint;

-- name: lead_give
-- Whose it is to take up.
UPDATE lead SET owner_id = :owner_id::bigint WHERE id = :id::bigint;

-- name: lead_earn
-- What the client brought, as it is known now.
UPDATE lead SET revenue = :revenue::numeric WHERE id = :id::bigint AND state = 'client';

-- name: lead_change
-- What is written on the card.
UPDATE lead SET person = :person::text, company = :company::text, company_key = :company_key::text, address = :address::text,
    agreed = :agreed::text
WHERE id = :id::bigint;

-- name: lead_note
-- What happened to a lead, by whom.
INSERT INTO lead_change (lead_id, at, by_user, what, before, after)
VALUES (:id::bigint, :now::timestamptz, :user_id::bigint, :what::text, :before::text, :after::text);

-- name: lead_may_own
-- Whether this user may take up a lead: people of the office, of the campaign's team, or of its customer.
SELECT EXISTS (
    SELECT FROM app_user u JOIN campaign c ON c.id = :campaign_id::bigint
    WHERE u.id = :owner_id::bigint AND NOT u.disabled
        AND (u.role = 'admin' OR (u.role = 'supervisor' AND coalesce(u.team_id, c.team_id) = c.team_id
                AND coalesce(u.customer_id, c.customer_id) = c.customer_id)
            OR (u.role = 'operator' AND u.team_id = c.team_id) OR (u.role = 'customer' AND u.customer_id = c.customer_id))
);

-- name: lead_owners
-- Who may take up the leads of a campaign.
SELECT u.id, u.name, u.role FROM app_user u JOIN campaign c ON c.id = :campaign_id::bigint
WHERE NOT u.disabled
    AND (u.role = 'admin' OR (u.role = 'supervisor' AND coalesce(u.team_id, c.team_id) = c.team_id
            AND coalesce(u.customer_id, c.customer_id) = c.customer_id)
        OR (u.role = 'operator' AND u.team_id = c.team_id) OR (u.role = 'customer' AND u.customer_id = c.customer_id))
ORDER BY u.role = 'operator', u.name, u.id
LIMIT 500;

-- name: lead_plan
-- Each list is planned for what is asked: a filter nobody named must not spoil the plan of those that are.
SET LOCAL plan_cache_mode = force_custom_plan;

-- name: lead_list
-- Leads, the newest first, from under the last one of the page before.
SELECT l.id, l.campaign_id, k.name AS campaign, l.customer_id, customer.name AS customer, l.contact_id, l.person, l.company, l.made_at,
    l.state, l.due_at, l.late_at, l.contacted_at, l.decided_at, l.reason, l.client_at, l.revenue, l.currency, l.duplicate_of,
    l.replaces, l.owner_id, coalesce(o.name, '') AS owner, p.e164 AS phone, s.id AS replaced_by, l.basket, b.name_ru AS basket_ru,
    b.name_en AS basket_en
FROM lead l JOIN basket b ON b.campaign_id = l.campaign_id AND b.code = l.basket JOIN campaign k ON k.id = l.campaign_id JOIN customer ON customer.id = l.customer_id JOIN phone p ON p.id = l.phone_id
LEFT JOIN app_user o ON o.id = l.owner_id LEFT JOIN lead s ON s.replaces = l.id
WHERE (:campaign_id::bigint IS NULL OR l.campaign_id = :campaign_id::bigint)
    AND (:customer_id::bigint IS NULL OR l.customer_id = :customer_id::bigint)
    AND (:team_id::bigint IS NULL OR k.team_id = :team_id::bigint)
    AND (:owner_id::bigint IS NULL OR l.owner_id = :owner_id::bigint)
    AND (:state::text IS NULL OR l.state = :state::text)
    AND (NOT :late::boolean OR (l.state = 'new' AND l.due_at < :now::timestamptz))
    AND (NOT :owed::boolean OR (l.state = 'rejected' AND s.id IS NULL))
    AND (NOT :duplicate::boolean OR l.duplicate_of IS NOT NULL)
    AND (:basket::text IS NULL OR l.basket = :basket::text)
    AND (:name::text IS NULL OR strpos(lower(l.person), lower(:name::text)) > 0 OR strpos(lower(l.company), lower(:name::text)) > 0)
    AND (:digits::text IS NULL OR strpos(p.e164, :digits::text) > 0 OR l.id::text = :digits::text)
    AND (:operator_id::bigint IS NULL OR l.operator_id = :operator_id::bigint)
    AND (:fact::text IS NULL OR l.id IN (
        SELECT e.lead_id FROM kpi_led e JOIN campaign c ON c.id = e.campaign_id
        WHERE (:since::timestamptz IS NULL OR e.at >= :since::timestamptz) AND (:until::timestamptz IS NULL OR e.at < :until::timestamptz)
            AND (:number::integer IS NULL OR e.number = :number::integer)
            AND (:part::text IS NULL OR kpi_who(:by::text, e.campaign_id, c.customer_id, e.base_id, e.operator_id, e.script, e.caller_number,
                e.number, e.region, e.code, e.reason) = :part::text)
            AND 1 = CASE :fact::text WHEN 'leads' THEN e.leads WHEN 'leads_accepted' THEN e.leads_accepted
                WHEN 'leads_rejected' THEN e.leads_rejected WHEN 'replacements_owed' THEN e.replacements_owed ELSE e.clients END))
    AND (:before::bigint IS NULL OR l.id < :before::bigint)
ORDER BY l.id DESC
LIMIT :limit::integer;

-- name: lead_counts
-- How many leads each list has, and what the clients brought, by currency.
SELECT l.currency, count(*) AS all, count(*) FILTER (WHERE l.state = 'new') AS new, count(*) FILTER (WHERE l.state = 'in_work') AS in_work,
    count(*) FILTER (WHERE l.state = 'accepted') AS accepted, count(*) FILTER (WHERE l.state = 'rejected') AS rejected,
    count(*) FILTER (WHERE l.state = 'client') AS client,
    count(*) FILTER (WHERE l.state = 'new' AND l.due_at < :now::timestamptz) AS late,
    count(*) FILTER (WHERE l.state = 'rejected' AND NOT EXISTS (SELECT FROM lead s WHERE s.replaces = l.id)) AS owed,
    count(*) FILTER (WHERE l.duplicate_of IS NOT NULL) AS duplicate, coalesce(sum(l.revenue), 0) AS revenue
FROM lead l
WHERE (:campaign_id::bigint IS NULL OR l.campaign_id = :campaign_id::bigint)
    AND (:customer_id::bigint IS NULL OR l.customer_id = :customer_id::bigint)
    AND (:team_id::bigint IS NULL OR EXISTS (SELECT FROM campaign k WHERE k.id = l.campaign_id AND k.team_id = :team_id::bigint))
GROUP BY l.currency ORDER BY l.currency;

-- name: lead_show
-- One lead with all that is known of it.
SELECT l.*, k.name AS campaign, k.team_id, customer.name AS customer, coalesce(o.name, '') AS owner, coalesce(u.name, '') AS operator,
    s.id AS replaced_by, d.code, n.name_ru, n.name_en, b.name_ru AS basket_ru, b.name_en AS basket_en,
    ARRAY(SELECT p.e164 FROM contact_phone x JOIN phone p ON p.id = x.phone_id WHERE x.contact_id = l.contact_id
        ORDER BY x.phone_id <> l.phone_id, x.place) AS phones,
    ARRAY(SELECT x.id FROM lead x WHERE x.duplicate_of = l.id ORDER BY x.id) AS duplicates
FROM lead l JOIN basket b ON b.campaign_id = l.campaign_id AND b.code = l.basket JOIN campaign k ON k.id = l.campaign_id
JOIN customer ON customer.id = l.customer_id JOIN disposition d ON d.attempt_id = l.attempt_id
LEFT JOIN disposition_kind n ON n.campaign_id = d.campaign_id AND n.code = d.code
LEFT JOIN app_user o ON o.id = l.owner_id LEFT JOIN app_user u ON u.id = l.operator_id LEFT JOIN lead s ON s.replaces = l.id
WHERE l.id = :id::bigint;

-- name: lead_history
-- What happened to it, the first first.
SELECT x.at, x.what, x.reason, coalesce(u.name, '') AS by, coalesce(u.role, '') AS role,
    CASE x.what WHEN 'given' THEN (SELECT o.name FROM app_user o WHERE o.id = x.before::bigint) ELSE x.before END AS before,
    CASE x.what WHEN 'given' THEN (SELECT o.name FROM app_user o WHERE o.id = x.after::bigint) ELSE x.after END AS after
FROM lead_change x LEFT JOIN app_user u ON u.id = x.by_user
WHERE x.lead_id = :id::bigint ORDER BY x.id LIMIT 200;

-- name: lead_overdue
-- Leads whose first contact is late and of which nobody was told yet.
UPDATE lead SET late_at = :now::timestamptz
WHERE id IN (
    SELECT id FROM lead WHERE state = 'new' AND late_at IS NULL AND due_at < :now::timestamptz
    ORDER BY due_at LIMIT 1000 FOR UPDATE SKIP LOCKED)
RETURNING id, campaign_id;

-- name: lead_late_by_campaign
-- Campaigns with leads that nobody has taken up in time.
SELECT l.campaign_id, k.name AS campaign, count(*) AS leads, min(l.due_at) AS since
FROM lead l JOIN campaign k ON k.id = l.campaign_id
WHERE l.state = 'new' AND l.due_at < :now::timestamptz
GROUP BY l.campaign_id, k.name ORDER BY l.campaign_id;

-- name: lead_rule
-- What holds for the leads of a campaign.
SELECT coalesce(r.contact_within_s, 86400) AS contact_within_s, coalesce(r.currency, 'RUB') AS currency
FROM campaign c LEFT JOIN lead_rule r ON r.campaign_id = c.id WHERE c.id = :campaign_id::bigint;

-- name: lead_rule_set
-- It holds for leads that are made from now on.
INSERT INTO lead_rule (campaign_id, contact_within_s, currency)
VALUES (:campaign_id::bigint, :contact_within_s::integer, :currency::text)
ON CONFLICT (campaign_id) DO UPDATE SET contact_within_s = excluded.contact_within_s, currency = excluded.currency;
