/* config_names.c: which names exist, which look like librdkafka's, and which one a misspelt name
 * probably meant. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/nearest.h"
#include "common/runtime/config_internal.h"

enum { MOST_TYPING_ERRORS = 3, RELATED = NEAREST_ANY - 1 };

/* First words of librdkafka's global and topic properties (its CONFIGURATION.md), dotted or alone.
 */
static const char *const kafka_words[] = {
    "acks",       "allow",     "api",       "auto",           "batch",         "bootstrap",
    "broker",     "check",     "client",    "compression",    "connections",   "coordinator",
    "debug",      "delivery",  "enable",    "enabled_events", "fetch",         "group",
    "heartbeat",  "isolation", "linger",    "log_level",      "max",           "message",
    "metadata",   "offset",    "partition", "partitioner",    "plugin",        "queue",
    "queued",     "queuing",   "receive",   "reconnect",      "request",       "retries",
    "retry",      "sasl",      "security",  "session",        "socket",        "ssl",
    "statistics", "sticky",    "topic",     "transaction",    "transactional", NULL,
};
static const char *const kafka_secrets[] = {
    "sasl.password",
    "ssl.key.password",
    "ssl.key.pem",
    "ssl.keystore.password",
    "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.config",
    NULL,
};
static const char *const own_flags[] = {"config", "check-config", "print-config",
                                        "help",   "version",      NULL};
static const char *const foreign[] = {
    "TUTTI_ROOT",
    "TUTTI_BUILD_DIR",
    "TUTTI_RUN_DIR",
    "TUTTI_CACHE_DIR",
    "TUTTI_KAFKA_PORT",
    "TUTTI_KAFKA_HEAP",
    NULL,
};
static const char *const foreign_prefixes[] = {"TUTTI_PG_", "TUTTI_DEMO_", "TUTTI_TEST_", NULL};

static bool is_in(const char *const *list, const char *text, size_t length)
{
    for (; *list; list++)
        if (strlen(*list) == length && memcmp(*list, text, length) == 0)
            return true;
    return false;
}

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

struct entry *config_find(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->count; i++)
        if (strcmp(config->items[i].name, name) == 0)
            return &config->items[i];
    return NULL;
}

bool config_is_secret_kafka(const char *name)
{
    if (!starts_with(name, "kafka."))
        return false;
    name += strlen("kafka.");
    if (starts_with(name, "consumer.") || starts_with(name, "producer."))
        name += strlen("consumer.");
    return is_in(kafka_secrets, name, strlen(name));
}

bool config_is_bare_kafka(const struct config *config, const char *key)
{
    if (!is_in(kafka_words, key, strcspn(key, ".")))
        return false;
    for (size_t i = 0; i < config->count; i++)
        if (config->items[i].setting &&
            span_distance(span_of(key), span_of(config->items[i].name)) <= 2)
            return false;
    return true;
}

/* Variables that Kubernetes sets in every container for a Service called tutti or tutti-something.
 */
static bool is_service_link(const char *name, const char *value)
{
    const char *port = strstr(name, "_PORT_");
    return strstr(name, "_SERVICE_HOST") || strstr(name, "_SERVICE_PORT") ||
           (port && isdigit((unsigned char)port[6])) ||
           (strstr(name, "_PORT") &&
            (starts_with(value, "tcp://") || starts_with(value, "udp://")));
}

bool config_is_foreign_variable(const char *name, const char *value)
{
    if (strcmp(name, "TUTTI_CONFIG") == 0 || is_in(foreign, name, strlen(name)) ||
        is_service_link(name, value))
        return true;
    for (const char *const *prefix = foreign_prefixes; *prefix; prefix++)
        if (starts_with(name, *prefix))
            return true;
    return false;
}

const char *config_variable_of(struct config *config, const char *name)
{
    char *variable = arena_printf(&config->arena, "TUTTI_%s", name);
    for (char *p = variable; *p; p++)
        *p = *p == '.' || *p == '-' ? '_' : (char)toupper((unsigned char)*p);
    return variable;
}

/* "kafak.client.id" meant kafka.client.id, whatever comes behind the first word. */
static void consider_kafka(struct config *config, struct nearest *nearest)
{
    const char *dot = memchr(nearest->wanted.ptr, '.', nearest->wanted.len);
    if (dot == NULL)
        return;
    struct span word = {nearest->wanted.ptr, (size_t)(dot - nearest->wanted.ptr)};
    if (span_distance(word, SPAN("kafka")) <= 2)
        nearest_consider(nearest, span_of(arena_printf(&config->arena, "kafka%s", dot)));
}

static void consider_settings(struct config *config, struct nearest *nearest)
{
    for (size_t i = 0; i < config->count; i++) {
        const struct entry *entry = &config->items[i];
        if (entry->setting == NULL)
            continue;
        nearest_consider(nearest, span_of(entry->name));
        if (entry->setting->type == SETTING_SECRET)
            nearest_consider(nearest,
                             span_of(arena_printf(&config->arena, "%s_file", entry->name)));
    }
    consider_kafka(config, nearest);
}

static const char *nearest_text(struct config *config, const struct nearest *nearest,
                                const char *prefix)
{
    return nearest->name.ptr ? arena_printf(&config->arena, "; the nearest is \"%s" SPAN_FMT "\"",
                                            prefix, SPAN_ARG(nearest->name))
                             : "";
}

const char *config_nearest_key(struct config *config, const char *key)
{
    struct nearest nearest = nearest_start(span_of(key), RELATED);
    consider_settings(config, &nearest);
    return nearest_text(config, &nearest, "");
}

const char *config_nearest_flag(struct config *config, const char *flag)
{
    struct nearest nearest = nearest_start(span_of(flag), RELATED);
    consider_settings(config, &nearest);
    for (const char *const *own = own_flags; *own; own++)
        nearest_consider(&nearest, span_of(*own));
    return nearest_text(config, &nearest, "--");
}

const char *config_nearest_variable(struct config *config, const char *variable)
{
    struct nearest nearest = nearest_start(span_of(variable), MOST_TYPING_ERRORS);
    for (size_t i = 0; i < config->count; i++) {
        const struct entry *entry = &config->items[i];
        if (entry->setting == NULL)
            continue;
        nearest_consider(&nearest, span_of(config_variable_of(config, entry->name)));
        if (entry->setting->type == SETTING_SECRET)
            nearest_consider(&nearest,
                             span_of(config_variable_of(
                                 config, arena_printf(&config->arena, "%s_file", entry->name))));
    }
    nearest_consider(&nearest, SPAN("TUTTI_CONFIG"));
    return nearest.name.ptr ? nearest_text(config, &nearest, "") : NULL;
}
