/* barrier.c - threading.Barrier.
 *
 *  state      meaning                                       left by
 *  FILLING    parties come and wait, `tickets.count` many   the last party: its action, then all go, FILLING again;
 *                                                           a timeout, an abort, an action that raises -> BROKEN
 *  BROKEN     nobody can wait                               reset -> FILLING
 *
 * Why not a thr_barrier: here a party whose signal handler raises leaves quietly, and the others go on waiting; and the
 * last party must be able to end the round without waiting, since it has the GIL.
 *
 * While the action runs, which may give the GIL up, `acting` keeps newcomers, abort and reset out, as CPython's lock does:
 * they wait in `outside` for its end.
 *
 * A subclass whose __init__ does not call ours has parts of its own; cthreading/_pybarrier.py deals with those.
 *
 * I1  All parties of a round leave `tickets` in one step, with the GIL, and learn from their own tickets how it ended. So
 *     the next round may begin at once. */

#include "core.h"

#include "wait/wait.h"

struct barrier {
    PyObject_HEAD
    PyObject *dict;
    PyObject *weak;
    PyObject *action;
    PyObject *timeout;
    PyObject *number; /* of the parties */
    Py_ssize_t parties;
    struct tickets tickets;
    struct tickets outside;
    bool broken;
    bool acting;
};

static const char *const init_names[] = {"parties", "action", "timeout", NULL};
static const struct signature init_signature = {"Barrier.__init__", init_names, 1, 3};
static const char *const wait_names[] = {"timeout", NULL};
static const struct signature wait_signature = {"Barrier.wait", wait_names, 0, 1};

/* -- Making ------------------------------------------------------------------------------------------------------- */

static bool set_up(struct barrier *self, PyObject *const *values)
{
    Py_ssize_t parties = PyNumber_AsSsize_t(values[0], PyExc_OverflowError);
    if (parties == -1 && PyErr_Occurred())
        return false;
    if (parties < 1) {
        PyErr_SetString(PyExc_ValueError, "parties must be > 0");
        return false;
    }
    self->parties = parties;
    Py_XSETREF(self->number, Py_NewRef(values[0]));
    Py_XSETREF(self->action, Py_NewRef(values[1] ? values[1] : Py_None));
    Py_XSETREF(self->timeout, Py_NewRef(values[2] ? values[2] : Py_None));
    return true;
}

static PyObject *type_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    return type->tp_alloc(type, 0);
}

static int init(struct barrier *self, PyObject *args, PyObject *kwargs)
{
    PyObject *values[3] = {NULL, NULL, NULL};
    if (!args_parse_tuple(&init_signature, args, kwargs, values))
        return -1;
    if (self->tickets.count != 0 || self->acting) {
        PyErr_SetString(PyExc_RuntimeError, "cannot initialise a barrier that threads wait for");
        return -1;
    }
    self->broken = false;
    return set_up(self, values) ? 0 : -1;
}

PyObject *barrier_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *values[3] = {NULL, NULL, NULL};
    if (!args_parse(&init_signature, args, PyVectorcall_NARGS(nargsf), kwnames, values))
        return NULL;
    struct barrier *self = (struct barrier *)((PyTypeObject *)type)->tp_alloc((PyTypeObject *)type, 0);
    if (self && !set_up(self, values))
        Py_CLEAR(self);
    return (PyObject *)self;
}

static int traverse(struct barrier *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->dict);
    Py_VISIT(self->action);
    Py_VISIT(self->timeout);
    Py_VISIT(self->number);
    return 0;
}

static int clear(struct barrier *self)
{
    Py_CLEAR(self->dict);
    Py_CLEAR(self->action);
    Py_CLEAR(self->timeout);
    Py_CLEAR(self->number);
    return 0;
}

static void dealloc(struct barrier *self)
{
    object_leave((PyObject *)self, self->weak);
    (void)clear(self);
    object_free((PyObject *)self);
}

/* -- Rounds ------------------------------------------------------------------------------------------------------- */

