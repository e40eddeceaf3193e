-- How many of these facts suppression has stored.
SELECT count(*)
FROM unnest($1::uuid[], $2::timestamptz[], $3::uuid[]) AS w (anchor_id, occurred_at, event_id)
JOIN suppression.facts AS f
    ON f.anchor = tutti_meta.short_key(w.anchor_id) AND f.occurred_at = w.occurred_at AND f.event_id = w.event_id
