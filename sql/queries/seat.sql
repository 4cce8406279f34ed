-- Seats and who has them.

-- name: seat_turn
-- One at a time: two people never get the same seat.
SELECT pg_advisory_xact_lock(hashtext('dialer.seat'), hashtext(:switch::text));

-- name: seat_of_user
-- The seat a user has, if it still is one of the pool of this switch.
SELECT name FROM seat WHERE user_id = :user_id::bigint AND switch = :switch::text AND name = ANY(:pool::text[]);

-- name: seat_free
-- The first seat of the pool that nobody has; else the one that was given longest ago to somebody who is neither logged in
-- nor in a shift, and was not shown its secret: a desk phone stays where it is.
SELECT p.name
FROM unnest(:pool::text[]) WITH ORDINALITY AS p (name, place)
LEFT JOIN seat s ON s.switch = :switch::text AND s.name = p.name
WHERE (s.name IS NULL OR (
        s.shown IS NULL
        AND NOT EXISTS (SELECT FROM web_session w WHERE w.user_id = s.user_id AND w.expires_at > now())
        AND NOT EXISTS (SELECT FROM operator_live o WHERE o.operator_id = s.user_id)
    ))
    AND NOT EXISTS (SELECT FROM operator_live o WHERE o.seat = ANY(ARRAY[p.name, p.name || :web::text]))
ORDER BY s.given_at NULLS FIRST, p.place
LIMIT 1;

-- name: seat_clear
-- The seat's last user, and this user's last seat, let go of it.
DELETE FROM seat WHERE (switch = :switch::text AND name = :name::text) OR user_id = :user_id::bigint;

-- name: seat_give
-- This user sits here now.
INSERT INTO seat (switch, name, user_id) VALUES (:switch::text, :name::text, :user_id::bigint);

-- name: seat_show
-- A desk phone's secret is shown once; a rotated one once more. The mark as it was before.
UPDATE seat s SET shown = :mark::text
FROM (SELECT user_id, shown FROM seat WHERE user_id = :user_id::bigint FOR UPDATE) AS before
WHERE s.user_id = before.user_id
RETURNING before.shown;

-- name: seat_take_back
-- An admin takes a seat back, also one with a desk phone.
DELETE FROM seat WHERE switch = :switch::text AND name = :name::text RETURNING user_id;

-- name: seat_list
-- Who has which seat.
SELECT s.name, u.login, s.given_at, s.shown IS NOT NULL AS desk FROM seat s JOIN app_user u ON u.id = s.user_id
WHERE s.switch = :switch::text ORDER BY s.name;
