/* identity.h: the words of `tutti identity`, one file for each group of them. */
#ifndef TUTTI_CLI_IDENTITY_H
#define TUTTI_CLI_IDENTITY_H

#include "cli/session.h"

/* Argument 0 of the call is the word itself. */
enum exit_status identity_order(struct call *call);  /* identity_order.c: unlink, link, release */
enum exit_status identity_plan(struct call *call);   /* identity_plan.c: plan, apply */
enum exit_status identity_reveal(struct call *call); /* identity_keys.c */
enum exit_status identity_rewrap(struct call *call);
enum exit_status identity_rotate(struct call *call); /* rotate-key */

enum { IDENTITY_MOST_SECONDS = 3600 };

/* Who acts: --actor, else the user of the process. Not empty. */
const char *identity_actor(const struct call *call);

#endif
