-- These profiles ($1) are gone.
DELETE FROM journey.followed WHERE profile = ANY ($1::bigint[])
