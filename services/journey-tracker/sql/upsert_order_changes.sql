INSERT INTO order_changes (anchor, occurred_at, event_id, goal, further_id, shape, is_return, is_full, is_repeat, order_anchor, order_at, order_event_id,
                                   seller_shape, money_shape, share, value_micros, margin_micros, value_before, margin_before, over_micros, touch_count, touches)
SELECT anchor, occurred_at, event_id, goal, nullif(further_id, '00000000-0000-0000-0000-000000000000'), shape, is_return, is_full, is_repeat,
       CASE WHEN has_order THEN order_anchor END, CASE WHEN has_order THEN order_at END, CASE WHEN has_order THEN order_event_id END,
       seller_shape, money_shape, share, value_micros, margin_micros, value_before, margin_before, over_micros, touch_count, touches
FROM unnest($1::bigint[], $2::timestamptz[], $3::uuid[], $4::integer[], $5::uuid[], $6::integer[], $7::boolean[], $8::boolean[], $9::boolean[],
            $10::boolean[], $11::bigint[], $12::timestamptz[], $13::uuid[], $14::integer[], $15::integer[], $16::integer[], $17::bigint[],
            $18::bigint[], $19::bigint[], $20::bigint[], $21::bigint[], $22::integer[], $23::bytea[])
    AS u (anchor, occurred_at, event_id, goal, further_id, shape, is_return, is_full, is_repeat, has_order, order_anchor, order_at, order_event_id,
          seller_shape, money_shape, share, value_micros, margin_micros, value_before, margin_before, over_micros, touch_count, touches)
ON CONFLICT (anchor, occurred_at, event_id, goal) DO UPDATE
    SET further_id = excluded.further_id, is_return = excluded.is_return, is_full = excluded.is_full, is_repeat = excluded.is_repeat,
        order_anchor = excluded.order_anchor, order_at = excluded.order_at, order_event_id = excluded.order_event_id,
        seller_shape = excluded.seller_shape, money_shape = excluded.money_shape, share = excluded.share, value_micros = excluded.value_micros,
        margin_micros = excluded.margin_micros, value_before = excluded.value_before,
        margin_before = excluded.margin_before, over_micros = excluded.over_micros, touch_count = excluded.touch_count,
        touches = excluded.touches
