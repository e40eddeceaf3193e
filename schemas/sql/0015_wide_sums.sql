-- migrate:up
-- Sums of micro-units may leave 64 bits: v1 and v2 are the rest of a division by 2^62, v6 and v7 what was divided (of goals and credit; waits and
-- counts of the journey map never get there, so their v6 is a bucket as before).
COMMENT ON COLUMN metrics.cells.v1 IS 'Second value; of money the low part: below 2^62.';
COMMENT ON COLUMN metrics.cells.v2 IS 'Third value; of money the low part: below 2^62.';
COMMENT ON COLUMN metrics.cells.v6 IS 'Seventh value; of goals and credit how often 2^62 belongs to v1.';
COMMENT ON COLUMN metrics.cells.v7 IS 'Eighth value; of goals and credit how often 2^62 belongs to v2.';

CREATE OR REPLACE VIEW metrics.sums AS
SELECT k.cell, k.family, date '1970-01-01' + k.period AS period, k.d0, k.d1, k.d2, k.d3, k.d4, k.d5, k.d6, k.d7,
       sum(c.v0) AS v0,
       CASE WHEN k.family IN (1, 3) THEN sum(c.v1) + sum(c.v6) * 4611686018427387904 ELSE sum(c.v1) END AS v1,
       CASE WHEN k.family IN (1, 3) THEN sum(c.v2) + sum(c.v7) * 4611686018427387904 ELSE sum(c.v2) END AS v2,
       sum(c.v3) AS v3, sum(c.v4) AS v4, sum(c.v5) AS v5, sum(c.v6) AS v6,
       max(c.updated_at) AS updated_at
FROM metrics.cell_keys AS k
JOIN metrics.cells AS c USING (cell)
GROUP BY k.cell;

-- migrate:down
CREATE OR REPLACE VIEW metrics.sums AS
SELECT k.cell, k.family, date '1970-01-01' + k.period AS period, k.d0, k.d1, k.d2, k.d3, k.d4, k.d5, k.d6, k.d7,
       sum(c.v0) AS v0, sum(c.v1) AS v1, sum(c.v2) AS v2, sum(c.v3) AS v3, sum(c.v4) AS v4, sum(c.v5) AS v5, sum(c.v6) AS v6,
       max(c.updated_at) AS updated_at
FROM metrics.cell_keys AS k
JOIN metrics.cells AS c USING (cell)
GROUP BY k.cell;
COMMENT ON COLUMN metrics.cells.v1 IS 'Second value.';
COMMENT ON COLUMN metrics.cells.v2 IS 'Third value.';
COMMENT ON COLUMN metrics.cells.v6 IS 'Seventh value.';
COMMENT ON COLUMN metrics.cells.v7 IS 'Eighth value.';
