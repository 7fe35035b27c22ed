/* core.c - the module cthreading._core: its types, and the functions that `threading` is made of beside them. */

#include "core.h"

/* -- Functions ---------------------------------------------------------------------------------------------------- */

static PyObject *new_lock(PyObject *module, PyObject *Py_UNUSED(none))
{
    return lock_new(PyModule_GetState(module));
}

/* threading.current_thread(), with the dictionary of the threads known here. */
static PyObject *current_thread(PyObject *module, PyObject *Py_UNUSED(none))
{
    struct state *state = PyModule_GetState(module);
    PyObject *ident = PyLong_FromUnsignedLong(PyThread_get_thread_ident());
    if (!ident)
        return NULL;
    PyObject *thread = state->active ? PyDict_GetItemWithError(state->active, ident) : NULL;
    Py_DECREF(ident);
    if (thread)
        return Py_NewRef(thread);
    if (PyErr_Occurred())
        return NULL;
    if (!state->dummy) {
        PyErr_SetString(PyExc_RuntimeError, "the module is not set up yet");
        return NULL;
    }
    return PyObject_CallNoArgs(state->dummy);
}

/* _adopt(name): makes the calling thread one of the library's, under this name at the system. */
static PyObject *adopt(PyObject *Py_UNUSED(module), PyObject *name)
{
    const char *text = PyUnicode_AsUTF8(name);
    thr_thread *self = thr_current_thread();
    if (!text) {
        PyErr_Clear(); /* a name that cannot be encoded stays ours alone */
        Py_RETURN_NONE;
    }
    if (self && thr_thread_set_name(self, text) == THR_NO_MEMORY)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

/* The thread with this number at the system, with a reference; or NULL. */
static thr_thread *find_thread(unsigned long native_id)
{
    enum { AT_ONCE = 64 };
    thr_thread *some[AT_ONCE];
    thr_thread **all = some;
    thr_thread *found = NULL;
    size_t room = AT_ONCE;
    size_t count = thr_enumerate(all, room);
    if (count > room) {
        for (size_t i = 0; i < room; i++)
            thr_thread_unref(all[i]);
        room = count;
        all = PyMem_New(thr_thread *, room);
        if (!all)
            return NULL;
        count = thr_enumerate(all, room);
    }
    for (size_t i = 0; i < count && i < room; i++) {
        if (!found && thr_thread_native_id(all[i]) == native_id)
            found = all[i];
        else
            thr_thread_unref(all[i]);
    }
    if (all != some)
        PyMem_Free(all);
    return found;
}

/* _rename(native_id, name): gives a running thread another name at the system. */
static PyObject *rename_thread(PyObject *Py_UNUSED(module), PyObject *args)
{
    unsigned long native_id;
    PyObject *name;
    if (!PyArg_ParseTuple(args, "kU:_rename", &native_id, &name))
        return NULL;
    const char *text = PyUnicode_AsUTF8(name);
    if (!text)
        PyErr_Clear(); /* as in _adopt */
    thr_thread *thread = text ? find_thread(native_id) : NULL;
    bool renamed = !thread || thr_thread_set_name(thread, text) != THR_NO_MEMORY;
    if (thread)
        thr_thread_unref(thread);
    return renamed ? Py_NewRef(Py_None) : PyErr_NoMemory();
}

/* _wait_released(lock, timeout): acquires and releases a lock, with nothing in between; whether in time. */
static PyObject *wait_released(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *lock;
    PyObject *timeout;
    if (!PyArg_ParseTuple(args, "OO:_wait_released", &lock, &timeout))
        return NULL;
    PyObject *taken = PyObject_CallMethod(lock, "acquire", "OO", Py_True, timeout);
    int truth = taken ? PyObject_IsTrue(taken) : -1;
    if (truth > 0) {
        PyObject *released = PyObject_CallMethod(lock, "release", NULL);
        if (!released)
            Py_CLEAR(taken);
        Py_XDECREF(released);
    }
    return taken;
}

/* _dump(fd): what every thread waits for. */
static PyObject *dump(PyObject *Py_UNUSED(module), PyObject *fd)
{
    int number = PyObject_AsFileDescriptor(fd);
    if (number < 0)
        return NULL;
    thr_dump(number);
    Py_RETURN_NONE;
}

/* _use(name=object, ...): what belongs to the module in Python, and is needed here. */
static PyObject *use(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static const char *const names[] = {"broken_barrier", "empty", "full",          "shut_down",
                                        "active",         "dummy", "barrier_parts", NULL};
    static const struct signature signature = {"_use", names, 0, 0};
    struct state *state = PyModule_GetState(module);
    PyObject **places[] = {&state->broken_barrier, &state->empty, &state->full,         &state->shut_down,
                           &state->active,         &state->dummy, &state->barrier_parts};
    enum { PLACES = sizeof places / sizeof places[0] };
    PyObject *given[PLACES] = {NULL};
    if (!args_parse_tuple(&signature, args, kwargs, given))
        return NULL;
    for (int i = 0; i < PLACES; i++) {
        if (given[i])
            Py_XSETREF(*places[i], Py_NewRef(given[i]));
    }
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"Lock", new_lock, METH_NOARGS, CALL("Lock($module, /)") "Make a lock that is free."},
    {"current_thread", current_thread, METH_NOARGS,
     CALL("current_thread($module, /)") "The Thread of the caller; for one that was started otherwise, a stand-in is "
                                        "made."},
    {"_adopt", adopt, METH_O, NULL},
    {"_rename", rename_thread, METH_VARARGS, NULL},
    {"_wait_released", wait_released, METH_VARARGS, NULL},
    {"_dump", dump, METH_O, NULL},
    {"_use", (PyCFunction)(void (*)(void))use, METH_VARARGS | METH_KEYWORDS, NULL},
    {NULL, NULL, 0, NULL},
};

