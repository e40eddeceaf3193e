-- The policies of the active generation, file by file.
SELECT g.number, p.key, p.value::text
FROM tutti_meta.generations AS g
LEFT JOIN LATERAL json_each(g.policies) AS p ON true
WHERE g.is_active
