-- The active identity policy, and how far the sweep of all profiles under it is.
SELECT version, hash, policy::text, swept_to, is_complete FROM identity.policies WHERE is_active
