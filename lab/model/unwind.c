/* unwind.c - see unwind.h. A thread's places are on its stack; the newest is part of the world, which is brought back. */

#include "model/unwind.h"

#include "model/world.h"

void unwind_enter(struct unwind_place *place)
{
    place->outer = world.threads[running].place;
    world.threads[running].place = place;
}

void unwind_leave(struct unwind_place *place)
{
    world.threads[running].place = place->outer;
}

void unwind(void)
{
    struct unwind_place *place = world.threads[running].place;
    unwind_leave(place);
    __builtin_longjmp(place->jump, 1);
}

bool unwind_catch(void (*function)(void *arg), void *arg)
{
    struct unwind_place place;
    if (__builtin_setjmp(place.jump) != 0)
        return true;
    unwind_enter(&place);
    function(arg);
    unwind_leave(&place);
    return false;
}
