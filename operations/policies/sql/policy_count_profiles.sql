-- Profiles that are still to be reviewed: those after $1.
SELECT count(*) FROM identity.identifiers WHERE identifier_id = profile_id AND profile_id > $1
