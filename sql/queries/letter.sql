-- Letters after a conversation: what they say, to whom they go, and what became of them.

-- name: letter_facts
-- Whether the campaign writes letters, in whose words, and what the base says of the contact.
SELECT c.attributes, r.mode, r.language, r.unanswered_max, r.terms_days, r.manager, r.unsubscribe_scope, r.per_hour, r.per_day
FROM contact c JOIN letter_rule r ON r.campaign_id = c.campaign_id
WHERE c.id = :contact_id::bigint AND r.mode <> 'off';

-- name: letter_add
-- In the transaction of its disposition. One that has nobody to go to is refused at once, and shown.
INSERT INTO letter (attempt_id, contact_id, campaign_id, customer_id, word, language, address, made_at, state, reason, closed_at)
VALUES (:attempt_id::uuid, :contact_id::bigint, :campaign_id::bigint, :customer_id::bigint, :word::text, :language::text,
    :address::text, :now::timestamptz, CASE WHEN :reason::text IS NULL THEN 'waiting' ELSE 'refused' END, :reason::text,
    CASE WHEN :reason::text IS NOT NULL THEN :now::timestamptz END)
RETURNING id;

-- name: letter_turns
-- Campaigns with letters to send, each for one process at a time; the next statement counts what the last one sent.
SELECT r.campaign_id, r.per_hour, r.per_day
FROM letter_rule r JOIN campaign c ON c.id = r.campaign_id JOIN letter_sender s ON s.customer_id = c.customer_id
WHERE r.mode = 'send' AND EXISTS (
    SELECT FROM letter l WHERE l.campaign_id = r.campaign_id AND l.state = 'waiting' AND l.next_at <= :now::timestamptz)
ORDER BY r.campaign_id
FOR NO KEY UPDATE OF r SKIP LOCKED;

-- name: letter_counts
-- How many letters a campaign has tried to send in the last hour and day.
SELECT count(*) FILTER (WHERE tried_at > :now::timestamptz - interval '1 hour') AS hour, count(*) AS day
FROM letter WHERE campaign_id = :campaign_id::bigint AND tried_at > :now::timestamptz - interval '24 hours';

-- name: letter_take
-- What is due, taken until then by this process, and due again if it dies.
UPDATE letter l SET tries = l.tries + 1, tried_at = :now::timestamptz, next_at = :until::timestamptz
FROM (
    SELECT id FROM letter
    WHERE campaign_id = :campaign_id::bigint AND state = 'waiting' AND next_at <= :now::timestamptz
    ORDER BY next_at, id LIMIT :room::integer FOR UPDATE SKIP LOCKED
) AS due
WHERE l.id = due.id
RETURNING l.id;

-- name: letter_due
-- All that letters which still wait are made of, and what is known of their addresses.
SELECT l.id, l.message_id, l.address, l.word, l.language, l.made_at, l.tries, l.subject, l.body, l.template_version,
    c.name, c.attributes, campaign.name AS campaign, campaign.zone, customer.name AS customer, d.note AS agreed,
    coalesce(u.name, '') AS operator, coalesce(lead.person, '') AS person, coalesce(lead.company, '') AS company,
    s.name AS sender_name, s.address AS sender, s.reply_to,
    r.mode, r.language AS usual_language, r.per_hour, r.per_day, r.unanswered_max, r.terms_days, r.manager, r.unsubscribe_scope,
    t.version, t.subject AS told_subject, t.body AS told_body,
    c.closed_by IS NOT DISTINCT FROM 'erased' OR l.address = '' AS erased,
    coalesce((
        SELECT x.why FROM letter_stop x
        WHERE x.address = lower(l.address)
            AND (x.scope = 'global' OR x.customer_id = l.customer_id OR x.campaign_id = l.campaign_id)
        ORDER BY x.id LIMIT 1
    ), CASE WHEN nullif(current_setting('dialer.suppression_key', true), '') IS NOT NULL AND EXISTS (SELECT FROM suppression)
        AND EXISTS (SELECT FROM suppression h WHERE h.hash = suppression_hash(lower(l.address))) THEN 'asked' END) AS stopped,
    (
        SELECT count(*) FROM letter o
        WHERE lower(o.address) = lower(l.address) AND o.customer_id = l.customer_id AND o.id <> l.id AND o.state IN ('sent', 'listed')
            AND o.closed_at > coalesce((SELECT max(a.answered_at) FROM letter a
                WHERE lower(a.address) = lower(l.address) AND a.customer_id = l.customer_id), '-infinity')
    ) AS unanswered
