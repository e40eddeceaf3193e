-- Holdouts in which somebody has drawn.
SELECT DISTINCT holdout FROM suppression.arms ORDER BY holdout
