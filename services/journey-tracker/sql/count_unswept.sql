SELECT count(*)
FROM active.states
WHERE generation <> $1
