/* moment.h - waiting for another thread that is between two neighbouring steps.
 *
 * It needs a few instructions more, unless the system has stopped it just there. So this spins first, and then sleeps for
 * moments: a pure spin could keep the other from running for ever, where the caller's priority is a real-time one. Nobody
 * wakes it, so the other thread has nothing to look for on its way. */

#ifndef WAIT_MOMENT_H
#define WAIT_MOMENT_H

/* Lets a moment pass. `turns` counts those that did: 0 at the beginning. */
void wait_moment(unsigned *turns);

#endif
