-- What became of contact requests, and who uses the customers' attention. What every column means exactly stands in docs/figures.md.

CREATE VIEW tutti.rpt_contact_decisions_daily AS
SELECT (d.requested_at AT TIME ZONE (SELECT zone FROM tutti_meta.active))::date AS request_date,
       coalesce(d.department, '(none)') AS department, d.channel, coalesce(d.contact_class, '(none)') AS contact_class,
       d.verdict, d.reason, d.rule_id, d.rule_owner,
       count(*) AS requests,
       count(DISTINCT d.profile_id) AS customers,
       count(*) FILTER (WHERE d.moved_by IS NOT NULL) AS moved,
       count(s.sent_at) AS sends,
       count(*) FILTER (WHERE d.is_late_send) AS late_sends,
       count(*) FILTER (WHERE d.is_sent_anyway) AS sent_anyway,
       count(*) FILTER (WHERE d.outcome = 'expired') AS expired,
       count(*) FILTER (WHERE d.outcome_cause IS NOT NULL) AS revoked,
       percentile_disc(0.5) WITHIN GROUP (ORDER BY d.seconds_to_verdict) AS p50_seconds,
       percentile_disc(0.99) WITHIN GROUP (ORDER BY d.seconds_to_verdict) AS p99_seconds
FROM tutti.fct_contact_decisions AS d
JOIN suppression.decisions AS s USING (request_id)
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;
COMMENT ON VIEW tutti.rpt_contact_decisions_daily IS 'Contact requests per day, department, channel, class and answer. Key: all columns before requests. Counts add up over all rows, but customers and seconds do not (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_decisions_daily.request_date IS 'Day of the request, in the reporting zone (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_decisions_daily.department IS 'Department that asked, or (none) (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_decisions_daily.channel IS 'Channel of the request (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_decisions_daily.contact_class IS 'Class of the request, or (none) (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_decisions_daily.verdict IS 'grant, deny or invalid (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_decisions_daily.reason IS 'Kind of the deciding rule, unidentified, or what is invalid; null for grants (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_decisions_daily.rule_id IS 'Deciding rule; null where none decided (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_decisions_daily.rule_owner IS 'Who owns that rule (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_decisions_daily.requests IS 'Number of requests (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_decisions_daily.customers IS 'Number of different customers of these requests: never add up (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_decisions_daily.moved IS 'Grants that were booked later than asked for (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_decisions_daily.sends IS 'Requests whose contact was made, whenever that was (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_decisions_daily.late_sends IS 'Of these, the ones after the grant had expired (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_decisions_daily.sent_anyway IS 'Of these, the ones that were denied, or revoked before (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_decisions_daily.expired IS 'Grants that nobody used in time (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_decisions_daily.revoked IS 'Grants that were revoked (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_decisions_daily.p50_seconds IS 'Time to the verdict that half of the requests did not exceed: never add up (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_decisions_daily.p99_seconds IS 'Time to the verdict that 99 % of the requests did not exceed: never add up (chronicle).';
GRANT SELECT ON tutti.rpt_contact_decisions_daily TO tutti_reader;

-- Each contact that was made, once: of a request its earliest send, else its earliest delivery; else every send. As services/suppression/logic/contacts.c.
CREATE VIEW suppression.contacts_made AS
SELECT m.profile_id, m.occurred_at AS made_at, m.decision_id AS request_id,
       coalesce(tutti_meta.channel_named(m.folded), p.channel, m.channel) AS channel,
       coalesce(m.department, d.department, '(none)') AS department,
       coalesce(m.class, d.class) AS contact_class,
       coalesce(m.priority, d.priority, 2)::integer AS priority,
       d.request_id IS NULL AS is_unasked
FROM (
    SELECT DISTINCT ON (t.profile_id, t.decision_id, CASE WHEN t.decision_id IS NULL THEN t.occurred_at END, CASE WHEN t.decision_id IS NULL THEN t.event_id END)
           t.*, tutti_meta.fold_word(t.channel) AS folded
    FROM (
        SELECT a.profile_id, f.anchor, f.occurred_at, f.event_id, f.kind, f.channel, nullif(f.department, '') AS department, nullif(f.class, '') AS class,
               f.priority, n.decision_id,
               -- A message that was told again with one more identifier, and names its request in one telling.
               bool_or(n.decision_id IS NOT NULL) OVER (PARTITION BY a.profile_id, f.occurred_at, f.event_id) AS names_request
        FROM suppression.facts AS f
        JOIN suppression.anchors AS a USING (anchor)
        CROSS JOIN LATERAL (SELECT nullif(tutti_meta.uuid_or_null(f.decision_id), '00000000-0000-0000-0000-000000000000') AS decision_id) AS n
        WHERE f.kind IN (2, 3) AND a.version % 2 = 0
    ) AS t
    WHERE t.decision_id IS NOT NULL OR (t.kind = 2 AND NOT t.names_request)
    ORDER BY t.profile_id, t.decision_id, CASE WHEN t.decision_id IS NULL THEN t.occurred_at END, CASE WHEN t.decision_id IS NULL THEN t.event_id END,
             t.kind, t.occurred_at, t.event_id, t.anchor
) AS m
LEFT JOIN suppression.decisions AS d ON d.request_id = m.decision_id
LEFT JOIN suppression.policy_channels AS p ON p.channel = m.folded
WHERE coalesce(m.class, d.class, '') NOT IN (
    SELECT class.key FROM tutti_meta.active_contact AS c, jsonb_each(c.contact -> 'classes') AS class WHERE class.value ->> 'counts' = 'false'
);
COMMENT ON VIEW suppression.contacts_made IS 'Contacts that were made, of classes that count, each once (convergent, but is_unasked).';
COMMENT ON COLUMN suppression.contacts_made.profile_id IS 'Customer today; those in shared profiles are left out.';
COMMENT ON COLUMN suppression.contacts_made.made_at IS 'When it was made.';
COMMENT ON COLUMN suppression.contacts_made.request_id IS 'Request that it answers, as sent; null: none.';
COMMENT ON COLUMN suppression.contacts_made.channel IS 'Its channel, by the name of the list; as sent if it is unknown.';
COMMENT ON COLUMN suppression.contacts_made.department IS 'Its department, else that of its request, or (none).';
COMMENT ON COLUMN suppression.contacts_made.contact_class IS 'Its class, else that of its request.';
COMMENT ON COLUMN suppression.contacts_made.priority IS 'Its priority, else that of its request; 2 where neither says.';
COMMENT ON COLUMN suppression.contacts_made.is_unasked IS 'It answers no stored request.';

CREATE VIEW tutti.rpt_contact_budget AS
SELECT period_start_date, department, channel,
       sum(requests)::bigint AS requests, sum(grants)::bigint AS grants, sum(denied_by_cap)::bigint AS denied_by_cap,
       sum(contacts)::bigint AS contacts,
       round(sum(contacts) / nullif(sum(sum(contacts)) OVER (PARTITION BY period_start_date, channel), 0), 6) AS share_of_contacts,
       sum(unasked_sends)::bigint AS unasked_sends, sum(late_sends)::bigint AS late_sends, sum(sent_anyway)::bigint AS sent_anyway,
       sum(low)::bigint AS low_priority_contacts, sum(normal)::bigint AS normal_priority_contacts, sum(high)::bigint AS high_priority_contacts
FROM (
    SELECT date_trunc('month', request_date)::date AS period_start_date, department, channel, requests,
           CASE WHEN verdict = 'grant' THEN requests ELSE 0 END AS grants,
           CASE WHEN verdict = 'deny' AND reason IN ('cap', 'own_limit') THEN requests ELSE 0 END AS denied_by_cap,
           0 AS contacts, 0 AS unasked_sends, late_sends, sent_anyway, 0 AS low, 0 AS normal, 0 AS high
    FROM tutti.rpt_contact_decisions_daily
    UNION ALL
    SELECT date_trunc('month', made_at AT TIME ZONE (SELECT zone FROM tutti_meta.active))::date, department, channel, 0, 0, 0,
           1, is_unasked::integer, 0, 0, (priority = 1)::integer, (priority NOT IN (1, 3))::integer, (priority = 3)::integer
    FROM suppression.contacts_made
) AS parts
GROUP BY period_start_date, department, channel;
COMMENT ON VIEW tutti.rpt_contact_budget IS 'Who used the customers'' attention in each month: requests and contacts made per department and channel. Counts add up over all rows, shares over the departments of a month and channel (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_budget.period_start_date IS 'First day of the month: of the request, or of the contact (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_budget.department IS 'Department, or (none) (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_budget.channel IS 'Channel (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_budget.requests IS 'Number of requests (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_budget.grants IS 'Number of requests that were granted (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_budget.denied_by_cap IS 'Number of requests that a cap or the customer''s own limit denied (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_budget.contacts IS 'Number of contacts that were made in the month, of classes that count (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_budget.share_of_contacts IS 'Their share, 0 to 1, of all contacts of this month on this channel; null where there are none (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_budget.unasked_sends IS 'Of these contacts, the ones that answer no stored request (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_budget.late_sends IS 'Requests whose contact was made after the grant had expired (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_budget.sent_anyway IS 'Requests whose contact was made although it was denied, or revoked before (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_budget.low_priority_contacts IS 'Of these contacts, the ones of low priority (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_budget.normal_priority_contacts IS 'Of these contacts, the ones of normal priority, or of none (chronicle).';
COMMENT ON COLUMN tutti.rpt_contact_budget.high_priority_contacts IS 'Of these contacts, the ones of high priority: they used the head-room (chronicle).';
GRANT SELECT ON tutti.rpt_contact_budget TO tutti_reader;

CREATE VIEW tutti.rpt_contact_pressure AS
SELECT p.period_end_date, p.department, p.channel, p.segment_id, p.contacts_30d,
       count(*) AS customers,
       sum(p.contacts)::bigint AS contacts,
       CASE WHEN p.department = '(all)' AND p.channel = '(all)' THEN
           CASE WHEN (SELECT contact #> '{pressure,over}' IS NOT NULL FROM tutti_meta.active_contact)
               THEN count(*) FILTER (WHERE p.contacts > (SELECT (contact #>> '{pressure,over}')::integer FROM tutti_meta.active_contact)) END
       END AS over_saturated_customers
FROM (
    SELECT c.period_end_date, c.department, c.channel, s.segment_id, least(c.contacts, 10)::smallint AS contacts_30d, c.contacts
    FROM (
        SELECT d.period_end_date, d.instant, m.profile_id,
               CASE WHEN grouping(m.department) = 1 THEN '(all)' ELSE m.department END AS department,
               CASE WHEN grouping(m.channel) = 1 THEN '(all)' ELSE m.channel END AS channel,
               count(*) FILTER (WHERE m.made_at >= d.until - interval '720 hours') AS contacts
        FROM (
            SELECT e.period_end_date, e.until, least(e.until - interval '1 microsecond', tutti.as_of()) AS instant
            FROM (
                SELECT n.period_end_date, (n.period_end_date + 1)::timestamp AT TIME ZONE (SELECT zone FROM tutti_meta.active) AS until
                FROM (
                    SELECT (date_trunc('month', today) - k * interval '1 month')::date - 1 AS period_end_date
                    FROM tutti_meta.active, generate_series(0, 12) AS k
                    UNION
                    SELECT today FROM tutti_meta.active
                ) AS n
            ) AS e
        ) AS d
        JOIN suppression.contacts_made AS m ON m.made_at < d.until AND m.made_at >= d.until - interval '8760 hours'
        GROUP BY GROUPING SETS (
            (d.period_end_date, d.instant, m.profile_id, m.department, m.channel), (d.period_end_date, d.instant, m.profile_id, m.department),
            (d.period_end_date, d.instant, m.profile_id, m.channel), (d.period_end_date, d.instant, m.profile_id))
    ) AS c
    LEFT JOIN (
        -- Once for all customers, not for each row.
        SELECT profile_id, array_agg(segment_id) AS segments, array_agg(valid_from_at) AS starts, array_agg(valid_to_at) AS ends
        FROM tutti.fct_segment_memberships
        GROUP BY profile_id
    ) AS g USING (profile_id)
    CROSS JOIN LATERAL (
        SELECT '(all)' AS segment_id
        UNION ALL
        SELECT one.segment FROM unnest(g.segments, g.starts, g.ends) AS one (segment, start_at, end_at)
        WHERE one.start_at <= c.instant AND (one.end_at IS NULL OR one.end_at > c.instant)
    ) AS s
) AS p
GROUP BY p.period_end_date, p.department, p.channel, p.segment_id, p.contacts_30d;
COMMENT ON VIEW tutti.rpt_contact_pressure IS 'How many contacts customers got in 30 days, as of the end of each month and today. Key: all columns before customers. Add up over contacts_30d only (convergent).';
COMMENT ON COLUMN tutti.rpt_contact_pressure.period_end_date IS 'Day at whose end it is counted: the last day of each of the last 13 months, and the day of tutti.as_of() (convergent).';
COMMENT ON COLUMN tutti.rpt_contact_pressure.department IS 'Department of the contacts, (none), or (all) (convergent).';
COMMENT ON COLUMN tutti.rpt_contact_pressure.channel IS 'Channel of the contacts, or (all) (convergent).';
COMMENT ON COLUMN tutti.rpt_contact_pressure.segment_id IS 'Segment that the customer was in then, or (all) (convergent).';
COMMENT ON COLUMN tutti.rpt_contact_pressure.contacts_30d IS 'Contacts of a customer in the 30 times 24 hours before: 0 to 10, 10 for 10 or more (convergent).';
COMMENT ON COLUMN tutti.rpt_contact_pressure.customers IS 'Customers with so many, of those with a contact in the 365 times 24 hours before (convergent).';
COMMENT ON COLUMN tutti.rpt_contact_pressure.contacts IS 'All these contacts (convergent).';
COMMENT ON COLUMN tutti.rpt_contact_pressure.over_saturated_customers IS 'Of these customers, the ones with more contacts than pressure.over of contact.json; null without it, and unless department and channel are (all) (convergent).';
GRANT SELECT ON tutti.rpt_contact_pressure TO tutti_reader;
