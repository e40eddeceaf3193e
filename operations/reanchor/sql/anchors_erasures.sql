-- Whether an erasure was interrupted.
SELECT EXISTS (SELECT FROM identity.erasures WHERE NOT is_complete)
