-- The contact policy that services work by.
SELECT (policies -> 'contact.json')::text FROM tutti_meta.generations WHERE is_active
