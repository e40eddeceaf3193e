INSERT INTO suppression.decisions
    (generation, decided_at, request_id, anchor, profile_id, verdict, outcome, requested_at, planned_at, expires_at, retry_at, sent_at,
     outcome_at, waited_us, channel, department, class, purpose, campaign_id, product_id, tags, priority, reason, rule_id, rule_owner,
     batch_id, rules, opportunity_id, sequence_id, asked_for_at, moved_by, latest_at, zones, zone_data)
SELECT $1, $2, unnest($3::uuid[]), unnest($4::bigint[]), nullif(unnest($5::uuid[]), '00000000-0000-0000-0000-000000000000'),
       unnest($6::smallint[]), unnest($7::smallint[]), unnest($8::timestamptz[]), unnest($9::timestamptz[]),
       unnest($10::timestamptz[]), unnest($11::timestamptz[]), unnest($12::timestamptz[]), unnest($13::timestamptz[]),
       unnest($14::bigint[]), unnest($15::text[]), unnest($16::text[]), unnest($17::text[]), unnest($18::text[]), unnest($19::text[]),
       unnest($20::text[]), unnest($21::text[]), unnest($22::smallint[]), unnest($23::text[]), unnest($24::text[]),
       unnest($25::text[]), unnest($26::text[]), unnest($27::bytea[]), unnest($28::text[]), unnest($29::text[]),
       unnest($30::timestamptz[]), unnest($31::text[]), unnest($32::timestamptz[]), unnest($33::text[]), unnest($34::text[])
ON CONFLICT DO NOTHING
RETURNING request_id
