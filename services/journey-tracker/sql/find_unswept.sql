SELECT profile
FROM active.states
WHERE generation <> $1
LIMIT $2
