-- Receivers of events, and the outbox of what each is still to be told.

-- name: webhook_list
-- Receivers with what waits, what was given up, and the last answer.
SELECT w.id, w.name, w.url, w.customer_id, coalesce(customer.name, '') AS customer, w.campaign_id, coalesce(c.name, '') AS campaign,
    w.kinds, w.made_at, w.paused_at, w.seed_before_until,
    (SELECT count(*) FROM delivery d WHERE d.webhook_id = w.id AND d.state = 'pending') AS pending,
    (SELECT count(*) FROM delivery d WHERE d.webhook_id = w.id AND d.state = 'given_up') AS given_up,
    (SELECT max(d.closed_at) FROM delivery d WHERE d.webhook_id = w.id AND d.state = 'delivered') AS delivered_at
FROM webhook w LEFT JOIN customer ON customer.id = w.customer_id LEFT JOIN campaign c ON c.id = w.campaign_id
WHERE :id::bigint IS NULL OR w.id = :id::bigint
ORDER BY w.id LIMIT 500;

-- name: webhook_add
-- A receiver.
INSERT INTO webhook (name, url, customer_id, campaign_id, kinds, seed, made_by)
VALUES (:name::text, :url::text, :customer_id::bigint, :campaign_id::bigint, :kinds::text[], :seed::bytea, :user_id::bigint)
RETURNING id;

-- name: webhook_lock
-- A receiver for a change. NO KEY: what happens meanwhile is told to it.
SELECT id, name, url, kinds, seed, paused_at FROM webhook WHERE id = :id::bigint FOR NO KEY UPDATE;

-- name: webhook_change
-- What it is told, where, and whether at present.
UPDATE webhook SET name = :name::text, url = :url::text, kinds = :kinds::text[],
    paused_at = CASE WHEN :paused::boolean THEN coalesce(paused_at, :now::timestamptz) END
WHERE id = :id::bigint;

-- name: webhook_rotate
-- A new secret; the one before signs beside it for a while.
UPDATE webhook SET seed_before = seed, seed_before_until = :until::timestamptz, seed = :seed::bytea WHERE id = :id::bigint;

-- name: webhook_remove
-- With all that it was still to be told.
DELETE FROM webhook WHERE id = :id::bigint;

-- name: webhook_test
-- An event of nothing, to see whether it arrives.
INSERT INTO delivery (webhook_id, event_id, kind, campaign_id, at, body)
SELECT w.id, gen_random_uuid(), 'webhook.test', w.campaign_id, :now::timestamptz, '{}' FROM webhook w WHERE w.id = :id::bigint
RETURNING id;

-- name: webhook_deliveries
-- The last events of a receiver, from under the last one of the page before.
SELECT d.id, d.event_id, d.kind, d.campaign_id, d.at, d.state, d.tries, CASE WHEN isfinite(d.next_at) THEN d.next_at END AS next_at,
    d.status, d.error, d.closed_at
FROM delivery d
WHERE d.webhook_id = :id::bigint AND (:state::text IS NULL OR d.state = :state::text) AND (:before::bigint IS NULL OR d.id < :before::bigint)
ORDER BY d.id DESC LIMIT :limit::integer;

-- name: webhook_replay
-- Tell it again: one event, or (null) all that were given up. The event's id stays.
UPDATE delivery SET state = 'pending', tries = 0, next_at = '-infinity', closed_at = NULL
WHERE webhook_id = :id::bigint AND state <> 'pending'
    AND (id = :delivery_id::bigint OR (:delivery_id::bigint IS NULL AND state = 'given_up'));

-- name: webhook_take
-- What is due, some of each receiver that is not busy; taken until then by this process, and due again if it dies.
UPDATE delivery d SET tries = d.tries + 1, next_at = :until::timestamptz
FROM (
    SELECT due.id FROM webhook w CROSS JOIN LATERAL (
        SELECT x.id FROM delivery x
        WHERE x.webhook_id = w.id AND x.state = 'pending' AND x.next_at <= :now::timestamptz
        ORDER BY x.next_at, x.id LIMIT :each::integer FOR UPDATE SKIP LOCKED
    ) AS due
    WHERE w.paused_at IS NULL AND w.id <> ALL(:busy::bigint[])
) AS taken, webhook w
WHERE d.id = taken.id AND w.id = d.webhook_id
RETURNING d.id, d.webhook_id, w.url, w.seed, CASE WHEN w.seed_before_until > :now::timestamptz THEN w.seed_before END AS seed_before,
    d.event_id, d.kind, d.campaign_id, d.at, d.body, d.tries;

-- name: webhook_told
-- What came of a try.
UPDATE delivery SET state = :state::text, status = :status::integer, error = :error::text,
    next_at = coalesce(:next_at::timestamptz, next_at), closed_at = CASE WHEN :state::text <> 'pending' THEN :now::timestamptz END
WHERE id = :id::bigint AND state = 'pending' AND tries = :tries::integer;

-- name: webhook_expire
-- What waited so long, for a receiver that is paused or dead, is given up: what waits is bounded, and told by hand.
UPDATE delivery SET state = 'given_up', error = 'it waited for longer than a week', closed_at = :now::timestamptz
WHERE id IN (SELECT id FROM delivery WHERE state = 'pending' AND at < :before::timestamptz ORDER BY id LIMIT 10000);

-- name: webhook_forget
-- What was told long ago.
DELETE FROM delivery WHERE id IN (SELECT id FROM delivery WHERE state <> 'pending' AND closed_at < :before::timestamptz LIMIT 10000);
