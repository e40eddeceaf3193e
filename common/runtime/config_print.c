/* config_print.c: --help, --print-config with origins and masked secrets, and the settings table of
 * the documentation. */
#include <stdio.h>
#include <stdlib.h>

#include "common/runtime/config_internal.h"

static const char *type_name(enum setting_type type)
{
    static const char *const names[] = {"text",     "secret", "integer", "boolean",
                                        "duration", "size",   "choice"};
    return names[type];
}

/* "choice (a, b)" or "integer (1 to 10)". */
static void describe_type(const struct setting *s, char *text, size_t size)
{
    char range[96];
    if (s->type == SETTING_CHOICE) {
        snprintf(range, sizeof range, "%s", s->choices);
        for (char *p = range; (p = strchr(p, '|'));)
            *p = '/';
    } else {
        config_range_text(s, range, sizeof range);
    }
    snprintf(text, size, *range ? "%s (%s)" : "%s%s", type_name(s->type), range);
}

static const char *default_text(const struct setting *s)
{
    return s->default_value == NULL ? "required" : *s->default_value ? s->default_value : "empty";
}

void config_print_help(const struct config *config)
{
    char type[128];
    printf("Usage: %s [--config FILE] [--check-config | --print-config] [--KEY VALUE]...\n\n"
           "  --config FILE     settings as `key = value` lines; also TUTTI_CONFIG\n"
           "  --check-config    check all settings and policies, then exit with 0 or 1\n"
           "  --print-config    print all settings with their origin, secrets masked\n"
           "  --help, --version\n\n"
           "Flag wins over environment (TUTTI_KEY, '.' and '-' as '_') over file over default. "
           "kafka.* goes to librdkafka.\n"
           "Secrets can be read from a file: --KEY_file FILE.\n\nSettings:\n",
           config->program);
    for (size_t i = 0; i < config->count; i++) {
        const struct setting *s = config->items[i].setting;
        if (s == NULL)
            continue;
        describe_type(s, type, sizeof type);
        printf("  --%s  %s, default %s\n        %s\n", s->name, type, default_text(s), s->help);
    }
}

/* The end of a password that begins at p and ends at one of the stop characters. */
static const char *print_masked_until(const char *p, const char *stops)
{
    printf("******");
    return p + strcspn(p, stops);
}

/* Text with the password of a URL (scheme://user:password@host) or of a conninfo (password=...)
 * masked. */
static void print_text(const char *text)
{
    for (const char *p = text; *p;) {
        const char *user = strncmp(p, "://", 3) == 0 ? p + 3 : NULL;
        const char *colon = user ? user + strcspn(user, ":@/? ") : NULL;
        if (colon && *colon == ':' && colon[strcspn(colon, "@/ ")] == '@') {
            printf("%.*s", (int)(colon + 1 - p), p);
            p = print_masked_until(colon + 1, "@");
        } else if (strncmp(p, "password=", 9) == 0) {
            printf("password=");
            bool is_quoted = p[9] == '\'';
            p = print_masked_until(p + 9 + is_quoted, is_quoted ? "'" : " &");
            p += is_quoted && *p;
        } else {
            putchar((unsigned char)*p < 0x20 ? '?' : *p);
            p++;
        }
    }
}

static bool is_secret(const struct entry *entry)
{
    return entry->setting ? entry->setting->type == SETTING_SECRET
                          : config_is_secret_kafka(entry->name);
}

void config_print_values(const struct config *config)
{
    for (size_t i = 0; i < config->count; i++) {
        const struct entry *entry = &config->items[i];
        printf("%s = ", entry->name);
        if (is_secret(entry) && *entry->text)
            printf("******");
        else
            print_text(entry->text);
        printf("  # %s\n", entry->origin == ORIGIN_DEFAULT ? "default" : entry->where);
    }
    if (config->ignored)
        printf("# ignored, of other programs: %s\n", config->ignored);
}

static void document_cell(const char *text)
{
    for (; *text; text++)
        if (*text == '|')
            printf("\\|");
        else
            putchar(*text);
}

void config_document(const char *title, const struct setting *const *tables)
{
    char type[128];
    printf("## %s\n\n| setting | type | default | meaning |\n|---|---|---|---|\n", title);
    for (; *tables; tables++)
        for (const struct setting *s = *tables; s->name; s++) {
            describe_type(s, type, sizeof type);
            const char *quote = s->default_value && *s->default_value ? "`" : "";
            printf("| `%s` | ", s->name);
            document_cell(type);
            printf(" | %s", quote);
            document_cell(default_text(s));
            printf("%s | ", quote);
            document_cell(s->help);
            printf(" |\n");
        }
    printf("\n");
}