FROM letter l
JOIN contact c ON c.id = l.contact_id
JOIN campaign ON campaign.id = l.campaign_id
JOIN customer ON customer.id = l.customer_id
JOIN disposition d ON d.attempt_id = l.attempt_id
JOIN letter_rule r ON r.campaign_id = l.campaign_id
LEFT JOIN letter_sender s ON s.customer_id = l.customer_id
LEFT JOIN lead ON lead.attempt_id = l.attempt_id
LEFT JOIN app_user u ON u.id = d.operator_id
LEFT JOIN LATERAL (
    SELECT version, subject, body FROM letter_template t
    WHERE t.campaign_id = l.campaign_id AND t.word = l.word AND t.language = l.language
    ORDER BY version DESC LIMIT 1
) AS t ON true
WHERE l.id = ANY(:ids::bigint[]) AND l.state = 'waiting'
ORDER BY l.id;

-- name: letter_composed
-- What it says, before the first try: every try says the same.
UPDATE letter SET subject = :subject::text, body = :body::text, template_version = :version::integer WHERE id = :id::bigint;

-- name: letter_told
-- What came of a try; nothing if somebody else has taken it since. What a rule refused used up nothing of the limits.
UPDATE letter SET state = :state::text, reason = :reason::text, detail = :detail::text,
    next_at = coalesce(:next_at::timestamptz, next_at),
    tried_at = CASE WHEN :state::text <> 'refused' THEN tried_at END,
    sent_at = CASE WHEN :state::text = 'sent' THEN :now::timestamptz ELSE sent_at END,
    bounced_at = CASE WHEN :state::text = 'bounced' THEN :now::timestamptz ELSE bounced_at END,
    closed_at = CASE WHEN :state::text <> 'waiting' THEN :now::timestamptz END
WHERE id = :id::bigint AND state = 'waiting' AND tries = :tries::integer;

-- name: letter_stop_add
-- No more letters to an address; saying it again changes nothing.
INSERT INTO letter_stop (address, scope, customer_id, campaign_id, why, letter_id, added_by, added_at)
VALUES (lower(:address::text), :scope::text, CASE :scope::text WHEN 'customer' THEN :customer_id::bigint END,
    CASE :scope::text WHEN 'campaign' THEN :campaign_id::bigint END, :why::text, :letter_id::bigint, :user_id::bigint,
    :now::timestamptz)
ON CONFLICT (address, scope, customer_id, campaign_id) DO NOTHING;

-- name: letter_stop_list
-- The newest first.
SELECT s.id, s.address, s.scope, coalesce(customer.name, '') AS customer, coalesce(c.name, '') AS campaign, s.why, s.added_at
FROM letter_stop s LEFT JOIN customer ON customer.id = s.customer_id LEFT JOIN campaign c ON c.id = s.campaign_id
WHERE (:before::bigint IS NULL OR s.id < :before::bigint) AND (:address::text IS NULL OR s.address = lower(:address::text))
ORDER BY s.id DESC LIMIT :limit::integer;

-- name: letter_stop_remove
-- The audit log keeps who did.
DELETE FROM letter_stop WHERE id = :id::bigint RETURNING scope, customer_id, campaign_id, why;

-- name: letter_lists_due
-- Campaigns whose letters are fetched as a list and that wrote some before this one is cut; each for one process at a time.
SELECT r.campaign_id FROM letter_rule r
WHERE r.mode = 'list' AND EXISTS (
    SELECT FROM letter l WHERE l.campaign_id = r.campaign_id AND l.state = 'waiting' AND l.made_at < :cut_at::timestamptz)
ORDER BY r.campaign_id
FOR NO KEY UPDATE OF r SKIP LOCKED;

