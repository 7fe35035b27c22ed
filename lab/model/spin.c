/* spin.c - wait/spin.h as the search has it: each turn may be the last, and nothing is learnt. It is compiled as the
 * library is: what it reads is read as the memory is modelled. */

#include "wait/spin.h"

#include "model/step.h"

void spin_begin(struct spin *spin, const void *object)
{
    (void)object;
    spin->way = SPIN_YIELD;
}

unsigned spin_visit(bool *timed)
{
    *timed = false;
    return 0;
}

void spin_look_took(thr_time time)
{
    (void)time;
}

void spin_begin_rare(struct spin *spin, const void *object)
{
    (void)object;
    spin->way = SPIN_YIELD;
}

bool spin_turn(struct spin *spin)
{
    (void)spin;
    return step_choose();
}

void spin_end(struct spin *spin, bool success)
{
    (void)spin;
    (void)success;
}

void spin_waker(const void *object)
{
    (void)object;
}

void spin_woken(const void *object, thr_time since)
{
    (void)object;
    (void)since;
}

bool wait_spin(const uint32_t *word, uint32_t mask, uint32_t value, const void *object)
{
    bool changed = false;
    (void)object;
    while (!changed && step_choose())
        changed = (load_relaxed(word) & mask) != value;
    return changed;
}
