/* core.h - what the files of the extension share.
 *
 * One file a type: lock.c, rlock.c, condition.c, event.c, semaphore.c, barrier.c, queue.c. Under them:
 *
 *   block.c     gives the GIL up around a wait, lets signal handlers run in the middle of it, hands the GIL over
 *   holding.c   a thr_lock with what the front keeps beside it; Lock and RLock are made of one
 *   tickets.c   waiters in a queue that the GIL guards; Barrier, and Condition on locks that are not ours
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
    PyObject *active; /* ident -> Thread, for current_thread() */
    PyObject *dummy;  /* called by current_thread() for a thread that is not in it */
};

extern struct PyModuleDef core_module;

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

/* Calls of these types, with no arguments, without going through tp_new and tp_init. */
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

/* Raises TypeError("cannot pickle 'NAME' object") */
PyObject *args_no_pickle(const char *name);

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
    struct wait_record *record;
    bool (*outer)(void *);
    void *outer_arg;
    bool failed;
};

/* Gives the GIL up for a wait; until block_end takes it again, a signal handler of Python's may run in the middle of the
 * wait (in the main thread), and the wait goes on after it. If the handler raises, a wait that can end early does. */
void block_begin(struct blocking *blocking);

/* Takes the GIL again. False: a handler has raised, and its exception is set, however the wait ended. */
bool block_end(struct blocking *blocking);

/* A thread was woken by the caller and will want the GIL: gives it to that one, if that was not done a moment ago. */
void block_hand_over(void);

/* -- holding.c ---------------------------------------------------------------------------------------------------- */

struct holding {
    thr_lock lock;
    uint32_t waiting; /* threads that block in holding_acquire */
    bool notified;    /* the next release lets go who was notified of a condition */
};

/* 1: taken; 0: not in time; -1: a signal handler raised, and it is not taken. */
int holding_acquire_slow(struct holding *holding, thr_time deadline);

static inline int holding_acquire(struct holding *holding, thr_time deadline)
{
    return thr_lock_try_acquire(&holding->lock) ? 1 : holding_acquire_slow(holding, deadline);
}

/* Takes it again, whatever happens; no signal handler runs. */
void holding_retake(struct holding *holding);

/* Frees it: false if it was free. */
static inline bool holding_free(struct holding *holding)
{
    return thr_lock_release(&holding->lock) == THR_OK;
}

/* The same, and the GIL goes to whom that woke. */
static inline bool holding_release(struct holding *holding)
{
    bool woken = holding->waiting != 0 || holding->notified;
    if (!holding_free(holding))
        return false;
    if (woken) {
        holding->notified = false;
        block_hand_over();
    }
    return true;
}

/* -- tickets.c ---------------------------------------------------------------------------------------------------- */

enum ticket_state { TICKET_WAITS, TICKET_ASLEEP, TICKET_GRANTED };

struct ticket {
    struct ticket *next;
    uint32_t state;
    bool broken; /* for barriers: how its round ended */
};

struct tickets {
    struct ticket *first;
    struct ticket **last; /* NULL: none was ever there */
    uint32_t count;
};

void tickets_add(struct tickets *tickets, struct ticket *ticket);

/* Takes out one that was not granted. */
void tickets_remove(struct tickets *tickets, struct ticket *ticket);

/* Takes the oldest out and lets it go, if there is one. */
bool tickets_grant(struct tickets *tickets, bool broken);

/* Sleeps until it is granted: 1; 0: the deadline passed first; -1: a signal handler raised. It is out of the queue then
 * only if it was granted (state). `kind` and `object` are for thr_dump. */
int ticket_wait(struct ticket *ticket, int kind, const void *object, thr_time deadline);

/* -- lock.c, rlock.c ---------------------------------------------------------------------------------------------- */

struct lock {
    PyObject_HEAD PyObject *weak;
    struct holding holding;
};

struct rlock {
    PyObject_HEAD PyObject *weak;
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
    PyObject_HEAD PyObject *dict;
    PyObject *weak;
    PyObject *lock;
    struct holding *holding; /* of the lock, when it is ours */
    struct rlock *rlock;     /* the lock, when it is our RLock */
    thr_condition condition; /* for locks of ours */
    uint32_t waiting;        /* in it */
    struct tickets tickets;  /* for other locks */
};

PyObject *condition_new(struct state *state, PyObject *lock);

/* One wait on a condition whose lock is ours and held: 1 notified, 0 not in time, -1 a signal handler raised. */
int condition_wait(struct condition *condition, thr_time deadline);

/* Notifies n waiters of a condition whose lock is ours and held. */
static inline void condition_notify(struct condition *condition, size_t n)
{
    if (condition->waiting != 0 && thr_condition_notify(&condition->condition, n) != 0)
        condition->holding->notified = true;
}

#endif
