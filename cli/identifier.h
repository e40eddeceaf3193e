/* identifier.h: an identifier as a person names it, <type>:<value> or a UUID, as the id that the database has. */
#ifndef TUTTI_CLI_IDENTIFIER_H
#define TUTTI_CLI_IDENTIFIER_H

#include "cli/database.h"

/* A value is normalised by the active identity policy (or the file of policy.dir while there is none) and hashed with the key of
 * identity.key_file, as identity-resolver does it. REJECT "usage", "identifier_type" or "identifier_blocked". The identifier need
 * not exist. */
enum outcome identifier_parse(struct call *call, struct db *db, const char *text, struct id *out, struct err *err);

/* Its profile today. REJECT "identifier_unknown" if it was never seen. */
enum outcome identifier_profile(struct call *call, struct db *db, const struct id *identifier, struct id *profile,
                                struct err *err);

#endif
