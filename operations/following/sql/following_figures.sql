-- The figures of the active policies, noted as those of the candidate or not ($1).
INSERT INTO figures (is_candidate, figure, of, unit, value)
SELECT $1::boolean, q.*
FROM (
    SELECT 'goal', goal_id, coalesce(currency, unit),
           CASE WHEN metric = 'stock' THEN (array_agg(value ORDER BY goal_date DESC))[1] ELSE sum(value) END
    FROM tutti.rpt_shared_goals_daily
    WHERE segment_id = '(all)' AND department = '(all)' AND channel = '(all)'
    GROUP BY goal_id, metric, coalesce(currency, unit)
    UNION ALL
    SELECT 'stage', coalesce(stage, '(none)'), 'customers', count(*) FROM tutti.dim_profiles WHERE last_seen_at IS NOT NULL GROUP BY 2
    UNION ALL
    SELECT 'status', coalesce(status, '(none)'), 'customers', count(*) FROM tutti.dim_profiles WHERE last_seen_at IS NOT NULL GROUP BY 2
    UNION ALL
    SELECT 'segment', s.segment_id, 'customers', count(m.profile_id)
    FROM tutti.dim_segments AS s
    LEFT JOIN tutti.fct_segment_memberships AS m ON m.segment_id = s.segment_id AND m.valid_to_at IS NULL
    GROUP BY s.segment_id
    UNION ALL
    SELECT 'conversions', goal_id, 'conversions', count(*) FROM tutti.fct_conversions GROUP BY goal_id
    UNION ALL
    SELECT 'revenue', goal_id, coalesce(currency, '(none)'), coalesce(sum(revenue), 0) FROM tutti.fct_conversions GROUP BY 2, 3
    UNION ALL
    SELECT 'map', 'all steps', 'steps', coalesce(sum(transitions), 0)
    FROM tutti.rpt_journey_map
    WHERE segment_id = '(all)' AND from_kind <> '(start)' AND to_kind <> '(exit)'
    UNION ALL
    SELECT 'map', 'journeys begun', 'steps', coalesce(sum(transitions), 0)
    FROM tutti.rpt_journey_map
    WHERE segment_id = '(all)' AND from_kind = '(start)'
    UNION ALL
    SELECT 'opportunities', rule_id || ': ' || offer_id, state, count(*) FROM tutti.fct_opportunities GROUP BY 2, 3
) AS q
