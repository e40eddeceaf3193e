SELECT nextval('identity.versions')
