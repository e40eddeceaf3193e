-- Opt-outs of addresses ($1, types $2) that stay: per address and channel ($3, as consent $4) the time of the newest no ($5).
WITH u AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[]) AS u (address_id, type, channel, consent, said_no_at)
), addresses AS (
    INSERT INTO suppression.kept_addresses (address_id, type)
    SELECT DISTINCT u.address_id, u.type FROM u
)
INSERT INTO suppression.facts (anchor, occurred_at, event_id, kind, flags, event, channel, consent)
SELECT tutti_meta.short_key(u.address_id), u.said_no_at, md5(u.address_id::text || u.consent)::uuid, 6, 4 + 16, '', u.channel, u.consent
FROM u
