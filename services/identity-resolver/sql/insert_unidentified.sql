INSERT INTO identity.unidentified_touchpoints
    (event_id, occurred_at, received_at, source, message_id, channel, event_name, direction, department, purpose)
SELECT unnest($1::uuid[]), unnest($2::timestamptz[]), unnest($3::timestamptz[]), unnest($4::text[]), unnest($5::text[]),
       unnest($6::text[]), unnest($7::text[]), unnest($8::text[]), unnest($9::text[]), unnest($10::text[])
ON CONFLICT DO NOTHING
