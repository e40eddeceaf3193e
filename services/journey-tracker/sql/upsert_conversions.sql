INSERT INTO journey.conversions (anchor, occurred_at, event_id, shape, goal, is_first, stage_before, value_micros, margin_micros, touch_count, touches)
SELECT unnest($1::bigint[]), unnest($2::timestamptz[]), unnest($3::uuid[]), unnest($4::integer[]), unnest($5::integer[]), unnest($6::boolean[]),
       unnest($7::smallint[]), unnest($8::bigint[]), unnest($9::bigint[]), unnest($10::integer[]), unnest($11::bytea[])
ON CONFLICT (anchor, occurred_at, event_id) DO UPDATE
    SET goal = excluded.goal, is_first = excluded.is_first, stage_before = excluded.stage_before,
        touch_count = excluded.touch_count, touches = excluded.touches
