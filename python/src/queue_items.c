/* queue_items.c - see queue.h: the container of a queue, of each kind. */

#include "queue.h"

static bool has_items(const struct queue *self)
{
    if (!self->items)
        PyErr_SetString(PyExc_AttributeError, "'Queue' object has no attribute 'queue'");
    return self->items != NULL;
}

PyObject *items_fifo_put(struct queue *self, PyObject *item)
{
    if (!has_items(self))
        return NULL;
    if (!Py_IS_TYPE(self->items, (PyTypeObject *)self->state->deque))
        return PyObject_CallMethod(self->items, "append", "O", item);
    PyObject *args[] = {self->items, item};
    return PyObject_Vectorcall(self->state->deque_append, args, 2, NULL);
}

PyObject *items_fifo_get(struct queue *self, PyObject *Py_UNUSED(none))
{
    if (!has_items(self))
        return NULL;
    if (!Py_IS_TYPE(self->items, (PyTypeObject *)self->state->deque))
        return PyObject_CallMethod(self->items, "popleft", NULL);
    return PyObject_Vectorcall(self->state->deque_popleft, &self->items, 1, NULL);
}

PyObject *items_lifo_put(struct queue *self, PyObject *item)
{
    if (!has_items(self))
        return NULL;
    if (!PyList_CheckExact(self->items))
        return PyObject_CallMethod(self->items, "append", "O", item);
    return done(PyList_Append(self->items, item) == 0);
}

PyObject *items_lifo_get(struct queue *self, PyObject *Py_UNUSED(none))
{
    return has_items(self) ? PyObject_CallMethod(self->items, "pop", NULL) : NULL;
}

PyObject *items_priority_put(struct queue *self, PyObject *item)
{
    if (!has_items(self))
        return NULL;
    PyObject *args[] = {self->items, item};
    return PyObject_Vectorcall(self->state->heappush, args, 2, NULL);
}

PyObject *items_priority_get(struct queue *self, PyObject *Py_UNUSED(none))
{
    return has_items(self) ? PyObject_Vectorcall(self->state->heappop, &self->items, 1, NULL) : NULL;
}

PyObject *items_put(struct queue *self, PyObject *item)
{
    if (!items_direct(self))
        return PyObject_CallMethod((PyObject *)self, "_put", "O", item);
    switch (self->kind) {
    case LIFO:
        return items_lifo_put(self, item);
    case PRIORITY:
        return items_priority_put(self, item);
    case FIFO:
    default:
        return items_fifo_put(self, item);
    }
}

PyObject *items_get(struct queue *self)
{
    if (!items_direct(self))
        return PyObject_CallMethod((PyObject *)self, "_get", NULL);
    switch (self->kind) {
    case LIFO:
        return items_lifo_get(self, NULL);
    case PRIORITY:
        return items_priority_get(self, NULL);
    case FIFO:
    default:
        return items_fifo_get(self, NULL);
    }
}

/* How many there are, or -1. */
Py_ssize_t items_size(struct queue *self)
{
    if (items_direct(self))
        return has_items(self) ? PyObject_Size(self->items) : -1;
    PyObject *size = PyObject_CallMethod((PyObject *)self, "_qsize", NULL);
    Py_ssize_t number = size ? PyNumber_AsSsize_t(size, NULL) : -1;
    Py_XDECREF(size);
    return number;
}

PyObject *items_qsize(struct queue *self, PyObject *Py_UNUSED(none))
{
    Py_ssize_t size = has_items(self) ? PyObject_Size(self->items) : -1;
    return size < 0 ? NULL : PyLong_FromSsize_t(size);
}

PyObject *items_init(struct queue *self, PyObject *Py_UNUSED(maxsize))
{
    PyObject *items = self->kind == FIFO ? PyObject_CallNoArgs(self->state->deque) : PyList_New(0);
    if (!items)
        return NULL;
    Py_XSETREF(self->items, items);
    Py_RETURN_NONE;
}
