INSERT INTO journey.shapes
    (hash, source, type, event, channel, direction, department, purpose, contact_class, platform, campaign_id, campaign_name,
     has_click_id, click_network, utm_source, utm_medium, referrer_host, score_kind, currency, product_category, device_type,
     country, network, touch_kind, is_goal_event, needs_value)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)
ON CONFLICT (hash) DO NOTHING
