/* wait_any.c - waiting for one of several objects: see wait/watch.h for how it sleeps.
 *
 * Each kind of object has a function that looks at it and, if it is not ready, sets the bit that makes the next change of
 * it call wait_wake. Setting that bit is all that a wait_any does to an object: one that leaves lets it be, and the change
 * that finds it makes a system call that wakes nobody. */

#include "threading/wait_any.h"

#include <stdlib.h>

#include "sync/watch.h"
#include "thread/thread.h"
#include "wait/spin.h"
#include "wait/watch.h"
#include "work/absence.h"
#include "work/future.h"
#include "work/queue.h"

enum { FEW = 64 };

/* An object, with what is known of it. */
struct look {
    const thr_waitable *objects;
    size_t n;
    uint32_t *joined; /* of event_watch, for each */
    bool watch;       /* register a watcher where it is not ready */
    size_t which;     /* the first that is ready */
};

static bool event_is_ready(thr_event *event, uint32_t *joined)
{
    return joined ? event_watch(event, joined) : thr_event_is_set(event);
}

static bool semaphore_is_ready(thr_semaphore *semaphore, bool watch)
{
    return watch ? semaphore_watch(semaphore) : (load_acquire(&semaphore->word_) & THR_SEMAPHORE_MAX) != 0;
}

/* THR_OK: ready; THR_TIMEOUT: not; else the error of the whole wait. */
static thr_result look_at(const struct look *look, size_t i)
{
    void *object = look->objects[i].object_;
    struct thr_queue *queue = object;
    bool ready = false;
    if (!object)
        return THR_INVALID;
    switch (look->objects[i].kind_) {
    case THR__EVENT:
        ready = event_is_ready(object, look->watch ? &look->joined[i] : NULL);
        break;
    case THR__SEMAPHORE:
        ready = semaphore_is_ready(object, look->watch);
        break;
    case THR__THREAD:
        return thread_watch(object, look->watch);
    case THR__FUTURE:
        return future_watch(object, look->watch);
    case THR__QUEUE:
        ready = queue_is_ready(queue, &queue->get, look->watch);
        break;
    default:
        return THR_INVALID;
    }
    return ready ? THR_OK : THR_TIMEOUT;
}

/* The word whose address is given to wait_wake when the object changes. */
static const void *word_of(const thr_waitable *object)
{
    switch (object->kind_) {
    case THR__THREAD:
        return &((const struct thr_thread *)object->object_)->life;
    case THR__FUTURE:
        return &((const struct thr_future *)object->object_)->word;
    case THR__QUEUE:
        return wait_low_half(&((const struct thr_queue *)object->object_)->put.word);
    case THR__EVENT:
    case THR__SEMAPHORE:
    default:
        return object->object_; /* they begin with it */
    }
}

_Static_assert(offsetof(thr_event, word_) == 0 && offsetof(thr_semaphore, word_) == 0, "word_of");

/* Looks at all: an error comes first, then the first that is ready. */
static thr_result look_at_all(struct look *look)
{
    thr_result result = THR_TIMEOUT;
    for (size_t i = look->n; i-- > 0;) {
        thr_result one = look_at(look, i);
        if (one != THR_OK && one != THR_TIMEOUT)
            return one;
        if (one == THR_OK) {
            result = THR_OK;
            look->which = i;
        }
    }
    return result;
}

static uint32_t classes_of(const struct look *look)
{
    uint32_t classes = 0;
    for (size_t i = 0; i < look->n; i++)
        classes |= 1u << watch_class(word_of(&look->objects[i]));
    return classes;
}

static bool any_future(const struct look *look)
{
    for (size_t i = 0; i < look->n; i++) {
        if (look->objects[i].kind_ == THR__FUTURE)
            return true;
    }
    return false;
}

static thr_result spin_for(struct look *look)
{
    struct spin spin;
    thr_result result = THR_TIMEOUT;
    spin_begin(&spin, look->objects[0].object_);
    while (result == THR_TIMEOUT && spin_turn(&spin))
        result = look_at_all(look);
    spin_end(&spin, result == THR_OK);
    return result;
}

static thr_result sleep_for(struct look *look, thr_time deadline)
{
    uint32_t classes = classes_of(look);
    struct wait wait;
    struct absence absence = {NULL, true}; /* a task that waits for no future keeps its worker */
    thr_result result = THR_OK;
    thr_result found;
    look->watch = true;
    watch_begin(classes);
    wait_begin(&wait, WAIT_ANY_OF, look->objects, deadline);
    wait.object = look->objects[0].object_; /* by which the spin learns */
    if (any_future(look))
        absence_begin(&absence);
    for (;;) {
        uint32_t generation = watch_now();
        found = look_at_all(look);
        if (found != THR_TIMEOUT || result != THR_OK)
            break;
        thr_time limit = absence_before(&absence, &wait);
        result = absence_after(&absence, &wait, limit, watch_sleep(&wait, generation, classes));
    }
    absence_end(&absence);
    wait_end(&wait);
    watch_end(classes);
    return found == THR_TIMEOUT ? result : found;
}

static thr_result spin_and_sleep(struct look *look, thr_time deadline)
{
    uint32_t few[FEW] = {0};
    int saved = errno;
    thr_result result = spin_for(look);
    if (result != THR_TIMEOUT)
        return result;
    look->joined = look->n > FEW ? calloc(look->n, sizeof *look->joined) : few;
    result = look->joined ? sleep_for(look, deadline) : THR_NO_MEMORY;
    if (look->joined != few)
        free(look->joined);
    look->joined = NULL;
    os_errno_restore(saved);
    return result;
}

static void took(const thr_waitable *object)
{
    if (object->kind_ != THR__QUEUE)
        tsan_acquire(object->object_);
}

thr_result thr_wait_any(const thr_waitable *objects, size_t n, thr_time deadline, size_t *which)
{
    hook_point(HOOK_WAIT_ANY, objects);
    struct look look = {.objects = objects, .n = n};
    if (n == 0)
        return THR_INVALID;
    thr_result result = look_at_all(&look);
    if (result == THR_TIMEOUT && !wait_expired(deadline))
        result = spin_and_sleep(&look, deadline);
    if (result == THR_OK) {
        took(&objects[look.which]);
        if (which)
            *which = look.which;
    }
    return result;
}
