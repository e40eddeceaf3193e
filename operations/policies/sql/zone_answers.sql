-- What PostgreSQL itself says of the zone $1: seconds east of UTC at each of the instants $2.
SELECT extract(epoch FROM (q.at AT TIME ZONE $1::text) - (q.at AT TIME ZONE 'UTC'))::integer
FROM unnest($2::timestamptz[]) WITH ORDINALITY AS q (at, number)
ORDER BY q.number
