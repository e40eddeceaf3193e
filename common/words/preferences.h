/* preferences.h: what a customer asked for in a preference centre, as one short text.
 *
 * common/codec/preferences_json.h makes the text: one line per key, its fields ended by 1f, the
 * line by 0a. Names of channels are as they were sent.
 *
 *     time_zone  NAME                   the zone the customer lives in
 *     hours      FROM  TO               HH:MM, when contacts are welcome
 *     limit      COUNT PER CHANNEL...   at most so many contacts; no channel: of all
 *     channels   CHANNEL...             the most liked first
 *     pause      UNTIL CHANNEL...       a time or a date; no channel: of all
 *
 * A key without fields was null: the customer takes back what was said before. */
#ifndef TUTTI_WORDS_PREFERENCES_H
#define TUTTI_WORDS_PREFERENCES_H

#include "common/base/span.h"

struct preference {
    struct span key;
    struct span rest; /* what preference_field has not taken yet */
};

/* Takes the next line from *rest; false at the end. */
bool preference_next(struct span *rest, struct preference *out);
/* The line of the key; false: there is none. */
bool preference_find(struct span preferences, struct span key, struct preference *out);
/* Takes the next field; false: there is none. */
bool preference_field(struct preference *preference, struct span *out);
/* True if a pause begins: the only preference that binds every identifier of its touchpoint. */
bool preferences_pause(struct span preferences);

#endif
