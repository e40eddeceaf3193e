-- Contact requests and their verdicts. What every column means exactly stands in docs/figures.md.

CREATE VIEW tutti.fct_contact_decisions AS
SELECT d.request_id,
       coalesce(a.profile_id, d.profile_id) AS profile_id,
       d.profile_id AS profile_id_at_decision,
       d.requested_at,
       d.asked_for_at,
       d.planned_at,
       d.moved_by,
       d.latest_at,
       d.decided_at,
       d.expires_at,
       d.retry_at,
       d.channel,
       d.department,
       d.class AS contact_class,
       d.purpose,
       d.campaign_id,
       d.product_id,
       nullif(split_part(d.tags, E'\n', 1), '') AS tag,
       d.priority::integer AS priority,
       CASE d.verdict WHEN 1 THEN 'grant' WHEN 2 THEN 'deny' ELSE 'invalid' END AS verdict,
       d.reason,
       d.rule_id,
       d.rule_owner,
       CASE WHEN d.outcome = 0 AND d.verdict <> 1 THEN NULL
            WHEN d.outcome = 0 AND e.ends_at <= tutti.as_of() THEN 'expired'
            ELSE (ARRAY['open', 'revoked', 'cancelled', 'sent', 'failed', 'delivered'])[d.outcome + 1] END AS outcome,
       CASE WHEN d.outcome = 0 AND d.verdict = 1 AND e.ends_at <= tutti.as_of() THEN e.ends_at ELSE d.outcome_at END AS outcome_at,
       d.outcome_cause,
       d.batch_id,
       tutti_meta.uuid_or_null(d.opportunity_id) AS opportunity_id,
       d.sequence_id,
       d.zones,
       d.zone_data,
       (d.waited_us / 1000000.0)::numeric(20, 6) AS seconds_to_verdict,
       (d.sent_at IS NOT NULL AND (d.verdict <> 1 OR d.outcome_cause IS NOT NULL)) AS is_sent_anyway,
       coalesce(d.verdict = 1 AND d.claimed_at IS NULL AND d.sent_at >= d.expires_at, false) AS is_late_send,
       d.claimed_at,
       d.loaded_at
