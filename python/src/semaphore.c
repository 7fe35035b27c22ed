/* semaphore.c - threading.Semaphore and BoundedSemaphore: a thr_bounded_semaphore, whose bound is the most that
 * it can count in a Semaphore.
 *
 * A semaphore of ours counts up to THR_SEMAPHORE_MAX, one of Python's without limit. What is above is kept in `surplus`,
 * which the GIL guards.
 *
 * I1  surplus > 0 => the thr_semaphore is full: it is filled first, and taken from last. So nobody waits in it then. */

#include "core.h"

struct semaphore {
    PyObject_HEAD
    PyObject *dict;
    PyObject *weak;
    thr_bounded_semaphore semaphore;
    uint32_t waiting;
    Py_ssize_t surplus;
    Py_ssize_t bound; /* of a BoundedSemaphore, its first value; else the largest number */
};

static const char *const init_names[] = {"value", NULL};
static const struct signature init_signature = {"Semaphore.__init__", init_names, 0, 1};
static const struct signature bounded_init_signature = {"BoundedSemaphore.__init__", init_names, 0, 1};
static const char *const acquire_names[] = {"blocking", "timeout", NULL};
static const struct signature acquire_signature = {"Semaphore.acquire", acquire_names, 0, 2};
static const char *const release_names[] = {"n", NULL};
static const struct signature release_signature = {"Semaphore.release", release_names, 0, 1};

static Py_ssize_t value_of(const struct semaphore *self)
{
    return (Py_ssize_t)thr_bounded_semaphore_value(&self->semaphore) + self->surplus;
}

/* -- Making ------------------------------------------------------------------------------------------------------- */

static bool set_value(struct semaphore *self, PyObject *value, bool bounded)
{
    Py_ssize_t number = value ? PyNumber_AsSsize_t(value, PyExc_OverflowError) : 1;
    if (number == -1 && PyErr_Occurred()) {
        int negative = value && PyErr_ExceptionMatches(PyExc_OverflowError) ? -1 : 0;
        if (negative == 0)
            return false;
    }
    if (number < 0) {
        PyErr_SetString(PyExc_ValueError, "semaphore initial value must be >= 0");
        return false;
    }
    Py_ssize_t most = THR_SEMAPHORE_MAX;
    uint32_t first = (uint32_t)(number < most ? number : most);
    self->semaphore = (thr_bounded_semaphore){THR_SEMAPHORE_INIT(first), bounded ? first : THR_SEMAPHORE_MAX};
    self->surplus = number - (Py_ssize_t)first;
    self->bound = bounded ? number : PY_SSIZE_T_MAX;
    return true;
}

static PyObject *make(PyObject *type, PyObject *value, bool bounded)
{
    struct semaphore *self = (struct semaphore *)((PyTypeObject *)type)->tp_alloc((PyTypeObject *)type, 0);
    if (self && !set_value(self, value, bounded))
        Py_CLEAR(self);
    return (PyObject *)self;
}

static PyObject *type_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    return make((PyObject *)type, NULL, false);
}

static int init_as(struct semaphore *self, PyObject *args, PyObject *kwargs, bool bounded)
{
    PyObject *value = NULL;
    if (!args_parse_tuple(bounded ? &bounded_init_signature : &init_signature, args, kwargs, &value))
        return -1;
    if (self->waiting != 0) {
        PyErr_SetString(PyExc_RuntimeError, "cannot initialise a semaphore that threads wait for");
        return -1;
    }
    return set_value(self, value, bounded) ? 0 : -1;
}

static int init(struct semaphore *self, PyObject *args, PyObject *kwargs)
{
    return init_as(self, args, kwargs, false);
}

static int bounded_init(struct semaphore *self, PyObject *args, PyObject *kwargs)
{
    return init_as(self, args, kwargs, true);
}

PyObject *semaphore_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *value = NULL;
    bool parsed = args_parse(&init_signature, args, PyVectorcall_NARGS(nargsf), kwnames, &value);
    return parsed ? make(type, value, false) : NULL;
}

