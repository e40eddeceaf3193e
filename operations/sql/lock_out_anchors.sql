-- Whether facts are getting other anchors.
SELECT EXISTS (SELECT FROM tutti_meta.reanchoring)