FROM suppression.decisions d
CROSS JOIN LATERAL (SELECT coalesce(d.claimed_at + interval '15 minutes', d.expires_at) AS ends_at) e
LEFT JOIN suppression.anchors a ON a.anchor = d.anchor;
COMMENT ON VIEW tutti.fct_contact_decisions IS 'One row per contact request: may we? (chronicle)';
COMMENT ON COLUMN tutti.fct_contact_decisions.request_id IS 'Id of the request, which its sends carry as decision_id (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.profile_id IS 'Customer today; null where no customer was identified (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.profile_id_at_decision IS 'Customer when it was decided (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.requested_at IS 'Event time of the request (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.asked_for_at IS 'Time of the contact that was asked for (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.planned_at IS 'Time of the contact: asked_for_at, or the later time of a grant that was booked (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.moved_by IS 'Rule for which the contact was booked later than it was asked for; null: it was not (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.latest_at IS 'Until when the contact makes sense, as the request said; null: it did not (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.decided_at IS 'When it was decided (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.expires_at IS 'When a grant becomes void (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.retry_at IS 'Earliest time at which a new request may succeed; null where it cannot be said (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.channel IS 'Channel of the request (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.department IS 'Department that asked (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.contact_class IS 'Class: marketing, service, transactional or what the policy names (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.purpose IS 'Purpose of the contact (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.campaign_id IS 'Campaign (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.product_id IS 'Product (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.tag IS 'First tag of the request (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.priority IS '1 low, 2 normal, 3 high; null counts as normal (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.verdict IS 'grant, deny or invalid; never changes (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.reason IS 'Kind of the deciding rule, unidentified, or what is invalid; null for a grant (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.rule_id IS 'Deciding rule of the contact policy (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.rule_owner IS 'Who owns that rule (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.outcome IS 'open, sent, delivered, failed, cancelled, expired or revoked; null unless granted or sent anyway (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.outcome_at IS 'When that happened (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.outcome_cause IS 'What revoked it: opt_out, consent, hold, purchase, invalid_address, pause, never_after, goal_met, merge; stays if it was sent all the same (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.batch_id IS 'Batch the request belongs to (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.opportunity_id IS 'Opportunity that the request names; it decides nothing (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.sequence_id IS 'Sequence whose place the request may take; null: it takes its own (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.zones IS 'Time zones of the customer by which it was judged, separated by blanks; null: no rule asked for them (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.zone_data IS 'Version of the time zone database of these zones (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.seconds_to_verdict IS 'From the request''s record in Kafka to the decision (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.is_sent_anyway IS 'Sent although it was denied, or revoked before (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.is_late_send IS 'Sent after the grant had expired, and not claimed before (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.claimed_at IS 'When its channel claimed it, to act at once; null: it did not (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decisions.loaded_at IS 'When it was stored (chronicle).';
GRANT SELECT ON tutti.fct_contact_decisions TO tutti_reader;

CREATE VIEW tutti.fct_contact_decision_rules AS
SELECT d.request_id,
       r.rule_position::integer AS rule_position,
       split_part(r.line, E'\x1f', 1) AS rule_id,
       split_part(r.line, E'\x1f', 2) AS rule_kind,
       split_part(r.line, E'\x1f', 3) = '1' AS passed,
       split_part(r.line, E'\x1f', 4) AS observed,
       split_part(r.line, E'\x1f', 5) AS allowed,
       nullif(split_part(r.line, E'\x1f', 6), '')::timestamptz AS next_at,
       d.loaded_at
FROM suppression.decisions d
CROSS JOIN LATERAL string_to_table(convert_from(d.rules, 'UTF8'), E'\x1e') WITH ORDINALITY AS r (line, rule_position)
WHERE r.line <> '';
COMMENT ON VIEW tutti.fct_contact_decision_rules IS 'Every rule that was asked for a contact request, with the values it saw (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decision_rules.request_id IS 'Id of the request (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decision_rules.rule_position IS 'Position of the rule in the policy, from 1; the first that fails decides (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decision_rules.rule_id IS 'Id of the rule (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decision_rules.rule_kind IS 'Kind of the rule (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decision_rules.passed IS 'Whether it allowed the contact (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decision_rules.observed IS 'What it saw (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decision_rules.allowed IS 'What it would have allowed (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decision_rules.next_at IS 'Earliest time from the contact time on that this rule alone allows; null if there is none (chronicle).';
COMMENT ON COLUMN tutti.fct_contact_decision_rules.loaded_at IS 'When the decision was stored (chronicle).';
GRANT SELECT ON tutti.fct_contact_decision_rules TO tutti_reader;

CREATE VIEW tutti.dim_kept_opt_outs AS
SELECT k.address_id AS identifier_id,
       k.type,
       f.channel,
       f.occurred_at AS opted_out_at
FROM suppression.kept_addresses k
JOIN suppression.facts f ON f.anchor = tutti_meta.short_key(k.address_id) AND f.flags & 16 <> 0;
COMMENT ON VIEW tutti.dim_kept_opt_outs IS 'One row per address of an erased person and channel that it said no to: what an erasure keeps (chronicle).';
COMMENT ON COLUMN tutti.dim_kept_opt_outs.identifier_id IS 'Identifier id of the address, a keyed hash (chronicle).';
COMMENT ON COLUMN tutti.dim_kept_opt_outs.type IS 'Type of the address (chronicle).';
COMMENT ON COLUMN tutti.dim_kept_opt_outs.channel IS 'Channel, or all (chronicle).';
COMMENT ON COLUMN tutti.dim_kept_opt_outs.opted_out_at IS 'Time of the newest no (chronicle).';
GRANT SELECT ON tutti.dim_kept_opt_outs TO tutti_reader;
