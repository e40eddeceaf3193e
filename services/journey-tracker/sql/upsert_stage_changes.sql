INSERT INTO stage_changes (stage_change_id, touchpoint_id, anchor, journey_number, changed_at, from_stage, to_stage,
                                   from_status, to_status, reason, seconds_in_stage, position)
SELECT unnest($1::uuid[]), unnest($2::uuid[]), unnest($3::bigint[]), unnest($4::integer[]), unnest($5::timestamptz[]),
       unnest($6::smallint[]), unnest($7::smallint[]), unnest($8::smallint[]), unnest($9::smallint[]), unnest($10::smallint[]),
       unnest($11::bigint[]), unnest($12::smallint[])
ON CONFLICT (anchor, changed_at, stage_change_id) DO UPDATE
    SET touchpoint_id = excluded.touchpoint_id, journey_number = excluded.journey_number, from_stage = excluded.from_stage,
        to_stage = excluded.to_stage, from_status = excluded.from_status, to_status = excluded.to_status,
        reason = excluded.reason, seconds_in_stage = excluded.seconds_in_stage, position = excluded.position
