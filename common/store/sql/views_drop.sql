SELECT tutti_meta.drop_views()
