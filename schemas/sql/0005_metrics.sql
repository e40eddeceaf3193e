-- migrate:up
-- metrics-aggregator: sums that the reports are made of.
CREATE SCHEMA metrics AUTHORIZATION CURRENT_USER;
COMMENT ON SCHEMA metrics IS 'Sums of numbered diffs, by cell and lane; owned by metrics-aggregator.';

CREATE TABLE metrics.progress (
    lane integer PRIMARY KEY,
    next_seq bigint NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE metrics.progress IS 'The next number to apply, per lane; also the lock row of the lane, never deleted (chronicle).';
COMMENT ON COLUMN metrics.progress.lane IS 'Lane of the producer.';
COMMENT ON COLUMN metrics.progress.next_seq IS 'The first number that is not applied.';

CREATE TABLE metrics.cell_keys (
    cell bigint PRIMARY KEY,
    period integer NOT NULL,
    d0 integer NOT NULL,
    d1 integer NOT NULL,
    d2 integer NOT NULL,
    d3 integer NOT NULL,
    d4 integer NOT NULL,
    d5 integer NOT NULL,
    d6 integer NOT NULL,
    d7 integer NOT NULL,
    d8 integer NOT NULL,
    d9 integer NOT NULL,
    family smallint NOT NULL
);
CREATE INDEX cell_keys_family ON metrics.cell_keys (family, period);
COMMENT ON TABLE metrics.cell_keys IS 'What a cell counts; never deleted (chronicle: codes differ from run to run).';
COMMENT ON COLUMN metrics.cell_keys.cell IS 'Hash of all the other columns.';
COMMENT ON COLUMN metrics.cell_keys.period IS 'Reporting day as days since 1970-01-01; of months, the first day.';
-- What the family and the dimensions mean stands in common/base/families.def; schemas/views/15_families.sql comments these columns.

-- Sums of money may leave 64 bits: v1 and v2 are the rest of a division by 2^62, v6 and v7 what was divided. Waits and counts of the journey
-- map never get there, so its v6 is a bucket.
CREATE TABLE metrics.cells (
    cell bigint NOT NULL,
    lane integer NOT NULL,
    v0 bigint NOT NULL,
    v1 bigint NOT NULL,
    v2 bigint NOT NULL,
    v3 bigint NOT NULL,
    v4 bigint NOT NULL,
    v5 bigint NOT NULL,
    v6 bigint NOT NULL,
    v7 bigint NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (cell, lane)
) WITH (fillfactor = 70);
COMMENT ON TABLE metrics.cells IS 'Signed sums of a cell by lane; only the sum over lanes means something (that sum is convergent).';
COMMENT ON COLUMN metrics.cells.cell IS 'The cell.';
COMMENT ON COLUMN metrics.cells.lane IS 'The lane whose diffs were added.';
COMMENT ON COLUMN metrics.cells.v0 IS 'First value of the family.';
COMMENT ON COLUMN metrics.cells.v1 IS 'Second value; of money the low part: below 2^62.';
COMMENT ON COLUMN metrics.cells.v2 IS 'Third value; of money the low part: below 2^62.';
COMMENT ON COLUMN metrics.cells.v3 IS 'Fourth value.';
COMMENT ON COLUMN metrics.cells.v4 IS 'Fifth value.';
COMMENT ON COLUMN metrics.cells.v5 IS 'Sixth value.';
COMMENT ON COLUMN metrics.cells.v6 IS 'Seventh value; of goals and credit how often 2^62 belongs to v1.';
COMMENT ON COLUMN metrics.cells.v7 IS 'Eighth value; of goals and credit how often 2^62 belongs to v2.';
COMMENT ON COLUMN metrics.cells.updated_at IS 'Last change (chronicle).';

-- The same sums a second time, of what came when periods of the cell were closed.
CREATE TABLE metrics.late (
    cell bigint NOT NULL,
    lane integer NOT NULL,
    kinds smallint NOT NULL,
    v0 bigint NOT NULL,
    v1 bigint NOT NULL,
    v2 bigint NOT NULL,
    v3 bigint NOT NULL,
    v4 bigint NOT NULL,
    v5 bigint NOT NULL,
    v6 bigint NOT NULL,
    v7 bigint NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (cell, lane, kinds)
) WITH (fillfactor = 70);
COMMENT ON TABLE metrics.late IS 'Signed sums of goals and credit that came more than 24 hours after the end of periods: their corrections (chronicle).';
COMMENT ON COLUMN metrics.late.cell IS 'The cell.';
COMMENT ON COLUMN metrics.late.lane IS 'The lane whose diffs were added.';
COMMENT ON COLUMN metrics.late.kinds IS 'The kinds of period that had ended: 2 day, 4 week, 8 month, 16 quarter, added up.';
COMMENT ON COLUMN metrics.late.v0 IS 'As in metrics.cells.';
COMMENT ON COLUMN metrics.late.v1 IS 'As in metrics.cells.';
COMMENT ON COLUMN metrics.late.v2 IS 'As in metrics.cells.';
COMMENT ON COLUMN metrics.late.v3 IS 'As in metrics.cells.';
COMMENT ON COLUMN metrics.late.v4 IS 'As in metrics.cells.';
COMMENT ON COLUMN metrics.late.v5 IS 'As in metrics.cells.';
COMMENT ON COLUMN metrics.late.v6 IS 'As in metrics.cells.';
COMMENT ON COLUMN metrics.late.v7 IS 'As in metrics.cells.';
COMMENT ON COLUMN metrics.late.updated_at IS 'Last change.';

SELECT tutti_meta.give_slots('tutti_metrics', 'metrics.cells', 'metrics.late');

GRANT USAGE ON SCHEMA metrics TO tutti_metrics, tutti_journey;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA metrics TO tutti_metrics;

-- What journey-tracker may see here.
CREATE VIEW metrics.applied AS SELECT lane, next_seq - 1 AS seq FROM metrics.progress;
COMMENT ON VIEW metrics.applied IS 'The last number that was applied, per lane: up to it journey-tracker may forget its diffs (chronicle).';
COMMENT ON COLUMN metrics.applied.lane IS 'Lane.';
COMMENT ON COLUMN metrics.applied.seq IS 'Last applied number, 0 = none.';
GRANT SELECT ON metrics.applied TO tutti_journey;

-- migrate:down
DROP SCHEMA metrics CASCADE;
