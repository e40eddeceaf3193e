-- The nodes that touches have.
SELECT DISTINCT node FROM tutti.fct_touchpoints WHERE node IS NOT NULL
