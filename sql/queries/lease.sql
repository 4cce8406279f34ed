-- The right to dial on a switch (promises.md R2). The clock is PostgreSQL's, or the one of a simulation.

-- name: lease_ensure
-- A switch that nobody dialled on yet has its row from now on.
INSERT INTO engine_lease (switch) VALUES (:switch::text) ON CONFLICT DO NOTHING;

-- name: lease_look
-- Who holds it, and when it may be taken; waits for nobody.
SELECT epoch, holder, expires_at, expires_at + :grace::interval - coalesce(:clock::timestamptz, clock_timestamp()) AS free_in
FROM engine_lease WHERE switch = :switch::text;

-- name: lease_read
-- FOR UPDATE: waits for claims and journals under the old epoch, and holds back new ones until the epoch has grown.
SELECT epoch, holder, expires_at, expires_at + :grace::interval - coalesce(:clock::timestamptz, clock_timestamp()) AS free_in
FROM engine_lease WHERE switch = :switch::text
FOR UPDATE;

-- name: lease_show
-- Who dials, for the health page.
SELECT epoch, holder, expires_at FROM engine_lease WHERE switch = :switch::text;

-- name: lease_take
-- Every later write of the old holder carries an epoch that is over.
UPDATE engine_lease
SET epoch = epoch + 1, holder = :holder::jsonb, expires_at = coalesce(:clock::timestamptz, clock_timestamp()) + :lasts::interval
WHERE switch = :switch::text
RETURNING epoch;

-- name: lease_renew
-- A lease that ran out is not renewed: its holder must have stopped already.
UPDATE engine_lease
SET expires_at = coalesce(:clock::timestamptz, clock_timestamp()) + :lasts::interval
WHERE switch = :switch::text AND epoch = :epoch::bigint AND holder IS NOT NULL
    AND expires_at > coalesce(:clock::timestamptz, clock_timestamp());

-- name: lease_release
-- An orderly stop leaves nothing to wait for.
UPDATE engine_lease SET holder = NULL, expires_at = 'epoch' WHERE switch = :switch::text AND epoch = :epoch::bigint;

-- name: lease_lock
-- The session lock says that the holder's connection lives.
SELECT pg_try_advisory_lock(hashtext('dialer engine'), hashtext(:switch::text));

-- name: lease_unlock
-- Whoever only waited for the lease gives the lock back.
SELECT pg_advisory_unlock(hashtext('dialer engine'), hashtext(:switch::text));

-- name: lease_fence
-- No claim without an unexpired lease of this epoch. KEY SHARE: renewing goes on beside it, taking over waits.
SELECT epoch FROM engine_lease
WHERE switch = :switch::text AND epoch = :epoch::bigint AND expires_at > coalesce(:clock::timestamptz, clock_timestamp())
FOR KEY SHARE;

-- name: lease_fence_facts
-- What was seen is still written after the lease ran out, but not once another engine has taken over.
SELECT epoch FROM engine_lease WHERE switch = :switch::text AND epoch = :epoch::bigint FOR KEY SHARE;

-- name: lease_clock
-- PostgreSQL's time of day.
SELECT clock_timestamp();
