/* calling_codes.h: the countries that a phone number says. */
#ifndef TUTTI_WORDS_CALLING_CODES_H
#define TUTTI_WORDS_CALLING_CODES_H

#include "common/base/span.h"

/* The countries of the number's calling code, as capitals with blanks between them: "KZ RU". NULL
 * where the number does not say its country: it begins with neither + nor 00, or the code is none
 * of a country. Separators do not matter; the number is in ASCII. */
const char *calling_countries(struct span number);

#endif
