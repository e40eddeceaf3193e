-- Whether the key with fingerprint $1 was at work in an earlier exchange.
SELECT name FROM identity.settings WHERE name LIKE 'former\_key\_%' AND value = $1::uuid::text
