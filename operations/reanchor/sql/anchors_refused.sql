-- Identifiers that are linked to one of another profile: the link is refused, or joins the two in the review.
UPDATE identity.identifiers SET has_refused = true WHERE identifier_id = ANY ($1::uuid[]) AND NOT has_refused
