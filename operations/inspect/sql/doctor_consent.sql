-- What the newest million touchpoints with an answer of consent say, each text once with how often it was said.
SELECT n.consent, n.event, n.channel, count(*)
FROM (
    SELECT f.consent, CASE f.event WHEN 'Unsubscribed' THEN f.event ELSE '' END AS event,
           CASE f.event WHEN 'Unsubscribed' THEN f.channel ELSE '' END AS channel
    FROM suppression.facts AS f
    WHERE (f.consent <> '' OR f.event = 'Unsubscribed') AND f.flags & 4 = 0
    ORDER BY f.occurred_at DESC
    LIMIT 1000000
) AS n
GROUP BY 1, 2, 3
ORDER BY 4 DESC, 1, 3
LIMIT 10000
