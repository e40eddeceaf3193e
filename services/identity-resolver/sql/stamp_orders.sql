UPDATE identity.manual_evidence
SET version = $2
WHERE id = ANY ($1::bigint[])
