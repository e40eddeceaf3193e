-- What these profiles ($1) added to the sums of the slot that is being built.
SELECT cells FROM journey.followed WHERE profile = ANY ($1::bigint[])
