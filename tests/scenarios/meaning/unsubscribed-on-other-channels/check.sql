-- as_of: 2026-12-15T00:00:00Z
SELECT 1 AS one WHERE false;
