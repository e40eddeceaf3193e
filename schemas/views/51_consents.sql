-- What customers agreed to. What every column means exactly stands in docs/figures.md.
-- services/suppression/logic/consent.c judges one customer by the same rules.

-- ---- what words mean by the active contact policy ----

-- OFFSET 0: read once per query, never once per row.
CREATE VIEW tutti_meta.active_contact AS
SELECT g.policies -> 'contact.json' AS contact
FROM tutti_meta.generations AS g
WHERE g.is_active
OFFSET 0;
COMMENT ON VIEW tutti_meta.active_contact IS 'The active contact policy (chronicle).';

CREATE FUNCTION tutti_meta.texts_of(value jsonb) RETURNS SETOF text LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 2
    AS $$ SELECT one #>> '{}' FROM jsonb_array_elements(CASE jsonb_typeof(value) WHEN 'array' THEN value ELSE jsonb_build_array(value) END) AS one
          WHERE one <> 'null' $$;
COMMENT ON FUNCTION tutti_meta.texts_of IS 'The texts of an entry of a policy that is a text or a list of texts.';

-- Bytes of other text than UTF-8 stay as they are: no list has such a word.
CREATE FUNCTION suppression.word_as_sent(stored text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN strpos(stored, '%') = 0 THEN stored ELSE (
              SELECT string_agg(CASE WHEN m.part[1] ~ '^%(0[1-9A-F]|[1-7])' THEN chr(('x' || substr(m.part[1], 2))::bit(8)::integer) ELSE m.part[1] END,
                                '' ORDER BY m.n)
              FROM regexp_matches(stored, '%[0-9A-F]{2}|[^%]+', 'g') WITH ORDINALITY AS m (part, n)) END $$;
COMMENT ON FUNCTION suppression.word_as_sent IS 'A word of suppression.facts.consent without its %XX.';

CREATE VIEW suppression.policy_channels AS
SELECT DISTINCT tutti_meta.fold_word(declared) AS channel
FROM tutti_meta.active_contact, tutti_meta.texts_of(contact -> 'channels') AS declared;
COMMENT ON VIEW suppression.policy_channels IS 'Channels that the active contact policy declares (chronicle).';
COMMENT ON COLUMN suppression.policy_channels.channel IS 'Its name, folded.';

CREATE VIEW suppression.policy_parts AS
SELECT part.about, tutti_meta.fold_word(named.name) AS name
FROM tutti_meta.active_contact
CROSS JOIN jsonb_array_elements(contact -> 'rules') AS rule
CROSS JOIN (VALUES ('purpose', 'purposes'), ('topic', 'topics')) AS part (about, key)
LEFT JOIN LATERAL jsonb_object_keys(rule -> part.key) AS named (name) ON true
WHERE rule ->> 'kind' = 'consent' AND rule ? part.key;
COMMENT ON VIEW suppression.policy_parts IS 'Purposes and topics that rules of the active contact policy ask for (chronicle).';
COMMENT ON COLUMN suppression.policy_parts.about IS 'purpose or topic.';
COMMENT ON COLUMN suppression.policy_parts.name IS 'Its name, folded; null in the row of a rule that names none.';

-- A word of the policy as a key: all, a channel or a class.
CREATE VIEW suppression.policy_words AS
SELECT word, about, name
FROM (
    SELECT known.*, min(place) OVER (PARTITION BY word) AS first_place
    FROM (
        SELECT tutti_meta.fold_word(class) AS word, 1 AS place, 'class' AS about, class AS name
        FROM tutti_meta.active_contact, jsonb_object_keys(contact -> 'classes') AS class
        UNION
        SELECT name, CASE about WHEN 'purpose' THEN 2 ELSE 3 END, about, name
        FROM suppression.policy_parts
        WHERE name IS NOT NULL
        UNION
        SELECT tutti_meta.fold_word(entry.key), 4, CASE WHEN k.is_all THEN 'all' WHEN k.channel IS NOT NULL THEN 'channel' ELSE 'class' END,
               CASE WHEN k.is_all THEN '' ELSE coalesce(k.channel, k.class, target.word) END
        FROM tutti_meta.active_contact
        CROSS JOIN jsonb_each(contact -> 'consent_words') AS entry
        CROSS JOIN LATERAL (SELECT tutti_meta.fold_word(text) AS word FROM tutti_meta.texts_of(entry.value) AS text) AS target
        CROSS JOIN LATERAL (
            SELECT tutti_meta.is_all_channels(target.word) AS is_all,
                   coalesce(tutti_meta.channel_named(target.word), (SELECT channel FROM suppression.policy_channels WHERE channel = target.word)) AS channel,
                   (SELECT class FROM jsonb_object_keys(contact -> 'classes') AS class WHERE tutti_meta.fold_word(class) = target.word) AS class
        ) AS k
    ) AS known
) AS ranked
WHERE place = first_place;
COMMENT ON VIEW suppression.policy_words IS 'What words of consent mean by the active contact policy, apart from channels and all (chronicle).';
COMMENT ON COLUMN suppression.policy_words.word IS 'The word, folded.';
COMMENT ON COLUMN suppression.policy_words.about IS 'class, purpose, topic, channel or all.';
COMMENT ON COLUMN suppression.policy_words.name IS 'Name of what it is about.';

CREATE VIEW suppression.policy_exits AS
SELECT coalesce(tutti_meta.channel_named(tutti_meta.fold_word(entry.key)), tutti_meta.fold_word(entry.key)) AS channel,
       CASE WHEN tutti_meta.is_all_channels(target.word) THEN 'all' ELSE 'channel' END AS about,
       CASE WHEN tutti_meta.is_all_channels(target.word) THEN '' ELSE coalesce(tutti_meta.channel_named(target.word), target.word) END AS name
FROM tutti_meta.active_contact
CROSS JOIN jsonb_each(contact -> 'unsubscribe_from') AS entry
CROSS JOIN LATERAL (SELECT tutti_meta.fold_word(text) AS word FROM tutti_meta.texts_of(entry.value) AS text) AS target;
COMMENT ON VIEW suppression.policy_exits IS 'What an Unsubscribed on a channel leaves by the active contact policy (chronicle).';
COMMENT ON COLUMN suppression.policy_exits.channel IS 'The channel.';
COMMENT ON COLUMN suppression.policy_exits.about IS 'channel or all.';
COMMENT ON COLUMN suppression.policy_exits.name IS 'Name of the channel that is left.';

-- Which yes counts. The row '*' is there always.
CREATE VIEW suppression.policy_proofs AS
SELECT named.channel,
       named.entry -> 'confirmed_by' IS NOT NULL AS is_wanted,
       CASE WHEN length(named.entry ->> 'since') = 10 THEN (named.entry ->> 'since') || 'T00:00:00Z' ELSE named.entry ->> 'since' END::timestamptz AS since,
       CASE WHEN named.is_list THEN named.entry -> 'confirmed_by' ELSE named.entry #> '{confirmed_by,events}' END AS events,
       CASE WHEN NOT named.is_list THEN named.entry #> '{confirmed_by,sources}' END AS sources,
       CASE WHEN NOT named.is_list THEN
           (SELECT jsonb_agg(coalesce(tutti_meta.channel_named(tutti_meta.fold_word(text)), tutti_meta.fold_word(text)))
            FROM tutti_meta.texts_of(named.entry #> '{confirmed_by,channels}') AS text)
       END AS channels
FROM (
    SELECT CASE key WHEN '*' THEN '*' ELSE coalesce(tutti_meta.channel_named(tutti_meta.fold_word(key)), tutti_meta.fold_word(key)) END AS channel,
           value AS entry, coalesce(jsonb_typeof(value -> 'confirmed_by') = 'array', false) AS is_list
    FROM tutti_meta.active_contact
    CROSS JOIN jsonb_each('{"*": {}}' || coalesce(contact -> 'consent', '{}')) AS stated (key, value)
) AS named;
COMMENT ON VIEW suppression.policy_proofs IS 'Which yes to a channel counts by the active contact policy (chronicle).';
COMMENT ON COLUMN suppression.policy_proofs.channel IS 'The channel; * for those that have no row.';
COMMENT ON COLUMN suppression.policy_proofs.is_wanted IS 'False: every yes counts.';
COMMENT ON COLUMN suppression.policy_proofs.since IS 'A yes from before this time counts anyway.';
COMMENT ON COLUMN suppression.policy_proofs.events IS 'Events that count; null: all.';
COMMENT ON COLUMN suppression.policy_proofs.sources IS 'Sources that count; null: all.';
COMMENT ON COLUMN suppression.policy_proofs.channels IS 'Channels that count; null: all.';

-- ---- what touchpoints say ----

CREATE VIEW suppression.consent_facts AS
SELECT f.*, coalesce(tutti_meta.channel_named(f.folded), p.channel) AS known_channel,
       EXISTS (SELECT FROM string_to_table(f.consent, ' ') AS stored
               WHERE stored LIKE '-%' AND tutti_meta.fold_word(suppression.word_as_sent(substr(stored, 2))) ~ '^(topic|purpose):.') AS is_narrowed
FROM (
    SELECT DISTINCT ON (a.profile_id, f.occurred_at, f.event_id)
           a.profile_id, f.occurred_at, f.event_id, f.anchor, coalesce(f.received_at, f.occurred_at) AS counts_at, f.flags & 4 <> 0 AS is_copy,
           f.flags & 8 = 0 AS is_said, f.event, f.channel, tutti_meta.fold_word(f.channel) AS folded, f.source, f.consent, f.loaded_at
    FROM suppression.facts AS f
    JOIN suppression.anchors AS a USING (anchor)
    WHERE (f.consent <> '' OR f.event = 'Unsubscribed') AND a.version % 2 = 0
    ORDER BY a.profile_id, f.occurred_at, f.event_id, f.flags & 4, f.anchor
) AS f
LEFT JOIN suppression.policy_channels AS p ON p.channel = f.folded;
COMMENT ON VIEW suppression.consent_facts IS 'Touchpoints that say something of consent, once per customer: his own, else what another named of him (convergent, but loaded_at).';
COMMENT ON COLUMN suppression.consent_facts.profile_id IS 'Customer today.';
COMMENT ON COLUMN suppression.consent_facts.occurred_at IS 'When it was said.';
COMMENT ON COLUMN suppression.consent_facts.event_id IS 'Touchpoint that said it.';
COMMENT ON COLUMN suppression.consent_facts.anchor IS 'Identifier whose fact it is.';
COMMENT ON COLUMN suppression.consent_facts.counts_at IS 'When a yes of it counts.';
COMMENT ON COLUMN suppression.consent_facts.is_copy IS 'Another person said it, and named an identifier of this customer.';
COMMENT ON COLUMN suppression.consent_facts.is_said IS 'A customer said it, so a yes of it may count.';
COMMENT ON COLUMN suppression.consent_facts.event IS 'Name of the event; empty in a copy of a contact.';
COMMENT ON COLUMN suppression.consent_facts.channel IS 'Channel as sent.';
COMMENT ON COLUMN suppression.consent_facts.folded IS 'The channel, folded.';
COMMENT ON COLUMN suppression.consent_facts.source IS 'URI of the producing system; null in a copy.';
COMMENT ON COLUMN suppression.consent_facts.consent IS 'Its consent map, as in suppression.facts.';
COMMENT ON COLUMN suppression.consent_facts.loaded_at IS 'When it was stored (chronicle).';
COMMENT ON COLUMN suppression.consent_facts.known_channel IS 'The channel; null where it is none.';
COMMENT ON COLUMN suppression.consent_facts.is_narrowed IS 'It says no to a purpose or a topic, so an Unsubscribed leaves no channel.';

CREATE VIEW suppression.consent_words AS
SELECT said.profile_id, said.occurred_at, said.event_id, said.says,
       CASE WHEN said.folded_channel IS NOT NULL THEN 'channel' WHEN tutti_meta.is_all_channels(said.word) THEN 'all'
            WHEN part.about IS NOT NULL THEN part.about ELSE coalesce(w.about, 'undefined') END AS about,
       CASE WHEN said.folded_channel IS NOT NULL THEN said.folded_channel WHEN tutti_meta.is_all_channels(said.word) THEN ''
            WHEN part.about IS NOT NULL THEN part.name ELSE coalesce(w.name, said.word) END AS name,
       CASE WHEN said.folded_channel IS NULL THEN coalesce(part.on_channel, '') ELSE '' END AS on_channel
FROM (
    SELECT s.*, coalesce(tutti_meta.channel_named(s.word), p.channel) AS folded_channel
    FROM (
        SELECT f.profile_id, f.occurred_at, f.event_id, CASE left(stored, 1) WHEN '+' THEN 'yes' ELSE 'no' END AS says,
               tutti_meta.fold_word(suppression.word_as_sent(substr(stored, 2))) AS word
        FROM suppression.consent_facts AS f
        CROSS JOIN string_to_table(f.consent, ' ') AS stored
        WHERE stored <> ''
        UNION ALL
        SELECT f.profile_id, f.occurred_at, f.event_id, 'left',
               CASE e.about WHEN 'all' THEN 'all' WHEN 'channel' THEN e.name ELSE coalesce(tutti_meta.left_from(f.known_channel), f.known_channel, f.folded) END
        FROM suppression.consent_facts AS f
        LEFT JOIN suppression.policy_exits AS e ON e.channel = f.known_channel
        WHERE f.event = 'Unsubscribed' AND NOT f.is_narrowed
    ) AS s
    LEFT JOIN suppression.policy_channels AS p ON p.channel = s.word
) AS said
LEFT JOIN suppression.policy_words AS w USING (word)
LEFT JOIN LATERAL (
    -- With its prefix, a purpose or topic is one also where no rule names it.
    SELECT split.about, split.name, coalesce(tutti_meta.channel_named(split.channel), p.channel) AS on_channel
    FROM (
        SELECT substring(said.word FROM '^(topic|purpose):.') AS about, substring(said.word FROM '^[a-z]+:([^@]*)') AS name,
               substring(said.word FROM '@(.*)$') AS channel
    ) AS split
    LEFT JOIN suppression.policy_channels AS p ON p.channel = split.channel
    WHERE coalesce(w.about, '') <> 'class' AND split.about IN (SELECT about FROM suppression.policy_parts)
        AND (split.channel IS NULL OR coalesce(tutti_meta.channel_named(split.channel), p.channel) IS NOT NULL)
) AS part ON said.word ~ '^(topic|purpose):.';
COMMENT ON VIEW suppression.consent_words IS 'What each touchpoint says, word by word (convergent).';
COMMENT ON COLUMN suppression.consent_words.profile_id IS 'Customer today.';
COMMENT ON COLUMN suppression.consent_words.occurred_at IS 'When it was said.';
COMMENT ON COLUMN suppression.consent_words.event_id IS 'Touchpoint that said it.';
COMMENT ON COLUMN suppression.consent_words.says IS 'yes, no, or left: what the event Unsubscribed leaves.';
COMMENT ON COLUMN suppression.consent_words.about IS 'channel, all, class, purpose, topic, or undefined: a word without a meaning.';
COMMENT ON COLUMN suppression.consent_words.name IS 'Name of what it is about.';
COMMENT ON COLUMN suppression.consent_words.on_channel IS 'Channel of a purpose or topic; empty: all.';

-- What each touchpoint says of each key that its customer has: of the key itself, and of what is wider: `all`, or a part on all channels.
-- `all` itself is only wide. A yes that does not count is as if it had not been said.
CREATE VIEW suppression.consent_said AS
SELECT s.profile_id, s.about, s.name, s.on_channel, s.occurred_at, s.event_id, s.is_named, s.anchor, s.counts_at, s.is_copy, s.event, s.channel, s.source,
       s.loaded_at, s.is_yes,
       CASE WHEN s.own_no THEN 'no' WHEN s.own_yes AND NOT s.is_copy THEN 'yes' END AS own,
       CASE WHEN s.own_no OR s.own_yes THEN NULL WHEN s.all_no THEN 'no' WHEN s.all_yes AND NOT s.is_copy THEN 'yes' END AS wide
FROM (
    SELECT m.profile_id, m.about, m.name, m.on_channel, m.occurred_at, m.event_id, m.is_named, f.anchor, f.counts_at, f.is_copy, f.event, f.channel, f.source, f.loaded_at,
           CASE WHEN m.about = 'all' THEN m.wide_yes AND NOT m.wide_no
                ELSE m.says_yes AND NOT m.says_no AND NOT (m.leaves AND NOT c.counts) END AS is_yes,
           m.says_no OR (m.leaves AND NOT (m.says_yes AND c.counts)) AS own_no,
           m.says_yes AND c.counts AS own_yes,
           m.wide_no AS all_no,
           m.wide_yes AND c.counts AS all_yes
    FROM (
        SELECT k.profile_id, k.about, k.name, k.on_channel, w.occurred_at, w.event_id,
               bool_or((w.about, w.name, w.on_channel) = (k.about, k.name, k.on_channel)) AS is_named,
               coalesce(bool_or(w.says = 'no') FILTER (WHERE w.about <> 'all' AND w.on_channel = k.on_channel), false) AS says_no,
               coalesce(bool_or(w.says = 'yes') FILTER (WHERE w.about <> 'all' AND w.on_channel = k.on_channel), false) AS says_yes,
               coalesce(bool_or(w.says = 'left') FILTER (WHERE w.about <> 'all' AND w.on_channel = k.on_channel), false) AS leaves,
               coalesce(bool_or(w.says <> 'yes') FILTER (WHERE w.about = 'all' OR w.on_channel <> k.on_channel), false) AS wide_no,
               coalesce(bool_or(w.says = 'yes') FILTER (WHERE w.about = 'all' OR w.on_channel <> k.on_channel), false) AS wide_yes
        FROM (SELECT DISTINCT profile_id, about, name, on_channel FROM suppression.consent_words) AS k
        JOIN suppression.consent_words AS w
          ON w.profile_id = k.profile_id
         AND ((w.about = k.about AND w.name = k.name AND w.on_channel IN ('', k.on_channel)) OR (w.about = 'all' AND k.about IN ('channel', 'class')))
        GROUP BY k.profile_id, k.about, k.name, k.on_channel, w.occurred_at, w.event_id
    ) AS m
    JOIN suppression.consent_facts AS f USING (profile_id, occurred_at, event_id)
    LEFT JOIN suppression.policy_proofs AS own ON own.channel = CASE m.about WHEN 'channel' THEN m.name ELSE f.known_channel END
    CROSS JOIN (SELECT * FROM suppression.policy_proofs WHERE channel = '*') AS other
    CROSS JOIN LATERAL (
        SELECT f.is_copy OR (f.is_said AND (
            NOT CASE WHEN own.channel IS NULL THEN other.is_wanted ELSE own.is_wanted END
            OR coalesce(f.occurred_at < CASE WHEN own.channel IS NULL THEN other.since ELSE own.since END, false)
            OR (coalesce(CASE WHEN own.channel IS NULL THEN other.sources ELSE own.sources END ? coalesce(f.source, ''), true)
                AND coalesce(CASE WHEN own.channel IS NULL THEN other.events ELSE own.events END ? f.event, true)
                AND coalesce(CASE WHEN own.channel IS NULL THEN other.channels ELSE own.channels END ? coalesce(f.known_channel, ''), true)))) AS counts
    ) AS c
) AS s;
COMMENT ON VIEW suppression.consent_said IS 'What each touchpoint says of each word that its customer knows (convergent).';
COMMENT ON COLUMN suppression.consent_said.profile_id IS 'Customer today.';
COMMENT ON COLUMN suppression.consent_said.about IS 'The word, as in suppression.consent_words.';
COMMENT ON COLUMN suppression.consent_said.name IS 'Its name.';
COMMENT ON COLUMN suppression.consent_said.on_channel IS 'Its channel.';
COMMENT ON COLUMN suppression.consent_said.occurred_at IS 'When it was said.';
COMMENT ON COLUMN suppression.consent_said.event_id IS 'Touchpoint that said it.';
COMMENT ON COLUMN suppression.consent_said.is_named IS 'The touchpoint says this word itself.';
COMMENT ON COLUMN suppression.consent_said.anchor IS 'Identifier whose fact it is.';
COMMENT ON COLUMN suppression.consent_said.counts_at IS 'When a yes of it counts.';
COMMENT ON COLUMN suppression.consent_said.is_copy IS 'Another person said it.';
COMMENT ON COLUMN suppression.consent_said.event IS 'Name of the event.';
COMMENT ON COLUMN suppression.consent_said.channel IS 'Channel as sent.';
COMMENT ON COLUMN suppression.consent_said.source IS 'URI of the producing system.';
COMMENT ON COLUMN suppression.consent_said.loaded_at IS 'When it was stored (chronicle).';
COMMENT ON COLUMN suppression.consent_said.is_yes IS 'It says yes, whether that counts or not.';
COMMENT ON COLUMN suppression.consent_said.own IS 'yes or no: what counts of the word itself.';
COMMENT ON COLUMN suppression.consent_said.wide IS 'yes or no: what counts of wider words.';

CREATE VIEW tutti.fct_consents AS
SELECT t.profile_id,
       CASE t.about WHEN 'channel' THEN t.name WHEN 'all' THEN 'all' WHEN 'undefined' THEN t.name
            ELSE t.about || ':' || t.name || CASE WHEN t.on_channel <> '' THEN '@' || t.on_channel ELSE '' END END AS consent_key,
       t.is_yes AS is_given,
       t.occurred_at, t.event_name, t.channel, t.source, f.message_id, f.content_id AS text_version,
       NOT t.is_copy AS is_own,
       t.is_in_force,
       t.touchpoint_id, t.loaded_at
FROM (
    SELECT j.profile_id, j.about, j.name, j.on_channel, j.is_yes, j.is_copy, j.anchor, j.occurred_at AS at, j.event_id,
           j.is_newest AND j.about <> 'undefined' AND CASE
               WHEN j.own = 'no' THEN j.is_left
               WHEN j.about = 'all' AND j.wide = 'no' THEN j.is_all_left
               WHEN j.own = 'yes' OR (j.about = 'all' AND j.wide = 'yes') THEN NOT j.is_left AND NOT j.is_all_left
               ELSE false
           END AS is_in_force,
           -- Of another person's word it is shown that it binds, and no more.
           CASE WHEN NOT j.is_copy THEN j.occurred_at END AS occurred_at,
           CASE WHEN NOT j.is_copy THEN j.event END AS event_name,
           CASE WHEN NOT j.is_copy THEN j.channel END AS channel,
           CASE WHEN NOT j.is_copy THEN j.source END AS source,
           CASE WHEN NOT j.is_copy THEN j.event_id END AS touchpoint_id,
           j.loaded_at
    FROM (
        SELECT n.*,
               n.no_at IS NOT NULL AND NOT coalesce(n.yes_at > n.no_at, false)
                   AND (n.about IN ('purpose', 'topic') OR NOT coalesce(n.center_at > n.no_at, false)) AS is_left,
               n.about <> 'class' AND n.all_no_at IS NOT NULL AND NOT coalesce(n.yes_at > n.all_no_at, false)
                   AND NOT coalesce(n.all_yes_at > n.all_no_at, false) AS is_all_left
        FROM (
            SELECT s.*,
                   max(s.occurred_at) FILTER (WHERE s.own = 'no') OVER of_key AS no_at,
                   max(s.counts_at) FILTER (WHERE s.own = 'yes') OVER of_key AS yes_at,
                   max(s.occurred_at) FILTER (WHERE s.wide = 'no') OVER of_key AS all_no_at,
                   max(s.counts_at) FILTER (WHERE s.wide = 'yes') OVER of_key AS all_yes_at,
                   max(s.counts_at) FILTER (WHERE s.wide = 'yes' AND c.events ? s.event) OVER of_key AS center_at,
                   row_number() OVER (PARTITION BY s.profile_id, s.about, s.name, s.on_channel, s.own, s.wide
                                      ORDER BY CASE WHEN 'yes' IN (s.own, s.wide) THEN s.counts_at ELSE s.occurred_at END DESC,
                                               s.occurred_at DESC, s.event_id DESC) = 1 AS is_newest
            FROM suppression.consent_said AS s
            CROSS JOIN (SELECT coalesce(contact -> 'preference_center', '[]') AS events FROM tutti_meta.active_contact) AS c
            WINDOW of_key AS (PARTITION BY s.profile_id, s.about, s.name, s.on_channel)
        ) AS n
    ) AS j
    WHERE j.is_named
) AS t
LEFT JOIN journey.facts AS f ON (f.anchor, f.occurred_at, f.event_id) = (t.anchor, t.occurred_at, t.event_id) AND NOT t.is_copy
WHERE NOT t.is_copy OR (t.is_in_force AND NOT t.is_yes);
COMMENT ON VIEW tutti.fct_consents IS 'One row per touchpoint of a customer and word that it says yes or no to; and per word that another person''s touchpoint forbids him (convergent).';
COMMENT ON COLUMN tutti.fct_consents.profile_id IS 'Customer today (convergent).';
COMMENT ON COLUMN tutti.fct_consents.consent_key IS 'What it is about: a channel, all, class:, purpose: or topic: and its name, with @ and a channel if on this one only; a word without a meaning as it is (convergent).';
COMMENT ON COLUMN tutti.fct_consents.is_given IS 'True for a yes, false for a no (convergent).';
COMMENT ON COLUMN tutti.fct_consents.occurred_at IS 'When it was said; null unless is_own (convergent).';
COMMENT ON COLUMN tutti.fct_consents.event_name IS 'Name of the event; null unless is_own (convergent).';
COMMENT ON COLUMN tutti.fct_consents.channel IS 'Channel on which it was said, as sent; null unless is_own (convergent).';
COMMENT ON COLUMN tutti.fct_consents.source IS 'URI of the producing system; null unless is_own (convergent).';
COMMENT ON COLUMN tutti.fct_consents.message_id IS 'Id given by the producing system; null unless is_own (convergent).';
COMMENT ON COLUMN tutti.fct_consents.text_version IS 'Content of the touchpoint: the version of the text that the customer saw; null unless is_own (convergent).';
COMMENT ON COLUMN tutti.fct_consents.is_own IS 'The customer said it; false: another person did, by an identifier that is now this customer''s (convergent).';
COMMENT ON COLUMN tutti.fct_consents.is_in_force IS 'Contact rules go by it: it is the newest of its kind that counts, and nothing took it back (convergent).';
COMMENT ON COLUMN tutti.fct_consents.touchpoint_id IS 'Touchpoint that said it; null unless is_own (convergent).';
COMMENT ON COLUMN tutti.fct_consents.loaded_at IS 'When it was stored first (chronicle).';
GRANT SELECT ON tutti.fct_consents TO tutti_reader;
