/* registry.c - which threads there are.
 *
 *  a native thread that         has a place   is in the list, counted   thr__self
 *  has not blocked or asked     no            no                        NULL       number 0 in locks that it holds
 *  has blocked (HIDDEN)         yes           no                        NULL
 *  has asked for itself         yes           yes                       its place
 *  was started by us, is main   yes           yes                       its place
 *  has ended for us (end.c)     no            no                        NULL       and gets no place again
 *
 * The list is in the order of starts, main first.
 *
 * R1  The lock is a thr_lock: waiting for it is recorded like any wait. But a thread that is about to get its record
 *     takes the lock too; `depth` and `attaching` keep it from coming here once more.
 * R2  Nothing of the program runs under the lock, and nobody waits for anything under it but this: the thread that
 *     forks holds it across the fork (fork.c), and what fork handlers of the program call nests in that.
 *
 * R3  Nobody but the thread itself ends it here, with one exception: a foreign or hidden thread that the system no longer
 *     has. It first came in a late round of its destructors, so that too few were left for end.c, or none; which it was
 *     cannot be told from others. So who looks at such threads asks the system (registry_lost). Another thread may have its
 *     number by then; then it stays until that one has ended.
 *
 * Order: the lock's, for the list and the counts. `prepared` is stored with release when all is set up. */

#include "thread/exit.h"
#include "thread/thread.h"
#include "threading/lock.h"

__thread thr_thread *thr__self;

static thr_lock lock = THR_LOCK_INIT;
static __thread struct {
    uint32_t depth; /* how often the lock was taken */
    bool attaching;
    bool left; /* this native thread has ended, for us */
} here __attribute__((tls_model("initial-exec")));

static uint32_t prepared;
static bool key_made;
static os_end_key key;

static thr_thread *list_first;
static thr_thread *list_last;
static size_t listed;
static uint32_t names;
static uint32_t foreign_listed; /* 1: some foreign thread has been in the list */
static thr_thread *main_thread;

void registry_lock(void)
{
    if (here.depth++ == 0)
        (void)thr_lock_acquire(&lock);
}

void registry_unlock(void)
{
    if (--here.depth == 0)
        (void)thr_lock_release(&lock);
}

uint32_t registry_count(void)
{
    return add_relaxed(&names, 1) + 1;
}

thr_thread *registry_main(void)
{
    return load_acquire(&main_thread); /* pairs with registry_set_main */
}

void registry_set_main(thr_thread *thread)
{
    store_release(&main_thread, thread);
}

thr_thread *registry_list(void)
{
    return list_first;
}

/* -- The list ----------------------------------------------------------------------------------------------------- */

void registry_link(thr_thread *thread)
{
    thread->next = NULL;
    thread->previous = list_last;
    if (list_last)
        list_last->next = thread;
    else
        list_first = thread;
    list_last = thread;
    thread->in_list = true;
    store_relaxed(&listed, listed + 1);
}

void registry_unlink(thr_thread *thread)
{
    registry_lock();
    if (thread->in_list) {
        if (thread->next)
            thread->next->previous = thread->previous;
        else
            list_last = thread->previous;
        if (thread->previous)
            thread->previous->next = thread->next;
        else
            list_first = thread->next;
        thread->in_list = false;
        store_relaxed(&listed, listed - 1);
    }
    registry_unlock();
}

bool registry_is_main(void)
{
    return os_thread_number() == os_main_number();
}

/* -- Threads that are gone: R3 ------------------------------------------------------------------------------------ */

/* Under the lock, which the thread itself would need to end. They are linked by `next`. */
static void end_lost(thr_thread *thread, thr_thread **lost)
{
    if (!registry_lost(thread))
        return;
    registry_unlink(thread);
    life_set(thread, LIFE_GONE);
    thread->next = *lost;
    *lost = thread;
}

/* Without the lock. False: there was none. */
static bool drop(thr_thread *lost)
{
    bool some = lost != NULL;
    while (lost) {
        thr_thread *next = lost->next;
        thr_thread_unref(lost);
        lost = next;
    }
    return some;
}

void registry_sweep(void)
{
    thr_thread *lost = NULL;
    thr_thread *next;
    if (!load_relaxed(&foreign_listed))
        return;
    registry_lock();
    for (thr_thread *thread = list_first; thread; thread = next) {
        next = thread->next;
        end_lost(thread, &lost);
    }
    registry_unlock();
    (void)drop(lost);
}

bool registry_sweep_places(void)
{
    thr_thread *lost = NULL;
    registry_lock();
    for (uint32_t number = 1; number < pool_end(); number++)
        end_lost(pool_find(number), &lost);
    registry_unlock();
    return drop(lost);
}

/* -- Who am I ----------------------------------------------------------------------------------------------------- */