/* -- The module --------------------------------------------------------------------------------------------------- */

/* Makes a type and puts it into the module. */
static PyTypeObject *add_type(PyObject *module, PyType_Spec *spec, PyTypeObject *base, vectorcallfunc call)
{
    PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, (PyObject *)base);
    if (!type)
        return NULL;
    type->tp_vectorcall = call;
    if (PyModule_AddObjectRef(module, strrchr(spec->name, '.') + 1, (PyObject *)type) < 0)
        Py_CLEAR(type);
    return type;
}

/* Its objects go by CPython's name of the type, `_thread.lock`. The type goes by one that it can be found by: who pickles a
 * reference to threading.Lock, as the managers of multiprocessing do, asks for it. */
static bool name_lock_type(PyTypeObject *type)
{
#if PY_VERSION_HEX < 0x030D0000
    (void)type; /* threading.Lock is a function there */
    return true;
#else
    PyObject *module = PyUnicode_InternFromString("threading");
    PyObject *name = PyUnicode_InternFromString("Lock");
    bool named = module && name && PyDict_SetItemString(type->tp_dict, "__module__", module) == 0;
    if (named)
        Py_XSETREF(((PyHeapTypeObject *)type)->ht_qualname, Py_NewRef(name));
    Py_XDECREF(module);
    Py_XDECREF(name);
    return named;
#endif
}

static bool add_types(PyObject *module, struct state *state)
{
    PyTypeObject *event;
    PyTypeObject *bounded;
    PyTypeObject *barrier;
    bool made = (state->lock = add_type(module, &lock_spec, NULL, NULL)) &&
                (state->rlock = add_type(module, &rlock_spec, NULL, rlock_vectorcall)) &&
                (state->condition = add_type(module, &condition_spec, NULL, condition_vectorcall)) &&
                (state->semaphore = add_type(module, &semaphore_spec, NULL, semaphore_vectorcall)) &&
                (state->queue = add_type(module, &queue_spec, NULL, NULL)) &&
                (state->lifo_queue = add_type(module, &lifo_queue_spec, state->queue, NULL)) &&
                (state->priority_queue = add_type(module, &priority_queue_spec, state->queue, NULL));
    if (!made || !name_lock_type(state->lock))
        return false;
    event = add_type(module, &event_spec, NULL, event_vectorcall);
    bounded = add_type(module, &bounded_semaphore_spec, state->semaphore, bounded_semaphore_vectorcall);
    barrier = add_type(module, &barrier_spec, NULL, barrier_vectorcall);
    Py_XDECREF(event);
    Py_XDECREF(bounded);
    Py_XDECREF(barrier);
    return event && bounded && barrier;
}

