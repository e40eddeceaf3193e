-- One name: $1 version, $2 code, $3 name, $4 code of the name whose table it has (0: its own), $5 offset before $6 the changes, $7 offsets.
INSERT INTO tutti_meta.zones (zones, code, name, alias_of, first_offset, changed_at, offsets)
SELECT $1, $2, $3, nullif($4::smallint, 0), CASE WHEN $4 = 0 THEN $5::integer END, CASE WHEN $4 = 0 THEN $6::timestamptz[] END,
       CASE WHEN $4 = 0 THEN $7::integer[] END
