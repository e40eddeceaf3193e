-- What customers agreed to. What every column means exactly stands in docs/figures.md.
-- services/suppression/logic/consent.c judges one customer by the same rules.

-- ---- what words mean by the active contact policy ----

-- OFFSET 0: read once per query, never once per row.
CREATE VIEW tutti_meta.active_contact AS
SELECT (g.policies -> 'contact.json')::jsonb AS contact
FROM tutti_meta.generations AS g
WHERE g.is_active
OFFSET 0;
COMMENT ON VIEW tutti_meta.active_contact IS 'The active contact policy (chronicle).';

CREATE FUNCTION tutti_meta.texts_of(value jsonb) RETURNS SETOF text LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 2
    AS $$ SELECT one #>> '{}' FROM jsonb_array_elements(CASE jsonb_typeof(value) WHEN 'array' THEN value ELSE jsonb_build_array(value) END) AS one
          WHERE one <> 'null' $$;
COMMENT ON FUNCTION tutti_meta.texts_of IS 'The texts of an entry of a policy that is a text or a list of texts.';

-- Bytes of other text than UTF-8 stay as they are: no list has such a word.
CREATE FUNCTION suppression.word_as_sent(stored text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF strpos(stored, '%') = 0 THEN
        RETURN stored;
    END IF;
    RETURN (SELECT string_agg(CASE WHEN m.part[1] ~ '^%(0[1-9A-F]|[1-7])' THEN chr(('x' || substr(m.part[1], 2))::bit(8)::integer) ELSE m.part[1] END,
                              '' ORDER BY m.n)
            FROM regexp_matches(stored, '%[0-9A-F]{2}|[^%]+', 'g') WITH ORDINALITY AS m (part, n));
END $$;
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
SELECT word, CASE WHEN about IN ('channel', 'all') THEN name ELSE about || ':' || name END AS key
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
               CASE WHEN k.is_all THEN 'all' ELSE coalesce(k.channel, k.class, target.word) END
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
COMMENT ON COLUMN suppression.policy_words.key IS 'A channel, all, or class:, purpose: or topic: and a name.';

CREATE VIEW suppression.policy_exits AS
SELECT coalesce(tutti_meta.channel_named(tutti_meta.fold_word(entry.key)), tutti_meta.fold_word(entry.key)) AS channel,
       CASE WHEN tutti_meta.is_all_channels(target.word) THEN 'all' ELSE coalesce(tutti_meta.channel_named(target.word), target.word) END AS key
FROM tutti_meta.active_contact
CROSS JOIN jsonb_each(contact -> 'unsubscribe_from') AS entry
CROSS JOIN LATERAL (SELECT tutti_meta.fold_word(text) AS word FROM tutti_meta.texts_of(entry.value) AS text) AS target;
COMMENT ON VIEW suppression.policy_exits IS 'What an Unsubscribed on a channel leaves by the active contact policy (chronicle).';
COMMENT ON COLUMN suppression.policy_exits.channel IS 'The channel.';
COMMENT ON COLUMN suppression.policy_exits.key IS 'The channel that is left, or all.';

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

-- All of this as one value: a query computes it once, and functions look it up.
CREATE VIEW suppression.consent_policy AS
SELECT jsonb_build_object(
           'channels', coalesce((SELECT jsonb_object_agg(channel, channel) FROM suppression.policy_channels), '{}'),
           'words', coalesce((SELECT jsonb_object_agg(word, keys) FROM (SELECT word, jsonb_agg(key) AS keys FROM suppression.policy_words GROUP BY word) AS w), '{}'),
           'parts', coalesce((SELECT jsonb_agg(DISTINCT about) FROM suppression.policy_parts), '[]'),
           'exits', coalesce((SELECT jsonb_object_agg(channel, keys) FROM (SELECT channel, jsonb_agg(key) AS keys FROM suppression.policy_exits GROUP BY channel) AS e), '{}'),
           'proofs', (SELECT jsonb_object_agg(p.channel, to_jsonb(p)) FROM suppression.policy_proofs AS p WHERE p.is_wanted OR p.channel <> '*'),
           'center', coalesce((SELECT contact -> 'preference_center' FROM tutti_meta.active_contact), '[]')
       ) AS policy
OFFSET 0;
COMMENT ON VIEW suppression.consent_policy IS 'What the active contact policy says of consent, for suppression.consent_keys and consent_says (chronicle).';
COMMENT ON COLUMN suppression.consent_policy.policy IS 'channels, words, parts, exits, proofs and center.';

CREATE FUNCTION suppression.consent_channel(policy jsonb, word text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    folded text := tutti_meta.fold_word(word);
BEGIN
    RETURN coalesce(tutti_meta.channel_named(folded), policy #>> ARRAY['channels', folded]);
END $$;
COMMENT ON FUNCTION suppression.consent_channel IS 'The channel that a word of a producer names, null for none.';

-- With its prefix, a purpose or topic is one also where no rule names it. A word that means nothing is a key of its own, after a question mark.
CREATE FUNCTION suppression.consent_keys(policy jsonb, word text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    folded text := tutti_meta.fold_word(word);
    channel text := suppression.consent_channel(policy, word);
    keys jsonb := policy #> ARRAY['words', folded];
    on_channel text := suppression.consent_channel(policy, substring(folded FROM '@(.*)$'));
BEGIN
    IF channel IS NOT NULL THEN
        RETURN ARRAY[channel];
    ELSIF tutti_meta.is_all_channels(folded) THEN
        RETURN ARRAY['all'];
    ELSIF folded ~ '^(purpose|topic):.' AND NOT coalesce(keys ->> 0 LIKE 'class:%', false) AND policy -> 'parts' ? split_part(folded, ':', 1)
        AND (strpos(folded, '@') = 0 OR on_channel IS NOT NULL) THEN
        RETURN ARRAY[split_part(folded, '@', 1) || coalesce('@' || on_channel, '')];
    END IF;
    RETURN coalesce(ARRAY(SELECT jsonb_array_elements_text(keys)), '{}') || CASE WHEN keys IS NULL THEN ARRAY['?' || folded] ELSE '{}' END;
END $$;
COMMENT ON FUNCTION suppression.consent_keys IS 'What a word of consent is about.';

-- A no to a purpose or a topic limits it to that.
CREATE FUNCTION suppression.consent_left(policy jsonb, event text, channel text, consent text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    known text;
    stored text;
BEGIN
    IF event <> 'Unsubscribed' THEN
        RETURN '{}';
    END IF;
    FOREACH stored IN ARRAY coalesce(string_to_array(consent, ' '), '{}') LOOP
        IF stored LIKE '-%' AND tutti_meta.fold_word(suppression.word_as_sent(substr(stored, 2))) ~ '^(topic|purpose):.' THEN
            RETURN '{}';
        END IF;
    END LOOP;
    known := suppression.consent_channel(policy, channel);
    IF known IS NULL THEN
        RETURN suppression.consent_keys(policy, channel);
    ELSIF policy -> 'exits' ? known THEN
        RETURN ARRAY(SELECT jsonb_array_elements_text(policy -> 'exits' -> known));
    END IF;
    RETURN ARRAY[coalesce(tutti_meta.left_from(known), known)];
END $$;
COMMENT ON FUNCTION suppression.consent_left IS 'What a touchpoint leaves by being an Unsubscribed.';

-- The keys of all words of a stored map that say yes (+), or no (-).
CREATE FUNCTION suppression.consent_said(policy jsonb, consent text, sign text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    keys text[] := '{}';
    stored text;
BEGIN
    IF coalesce(strpos(consent, sign), 0) > 0 THEN
        FOREACH stored IN ARRAY string_to_array(consent, ' ') LOOP
            IF left(stored, 1) = sign THEN
                keys := keys || suppression.consent_keys(policy, suppression.word_as_sent(substr(stored, 2)));
            END IF;
        END LOOP;
    END IF;
    RETURN keys;
END $$;
COMMENT ON FUNCTION suppression.consent_said IS 'What the words of a consent map that say yes (+) or no (-) are about.';

-- ---- what touchpoints say ----

CREATE VIEW suppression.consent_facts AS
SELECT DISTINCT ON (a.profile_id, f.occurred_at, f.event_id)
       a.profile_id, f.occurred_at, f.event_id, f.anchor, coalesce(f.received_at, f.occurred_at) AS counts_at, f.flags & 4 <> 0 AS is_copy,
       f.flags & 8 = 0 AS is_said, f.event, f.channel, f.source, f.loaded_at,
       suppression.consent_said((SELECT policy FROM suppression.consent_policy), f.consent, '+') AS yes,
       suppression.consent_said((SELECT policy FROM suppression.consent_policy), f.consent, '-') AS no,
       suppression.consent_left((SELECT policy FROM suppression.consent_policy), f.event, f.channel, f.consent) AS leaves
FROM suppression.facts AS f
JOIN suppression.anchors AS a USING (anchor)
WHERE (f.consent <> '' OR f.event = 'Unsubscribed') AND a.version % 2 = 0
ORDER BY a.profile_id, f.occurred_at, f.event_id, f.flags & 4, f.anchor;
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
COMMENT ON COLUMN suppression.consent_facts.source IS 'URI of the producing system; null in a copy.';
COMMENT ON COLUMN suppression.consent_facts.loaded_at IS 'When it was stored (chronicle).';
COMMENT ON COLUMN suppression.consent_facts.yes IS 'What its words say yes to.';
COMMENT ON COLUMN suppression.consent_facts.no IS 'What its words say no to.';
COMMENT ON COLUMN suppression.consent_facts.leaves IS 'What the event Unsubscribed leaves.';

-- Whether a yes to the key counts; what it says of a copy is another person's, and counts as an exception only.
CREATE FUNCTION suppression.consent_counts(policy jsonb, fact suppression.consent_heard, key text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    known text := suppression.consent_channel(policy, fact.channel);
    about text := CASE WHEN key = 'all' OR strpos(key, ':') > 0 THEN known ELSE key END;
    proof jsonb := coalesce(policy #> ARRAY['proofs', about], policy #> '{proofs,*}');
BEGIN
    IF fact.is_copy THEN
        RETURN true;
    END IF;
    RETURN fact.is_said AND (
        NOT coalesce((proof ->> 'is_wanted')::boolean, false) OR coalesce(fact.occurred_at < (proof ->> 'since')::timestamptz, false)
        OR ((jsonb_typeof(proof -> 'sources') = 'null' OR proof -> 'sources' ? fact.source)
            AND (jsonb_typeof(proof -> 'events') = 'null' OR proof -> 'events' ? fact.event)
            AND (jsonb_typeof(proof -> 'channels') = 'null' OR coalesce(proof -> 'channels' ? known, false))));
END $$;
COMMENT ON FUNCTION suppression.consent_counts IS 'Whether the yes of a touchpoint is taken for one.';

-- own: of the key itself; wide: of all, or of the part on all channels; of the key all everything is wide. is_yes: what it says, whether that counts or not.
CREATE FUNCTION suppression.consent_says(policy jsonb, fact suppression.consent_heard, key text, OUT own boolean, OUT wide boolean, OUT is_yes boolean) LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    wider text := CASE WHEN key ~ '^(purpose|topic):' THEN nullif(split_part(key, '@', 1), key) WHEN key LIKE '?%' THEN NULL ELSE 'all' END;
    counts boolean := suppression.consent_counts(policy, fact, key);
    own_yes boolean := key <> 'all' AND key = ANY (fact.yes);
    own_no boolean := key <> 'all' AND (key = ANY (fact.no) OR (key = ANY (fact.leaves) AND NOT (own_yes AND counts)));
    wide_yes boolean := coalesce(wider = ANY (fact.yes), false);
    wide_no boolean := coalesce(wider = ANY (fact.no || fact.leaves), false);
BEGIN
    is_yes := CASE key WHEN 'all' THEN NOT wide_no ELSE NOT own_no END;
    IF own_no OR (own_yes AND counts) THEN
        own := CASE WHEN own_no THEN false WHEN NOT fact.is_copy THEN true END;
    ELSIF wide_no OR (wide_yes AND counts AND NOT fact.is_copy) THEN
        wide := NOT wide_no;
    END IF;
END $$;
COMMENT ON FUNCTION suppression.consent_says IS 'What a touchpoint says of a key of its customer.';

CREATE VIEW tutti.fct_consents AS
SELECT t.profile_id, CASE WHEN left(t.key, 1) = '?' THEN substr(t.key, 2) ELSE t.key END AS consent_key, t.is_yes AS is_given,
       -- Of another person's word it is shown that it binds, and no more.
       CASE WHEN t.is_own THEN t.occurred_at END AS occurred_at,
       CASE WHEN t.is_own THEN t.event END AS event_name,
       CASE WHEN t.is_own THEN t.channel END AS channel,
       CASE WHEN t.is_own THEN t.source END AS source,
       f.message_id, f.content_id AS text_version,
       t.is_own, t.is_in_force,
       CASE WHEN t.is_own THEN t.event_id END AS touchpoint_id,
       t.loaded_at
FROM (
    SELECT j.*, NOT j.is_copy AS is_own,
           j.key NOT LIKE '?%' AND j.is_newest AND CASE
               WHEN j.own IS false THEN j.is_left
               WHEN j.key = 'all' AND j.wide IS false THEN j.is_all_left
               ELSE (j.own OR (j.key = 'all' AND j.wide)) IS true AND NOT j.is_left AND NOT j.is_all_left
           END AS is_in_force
    FROM (
        SELECT n.*,
               n.no_at IS NOT NULL AND NOT coalesce(n.yes_at > n.no_at, false)
                   AND (n.key ~ '^(purpose|topic):' OR NOT coalesce(w.center_at > n.no_at, false)) AS is_left,
               n.key NOT LIKE 'class:%' AND w.all_no_at IS NOT NULL AND NOT coalesce(n.yes_at > w.all_no_at, false)
                   AND NOT coalesce(w.all_yes_at > w.all_no_at, false) AS is_all_left
        FROM (
            SELECT k.*,
                   max(k.occurred_at) FILTER (WHERE k.own IS false) OVER (PARTITION BY k.profile_id, k.key) AS no_at,
                   max(k.counts_at) FILTER (WHERE k.own) OVER (PARTITION BY k.profile_id, k.key) AS yes_at,
                   row_number() OVER (PARTITION BY k.profile_id, k.key, k.own, k.wide
                                      ORDER BY CASE WHEN k.own OR k.wide THEN k.counts_at ELSE k.occurred_at END DESC, k.occurred_at DESC,
                                               k.event_id DESC) = 1 AS is_newest
            FROM (
                SELECT c.profile_id, c.occurred_at, c.event_id, c.anchor, c.counts_at, c.is_copy, c.event, c.channel, c.source, c.loaded_at, c.others,
                       named.key, said.own, said.wide, said.is_yes
                FROM (
                    SELECT f.*, r.heard,
                           array_agg(r.heard) FILTER (WHERE 'all' = ANY (f.yes || f.no || f.leaves) OR f.yes::text || f.no::text ~ '(purpose|topic):')
                               OVER (PARTITION BY f.profile_id) AS others
                    FROM suppression.consent_facts AS f
                    CROSS JOIN LATERAL (
                        SELECT (f.occurred_at, f.counts_at, f.is_copy, f.is_said, f.event, f.channel, f.source, f.yes, f.no, f.leaves)::suppression.consent_heard AS heard
                    ) AS r
                ) AS c
                CROSS JOIN LATERAL (SELECT DISTINCT key FROM unnest(c.yes || c.no || c.leaves) AS key) AS named
                CROSS JOIN LATERAL suppression.consent_says((SELECT policy FROM suppression.consent_policy), c.heard, named.key) AS said
            ) AS k
        ) AS n
        CROSS JOIN LATERAL (
            -- A touchpoint that speaks of all may be about a key that it does not name.
            SELECT max(o.occurred_at) FILTER (WHERE s.wide IS false) AS all_no_at,
                   max(o.counts_at) FILTER (WHERE s.wide) AS all_yes_at,
                   max(o.counts_at) FILTER (WHERE s.wide AND (SELECT policy -> 'center' FROM suppression.consent_policy) ? o.event) AS center_at
            FROM unnest(n.others) AS o
            CROSS JOIN LATERAL suppression.consent_says((SELECT policy FROM suppression.consent_policy), o, n.key) AS s
        ) AS w
    ) AS j
) AS t
LEFT JOIN journey.facts AS f ON (f.anchor, f.occurred_at, f.event_id) = (t.anchor, t.occurred_at, t.event_id) AND t.is_own
WHERE t.is_own OR (t.is_in_force AND NOT t.is_yes);
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
