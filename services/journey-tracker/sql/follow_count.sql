-- How many profiles are to be derived.
SELECT count(*)
FROM active.states AS s
FULL JOIN journey.followed AS f USING (profile)
WHERE s.ver IS NULL OR f.ver IS NULL OR s.ver <> f.ver
