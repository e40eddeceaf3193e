-- $1 generation, $2 zone, $3 to $6 session, at risk, lapsed, end of a journey in microseconds (the greatest: never), $7 zone of people,
-- $8 model of goals, $9 and $10 percent of the first and the last touch, $11 half-life in microseconds.
INSERT INTO journey.policies
    (generation, reporting_timezone, session, at_risk_after, lapsed_after, journey_end, default_timezone, stored_model,
     first_percent, last_percent, half_life)
VALUES ($1, $2, $3::bigint * interval '1 microsecond', nullif($4::bigint, 9223372036854775807) * interval '1 microsecond',
        $5::bigint * interval '1 microsecond', $6::bigint * interval '1 microsecond', $7, $8,
        $9::bigint, $10::bigint, $11::bigint * interval '1 microsecond')
ON CONFLICT (generation) DO UPDATE
SET reporting_timezone = excluded.reporting_timezone, default_timezone = excluded.default_timezone, session = excluded.session,
    at_risk_after = excluded.at_risk_after, lapsed_after = excluded.lapsed_after, journey_end = excluded.journey_end,
    stored_model = excluded.stored_model, first_percent = excluded.first_percent, last_percent = excluded.last_percent,
    half_life = excluded.half_life, has_sales = false
