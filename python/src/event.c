/* event.c - threading.Event: a thr_event. */

#include "core.h"

struct event {
    PyObject_HEAD
    PyObject *dict;
    PyObject *weak;
    PyObject *condition; /* for _cond, made when it is first asked for */
    thr_event event;
    uint32_t waiting;
};

static const char *const no_names[] = {NULL};
static const struct signature init_signature = {"Event.__init__", no_names, 0, 0};
static const char *const wait_names[] = {"timeout", NULL};
static const struct signature wait_signature = {"Event.wait", wait_names, 0, 1};

static PyObject *type_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    return type->tp_alloc(type, 0);
}

static int init(struct event *Py_UNUSED(self), PyObject *args, PyObject *kwargs)
{
    return args_parse_tuple(&init_signature, args, kwargs, NULL) ? 0 : -1;
}

PyObject *event_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    if (!args_parse(&init_signature, args, PyVectorcall_NARGS(nargsf), kwnames, NULL))
        return NULL;
    return ((PyTypeObject *)type)->tp_alloc((PyTypeObject *)type, 0);
}

static int traverse(struct event *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->dict);
    Py_VISIT(self->condition);
    return 0;
}

static int clear_references(struct event *self)
{
    Py_CLEAR(self->dict);
    Py_CLEAR(self->condition);
    return 0;
}

static void dealloc(struct event *self)
{
    object_leave((PyObject *)self, self->weak);
    (void)clear_references(self);
    object_free((PyObject *)self);
}

static PyObject *is_set(struct event *self, PyObject *Py_UNUSED(none))
{
    return PyBool_FromLong(thr_event_is_set(&self->event));
}

static PyObject *is_set_camel(struct event *self, PyObject *Py_UNUSED(none))
{
    if (PyErr_WarnEx(PyExc_DeprecationWarning, "isSet() is deprecated, use is_set() instead", 1) < 0)
        return NULL;
    return PyObject_CallMethod((PyObject *)self, "is_set", NULL);
}

static PyObject *set(struct event *self, PyObject *Py_UNUSED(none))
{
    struct waking waking;
    waking_begin(&waking, self->waiting != 0, false);
    thr_event_set(&self->event);
    waking_end(&waking);
    Py_RETURN_NONE;
}

/* For a thread that has begun, and should go on to what it was started for. */
static PyObject *set_and_go_on(struct event *self, PyObject *Py_UNUSED(none))
{
    thr_event_set(&self->event);
    Py_RETURN_NONE;
}

static PyObject *clear(struct event *self, PyObject *Py_UNUSED(none))
{
    thr_event_clear(&self->event);
    Py_RETURN_NONE;
}

static PyObject *wait_blocked(struct event *self, thr_time deadline)
{
    struct blocking blocking;
    self->waiting++;
    block_begin(&blocking);
    thr_result result = thr_event_wait_until(&self->event, deadline);
    bool undisturbed = block_end(&blocking);
    self->waiting--;
    return undisturbed ? PyBool_FromLong(result == THR_OK) : NULL;
}

static PyObject *method_wait(struct event *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *timeout = NULL;
    thr_time deadline;
    if (!args_parse(&wait_signature, args, nargs, kwnames, &timeout))
        return NULL;
    if (thr_event_is_set(&self->event))
        Py_RETURN_TRUE;
    if (!args_timeout(timeout, &deadline))
        return NULL;
    if (deadline == 0)
        Py_RETURN_FALSE;
    return wait_blocked(self, deadline);
}

static PyObject *at_fork_reinit(struct event *self, PyObject *Py_UNUSED(none))
{
    self->event.word_ &= 1; /* nobody waits; the flag stays */
    self->waiting = 0;
    if (self->condition)
        return PyObject_CallMethod(self->condition, "_at_fork_reinit", NULL);
    Py_RETURN_NONE;
}

/* A condition as CPython's events have one. Nothing of ours uses it. */
static PyObject *get_condition(struct event *self, void *Py_UNUSED(closure))
{
    if (!self->condition) {
        struct state *state = state_of(Py_TYPE(self));
        PyObject *lock = state ? lock_new(state) : NULL;
        self->condition = lock ? condition_new(state, lock) : NULL;
        Py_XDECREF(lock);
    }
    return Py_XNewRef(self->condition);
}

static PyObject *get_flag(struct event *self, void *Py_UNUSED(closure))
{
    return is_set(self, NULL);
}

static PyObject *repr(struct event *self)
{
    return args_repr((PyObject *)self, thr_event_is_set(&self->event) ? "set" : "unset");
}

static PyObject *reduce(struct event *self, PyObject *Py_UNUSED(none))
{
    return args_reduce((PyObject *)self, "_thread.lock");
}

static PyMethodDef methods[] = {
    {"is_set", (PyCFunction)is_set, METH_NOARGS, CALL("is_set($self, /)") "Whether the flag is set."},
    {"isSet", (PyCFunction)is_set_camel, METH_NOARGS, CALL("isSet($self, /)") "An old name of is_set()."},
    {"set", (PyCFunction)set, METH_NOARGS, CALL("set($self, /)") "Set the flag and let all waiting threads go."},
    {"clear", (PyCFunction)clear, METH_NOARGS, CALL("clear($self, /)") "Clear the flag."},
    {"wait", (PyCFunction)(void (*)(void))method_wait, METH_FASTCALL | METH_KEYWORDS,
     CALL("wait($self, /, timeout=None)") "Wait until the flag is set; False if it was not within the timeout, in "
                                          "seconds."},
    {"_set_and_go_on", (PyCFunction)set_and_go_on, METH_NOARGS, NULL},
    {"_at_fork_reinit", (PyCFunction)at_fork_reinit, METH_NOARGS, NULL},
    {"__reduce__", (PyCFunction)reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(struct event, dict), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(struct event, weak), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef getset[] = {
    {"_cond", (getter)get_condition, NULL, NULL, NULL},
    {"_flag", (getter)get_flag, NULL, NULL, NULL},
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    SLOT(Py_tp_new, type_new),
    SLOT(Py_tp_init, init),
    SLOT(Py_tp_traverse, traverse),
    SLOT(Py_tp_clear, clear_references),
    SLOT(Py_tp_dealloc, dealloc),
    SLOT(Py_tp_repr, repr),
    SLOT(Py_tp_methods, methods),
    SLOT(Py_tp_members, members),
    SLOT(Py_tp_getset, getset),
    SLOT(Py_tp_doc, "Event()\n--\n\nA flag that threads can wait for. It is not set at first."),
    {0, NULL},
};

PyType_Spec event_spec = {
    .name = "threading.Event",
    .basicsize = sizeof(struct event),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};
