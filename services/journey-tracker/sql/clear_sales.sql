DELETE FROM journey.sales WHERE anchor IS NOT NULL;
TRUNCATE journey.sale_copies;
