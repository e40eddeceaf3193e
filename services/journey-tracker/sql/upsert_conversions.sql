INSERT INTO conversions (anchor, occurred_at, event_id, goal, further_id, shape, is_first, stage_before, value_micros, margin_micros,
                                 touch_count, touches)
SELECT anchor, occurred_at, event_id, goal, nullif(further_id, '00000000-0000-0000-0000-000000000000'), shape, is_first, stage_before,
       value_micros, margin_micros, touch_count, touches
FROM unnest($1::bigint[], $2::timestamptz[], $3::uuid[], $4::integer[], $5::uuid[], $6::integer[], $7::boolean[], $8::smallint[],
            $9::bigint[], $10::bigint[], $11::integer[], $12::bytea[])
    AS u (anchor, occurred_at, event_id, goal, further_id, shape, is_first, stage_before, value_micros, margin_micros, touch_count, touches)
ON CONFLICT (anchor, occurred_at, event_id, goal) DO UPDATE
    SET further_id = excluded.further_id, is_first = excluded.is_first, stage_before = excluded.stage_before,
        touch_count = excluded.touch_count, touches = excluded.touches
