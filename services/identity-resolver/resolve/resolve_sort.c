/* resolve_sort.c: sorts what the working set keeps in order. */
#include <stdlib.h>

#include "services/identity-resolver/resolve/resolve_work.h"

static int compare_ids(const void *a, const void *b)
{
    return id_compare(a, b);
}

void id_list_unique(struct id_list *list)
{
    size_t kept = 0;
    if (list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, compare_ids);
    for (size_t i = 0; i < list->count; i++)
        if (kept == 0 || !id_equal(&list->items[kept - 1], &list->items[i]))
            list->items[kept++] = list->items[i];
    list->count = kept;
}

static int row_compare(const void *a, const void *b)
{
    const struct identifier_row *x = a, *y = b;
    int c = id_compare(&x->identifier_id, &y->identifier_id);
    return c ? c : instant_compare(x->first_seen, y->first_seen);
}

static int link_key_compare(const struct link_key *x, const struct link_key *y)
{
    int c = id_compare(&x->a, &y->a);
    return c ? c : id_compare(&x->b, &y->b);
}

static int compare_links(const void *a, const void *b)
{
    const struct link_row *x = a, *y = b;
    int c = link_key_compare(&x->key, &y->key);
    return c ? c : link_row_compare(x, y);
}

/* Keeps the first of equal keys: after sorting it is the one that counts. */
static void keep_first_rows(struct identifier_rows *rows)
{
    size_t kept = 0;
    if (rows->count > 1)
        qsort(rows->items, rows->count, sizeof *rows->items, row_compare);
    for (size_t i = 0; i < rows->count; i++)
        if (kept == 0 ||
            !id_equal(&rows->items[kept - 1].identifier_id, &rows->items[i].identifier_id))
            rows->items[kept++] = rows->items[i];
    rows->count = kept;
}

static void keep_first_links(struct link_rows *links)
{
    size_t kept = 0;
    if (links->count > 1)
        qsort(links->items, links->count, sizeof *links->items, compare_links);
    for (size_t i = 0; i < links->count; i++)
        if (kept == 0 || link_key_compare(&links->items[kept - 1].key, &links->items[i].key) != 0)
            links->items[kept++] = links->items[i];
    links->count = kept;
}

void request_sort(struct request *request)
{
    keep_first_rows(&request->wanted);
    keep_first_links(&request->links);
}
