SELECT anchor, holdout, arm
FROM suppression.arms
WHERE anchor = ANY ($1::bigint[])
ORDER BY anchor, holdout
