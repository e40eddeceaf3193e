-- Holds off `tutti erase` until the transaction ends; answers the version of the newest erasure.
SELECT tutti_meta.hold_erasures()
