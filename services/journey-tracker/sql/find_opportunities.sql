-- The newest step of each: one that ends it is the last, and an acceptance comes after the opening.
SELECT DISTINCT ON (opportunity_id) opportunity_id, step, by_at
FROM opportunities
WHERE opportunity_id = ANY ($1::uuid[]) AND step <> 6
ORDER BY opportunity_id, (step > 2) DESC, step DESC
