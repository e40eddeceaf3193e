-- Holdouts: what customers have drawn, and how two groups are compared. What every column means exactly stands in docs/figures.md.

CREATE VIEW suppression.profile_arms AS
SELECT a.profile_id, r.holdout, bool_or(r.arm = 1) AS is_control, count(DISTINCT r.arm) > 1 AS is_mixed, min(r.assigned_at) AS assigned_at,
       (array_agg(r.basis_points ORDER BY r.assigned_at, r.request_id))[1]::integer AS basis_points
FROM suppression.arms AS r
JOIN suppression.anchors AS a USING (anchor)
WHERE a.version % 2 = 0
GROUP BY a.profile_id, r.holdout;
COMMENT ON VIEW suppression.profile_arms IS 'What customers have drawn in holdouts, under today''s profiles (chronicle).';
COMMENT ON COLUMN suppression.profile_arms.profile_id IS 'Today''s profile.';
COMMENT ON COLUMN suppression.profile_arms.holdout IS 'Id of the rule.';
COMMENT ON COLUMN suppression.profile_arms.is_control IS 'One of its anchors has drawn control.';
COMMENT ON COLUMN suppression.profile_arms.is_mixed IS 'Another one has drawn treated.';
COMMENT ON COLUMN suppression.profile_arms.assigned_at IS 'The earliest draw.';
COMMENT ON COLUMN suppression.profile_arms.basis_points IS 'How many of 10,000 were to be control then.';

CREATE FUNCTION tutti_meta.channel_name(word text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(tutti_meta.channel_named(tutti_meta.fold_word(word)), tutti_meta.fold_word(word));
COMMENT ON FUNCTION tutti_meta.channel_name IS 'The name of a channel in any spelling; one that has no other name is folded.';

-- The 95 % bounds of a rate: Wilson's score interval.
CREATE FUNCTION tutti_meta.wilson(x bigint, n bigint, OUT low numeric, OUT high numeric) LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT (m.middle - m.width) / m.whole, (m.middle + m.width) / m.whole
          FROM (SELECT 1.959963984540054::numeric AS z) AS c
          CROSS JOIN LATERAL (
              SELECT n + c.z * c.z AS whole, x + c.z * c.z / 2 AS middle, c.z * sqrt(x::numeric * (n - x) / n + c.z * c.z / 4) AS width
          ) AS m $$;
COMMENT ON FUNCTION tutti_meta.wilson IS 'The 95 % bounds of the rate x of n.';

CREATE FUNCTION tutti_meta.newcombe(x1 bigint, n1 bigint, x2 bigint, n2 bigint, OUT difference numeric, OUT low numeric, OUT high numeric)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT round(r.d, 6), round(r.d - sqrt((r.p1 - one.low) ^ 2 + (two.high - r.p2) ^ 2), 6),
                 round(r.d + sqrt((one.high - r.p1) ^ 2 + (r.p2 - two.low) ^ 2), 6)
          FROM (SELECT x1::numeric / n1 AS p1, x2::numeric / n2 AS p2, x1::numeric / n1 - x2::numeric / n2 AS d WHERE n1 > 0 AND n2 > 0) AS r
          CROSS JOIN LATERAL tutti_meta.wilson(x1, n1) AS one
          CROSS JOIN LATERAL tutti_meta.wilson(x2, n2) AS two $$;
COMMENT ON FUNCTION tutti_meta.newcombe IS 'The difference of two rates, with Newcombe''s 95 % interval; null where a group is empty.';

CREATE FUNCTION tutti_meta.welch(n1 bigint, sum1 numeric, squares1 numeric, n2 bigint, sum2 numeric, squares2 numeric,
                                 OUT difference numeric, OUT low numeric, OUT high numeric) LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT round(r.d, 6), round(r.d - r.width, 6), round(r.d + r.width, 6)
          FROM (
              SELECT sum1 / n1 - sum2 / n2 AS d,
                     1.959963984540054 * sqrt(greatest(squares1 - sum1 * sum1 / n1, 0) / (n1 - 1) / n1
                                              + greatest(squares2 - sum2 * sum2 / n2, 0) / (n2 - 1) / n2) AS width
              WHERE n1 > 1 AND n2 > 1
          ) AS r $$;
COMMENT ON FUNCTION tutti_meta.welch IS 'The difference of two means, with Welch''s interval of 1.96 standard errors; null where a group has less than two.';
