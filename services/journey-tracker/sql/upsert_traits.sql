INSERT INTO traits AS t (anchor, trait, place, occurred_at, value, source)
SELECT u.anchor, u.trait, u.place, u.occurred_at, u.value, u.source
FROM unnest($1::bigint[], $2::text[], $3::bytea[], $4::timestamptz[], $5::text[], $6::text[])
    AS u (anchor, trait, place, occurred_at, value, source)
ON CONFLICT (anchor, trait) DO UPDATE
    SET place = excluded.place, occurred_at = excluded.occurred_at, value = excluded.value, source = excluded.source
    WHERE t.place < excluded.place
