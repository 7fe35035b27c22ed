/* inject.c - see inject.h. */

#include "work/inject.h"

#include <errno.h>
#include <stdlib.h>

#include "os/os.h"

enum { JOBS = 255 }; /* a block is 4 KiB */

struct inject_block {
    struct inject_block *next;
    void *padding;
    struct job jobs[JOBS];
};

bool inject_lacks(const struct inject *queue)
{
    return (!queue->last || queue->put == JOBS) && !queue->spare;
}

struct inject_block *inject_block_new(void)
{
    int saved = errno;
    struct inject_block *block = malloc(sizeof *block);
    os_errno_restore(saved);
    return block;
}

void inject_give(struct inject *queue, struct inject_block *block)
{
    block->next = queue->spare;
    queue->spare = block;
}

static void grow(struct inject *queue)
{
    struct inject_block *block = queue->spare;
    queue->spare = block->next;
    block->next = NULL;
    if (queue->last) {
        queue->last->next = block;
    } else {
        queue->first = block;
        queue->taken = 0;
    }
    queue->last = block;
    queue->put = 0;
}

void inject_put(struct inject *queue, struct job job)
{
    if (!queue->last || queue->put == JOBS)
        grow(queue);
    queue->last->jobs[queue->put++] = job;
    queue->count++;
}

/* The first block is used up. */
static void drop_first(struct inject *queue)
{
    struct inject_block *block = queue->first;
    queue->first = block->next;
    queue->taken = 0;
    if (!queue->first)
        queue->last = NULL;
    if (queue->spare)
        free(block);
    else
        inject_give(queue, block);
}

bool inject_take(struct inject *queue, struct job *job)
{
    if (queue->count == 0)
        return false;
    *job = queue->first->jobs[queue->taken++];
    queue->count--;
    if (queue->taken == JOBS || queue->count == 0)
        drop_first(queue);
    return true;
}

static void free_list(struct inject_block *block)
{
    while (block) {
        struct inject_block *next = block->next;
        free(block);
        block = next;
    }
}

void inject_free(struct inject *queue)
{
    free_list(queue->first);
    free_list(queue->spare);
    *queue = (struct inject){0};
}
