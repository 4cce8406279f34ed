-- Reports by mail: who asked for which, when they are due, and what became of each letter.

-- name: subscription_list
-- Those of a user (null: of everybody) that were not removed, with their addresses and the end of the last day.
SELECT s.id, s.user_id, u.name AS user_name, s.name, s.campaign_id, coalesce(c.name, '') AS campaign, coalesce(c.zone, s.zone) AS zone,
    s.period, s.breakdown, s.language, s.form, s.weekdays, s.month_day, s.hour, s.made_at,
    CASE WHEN s.stopped_at IS NULL THEN s.next_at END AS next_at, s.stopped_at, s.stopped_why,
    coalesce((
        SELECT jsonb_agg(jsonb_build_object('address', x.address, 'own', x.allowed_by IS NULL, 'stopped', x.stopped_why) ORDER BY x.id)
        FROM subscriber x WHERE x.subscription_id = s.id AND x.removed_at IS NULL
    ), '[]') AS addresses,
    (SELECT max(l.sent_at) FROM report_run r JOIN report_letter l ON l.run_id = r.id WHERE r.subscription_id = s.id) AS sent_at
FROM subscription s JOIN app_user u ON u.id = s.user_id LEFT JOIN campaign c ON c.id = s.campaign_id
WHERE s.removed_at IS NULL AND (:user_id::bigint IS NULL OR s.user_id = :user_id::bigint) AND (:id::bigint IS NULL OR s.id = :id::bigint)
ORDER BY s.id DESC LIMIT 500;

-- name: subscription_count
-- How many a user has.
SELECT count(*) FROM subscription WHERE user_id = :user_id::bigint AND removed_at IS NULL;

-- name: subscription_add
-- A report to send.
INSERT INTO subscription (user_id, name, campaign_id, zone, period, breakdown, language, form, weekdays, month_day, hour, made_at, next_day,
    next_at)
VALUES (:user_id::bigint, :name::text, :campaign_id::bigint, :zone::text, :period::text, :breakdown::text, :language::text, :form::text,
    :weekdays::smallint[], :month_day::smallint, :hour::smallint, :now::timestamptz, :next_day::date, :next_at::timestamptz)
RETURNING id;

-- name: subscription_lock
-- For a change, by its user or (null) an admin; with the last day it was kept on.
SELECT s.*, (SELECT max(r.day) FROM report_run r WHERE r.subscription_id = s.id) AS kept, coalesce(c.zone, s.zone) AS zone_now
FROM subscription s LEFT JOIN campaign c ON c.id = s.campaign_id
WHERE s.id = :id::bigint AND s.removed_at IS NULL AND (:user_id::bigint IS NULL OR s.user_id = :user_id::bigint)
FOR NO KEY UPDATE OF s;

-- name: subscription_change
-- All of it.
UPDATE subscription SET name = :name::text, campaign_id = :campaign_id::bigint, zone = :zone::text, period = :period::text,
    breakdown = :breakdown::text, language = :language::text, form = :form::text, weekdays = :weekdays::smallint[],
    month_day = :month_day::smallint, hour = :hour::smallint, next_day = :next_day::date, next_at = :next_at::timestamptz
WHERE id = :id::bigint;

-- name: subscription_stop
-- Nothing of it is sent any more. What waits says why when its turn comes.
UPDATE subscription SET stopped_at = :now::timestamptz, stopped_why = :why::text WHERE id = :id::bigint AND stopped_at IS NULL;

-- name: subscription_resume
-- From its next day on.
UPDATE subscription SET stopped_at = NULL, stopped_why = NULL, next_day = :next_day::date, next_at = :next_at::timestamptz
WHERE id = :id::bigint AND stopped_at IS NOT NULL;

-- name: subscription_remove
-- Nobody sees it any more; its history stays.
UPDATE subscription SET removed_at = :now::timestamptz WHERE id = :id::bigint AND removed_at IS NULL;

