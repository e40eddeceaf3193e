-- The states of these profiles ($1) in the active slot, as nobody can change them until this transaction ends.
SELECT profile, ver, members
FROM active.states
WHERE profile = ANY ($1::bigint[])
ORDER BY profile
FOR SHARE
