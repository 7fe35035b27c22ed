/* unwind.h - functions that do not return, in the search: in place of the system's unwinding, jumps from one cleanup to the
 * next. Included before all that is searched. */

#ifndef MODEL_UNWIND_H
#define MODEL_UNWIND_H

#include <stdbool.h>

#include "os/os.h"

struct unwind_place {
    void *jump[5];
    struct unwind_place *outer;
};

void unwind_enter(struct unwind_place *place);
void unwind_leave(struct unwind_place *place);

/* Leaves everything up to the newest unwind_catch, by way of the cleanups. */
_Noreturn void unwind(void);

/* Calls function(arg); whether it left by unwind(). */
bool unwind_catch(void (*function)(void *arg), void *arg);

#undef os_unwind_begin
#undef os_unwind_end
#define os_unwind_begin(function, arg)                                                                                 \
    {                                                                                                                  \
        struct unwind_place unwind_place;                                                                              \
        void (*unwind_function)(void *) = (function);                                                                  \
        void *unwind_arg = (arg);                                                                                      \
        if (__builtin_setjmp(unwind_place.jump) != 0) {                                                                \
            unwind_function(unwind_arg);                                                                               \
            unwind();                                                                                                  \
        }                                                                                                              \
        unwind_enter(&unwind_place);
#define os_unwind_end(run)                                                                                             \
    unwind_leave(&unwind_place);                                                                                       \
    if (run)                                                                                                           \
        unwind_function(unwind_arg);                                                                                   \
    }

#endif
