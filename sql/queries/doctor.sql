-- What a look at the whole installation asks of the database.

-- name: doctor_database
-- Its version, how large it is, and its clock.
SELECT current_setting('server_version') AS version, pg_database_size(current_database()) AS bytes, clock_timestamp() AS now;

-- name: doctor_second_factors
-- People who steer and log in with a password alone.
SELECT count(*) FROM app_user AS u
WHERE u.role IN ('supervisor', 'base_manager', 'admin') AND NOT u.disabled
    AND NOT EXISTS (SELECT FROM second_factor AS f WHERE f.user_id = u.id AND f.confirmed_at IS NOT NULL);

-- name: doctor_profiles
-- Profiles that campaigns are dialled by.
SELECT DISTINCT profile FROM campaign WHERE state IN ('running', 'paused') ORDER BY profile;

-- name: doctor_admins
-- How many may loosen rules: a second one must approve.
SELECT count(*) FROM app_user WHERE role = 'admin' AND NOT disabled;
