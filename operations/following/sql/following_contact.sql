-- Whether $1 (JSON) is the active contact policy.
SELECT (g.policies -> 'contact.json')::jsonb = $1::text::jsonb FROM tutti_meta.generations AS g WHERE g.is_active
