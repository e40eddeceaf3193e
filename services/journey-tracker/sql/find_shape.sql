SELECT shape
FROM journey.shapes
WHERE hash = $1
