SELECT profile
FROM journey.states
WHERE generation <> $1
LIMIT $2
