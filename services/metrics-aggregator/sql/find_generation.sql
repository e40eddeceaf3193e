SELECT number
FROM tutti_meta.generations
WHERE generation = $1
