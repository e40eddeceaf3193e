-- as_of: 2026-12-15T00:00:00Z
-- the lines
SELECT line_number, product_id, l.product_category, quantity, l.revenue, l.margin, l.currency
FROM tutti.fct_conversion_lines AS l
JOIN tutti.fct_conversions USING (conversion_id)
ORDER BY converted_at, line_number;
-- channels and categories
WITH parts AS (
    SELECT conversion_id, split_part(coalesce(product_category, '(none)'), '/', 1) AS category, revenue
    FROM tutti.fct_conversion_lines
    UNION ALL
    SELECT conversion_id, '(rest)', c.revenue - coalesce(sum(l.revenue), 0)
    FROM tutti.fct_conversions AS c
    LEFT JOIN tutti.fct_conversion_lines AS l USING (conversion_id)
    GROUP BY conversion_id, c.revenue
)
SELECT a.touch_channel, p.category, a.currency, round(sum(p.revenue * a.attributed_revenue / c.revenue), 2) AS revenue
FROM tutti.fct_conversions AS c
JOIN tutti.fct_attributions AS a USING (conversion_id)
JOIN parts AS p USING (conversion_id)
WHERE c.goal_id = 'sale' AND a.model = 'linear' AND c.revenue <> 0
GROUP BY a.touch_channel, p.category, a.currency
ORDER BY a.touch_channel, p.category;
