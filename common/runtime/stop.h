/* stop.h: SIGTERM and SIGINT as a flag and a file descriptor; a second signal exits at once with
 * status 1. A process that has not ended STOP_LIMIT_S after the first one is ended with status 0:
 * systemd and Docker kill after 30 s, and every effect can be done again. */
#ifndef TUTTI_RUNTIME_STOP_H
#define TUTTI_RUNTIME_STOP_H

#include <stdbool.h>

enum { STOP_LIMIT_S = 25 };

void stop_open(void);               /* installs handlers; SIGPIPE is ignored */
void stop_within(unsigned seconds); /* another limit; 0: none */
void stop_failing(void);            /* the limit runs from now on, and ends with status 1 */
bool stop_requested(void);
void stop_request(void); /* the program asks itself to stop (fatal error) */
int stop_fd(void);       /* readable once a stop was requested */

#endif
