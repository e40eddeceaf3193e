SELECT tutti_meta.clear_tables('journey.conversions', 'journey.order_changes', 'journey.stage_changes', 'journey.memberships', 'journey.responses', 'journey.opportunities', 'journey.repeats', 'journey.checkpoints', 'journey.outbox', 'journey.message_outbox');
UPDATE journey.lanes SET pub_seq = seq;
