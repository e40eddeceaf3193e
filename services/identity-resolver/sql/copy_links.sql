COPY identity.links (a, b, first_seen_at, evidence, refused_by) FROM STDIN BINARY
