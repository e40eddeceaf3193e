-- The biggest transitions between touches of all departments, with the mean wait.
SELECT from_kind, to_kind, to_char(sum(transitions), 'FM999,999,999,990'),
       CASE WHEN sum(wait_seconds_sum) / sum(transitions) < 7200
            THEN to_char(sum(wait_seconds_sum) / sum(transitions) / 60, 'FM999,990.0" min"')
            WHEN sum(wait_seconds_sum) / sum(transitions) < 172800
            THEN to_char(sum(wait_seconds_sum) / sum(transitions) / 3600, 'FM999,990.0" h"')
            ELSE to_char(sum(wait_seconds_sum) / sum(transitions) / 86400, 'FM999,990.0" d"') END
FROM tutti.rpt_journey_map
WHERE segment_id = '(all)' AND from_kind <> '(start)' AND to_kind <> '(exit)'
GROUP BY from_kind, to_kind
HAVING sum(transitions) > 0
ORDER BY sum(transitions) DESC, from_kind, to_kind
LIMIT 15
