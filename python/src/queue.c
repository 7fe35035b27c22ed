/* queue.c - queue.Queue, LifoQueue and PriorityQueue: a container, a Lock and three Conditions on it.
 *
 * All of it can be seen and used by the program as in CPython: `queue`, `mutex`, `not_empty`, `not_full`,
 * `all_tasks_done`, `unfinished_tasks`, `maxsize`.
 *
 * I1  What is in the container, and unfinished_tasks, change only while `mutex` is held. */

#include "queue.h"

#include <math.h>

static const char *const init_names[] = {"maxsize", NULL};
static const struct signature init_signature = {"Queue.__init__", init_names, 0, 1};
static const char *const put_names[] = {"item", "block", "timeout", NULL};
static const struct signature put_signature = {"Queue.put", put_names, 1, 3};
static const char *const item_names[] = {"item", NULL};
static const struct signature put_nowait_signature = {"Queue.put_nowait", item_names, 1, 1};
static const char *const get_names[] = {"block", "timeout", NULL};
static const struct signature get_signature = {"Queue.get", get_names, 0, 2};

/* -- Making ------------------------------------------------------------------------------------------------------- */

static bool set_maxsize(struct queue *self, PyObject *value)
{
    Py_ssize_t limit = 0;
    if (PyFloat_Check(value)) {
        double number = ceil(PyFloat_AS_DOUBLE(value));
        if (number > 0 && number < 1e18)
            limit = (Py_ssize_t)number;
    } else {
        limit = PyNumber_AsSsize_t(value, NULL);
        if (limit == -1 && PyErr_Occurred())
            return false;
    }
    self->limit = limit > 0 ? limit : 0;
    Py_XSETREF(self->maxsize, Py_NewRef(value));
    return true;
}

static bool make_locks(struct queue *self)
{
    PyObject *mutex = lock_new(self->state);
    if (!mutex)
        return false;
    self->mutex = (struct lock *)mutex;
    self->not_empty = (struct condition *)condition_new(self->state, mutex);
    self->not_full = (struct condition *)condition_new(self->state, mutex);
    self->all_tasks_done = (struct condition *)condition_new(self->state, mutex);
    return self->not_empty && self->not_full && self->all_tasks_done;
}

static PyObject *make(PyTypeObject *type, enum kind kind)
{
    struct state *state = state_of(type);
    struct queue *self = state ? (struct queue *)type->tp_alloc(type, 0) : NULL;
    if (!self)
        return NULL;
    self->state = state;
    self->kind = kind;
    self->exact = type == state->queue || type == state->lifo_queue || type == state->priority_queue;
    if (!make_locks(self))
        Py_CLEAR(self);
    return (PyObject *)self;
}

static PyObject *fifo_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    return make(type, FIFO);
}

static PyObject *lifo_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    return make(type, LIFO);
}

static PyObject *priority_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    return make(type, PRIORITY);
}

static int init(struct queue *self, PyObject *args, PyObject *kwargs)
{
    PyObject *value = NULL;
    if (!args_parse_tuple(&init_signature, args, kwargs, &value))
        return -1;
    PyObject *maxsize = value ? Py_NewRef(value) : PyLong_FromLong(0);
    PyObject *initialised = NULL;
    if (maxsize && set_maxsize(self, maxsize))
        initialised =
            items_direct(self) ? items_init(self, NULL) : PyObject_CallMethod((PyObject *)self, "_init", "O", maxsize);
    Py_XDECREF(maxsize);
    if (!initialised)
        return -1;
    Py_DECREF(initialised);
    self->unfinished = 0;
    self->is_shutdown = 0;
    return 0;
}

// NOLINTNEXTLINE(readability-function-size): a list, of which each line is a macro with statements of its own
static int traverse(struct queue *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->dict);
    Py_VISIT(self->items);
    Py_VISIT(self->maxsize);
    Py_VISIT(self->mutex);
    Py_VISIT(self->not_empty);
    Py_VISIT(self->not_full);
    Py_VISIT(self->all_tasks_done);
    return 0;
}

/* The locks stay: a finaliser may still use them, and they lead nowhere. */
static int clear(struct queue *self)
{
    Py_CLEAR(self->dict);
    Py_CLEAR(self->items);
    return 0;
}

static void dealloc(struct queue *self)
{
    object_leave((PyObject *)self, self->weak);
    (void)clear(self);
    Py_CLEAR(self->maxsize);
    Py_CLEAR(self->not_empty);
    Py_CLEAR(self->not_full);
    Py_CLEAR(self->all_tasks_done);
    Py_CLEAR(self->mutex);
    object_free((PyObject *)self);
}

/* -- Under the mutex ---------------------------------------------------------------------------------------------- */

