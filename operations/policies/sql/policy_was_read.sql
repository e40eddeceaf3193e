-- Whether services may have worked by other policies than the active ones, and whether suppression has stored anything at all.
SELECT EXISTS (SELECT FROM tutti_meta.generations WHERE NOT is_active), EXISTS (SELECT FROM suppression.states)
