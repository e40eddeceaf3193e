/* process_stats.c: reads /proc/self. */
#include "common/runtime/process_stats.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static bool read_text(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t n = fread(text, 1, size - 1, file);
    fclose(file);
    text[n] = '\0';
    return n > 0;
}

/* Seconds since 1970 of the machine's boot. */
static double boot_time(void)
{
    char line[256];
    unsigned long long seconds = 0;
    FILE *file = fopen("/proc/stat", "re");
    if (file == NULL)
        return 0;
    while (fgets(line, sizeof line, file) && sscanf(line, "btime %llu", &seconds) != 1)
        continue;
    fclose(file);
    return (double)seconds;
}

static void read_stat(struct process_stats *stats)
{
    char text[1024];
    unsigned long long start, virtual_bytes;
    long pages;
    if (!read_text("/proc/self/stat", text, sizeof text))
        return;
    /* Fields are counted from behind the command, which may hold blanks and brackets (proc(5)). */
    const char *rest = strrchr(text, ')');
    if (rest == NULL || sscanf(rest + 1,
                               " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d "
                               "%*d %*d %*d %llu %llu %ld",
                               &start, &virtual_bytes, &pages) != 3)
        return;
    stats->start_time_seconds = boot_time() + (double)start / (double)sysconf(_SC_CLK_TCK);
    stats->virtual_bytes = (double)virtual_bytes;
    stats->resident_bytes = (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double count_fds(void)
{
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL)
        return 0;
    double count = 0;
    while (readdir(directory))
        count++;
    closedir(directory);
    return count - 3; /* ".", ".." and the directory itself */
}

void process_stats_read(struct process_stats *stats)
{
    *stats = (struct process_stats){0};
    struct rusage usage;
    struct rlimit limit;
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        stats->cpu_seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                             (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        stats->max_fds = (double)limit.rlim_cur;
    stats->open_fds = count_fds();
    read_stat(stats);
}
