SELECT tutti_meta.clear_tables('journey.followed', 'journey.conversions', 'journey.order_changes', 'journey.stage_changes', 'journey.memberships', 'journey.responses', 'journey.opportunities', 'journey.repeats', 'journey.checkpoints', 'journey.outbox', 'journey.message_outbox');
UPDATE journey.lanes SET pub_seq = seq;
-- What another generation may have left in the slot that is not active.
DELETE FROM journey.shape_meanings WHERE slot <> tutti_meta.active_slot();
DELETE FROM journey.states WHERE slot <> tutti_meta.active_slot();
DELETE FROM journey.sales WHERE slot <> tutti_meta.active_slot();
DELETE FROM journey.sale_copies WHERE slot <> tutti_meta.active_slot();
DELETE FROM journey.traits WHERE slot <> tutti_meta.active_slot();