static bool lock(struct queue *self)
{
    return holding_acquire(&self->mutex->holding, THR_FOREVER) > 0;
}

static void unlock(struct queue *self)
{
    (void)holding_release(&self->mutex->holding);
}

/* The same after a put, which is a gift also where nobody waits for it. */
static void unlock_given(struct queue *self)
{
    if (!holding_wanted(&self->mutex->holding))
        waking_none();
    (void)holding_release(&self->mutex->holding);
}

static bool refuse(PyObject *exception)
{
    PyErr_SetNone(exception);
    return false;
}

/* By when a put or get has to be done; for ever, if it may block and no timeout is given. */
static bool deadline_of(PyObject *block, PyObject *timeout, thr_time *deadline)
{
    int blocking = args_bool(block, 1);
    *deadline = blocking > 0 ? THR_FOREVER : 0;
    if (blocking <= 0 || !timeout || timeout == Py_None)
        return blocking >= 0;
    PyObject *zero = PyLong_FromLong(0);
    int negative = zero ? PyObject_RichCompareBool(timeout, zero, Py_LT) : -1;
    Py_XDECREF(zero);
    if (negative > 0)
        PyErr_SetString(PyExc_ValueError, "'timeout' must be a non-negative number");
    return negative == 0 && args_timeout(timeout, deadline);
}

/* Waits until there is room. */
static bool await_room(struct queue *self, PyObject *block, PyObject *timeout)
{
    thr_time deadline;
    if (self->is_shutdown)
        return refuse(self->state->shut_down);
    if (self->limit == 0)
        return true;
    if (!deadline_of(block, timeout, &deadline))
        return false;
    Py_ssize_t size = items_size(self);
    while (size >= self->limit && self->limit != 0) {
        if (deadline == 0 || (deadline != THR_FOREVER && deadline <= thr_now()))
            return refuse(self->state->full);
        if (condition_wait(self->not_full, deadline) < 0)
            return false;
        if (self->is_shutdown)
            return refuse(self->state->shut_down);
        size = items_size(self);
    }
    return size >= 0;
}

/* Waits until there is an item. */
static bool await_item(struct queue *self, PyObject *block, PyObject *timeout)
{
    thr_time deadline = THR_FOREVER;
    if ((block || timeout) && !deadline_of(block, timeout, &deadline))
        return false;
    Py_ssize_t size = items_size(self);
    while (size == 0) {
        if (self->is_shutdown)
            return refuse(self->state->shut_down);
        if (deadline == 0 || (deadline != THR_FOREVER && deadline <= thr_now()))
            return refuse(self->state->empty);
        if (condition_wait(self->not_empty, deadline) < 0)
            return false;
        size = items_size(self);
    }
    return size > 0;
}

static PyObject *put_item(struct queue *self, PyObject *item, PyObject *block, PyObject *timeout)
{
    if (!lock(self))
        return NULL;
    PyObject *result = await_room(self, block, timeout) ? items_put(self, item) : NULL;
    if (result) {
        self->unfinished++;
        condition_notify(self->not_empty, 1);
        Py_SETREF(result, Py_NewRef(Py_None));
    }
    unlock_given(self);
    return result;
}

static PyObject *get_item(struct queue *self, PyObject *block, PyObject *timeout)
{
    if (!lock(self))
        return NULL;
    PyObject *item = await_item(self, block, timeout) ? items_get(self) : NULL;
    if (item)
        condition_notify(self->not_full, 1);
    unlock(self);
    return item;
}

/* -- The methods -------------------------------------------------------------------------------------------------- */

static PyObject *put(struct queue *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *values[3] = {NULL, NULL, NULL};
    if (!args_parse(&put_signature, args, nargs, kwnames, values))
        return NULL;
    return put_item(self, values[0], values[1], values[2]);
}

static PyObject *get(struct queue *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *values[2] = {NULL, NULL};
    if ((nargs != 0 || kwnames) && !args_parse(&get_signature, args, nargs, kwnames, values))
        return NULL;
    return get_item(self, values[0], values[1]);
}

/* put(item, block=False), or get(block=False) with no item, of whoever may have these of its own. */
static PyObject *call_nowait(struct queue *self, const char *method, PyObject *item)
{
    PyObject *function = PyObject_GetAttrString((PyObject *)self, method);
    PyObject *names = function ? Py_BuildValue("(s)", "block") : NULL;
    PyObject *values[2] = {item ? item : Py_False, Py_False};
    PyObject *result = names ? PyObject_Vectorcall(function, values, item != NULL, names) : NULL;
    Py_XDECREF(names);
    Py_XDECREF(function);
    return result;
}

static PyObject *put_nowait(struct queue *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *item = NULL;
    if (!args_parse(&put_nowait_signature, args, nargs, kwnames, &item))
        return NULL;
    return items_direct(self) ? put_item(self, item, Py_False, NULL) : call_nowait(self, "put", item);
}

