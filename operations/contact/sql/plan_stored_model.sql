-- The model that goals are split by.
SELECT stored_model FROM tutti_meta.active
