-- Users, their sessions and their tries to log in.

-- name: user_by_login
-- With the password hash: for the login alone.
SELECT id, login, name, role, team_id, customer_id, language, disabled, password_hash
FROM app_user
WHERE login = :login::text;

-- name: user_list
-- All users, without secrets.
SELECT id, login, name, role, team_id, customer_id, language, disabled
FROM app_user
ORDER BY role, login;

-- name: user_add
-- A new user; the team is made when it is new. No row when the login is taken.
WITH new_team AS (
    INSERT INTO team (name) SELECT :team::text WHERE :team::text IS NOT NULL
    ON CONFLICT (name) DO UPDATE SET name = excluded.name
    RETURNING id
)
INSERT INTO app_user (login, name, role, password_hash, team_id, language)
VALUES (:login::text, :name::text, :role::text, :password_hash::text, (SELECT id FROM new_team), :language::text)
ON CONFLICT (login) DO NOTHING
RETURNING id, login, name, role, team_id, customer_id, language, disabled;

-- name: user_set_disabled
-- Let a user in or not.
UPDATE app_user SET disabled = :disabled::boolean
WHERE id = :user_id::bigint
RETURNING id, login, name, role, team_id, customer_id, language, disabled;

-- name: user_set_language
-- The language of the user's screens.
UPDATE app_user SET language = :language::text
WHERE id = :user_id::bigint
RETURNING id, login, name, role, team_id, customer_id, language, disabled;

-- name: session_open
-- A session; its token is known to the browser only.
INSERT INTO web_session (token_hash, user_id, expires_at)
VALUES (:token_hash::bytea, :user_id::bigint, now() + :lasts::interval);

-- name: session_read
-- The session and its user, while it has not ended; how long it has been idle is judged by role, by the caller.
SELECT s.seen_at, now() - s.seen_at AS idle,
    u.id, u.login, u.name, u.role, u.team_id, u.customer_id, u.language, u.disabled
FROM web_session AS s
JOIN app_user AS u ON u.id = s.user_id
WHERE s.token_hash = :token_hash::bytea AND s.expires_at > now() AND NOT u.disabled;

-- name: session_seen
-- Written at most once a minute, so that reading a page is not a write.
UPDATE web_session SET seen_at = now()
WHERE token_hash = :token_hash::bytea AND seen_at < now() - interval '1 minute';

-- name: session_close
-- A logout.
DELETE FROM web_session WHERE token_hash = :token_hash::bytea;

-- name: session_close_of_user
-- All sessions of a user, to close their pages too.
DELETE FROM web_session WHERE user_id = :user_id::bigint RETURNING token_hash;

-- name: session_sweep
-- Sessions that ended by age.
DELETE FROM web_session WHERE expires_at < now();

-- name: login_try_note
-- A wrong password. Right ones are never written here: a floor that begins its shift at once is no attack.
INSERT INTO login_try (login, ip) VALUES (:login::text, :ip::text);

-- name: login_try_count
-- Wrong tries of this account from this address, of this account from anywhere, from this address at anything; and whether this
-- account has logged in from this address lately.
SELECT
    count(*) FILTER (WHERE login = :login::text AND ip = :ip::text) AS own,
    count(*) FILTER (WHERE login = :login::text) AS of_login,
    count(*) FILTER (WHERE ip = :ip::text) AS of_ip,
    EXISTS (
        SELECT FROM audit
        WHERE action = 'login' AND object = 'login:' || :login::text AND ip = :ip::text AND at > now() - interval '30 days'
    ) AS known
FROM login_try
WHERE at > now() - :window::interval;

-- name: login_try_forget
-- The right password takes this account's own tries back; old ones of everybody go with them.
DELETE FROM login_try
WHERE (login = :login::text AND ip = :ip::text) OR at < now() - interval '1 day';

-- name: audit_add
-- Who did what, from where.
INSERT INTO audit (user_id, action, object, before, after, ip)
VALUES (:user_id::bigint, :action::text, :object::text, :before::jsonb, :after::jsonb, :ip::text);
