UPDATE journey.policies SET has_sales = true WHERE generation = $1
