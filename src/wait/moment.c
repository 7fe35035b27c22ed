/* moment.c - see moment.h. */

#include "wait/moment.h"

#include "wait/wait.h"

enum { SPINS = 64, YIELDS = 4, NAP = 50000 /* nanoseconds */ };

void wait_moment(unsigned *turns)
{
    static const uint32_t nothing = 0;
    unsigned turn = (*turns)++;
    if (hook_steers()) /* in the laboratory nobody else runs until we wait */
        (void)wait_system->wait(&nothing, 0, OS_ANY, wait_system->now() + NAP);
    else if (turn < SPINS)
        os_pause();
    else if (turn < SPINS + YIELDS)
        os_yield();
    else
        (void)os_wait(&nothing, 0, OS_ANY, os_now() + NAP);
}
