-- The next $1 identifiers get the code that their type has now; says how many there were.
WITH batch AS (
    SELECT identifier_id
    FROM identity.identifiers
    WHERE identifier_id > (SELECT after_id FROM tutti_meta.reanchoring)
    ORDER BY identifier_id
    LIMIT $1
), recoded AS (
    UPDATE identity.identifiers AS i
    SET type = c.new_code
    FROM batch AS b, (SELECT unnest(old_codes) AS old_code, unnest(new_codes) AS new_code FROM tutti_meta.reanchoring) AS c
    WHERE i.identifier_id = b.identifier_id AND i.type = c.old_code AND c.new_code <> c.old_code
), advanced AS (
    UPDATE tutti_meta.reanchoring
    SET after_id = l.last
    FROM (SELECT identifier_id AS last FROM batch ORDER BY identifier_id DESC LIMIT 1) AS l
)
SELECT count(*) FROM batch
