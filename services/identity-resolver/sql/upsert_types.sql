INSERT INTO identity.types (code, type, is_unique)
SELECT unnest($1::smallint[]), unnest($2::text[]), unnest($3::boolean[])
ON CONFLICT (code) DO UPDATE SET type = excluded.type, is_unique = excluded.is_unique
