/* suppression_preferred.h: the channels that a customer named in a preference centre. They decide
 * nothing: they are for the eyes of an agent. */
#ifndef TUTTI_SUPPRESSION_PREFERRED_H
#define TUTTI_SUPPRESSION_PREFERRED_H

#include "services/suppression/suppression_transact.h"

/* The most liked first, by their names in the policy; none: the customer said nothing, or took it
 * back. In the arena. */
enum outcome suppression_preferred(const struct suppression *suppression, struct arena *arena,
                                   const struct id *profile_id, struct contact_names *out,
                                   struct err *err);

#endif
