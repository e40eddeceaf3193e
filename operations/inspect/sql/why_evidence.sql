-- Everything that speaks for or against two identifiers of these profiles being one customer: links, and orders that count.
WITH members AS MATERIALIZED (
    SELECT i.identifier_id, i.profile_id, t.type
    FROM identity.identifiers AS i
    JOIN identity.types AS t ON t.code = i.type
    WHERE i.profile_id = ANY ($1::uuid[])
), orders AS (
    SELECT DISTINCT ON (least(o.a, o.b), greatest(o.a, o.b)) least(o.a, o.b) AS a, greatest(o.a, o.b) AS b, o.made_at,
           o.kind, o.id,
           format('%s by %s: %s', CASE o.kind WHEN 'cut' THEN 'cut' WHEN 'same' THEN 'linked as one person' ELSE 'linked' END, o.actor, o.reason) AS what
    FROM identity.manual_evidence AS o
    JOIN members AS ma ON ma.identifier_id = o.a
    JOIN members AS mb ON mb.identifier_id = o.b
    WHERE o.kind <> 'release'
    ORDER BY least(o.a, o.b), greatest(o.a, o.b), o.id DESC
), links AS MATERIALIZED (
    SELECT l.a, l.b, l.first_seen_at, l.evidence, l.refused_by, l.is_indirect
    FROM members AS ma
    JOIN identity.links AS l ON l.a = ma.identifier_id
    JOIN members AS mb ON mb.identifier_id = l.b
), strongest AS (
    -- of touchpoints that show an indirect link: what is linked directly with its first end
    SELECT s.one, array_agg(tutti_meta.short_key(s.other)) AS anchors
    FROM (
        SELECT CASE WHEN d.a = i.a THEN d.a ELSE d.b END AS one, CASE WHEN d.a = i.a THEN d.b ELSE d.a END AS other
        FROM (SELECT DISTINCT a FROM links WHERE is_indirect) AS i
        JOIN links AS d ON NOT d.is_indirect AND i.a IN (d.a, d.b)
        UNION
        SELECT l.b, l.a
        FROM (SELECT DISTINCT a FROM links WHERE is_indirect) AS i
        JOIN identity.links AS l ON l.b = i.a AND l.refused_by <> 0 AND NOT l.is_indirect
        UNION
        SELECT l.a, l.b
        FROM (SELECT DISTINCT a FROM links WHERE is_indirect) AS i
        JOIN identity.links AS l ON l.a = i.a AND l.refused_by <> 0 AND NOT l.is_indirect
    ) AS s
    GROUP BY s.one
)
SELECT f.a, f.b, ma.profile_id = mb.profile_id, f.at, f.kind, f.refused_by, ma.type, mb.type, f.what, f.is_indirect
FROM (
    SELECT o.a, o.b, o.made_at AS at, o.kind,
           CASE o.kind WHEN 'cut' THEN 0 ELSE coalesce(l.refused_by, 0) END::smallint AS refused_by, o.what, false AS is_indirect
    FROM orders AS o
    LEFT JOIN links AS l USING (a, b)
    UNION ALL
    SELECT l.a, l.b, l.first_seen_at, 'touchpoint', l.refused_by,
           concat_ws(' ', 'touchpoint', l.evidence::text, (
               SELECT format('(%s, %s)', s.event, s.channel)
               FROM journey.facts AS t
               JOIN journey.shapes AS s USING (shape)
               WHERE t.anchor = ANY (ARRAY[tutti_meta.short_key(l.a), tutti_meta.short_key(l.b)] || n.anchors)
                     AND t.occurred_at = l.first_seen_at AND t.event_id = l.evidence
               LIMIT 1), CASE WHEN l.is_indirect THEN 'with a stronger identifier' END),
           l.is_indirect
    FROM links AS l
    LEFT JOIN strongest AS n ON l.is_indirect AND n.one = l.a
    WHERE NOT EXISTS (SELECT FROM orders AS o WHERE o.a = l.a AND o.b = l.b AND o.kind <> 'cut')
) AS f
JOIN members AS ma ON ma.identifier_id = f.a
JOIN members AS mb ON mb.identifier_id = f.b
ORDER BY f.at, f.a, f.b
LIMIT 20000
