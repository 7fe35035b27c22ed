/* condition.c - threading.Condition, on a lock of ours or on anything that has acquire and release.
 *
 *                      a Lock or RLock of ours         anything else
 *  a notify            chooses waiters; the release    chooses waiters and wakes them
 *                      of the lock wakes them
 *  the lock's methods  are not called                  are, as CPython does: _release_save, _acquire_restore and
 *                                                      _is_owned where it has them
 *
 * Which it is, is decided when the condition is made, by the exact type of the lock. The waiters are in `tickets`
 * (tickets.c).
 *
 * Why not a thr_condition: its waiters take the lock before they return, and here they must have the GIL first. */

#include "core.h"

#include <math.h>

#include "wait/wait.h"

static const char *const init_names[] = {"lock", NULL};
static const struct signature init_signature = {"Condition.__init__", init_names, 0, 1};
static const char *const acquire_names[] = {"blocking", "timeout", NULL};
static const struct signature acquire_signature = {"acquire", acquire_names, 0, 2};
static const char *const wait_names[] = {"timeout", NULL};
static const struct signature wait_signature = {"Condition.wait", wait_names, 0, 1};
static const char *const wait_for_names[] = {"predicate", "timeout", NULL};
static const struct signature wait_for_signature = {"Condition.wait_for", wait_for_names, 1, 2};
static const char *const notify_names[] = {"n", NULL};
static const struct signature notify_signature = {"Condition.notify", notify_names, 0, 1};

/* -- Making ------------------------------------------------------------------------------------------------------- */

static bool use_lock(struct condition *self, struct state *state, PyObject *lock)
{
    PyObject *used = lock && lock != Py_None ? Py_NewRef(lock) : rlock_new(state);
    if (!used)
        return false;
    self->holding = NULL;
    self->rlock = NULL;
    if (Py_IS_TYPE(used, state->rlock)) {
        self->rlock = (struct rlock *)used;
        self->holding = &self->rlock->holding;
    } else if (Py_IS_TYPE(used, state->lock)) {
        self->holding = &((struct lock *)used)->holding;
    }
    Py_XSETREF(self->lock, used);
    return true;
}

static PyObject *make(PyTypeObject *type, PyObject *lock)
{
    struct state *state = state_of(type);
    struct condition *self = state ? (struct condition *)type->tp_alloc(type, 0) : NULL;
    if (self && !use_lock(self, state, lock))
        Py_CLEAR(self);
    return (PyObject *)self;
}

PyObject *condition_new(struct state *state, PyObject *lock)
{
    struct condition *self = (struct condition *)state->condition->tp_alloc(state->condition, 0);
    if (self && !use_lock(self, state, lock))
        Py_CLEAR(self);
    return (PyObject *)self;
}

/* A lock is made at once, so that a subclass that never calls __init__ works. */
static PyObject *type_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    return make(type, NULL);
}

static int init(struct condition *self, PyObject *args, PyObject *kwargs)
{
    PyObject *lock = NULL;
    if (!args_parse_tuple(&init_signature, args, kwargs, &lock))
        return -1;
    if (self->tickets.count != 0) {
        PyErr_SetString(PyExc_RuntimeError, "cannot initialise a condition that threads wait for");
        return -1;
    }
    if (!lock || lock == Py_None)
        return 0;
    struct state *state = state_of(Py_TYPE(self));
    return state && use_lock(self, state, lock) ? 0 : -1;
}

PyObject *condition_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *lock = NULL;
    if (!args_parse(&init_signature, args, PyVectorcall_NARGS(nargsf), kwnames, &lock))
        return NULL;
    return make((PyTypeObject *)type, lock);
}

static int traverse(struct condition *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->dict);
    Py_VISIT(self->lock);
    return 0;
}

static int clear(struct condition *self)
{
    Py_CLEAR(self->dict);
    self->holding = NULL;
    self->rlock = NULL;
    Py_CLEAR(self->lock);
    return 0;
}

static void dealloc(struct condition *self)
{
    object_leave((PyObject *)self, self->weak);
    (void)clear(self);
    object_free((PyObject *)self);
}

/* -- The lock ----------------------------------------------------------------------------------------------------- */

/* The collector may have taken the lock away already. */
static bool has_lock(const struct condition *self)
{
    if (!self->lock)
        PyErr_SetString(PyExc_RuntimeError, "the condition has no lock any more");
    return self->lock != NULL;
}

/* What a method of the lock returns, with the arguments as they came. */
static PyObject *lock_call(struct condition *self, const char *method, PyObject *const *args, Py_ssize_t nargs,
                           PyObject *kwnames)
{
    if (!has_lock(self))
        return NULL;
    PyObject *function = PyObject_GetAttrString(self->lock, method);
    if (!function)
        return NULL;
    PyObject *result = PyObject_Vectorcall(function, args, (size_t)nargs, kwnames);
    Py_DECREF(function);
    return result;
}

