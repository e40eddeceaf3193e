-- A row where stored facts name their anchor alone.
SELECT name FROM identity.settings WHERE name = 'facts_without_others'
