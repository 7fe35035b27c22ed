/* watch.c - see watch.h. */

#include "wait/watch.h"

#include "wait/wait.h"

uint32_t watch_counts[WATCH_CLASSES];

uint32_t watch_generation;

static void count(uint32_t classes, uint32_t one)
{
    for (unsigned i = 0; i < WATCH_CLASSES; i++) {
        if (classes & (1u << i))
            (void)add_relaxed(&watch_counts[i], one); /* published by setting the objects' bits */
    }
}

void watch_begin(uint32_t classes)
{
    count(classes, 1);
}

void watch_end(uint32_t classes)
{
    count(classes, (uint32_t)-1);
}

uint32_t watch_now(void)
{
    return load_relaxed(&watch_generation); /* W3 */
}

thr_result watch_sleep(struct wait *wait, uint32_t generation, uint32_t classes)
{
    return wait_block(wait, &watch_generation, generation, classes);
}

void watch_wake(unsigned class_of_word)
{
    (void)add_relaxed(&watch_generation, 1); /* W3 */
    wait_system->wake(&watch_generation, UINT32_MAX, 1u << class_of_word);
}
