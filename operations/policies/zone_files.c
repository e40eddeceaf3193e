/* zone_files.c: walks the folder of the time zone database; see zone_files.h. */
#include "operations/policies/zone_files.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/tzif.h"
#include "common/service/generation.h"

const struct setting zone_settings[] = {
    {"zones.dir", SETTING_TEXT, "/usr/share/zoneinfo", 0, 0, NULL,
     "Folder of the time zone database of this host (package tzdata)."},
    {0},
};

/* A second copy of all zones, zones that count leap seconds, and what this host happens to be set
 * to. */
static const char *const left_out[] = {"posix", "right", "localtime", "posixrules", NULL};

struct walk {
    struct desk *desk;
    struct zone_files *out;
    const char *root;
};

static bool is_left_out(const char *folder, const char *name)
{
    if (name[0] == '.')
        return true;
    for (size_t i = 0; *folder == 0 && left_out[i]; i++)
        if (strcmp(name, left_out[i]) == 0)
            return true;
    return false;
}

static enum outcome unreadable(const char *path, struct err *err)
{
    return err_set(err, OUTCOME_FATAL, "zones_unreadable",
                   "%s: %s; install the package tzdata, or set zones.dir to the folder of the time "
                   "zone database",
                   path, strerror(errno));
}

static enum outcome read_zone(struct walk *walk, const char *path, const char *name,
                              struct err *err)
{
    struct arena *arena = walk->desk->arena;
    struct strbuf bytes = {.arena = arena};
    struct zone zone;
    CHECK(generation_read_file(&bytes, path, err));
    if (bytes.len < 4 || memcmp(bytes.ptr, "TZif", 4) != 0)
        return OUTCOME_OK; /* a table for people */
    if (tzif_read(arena, strbuf_span(&bytes), &zone, err) != OUTCOME_OK)
        return err_set(err, OUTCOME_FATAL, "zones_unreadable", "%s: %s", path,
                       arena_printf(arena, "%s", err->message));
    *arena_push(arena, &walk->out->names) =
        (struct zone_name){.name = arena_copy(arena, span_of(name)), .zone = zone};
    return OUTCOME_OK;
}

static enum outcome walk_folder(struct walk *walk, const char *folder, struct err *err);

static enum outcome walk_entry(struct walk *walk, const char *folder, const char *name,
                               struct err *err)
{
    struct arena *arena = walk->desk->arena;
    const char *inside = *folder ? arena_printf(arena, "%s/%s", folder, name) : name;
    const char *path = arena_printf(arena, "%s/%s", walk->root, inside);
    struct stat st;
    if (stat(path, &st) != 0)
        return unreadable(path, err);
    if (S_ISDIR(st.st_mode))
        return walk_folder(walk, inside, err);
    return S_ISREG(st.st_mode) ? read_zone(walk, path, inside, err) : OUTCOME_OK;
}

static enum outcome walk_folder(struct walk *walk, const char *folder, struct err *err)
{
    const char *path = arena_printf(walk->desk->arena, "%s/%s", walk->root, folder);
    enum outcome outcome = OUTCOME_OK;
    DIR *dir = opendir(path);
    if (dir == NULL)
        return unreadable(path, err);
    for (struct dirent *entry; outcome == OUTCOME_OK && (entry = readdir(dir));)
        if (!is_left_out(folder, entry->d_name))
            outcome =
                walk_entry(walk, folder, arena_printf(walk->desk->arena, "%s", entry->d_name), err);
    closedir(dir);
    return outcome;
}

/* ---- tables for people ---- */

static struct span take_until(struct span *text, char end)
{
    struct span part = *text;
    const char *found = memchr(text->ptr, end, text->len);
    if (found)
        part.len = (size_t)(found - text->ptr);
    text->ptr += part.len + (found != NULL);
    text->len -= part.len + (found != NULL);
    return part;
}

/* CC, coordinates, name, comment, with tabs between; # starts a comment. */
static enum outcome read_countries(struct walk *walk, struct err *err)
{
    struct arena *arena = walk->desk->arena;
    struct strbuf bytes = {.arena = arena};
    CHECK(generation_read_file(&bytes, arena_printf(arena, "%s/zone.tab", walk->root), err));
    struct span text = strbuf_span(&bytes);
    while (text.len > 0) {
        struct span line = take_until(&text, '\n'), country = take_until(&line, '\t');
        take_until(&line, '\t');
        struct span name = take_until(&line, '\t');
        if (country.len == 2 && name.len > 0)
            *arena_push(arena, &walk->out->countries) = (struct country_zone){country, name};
    }
    return OUTCOME_OK;
}

/* The first line of tzdata.zi is "# version 2025b". */
static struct span read_version(struct walk *walk)
{
    struct arena *arena = walk->desk->arena;
    struct strbuf bytes = {.arena = arena};
    const char *path = arena_printf(arena, "%s/tzdata.zi", walk->root);
    if (generation_read_file(&bytes, path, NULL) != OUTCOME_OK)
        return SPAN("unknown");
    struct span text = strbuf_span(&bytes), line = take_until(&text, '\n'), word = line;
    while (line.len > 0)
        word = take_until(&line, ' ');
    return word;
}

enum outcome zone_files_read(struct desk *desk, struct zone_files *out, struct err *err)
{
    struct walk walk = {desk, out, config_text(desk->config, "zones.dir")};
    struct zone_set sorted;
    *out = (struct zone_files){.version = SPAN_NONE};
    CHECK(walk_folder(&walk, "", err));
    CHECK(read_countries(&walk, err));
    out->version = read_version(&walk);
    if (out->names.count == 0 || out->names.count > INT16_MAX)
        return err_set(err, OUTCOME_FATAL, "zones_unreadable",
                       "%s: no time zones; set zones.dir to the folder of the time zone database",
                       walk.root);
    zone_set_finish(&sorted, desk->arena, out->names.items, out->names.count);
    for (size_t i = 0; i < out->names.count; i++)
        out->names.items[i].code = (int16_t)(i + 1);
    return OUTCOME_OK;
}

void zone_files_book(struct zone_files *files, struct arena *arena, struct zone_book *out)
{
    *out = (struct zone_book){.version = files->version};
    zone_set_finish(&out->set, arena, files->names.items, files->names.count);
    for (size_t i = 0; i < files->countries.count; i++) {
        const struct country_zone *pair = &files->countries.items[i];
        const struct zone_name *name = zone_set_find(&out->set, pair->name);
        if (name)
            zone_country_add(&out->countries, arena, pair->country, name->code);
    }
}