-- name: subscription_due
-- What is due, each for one process.
SELECT s.id, s.next_day, s.next_at, s.weekdays, s.month_day, s.hour, coalesce(c.zone, s.zone) AS zone
FROM subscription s LEFT JOIN campaign c ON c.id = s.campaign_id
WHERE s.stopped_at IS NULL AND s.removed_at IS NULL AND s.next_at <= :now::timestamptz
ORDER BY s.next_at, s.id LIMIT :limit::integer
FOR NO KEY UPDATE OF s SKIP LOCKED;

-- name: subscription_next
-- When it is due again.
UPDATE subscription SET next_day = :next_day::date, next_at = :next_at::timestamptz WHERE id = :id::bigint;

-- name: subscriber_set
-- An address of it; one that wanted no more stays so until it is removed and written anew.
INSERT INTO subscriber (subscription_id, address, allowed_by) VALUES (:id::bigint, :address::text, :allowed_by::bigint)
ON CONFLICT (subscription_id, lower(address)) WHERE removed_at IS NULL
DO UPDATE SET allowed_by = excluded.allowed_by
RETURNING id;

-- name: subscriber_list
-- Addresses of it.
SELECT id, address, allowed_by, stopped_why FROM subscriber WHERE subscription_id = :id::bigint AND removed_at IS NULL ORDER BY id;

-- name: subscriber_keep
-- Only these stay.
UPDATE subscriber SET removed_at = :now::timestamptz
WHERE subscription_id = :id::bigint AND removed_at IS NULL AND NOT id = ANY(:ids::bigint[]);

-- name: subscriber_stop
-- Whoever has this address wants no more of it, or nobody is there.
UPDATE subscriber SET stopped_at = :now::timestamptz, stopped_why = :why::text WHERE id = :id::bigint AND stopped_at IS NULL;

-- name: subscriber_show
-- Of a link: what it ends, in whose language.
SELECT x.id, x.address, x.stopped_at, s.id AS subscription_id, s.name, s.language
FROM subscriber x JOIN subscription s ON s.id = x.subscription_id WHERE x.id = :id::bigint;

-- name: subscriber_left
-- Addresses that still get it.
SELECT count(*) FROM subscriber WHERE subscription_id = :id::bigint AND removed_at IS NULL AND stopped_at IS NULL;

-- name: report_run_add
-- A day of it, once; nothing where that day was kept.
INSERT INTO report_run (subscription_id, day, about, due_at)
VALUES (:subscription_id::bigint, :day::date, :about::date, :due_at::timestamptz)
ON CONFLICT (subscription_id, day) DO NOTHING RETURNING id;

-- name: report_letter_add
-- A letter to everybody who gets it.
INSERT INTO report_letter (run_id, subscriber_id, address, made_at)
SELECT :run_id::bigint, x.id, x.address, :now::timestamptz FROM subscriber x
WHERE x.subscription_id = :subscription_id::bigint AND x.removed_at IS NULL AND x.stopped_at IS NULL ORDER BY x.id;

-- name: report_letter_try
-- A letter to whoever wants to see one.
INSERT INTO report_letter (run_id, address, made_at) VALUES (:run_id::bigint, :address::text, :now::timestamptz);

-- name: report_trials
-- How many of these somebody has asked for in the last hour.
SELECT count(*) FROM audit
WHERE user_id = :user_id::bigint AND action = 'subscription.send' AND at > :now::timestamptz - interval '1 hour';

-- name: report_letter_take
-- What is due, taken until then by this process, and due again if it dies.
UPDATE report_letter l SET tries = l.tries + 1, next_at = :until::timestamptz
FROM (
    SELECT id FROM report_letter WHERE state = 'waiting' AND next_at <= :now::timestamptz
    ORDER BY next_at, id LIMIT :limit::integer FOR UPDATE SKIP LOCKED
) AS due
WHERE l.id = due.id
RETURNING l.id;

