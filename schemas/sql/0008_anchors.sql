-- migrate:up
-- One index serves both the services (members of a profile) and people who ask for one profile; two cost a microsecond per customer.
DROP INDEX journey.anchors_profile;
DROP INDEX suppression.anchors_profile;
CREATE INDEX anchors_profile_id ON suppression.anchors (profile_id);

-- migrate:down
DROP INDEX suppression.anchors_profile_id;
CREATE INDEX anchors_profile ON suppression.anchors (profile);
CREATE INDEX anchors_profile ON journey.anchors (profile);
