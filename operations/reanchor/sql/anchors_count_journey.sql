-- Facts that could have another anchor: those of several identifiers, and all where identifiers become others.
SELECT count(*) FROM journey.facts WHERE anchor <> 0 AND (others IS NOT NULL OR EXISTS (SELECT FROM tutti_meta.renamed))