static PyObject *acquire(struct condition *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    thr_time deadline;
    if (!self->holding)
        return lock_call(self, "acquire", args, nargs, kwnames);
    if (!args_acquire(&acquire_signature, args, nargs, kwnames, &deadline))
        return NULL;
    if (self->rlock)
        return rlock_acquire(self->rlock, deadline);
    int taken = holding_acquire(self->holding, deadline);
    return taken < 0 ? NULL : PyBool_FromLong(taken);
}

static PyObject *enter(struct condition *self, PyObject *Py_UNUSED(none))
{
    return self->holding ? acquire(self, NULL, 0, NULL) : lock_call(self, "__enter__", NULL, 0, NULL);
}

static PyObject *release(struct condition *self, PyObject *Py_UNUSED(none))
{
    if (!self->holding)
        return lock_call(self, "release", NULL, 0, NULL);
    return self->rlock ? rlock_release(self->rlock) : lock_release((struct lock *)self->lock);
}

static PyObject *leave(struct condition *self, PyObject *const *args, Py_ssize_t nargs)
{
    return self->holding ? release(self, NULL) : lock_call(self, "__exit__", args, nargs, NULL);
}

/* Whether a lock that cannot say so itself is held: by somebody, as in CPython. */
static int is_held(struct condition *self)
{
    PyObject *no = Py_False;
    PyObject *taken = lock_call(self, "acquire", &no, 1, NULL);
    int free = taken ? PyObject_IsTrue(taken) : -1;
    Py_XDECREF(taken);
    if (free <= 0)
        return free < 0 ? -1 : 1;
    PyObject *released = lock_call(self, "release", NULL, 0, NULL);
    Py_XDECREF(released);
    return released ? 0 : -1;
}

/* Whether the lock has the method: 1, 0, or -1. */
static int lock_has(struct condition *self, const char *method)
{
    if (!has_lock(self))
        return -1;
    PyObject *function = PyObject_GetAttrString(self->lock, method);
    if (!function && !PyErr_ExceptionMatches(PyExc_AttributeError))
        return -1;
    if (!function)
        PyErr_Clear();
    Py_XDECREF(function);
    return function != NULL;
}

/* Whether the caller may wait and notify: 1, 0, or -1. */
static int owned(struct condition *self)
{
    if (self->rlock)
        return rlock_is_mine(self->rlock);
    if (self->holding)
        return thr_lock_locked(&self->holding->lock);
    int has = lock_has(self, "_is_owned");
    if (has <= 0)
        return has < 0 ? -1 : is_held(self);
    PyObject *answer = lock_call(self, "_is_owned", NULL, 0, NULL);
    int truth = answer ? PyObject_IsTrue(answer) : -1;
    Py_XDECREF(answer);
    return truth;
}

static bool must_own(struct condition *self, const char *message)
{
    int mine = owned(self);
    if (mine == 0)
        PyErr_SetString(PyExc_RuntimeError, message);
    return mine > 0;
}

static PyObject *is_owned(struct condition *self, PyObject *Py_UNUSED(none))
{
    int mine = owned(self);
    return mine < 0 ? NULL : PyBool_FromLong(mine);
}

/* -- Waiting, on a lock of ours ----------------------------------------------------------------------------------- */

/* Takes a ticket out of wherever it is; whether it was chosen. */
static bool give_up(struct condition *self, struct ticket *ticket)
{
    if (!ticket->chosen)
        tickets_remove(&self->tickets, ticket);
    else if (self->holding && ticket->state != TICKET_GRANTED)
        tickets_remove(&self->holding->chosen, ticket);
    return ticket->chosen;
}

static int wait_blocked(struct condition *self, thr_time deadline)
{
    struct ticket ticket = TICKET_INIT;
    tickets_add(&self->tickets, &ticket);
    const uint32_t *word = holding_free(self->holding);
    int result = ticket_wait(&ticket, WAIT_CONDITION, self, deadline, word);
    bool chosen = give_up(self, &ticket);
    holding_retake(self->holding);
    if (result < 0 && chosen)
        condition_notify(self, 1); /* the notify came just when a handler raised: it is for another one */
    return result < 0 ? -1 : chosen;
}

int condition_wait(struct condition *self, thr_time deadline)
{
    struct rlock *rlock = self->rlock;
    unsigned long owner = 0;
    unsigned long count = 0;
    if (rlock) {
        owner = rlock->owner;
        count = rlock->count;
        rlock->owner = 0;
        rlock->count = 0;
    }
    int result = 0;
    if (deadline == 0) { /* the lock is given up and taken again, so that others can move */
        (void)holding_release(self->holding);
        holding_retake(self->holding);
    } else {
        result = wait_blocked(self, deadline);
    }
    if (rlock) {
        rlock->owner = owner;
        rlock->count = count;
    }
    return result;
}

