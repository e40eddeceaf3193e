-- When identifier $1 was erased.
SELECT erased_at FROM identity.erased WHERE identifier_id = $1
