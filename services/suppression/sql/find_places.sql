SELECT anchor, kind, value, first_day - date '1970-01-01', last_day - date '1970-01-01'
FROM suppression.places
WHERE anchor = ANY ($1::bigint[])
ORDER BY anchor, kind, value
