/* core.h - what the files of the extension share.
 *
 * One file a type: lock.c, rlock.c, condition.c, event.c, semaphore.c, barrier.c, queue.c. Under them:
 *
 *   block.c     gives the GIL up around a wait, lets signal handlers run in the middle of it, hands the GIL over
 *   holding.c   a thr_lock with what the front keeps beside it; Lock and RLock are made of one
 *   tickets.c   waiters in a queue that the GIL guards: those of Condition and Barrier
 *   args.c      arguments, timeouts
 *
 * Everything here is called with the GIL held and is guarded by it, but for the objects of the library themselves and
 * what runs between block_begin and block_end. */

#ifndef CORE_H
#define CORE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>
#undef WAIT_LOCK /* a macro of CPython's, a name of wait/wait.h */

#include "threading.h"

/* -- The module's state, one for each interpreter ----------------------------------------------------------------- */

struct state {
    PyTypeObject *lock;
    PyTypeObject *rlock;
    PyTypeObject *condition;
    PyTypeObject *semaphore;
    PyTypeObject *queue;
    PyTypeObject *lifo_queue;
    PyTypeObject *priority_queue;
    PyObject *deque;
    PyObject *deque_append; /* as functions */
    PyObject *deque_popleft;
    PyObject *heappush;
    PyObject *heappop;
    /* Exceptions, as the module in Python has them: _use() sets them. */
    PyObject *broken_barrier;
    PyObject *empty;
    PyObject *full;
    PyObject *shut_down;
    PyObject *barrier_parts; /* the module _pybarrier */
    PyObject *active;        /* ident -> Thread, for current_thread() */
    PyObject *dummy;         /* called by current_thread() for a thread that is not in it */
};

extern struct PyModuleDef core_module;

/* What a dealloc does before it drops the object's references, and after. */
static inline void object_leave(PyObject *self, PyObject *weak)
{
    PyObject_GC_UnTrack(self);
    if (weak)
        PyObject_ClearWeakRefs(self);
}

static inline void object_free(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

/* The state that `type`, or a base of it, belongs to. */
static inline struct state *state_of(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &core_module);
    return module ? PyModule_GetState(module) : NULL;
}

extern PyType_Spec lock_spec;
extern PyType_Spec rlock_spec;
extern PyType_Spec condition_spec;
extern PyType_Spec event_spec;
extern PyType_Spec semaphore_spec;
extern PyType_Spec bounded_semaphore_spec;
extern PyType_Spec barrier_spec;
extern PyType_Spec queue_spec;
extern PyType_Spec lifo_queue_spec;
extern PyType_Spec priority_queue_spec;

/* Calls of these types, without going through tp_new and tp_init. */
PyObject *rlock_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames);
PyObject *event_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames);
PyObject *condition_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames);
PyObject *semaphore_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames);
PyObject *bounded_semaphore_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames);
PyObject *barrier_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames);

/* -- args.c ------------------------------------------------------------------------------------------------------- */

struct signature {
    const char *name;         /* as in messages: "Event.wait" */
    const char *const *names; /* of the arguments, NULL at the end */
    Py_ssize_t required;
    Py_ssize_t positional; /* how many may be given by position */
};

/* Puts the arguments where their names are in `out`, which the caller has filled with NULL. TypeError: false. */
bool args_parse(const struct signature *signature, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames,
                PyObject **out);

/* The same for tp_init, whose arguments are a tuple and a dictionary. */
bool args_parse_tuple(const struct signature *signature, PyObject *args, PyObject *kwargs, PyObject **out);

/* Seconds as a span in nanoseconds, rounded up. ValueError (not a number), OverflowError, TypeError: false. */
bool args_seconds(PyObject *seconds, thr_time *span);

/* A timeout as Condition.wait takes it: None is for ever, 0 and less a deadline that has passed. */
bool args_timeout(PyObject *timeout, thr_time *deadline);

/* blocking=True, timeout=-1 of Lock.acquire. */
bool args_acquire(const struct signature *signature, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames,
                  thr_time *deadline);

/* A deadline from now on. */
thr_time args_deadline(thr_time span);

/* 1, 0, or -1 with an exception. NULL is `otherwise`. */
int args_bool(PyObject *value, int otherwise);

/* __reduce__ of what has locks in it: TypeError("cannot pickle 'NAME' object"), but where a subclass has a __getstate__. */
PyObject *args_reduce(PyObject *self, const char *name);

/* "<threading.Event at 0x7f...: STATUS>" */
PyObject *args_repr(PyObject *self, const char *status);

/* An entry of a table of slots, which are pointers to void whatever is in them. */
#define SLOT(slot, what) {slot, (void *)(uintptr_t)(what)}

/* The first lines of a method's text: what inspect.signature() reads. */
#define CALL(signature) signature "\n--\n\n"

/* -- block.c ------------------------------------------------------------------------------------------------------ */

struct wait_record;

struct blocking {
    PyThreadState *thread;
    struct wait_record *record; /* in the main thread, which runs handlers; else NULL */
    bool (*outer)(void *);
    void *outer_arg;
    bool failed;
};

/* Gives the GIL up for a wait; until block_end takes it again, a signal handler of Python's may run in the middle of the
 * wait (in the main thread), and the wait goes on after it. If the handler raises, a wait that can end early does. */
void block_begin(struct blocking *blocking);

/* Takes the GIL again. False: a handler has raised, and its exception is set, however the wait ended. */
bool block_end(struct blocking *blocking);

