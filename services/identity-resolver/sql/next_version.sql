SELECT 2 * nextval('identity.versions')
