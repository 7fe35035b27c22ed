/* args.c - arguments and timeouts, with the messages that functions written in Python have. */

#include <math.h>

#include "core.h"

enum { NANOSECONDS = 1000000000 };

#define TIME_RANGE 9223372036854775808.0 /* 2 to the power of 63 */

/* -- Arguments ---------------------------------------------------------------------------------------------------- */

static bool too_many(const struct signature *signature, Py_ssize_t nargs)
{
    Py_ssize_t least = signature->required + 1; /* with self, as Python counts */
    Py_ssize_t most = signature->positional + 1;
    if (least == most)
        PyErr_Format(PyExc_TypeError, "%s() takes %zd positional argument%s but %zd were given", signature->name, most,
                     most == 1 ? "" : "s", nargs + 1);
    else
        PyErr_Format(PyExc_TypeError, "%s() takes from %zd to %zd positional arguments but %zd were given",
                     signature->name, least, most, nargs + 1);
    return false;
}

static bool put_named(const struct signature *signature, PyObject *name, PyObject *value, PyObject **out)
{
    for (Py_ssize_t i = 0; signature->names[i]; i++) {
        if (PyUnicode_CompareWithASCIIString(name, signature->names[i]) != 0)
            continue;
        if (out[i]) {
            PyErr_Format(PyExc_TypeError, "%s() got multiple values for argument '%U'", signature->name, name);
            return false;
        }
        out[i] = value;
        return true;
    }
    PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'", signature->name, name);
    return false;
}

static bool put_positional(const struct signature *signature, PyObject *const *args, Py_ssize_t nargs, PyObject **out)
{
    if (nargs > signature->positional)
        return too_many(signature, nargs);
    for (Py_ssize_t i = 0; i < nargs; i++)
        out[i] = args[i];
    return true;
}

static bool all_there(const struct signature *signature, PyObject *const *out)
{
    for (Py_ssize_t i = 0; i < signature->required; i++) {
        if (!out[i]) { // NOLINT(clang-analyzer-core.uninitialized.Branch): there are as many as names, set by the caller
            PyErr_Format(PyExc_TypeError, "%s() missing 1 required positional argument: '%s'", signature->name,
                         signature->names[i]);
            return false;
        }
    }
    return true;
}

bool args_parse(const struct signature *signature, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames,
                PyObject **out)
{
    if (!put_positional(signature, args, nargs, out))
        return false;
    Py_ssize_t named = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
    for (Py_ssize_t i = 0; i < named; i++) {
        if (!put_named(signature, PyTuple_GET_ITEM(kwnames, i), args[nargs + i], out))
            return false;
    }
    return all_there(signature, out);
}

bool args_parse_tuple(const struct signature *signature, PyObject *args, PyObject *kwargs, PyObject **out)
{
    if (!put_positional(signature, PySequence_Fast_ITEMS(args), PyTuple_GET_SIZE(args), out))
        return false;
    PyObject *name;
    PyObject *value;
    Py_ssize_t at = 0;
    while (kwargs && PyDict_Next(kwargs, &at, &name, &value)) {
        if (!put_named(signature, name, value, out))
            return false;
    }
    return all_there(signature, out);
}

int args_bool(PyObject *value, int otherwise)
{
    return value ? PyObject_IsTrue(value) : otherwise;
}

/* Whether a subclass says what its state is: 1, 0, or -1. */
static int has_getstate(PyTypeObject *type)
{
    PyObject *own = PyObject_GetAttrString((PyObject *)type, "__getstate__");
    PyObject *general = own ? PyObject_GetAttrString((PyObject *)&PyBaseObject_Type, "__getstate__") : NULL;
    int has = general ? own != general : -1;
    Py_XDECREF(own);
    Py_XDECREF(general);
    return has;
}

PyObject *args_reduce(PyObject *self, const char *name)
{
    int has = has_getstate(Py_TYPE(self));
    if (has == 0)
        PyErr_Format(PyExc_TypeError, "cannot pickle '%s' object", name);
    if (has <= 0)
        return NULL;
    PyObject *copyreg = PyImport_ImportModule("copyreg");
    PyObject *make = copyreg ? PyObject_GetAttrString(copyreg, "__newobj__") : NULL;
    PyObject *value = make ? PyObject_CallMethod(self, "__getstate__", NULL) : NULL;
    PyObject *parts = value ? Py_BuildValue("O(O)O", make, Py_TYPE(self), value) : NULL;
    Py_XDECREF(copyreg);
    Py_XDECREF(make);
    Py_XDECREF(value);
    return parts;
}

