COPY identity.links (a, b, first_seen_at, evidence, refused_by, is_indirect) FROM STDIN BINARY
