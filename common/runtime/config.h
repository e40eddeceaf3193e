/* config.h: settings from a file, the environment and flags. One table gives parsing, ranges,
 * defaults and documentation.
 *
 * Precedence: flag, then environment, then file, then default. Within one of them the later one
 * wins.
 *
 * - File (--config FILE or TUTTI_CONFIG): lines of `key = value`. A line that begins with # is a
 *   comment; a # later in a line is not. White space around key and value is dropped. A kcat
 *   configuration can be the start.
 * - Environment: TUTTI_ and the upper case name, with '_' for '.' and '-'.
 * - Flags: --key value or --key=value for every setting, and --config FILE, --check-config,
 *   --print-config, --help, --version.
 *
 * Kafka. `kafka.*`, `kafka.consumer.*` and `kafka.producer.*` go to librdkafka unchanged; bus/
 * checks their names. TUTTI_KAFKA_BOOTSTRAP_SERVERS is kafka.bootstrap.servers. In a file, a
 * bare key is taken as kafka.<key> on two conditions: its first word begins names of librdkafka
 * (bootstrap, security, sasl, ssl, ...; the list is in config_names.c), and it is more than two
 * letters away from every setting of ours.
 *
 * Secrets. Every secret S (also passwords and keys of kafka.*) can be given as S_file or
 * TUTTI_S_FILE: the content of that file without its last line break.
 *
 * Unknown names. An unknown key in a file or a flag stops the start, and the message names the
 * nearest one. So does a TUTTI_ variable within three letters of one that this program knows.
 * Any other unknown TUTTI_ variable is taken to belong to another program and is ignored;
 * --print-config and a debug line of the log name it. Two kinds of variables are never settings:
 * those of the local stack, demo and tests (ROOT, BUILD_DIR, RUN_DIR, CACHE_DIR, KAFKA_PORT,
 * KAFKA_HEAP, PG_*, DEMO_*, TEST_*), and those that Kubernetes makes for a Service of our name. */
#ifndef TUTTI_RUNTIME_CONFIG_H
#define TUTTI_RUNTIME_CONFIG_H

#include "common/base/instant.h"
#include "common/base/outcome.h"

enum setting_type {
    SETTING_TEXT,
    SETTING_SECRET,   /* text, masked when printed */
    SETTING_INT,      /* within [min, max] */
    SETTING_BOOL,     /* true|false */
    SETTING_DURATION, /* 250ms, 30s, 5m, 2h, 7d or ISO 8601; min, max in microseconds */
    SETTING_BYTES,    /* 1000, 512kB, 64MB, 1GB (powers of 1024); min, max in bytes */
    SETTING_CHOICE,   /* one of the words in choices, separated by | */
};

struct setting {
    /* dotted lower case, for example "flush.interval"; NULL ends a table; in two tables: the first
     * counts */
    const char *name;
    enum setting_type type;
    const char *default_value; /* NULL: must be given, not empty */
    int64_t min, max;          /* both 0: no range */
    const char *choices;
    const char *help; /* one sentence */
};

struct config;

/* Loads the union of the tables (a NULL-ended array of setting tables, which must outlive the
 * config). On OUTCOME_FATAL err has one clear line, which never echoes a secret, and *out is NULL.
 * *action says what the command line asked for; for help, version and print-config the text went to
 * stdout. CONFIG_CHECK: all values here are valid; the caller checks what goes deeper (policies),
 * prints one line and exits with 0 or 1. Arguments that are no flags are an error. */
enum config_action { CONFIG_RUN, CONFIG_EXIT_OK, CONFIG_CHECK };
enum outcome config_load(const char *program, const struct setting *const *tables, int argc,
                         char **argv, struct config **out, enum config_action *action,
                         struct err *err);
void config_free(struct config *config);

/* Values of settings in the tables; asking for another name is a programming error and aborts. */
const char *config_text(const struct config *config, const char *name); /* "" if empty */
/* SETTING_INT and SETTING_BYTES */
int64_t config_int(const struct config *config, const char *name);
bool config_bool(const struct config *config, const char *name);
struct duration config_duration(const struct config *config, const char *name);

/* Names of the TUTTI_ variables that were ignored as another program's, blank-separated; "" if
 * none. */
const char *config_ignored(const struct config *config);

/* Visits every pass-through key below prefix once with its winning value, in the order in which the
 * winners were given (file, environment, flags), until visit fails. The key comes without the
 * prefix: "kafka." yields also "consumer.x" and "producer.x".
 */
typedef enum outcome config_visit_fn(void *arg, const char *key, const char *value,
                                     struct err *err);
enum outcome config_visit(const struct config *config, const char *prefix, config_visit_fn *visit,
                          void *arg, struct err *err);

/* Markdown table of the settings, for the generated documentation. */
void config_document(const char *title, const struct setting *const *tables);

#endif
