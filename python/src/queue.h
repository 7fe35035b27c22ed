/* queue.h - a queue, for queue.c, and its container, for that: queue_items.c.
 *
 * The container is asked through _qsize, _put and _get where a subclass or an attribute of the object might have replaced
 * them, else directly. All is called with the queue's mutex held. */

#ifndef QUEUE_H
#define QUEUE_H

#include "core.h"

enum kind { FIFO, LIFO, PRIORITY };

struct queue {
    PyObject_HEAD
    PyObject *dict;
    PyObject *weak;
    PyObject *items; /* `queue` */
    PyObject *maxsize;
    Py_ssize_t limit; /* maxsize as a number; 0: none */
    struct lock *mutex;
    struct condition *not_empty;
    struct condition *not_full;
    struct condition *all_tasks_done;
    struct state *state;
    Py_ssize_t unfinished;
    char is_shutdown;
    bool exact; /* its type is one of these three */
    enum kind kind;
};

/* Whether nobody can have replaced how the container is asked. */
static inline bool items_direct(const struct queue *self)
{
    return self->exact && !self->dict;
}

/* None, or with an exception NULL. */
static inline PyObject *done(bool well)
{
    return well ? Py_NewRef(Py_None) : NULL;
}

/* Puts an item in; None, or NULL. */
PyObject *items_put(struct queue *self, PyObject *item);

/* Takes one out. */
PyObject *items_get(struct queue *self);

/* How many there are, or -1. */
Py_ssize_t items_size(struct queue *self);

/* -- The methods _qsize, _init, _put and _get ---------------------------------------------------------------------- */

PyObject *items_qsize(struct queue *self, PyObject *none);
PyObject *items_init(struct queue *self, PyObject *maxsize);
PyObject *items_fifo_put(struct queue *self, PyObject *item);
PyObject *items_fifo_get(struct queue *self, PyObject *none);
PyObject *items_lifo_put(struct queue *self, PyObject *item);
PyObject *items_lifo_get(struct queue *self, PyObject *none);
PyObject *items_priority_put(struct queue *self, PyObject *item);
PyObject *items_priority_get(struct queue *self, PyObject *none);

#endif
