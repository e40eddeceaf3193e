/* stop.h: SIGTERM and SIGINT as a flag and a file descriptor; a second signal exits at once with
 * status 1. */
#ifndef TUTTI_RUNTIME_STOP_H
#define TUTTI_RUNTIME_STOP_H

#include <stdbool.h>

void stop_open(void); /* installs handlers; SIGPIPE is ignored */
bool stop_requested(void);
void stop_request(void); /* the program asks itself to stop (fatal error) */
int stop_fd(void);       /* readable once a stop was requested */

#endif
