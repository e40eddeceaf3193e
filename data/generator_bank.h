/* generator_bank.h: the words of the bank's stories: phases, rows, products and what is kept per
 * touchpoint. */
#ifndef TUTTI_DATA_GENERATOR_BANK_H
#define TUTTI_DATA_GENERATOR_BANK_H

#include "data/generator_internal.h"

enum bank_phase {
    PHASE_LOOKING = 1,
    PHASE_CONSIDERING = 2,
    PHASE_APPLYING = 4,
    PHASE_WAITING = 8,
    PHASE_CUSTOMER = 16,
};

enum bank_flags {
    BANK_KNOWN = 1, /* only a person whom the bank knows */
    BANK_PAGE = 2,
    BANK_PRODUCT = 4,
    BANK_CAMPAIGN = 8,
    BANK_PLACE = 16,
    BANK_SUBMITTED = 32, /* the event is the product's submitted */
    BANK_OPENED = 64,    /* the event is the product's opened, with its value */
    BANK_NEXT_PRODUCT = 128,
    BANK_NPS = 256,
    BANK_COMPLAINT = 512,
    BANK_REQUEST = 1024,
    BANK_SENT = 2048,
    BANK_OPT_OUT = 4096,
    BANK_OPT_IN = 8192,
};

struct bank_row {
    int weight;
    unsigned phases;
    enum bank_phase phase_after; /* 0: stays */
    const char *channel, *event, *department;
    unsigned flags;
};

struct bank_product {
    const char *name, *department, *submitted, *opened;
    int64_t least, most; /* value of an opening, whole units of currency */
};
extern const struct bank_product bank_products[];

enum { BANK_NO_ANSWER = UINT16_MAX, BANK_MAX_PER_PERSON = UINT16_MAX - 1 };

struct bank_entry {
    int64_t occurred_at;
    const struct bank_row *row;
    const struct bank_row
        *asked; /* gives channel and department: the row itself, or that of the answered request */
    uint32_t person;
    uint16_t serial;  /* within the person */
    uint16_t answers; /* serial of the request, or BANK_NO_ANSWER */
    uint8_t product;
};

/* How long after its request a contact is planned, in microseconds. */
int64_t bank_planned_after(const struct generator *g, uint32_t person, uint16_t serial);

uint32_t bank_fill(const struct generator *g, uint64_t index, struct texts *texts,
                   struct touchpoint *t);

#endif
