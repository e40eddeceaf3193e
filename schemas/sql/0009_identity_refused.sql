-- migrate:up
-- Profiles of which no link is refused grow without their links being read.
ALTER TABLE identity.identifiers ADD COLUMN has_refused boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN identity.identifiers.has_refused IS 'One of its links is refused, or was.';
UPDATE identity.identifiers SET has_refused = true WHERE identifier_id IN (
    SELECT a FROM identity.links WHERE refused_by <> 0
    UNION
    SELECT b FROM identity.links WHERE refused_by <> 0
);

-- migrate:down
ALTER TABLE identity.identifiers DROP COLUMN has_refused;