-- name: letter_list_of
-- What is on it.
SELECT id FROM letter
WHERE campaign_id = :campaign_id::bigint AND state = 'waiting' AND made_at < :cut_at::timestamptz
ORDER BY id LIMIT 10000
FOR UPDATE SKIP LOCKED;

-- name: letter_list_add
-- A list; one that was cut already takes what was left over.
INSERT INTO letter_list (campaign_id, cut_at) VALUES (:campaign_id::bigint, :cut_at::timestamptz)
ON CONFLICT (campaign_id, cut_at) DO UPDATE SET fetched_at = NULL
RETURNING id;

-- name: letter_listed
-- It is on the list, and says this.
UPDATE letter SET state = 'listed', list_id = :list_id::bigint, subject = :subject::text, body = :body::text,
    template_version = :version::integer, closed_at = :now::timestamptz, tries = tries + 1
WHERE id = :id::bigint;

-- name: letter_refused
-- A rule of ours refused it before anything left.
UPDATE letter SET state = 'refused', reason = :reason::text, detail = :detail::text, closed_at = :now::timestamptz WHERE id = :id::bigint;

-- name: letter_lists
-- The last lists of a campaign, the newest first.
SELECT t.id, t.cut_at, t.fetched_at, (SELECT count(*) FROM letter l WHERE l.list_id = t.id) AS letters
FROM letter_list t WHERE t.campaign_id = :campaign_id::bigint ORDER BY t.id DESC LIMIT 50;

-- name: letter_list_fetch
-- A list as it was cut, of a campaign; that it was fetched is kept.
UPDATE letter_list SET fetched_at = coalesce(fetched_at, :now::timestamptz)
WHERE id = :id::bigint AND campaign_id = :campaign_id::bigint
RETURNING cut_at;

-- name: letter_list_rows
-- What is on a list.
SELECT l.id, l.message_id, l.address, c.name, l.language, l.word, l.subject, l.body, l.made_at
FROM letter l JOIN contact c ON c.id = l.contact_id WHERE l.list_id = :id::bigint ORDER BY l.id;

-- name: letter_list_next
-- Letters that wait for the next list of a campaign.
SELECT count(*) FROM letter WHERE campaign_id = :campaign_id::bigint AND state = 'waiting';

-- name: letter_find
-- Letters of what a user may see, the newest first, from under the last one of the page before.
SELECT l.id, l.campaign_id, campaign.name AS campaign, l.contact_id, c.name, l.address, l.word, l.language, l.made_at, l.state,
    l.reason, l.detail, l.subject, l.tries, CASE WHEN isfinite(l.next_at) AND l.state = 'waiting' THEN l.next_at END AS next_at,
    l.sent_at, l.closed_at, l.bounced_at, l.answered_at, l.unsubscribed_at, l.list_id
FROM letter l JOIN campaign ON campaign.id = l.campaign_id JOIN contact c ON c.id = l.contact_id
WHERE (:campaign_id::bigint IS NULL OR l.campaign_id = :campaign_id::bigint)
    AND (:contact_id::bigint IS NULL OR l.contact_id = :contact_id::bigint)
    AND (:team_id::bigint IS NULL OR campaign.team_id = :team_id::bigint)
    AND (:customer_id::bigint IS NULL OR l.customer_id = :customer_id::bigint)
    AND (:state::text IS NULL OR l.state = :state::text)
    AND (:reason::text IS NULL OR l.reason = :reason::text)
    AND (:address::text IS NULL OR lower(l.address) = lower(:address::text))
    AND (:name::text IS NULL OR strpos(lower(c.name), lower(:name::text)) > 0 OR strpos(lower(l.subject), lower(:name::text)) > 0
        OR strpos(lower(l.address COLLATE "C"), lower(:name::text)) > 0)
    AND (:before::bigint IS NULL OR l.id < :before::bigint)
ORDER BY l.id DESC LIMIT :limit::integer;

-- name: letter_plan
-- Each list is planned for what is asked: a filter nobody named must not spoil the plan of those that are.
SET LOCAL plan_cache_mode = force_custom_plan;

