-- Channels as they were sent.
SELECT DISTINCT channel FROM journey.shapes
