-- What is under way, if anything is.
SELECT policy_version, phase FROM tutti_meta.reanchoring
