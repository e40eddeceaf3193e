SELECT count(*)
FROM journey.states
WHERE generation <> $1
