SELECT code, value
FROM journey.dictionary
