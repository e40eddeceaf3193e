/* contact.c: what a request and a reservation are in time. */
#include "services/suppression/logic/contact.h"

struct instant contact_planned_at(const struct contact_fact *request)
{
    return instant_compare(request->planned_at, request->at) > 0 ? request->planned_at : request->at;
}

bool reservation_is_over(const struct reservation *reservation, struct instant at, struct instant now)
{
    return instant_compare(at, reservation->expires_at) >= 0 && instant_compare(now, reservation->expires_at) >= 0;
}
