-- What sources said of former ids; the columns of evidence_orders.sql, then topic and source.
SELECT 'alias'::text, a, b, topic, source FROM identity.aliases
