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
INSERT INTO app_user (login, name, role, password_hash, team_id, customer_id, language)
VALUES (:login::text, :name::text, :role::text, :password_hash::text, (SELECT id FROM new_team),
    (SELECT id FROM customer WHERE name = :customer::text), :language::text)
ON CONFLICT (login) DO NOTHING
RETURNING id, login, name, role, team_id, customer_id, language, disabled;

-- name: user_change
-- What is absent stays; an empty team or customer is none. The team is made when it is new.
WITH new_team AS (
    INSERT INTO team (name) SELECT :team::text WHERE :team::text <> ''
    ON CONFLICT (name) DO UPDATE SET name = excluded.name
    RETURNING id
)
UPDATE app_user SET
    name = coalesce(:name::text, name),
    role = coalesce(:role::text, role),
    password_hash = coalesce(:password_hash::text, password_hash),
    disabled = coalesce(:disabled::boolean, disabled),
    team_id = CASE WHEN :team::text IS NULL THEN team_id ELSE (SELECT id FROM new_team) END,
    customer_id = CASE WHEN :customer::text IS NULL THEN customer_id ELSE (SELECT id FROM customer WHERE name = :customer::text) END
WHERE id = :user_id::bigint
RETURNING id, login, name, role, team_id, customer_id, language, disabled;

-- name: user_read
-- One user, without secrets.
SELECT id, login, name, role, team_id, customer_id, language, disabled FROM app_user WHERE id = :user_id::bigint;

-- name: user_any
-- Whether there is anybody yet; the first start asks.
SELECT EXISTS (SELECT FROM app_user);

-- name: user_set_language
-- The language of the user's screens.
UPDATE app_user SET language = :language::text
WHERE id = :user_id::bigint
RETURNING id, login, name, role, team_id, customer_id, language, disabled;

-- name: session_open
-- A session; its token is known to the browser only.
INSERT INTO web_session (token_hash, user_id, expires_at, ip, agent)
VALUES (:token_hash::bytea, :user_id::bigint, now() + :lasts::interval, :ip::text, :agent::text);

-- name: session_list
-- Open sessions of a user, the last used first; ``mine`` is the one that asks.
SELECT id, created_at, seen_at, expires_at, ip, agent, token_hash = :token_hash::bytea AS mine
FROM web_session
WHERE user_id = :user_id::bigint AND expires_at > now()
ORDER BY seen_at DESC;

-- name: session_revoke
-- One of a user's own sessions.
DELETE FROM web_session WHERE id = :id::bigint AND user_id = :user_id::bigint RETURNING token_hash;

-- name: session_read
-- The session and its user, while it has not ended; how long it has been idle is judged by role, by the caller. Whoever
-- must have a second factor and has none may do nothing but set it up.
SELECT s.seen_at, now() - s.seen_at AS idle,
    u.id, u.login, u.name, u.role, u.team_id, u.customer_id, u.language, u.disabled,
    EXISTS (SELECT FROM app_setting AS a WHERE a.name = 'second_factor_roles' AND a.value ? u.role)
        AND NOT EXISTS (SELECT FROM second_factor AS f WHERE f.user_id = u.id AND f.confirmed_at IS NOT NULL) AS must_enrol
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

-- name: token_add
-- A program's token; only its hash is kept.
INSERT INTO api_token (token_hash, user_id, name, scopes, addresses, made_by, expires_at)
VALUES (:token_hash::bytea, :user_id::bigint, :name::text, :scopes::text[], :addresses::inet[], :made_by::bigint, :expires_at::timestamptz)
RETURNING id, user_id, name, scopes, addresses, made_at, expires_at, used_at, revoked_at;

-- name: token_list
-- All tokens, the newest first.
SELECT t.id, t.user_id, u.login, t.name, t.scopes, t.addresses, t.made_at, t.expires_at, t.used_at, t.revoked_at
FROM api_token AS t JOIN app_user AS u ON u.id = t.user_id
ORDER BY t.id DESC LIMIT 500;

-- name: token_read
-- A token that still stands, and its user.
SELECT t.id AS token_id, t.scopes, t.addresses, u.id, u.login, u.name, u.role, u.team_id, u.customer_id, u.language, u.disabled
FROM api_token AS t JOIN app_user AS u ON u.id = t.user_id
WHERE t.token_hash = :token_hash::bytea AND t.revoked_at IS NULL AND t.expires_at > now() AND NOT u.disabled;

-- name: token_seen
-- Written at most once a minute.
UPDATE api_token SET used_at = now()
WHERE id = :id::bigint AND (used_at IS NULL OR used_at < now() - interval '1 minute');

-- name: token_revoke
-- It is of no use from now on.
UPDATE api_token SET revoked_at = now() WHERE id = :id::bigint AND revoked_at IS NULL RETURNING user_id, name;

-- name: scope_of
-- Whose an object is: the team and the customer of its campaign; no row for one that does not exist.
SELECT c.team_id, c.customer_id FROM campaign AS c WHERE c.id = CASE :kind::text
    WHEN 'campaign' THEN :id::bigint
    WHEN 'base' THEN (SELECT campaign_id FROM base WHERE id = :id::bigint)
    WHEN 'file' THEN (SELECT campaign_id FROM base_file WHERE id = :id::bigint)
    WHEN 'contact' THEN (SELECT campaign_id FROM contact WHERE id = :id::bigint)
    WHEN 'callback' THEN (SELECT campaign_id FROM callback WHERE id = :id::bigint)
    WHEN 'lead' THEN (SELECT campaign_id FROM lead WHERE id = :id::bigint)
    WHEN 'letter' THEN (SELECT campaign_id FROM letter WHERE id = :id::bigint)
END
UNION ALL
SELECT team_id, NULL FROM app_user WHERE :kind::text = 'operator' AND id = :id::bigint AND role = 'operator';

-- name: campaign_owners
-- Whose each campaign is.
SELECT id, team_id, customer_id FROM campaign;

-- name: audit_add
-- Who did what, from where.
INSERT INTO audit (user_id, action, object, before, after, ip)
VALUES (:user_id::bigint, :action::text, :object::text, :before::jsonb, :after::jsonb, :ip::text);