/* What may wake a thread stands between these two, which see to it that the woken thread gets the GIL in good time. With
 * `somebody` it surely wakes one; with `later` that one is not in a hurry. The GIL may be given up between them, and in
 * the second. */
struct waking {
    PyThreadState *thread; /* of a waker that lets the GIL go for the wake */
    uint32_t takings;      /* before it did */
    bool due;
};

void waking_begin(struct waking *waking, bool somebody, bool later);
void waking_end(struct waking *waking);

/* After wakes that were made with the GIL. */
void waking_done(void);

/* A gift that nobody waits for. */
static inline void waking_none(void)
{
    struct waking none;
    waking_begin(&none, false, false);
}

/* -- tickets.c ---------------------------------------------------------------------------------------------------- */

enum ticket_state { TICKET_WAITS, TICKET_ASLEEP, TICKET_GRANTED };

struct ticket {
    struct ticket *next;
    const void *object; /* what it waits for; only the address is used */
    uint32_t state;
    bool chosen; /* somebody has taken it out of the queue to grant it */
    bool broken; /* for barriers: how its round ended */
};

struct tickets {
    struct ticket *first;
    struct ticket **last; /* undefined while there is none */
    uint32_t count;
};

#define TICKET_INIT {NULL, NULL, TICKET_WAITS, false, false}

void tickets_add(struct tickets *tickets, struct ticket *ticket);

/* Takes out one that is in it. */
void tickets_remove(struct tickets *tickets, struct ticket *ticket);

/* Takes the oldest out, chosen; NULL if there is none. */
struct ticket *tickets_choose(struct tickets *tickets);

/* Grants a ticket. Returns the word to wake, with ticket_wake, or NULL. */
const uint32_t *ticket_grant(struct ticket *ticket);
void ticket_wake(const uint32_t *word);

/* Wakes `first`, if not NULL, and sleeps until the ticket is granted: 1; 0: the deadline passed first; -1: a signal handler
 * raised. `kind` and `object` are for thr_dump. */
int ticket_wait(struct ticket *ticket, int kind, const void *object, thr_time deadline, const uint32_t *first);

/* -- holding.c ---------------------------------------------------------------------------------------------------- */

struct holding {
    thr_lock lock;
    uint32_t waiting;      /* threads that block in holding_acquire */
    struct tickets chosen; /* of those that were notified of a condition, and are let go by the next release */
};

/* 1: taken; 0: not in time; -1: a signal handler raised, and it is not taken. */
int holding_acquire_slow(struct holding *holding, thr_time deadline);

static inline int holding_acquire(struct holding *holding, thr_time deadline)
{
    return thr_lock_try_acquire(&holding->lock) ? 1 : holding_acquire_slow(holding, deadline);
}

/* Takes it again, whatever happens; no signal handler runs. */
void holding_retake(struct holding *holding);

/* Frees a lock that is held, and grants the tickets. Returns the last word to wake, or NULL. */
const uint32_t *holding_free(struct holding *holding);

/* Since when a woken thread has been waiting for the GIL, as far as is known; 0: none. */
extern thr_time block_owed;

/* Hands the GIL over, if that has been long. */
void block_pay(void);

/* Whether somebody is to be woken by the release. */
static inline bool holding_wanted(const struct holding *holding)
{
    return holding->waiting != 0 || holding->chosen.first;
}

void holding_release_wanted(struct holding *holding);

/* Frees it, and lets those go that wait for that: false if it was free. */
static inline bool holding_release(struct holding *holding)
{
    if (!holding_wanted(holding)) {
        bool freed = thr_lock_release(&holding->lock) == THR_OK;
        if (__atomic_load_n(&block_owed, __ATOMIC_RELAXED) != 0)
            block_pay();
        return freed;
    }
    if (!thr_lock_locked(&holding->lock))
        return false;
    holding_release_wanted(holding);
    return true;
}

/* -- lock.c, rlock.c ---------------------------------------------------------------------------------------------- */

struct lock {
    PyObject_HEAD
    PyObject *weak;
    struct holding holding;
};

struct rlock {
    PyObject_HEAD
    PyObject *weak;
    struct holding holding;
    unsigned long owner; /* 0 when it is free */
    unsigned long count;
};

PyObject *lock_new(struct state *state);
PyObject *rlock_new(struct state *state);

/* Their methods; RuntimeError and NULL if it is not held. */
PyObject *lock_release(struct lock *lock);
PyObject *rlock_acquire(struct rlock *rlock, thr_time deadline);
PyObject *rlock_release(struct rlock *rlock);

static inline bool rlock_is_mine(const struct rlock *rlock)
{
    return rlock->owner == PyThread_get_thread_ident();
}

/* -- condition.c -------------------------------------------------------------------------------------------------- */

struct condition {
    PyObject_HEAD
    PyObject *dict;
    PyObject *weak;
    PyObject *lock;
    struct holding *holding; /* of the lock, when it is ours */
    struct rlock *rlock;     /* the lock, when it is our RLock */
    struct tickets tickets;
};

PyObject *condition_new(struct state *state, PyObject *lock);

/* One wait on a condition whose lock is ours and held: 1 notified, 0 not in time, -1 a signal handler raised. */
int condition_wait(struct condition *condition, thr_time deadline);

/* Notifies up to n waiters of a condition whose lock is ours and held. */
static inline void condition_notify(struct condition *condition, size_t n)
{
    struct ticket *ticket;
    while (n-- > 0 && (ticket = tickets_choose(&condition->tickets)))
        tickets_add(&condition->holding->chosen, ticket);
}

#endif
