SELECT count(*) FROM identity.links
