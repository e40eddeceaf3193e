/* main.c: the program `tutti`: the table of commands, help, and the way from the command line to
 * one of them.
 *
 * Commands that call an operation (operations/) and print its report:
 *   doctor.c migrate.c topics.c policy.c   an installation: its state and its set-up
 *   explain.c scoreboard.c
 *   journey.c influence.c                  questions
 *   identity.c                             the words of `tutti identity`:
 *     identity_order.c                     unlink, link, release
 *     identity_plan.c                      plan, apply
 *     identity_keys.c                      reveal, rewrap, rotate-key
 *   contact.c                              what another contact policy would do
 *   erase.c                                erasing a person
 *
 * Commands that read and write Kafka, in kafka/:
 *   produce.c cat.c                        JSON lines to Kafka and back
 *   generate.c import.c                    made-up and public data (data/)
 *     publisher.c line_sender.c            what these four share
 *
 * The same for every command:
 *   call.c settings.c                      arguments, options, settings
 *   days.c                                 the options --from and --to
 *   session.c                              one call of an operation, with the terminal as listener
 *   print_text.c print_json.c              the printers of reports
 *   printable.c output.c progress.c        escapes, messages and colours, the line of progress */
#include <stdlib.h>
#include <string.h>

#include "cli/call.h"
#include "common/base/nearest.h"
#include "common/codec/digest.h"
#include "common/codec/schema/schema_set.h"
#include "common/codec/seal.h"
#include "common/runtime/log.h"
#include "common/runtime/stop.h"
#include "common/runtime/version.h"
#include "common/service/generation.h"
#include "common/store/db.h"
#include "operations/erasure/erase.h"
#include "operations/policies/zone_files.h"
#include "operations/topics/topic_list.h"

/* In the order of a first day with Tutti. */
static const struct command *const commands[] = {
    &command_doctor,     &command_migrate, &command_topics,    &command_import,
    &command_generate,   &command_produce, &command_cat,       &command_explain,
    &command_scoreboard, &command_journey, &command_influence, &command_contact,
    &command_identity,   &command_policy,  &command_erase,     NULL,
};

static const struct setting *const tables[] = {topic_list_settings, cli_settings,    db_settings,
                                               schema_set_settings, policy_settings, seal_settings,
                                               erasure_settings,    zone_settings,   NULL};

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; name && commands[i]; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static enum exit_status unknown_command(const char *name)
{
    struct nearest nearest = nearest_start(span_of(name), 3);
    for (size_t i = 0; commands[i]; i++)
        nearest_consider(&nearest, span_of(commands[i]->name));
    if (nearest.name.ptr)
        complain("unknown command \"%.60s\"; did you mean \"" SPAN_FMT "\"?", name,
                 SPAN_ARG(nearest.name));
    else
        complain("unknown command \"%.60s\"; see tutti help", name);
    return EXIT_USAGE;
}

static void print_overview(FILE *to)
{
    fprintf(to,
            "usage: tutti <command> [arguments] [options] [--config FILE] [--<setting> VALUE]\n\n");
    for (size_t i = 0; commands[i]; i++)
        fprintf(to, "  %s%-11s%s %s\n", colour(to, COLOUR_BOLD), commands[i]->name,
                colour(to, COLOUR_OFF), commands[i]->summary);
    fprintf(to, "  %-11s %s\n", "help",
            "`help <command>` says more, `help settings` lists the settings");
    fprintf(to, "\nkafka.bootstrap.servers and database.url say where things are; as a flag, as "
                "TUTTI_KAFKA_BOOTSTRAP_SERVERS\n"
                "and TUTTI_DATABASE_URL, or in the file of --config.\n");
}

static void print_help(const struct command *command)
{
    printf("usage: tutti %s%s%s [options]\n\n%s\n", command->name, *command->arguments ? " " : "",
           command->arguments, command->summary);
    if (command->details)
        printf("\n%s\n", command->details);
    printf("\n");
    for (const struct option *o = command->options; o->name; o++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", o->name, o->value ? " " : "",
                 o->value ? o->value : "");
        printf("  %-24s %s\n", left, o->help);
    }
}

static enum exit_status help(const char *name)
{
    if (name == NULL) {
        print_overview(stdout);
        return EXIT_DONE;
    }
    if (strcmp(name, "settings") == 0) {
        config_document("Settings of the command line", tables);
        return EXIT_DONE;
    }
    const struct command *command = find_command(name);
    if (command == NULL)
        return unknown_command(name);
    print_help(command);
    return EXIT_DONE;
}

static enum exit_status run(const struct command *command, int argc, char **argv)
{
    struct call call = {.command = command};
    struct command_line rest;
    struct config *config = NULL;
    enum config_action action = CONFIG_RUN;
    struct err err = {0};
    enum exit_status status = call_parse(&call, argc, argv, &rest);
    if (status == EXIT_DONE && rest.wants_help) {
        print_help(command);
    } else if (status == EXIT_DONE) {
        if (config_load("tutti", tables, rest.count, rest.arguments, &config, &action, &err) !=
            OUTCOME_OK) {
            complain("%s", err.message);
            status = EXIT_USAGE;
        } else if (action == CONFIG_RUN) {
            call.config = config;
            status = command->run(&call);
        }
    }
    config_free(config);
    arena_free(&call.arena);
    return status;
}

int main(int argc, char **argv)
{
    digest_open();
    log_open("tutti", "warn", "auto");
    stop_open();
    stop_within(0); /* a command that is cut off has not done what it was asked for */
    const char *name = argc > 1 ? argv[1] : NULL;
    if (name == NULL) {
        print_overview(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return help(argc > 2 ? argv[2] : NULL);
    if (strcmp(name, "--version") == 0) {
        printf("tutti %s (%s)\n", TUTTI_VERSION, tutti_revision);
        return EXIT_DONE;
    }
    const struct command *command = find_command(name);
    enum exit_status status = command ? run(command, argc - 2, argv + 2) : unknown_command(name);
    /* An earlier flush that failed shows in ferror only. */
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == EXIT_DONE) {
        complain("cannot write to stdout");
        status = EXIT_FAILED;
    }
    return status;
}
