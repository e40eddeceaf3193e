WITH wanted AS (
    SELECT name, value
    FROM (VALUES ('key_fingerprint', $1::uuid::text), ('next_key_fingerprint', $2::uuid::text),
                 ('previous_key_fingerprint', $3::uuid::text), ('key_number', $4::smallint::text),
                 ('key_changed_at', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))) AS v (name, value)
), gone AS (
    DELETE FROM identity.settings AS s
    USING wanted AS w
    WHERE s.name = w.name AND w.value = '00000000-0000-0000-0000-000000000000'
), former AS (
    INSERT INTO identity.settings (name, value)
    SELECT 'former_key_' || ($4::smallint - 1), $3::uuid::text
    WHERE $3::uuid <> '00000000-0000-0000-0000-000000000000'
    ON CONFLICT DO NOTHING
)
INSERT INTO identity.settings (name, value)
SELECT name, value
FROM wanted
WHERE value <> '00000000-0000-0000-0000-000000000000'
ON CONFLICT (name) DO UPDATE SET value = excluded.value
