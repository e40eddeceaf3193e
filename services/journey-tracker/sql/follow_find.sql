-- The next $2 profiles after $1 that were written since they were derived, or that are gone.
SELECT profile
FROM (SELECT profile, ver FROM active.states WHERE profile > $1) AS s
FULL JOIN (SELECT profile, ver FROM journey.followed WHERE profile > $1) AS f USING (profile)
WHERE s.ver IS NULL OR f.ver IS NULL OR s.ver <> f.ver
ORDER BY profile
LIMIT $2
