INSERT INTO opportunities (opportunity_id, step, by_at, by_event_id, by_anchor, anchor, rule, offer)
SELECT unnest($1::uuid[]), unnest($2::smallint[]), unnest($3::timestamptz[]), unnest($4::uuid[]), unnest($5::bigint[]), unnest($6::bigint[]),
       unnest($7::integer[]), unnest($8::integer[])
ON CONFLICT DO NOTHING
