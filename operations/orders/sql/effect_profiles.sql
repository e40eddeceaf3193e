-- Members of the touched profiles after the order, with what is stored under each.
SELECT m.after::text, m.before::text, m.identifier_id::text, t.type, to_char(i.first_seen_at, 'YYYY-MM-DD HH24:MI:SS'),
       CASE WHEN i.is_quarantined THEN 'quarantined'
            WHEN m.after <> m.before THEN 'moves'
            WHEN m.identifier_id = m.after THEN 'names the profile'
            ELSE '' END,
       (SELECT count(*) FROM journey.facts AS f WHERE f.anchor = tutti_meta.short_key(m.identifier_id))::text
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS m (identifier_id, before, after)
JOIN identity.identifiers AS i USING (identifier_id)
JOIN identity.types AS t ON t.code = i.type
ORDER BY m.after, i.first_seen_at, m.identifier_id
