-- $1 generation. Periods that end by the beginning of this day ended more than 24 hours ago.
SELECT ((now() - interval '24 hours 1 microsecond') AT TIME ZONE reporting_timezone)::date - date '1970-01-01'
FROM journey.policies
WHERE generation = $1
