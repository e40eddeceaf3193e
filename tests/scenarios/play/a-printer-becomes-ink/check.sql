-- as_of: 2026-04-10T00:00:00Z
-- the offers
SELECT rule_id, offer_id, owner_department, opened_at, due_at, expires_at, state
FROM tutti.fct_opportunities
ORDER BY opened_at, rule_id, offer_id;
-- what became of them
SELECT rule_id, offer_id, owner_department, opened, won, expired, revenue, currency
FROM tutti.rpt_opportunities
ORDER BY rule_id, offer_id, currency;
