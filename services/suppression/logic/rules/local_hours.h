/* local_hours.h: what the kinds share that go by the customer's clock: quiet_hours and own_hours.
 */
#ifndef TUTTI_CONTACT_LOCAL_HOURS_H
#define TUTTI_CONTACT_LOCAL_HOURS_H

#include "common/base/pack.h"
#include "services/suppression/logic/rules.h"

/* The hours are borrowed for as long as the finding. is_open_within: contacts are allowed within
 * them; else outside. Where nothing is known of the customer's zone, nothing is allowed. */
void local_hours_ask(const struct question *question, const struct hours *hours,
                     bool is_open_within, struct finding *finding);

/* "21:00-09:00, 12:00-13:00": the windows. */
void local_hours_text(const struct hours *hours, struct strbuf *out);

#endif
