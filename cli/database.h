/* database.h: one connection for a command, and results as text. */
#ifndef TUTTI_CLI_DATABASE_H
#define TUTTI_CLI_DATABASE_H

#include "cli/command.h"
#include "common/store/db.h"
#include "operations/report_query.h"

/* Connects, waiting up to 5 s for a server that is starting. */
enum outcome database_connect(const struct call *call, struct db **out, struct err *err);

/* Takes the exclusive side of the lock that every running service holds, until the connection
 * closes. FATAL "services_running" if one still runs after a second; "anchors_under_way" where
 * `tutti identity apply` has not given every fact its anchor yet. */
enum outcome database_lock_out_services(struct call *call, struct db *db, struct err *err);
/* The two halves of it. */
enum outcome database_lock_out_all(struct call *call, struct db *db, struct err *err);
enum outcome database_check_anchors(struct db *db, struct err *err);

/* Prints a result whose columns are all of type text. On a terminal and in pipes alike: aligned
 * columns under titles (a title that begins with > is aligned to the right). */
void result_print(struct arena *arena, const struct db_result *result, const char *const *titles);
/* The same as a JSON array of objects; texts as they are. */
void result_print_json(struct arena *arena, const struct db_result *result,
                       const char *const *names, struct strbuf *out);

#endif
