-- The same for suppression. A copy (flag 4) follows its original.
SELECT count(*) FROM suppression.facts
WHERE (others IS NOT NULL OR EXISTS (SELECT FROM tutti_meta.renamed)) AND flags & 4 = 0
