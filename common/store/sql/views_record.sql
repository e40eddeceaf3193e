-- $1: hash of the texts. What they made are the views and functions whose rows in the catalogue this transaction wrote.
INSERT INTO tutti_meta.view_set (hash, views, functions)
SELECT $1,
       ARRAY(SELECT (pg_identify_object('pg_class'::regclass, c.oid, 0)).identity FROM pg_class AS c
             WHERE c.relkind = 'v' AND c.xmin = pg_current_xact_id()::xid ORDER BY 1),
       ARRAY(SELECT (pg_identify_object('pg_proc'::regclass, p.oid, 0)).identity FROM pg_proc AS p
             WHERE p.xmin = pg_current_xact_id()::xid ORDER BY 1)
