SELECT shape, source, type, event, channel, direction, department, purpose, contact_class, platform, campaign_id, campaign_name,
       has_click_id, click_network, utm_source, utm_medium, referrer_host, score_kind, currency, product_category, device_type,
       country
FROM journey.shapes
WHERE $1 = 0 OR shape = $1
