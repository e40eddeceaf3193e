DELETE FROM journey.sales WHERE anchor IS NOT NULL;
SELECT tutti_meta.clear_tables('journey.sale_copies');
