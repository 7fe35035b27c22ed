/* processors.c - where a thread runs. */

#include <sched.h>

#include "support.h"

static pthread_once_t looked = PTHREAD_ONCE_INIT;
static cpu_set_t all;

static void look(void)
{
    CHECK(sched_getaffinity(0, sizeof all, &all) == 0);
}

unsigned support_processors(void)
{
    CHECK(pthread_once(&looked, look) == 0);
    return (unsigned)CPU_COUNT(&all);
}

static void stay_in(const cpu_set_t *set)
{
    CHECK(sched_setaffinity(0, sizeof *set, set) == 0);
}

int support_stay_on(unsigned which)
{
    CHECK(which < support_processors());
    int number = 0;
    while (!CPU_ISSET((size_t)number, &all) || which-- != 0)
        number++;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)number, &one);
    stay_in(&one);
    return number;
}

void support_stay_anywhere(void)
{
    (void)support_processors();
    stay_in(&all);
}
