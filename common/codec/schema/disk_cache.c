/* disk_cache.c: see disk_cache.h. */
#include "common/codec/schema/disk_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_TEXT = 4 * 1024 * 1024, MAX_PATH = 1024 };

static bool write_all(int fd, struct span text)
{
    for (size_t done = 0; done < text.len;) {
        ssize_t n = write(fd, text.ptr + done, text.len - done);
        if (n < 0 && errno != EINTR)
            return false;
        done += n > 0 ? (size_t)n : 0;
    }
    return fsync(fd) == 0;
}

enum outcome disk_cache_put(const char *dir, const char *name, struct span text, struct err *err)
{
    char temporary[MAX_PATH], path[MAX_PATH];
    if (dir == NULL || *dir == '\0')
        return OUTCOME_OK;
    if (snprintf(temporary, sizeof temporary, "%s/.%s.%ld", dir, name, (long)getpid()) >=
            MAX_PATH ||
        snprintf(path, sizeof path, "%s/%s", dir, name) >= MAX_PATH)
        return err_set(err, OUTCOME_RETRY, "cache_unwritable",
                       "schema.cache.dir: the path is too long");
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool ok = fd >= 0 && write_all(fd, text);
    if (fd >= 0)
        ok = close(fd) == 0 && ok;
    if (ok && rename(temporary, path) == 0)
        return OUTCOME_OK;
    err_set(err, OUTCOME_RETRY, "cache_unwritable", "schema.cache.dir: %s: %s", path,
            strerror(errno));
    unlink(temporary);
    return OUTCOME_RETRY;
}

struct span read_file(const char *path, struct arena *arena)
{
    struct stat status;
    struct span out = SPAN_NONE;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return out;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size <= MAX_TEXT) {
        char *bytes = arena_alloc(arena, (size_t)status.st_size + 1);
        ssize_t n = read(fd, bytes, (size_t)status.st_size);
        if (n == status.st_size)
            out = (struct span){bytes, (size_t)n};
    } else {
        errno = EFBIG;
    }
    close(fd);
    return out;
}

struct span disk_cache_get(const char *dir, const char *name, struct arena *arena)
{
    char path[MAX_PATH];
    if (dir == NULL || *dir == '\0' || snprintf(path, sizeof path, "%s/%s", dir, name) >= MAX_PATH)
        return SPAN_NONE;
    return read_file(path, arena);
}
