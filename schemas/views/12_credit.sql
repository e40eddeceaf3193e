-- How touches share a conversion, to the micro-unit as services/journey-tracker/logic/credit.c does it.

-- Part i (from 0) of a total divided among n: towards zero, the rest one unit each to the earliest.
CREATE FUNCTION tutti_meta.credit_part(total bigint, n integer, i integer) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN total / n + CASE WHEN i < abs(total % n) THEN sign(total)::bigint ELSE 0 END;

-- The same for any sum, and how part i changes when `change` comes to what was divided before.
CREATE FUNCTION tutti_meta.credit_part_of_sum(total numeric, n integer, i integer) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN div(total, n) + CASE WHEN i < abs(total % n) THEN sign(total) ELSE 0 END;
CREATE FUNCTION tutti_meta.credit_change(before bigint, change bigint, n integer, i integer) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN before = 0 THEN tutti_meta.credit_part(change, n, i)
                ELSE tutti_meta.credit_part_of_sum(before::numeric + change, n, i) - tutti_meta.credit_part_of_sum(before::numeric, n, i) END;

-- How the n touches of a conversion share it in position_based and time_decay: the parts of the absolute value, rounded down, and the
-- units that are left over one each to the largest remainders, of equal ones to the earliest. What was shared out before is taken off.
-- It reads nothing itself: what a function of a view reads, it reads with the rights of who asks.
CREATE FUNCTION tutti_meta.weighed_credits(model text, first_percent integer, last_percent integer, half_life_seconds bigint,
                                           n integer, touches bytea, converted_at timestamptz, share integer,
                                           value_before bigint, value bigint, margin_before bigint, margin bigint)
    RETURNS TABLE (touch integer, credit numeric, revenue numeric, margin_part numeric) LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE ROWS 3
AS $$
BEGIN
    RETURN QUERY
    SELECT p.i, sum(p.part) FILTER (WHERE p.nr = 0),
           CASE WHEN value IS NOT NULL THEN coalesce(sum(p.part) FILTER (WHERE p.nr IN (1, 2)), 0) END,
           CASE WHEN margin IS NOT NULL THEN coalesce(sum(p.part) FILTER (WHERE p.nr IN (3, 4)), 0) END
    FROM (
        SELECT s.i, s.nr,
               s.sign * (s.part + CASE WHEN row_number() OVER (PARTITION BY s.nr ORDER BY s.rest DESC, s.i)
                                            <= s.total - sum(s.part) OVER (PARTITION BY s.nr) THEN 1 ELSE 0 END) AS part
        FROM (
            SELECT w.i, a.nr, a.sign * sign(a.total) AS sign, abs(a.total) AS total,
                   div(abs(a.total) * w.weight, w.weights) AS part, mod(abs(a.total) * w.weight, w.weights) AS rest
            FROM (
                SELECT x.i, CASE x.weights WHEN 0 THEN 1 ELSE x.weight END AS weight, CASE x.weights WHEN 0 THEN n ELSE x.weights END AS weights
                FROM (
                    SELECT t.i, t.weight, sum(t.weight) OVER () AS weights
                    FROM (
                        SELECT i, CASE
                                   WHEN model = 'time_decay' THEN tutti_meta.decay_weight(
                                       64 * (((extract(epoch FROM converted_at) * 1000000)::bigint - tutti_meta.be_int8(touches, i * 28 + 16)) / 1000000)
                                       / half_life_seconds)
                                   WHEN i = 0 THEN greatest(n - 2, 1)::bigint * first_percent
                                   WHEN i = n - 1 THEN greatest(n - 2, 1)::bigint * last_percent
                                   ELSE 100 - first_percent - last_percent
                               END AS weight
                        FROM generate_series(0, n - 1) AS i
                    ) AS t
                ) AS x
            ) AS w
            CROSS JOIN (VALUES (0, 1, share::numeric), (1, 1, value_before::numeric + value), (2, -1, value_before::numeric),
                               (3, 1, margin_before::numeric + margin), (4, -1, margin_before::numeric)) AS a (nr, sign, total)
            WHERE a.nr = 0 OR a.total <> 0
        ) AS s
    ) AS p
    GROUP BY p.i;
END $$;
