/* outcome.c: filling of struct err. */
#include "common/base/outcome.h"

#include <stdio.h>
#include <string.h>

enum outcome err_set(struct err *err, enum outcome outcome, const char *code, const char *format,
                     ...)
{
    if (err == NULL)
        return outcome;
    err->outcome = outcome;
    err->code = code;
    va_list ap;
    va_start(ap, format);
    vsnprintf(err->message, sizeof err->message, format, ap);
    va_end(ap);
    return outcome;
}

enum outcome err_prefix(struct err *err, const char *format, ...)
{
    char prefix[200];
    va_list ap;
    va_start(ap, format);
    vsnprintf(prefix, sizeof prefix, format, ap);
    va_end(ap);
    size_t p = strlen(prefix), m = strlen(err->message);
    if (p + 2 + m >= sizeof err->message)
        m = sizeof err->message - p - 3;
    memmove(err->message + p + 2, err->message, m);
    memcpy(err->message, prefix, p);
    memcpy(err->message + p, ": ", 2);
    err->message[p + 2 + m] = '\0';
    return err->outcome;
}
