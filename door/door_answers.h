/* door_answers.h: verdicts as JSON. */
#ifndef TUTTI_DOOR_ANSWERS_H
#define TUTTI_DOOR_ANSWERS_H

#include "common/base/pack.h"
#include "operations/contact/decider.h"

/* One answer as an object: the verdict with every rule that was asked, or "error" and "message".
 * shows_profile: with profile_id. */
void door_add_answer(struct strbuf *out, const struct decided *decided, bool shows_profile);
/* Whether the channel may go ahead: "claim" is ok, or void and why. */
void door_add_claim(struct strbuf *out, const struct claim *claim);
/* {"error": code, "message": text} */
void door_add_error(struct strbuf *out, const char *code, const char *message);

#endif
