-- The hash of the texts that made the views of this database; no row if there are none.
SELECT hash FROM tutti_meta.view_set
