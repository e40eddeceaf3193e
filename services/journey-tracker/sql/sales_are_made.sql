SELECT has_sales FROM journey.policies WHERE generation = $1
