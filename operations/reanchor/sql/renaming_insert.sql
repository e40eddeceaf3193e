-- What these identifiers become; nil: nothing, they are blocked.
INSERT INTO tutti_meta.renamed (old_id, new_id)
SELECT u.old_id, nullif(u.new_id, '00000000-0000-0000-0000-000000000000')
FROM unnest($1::uuid[], $2::uuid[]) AS u (old_id, new_id)
