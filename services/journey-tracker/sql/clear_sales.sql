DELETE FROM sales WHERE anchor IS NOT NULL;
SELECT tutti_meta.clear_tables('sale_copies');
