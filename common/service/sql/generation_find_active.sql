-- The active generation, for a service that starts.
SELECT generation, number, is_complete, EXISTS (SELECT FROM tutti_meta.reanchoring), zones, slot
FROM tutti_meta.generations
WHERE is_active
