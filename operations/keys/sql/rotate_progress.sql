-- How many identifiers and tombstones there are, and how many of each are found by the key before number $1, but not by it. Of the tombstones, how many are of
-- addresses with opt-outs that an erasure left.
SELECT (SELECT count(*) FROM identity.identifiers),
       (SELECT count(*) FROM identity.identifiers AS i
        WHERE i.key_number <> $1
          AND (i.key_number = $1::smallint - 1
               OR EXISTS (SELECT FROM identity.found_by AS f WHERE f.identifier_id = i.identifier_id AND f.key_number = $1::smallint - 1))
          AND NOT EXISTS (SELECT FROM identity.found_by AS f WHERE f.identifier_id = i.identifier_id AND f.key_number = $1)),
       (SELECT count(*) FROM identity.erased),
       (SELECT count(*) FROM identity.erased AS e
        WHERE e.key_number <> $1
          AND (e.key_number = $1::smallint - 1
               OR EXISTS (SELECT FROM identity.found_by AS f WHERE f.identifier_id = e.identifier_id AND f.key_number = $1::smallint - 1))
          AND NOT EXISTS (SELECT FROM identity.found_by AS f WHERE f.identifier_id = e.identifier_id AND f.key_number = $1)),
       (SELECT count(*) FROM suppression.kept_addresses AS k
        JOIN identity.erased AS e ON e.identifier_id = k.address_id
        WHERE e.key_number <> $1
          AND (e.key_number = $1::smallint - 1
               OR EXISTS (SELECT FROM identity.found_by AS f WHERE f.identifier_id = e.identifier_id AND f.key_number = $1::smallint - 1))
          AND NOT EXISTS (SELECT FROM identity.found_by AS f WHERE f.identifier_id = e.identifier_id AND f.key_number = $1))