-- name: letter_states
-- How many letters are in each state.
SELECT l.state, count(*) AS letters
FROM letter l JOIN campaign ON campaign.id = l.campaign_id
WHERE (:campaign_id::bigint IS NULL OR l.campaign_id = :campaign_id::bigint)
    AND (:team_id::bigint IS NULL OR campaign.team_id = :team_id::bigint)
    AND (:customer_id::bigint IS NULL OR l.customer_id = :customer_id::bigint)
GROUP BY l.state;

-- name: letter_unsendable
-- Customers whose letters wait because nobody said in whose name they go.
SELECT customer.id, customer.name, count(*) AS letters
FROM letter l JOIN letter_rule r ON r.campaign_id = l.campaign_id JOIN customer ON customer.id = l.customer_id
WHERE l.state = 'waiting' AND r.mode = 'send' AND NOT EXISTS (SELECT FROM letter_sender s WHERE s.customer_id = l.customer_id)
GROUP BY customer.id, customer.name ORDER BY customer.name;

-- name: letter_show
-- One, with what it said.
SELECT l.id, l.message_id, l.campaign_id, campaign.name AS campaign, l.contact_id, l.customer_id, c.name, l.address, l.word, l.language,
    l.made_at, l.state, l.reason, l.detail, l.subject, l.body, l.template_version, l.tries,
    CASE WHEN isfinite(l.next_at) AND l.state = 'waiting' THEN l.next_at END AS next_at, l.sent_at, l.closed_at, l.bounced_at,
    l.answered_at, l.unsubscribed_at, l.list_id, l.attempt_id
FROM letter l JOIN campaign ON campaign.id = l.campaign_id JOIN contact c ON c.id = l.contact_id
WHERE l.id = :id::bigint;

-- name: letter_lock
-- For a change.
SELECT l.id, l.state, l.address, l.campaign_id, l.customer_id, l.contact_id, l.sent_at, coalesce(r.unsubscribe_scope, 'customer') AS scope
FROM letter l LEFT JOIN letter_rule r ON r.campaign_id = l.campaign_id
WHERE l.id = :id::bigint FOR NO KEY UPDATE OF l;

-- name: letter_by_message
-- Which letter a mail is about.
SELECT id FROM letter WHERE message_id = :message_id::uuid;

-- name: letter_replay
-- Try again what was refused or given up: under the same Message-ID. What was written by a rule is written anew.
UPDATE letter SET state = 'waiting', reason = NULL, detail = '', tries = 0, next_at = '-infinity', closed_at = NULL
WHERE id = :id::bigint AND state IN ('refused', 'given_up') AND address <> '' RETURNING id;

-- name: letter_bounced
-- A report came later: nobody is reached there.
UPDATE letter SET state = 'bounced', bounced_at = :now::timestamptz, detail = :detail::text WHERE id = :id::bigint AND state = 'sent';

-- name: letter_answered
-- Somebody wrote back: letters to this address count anew.
UPDATE letter SET answered_at = coalesce(answered_at, :now::timestamptz) WHERE id = :id::bigint AND state IN ('sent', 'listed');

-- name: letter_unsubscribed
-- Whoever has it wants no more.
UPDATE letter SET unsubscribed_at = coalesce(unsubscribed_at, :now::timestamptz) WHERE id = :id::bigint;

-- name: letter_rule
-- What holds for the letters of a campaign; nothing: none are written.
SELECT r.mode, r.language, r.per_hour, r.per_day, r.unanswered_max, r.terms_days, r.manager, r.unsubscribe_scope
FROM campaign c LEFT JOIN letter_rule r ON r.campaign_id = c.id WHERE c.id = :campaign_id::bigint;

-- name: letter_rule_set
-- From now on, also for what waits.
INSERT INTO letter_rule (campaign_id, mode, language, per_hour, per_day, unanswered_max, terms_days, manager, unsubscribe_scope)
VALUES (:campaign_id::bigint, :mode::text, :language::text, :per_hour::integer, :per_day::integer, :unanswered_max::integer,
    :terms_days::integer, :manager::text, :unsubscribe_scope::text)
