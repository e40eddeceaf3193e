-- Whether there is a table of that name, given with its schema.
SELECT to_regclass($1) IS NOT NULL
