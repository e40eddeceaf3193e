/* print.h: the two printers of reports (operations/report.h). */
#ifndef TUTTI_CLI_PRINT_H
#define TUTTI_CLI_PRINT_H

#include <stdio.h>

#include "operations/report.h"

/* Tables and lines for people. Colours on a terminal only; texts of others are escaped
 * (printable.h). */
void print_text(FILE *to, const struct report *report);
/* One line: an object, or the array of a section that is the whole report. Texts as they are. */
void print_json(FILE *to, const struct report *report);

#endif