static void let_go(struct tickets *tickets, bool broken)
{
    struct ticket *ticket;
    if (!tickets->first)
        return;
    while ((ticket = tickets_choose(tickets))) {
        ticket->broken = broken;
        ticket_wake(ticket_grant(ticket));
    }
    waking_done();
}

/* Ends the round: all that wait in it go. */
static void end_round(struct barrier *self, bool broken, bool then_broken)
{
    self->broken = then_broken;
    let_go(&self->tickets, broken);
}

static PyObject *raise_broken(struct barrier *self)
{
    struct state *state = state_of(Py_TYPE(self));
    if (state)
        PyErr_SetNone(state->broken_barrier);
    return NULL;
}

/* Waits while an action runs: 1; 0: not within the time; -1: a signal handler raised. */
static int wait_outside(struct barrier *self, thr_time deadline)
{
    while (self->acting) {
        struct ticket ticket = TICKET_INIT;
        tickets_add(&self->outside, &ticket);
        int result = ticket_wait(&ticket, WAIT_BARRIER, self, deadline, NULL);
        if (!ticket.chosen)
            tickets_remove(&self->outside, &ticket);
        if (result <= 0)
            return result;
    }
    return 1;
}

/* The last party: runs the action, with everybody else kept out. False: it raised. */
static bool act(struct barrier *self)
{
    if (self->action == Py_None)
        return true;
    int wanted = PyObject_IsTrue(self->action);
    if (wanted <= 0)
        return wanted == 0;
    self->acting = true;
    PyObject *result = PyObject_CallNoArgs(self->action);
    self->acting = false;
    Py_XDECREF(result);
    return result != NULL;
}

static PyObject *complete(struct barrier *self, Py_ssize_t index)
{
    bool acted = act(self);
    PyObject *type;
    PyObject *value;
    PyObject *traceback;
    PyErr_Fetch(&type, &value, &traceback); /* giving the GIL away must not meet an exception */
    end_round(self, !acted, !acted);
    let_go(&self->outside, false);
    PyErr_Restore(type, value, traceback);
    return acted ? PyLong_FromSsize_t(index) : NULL;
}

static PyObject *wait_for_others(struct barrier *self, Py_ssize_t index, PyObject *timeout)
{
    thr_time deadline;
    if (!args_timeout(timeout && timeout != Py_None ? timeout : self->timeout, &deadline))
        return NULL;
    struct ticket ticket = TICKET_INIT;
    tickets_add(&self->tickets, &ticket);
    int result = ticket_wait(&ticket, WAIT_BARRIER, self, deadline, NULL);
    if (!ticket.chosen)
        tickets_remove(&self->tickets, &ticket);
    if (result < 0)
        return NULL;
    if (ticket.chosen && !ticket.broken)
        return PyLong_FromSsize_t(index);
    if (!ticket.chosen)
        end_round(self, true, true);
    return raise_broken(self);
}

/* -- Parts of a subclass's own ------------------------------------------------------------------------------------ */

static bool has_own_parts(const struct barrier *self)
{
    return self->parties == 0;
}

/* What _pybarrier.py says; `timeout` is for those of its functions that take one, or NULL. */
static PyObject *ask_parts(struct barrier *self, const char *function, PyObject *timeout)
{
    struct state *state = state_of(Py_TYPE(self));
    if (!state)
        return NULL;
    if (!self->dict || !PyDict_GetItemString(self->dict, "_parties")) {
        PyErr_SetString(PyExc_RuntimeError, "Barrier.__init__() not called");
        return NULL;
    }
    return PyObject_CallMethod(state->barrier_parts, function, timeout ? "OO" : "O", self, timeout);
}

/* -- Calls -------------------------------------------------------------------------------------------------------- */

static PyObject *method_wait(struct barrier *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *timeout = NULL;
    if (!args_parse(&wait_signature, args, nargs, kwnames, &timeout))
        return NULL;
    if (has_own_parts(self))
        return ask_parts(self, "wait", timeout ? timeout : Py_None);
    if (wait_outside(self, THR_FOREVER) < 0)
        return NULL;
    if (self->broken)
        return raise_broken(self);
    Py_ssize_t index = self->tickets.count;
    return index + 1 == self->parties ? complete(self, index) : wait_for_others(self, index, timeout);
}