ON CONFLICT (campaign_id) DO UPDATE SET (mode, language, per_hour, per_day, unanswered_max, terms_days, manager, unsubscribe_scope)
    = (excluded.mode, excluded.language, excluded.per_hour, excluded.per_day, excluded.unanswered_max, excluded.terms_days,
        excluded.manager, excluded.unsubscribe_scope);

-- name: letter_sender
-- In whose name a campaign's customer writes.
SELECT customer.id AS customer_id, customer.name AS customer, s.name, s.address, s.reply_to
FROM campaign c JOIN customer ON customer.id = c.customer_id LEFT JOIN letter_sender s ON s.customer_id = customer.id
WHERE c.id = :campaign_id::bigint;

-- name: letter_sender_set
-- From now on.
INSERT INTO letter_sender (customer_id, name, address, reply_to)
VALUES (:customer_id::bigint, :name::text, :address::text, :reply_to::text)
ON CONFLICT (customer_id) DO UPDATE SET name = excluded.name, address = excluded.address, reply_to = excluded.reply_to;

-- name: letter_templates
-- The present version of every letter of a campaign.
SELECT DISTINCT ON (t.word, t.language) t.word, t.language, t.version, t.subject, t.body, t.saved_at, coalesce(u.name, '') AS saved_by
FROM letter_template t LEFT JOIN app_user u ON u.id = t.saved_by
WHERE t.campaign_id = :campaign_id::bigint
ORDER BY t.word, t.language, t.version DESC;

-- name: letter_versions
-- All versions of one, the newest first.
SELECT t.version, t.subject, t.body, t.saved_at, coalesce(u.name, '') AS saved_by
FROM letter_template t LEFT JOIN app_user u ON u.id = t.saved_by
WHERE t.campaign_id = :campaign_id::bigint AND t.word = :word::text AND t.language = :language::text
ORDER BY t.version DESC LIMIT 100;

-- name: letter_template_turn
-- One version after another.
SELECT id FROM campaign WHERE id = :campaign_id::bigint FOR NO KEY UPDATE;

-- name: letter_template_add
-- The next version.
INSERT INTO letter_template (campaign_id, word, language, version, subject, body, saved_at, saved_by)
SELECT :campaign_id::bigint, :word::text, :language::text, coalesce(max(version), 0) + 1, :subject::text, :body::text,
    :now::timestamptz, :user_id::bigint
FROM letter_template WHERE campaign_id = :campaign_id::bigint AND word = :word::text AND language = :language::text
RETURNING version;

-- name: letter_tests
-- How many letters to look at somebody has sent in the last hour.
SELECT count(*) FROM audit
WHERE user_id = :user_id::bigint AND action = 'letter.test' AND at > :now::timestamptz - interval '1 hour';

-- name: letter_samples
-- Contacts of a campaign to look at a letter with: those who were spoken to last, else some of its bases.
SELECT c.id, c.name, c.attributes, coalesce(d.note, '') AS agreed, coalesce(u.name, '') AS operator, coalesce(d.address, '') AS address,
    coalesce(l.person, '') AS person, coalesce(l.company, '') AS company, d.saved_at
FROM (
    SELECT id FROM (SELECT contact_id AS id FROM disposition WHERE campaign_id = :campaign_id::bigint ORDER BY saved_at DESC LIMIT 20) AS told
    UNION
    SELECT id FROM (SELECT id FROM contact WHERE campaign_id = :campaign_id::bigint LIMIT 20) AS first
) AS picked JOIN contact c ON c.id = picked.id
LEFT JOIN LATERAL (SELECT * FROM disposition d WHERE d.contact_id = c.id ORDER BY d.saved_at DESC LIMIT 1) AS d ON true
LEFT JOIN app_user u ON u.id = d.operator_id
LEFT JOIN lead l ON l.attempt_id = d.attempt_id
WHERE c.name <> ''
ORDER BY d.saved_at DESC NULLS LAST, c.id
LIMIT 20;

-- name: letter_told_customer
-- What a letter says beside the contact.
SELECT customer.name AS customer, c.name AS campaign, c.zone FROM campaign c JOIN customer ON customer.id = c.customer_id
WHERE c.id = :campaign_id::bigint;