PyObject *bounded_semaphore_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyObject *value = NULL;
    bool parsed = args_parse(&bounded_init_signature, args, PyVectorcall_NARGS(nargsf), kwnames, &value);
    return parsed ? make(type, value, true) : NULL;
}

static int traverse(struct semaphore *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->dict);
    return 0;
}

static int clear(struct semaphore *self)
{
    Py_CLEAR(self->dict);
    return 0;
}

static void dealloc(struct semaphore *self)
{
    object_leave((PyObject *)self, self->weak);
    (void)clear(self);
    object_free((PyObject *)self);
}

/* -- Acquire ------------------------------------------------------------------------------------------------------ */

static bool take(struct semaphore *self)
{
    if (self->surplus > 0) {
        self->surplus--;
        return true;
    }
    return thr_bounded_semaphore_try_acquire(&self->semaphore);
}

static PyObject *take_blocked(struct semaphore *self, thr_time deadline)
{
    struct blocking blocking;
    self->waiting++;
    block_begin(&blocking);
    thr_result result = thr_bounded_semaphore_acquire_until(&self->semaphore, deadline);
    bool undisturbed = block_end(&blocking);
    self->waiting--;
    if (undisturbed)
        return PyBool_FromLong(result == THR_OK);
    if (result == THR_OK)
        (void)thr_bounded_semaphore_release(&self->semaphore, 1); /* a handler raised just when a permit came */
    return NULL;
}

static bool acquire_deadline(PyObject *const *values, thr_time *deadline)
{
    int blocking = args_bool(values[0], 1);
    if (blocking < 0)
        return false;
    if (blocking)
        return args_timeout(values[1], deadline);
    if (values[1] && values[1] != Py_None) {
        PyErr_SetString(PyExc_ValueError, "can't specify timeout for non-blocking acquire");
        return false;
    }
    *deadline = 0;
    return true;
}

static PyObject *acquire(struct semaphore *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *values[2] = {NULL, NULL};
    thr_time deadline = THR_FOREVER;
    if ((nargs != 0 || kwnames) &&
        (!args_parse(&acquire_signature, args, nargs, kwnames, values) || !acquire_deadline(values, &deadline)))
        return NULL;
    if (take(self))
        Py_RETURN_TRUE;
    if (deadline == 0)
        Py_RETURN_FALSE;
    return take_blocked(self, deadline);
}

/* -- Release ------------------------------------------------------------------------------------------------------ */

static bool refuse(PyObject *type, const char *message)
{
    PyErr_SetString(type, message);
    return false;
}

/* Where the semaphore of the library has no room for all of them: it is filled, the rest is surplus, or too many. */
static bool give_more(struct semaphore *self, Py_ssize_t n)
{
    Py_ssize_t value = value_of(self);
    if (n > self->bound - value)
        return self->bound == PY_SSIZE_T_MAX ? refuse(PyExc_OverflowError, "semaphore value too large")
                                             : refuse(PyExc_ValueError, "Semaphore released too many times");
    Py_ssize_t room = (Py_ssize_t)THR_SEMAPHORE_MAX - (Py_ssize_t)thr_bounded_semaphore_value(&self->semaphore);
    Py_ssize_t part = n < room ? n : room;
    /* Others can only take permits meanwhile: there is room. */
    (void)thr_bounded_semaphore_release(&self->semaphore, (uint32_t)part);
    n -= part;
    self->surplus += n;
    return true;
}

static bool count_of(PyObject *n, Py_ssize_t *count)
{
    *count = n ? PyNumber_AsSsize_t(n, PyExc_OverflowError) : 1;
    if (*count == -1 && PyErr_Occurred())
        return false;
    return *count >= 1 || refuse(PyExc_ValueError, "n must be one or more");
}

