-- $1 generation; then one array per column; times in microseconds.
INSERT INTO journey.offers (generation, rule_id, offer_id, title, product, owner, priority, due_after, expires_after, cooling)
SELECT $1, u.rule_id, u.offer_id, u.title, u.product, u.owner, u.priority, u.due_after * interval '1 microsecond',
       u.expires_after * interval '1 microsecond', u.cooling * interval '1 microsecond'
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::smallint[], $8::bigint[], $9::bigint[], $10::bigint[])
    AS u (rule_id, offer_id, title, product, owner, priority, due_after, expires_after, cooling)
