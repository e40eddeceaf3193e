WITH wanted AS (
    SELECT unnest($1::smallint[]) AS code, unnest($2::text[]) AS type, unnest($3::boolean[]) AS is_unique
), added AS (
    INSERT INTO identity.types (code, type, is_unique)
    SELECT code, type, is_unique FROM wanted
    ON CONFLICT DO NOTHING
)
UPDATE identity.types t
SET is_unique = w.is_unique
FROM wanted w
WHERE t.type = w.type AND t.is_unique <> w.is_unique
