INSERT INTO journey.conversions (anchor, occurred_at, event_id, goal, is_first, stage_before, touch_count, touches)
SELECT unnest($1::bigint[]), unnest($2::timestamptz[]), unnest($3::uuid[]), unnest($4::integer[]), unnest($5::boolean[]),
       unnest($6::smallint[]), unnest($7::integer[]), unnest($8::bytea[])
ON CONFLICT (anchor, occurred_at, event_id) DO UPDATE
    SET goal = excluded.goal, is_first = excluded.is_first, stage_before = excluded.stage_before,
        touch_count = excluded.touch_count, touches = excluded.touches