static PyObject *reset(struct barrier *self, PyObject *Py_UNUSED(none))
{
    if (has_own_parts(self))
        return ask_parts(self, "reset", NULL);
    if (wait_outside(self, THR_FOREVER) < 0)
        return NULL;
    end_round(self, true, false);
    Py_RETURN_NONE;
}

static PyObject *method_abort(struct barrier *self, PyObject *Py_UNUSED(none))
{
    if (has_own_parts(self))
        return ask_parts(self, "abort", NULL);
    if (wait_outside(self, THR_FOREVER) < 0)
        return NULL;
    end_round(self, true, true);
    Py_RETURN_NONE;
}

/* -- The rest ----------------------------------------------------------------------------------------------------- */

static PyObject *get_parties(struct barrier *self, void *Py_UNUSED(closure))
{
    return has_own_parts(self) ? ask_parts(self, "parties", NULL) : Py_NewRef(self->number);
}

static PyObject *get_n_waiting(struct barrier *self, void *Py_UNUSED(closure))
{
    if (has_own_parts(self))
        return ask_parts(self, "n_waiting", NULL);
    return PyLong_FromSsize_t((Py_ssize_t)self->tickets.count + (self->acting ? 1 : 0));
}

static PyObject *get_broken(struct barrier *self, void *Py_UNUSED(closure))
{
    return has_own_parts(self) ? ask_parts(self, "broken", NULL) : PyBool_FromLong(self->broken);
}

static PyObject *repr(struct barrier *self)
{
    PyObject *broken = get_broken(self, NULL);
    PyObject *waiting = broken ? get_n_waiting(self, NULL) : NULL;
    PyObject *parties = waiting ? get_parties(self, NULL) : NULL;
    PyObject *status = parties ? PyUnicode_FromFormat("waiters=%S/%S", waiting, parties) : NULL;
    PyObject *text = NULL;
    if (status)
        text = args_repr((PyObject *)self, broken == Py_True ? "broken" : PyUnicode_AsUTF8(status));
    Py_XDECREF(broken);
    Py_XDECREF(waiting);
    Py_XDECREF(parties);
    Py_XDECREF(status);
    return text;
}

static PyObject *reduce(struct barrier *self, PyObject *Py_UNUSED(none))
{
    return args_reduce((PyObject *)self, "_thread.lock");
}

static PyMethodDef methods[] = {
    {"wait", (PyCFunction)(void (*)(void))method_wait, METH_FASTCALL | METH_KEYWORDS,
     CALL("wait($self, /, timeout=None)") "Wait until all parties have come; return which this one was, from 0.\n\n"
                                          "BrokenBarrierError if that did not happen in time, or the barrier was "
                                          "broken or reset."},
    {"reset", (PyCFunction)reset, METH_NOARGS,
     CALL("reset($self, /)") "Make the barrier as new; those that wait get BrokenBarrierError."},
    {"abort", (PyCFunction)method_abort, METH_NOARGS,
     CALL("abort($self, /)") "Break the barrier: those that wait, or will, get BrokenBarrierError."},
    {"__reduce__", (PyCFunction)reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"_action", T_OBJECT, offsetof(struct barrier, action), 0, NULL},
    {"_timeout", T_OBJECT, offsetof(struct barrier, timeout), 0, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(struct barrier, dict), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(struct barrier, weak), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef getset[] = {
    {"parties", (getter)get_parties, NULL, "How many threads have to come.", NULL},
    {"n_waiting", (getter)get_n_waiting, NULL, "How many threads wait now.", NULL},
    {"broken", (getter)get_broken, NULL, "Whether the barrier is broken.", NULL},
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
         "Barrier(parties, action=None, timeout=None)\n--\n\n"
         "A place where threads wait for each other, again and again.\n\n"
         "action() is called by one of them, before they go on; timeout is that of wait() where it has none."),
    {0, NULL},
};

PyType_Spec barrier_spec = {
    .name = "threading.Barrier",
    .basicsize = sizeof(struct barrier),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};
