-- Customers with five identifiers each, spread as keyed hashes are, before a run of bench/pipeline.
INSERT INTO identity.identifiers (identifier_id, profile_id, first_seen_at, version, type)
SELECT md5(person || '.' || k)::uuid, md5(person || '.1')::uuid, timestamptz '2025-01-01Z' + person * interval '1 second' + k * interval '1 ms', 0, k
FROM generate_series(1, :people) AS person, generate_series(1, 5) AS k;
INSERT INTO identity.links (a, b, first_seen_at, evidence)
SELECT least(u.id, o.id), greatest(u.id, o.id), timestamptz '2025-01-01Z' + person * interval '1 second', md5(person || '.0')::uuid
FROM generate_series(1, :people) AS person, generate_series(2, 5) AS k,
     LATERAL (SELECT md5(person || '.1')::uuid AS id) AS u, LATERAL (SELECT md5(person || '.' || k)::uuid AS id) AS o;
CREATE EXTENSION IF NOT EXISTS pg_prewarm;
VACUUM (FREEZE, ANALYZE) identity.identifiers, identity.links;
SELECT pg_prewarm(c.oid) FROM pg_class AS c WHERE c.relnamespace = 'identity'::regnamespace AND c.relkind IN ('r', 'i');
