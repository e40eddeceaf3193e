/* contact.c: what a request and a reservation are in time, and what of a fact is kept for others.
 */
#include "services/suppression/logic/contact.h"

#include "common/words/preferences.h"
#include "services/suppression/logic/consent.h"

struct instant contact_planned_at(const struct contact_fact *request)
{
    return instant_compare(request->planned_at, request->at) > 0 ? request->planned_at
                                                                 : request->at;
}

int contact_priority(const struct contact_fact *request)
{
    return request->priority == CONTACT_PRIORITY_ABSENT ? PRIORITY_NORMAL : request->priority - 1;
}

int contact_request_order(const struct contact_fact *a, const struct contact_fact *b)
{
    int c = instant_compare(a->at, b->at);
    c = c ? c : contact_priority(b) - contact_priority(a);
    return c ? c : id_compare(&a->event_id, &b->event_id);
}

bool reservation_is_over(const struct reservation *reservation, struct instant at,
                         struct instant now)
{
    if (reservation_is_claimed(reservation))
        return instant_compare(now, instant_plus(reservation->claimed_at, CLAIM_HOLDS)) >= 0;
    return instant_compare(at, reservation->expires_at) >= 0 &&
           instant_compare(now, reservation->expires_at) >= 0;
}

bool reservation_is_claimed(const struct reservation *reservation)
{
    return reservation->claimed_at.us != INSTANT_ABSENT.us;
}

bool reservation_is_open(const struct reservation *reservation, struct instant at,
                         struct instant now)
{
    return reservation->verdict == VERDICT_GRANT && reservation->outcome == RESULT_OPEN &&
           !reservation_is_over(reservation, at, now);
}

struct instant reservation_contact_at(const struct reservation *reservation)
{
    return reservation_is_claimed(reservation) ? reservation->claimed_at : reservation->planned_at;
}

const char *contact_outcome_word(int16_t outcome)
{
    static const char *const words[] = {
        [RESULT_OPEN] = "open", [RESULT_REVOKED] = "revoked", [RESULT_CANCELLED] = "cancelled",
        [RESULT_SENT] = "sent", [RESULT_FAILED] = "failed",   [RESULT_DELIVERED] = "delivered"};
    return words[outcome];
}

bool contact_copy(const struct contact_fact *fact, struct contact_fact *out)
{
    bool is_signal = fact->kind == CONTACT_SIGNAL;
    if (!is_signal && !consent_opts_out(fact->consent) && !preferences_pause(fact->preferences))
        return false;
    *out = (struct contact_fact){
        .at = fact->at,
        .event_id = fact->event_id,
        .kind = CONTACT_SIGNAL,
        .flags = CONTACT_IS_COPY,
        .score = is_signal ? fact->score : CONTACT_SCORE_ABSENT,
        .priority = CONTACT_PRIORITY_ABSENT,
        .event = is_signal ? fact->event : SPAN(""),
        .channel = fact->channel,
        .consent = fact->consent,
        .preferences = fact->preferences,
        .case_id = fact->case_id,
        .order_id = fact->order_id,
        .received_at = fact->received_at,
        .planned_at = INSTANT_ABSENT,
        .expires_at = INSTANT_ABSENT,
        .latest_at = INSTANT_ABSENT,
    };
    return true;
}

struct instant contact_earlier(struct instant a, struct instant b)
{
    if (a.us == INSTANT_ABSENT.us || b.us == INSTANT_ABSENT.us)
        return a.us == INSTANT_ABSENT.us ? b : a;
    return instant_compare(b, a) < 0 ? b : a;
}

struct instant contact_frees_at(const struct contact_fact *fact)
{
    return fact->received_at.us != INSTANT_ABSENT.us ? fact->received_at : fact->at;
}

int contact_fact_order(const struct contact_fact *a, const struct contact_fact *b)
{
    int c = instant_compare(a->at, b->at);
    c = c ? c : id_compare(&a->event_id, &b->event_id);
    return c ? c : (a->flags & CONTACT_IS_COPY) - (b->flags & CONTACT_IS_COPY);
}

bool contact_is_same_touchpoint(const struct contact_fact *a, const struct contact_fact *b)
{
    return a->at.us == b->at.us && id_equal(&a->event_id, &b->event_id);
}

bool contact_is_repeat(const struct contact_fact *fact, const struct contact_fact *before)
{
    return contact_is_copy(fact) && contact_is_same_touchpoint(fact, before);
}

bool contact_is_result(const struct contact_fact *fact)
{
    return fact->kind >= CONTACT_SENT && fact->kind <= CONTACT_CANCELLED &&
           !id_is_nil(&fact->decision_id);
}

bool contact_is_copy(const struct contact_fact *fact)
{
    return (fact->flags & CONTACT_IS_COPY) != 0;
}
