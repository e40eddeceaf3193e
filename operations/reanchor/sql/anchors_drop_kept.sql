-- Addresses whose value is listed now: their opt-outs, which an erasure left, have gone with their other copies. After an erasure no
-- identifier becomes another one (anchors_check_rules), so there is no other case.
DELETE FROM suppression.kept_addresses AS k
USING tutti_meta.renamed AS n
WHERE n.old_id = ANY ($1::uuid[]) AND k.address_id = n.old_id