static PyObject *get_nowait(struct queue *self, PyObject *Py_UNUSED(none))
{
    return items_direct(self) ? get_item(self, Py_False, NULL) : call_nowait(self, "get", NULL);
}

static PyObject *task_done(struct queue *self, PyObject *Py_UNUSED(none))
{
    if (!lock(self))
        return NULL;
    bool valid = self->unfinished > 0;
    if (valid && --self->unfinished == 0)
        condition_notify(self->all_tasks_done, SIZE_MAX);
    unlock(self);
    if (!valid)
        PyErr_SetString(PyExc_ValueError, "task_done() called too many times");
    return done(valid);
}

static PyObject *join(struct queue *self, PyObject *Py_UNUSED(none))
{
    bool well = true;
    if (!lock(self))
        return NULL;
    while (well && self->unfinished != 0)
        well = condition_wait(self->all_tasks_done, THR_FOREVER) >= 0;
    unlock(self);
    return done(well);
}

/* The size, under the mutex, or -1. */
static Py_ssize_t size_now(struct queue *self)
{
    if (!lock(self))
        return -1;
    Py_ssize_t size = items_size(self);
    unlock(self);
    return size;
}

static PyObject *qsize(struct queue *self, PyObject *Py_UNUSED(none))
{
    Py_ssize_t size = size_now(self);
    return size < 0 ? NULL : PyLong_FromSsize_t(size);
}

static PyObject *empty(struct queue *self, PyObject *Py_UNUSED(none))
{
    Py_ssize_t size = size_now(self);
    return size < 0 ? NULL : PyBool_FromLong(size == 0);
}

static PyObject *full(struct queue *self, PyObject *Py_UNUSED(none))
{
    Py_ssize_t size = size_now(self);
    return size < 0 ? NULL : PyBool_FromLong(self->limit != 0 && size >= self->limit);
}

#if PY_VERSION_HEX >= 0x030D0000

static const char *const shutdown_names[] = {"immediate", NULL};
static const struct signature shutdown_signature = {"Queue.shutdown", shutdown_names, 0, 1};

/* Takes everything out, each item a task done. */
static bool drain(struct queue *self)
{
    Py_ssize_t size;
    while ((size = items_size(self)) > 0) {
        PyObject *item = items_get(self);
        if (!item)
            return false;
        Py_DECREF(item);
        if (self->unfinished > 0)
            self->unfinished--;
    }
    return size == 0;
}

static PyObject *shutdown(struct queue *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *value = NULL;
    if (!args_parse(&shutdown_signature, args, nargs, kwnames, &value))
        return NULL;
    int immediate = args_bool(value, 0);
    if (immediate < 0 || !lock(self))
        return NULL;
    self->is_shutdown = 1;
    bool well = true;
    if (immediate) {
        well = drain(self);
        condition_notify(self->all_tasks_done, SIZE_MAX);
    }
    condition_notify(self->not_empty, SIZE_MAX);
    condition_notify(self->not_full, SIZE_MAX);
    unlock(self);
    return done(well);
}

#endif

static PyObject *get_maxsize(struct queue *self, void *Py_UNUSED(closure))
{
    return Py_NewRef(self->maxsize ? self->maxsize : Py_None);
}

static int put_maxsize(struct queue *self, PyObject *value, void *Py_UNUSED(closure))
{
    if (!value) {
        PyErr_SetString(PyExc_AttributeError, "maxsize cannot be deleted");
        return -1;
    }
    return set_maxsize(self, value) ? 0 : -1;
}

static PyObject *reduce(struct queue *self, PyObject *Py_UNUSED(none))
{
    return args_reduce((PyObject *)self, "_thread.lock");
}

#define FAST (METH_FASTCALL | METH_KEYWORDS)

