COPY identity.identifiers (identifier_id, profile_id, first_seen_at, version, type, is_quarantined, has_refused, key_number) FROM STDIN BINARY
