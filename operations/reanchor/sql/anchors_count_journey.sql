-- Facts that name someone: all are read.
SELECT count(*) FROM journey.facts WHERE anchor <> 0
