/* lock.c - threading.Lock: a thr_lock.
 *
 * It goes by the name of CPython's own, `_thread.lock`, in representations and messages. */

#include "core.h"

static const char *const names[] = {"blocking", "timeout", NULL};
static const struct signature acquire_signature = {"acquire", names, 0, 2};

PyObject *lock_new(struct state *state)
{
    return state->lock->tp_alloc(state->lock, 0);
}

#if PY_VERSION_HEX >= 0x030D0000
static PyObject *type_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) != 0 || (kwargs && PyDict_GET_SIZE(kwargs) != 0)) {
        PyErr_SetString(PyExc_TypeError, "lock() takes no arguments");
        return NULL;
    }
    return type->tp_alloc(type, 0);
}
#endif

static void dealloc(struct lock *self)
{
    if (self->weak)
        PyObject_ClearWeakRefs((PyObject *)self);
    object_free((PyObject *)self);
}

static PyObject *acquire(struct lock *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    thr_time deadline;
    if (!args_acquire(&acquire_signature, args, nargs, kwnames, &deadline))
        return NULL;
    int taken = holding_acquire(&self->holding, deadline);
    return taken < 0 ? NULL : PyBool_FromLong(taken);
}

PyObject *lock_release(struct lock *self)
{
    if (!holding_release(&self->holding)) {
        PyErr_SetString(PyExc_RuntimeError, "release unlocked lock");
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *release(struct lock *self, PyObject *Py_UNUSED(none))
{
    return lock_release(self);
}

static PyObject *leave(struct lock *self, PyObject *const *Py_UNUSED(args), Py_ssize_t Py_UNUSED(nargs))
{
    return lock_release(self);
}

static PyObject *locked(struct lock *self, PyObject *Py_UNUSED(none))
{
    return PyBool_FromLong(thr_lock_locked(&self->holding.lock));
}

static PyObject *at_fork_reinit(struct lock *self, PyObject *Py_UNUSED(none))
{
    memset(&self->holding, 0, sizeof self->holding);
    Py_RETURN_NONE;
}

static PyObject *repr(struct lock *self)
{
    return PyUnicode_FromFormat("<%s %s object at %p>", thr_lock_locked(&self->holding.lock) ? "locked" : "unlocked",
                                Py_TYPE(self)->tp_name, self);
}

#define FAST (METH_FASTCALL | METH_KEYWORDS)

static PyMethodDef methods[] = {
    {"acquire", (PyCFunction)(void (*)(void))acquire, FAST,
     CALL("acquire($self, /, blocking=True, timeout=-1)") "Take the lock; whether that was done in time."},
    {"acquire_lock", (PyCFunction)(void (*)(void))acquire, FAST,
     CALL("acquire_lock($self, /, blocking=True, timeout=-1)") "An old name of acquire()."},
    {"release", (PyCFunction)release, METH_NOARGS,
     CALL("release($self, /)") "Free the lock, which any thread may do. RuntimeError if it is free."},
    {"release_lock", (PyCFunction)release, METH_NOARGS, CALL("release_lock($self, /)") "An old name of release()."},
    {"locked", (PyCFunction)locked, METH_NOARGS, CALL("locked($self, /)") "Whether somebody holds the lock."},
    {"locked_lock", (PyCFunction)locked, METH_NOARGS, CALL("locked_lock($self, /)") "An old name of locked()."},
    {"__enter__", (PyCFunction)(void (*)(void))acquire, FAST,
     CALL("__enter__($self, /, blocking=True, timeout=-1)") "Take the lock."},
    {"__exit__", (PyCFunction)(void (*)(void))leave, METH_FASTCALL,
     CALL("__exit__($self, /, *exc_info)") "Free the lock."},
    {"_at_fork_reinit", (PyCFunction)at_fork_reinit, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(struct lock, weak), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot slots[] = {
#if PY_VERSION_HEX >= 0x030D0000
    SLOT(Py_tp_new, type_new),
#endif
    SLOT(Py_tp_dealloc, dealloc),
    SLOT(Py_tp_repr, repr),
    SLOT(Py_tp_methods, methods),
    SLOT(Py_tp_members, members),
    SLOT(Py_tp_doc, CALL("lock()") "A lock: held by nobody or by one thread; any thread may release it."),
    {0, NULL},
};

/* Before 3.13 `threading.Lock` is a function, and the type cannot be called. */
#if PY_VERSION_HEX >= 0x030D0000
#define CALLABLE 0
#else
#define CALLABLE Py_TPFLAGS_DISALLOW_INSTANTIATION
#endif

PyType_Spec lock_spec = {
    .name = "_thread.lock",
    .basicsize = sizeof(struct lock),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | CALLABLE,
    .slots = slots,
};
