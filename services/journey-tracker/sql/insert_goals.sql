-- $1 generation; then one array per column.
INSERT INTO journey.goals (generation, goal_id, parent_goal_id, ladder_level, title, unit, metric, is_credited, status, from_stage,
                           asks_identified, segment_id, windows)
SELECT $1, u.*
FROM unnest($2::text[], $3::text[], $4::smallint[], $5::text[], $6::text[], $7::text[], $8::boolean[], $9::text[], $10::text[],
            $11::boolean[], $12::text[], $13::text[]) AS u
