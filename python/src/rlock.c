/* rlock.c - threading.RLock: a thr_lock with an owner and a count, which the GIL guards.
 *
 * Why not a thr_rlock: a representation names the owner as Python does, and the count may be any unsigned long. */

#include "core.h"

static const char *const names[] = {"blocking", "timeout", NULL};
static const struct signature acquire_signature = {"acquire", names, 0, 2};

PyObject *rlock_new(struct state *state)
{
    return state->rlock->tp_alloc(state->rlock, 0);
}

static PyObject *type_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    return type->tp_alloc(type, 0);
}

/* Arguments are taken and ignored, as in CPython. */
PyObject *rlock_vectorcall(PyObject *type, PyObject *const *Py_UNUSED(args), size_t Py_UNUSED(nargsf),
                           PyObject *Py_UNUSED(kwnames))
{
    return ((PyTypeObject *)type)->tp_alloc((PyTypeObject *)type, 0);
}

static void dealloc(struct rlock *self)
{
    if (self->weak)
        PyObject_ClearWeakRefs((PyObject *)self);
    object_free((PyObject *)self);
}

static PyObject *not_mine(void)
{
    PyErr_SetString(PyExc_RuntimeError, "cannot release un-acquired lock");
    return NULL;
}

PyObject *rlock_acquire(struct rlock *self, thr_time deadline)
{
    if (rlock_is_mine(self)) {
        if (self->count == ULONG_MAX) {
            PyErr_SetString(PyExc_OverflowError, "Internal lock count overflowed");
            return NULL;
        }
        self->count++;
        Py_RETURN_TRUE;
    }
    int taken = holding_acquire(&self->holding, deadline);
    if (taken > 0) {
        self->owner = PyThread_get_thread_ident();
        self->count = 1;
    }
    return taken < 0 ? NULL : PyBool_FromLong(taken);
}

static PyObject *acquire(struct rlock *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    thr_time deadline;
    return args_acquire(&acquire_signature, args, nargs, kwnames, &deadline) ? rlock_acquire(self, deadline) : NULL;
}

PyObject *rlock_release(struct rlock *self)
{
    if (!rlock_is_mine(self))
        return not_mine();
    if (--self->count == 0) {
        self->owner = 0;
        (void)holding_release(&self->holding);
    }
    Py_RETURN_NONE;
}

static PyObject *release(struct rlock *self, PyObject *Py_UNUSED(none))
{
    return rlock_release(self);
}

static PyObject *leave(struct rlock *self, PyObject *const *Py_UNUSED(args), Py_ssize_t Py_UNUSED(nargs))
{
    return rlock_release(self);
}

/* -- What a condition needs --------------------------------------------------------------------------------------- */

static PyObject *is_owned(struct rlock *self, PyObject *Py_UNUSED(none))
{
    return PyBool_FromLong(rlock_is_mine(self));
}

static PyObject *recursion_count(struct rlock *self, PyObject *Py_UNUSED(none))
{
    return PyLong_FromUnsignedLong(rlock_is_mine(self) ? self->count : 0);
}

static PyObject *release_save(struct rlock *self, PyObject *Py_UNUSED(none))
{
    if (self->count == 0)
        return not_mine();
    PyObject *saved = Py_BuildValue("(kk)", self->count, self->owner);
    if (!saved)
        return NULL;
    self->count = 0;
    self->owner = 0;
    (void)holding_release(&self->holding);
    return saved;
}

static PyObject *acquire_restore(struct rlock *self, PyObject *saved)
{
    unsigned long count;
    unsigned long owner;
    if (!PyTuple_Check(saved)) {
        PyErr_SetString(PyExc_TypeError, "_acquire_restore() argument 1 must be a tuple");
        return NULL;
    }
    if (!PyArg_ParseTuple(saved, "kk:_acquire_restore", &count, &owner))
        return NULL;
    holding_retake(&self->holding);
    self->count = count;
    self->owner = owner;
    Py_RETURN_NONE;
}

static PyObject *at_fork_reinit(struct rlock *self, PyObject *Py_UNUSED(none))
{
    memset(&self->holding, 0, sizeof self->holding);
    self->owner = 0;
    self->count = 0;
    Py_RETURN_NONE;
}

static PyObject *repr(struct rlock *self)
{
    return PyUnicode_FromFormat("<%s %s object owner=%lu count=%lu at %p>", self->count ? "locked" : "unlocked",
                                Py_TYPE(self)->tp_name, self->owner, self->count, self);
}

#define FAST (METH_FASTCALL | METH_KEYWORDS)

static PyMethodDef methods[] = {
    {"acquire", (PyCFunction)(void (*)(void))acquire, FAST,
     CALL("acquire($self, /, blocking=True, timeout=-1)") "Take the lock, once more if this thread holds it; whether "
                                                          "that was done in time."},
    {"release", (PyCFunction)release, METH_NOARGS,
     CALL("release($self, /)") "Undo one acquire(); the last frees the lock. RuntimeError if it is not ours."},
    {"__enter__", (PyCFunction)(void (*)(void))acquire, FAST,
     CALL("__enter__($self, /, blocking=True, timeout=-1)") "Take the lock."},
    {"__exit__", (PyCFunction)(void (*)(void))leave, METH_FASTCALL,
     CALL("__exit__($self, /, *exc_info)") "Undo one acquire()."},
    {"_is_owned", (PyCFunction)is_owned, METH_NOARGS, NULL},
    {"_recursion_count", (PyCFunction)recursion_count, METH_NOARGS, NULL},
    {"_release_save", (PyCFunction)release_save, METH_NOARGS, NULL},
    {"_acquire_restore", (PyCFunction)acquire_restore, METH_O, NULL},
    {"_at_fork_reinit", (PyCFunction)at_fork_reinit, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(struct rlock, weak), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot slots[] = {
    SLOT(Py_tp_new, type_new),
    SLOT(Py_tp_dealloc, dealloc),
    SLOT(Py_tp_repr, repr),
    SLOT(Py_tp_methods, methods),
    SLOT(Py_tp_members, members),
    SLOT(Py_tp_doc, "A lock that the thread which holds it may take again; it is free after as many releases."),
    {0, NULL},
};

PyType_Spec rlock_spec = {
    .name = "_thread.RLock",
    .basicsize = sizeof(struct rlock),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};
