/* log.c: builds one line per event and hands it to stderr in one write. */
#include "common/runtime/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/runtime/clock.h"
#include "common/runtime/log_limit.h"
#include "common/runtime/log_text.h"

enum { NUMBERS = 8, NUMBER_SIZE = 24 };

static const char *const level_names[] = {"debug", "info", "warn", "error"};

static struct {
    pthread_mutex_t lock;
    atomic_int level;
    atomic_bool is_json, has_format;
    char service[64];
    bool flushes_at_exit;
    struct log_limit limit;
} logger = {.lock = PTHREAD_MUTEX_INITIALIZER, .level = LOG_INFO};

static _Thread_local struct {
    char text[NUMBERS][NUMBER_SIZE];
    unsigned next;
} numbers;

const char *log_int(long long value)
{
    char *text = numbers.text[numbers.next++ % NUMBERS];
    snprintf(text, NUMBER_SIZE, "%lld", value);
    return text;
}

/* A value made by log_int is written as a JSON number. */
static bool is_number(const char *value)
{
    uintptr_t at = (uintptr_t)value, first = (uintptr_t)numbers.text;
    return at >= first && at < first + sizeof numbers.text;
}

bool log_enabled(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&logger.level, memory_order_relaxed);
}

static bool is_json(void)
{
    return atomic_load(&logger.has_format) ? atomic_load(&logger.is_json) : !isatty(STDERR_FILENO);
}

static void add_pair(struct strbuf *line, bool json, const char *key, const char *value)
{
    if (json) {
        strbuf_add(line, line->len > 1 ? "," : "", line->len > 1);
        json_quote(line, span_of(key));
        pack_byte(line, ':');
    } else {
        strbuf_addf(line, "%s%s=", line->len ? " " : "", key);
    }
    if (value == NULL)
        strbuf_add(line, "null", 4);
    else if (!json)
        logfmt_value(line, span_of(value));
    else if (is_number(value))
        strbuf_add(line, value, strlen(value));
    else
        json_quote(line, span_of(value));
}

static void begin_line(struct strbuf *line, bool json, enum log_level level, const char *event)
{
    char time[32];
    instant_format(clock_now(), time);
    strbuf_add(line, "{", json);
    add_pair(line, json, "time", time);
    add_pair(line, json, "level", level_names[level]);
    add_pair(line, json, "event", event);
    add_pair(line, json, "service", logger.service);
}

static void end_line(struct strbuf *line, bool json)
{
    strbuf_add(line, json ? "}\n" : "\n", json ? 2 : 1);
    /* If stderr is gone, there is no other place to report it. */
    if (write(STDERR_FILENO, line->ptr, line->len) < 0)
        line->len = 0;
    strbuf_free(line);
}

static void write_summary(const struct log_limit_slot *slot)
{
    bool json = is_json();
    struct strbuf line = {0};
    begin_line(&line, json, (enum log_level)slot->level, "log_suppressed");
    add_pair(&line, json, "suppressed_event", slot->event);
    add_pair(&line, json, "count", log_int((long long)slot->suppressed));
    end_line(&line, json);
}

static void write_summaries(int64_t now_us)
{
    struct log_limit_slot slot;
    for (;;) {
        pthread_mutex_lock(&logger.lock);
        bool due = log_limit_due(&logger.limit, now_us, &slot);
        pthread_mutex_unlock(&logger.lock);
        if (!due)
            return;
        write_summary(&slot);
    }
}

void log_flush(void)
{
    write_summaries(INT64_MAX);
}

static bool is_within_limit(enum log_level level, const char *event)
{
    int64_t now = clock_monotonic_us();
    write_summaries(now);
    pthread_mutex_lock(&logger.lock);
    bool pass = log_limit_pass(&logger.limit, (int)level, event, now);
    pthread_mutex_unlock(&logger.lock);
    return pass;
}

void log_event(enum log_level level, const char *event, ...)
{
    if (!log_enabled(level) || !is_within_limit(level, event))
        return;
    bool json = is_json();
    struct strbuf line = {0};
    begin_line(&line, json, level, event);
    va_list ap;
    va_start(ap, event);
    for (const char *key; (key = va_arg(ap, const char *));)
        add_pair(&line, json, key, va_arg(ap, const char *));
    va_end(ap);
    end_line(&line, json);
}

static int level_of(const char *name)
{
    for (int i = LOG_DEBUG; i <= LOG_ERROR; i++)
        if (strcmp(name, level_names[i]) == 0)
            return i;
    return LOG_INFO;
}

void log_open(const char *service, const char *level_name, const char *format_name)
{
    pthread_mutex_lock(&logger.lock);
    snprintf(logger.service, sizeof logger.service, "%s", service);
    logger.limit = (struct log_limit){0};
    bool first = !logger.flushes_at_exit;
    logger.flushes_at_exit = true;
    pthread_mutex_unlock(&logger.lock);
    atomic_store(&logger.level, level_of(level_name));
    atomic_store(&logger.is_json, strcmp(format_name, "logfmt") != 0 &&
                                      (strcmp(format_name, "json") == 0 || !isatty(STDERR_FILENO)));
    atomic_store(&logger.has_format, true);
    if (first)
        atexit(log_flush);
}
