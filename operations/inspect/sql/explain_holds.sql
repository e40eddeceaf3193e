-- Open holds by the active contact policy: opened by an event or a bad score, ended by a release (and what comes then) or by time.
WITH rules AS (SELECT r.rule
               FROM tutti_meta.generations g
               CROSS JOIN LATERAL jsonb_array_elements(coalesce(g.policies -> 'contact.json', g.policies -> 'contact') -> 'rules') r (rule)
               WHERE g.is_active AND r.rule ->> 'kind' = 'hold'),
     facts AS (SELECT f.event, f.score, f.occurred_at
               FROM suppression.anchors a
               JOIN suppression.facts f USING (anchor)
               WHERE a.profile_id = $1 AND f.occurred_at <= tutti.as_of()),
     opened AS (SELECT r.rule, max(f.occurred_at) AS since
                FROM rules r
                JOIN facts f ON EXISTS (SELECT FROM jsonb_array_elements(r.rule -> 'on') o (cause)
                                        WHERE o.cause ->> 'event' = f.event OR f.score <= (o.cause ->> 'score_max')::integer)
                GROUP BY r.rule),
     closed AS (SELECT o.rule, o.since,
                       least(o.since + (o.rule ->> 'for')::interval,
                             (SELECT min(f.occurred_at) FROM facts f WHERE f.occurred_at > o.since AND o.rule -> 'release' ? f.event)
                             + coalesce((o.rule ->> 'then')::interval, interval '0')) AS until
                FROM opened o)
SELECT rule ->> 'id', rule ->> 'owner', to_char(since, 'YYYY-MM-DD HH24:MI:SS'),
       coalesce(to_char(until, 'YYYY-MM-DD HH24:MI:SS'), 'until released')
FROM closed
WHERE until IS NULL OR until > tutti.as_of()
ORDER BY since, rule ->> 'id'
