/* windows.h: contacts in half-open windows [a, a + per) that roll. A limit holds in EVERY window
 * that contains the contact asked for, so contacts planned or sent later than it count as well:
 * looking only backwards breaks the limit when requests arrive out of order. */
#ifndef TUTTI_CONTACT_WINDOWS_H
#define TUTTI_CONTACT_WINDOWS_H

#include "services/suppression/logic/rules/closings.h"
#include "services/suppression/logic/rules/counted.h"

/* Most contacts in any window that contains `at`, with one more contact at `at`. No contact lies at
 * or before at - per. */
int32_t windows_most(const struct times *times, struct duration per, struct instant at);
/* Where one more contact would be more than the limit; limit 0: everywhere. */
void windows_close(const struct times *times, int32_t limit, struct duration per,
                   struct arena *arena, struct closings *out);

/* The same where contacts of one sequence take one place. */
int32_t windows_most_places(const struct places *places, struct duration per, struct instant at);
void windows_close_places(const struct places *places, int32_t limit, struct duration per,
                          struct arena *arena, struct closings *out);

#endif