static PyMethodDef methods[] = {
    {"put", (PyCFunction)(void (*)(void))put, FAST,
     CALL("put($self, /, item, block=True, timeout=None)") "Put an item in; Full if there was no room within the "
                                                           "timeout, in seconds, or at once if not block."},
    {"get", (PyCFunction)(void (*)(void))get, FAST,
     CALL("get($self, /, block=True, timeout=None)") "Take an item out; Empty if there was none within the timeout, in "
                                                     "seconds, or at once if not block."},
    {"put_nowait", (PyCFunction)(void (*)(void))put_nowait, FAST,
     CALL("put_nowait($self, /, item)") "put(item, block=False)"},
    {"get_nowait", (PyCFunction)get_nowait, METH_NOARGS, CALL("get_nowait($self, /)") "get(block=False)"},
    {"task_done", (PyCFunction)task_done, METH_NOARGS,
     CALL("task_done($self, /)") "Say that one of the items that were taken out has been dealt with."},
    {"join", (PyCFunction)join, METH_NOARGS,
     CALL("join($self, /)") "Wait until all items that were put in have been dealt with."},
    {"qsize", (PyCFunction)qsize, METH_NOARGS, CALL("qsize($self, /)") "How many items there are now."},
    {"empty", (PyCFunction)empty, METH_NOARGS, CALL("empty($self, /)") "Whether there is no item now."},
    {"full", (PyCFunction)full, METH_NOARGS, CALL("full($self, /)") "Whether there is no room now."},
#if PY_VERSION_HEX >= 0x030D0000
    {"shutdown", (PyCFunction)(void (*)(void))shutdown, FAST,
     CALL("shutdown($self, /, immediate=False)") "Have put() raise ShutDown from now on, and get() when nothing is "
                                                 "left, which is at once if immediate."},
#endif
    {"_qsize", (PyCFunction)items_qsize, METH_NOARGS, NULL},
    {"_init", (PyCFunction)items_init, METH_O, NULL},
    {"_put", (PyCFunction)items_fifo_put, METH_O, NULL},
    {"_get", (PyCFunction)items_fifo_get, METH_NOARGS, NULL},
    {"__reduce__", (PyCFunction)reduce, METH_NOARGS, NULL},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "See PEP 585"},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"queue", T_OBJECT_EX, offsetof(struct queue, items), 0, NULL},
    {"mutex", T_OBJECT_EX, offsetof(struct queue, mutex), READONLY, NULL},
    {"not_empty", T_OBJECT_EX, offsetof(struct queue, not_empty), READONLY, NULL},
    {"not_full", T_OBJECT_EX, offsetof(struct queue, not_full), READONLY, NULL},
    {"all_tasks_done", T_OBJECT_EX, offsetof(struct queue, all_tasks_done), READONLY, NULL},
    {"unfinished_tasks", T_PYSSIZET, offsetof(struct queue, unfinished), 0, NULL},
#if PY_VERSION_HEX >= 0x030D0000
    {"is_shutdown", T_BOOL, offsetof(struct queue, is_shutdown), 0, NULL},
#endif
    {"__dictoffset__", T_PYSSIZET, offsetof(struct queue, dict), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(struct queue, weak), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef getset[] = {
    {"maxsize", (getter)get_maxsize, (setter)put_maxsize, NULL, NULL},
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    SLOT(Py_tp_new, fifo_new),
    SLOT(Py_tp_init, init),
    SLOT(Py_tp_traverse, traverse),
    SLOT(Py_tp_clear, clear),
    SLOT(Py_tp_dealloc, dealloc),
    SLOT(Py_tp_methods, methods),
    SLOT(Py_tp_members, members),
    SLOT(Py_tp_getset, getset),
    SLOT(Py_tp_doc, "Queue(maxsize=0)\n--\n\nItems come out in the order in which they were put in, by any threads.\n\n"
                    "There is room for maxsize items; for any number, if that is 0 or less."),
    {0, NULL},
};

PyType_Spec queue_spec = {
    .name = "queue.Queue",
    .basicsize = sizeof(struct queue),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};

static PyMethodDef lifo_methods[] = {
    {"_put", (PyCFunction)items_lifo_put, METH_O, NULL},
    {"_get", (PyCFunction)items_lifo_get, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot lifo_slots[] = {
    SLOT(Py_tp_new, lifo_new),
    SLOT(Py_tp_traverse, traverse),
    SLOT(Py_tp_clear, clear),
    SLOT(Py_tp_dealloc, dealloc),
    SLOT(Py_tp_methods, lifo_methods),
    SLOT(Py_tp_doc, "LifoQueue(maxsize=0)\n--\n\nA queue from which the last item comes first."),
    {0, NULL},
};

PyType_Spec lifo_queue_spec = {
    .name = "queue.LifoQueue",
    .basicsize = sizeof(struct queue),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = lifo_slots,
};

static PyMethodDef priority_methods[] = {
    {"_put", (PyCFunction)items_priority_put, METH_O, NULL},
    {"_get", (PyCFunction)items_priority_get, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot priority_slots[] = {
    SLOT(Py_tp_new, priority_new),
    SLOT(Py_tp_traverse, traverse),
    SLOT(Py_tp_clear, clear),
    SLOT(Py_tp_dealloc, dealloc),
    SLOT(Py_tp_methods, priority_methods),
    SLOT(Py_tp_doc, "PriorityQueue(maxsize=0)\n--\n\nA queue from which the smallest item comes first."),
    {0, NULL},
};

PyType_Spec priority_queue_spec = {
    .name = "queue.PriorityQueue",
    .basicsize = sizeof(struct queue),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = priority_slots,
};
