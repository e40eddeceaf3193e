COPY identity.identifiers (identifier_id, profile_id, first_seen_at, version, type, is_quarantined, has_refused) FROM STDIN BINARY
