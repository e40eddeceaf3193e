/* process_stats.h: what the kernel knows of this process, for the process_* metrics. */
#ifndef TUTTI_RUNTIME_PROCESS_STATS_H
#define TUTTI_RUNTIME_PROCESS_STATS_H

struct process_stats {
    double cpu_seconds; /* user + system since the start */
    double resident_bytes;
    double virtual_bytes;
    double start_time_seconds; /* since 1970, UTC */
    double open_fds, max_fds;
};

/* Fields that /proc does not give are 0. */
void process_stats_read(struct process_stats *stats);

#endif