bool registry_adopt(thr_thread *thread)
{
    store_relaxed(&thread->native, (uint64_t)os_thread_self());
    store_relaxed(&thread->native_id, os_thread_number());
    if (swap_acq_rel(&thread->begun, 1) == 2) /* pairs with thr_thread_native_id; acquire: with thr_thread_set_name */
        wait_wake(&thread->begun, UINT32_MAX, OS_ANY);
    wait_self = &thread->record;
    wait_number(thread->record.number);
    if (load_relaxed(&thread->origin) != THREAD_HIDDEN)
        thr__self = thread;
    return registry_arm(thread);
}

bool registry_arm(thr_thread *thread)
{
    return key_made && os_thread_end_arm(key, thread) == THR_OK;
}

void registry_abandon(void)
{
    here.left = true;
    thr__self = NULL;
    wait_self = NULL;
    wait_number(0);
    (void)registry_arm(NULL);
}

/* The calling thread's place as a foreign one, hidden. */
static thr_thread *foreign_make(void)
{
    here.attaching = true;
    thr_thread *thread = pool_take();
    if (thread) {
        store_relaxed(&thread->origin, THREAD_HIDDEN);
        store_relaxed(&thread->daemon, true);
        store_relaxed(&thread->references, 1);
        if (name_set(thread, "") && registry_adopt(thread)) {
            store_release(&thread->life, LIFE_ALIVE); /* for thr_dump */
        } else {
            registry_abandon();
            here.left = false;
            pool_give(thread);
            thread = NULL;
        }
    }
    here.attaching = false;
    return thread;
}

/* The calling thread's place, made if need be, or NULL. */
static thr_thread *place_here(void)
{
    registry_prepare();
    if (wait_self)
        return (thr_thread *)wait_self;
    if (here.left || here.attaching || here.depth != 0)
        return NULL;
    thr_thread *main = registry_main();
    if (main && load_relaxed(&main->native) == 0 && registry_is_main()) {
        main->unarmed = !registry_adopt(main); /* the library was loaded by another thread */
        return main;
    }
    return foreign_make();
}

struct wait_record *wait_stranger(void)
{
    thr_thread *thread = place_here();
    return thread ? &thread->record : NULL;
}

thr_thread *thr__attach(void)
{
    thr_thread *thread = place_here();
    if (!thread || thr__self)
        return thr__self;
    if (!name_number(thread, "Dummy-", NULL))
        return NULL;
    store_relaxed(&thread->origin, THREAD_FOREIGN);
    store_relaxed(&foreign_listed, 1);
    registry_lock();
    registry_link(thread);
    registry_unlock();
    thr__self = thread;
    return thread;
}

static void main_make(void)
{
    thr_thread *thread = pool_first();
    store_relaxed(&thread->origin, THREAD_MAIN);
    store_relaxed(&thread->references, 1); /* for ever */
    (void)name_set(thread, "MainThread");
    registry_link(thread);
    registry_set_main(thread);
    store_relaxed(&thread->native_id, os_main_number());
    store_relaxed(&thread->begun, 1);
    store_release(&thread->life, LIFE_ALIVE); /* for thr_dump */
    if (registry_is_main())
        thread->unarmed = !registry_adopt(thread);
}

/* For handoff.c, on every release of a lock that somebody waits for. */
struct wait_record *wait_find(uint32_t number)
{
    thr_thread *thread = pool_find(number);
    return thread ? &thread->record : NULL;
}

void registry_prepare(void)
{
    if (load_acquire(&prepared))
        return;
    registry_lock();
    if (!load_relaxed(&prepared)) {
        key_made = os_thread_end_key(&key, end_round) == THR_OK;
        main_make();
        fork_prepare();
        store_release(&prepared, 1);
    }
    registry_unlock();
}

/* As early as can be: before the program's constructors, whose fork handlers then run before ours. */
__attribute__((constructor(101))) static void at_load(void)
{
    registry_prepare();
    hook_load();
}

const void *registry_lock_word(void)
{
    return &lock;
}

void registry_after_fork(void)
{
    store_relaxed(&lock.word_, wait_me()); /* held by us, since before the fork; whoever waited is gone */
    list_first = NULL;
    list_last = NULL;
    listed = 0;
    here.left = false;
}

/* -- Questions ---------------------------------------------------------------------------------------------------- */

thr_thread *thr_main_thread(void)
{
    registry_prepare();
    return registry_main();
}

size_t thr_active_count(void)
{
    registry_prepare();
    hook_point(HOOK_LOOK, NULL);
    registry_sweep();
    return load_relaxed(&listed);
}

size_t thr_enumerate(thr_thread **out, size_t capacity)
{
    size_t n = 0;
    registry_prepare();
    hook_point(HOOK_LOOK, NULL);
    registry_sweep();
    registry_lock();
    for (thr_thread *thread = list_first; thread; thread = thread->next) {
        if (n < capacity)
            out[n] = thr_thread_ref(thread);
        n++;
    }
    registry_unlock();
    return n;
}