-- name: report_letter_due
-- One that waits, with all that it is made of and whether it may still go.
SELECT l.id, l.message_id, l.address, l.subscriber_id, l.tries, l.made_at, r.id AS run_id, r.about, r.subject, r.body,
    s.id AS subscription_id, s.user_id, s.name, s.campaign_id, coalesce(c.zone, s.zone) AS zone, s.period, s.breakdown, s.language, s.form,
    CASE WHEN s.removed_at IS NOT NULL THEN 'removed' WHEN x.removed_at IS NOT NULL THEN 'removed' ELSE coalesce(x.stopped_why,
        CASE WHEN l.subscriber_id IS NOT NULL THEN s.stopped_why END) END AS stopped,
    CASE WHEN l.subscriber_id IS NULL THEN true
        WHEN x.allowed_by IS NULL THEN lower(x.address) = lower(coalesce(u.address, ''))
        ELSE EXISTS (SELECT FROM app_user a WHERE a.id = x.allowed_by AND a.role = 'admin' AND NOT a.disabled) END AS allowed
FROM report_letter l
JOIN report_run r ON r.id = l.run_id
JOIN subscription s ON s.id = r.subscription_id
JOIN app_user u ON u.id = s.user_id
LEFT JOIN subscriber x ON x.id = l.subscriber_id
LEFT JOIN campaign c ON c.id = s.campaign_id
WHERE l.id = :id::bigint AND l.state = 'waiting';

-- name: report_composed
-- What it says, before its first letter leaves: every letter and every try says the same.
UPDATE report_run SET subject = :subject::text, body = :body::text WHERE id = :run_id::bigint AND subject IS NULL;

-- name: report_file_add
-- What goes with it.
INSERT INTO report_file (run_id, place, name, media, content)
VALUES (:run_id::bigint, :place::smallint, :name::text, :media::text, :content::bytea) ON CONFLICT DO NOTHING;

-- name: report_files
-- What goes with it.
SELECT name, media, content FROM report_file WHERE run_id = :run_id::bigint ORDER BY place;

-- name: report_letter_told
-- What came of a try; nothing if somebody else has taken it since.
UPDATE report_letter SET state = :state::text, reason = :reason::text, detail = :detail::text,
    next_at = coalesce(:next_at::timestamptz, next_at),
    sent_at = CASE WHEN :state::text = 'sent' THEN :now::timestamptz ELSE sent_at END,
    closed_at = CASE WHEN :state::text <> 'waiting' THEN :now::timestamptz END
WHERE id = :id::bigint AND state = 'waiting' AND tries = :tries::integer;

-- name: report_forget
-- Files of a day that no letter waits for any more.
DELETE FROM report_file f WHERE f.run_id = :run_id::bigint
    AND NOT EXISTS (SELECT FROM report_letter l WHERE l.run_id = f.run_id AND l.state = 'waiting');

-- name: report_bounced
-- A report of a mail server came later: nobody is reached there.
UPDATE report_letter SET state = 'bounced', detail = :detail::text WHERE message_id = :message_id::uuid AND state = 'sent'
RETURNING id, subscriber_id;

-- name: report_history
-- Letters of a report, the newest first, from under the last one of the page before.
SELECT l.id, r.day, r.about, r.due_at, l.address, l.state, l.reason, l.detail, l.tries, l.made_at, l.sent_at, l.closed_at,
    CASE WHEN isfinite(l.next_at) AND l.state = 'waiting' THEN l.next_at END AS next_at
FROM report_run r JOIN report_letter l ON l.run_id = r.id
WHERE r.subscription_id = :id::bigint AND (:before::bigint IS NULL OR l.id < :before::bigint)
ORDER BY l.id DESC LIMIT :limit::integer;

-- name: own_address
-- Where a user's own reports go.
SELECT address FROM app_user WHERE id = :user_id::bigint;

-- name: own_address_set
-- From now on; reports that went to the one before go there.
UPDATE app_user SET address = :address::text WHERE id = :user_id::bigint;

-- name: own_address_moved
-- Own reports follow it, where it is not already among their addresses.
UPDATE subscriber x SET address = :address::text, stopped_at = NULL, stopped_why = NULL
FROM subscription s
WHERE s.id = x.subscription_id AND s.user_id = :user_id::bigint AND x.allowed_by IS NULL AND x.removed_at IS NULL
    AND NOT EXISTS (SELECT FROM subscriber o WHERE o.subscription_id = s.id AND o.removed_at IS NULL AND o.id <> x.id
        AND lower(o.address) = lower(:address::text));
