"""Which threads there are, and what happens to them at the end of the interpreter and in a fork's child."""

import sys as _sys

import cthreading as _module

from itertools import count as _count
from _thread import get_ident
from _weakrefset import WeakSet as _WeakSet

from . import _arrival

__name__ = "threading"
__all__ = ["BrokenBarrierError", "activeCount", "active_count", "currentThread", "enumerate"]

_handles = _sys.version_info >= (3, 13)


class BrokenBarrierError(RuntimeError):
    """A barrier is broken, or was reset while one waited."""


BrokenBarrierError = _arrival.shared("BrokenBarrierError", lambda: BrokenBarrierError)

_counter = _arrival.shared("_counter", lambda: _count(1).__next__)
_active_limbo_lock = _arrival.shared("_active_limbo_lock", _module._CRLock)
_active = _arrival.shared("_active", dict)  # ident -> Thread
_limbo = _arrival.shared("_limbo", dict)  # threads between the call of start() and their first instructions
_dangling = _arrival.shared("_dangling", _WeakSet)
_threading_atexits = _arrival.shared("_threading_atexits", list)
_SHUTTING_DOWN = False


# -- Questions -------------------------------------------------------------------------------------------------------

def active_count():
    """How many threads are alive."""
    with _module._active_limbo_lock:
        return len(_active) + len(_limbo)


def _enumerate():
    return list(_active.values()) + list(_limbo.values())


def enumerate():
    """A list of all threads that are alive, main and stand-ins for foreign threads included."""
    with _module._active_limbo_lock:
        return _enumerate()


def _deprecated(old, new):
    import warnings
    warnings.warn(f"{old}() is deprecated, use {new}() instead", DeprecationWarning, stacklevel=3)


def activeCount():
    """An old name of active_count()."""
    _deprecated("activeCount", "active_count")
    return _module.active_count()


def currentThread():
    """An old name of current_thread()."""
    _deprecated("currentThread", "current_thread")
    return _module.current_thread()


# -- The end of the interpreter --------------------------------------------------------------------------------------

def _register_atexit(func, *arg, **kwargs):
    """Have func called at the end of the main thread, before the other threads are waited for; the last comes first."""
    if _module._SHUTTING_DOWN:
        raise RuntimeError("can't register atexit after shutdown")
    _threading_atexits.append(lambda: func(*arg, **kwargs))


def _main_interpreter():
    return not hasattr(_module, "_is_main_interpreter") or _module._is_main_interpreter()


def _call_atexits():
    _module._SHUTTING_DOWN = True
    for call in reversed(_threading_atexits):
        call()


if _handles:
    def _shutdown():
        """Wait for the threads that are no daemons. The interpreter calls this at its end."""
        if _module._main_thread._handle.is_done() and _main_interpreter():
            return
        _call_atexits()
        if _main_interpreter():
            _module._main_thread._handle._set_done()
        _module._thread_shutdown()
else:
    # Locks that the interpreter releases when the states of threads that are no daemons go away.
    _shutdown_locks_lock = _arrival.shared("_shutdown_locks_lock", _module._allocate_lock)
    _shutdown_locks = _arrival.shared("_shutdown_locks", set)

    def _maintain_shutdown_locks():
        """Forget those of threads that have ended. Under _shutdown_locks_lock."""
        locks = _module._shutdown_locks
        locks.difference_update([lock for lock in locks if not lock.locked()])

    def _shutdown():
        """Wait for the threads that are no daemons. The interpreter calls this at its end."""
        main = _module._main_thread
        if main._is_stopped and _main_interpreter():
            return
        _call_atexits()
        if main.ident == get_ident():
            main._tstate_lock.release()
            main._stop()
        while True:
            with _module._shutdown_locks_lock:
                locks = list(_module._shutdown_locks)
                _module._shutdown_locks.clear()
            if not locks:
                return
            for lock in locks:
                _module._core._wait_released(lock, -1)


if _arrival.beside is not None:
    # What the interpreter calls is the other one's: it keeps the books for both.
    _register_atexit = _arrival.beside._register_atexit
    _shutdown = _arrival.beside._shutdown


# -- Forks -----------------------------------------------------------------------------------------------------------

def _after_fork():
    """In the child: the thread that forked is the only one left, and main."""
    _module._active_limbo_lock._at_fork_reinit()
    if not _handles:
        _module._shutdown_locks_lock = _module._allocate_lock()
        _module._shutdown_locks = set()
    ident = get_ident()
    current = _active.get(ident)
    if current is None:
        current = _module._MainThread()
    _module._main_thread = current
    threads = set(_enumerate())
    threads.update(_dangling)
    _limbo.clear()
    _active.clear()
    _active[ident] = current
    for thread in threads:
        thread._after_fork(ident if thread is current else None)
