/* local_keys.c - see local_keys.h. */

#include "thread/local_keys.h"

#include <stddef.h>
#include <stdlib.h>

enum { FIRST_SIZE = 64 };

struct index {
    uint32_t given_out; /* how often */
    uint32_t next_free;
};

static struct index *indices;
static uint32_t size;
static uint32_t used = 1; /* indices below have been given out; 0 never is */
static uint32_t first_free;

static int grow(void)
{
    if (used < size)
        return 1;
    if (size > UINT32_MAX / 2)
        return 0;
    uint32_t wanted = size == 0 ? FIRST_SIZE : size * 2;
    struct index *more = realloc(indices, (size_t)wanted * sizeof *more);
    if (!more)
        return 0;
    indices = more;
    size = wanted;
    return 1;
}

uint64_t local_key_new(void)
{
    uint32_t i = first_free;
    if (i != 0) {
        first_free = indices[i].next_free;
    } else {
        if (!grow())
            return 0;
        i = used++;
        indices[i] = (struct index){0, 0};
    }
    indices[i].given_out++;
    return (uint64_t)indices[i].given_out << 32 | i;
}

void local_key_free(uint64_t key)
{
    uint32_t i = (uint32_t)key;
    if (indices[i].given_out == UINT32_MAX)
        return;
    indices[i].next_free = first_free;
    first_free = i;
}
