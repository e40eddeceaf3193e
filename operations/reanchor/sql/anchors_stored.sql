-- How many identifiers are stored under the type of code $1, of how many the raw value is kept, and how many were erased, of any type.
SELECT count(*), count(v.identifier_id), (SELECT count(*) FROM identity.erased)
FROM identity.identifiers AS i
LEFT JOIN identity.raw_values AS v USING (identifier_id)
WHERE i.type = $1
