-- The switch that is under way, if there is one.
SELECT policy_version, phase FROM tutti_meta.reanchoring
