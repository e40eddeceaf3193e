/* referrers.c: a hash map from the hash of a host to its entry. */
#include "services/journey-tracker/logic/referrers.h"

enum { HOST_MAX = 253 };

void referrers_init(struct map *table, struct arena *arena)
{
    map_init(table, arena, sizeof(struct id), sizeof(struct referrer));
}

bool referrers_is_host(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] <= ' ' || strchr("/\\:@?#*", text.ptr[i]))
            return false;
    return text.len > 0 && text.len <= HOST_MAX && text.ptr[0] != '.';
}

bool referrers_add(struct map *table, struct span host, const struct referrer *referrer)
{
    bool inserted = false;
    struct id key = hash128(host);
    struct referrer *entry = map_put(table, &key, &inserted);
    if (inserted)
        *entry = *referrer;
    return inserted;
}

static struct span parent_of(struct span host)
{
    const char *dot = host.len ? memchr(host.ptr, '.', host.len) : NULL;
    if (dot == NULL)
        return SPAN_NONE;
    size_t cut = (size_t)(dot - host.ptr) + 1;
    return (struct span){host.ptr + cut, host.len - cut};
}

/* Such as `co` in co.uk: the domains below it belong to different people. */
static bool is_registry_label(struct span label)
{
    static const char *const labels[] = {"ac",  "co",   "com", "edu", "go", "gob",
                                         "gov", "gouv", "ne",  "net", "or", "org"};
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (span_is(label, labels[i]))
            return true;
    return false;
}

/* A top-level domain, or a registry of a country. */
static bool is_registry(struct span domain)
{
    struct span top = parent_of(domain);
    if (top.ptr == NULL)
        return true;
    return top.len == 2 && is_registry_label((struct span){domain.ptr, domain.len - top.len - 1});
}

const struct referrer *referrers_find(const struct map *table, struct span host)
{
    const struct referrer *found = NULL;
    if (table->count == 0 || host.len > HOST_MAX)
        return NULL;
    for (struct span name = host; name.len > 0 && found == NULL; name = parent_of(name)) {
        if (name.ptr != host.ptr && is_registry(name))
            break;
        struct id key = hash128(name);
        found = map_find(table, &key);
    }
    return found;
}
