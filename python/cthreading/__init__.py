"""The threading module, with its objects in C.

    import cthreading as threading

Everything is as in `threading` of the running Python. Two modules of this name then live side by side, and know of each
other's threads. To put this one in the place of the other everywhere, the standard library included, run the program
with `python -m cthreading program.py`, or call `cthreading.install()` as early as can be.

Like that of `threading`, the module's dictionary is live: who assigns `excepthook`, `_start_new_thread` or `_counter`
changes what threads do. `_threads.py` looks them up here.
"""

import os as _os
import sys as _sys
import _thread

from . import _arrival
from . import _core
from . import _pybarrier

__version__ = _core.library_version

# The module that classes and functions say they belong to; the true one again at the end.
__name__ = "threading"

__all__ = ["get_ident", "active_count", "Condition", "current_thread", "enumerate", "main_thread", "TIMEOUT_MAX",
           "Event", "Lock", "RLock", "Semaphore", "BoundedSemaphore", "Thread", "Barrier", "BrokenBarrierError", "Timer",
           "ThreadError", "setprofile", "settrace", "local", "stack_size", "excepthook", "ExceptHookArgs", "gettrace",
           "getprofile", "get_native_id"]

# -- What the interpreter has ----------------------------------------------------------------------------------------

from _thread import (TIMEOUT_MAX, _ExceptHookArgs as ExceptHookArgs, _excepthook as excepthook, _local as local,
                     error as ThreadError, get_ident, get_native_id, stack_size)

__excepthook__ = excepthook
_HAVE_THREAD_NATIVE_ID = True

if _sys.version_info < (3, 13):
    from _thread import _set_sentinel, start_new_thread as _start_new_thread
else:
    from _thread import (_ThreadHandle, _get_main_thread_ident, _make_thread_handle, _shutdown as _thread_shutdown,
                         start_joinable_thread as _start_joinable_thread)

if _sys.version_info >= (3, 12):
    from _thread import daemon_threads_allowed as _daemon_threads_allowed

    _is_main_interpreter = getattr(_thread, "_is_main_interpreter", lambda: True)
else:
    def _daemon_threads_allowed():
        return True

# -- The objects -----------------------------------------------------------------------------------------------------

from ._core import (Barrier, BoundedSemaphore, Condition, Event, RLock as _CRLock, Semaphore, _use,
                    Lock as _allocate_lock, current_thread, lock as _LockType)
from ._pyrlock import _RLock

current_thread.__module__ = "threading"
_allocate_lock.__module__ = "threading"
Lock = _LockType if _sys.version_info >= (3, 13) else _allocate_lock
_PyRLock = _RLock


def RLock(*args, **kwargs):
    """Make a lock that the thread which holds it may take again."""
    if not args and not kwargs:
        return _CRLock()
    if _sys.version_info >= (3, 13):
        import warnings
        warnings.warn("Passing arguments to RLock is deprecated and will be removed in 3.15", DeprecationWarning,
                      stacklevel=2)
    return _CRLock(*args, **kwargs)


# -- Hooks for what threads run --------------------------------------------------------------------------------------

_profile_hook = None
_trace_hook = None


def setprofile(func):
    """Have sys.setprofile(func) called in each thread that is started from now on, before run()."""
    global _profile_hook
    _profile_hook = func


def getprofile():
    """What setprofile() was given."""
    return _profile_hook


def settrace(func):
    """Have sys.settrace(func) called in each thread that is started from now on, before run()."""
    global _trace_hook
    _trace_hook = func


def gettrace():
    """What settrace() was given."""
    return _trace_hook


if _sys.version_info >= (3, 12):
    __all__ += ["setprofile_all_threads", "settrace_all_threads"]

    def setprofile_all_threads(func):
        """setprofile(func), and the same for all threads that run already."""
        setprofile(func)
        _sys._setprofileallthreads(func)

    def settrace_all_threads(func):
        """settrace(func), and the same for all threads that run already."""
        settrace(func)
        _sys._settraceallthreads(func)


# -- Threads ---------------------------------------------------------------------------------------------------------

from ._registry import *  # which threads there are
from ._threads import Thread, Timer, _DummyThread, _MainThread, _make_invoke_excepthook, _newname

if _sys.version_info >= (3, 13):
    from ._threads import _DeleteDummyThreadOnDel, _thread_local_info
else:
    from ._registry import _maintain_shutdown_locks, _shutdown_locks, _shutdown_locks_lock

from ._registry import (_SHUTTING_DOWN, _active, _active_limbo_lock, _after_fork, _counter, _dangling, _enumerate, _limbo,
                        _register_atexit, _shutdown, _threading_atexits)

_use(active=_active, dummy=_DummyThread, broken_barrier=BrokenBarrierError, barrier_parts=_pybarrier)
_main_thread = _arrival.main_thread(_MainThread)


def main_thread():
    """The Thread of the main thread."""
    return _main_thread


if _arrival.beside is None:
    _os.register_at_fork(after_in_child=_after_fork)
else:
    _os.register_at_fork(after_in_child=_arrival.after_fork)

install = _arrival.install
__name__ = __spec__.name
