/* values.h: raw values of identifiers, for people who may see them, and the exchange of the privacy
 * key. Needs privacy.key_file. */
#ifndef TUTTI_OPERATIONS_KEYS_VALUES_H
#define TUTTI_OPERATIONS_KEYS_VALUES_H

#include "operations/desk.h"
#include "operations/report.h"

/* identifier: as a person names it (operations/identifier.h). The connection goes over to the role
 * tutti_pii, which its user must be allowed to do. REJECT "no_raw_value". */
enum outcome values_reveal(struct desk *desk, const char *identifier, struct report *report,
                           struct err *err);
/* Wraps all values with privacy.key_file that privacy.previous_key_file still wraps. Can be run
 * again. FATAL "seal_key_unknown" if some are wrapped with neither. */
enum outcome values_rewrap(struct desk *desk, struct err *err);

#endif
