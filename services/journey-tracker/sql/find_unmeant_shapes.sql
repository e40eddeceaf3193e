-- Shapes that another instance found when it still worked by other policies: they have no meaning here.
SELECT s.shape
FROM journey.shapes AS s
LEFT JOIN shape_meanings AS m USING (shape)
WHERE m.shape IS NULL
