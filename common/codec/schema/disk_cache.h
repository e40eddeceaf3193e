/* disk_cache.h: small texts kept in files of one directory, for a cold start while the registry is
 * down. */
#ifndef TUTTI_CODEC_DISK_CACHE_H
#define TUTTI_CODEC_DISK_CACHE_H

#include "common/base/arena.h"
#include "common/base/outcome.h"

/* Writes dir/name by an atomic rename; an empty dir does nothing. RETRY "cache_unwritable" is for
 * the log only. */
enum outcome disk_cache_put(const char *dir, const char *name, struct span text, struct err *err);

/* The text of dir/name in the arena; SPAN_NONE if there is none (or more than 4 MB). */
struct span disk_cache_get(const char *dir, const char *name, struct arena *arena);

/* Any file as text; SPAN_NONE and errno if it cannot be read. */
struct span read_file(const char *path, struct arena *arena);

#endif
