-- Services whose map does not say yet who belongs to these identifiers' profile, and who does not: what they hold of it is not what
-- would be erased.
SELECT s.service
FROM (
    VALUES
        ('journey-tracker',
         EXISTS (SELECT FROM journey.anchors AS a WHERE a.profile_id = ANY ($1::uuid[]) AND a.anchor <> ALL ($2::bigint[]))
         OR EXISTS (SELECT FROM journey.anchors AS a WHERE a.anchor = ANY ($2::bigint[]) AND a.profile_id <> ALL ($1::uuid[]))),
        ('suppression',
         EXISTS (SELECT FROM suppression.anchors AS a WHERE a.profile_id = ANY ($1::uuid[]) AND a.anchor <> ALL ($2::bigint[]))
         OR EXISTS (SELECT FROM suppression.anchors AS a WHERE a.anchor = ANY ($2::bigint[]) AND a.profile_id <> ALL ($1::uuid[])))
) AS s (service, lags)
WHERE s.lags
