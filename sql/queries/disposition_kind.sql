-- The list of dispositions of a campaign, as people edit it.

-- name: disposition_kind_turn
-- One editor of a list at a time.
SELECT id FROM campaign WHERE id = :campaign_id::bigint FOR NO KEY UPDATE;

-- name: disposition_kind_used
-- How often each was chosen, and when last.
SELECT code, count(*) AS times, max(saved_at) AS last_at FROM disposition WHERE campaign_id = :campaign_id::bigint GROUP BY code;

-- name: disposition_kind_change
-- Its code stays, and with it what was counted.
UPDATE disposition_kind
SET name_ru = :name_ru::text, name_en = :name_en::text, result = :result::boolean, closes = :closes::boolean,
    decision_maker = :decision_maker::boolean, verdict = :verdict::text, refusal = :refusal::boolean, needs = :needs::text[],
    reasons = :reasons::text[], dnc_scope = :dnc_scope::text, retry = :retry::jsonb, colour = :colour::text,
    makes_lead = :makes_lead::boolean, letter = :letter::text, basket = :basket::text,
    archived_at = CASE WHEN :archived::boolean THEN coalesce(archived_at, now()) END
WHERE campaign_id = :campaign_id::bigint AND code = :code::text;

-- name: disposition_kind_no_key
-- Keys are given out anew in two steps: two may change places.
UPDATE disposition_kind SET key = NULL WHERE campaign_id = :campaign_id::bigint AND code = ANY(:codes::text[]);

-- name: disposition_kind_key
-- The second step.
UPDATE disposition_kind AS k SET key = given.key
FROM unnest(:codes::text[], :keys::text[]) AS given (code, key)
WHERE k.campaign_id = :campaign_id::bigint AND k.code = given.code;

-- name: disposition_kind_order
-- Places as listed; archived ones come after all others.
UPDATE disposition_kind AS k SET place = given.place
FROM unnest(:codes::text[]) WITH ORDINALITY AS given (code, place)
WHERE k.campaign_id = :campaign_id::bigint AND k.code = given.code;

-- name: disposition_kind_history
-- Who changed the list, the newest first.
SELECT a.id, a.at, coalesce(u.name, '') AS who, a.action, a.before, a.after
FROM audit AS a LEFT JOIN app_user AS u ON u.id = a.user_id
WHERE a.object = 'campaign:' || :campaign_id::bigint
    AND a.action IN ('disposition_kind.add', 'disposition_kind.change', 'disposition_kind.order', 'campaign.retry_rule')
ORDER BY a.id DESC LIMIT 50;
