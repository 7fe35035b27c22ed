/* check_site.c - where in the program a call was made.
 *
 * The library says where its function was called. In an optimised program that is the program's own code, into which the
 * calls of the headers are inlined. Without optimisation it is in a copy of the header's function, the same for all: then
 * the stack tells who called that. These copies are found by their names, once for each program and shared object.
 *
 * Each thread remembers for the sites that it has seen which of the two they are. */

#include <sys/auxv.h>

#include "lab/check.h"
#include "lab/symbols.h"

enum { MODULES = 64, COPIES = 512 };

/* What is known of a program or shared object; under the lock. */
struct module {
    struct symbols_range range;
    size_t first; /* of its copies */
    size_t copies;
};

static struct module modules[MODULES];
static size_t module_count;
static struct symbols_range copies[COPIES];
static size_t copy_count;

static bool is_in(const struct symbols_range *range, uintptr_t at)
{
    return at >= range->start && at < range->end;
}

static const struct module *module_of(const void *site)
{
    for (size_t i = 0; i < module_count; i++) {
        if (is_in(&modules[i].range, (uintptr_t)site))
            return &modules[i];
    }
    if (module_count == MODULES)
        return NULL;
    struct module *module = &modules[module_count++];
    module->first = copy_count;
    module->copies = symbols_functions(site, "thr_", &module->range, copies + copy_count, COPIES - copy_count);
    copy_count += module->copies;
    return module;
}

/* Looks at the program itself beforehand, so that it does not have to wait for that under a lock. */
void check_sites(void)
{
    check_enter();
    (void)module_of((const void *)getauxval(AT_ENTRY)); // NOLINT(performance-no-int-to-ptr)
    check_leave();
}

/* Under the lock. */
static bool is_in_copy(const void *site)
{
    const struct module *module = module_of(site);
    for (size_t i = 0; module && i < module->copies; i++) {
        if (is_in(&copies[module->first + i], (uintptr_t)site))
            return true;
    }
    return false;
}

/* Who called the copies at the top of the stack. */
static const void *caller_of(const void *site)
{
    struct stack stack;
    check_stack(&stack);
    uint32_t i = 0;
    while (i < stack.frames && stack.at[i] != site)
        i++;
    check_enter();
    while (i + 1 < stack.frames && is_in_copy(stack.at[i]))
        i++;
    check_leave();
    return i < stack.frames ? stack.at[i] : site;
}

const void *check_site(struct watched *me, const void *site)
{
    struct site *seen = &me->sites[(uintptr_t)site / 2 % SITES];
    if (site && seen->site != site) {
        check_enter();
        *seen = (struct site){site, is_in_copy(site)};
        check_leave();
    }
    return site && seen->in_copy ? caller_of(site) : site;
}
