-- as_of: 2026-12-15T00:00:00Z
-- times
SELECT message_id, occurred_at
FROM tutti.fct_touchpoints
ORDER BY message_id;