/* -- Waiting, on another lock ------------------------------------------------------------------------------------- */

/* Lets up to n go, at once. */
static void grant_up_to(struct condition *self, size_t n)
{
    struct ticket *ticket;
    while (n-- > 0 && (ticket = tickets_choose(&self->tickets)))
        ticket_wake(ticket_grant(ticket));
}

static PyObject *release_save(struct condition *self)
{
    int has = lock_has(self, "_release_save");
    return has < 0 ? NULL : lock_call(self, has ? "_release_save" : "release", NULL, 0, NULL);
}

/* Takes the lock again, with an exception set or not. False: another exception is set now. */
static bool acquire_restore(struct condition *self, PyObject *saved)
{
    PyObject *type;
    PyObject *value;
    PyObject *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    int has = lock_has(self, "_acquire_restore");
    PyObject *done = NULL;
    if (has >= 0)
        done = lock_call(self, has ? "_acquire_restore" : "acquire", &saved, has, NULL);
    if (!done) {
        Py_XDECREF(type);
        Py_XDECREF(value);
        Py_XDECREF(traceback);
        return false;
    }
    Py_DECREF(done);
    PyErr_Restore(type, value, traceback);
    return true;
}

static int wait_on_other(struct condition *self, thr_time deadline)
{
    struct ticket ticket = TICKET_INIT;
    tickets_add(&self->tickets, &ticket);
    PyObject *saved = release_save(self);
    if (!saved) {
        (void)give_up(self, &ticket);
        return -1;
    }
    int result = ticket_wait(&ticket, WAIT_CONDITION, self, deadline, NULL);
    bool chosen = give_up(self, &ticket);
    if (!acquire_restore(self, saved))
        result = -1;
    Py_DECREF(saved);
    if (result < 0 && chosen)
        grant_up_to(self, 1); /* it is for another one */
    return result < 0 ? -1 : chosen;
}

static int wait_any_lock(struct condition *self, thr_time deadline)
{
    return self->holding ? condition_wait(self, deadline) : wait_on_other(self, deadline);
}

/* -- The methods -------------------------------------------------------------------------------------------------- */

static PyObject *method_wait(struct condition *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *timeout = NULL;
    thr_time deadline;
    if (!args_parse(&wait_signature, args, nargs, kwnames, &timeout) ||
        !must_own(self, "cannot wait on un-acquired lock") || !args_timeout(timeout, &deadline))
        return NULL;
    int result = wait_any_lock(self, deadline);
    return result < 0 ? NULL : PyBool_FromLong(result);
}

/* Waits again and again until the predicate holds or the deadline has passed; a first wait for no time at all is made. */
static PyObject *wait_for(struct condition *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *values[2] = {NULL, NULL};
    thr_time deadline = THR_FOREVER;
    if (!args_parse(&wait_for_signature, args, nargs, kwnames, values))
        return NULL;
    PyObject *result = PyObject_CallNoArgs(values[0]);
    bool first = true;
    while (result) {
        int truth = PyObject_IsTrue(result);
        if (truth > 0)
            return result;
        if (truth < 0 || (first && !args_timeout(values[1], &deadline)))
            break;
        if (deadline != THR_FOREVER && (deadline == 0 || deadline <= thr_now()))
            return result;
        first = false;
        if (!must_own(self, "cannot wait on un-acquired lock") || wait_any_lock(self, deadline) < 0)
            break;
        Py_SETREF(result, PyObject_CallNoArgs(values[0]));
    }
    Py_XDECREF(result);
    return NULL;
}

/* How many to notify; any number that Python could compare with 0 and count down. */
static bool number(PyObject *n, size_t *count)
{
    if (PyFloat_Check(n)) {
        double value = ceil(PyFloat_AS_DOUBLE(n));
        *count = value > 0 ? (value < 1e9 ? (size_t)value : SIZE_MAX) : 0;
        return true;
    }
    int overflows;
    long long value = PyLong_AsLongLongAndOverflow(n, &overflows);
    if (value == -1 && PyErr_Occurred())
        return false;
    *count = overflows > 0 ? SIZE_MAX : (value > 0 && overflows == 0 ? (size_t)value : 0);
    return true;
}

static PyObject *notify_up_to(struct condition *self, size_t n)
{
    if (!must_own(self, "cannot notify on un-acquired lock"))
        return NULL;
    if (self->holding)
        condition_notify(self, n);
    else
        grant_up_to(self, n);
    Py_RETURN_NONE;
}

static PyObject *notify(struct condition *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *n = NULL;
    size_t count = 1;
    if (!args_parse(&notify_signature, args, nargs, kwnames, &n) || (n && !number(n, &count)))
        return NULL;
    return notify_up_to(self, count);
}

