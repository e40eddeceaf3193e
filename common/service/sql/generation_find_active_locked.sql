-- The same without the erasures.
SELECT p.generation, p.number
FROM tutti_meta.hold_policies() AS p
