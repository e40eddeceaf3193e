SELECT 4 * nextval('identity.versions')
