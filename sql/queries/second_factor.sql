-- The second factor of a login: a code by time, or one of the recovery codes.

-- name: second_factor_read
-- A user's factor, confirmed or only begun.
SELECT seed, confirmed_at, last_step,
    (SELECT count(*) FROM recovery_code AS r WHERE r.user_id = f.user_id AND r.used_at IS NULL) AS codes_left
FROM second_factor AS f WHERE user_id = :user_id::bigint;

-- name: second_factor_begin
-- A new seed while none is confirmed; no row if one is.
INSERT INTO second_factor (user_id, seed) VALUES (:user_id::bigint, :seed::bytea)
ON CONFLICT (user_id) DO UPDATE SET seed = excluded.seed, began_at = now()
WHERE second_factor.confirmed_at IS NULL
RETURNING user_id;

-- name: second_factor_use
-- A code is good once: of two that come at the same moment one finds the row changed.
UPDATE second_factor SET last_step = :step::bigint, confirmed_at = coalesce(confirmed_at, now())
WHERE user_id = :user_id::bigint AND last_step < :step::bigint
RETURNING user_id;

-- name: second_factor_recover
-- So is a recovery code.
UPDATE recovery_code SET used_at = now()
WHERE user_id = :user_id::bigint AND code_hash = :code_hash::bytea AND used_at IS NULL
RETURNING user_id;

-- name: second_factor_codes
-- New recovery codes; the old ones are worth nothing.
WITH old AS (DELETE FROM recovery_code WHERE user_id = :user_id::bigint)
INSERT INTO recovery_code (code_hash, user_id) SELECT hash, :user_id::bigint FROM unnest(:hashes::bytea[]) AS hash;

-- name: second_factor_remove
-- Off, by oneself or by an admin.
DELETE FROM second_factor WHERE user_id = :user_id::bigint RETURNING user_id;

-- name: second_factor_required
-- Roles that must have one.
SELECT ARRAY(SELECT jsonb_array_elements_text(value)) AS roles FROM app_setting WHERE name = 'second_factor_roles';

-- name: second_factor_require
-- From the next request of everybody on.
INSERT INTO app_setting (name, value) VALUES ('second_factor_roles', :roles::jsonb)
ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: second_factor_close_others
-- Sessions that were opened before, but for the one that asks.
DELETE FROM web_session WHERE user_id = :user_id::bigint AND token_hash <> :token_hash::bytea RETURNING token_hash;
