-- Identifiers that become others.
SELECT count(*) FROM tutti_meta.renamed