static PyObject *import_name(const char *module, const char *name)
{
    PyObject *imported = PyImport_ImportModule(module);
    PyObject *object = imported ? PyObject_GetAttrString(imported, name) : NULL;
    Py_XDECREF(imported);
    return object;
}

static int execute(PyObject *module)
{
    struct state *state = PyModule_GetState(module);
    bool imported = (state->deque = import_name("_collections", "deque")) &&
                    (state->deque_append = PyObject_GetAttrString(state->deque, "append")) &&
                    (state->deque_popleft = PyObject_GetAttrString(state->deque, "popleft")) &&
                    (state->heappush = import_name("heapq", "heappush")) &&
                    (state->heappop = import_name("heapq", "heappop"));
    if (!imported || !add_types(module, state))
        return -1;
    return PyModule_AddStringConstant(module, "library_version", thr_version());
}

// NOLINTNEXTLINE(readability-function-size): a list, of which each line is a macro with statements of its own
static int traverse(PyObject *module, visitproc visit, void *arg)
{
    struct state *state = PyModule_GetState(module);
    Py_VISIT(state->lock);
    Py_VISIT(state->rlock);
    Py_VISIT(state->condition);
    Py_VISIT(state->semaphore);
    Py_VISIT(state->queue);
    Py_VISIT(state->lifo_queue);
    Py_VISIT(state->priority_queue);
    Py_VISIT(state->deque);
    Py_VISIT(state->deque_append);
    Py_VISIT(state->deque_popleft);
    Py_VISIT(state->heappush);
    Py_VISIT(state->heappop);
    Py_VISIT(state->broken_barrier);
    Py_VISIT(state->empty);
    Py_VISIT(state->full);
    Py_VISIT(state->shut_down);
    Py_VISIT(state->barrier_parts);
    Py_VISIT(state->active);
    Py_VISIT(state->dummy);
    return 0;
}

// NOLINTNEXTLINE(readability-function-size): the same list
static int clear(PyObject *module)
{
    struct state *state = PyModule_GetState(module);
    Py_CLEAR(state->lock);
    Py_CLEAR(state->rlock);
    Py_CLEAR(state->condition);
    Py_CLEAR(state->semaphore);
    Py_CLEAR(state->queue);
    Py_CLEAR(state->lifo_queue);
    Py_CLEAR(state->priority_queue);
    Py_CLEAR(state->deque);
    Py_CLEAR(state->deque_append);
    Py_CLEAR(state->deque_popleft);
    Py_CLEAR(state->heappush);
    Py_CLEAR(state->heappop);
    Py_CLEAR(state->broken_barrier);
    Py_CLEAR(state->empty);
    Py_CLEAR(state->full);
    Py_CLEAR(state->shut_down);
    Py_CLEAR(state->barrier_parts);
    Py_CLEAR(state->active);
    Py_CLEAR(state->dummy);
    return 0;
}

static void dealloc(void *module)
{
    (void)clear(module);
}

static PyModuleDef_Slot slots[] = {
    SLOT(Py_mod_exec, execute),
#if PY_VERSION_HEX >= 0x030C0000
    SLOT(Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED),
#endif
    {0, NULL},
};

struct PyModuleDef core_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "cthreading._core",
    .m_doc = "The objects of threading and queue, on the C library.",
    .m_size = sizeof(struct state),
    .m_methods = functions,
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
    .m_free = dealloc,
};

PyMODINIT_FUNC PyInit__core(void); // NOLINT(readability-identifier-naming): the interpreter looks for this name

PyMODINIT_FUNC PyInit__core(void) // NOLINT(readability-identifier-naming): as above
{
    return PyModuleDef_Init(&core_module);
}
