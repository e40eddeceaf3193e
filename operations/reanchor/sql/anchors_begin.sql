-- From here on no service starts until every fact has its anchor.
INSERT INTO tutti_meta.reanchoring (policy_version, old_codes, new_codes) VALUES ($1, $2, $3)