static PyObject *release(struct semaphore *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *n = NULL;
    Py_ssize_t count = 1;
    if ((nargs != 0 || kwnames) && (!args_parse(&release_signature, args, nargs, kwnames, &n) || !count_of(n, &count)))
        return NULL;
    struct waking waking;
    thr_result result = THR_TOO_MANY;
    waking_begin(&waking, self->waiting != 0, false);
    if (count <= (Py_ssize_t)THR_SEMAPHORE_MAX)
        result = thr_bounded_semaphore_release(&self->semaphore, (uint32_t)count);
    waking_end(&waking);
    return result == THR_OK || give_more(self, count) ? Py_NewRef(Py_None) : NULL;
}

static PyObject *leave(struct semaphore *self, PyObject *const *Py_UNUSED(args), Py_ssize_t Py_UNUSED(nargs))
{
    PyObject *none = PyObject_CallMethod((PyObject *)self, "release", NULL);
    return none;
}

/* -- The rest ----------------------------------------------------------------------------------------------------- */

static PyObject *get_value(struct semaphore *self, void *Py_UNUSED(closure))
{
    return PyLong_FromSsize_t(value_of(self));
}

static PyObject *get_bound(struct semaphore *self, void *Py_UNUSED(closure))
{
    return PyLong_FromSsize_t(self->bound);
}

static PyObject *repr_as(struct semaphore *self, const char *format)
{
    PyObject *status = PyUnicode_FromFormat(format, value_of(self), self->bound);
    PyObject *text = status ? args_repr((PyObject *)self, PyUnicode_AsUTF8(status)) : NULL;
    Py_XDECREF(status);
    return text;
}

static PyObject *repr(struct semaphore *self)
{
    return repr_as(self, "value=%zd");
}

static PyObject *bounded_repr(struct semaphore *self)
{
    return repr_as(self, "value=%zd/%zd");
}

static PyObject *reduce(struct semaphore *self, PyObject *Py_UNUSED(none))
{
    return args_reduce((PyObject *)self, "_thread.lock");
}

#define FAST (METH_FASTCALL | METH_KEYWORDS)

static PyMethodDef methods[] = {
    {"acquire", (PyCFunction)(void (*)(void))acquire, FAST,
     CALL("acquire($self, /, blocking=True, timeout=None)") "Take a permit; whether that was done in time."},
    {"release", (PyCFunction)(void (*)(void))release, FAST,
     CALL("release($self, /, n=1)") "Add n permits and let up to n waiting threads go."},
    {"__enter__", (PyCFunction)(void (*)(void))acquire, FAST,
     CALL("__enter__($self, /, blocking=True, timeout=None)") "Take a permit."},
    {"__exit__", (PyCFunction)(void (*)(void))leave, METH_FASTCALL,
     CALL("__exit__($self, /, t, v, tb)") "Give it back."},
    {"__reduce__", (PyCFunction)reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(struct semaphore, dict), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(struct semaphore, weak), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef getset[] = {
    {"_value", (getter)get_value, NULL, NULL, NULL},
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
    SLOT(Py_tp_doc, "Semaphore(value=1)\n--\n\nA number of permits, which threads take and give back."),
    {0, NULL},
};

PyType_Spec semaphore_spec = {
    .name = "threading.Semaphore",
    .basicsize = sizeof(struct semaphore),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};

static PyGetSetDef bounded_getset[] = {
    {"_initial_value", (getter)get_bound, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot bounded_slots[] = {
    SLOT(Py_tp_init, bounded_init),
    SLOT(Py_tp_repr, bounded_repr),
    SLOT(Py_tp_getset, bounded_getset),
    SLOT(Py_tp_traverse, traverse),
    SLOT(Py_tp_clear, clear),
    SLOT(Py_tp_dealloc, dealloc),
    SLOT(Py_tp_doc, "BoundedSemaphore(value=1)\n--\n\n"
                    "A semaphore that refuses, with ValueError, to be released above its first value."),
    {0, NULL},
};

PyType_Spec bounded_semaphore_spec = {
    .name = "threading.BoundedSemaphore",
    .basicsize = sizeof(struct semaphore),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = bounded_slots,
};
