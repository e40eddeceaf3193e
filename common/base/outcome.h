/* outcome.h: how every function that can fail says so. Only the pipeline turns an outcome into
 * skip, retry or stop. */
#ifndef TUTTI_BASE_OUTCOME_H
#define TUTTI_BASE_OUTCOME_H

#include <stdarg.h>

enum outcome {
    OUTCOME_OK = 0,
    OUTCOME_REJECT, /* the data's fault: one dead letter, neighbours go on */
    OUTCOME_RETRY,  /* the server's or a competitor's: roll back, wait, run the batch again */
    OUTCOME_FATAL,  /* configuration, schema or a broken invariant: stop with one clear line */
};

/* Why a function failed. `code` is a fixed text without data (a metric label and the dead letter's
 * code); `message` may name settings, tables and positions, never personal data. */
struct err {
    enum outcome outcome;
    const char *code;  /* static string such as "avro_truncated" */
    char message[480]; /* for a person, one line */
};

/* Fills err (may be NULL) and returns outcome, so that a caller can write `return err_set(...)`. */
enum outcome err_set(struct err *err, enum outcome outcome, const char *code, const char *format,
                     ...) __attribute__((format(printf, 4, 5)));

/* Puts "prefix: " before the message already in err and returns its outcome. */
enum outcome err_prefix(struct err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Leaves the calling function with the outcome of call unless that is OK. */
#define CHECK(call)                                                                                \
    do {                                                                                           \
        enum outcome check_outcome_ = (call);                                                      \
        if (check_outcome_ != OUTCOME_OK)                                                          \
            return check_outcome_;                                                                 \
    } while (0)

#endif
