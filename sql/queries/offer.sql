-- Recorded offers of IVR-first campaigns.

-- name: offer_list
-- All, the newest first, and the campaigns that play them; without the sound.
SELECT o.id, o.word, o.name, o.spoken, o.language, length(o.audio) AS bytes, o.made_at, coalesce(u.name, '') AS made_by,
    o.archived_at IS NOT NULL AS archived,
    ARRAY(SELECT c.name FROM campaign AS c WHERE c.offer = o.word ORDER BY c.name) AS campaigns
FROM offer AS o LEFT JOIN app_user AS u ON u.id = o.made_by
ORDER BY o.id DESC;

-- name: offer_add
-- Its word is made of its number: nothing a user typed becomes a file name.
INSERT INTO offer (word, name, spoken, language, audio, made_by)
VALUES ('o' || nextval('offer_word'), :name::text, :spoken::text, :language::text, :audio::bytea, :made_by::bigint)
RETURNING id, word;

-- name: offer_audio
-- The sound itself.
SELECT word, audio FROM offer WHERE id = :id::bigint;

-- name: offer_words
-- What the switch must have.
SELECT id, word, length(audio) AS bytes FROM offer WHERE archived_at IS NULL ORDER BY id;

-- name: offer_archive
-- It can be chosen no more, and is kept; no row when a campaign plays it.
UPDATE offer SET archived_at = CASE WHEN :archived::boolean THEN now() END
WHERE id = :id::bigint AND (NOT :archived::boolean OR NOT EXISTS (SELECT FROM campaign AS c WHERE c.offer = offer.word AND c.state <> 'stopped'))
RETURNING word, name;

-- name: offer_known
-- Whether there is such an offer.
SELECT EXISTS (SELECT FROM offer WHERE id = :id::bigint);
