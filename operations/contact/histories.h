/* histories.h: the contact histories of customers, read from one snapshot some at a time. */
#ifndef TUTTI_OPERATIONS_CONTACT_HISTORIES_H
#define TUTTI_OPERATIONS_CONTACT_HISTORIES_H

#include "operations/desk.h"
#include "services/suppression/logic/walk.h"

/* Customers who were asked about in [from, until), by day or instant as text; NULL: no bound.
 * Shared profiles are none. */
struct histories_wish {
    const char *from, *until;
    bool with_sends;
};

/* Everything that was stored of one customer; whoever walks chooses the time. */
struct customer {
    struct id profile_id;
    struct history history;
};

struct histories;

/* Begins a read-only transaction with one snapshot; histories_close ends it, also after an error
 * (NULL is fine). *total: how many customers there are. */
enum outcome histories_open(struct desk *desk, const struct histories_wish *wish,
                            struct histories **out, size_t *total, struct err *err);
/* The next customers, by profile id, in the arena; *count is 0 at the end. */
enum outcome histories_next(struct histories *histories, struct arena *arena,
                            struct customer **customers, size_t *count, struct err *err);
void histories_close(struct histories *histories);

#endif
