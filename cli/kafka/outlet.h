/* outlet.h: where the commands that write put their touchpoints: a producer of their own with its
 * publisher, and the option --key. */
#ifndef TUTTI_CLI_KAFKA_OUTLET_H
#define TUTTI_CLI_KAFKA_OUTLET_H

#include "cli/command.h"
#include "operations/topics/publisher.h"

enum record_key { KEY_IDENTIFIER, KEY_MESSAGE_ID, KEY_NONE };

struct outlet {
    struct producer *producer; /* NULL: dry run */
    struct publisher *publisher;
};

/* topic as publisher_open has it. dry_run: nothing is sent, no broker is asked. Close it after an
 * error, too. */
enum outcome outlet_open(const struct call *call, const char *topic, bool dry_run,
                         struct outlet *out, struct err *err);
void outlet_close(struct outlet *outlet);

/* Sends with the wall clock as timestamp. */
enum outcome outlet_send(const struct outlet *outlet, struct span channel, struct span key,
                         struct span value, struct err *err);
/* Waits until the brokers have acknowledged everything. */
enum outcome outlet_finish(const struct outlet *outlet, struct err *err);

/* The option --key; false and a message if it is none of the three words. */
bool outlet_key_option(const struct call *call, enum record_key *out);

#endif
