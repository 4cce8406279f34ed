-- Baskets of a campaign's leads.

-- name: basket_turn
-- One editor of a campaign's baskets at a time, and none while a lead is put into one.
SELECT id FROM campaign WHERE id = :campaign_id::bigint FOR NO KEY UPDATE;

-- name: basket_list
-- In their order, the common one and what is archived last.
SELECT code, name_ru, name_en, warmth, accuracy, product, conditions, owner_id, contact_within_s, archived_at IS NOT NULL AS archived
FROM basket WHERE campaign_id = :campaign_id::bigint
ORDER BY archived_at IS NOT NULL, code = 'common', place, code;

-- name: basket_put
-- As it is from now on; its code stays.
INSERT INTO basket (campaign_id, code, place, name_ru, name_en, warmth, accuracy, product, conditions, owner_id, contact_within_s)
VALUES (:campaign_id::bigint, :code::text, :place::integer, :name_ru::text, :name_en::text, :warmth::text, :accuracy::text,
    :product::text, :conditions::jsonb, :owner_id::bigint, :contact_within_s::integer)
ON CONFLICT (campaign_id, code) DO UPDATE
SET place = excluded.place, name_ru = excluded.name_ru, name_en = excluded.name_en, warmth = excluded.warmth,
    accuracy = excluded.accuracy, product = excluded.product, conditions = excluded.conditions, owner_id = excluded.owner_id,
    contact_within_s = excluded.contact_within_s, archived_at = NULL;

-- name: basket_archive
-- What the list does not name any more keeps its leads and gets no new ones; no disposition leads there.
WITH gone AS (
    UPDATE basket SET archived_at = now()
    WHERE campaign_id = :campaign_id::bigint AND code <> ALL(:codes::text[]) AND archived_at IS NULL
    RETURNING code
)
UPDATE disposition_kind SET basket = NULL WHERE campaign_id = :campaign_id::bigint AND basket IN (SELECT code FROM gone);

-- name: basket_counts
-- How many leads each basket has, and how many of them nobody has decided on.
SELECT basket AS code, count(*) AS leads, count(*) FILTER (WHERE state IN ('new', 'in_work')) AS open,
    count(*) FILTER (WHERE state = 'new' AND due_at < :now::timestamptz) AS late
FROM lead WHERE campaign_id = :campaign_id::bigint GROUP BY basket;

-- name: basket_leads
-- Leads that rules may move: nobody has decided on them, and nobody put them where they are.
SELECT l.id, l.basket, l.state, l.made_at, l.due_at, l.owner_id, l.person, l.company, l.address, l.agreed, l.step, c.attributes, k.basket AS flagged
FROM lead l JOIN contact c ON c.id = l.contact_id JOIN disposition d ON d.attempt_id = l.attempt_id
LEFT JOIN disposition_kind k ON k.campaign_id = d.campaign_id AND k.code = d.code
WHERE l.campaign_id = :campaign_id::bigint AND l.state IN ('new', 'in_work') AND NOT l.by_hand
ORDER BY l.id
FOR NO KEY UPDATE OF l;

-- name: basket_move
-- A lead into another basket, with whose it is and its deadline there.
UPDATE lead
SET basket = :code::text, by_hand = :by_hand::boolean, owner_id = :owner_id::bigint, due_at = :due_at::timestamptz,
    late_at = CASE WHEN :due_at::timestamptz > :now::timestamptz THEN NULL ELSE late_at END
WHERE id = :id::bigint;

-- name: basket_note
-- That it was moved, by whom and why.
INSERT INTO lead_change (lead_id, at, by_user, what, before, after, reason)
VALUES (:id::bigint, :now::timestamptz, :user_id::bigint, 'basket', :before::text, :after::text, :reason::text);

-- name: basket_copy
-- The baskets of another campaign, for one that begins like it; whose leads they are is said anew.
INSERT INTO basket (campaign_id, code, place, name_ru, name_en, warmth, accuracy, product, conditions, contact_within_s)
SELECT :campaign_id::bigint, code, place, name_ru, name_en, warmth, accuracy, product, conditions, contact_within_s
FROM basket WHERE campaign_id = :like_id::bigint AND archived_at IS NULL
ON CONFLICT (campaign_id, code) DO UPDATE
SET name_ru = excluded.name_ru, name_en = excluded.name_en, contact_within_s = excluded.contact_within_s;

-- name: basket_history
-- Who changed the baskets, the newest first.
SELECT a.at, coalesce(u.name, '') AS who, a.before, a.after
FROM audit AS a LEFT JOIN app_user AS u ON u.id = a.user_id
WHERE a.object = 'campaign:' || :campaign_id::bigint AND a.action = 'campaign.baskets'
ORDER BY a.id DESC LIMIT 20;

-- name: basket_headings
-- What contacts of the campaign are told to have: of the first contact of each of its last bases.
SELECT DISTINCT heading FROM (
    SELECT (SELECT c.attributes FROM contact c WHERE c.base_id = b.id ORDER BY c.row_number LIMIT 1) AS attributes
    FROM base b WHERE b.campaign_id = :campaign_id::bigint AND b.undone_at IS NULL ORDER BY b.id DESC LIMIT 5
) AS one CROSS JOIN LATERAL jsonb_object_keys(one.attributes) AS heading
ORDER BY heading;
