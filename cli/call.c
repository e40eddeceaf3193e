/* call.c: see call.h; also the getters of command.h. */
#include "cli/call.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/nearest.h"

static int option_index(const struct command *command, const char *name, size_t length)
{
    for (int i = 0; command->options[i].name; i++)
        if (strlen(command->options[i].name) == length &&
            memcmp(command->options[i].name, name, length) == 0)
            return i;
    return -1;
}

/* Settings are dotted, or one of the four that every program of ours has. */
static bool belongs_to_settings(struct span name)
{
    for (const struct setting *s = cli_settings; s->name; s++)
        if (span_is(name, s->name))
            return true;
    return memchr(name.ptr, '.', name.len) || span_is(name, "config") ||
           span_is(name, "check-config") || span_is(name, "print-config");
}

static bool is_switch_of_settings(struct span name)
{
    return span_is(name, "check-config") || span_is(name, "print-config");
}

static void pass_on(struct command_line *rest, char *argument)
{
    if (rest->count < MAX_REST)
        rest->arguments[rest->count++] = argument;
}

static enum exit_status unknown_option(const struct call *call, struct span name)
{
    struct nearest nearest = nearest_start(name, 3);
    for (const struct option *o = call->command->options; o->name; o++)
        nearest_consider(&nearest, span_of(o->name));
    if (nearest.name.ptr)
        return misuse(call, "unknown option --" SPAN_FMT "; did you mean --" SPAN_FMT "?",
                      SPAN_ARG(name), SPAN_ARG(nearest.name));
    return misuse(call, "unknown option --" SPAN_FMT, SPAN_ARG(name));
}

/* One flag at argv[*at]; moves on beyond its value. */
static enum exit_status take_flag(struct call *call, int argc, char **argv, int *at,
                                  struct command_line *rest)
{
    const char *text = argv[*at] + 2, *equals = strchr(text, '=');
    struct span name = {text, equals ? (size_t)(equals - text) : strlen(text)};
    int index = option_index(call->command, name.ptr, name.len);
    if (index < 0 && !belongs_to_settings(name))
        return unknown_option(call, name);
    bool is_switch =
        index >= 0 ? call->command->options[index].value == NULL : is_switch_of_settings(name);
    if (is_switch && equals)
        return misuse(call, "--" SPAN_FMT " takes no value", SPAN_ARG(name));
    if (!is_switch && !equals && *at + 1 >= argc)
        return misuse(call, "--" SPAN_FMT " needs a value", SPAN_ARG(name));
    char *value = is_switch ? NULL : equals ? (char *)equals + 1 : argv[++*at];
    if (index >= 0) {
        call->options[index] = value ? value : "";
        return EXIT_DONE;
    }
    pass_on(rest, is_switch
                      ? argv[*at]
                      : arena_printf(&call->arena, "--" SPAN_FMT "=%s", SPAN_ARG(name), value));
    return EXIT_DONE;
}

enum exit_status call_parse(struct call *call, int argc, char **argv, struct command_line *rest)
{
    *rest = (struct command_line){.count = 0};
    pass_on(rest, (char *)"tutti");
    bool only_arguments = false;
    for (int i = 0; i < argc; i++) {
        if (!only_arguments && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
            rest->wants_help = true;
        } else if (!only_arguments && strcmp(argv[i], "--") == 0) {
            only_arguments = true;
        } else if (!only_arguments && strncmp(argv[i], "--", 2) == 0) {
            enum exit_status status = take_flag(call, argc, argv, &i, rest);
            if (status != EXIT_DONE)
                return status;
        } else if (call->argument_count >= call->command->max_arguments) {
            return misuse(call, "unexpected argument \"%.100s\"", argv[i]);
        } else {
            call->arguments[call->argument_count++] = argv[i];
        }
    }
    return EXIT_DONE;
}

const char *call_argument(const struct call *call, int i)
{
    return i < call->argument_count ? call->arguments[i] : NULL;
}

const char *call_option(const struct call *call, const char *name)
{
    int index = option_index(call->command, name, strlen(name));
    if (index < 0)
        abort();
    return call->options[index];
}

const char *call_option_or(const struct call *call, const char *name, const char *otherwise)
{
    const char *given = call_option(call, name);
    return given ? given : otherwise;
}

bool call_has(const struct call *call, const char *name)
{
    return call_option(call, name) != NULL;
}

bool call_knows(const struct call *call, const char *name)
{
    return option_index(call->command, name, strlen(name)) >= 0;
}

bool call_number(const struct call *call, const char *name, int64_t min, int64_t max,
                 int64_t otherwise, int64_t *out)
{
    const char *text = call_option(call, name);
    *out = otherwise;
    if (text == NULL)
        return true;
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (errno || end == text || *end || v < min || v > max) {
        complain("--%s: expected a number from %lld to %lld, got \"%.60s\"", name, (long long)min,
                 (long long)max, text);
        return false;
    }
    *out = v;
    return true;
}

bool call_seconds(const struct call *call, const char *name, int64_t max, int64_t otherwise,
                  struct duration *out)
{
    int64_t seconds;
    if (!call_number(call, name, 1, max, otherwise, &seconds))
        return false;
    *out = (struct duration){seconds * US_PER_SECOND};
    return true;
}