PyObject *args_repr(PyObject *self, const char *status)
{
    PyObject *type = (PyObject *)Py_TYPE(self);
    PyObject *module = PyObject_GetAttrString(type, "__module__");
    PyObject *name = module ? PyObject_GetAttrString(type, "__qualname__") : NULL;
    PyObject *text = name ? PyUnicode_FromFormat("<%S.%S at %p: %s>", module, name, self, status) : NULL;
    Py_XDECREF(module);
    Py_XDECREF(name);
    return text;
}

/* -- Timeouts ----------------------------------------------------------------------------------------------------- */

#if PY_VERSION_HEX >= 0x030D0000
#define TOO_LARGE "timestamp too large to convert to C PyTime_t"
#define NEGATIVE "timeout value must be a non-negative number"
#else
#define TOO_LARGE "timestamp too large to convert to C _PyTime_t"
#define NEGATIVE "timeout value must be positive"
#endif

static bool too_large(const char *message)
{
    PyErr_SetString(PyExc_OverflowError, message);
    return false;
}

static bool whole_seconds(PyObject *seconds, thr_time *span)
{
    int overflows;
    long long whole = PyLong_AsLongLongAndOverflow(seconds, &overflows);
    if (whole == -1 && !overflows && PyErr_Occurred())
        return false;
    if (overflows || __builtin_mul_overflow(whole, (thr_time)NANOSECONDS, span))
        return too_large(TOO_LARGE);
    return true;
}

bool args_seconds(PyObject *seconds, thr_time *span)
{
    if (!PyFloat_Check(seconds)) {
        if (PyIndex_Check(seconds)) {
            PyObject *whole = PyNumber_Index(seconds);
            bool done = whole && whole_seconds(whole, span);
            Py_XDECREF(whole);
            return done;
        }
        PyErr_Format(PyExc_TypeError, "'%.200s' object cannot be interpreted as an integer", Py_TYPE(seconds)->tp_name);
        return false;
    }
    double value = PyFloat_AS_DOUBLE(seconds);
    if (isnan(value)) {
        PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
        return false;
    }
    value *= NANOSECONDS;
    value = value < 0 ? floor(value) : ceil(value); /* away from 0, as in CPython */
    if (!(value >= -TIME_RANGE && value < TIME_RANGE))
        return too_large("timestamp out of range for platform time_t");
    *span = (thr_time)value;
    return true;
}

thr_time args_deadline(thr_time span)
{
    thr_time deadline;
    if (span <= 0)
        return 0;
    return __builtin_add_overflow(thr_now(), span, &deadline) ? THR_FOREVER : deadline;
}

bool args_timeout(PyObject *timeout, thr_time *deadline)
{
    *deadline = THR_FOREVER;
    if (!timeout || timeout == Py_None)
        return true;
    if (!PyFloat_CheckExact(timeout) && !PyLong_CheckExact(timeout)) {
        PyObject *zero = PyLong_FromLong(0);
        int positive = zero ? PyObject_RichCompareBool(timeout, zero, Py_GT) : -1;
        Py_XDECREF(zero);
        if (positive <= 0) {
            *deadline = 0;
            return positive == 0;
        }
    } else if (PyFloat_CheckExact(timeout) && !(PyFloat_AS_DOUBLE(timeout) > 0)) {
        *deadline = 0;
        return true;
    }
    thr_time span;
    if (!args_seconds(timeout, &span))
        return false;
    *deadline = args_deadline(span);
    return true;
}

bool args_acquire(const struct signature *signature, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames,
                  thr_time *deadline)
{
    PyObject *values[2] = {NULL, NULL};
    *deadline = THR_FOREVER;
    if (nargs == 0 && !kwnames)
        return true;
    if (!args_parse(signature, args, nargs, kwnames, values))
        return false;
    int blocking = args_bool(values[0], 1);
    thr_time span = -(thr_time)NANOSECONDS; /* -1 second: no timeout was given */
    if (blocking < 0 || (values[1] && !args_seconds(values[1], &span)))
        return false;
    if (span != -(thr_time)NANOSECONDS) {
        if (!blocking || span < 0) {
            PyErr_SetString(PyExc_ValueError, blocking ? NEGATIVE : "can't specify a timeout for a non-blocking call");
            return false;
        }
        *deadline = args_deadline(span);
    } else if (!blocking) {
        *deadline = 0;
    }
    return true;
}
