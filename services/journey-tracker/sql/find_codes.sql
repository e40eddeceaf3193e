SELECT code, value
FROM journey.dictionary
WHERE value = ANY ($1::text[])
