/* identity.h: what the words of `tutti identity` share. */
#ifndef TUTTI_CLI_IDENTITY_H
#define TUTTI_CLI_IDENTITY_H

#include "cli/database.h"

/* Each is one word; argument 0 of the call is the word itself. */
enum exit_status identity_order(struct call *call); /* unlink, link, release */
enum exit_status identity_plan(struct call *call);  /* plan, apply */
enum exit_status identity_reveal(struct call *call);
enum exit_status identity_rewrap(struct call *call);
enum exit_status identity_rotate(struct call *call); /* rotate-key */

/* Who acts: --actor, else the user of the process. Not empty. */
const char *identity_actor(const struct call *call);

#endif
