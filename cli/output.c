/* output.c: messages on stderr, and colours where they are wanted. */
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/command.h"

const char *colour(FILE *stream, enum colour which)
{
    static const char *const codes[] = {"\033[0m", "\033[1m", "\033[31m", "\033[32m", "\033[33m"};
    const char *no_colour = getenv("NO_COLOR");
    if ((no_colour && *no_colour) || !isatty(fileno(stream)))
        return "";
    return codes[which];
}

static void message(enum colour which, const char *prefix, const char *format, va_list ap)
{
    fflush(stdout);
    fprintf(stderr, "%s%s%s", *prefix ? colour(stderr, which) : "", prefix,
            *prefix ? colour(stderr, COLOUR_OFF) : "");
    vfprintf(stderr, format, ap);
}

void say(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    message(COLOUR_OFF, "", format, ap);
    va_end(ap);
    fputc('\n', stderr);
}

void warn(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    message(COLOUR_YELLOW, "warning: ", format, ap);
    va_end(ap);
    fputc('\n', stderr);
}

void complain(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    message(COLOUR_RED, "error: ", format, ap);
    va_end(ap);
    fputc('\n', stderr);
}

enum exit_status misuse(const struct call *call, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    message(COLOUR_RED, "error: ", format, ap);
    va_end(ap);
    fprintf(stderr, "; see tutti help %s\n", call->command->name);
    return EXIT_USAGE;
}

enum exit_status failed(const struct err *err)
{
    complain("%s", err->message);
    return EXIT_FAILED;
}