static PyObject *notify_all(struct condition *self, PyObject *Py_UNUSED(none))
{
    return notify_up_to(self, SIZE_MAX);
}

static PyObject *notify_all_camel(struct condition *self, PyObject *Py_UNUSED(none))
{
    if (PyErr_WarnEx(PyExc_DeprecationWarning, "notifyAll() is deprecated, use notify_all() instead", 1) < 0)
        return NULL;
    return PyObject_CallMethod((PyObject *)self, "notify_all", NULL);
}

static PyObject *method_release_save(struct condition *self, PyObject *Py_UNUSED(none))
{
    return has_lock(self) ? release_save(self) : NULL;
}

static PyObject *method_acquire_restore(struct condition *self, PyObject *saved)
{
    return acquire_restore(self, saved) ? Py_NewRef(Py_None) : NULL;
}

static PyObject *at_fork_reinit(struct condition *self, PyObject *Py_UNUSED(none))
{
    PyObject *done = lock_call(self, "_at_fork_reinit", NULL, 0, NULL);
    if (!done)
        return NULL;
    memset(&self->tickets, 0, sizeof self->tickets);
    return done;
}

static PyObject *repr(struct condition *self)
{
    PyObject *lock = self->lock ? self->lock : Py_None;
    return PyUnicode_FromFormat("<Condition(%S, %lu)>", lock, (unsigned long)self->tickets.count);
}

static PyObject *reduce(struct condition *self, PyObject *Py_UNUSED(none))
{
    return args_reduce((PyObject *)self, self->rlock || !self->lock ? "_thread.RLock" : Py_TYPE(self->lock)->tp_name);
}

#define FAST (METH_FASTCALL | METH_KEYWORDS)

static PyMethodDef methods[] = {
    {"acquire", (PyCFunction)(void (*)(void))acquire, FAST,
     CALL("acquire($self, /, *args, **kwargs)") "Call acquire() of the lock."},
    {"release", (PyCFunction)release, METH_NOARGS, CALL("release($self, /)") "Call release() of the lock."},
    {"__enter__", (PyCFunction)enter, METH_NOARGS, CALL("__enter__($self, /)") "Take the lock."},
    {"__exit__", (PyCFunction)(void (*)(void))leave, METH_FASTCALL, CALL("__exit__($self, /, *args)") "Free the lock."},
    {"wait", (PyCFunction)(void (*)(void))method_wait, FAST,
     CALL("wait($self, /, timeout=None)") "Free the lock, wait to be notified, and take the lock again.\n\n"
                                          "False if that did not happen within the timeout, in seconds. RuntimeError "
                                          "if the lock is not held."},
    {"wait_for", (PyCFunction)(void (*)(void))wait_for, FAST,
     CALL("wait_for($self, /, predicate, timeout=None)") "Wait until predicate() is true; return what it returned "
                                                         "last."},
    {"notify", (PyCFunction)(void (*)(void))notify, FAST,
     CALL("notify($self, /, n=1)") "Let up to n of the threads go that wait, those that have waited longest first.\n\n"
                                   "RuntimeError if the lock is not held."},
    {"notify_all", (PyCFunction)notify_all, METH_NOARGS,
     CALL("notify_all($self, /)") "Let all waiting threads go. RuntimeError if the lock is not held."},
    {"notifyAll", (PyCFunction)notify_all_camel, METH_NOARGS,
     CALL("notifyAll($self, /)") "An old name of notify_all()."},
    {"_is_owned", (PyCFunction)is_owned, METH_NOARGS, NULL},
    {"_release_save", (PyCFunction)method_release_save, METH_NOARGS, NULL},
    {"_acquire_restore", (PyCFunction)method_acquire_restore, METH_O, NULL},
    {"_at_fork_reinit", (PyCFunction)at_fork_reinit, METH_NOARGS, NULL},
    {"__reduce__", (PyCFunction)reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"_lock", T_OBJECT, offsetof(struct condition, lock), READONLY, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(struct condition, dict), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(struct condition, weak), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    SLOT(Py_tp_new, type_new),
    SLOT(Py_tp_init, init),
    SLOT(Py_tp_traverse, traverse),
    SLOT(Py_tp_clear, clear),
    SLOT(Py_tp_dealloc, dealloc),
    SLOT(Py_tp_repr, repr),
    SLOT(Py_tp_methods, methods),
    SLOT(Py_tp_members, members),
    SLOT(Py_tp_getset, getset),
    SLOT(Py_tp_doc,
         "Condition(lock=None)\n--\n\n"
         "Threads that hold the lock wait until another one notifies them.\n\n"
         "The lock is a Lock, an RLock (a new one, if none is given), or anything with acquire() and release()."),
    {0, NULL},
};

PyType_Spec condition_spec = {
    .name = "threading.Condition",
    .basicsize = sizeof(struct condition),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};
