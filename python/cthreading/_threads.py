"""Thread, Timer, and the threads that nobody started with them: main and stand-ins for foreign ones."""

import sys as _sys

import cthreading as _module

from _thread import get_ident, get_native_id

if _sys.version_info >= (3, 13):
    from ._end_handle import End as _End
else:
    from ._end_lock import End as _End

__name__ = "threading"


def _newname(name_template):
    return name_template % _module._counter()


# -- The hook for exceptions -----------------------------------------------------------------------------------------

def _make_invoke_excepthook():
    """A function that hands the current exception of a thread to excepthook.

    It keeps what it needs alive: daemon threads may fail while the interpreter ends and modules are gone.
    """
    old_excepthook = _module.excepthook
    old_sys_excepthook = _sys.excepthook
    if old_excepthook is None:
        raise RuntimeError("threading.excepthook is None")
    if old_sys_excepthook is None:
        raise RuntimeError("sys.excepthook is None")
    local_sys, module, exc_info, local_print, arguments = _sys, _module, _sys.exc_info, print, _module.ExceptHookArgs

    def invoke_excepthook(thread):
        try:
            hook = module.excepthook
            if hook is None:
                hook = old_excepthook
            args = arguments([*exc_info(), thread])
            hook(args)
        except Exception as exc:
            exc.__suppress_context__ = True
            del exc
            alive = local_sys is not None and local_sys.stderr is not None
            local_print("Exception in threading.excepthook:", file=local_sys.stderr if alive else thread._stderr,
                        flush=True)
            sys_excepthook = local_sys.excepthook if local_sys is not None else None
            (old_sys_excepthook if sys_excepthook is None else sys_excepthook)(*exc_info())
        finally:
            args = None  # it leads to the exception, and that to this frame

    return invoke_excepthook


_last_hooks = (None, None)
_last_invoke = None


def _invoke_for_now():
    """What _make_invoke_excepthook() returns; the same as last time, if the hooks are."""
    global _last_hooks, _last_invoke
    if _last_hooks[0] is not _module.excepthook or _last_hooks[1] is not _sys.excepthook or _last_invoke is None:
        _last_invoke = _module._make_invoke_excepthook()
        _last_hooks = (_module.excepthook, _sys.excepthook)
    return _last_invoke


# -- Thread ----------------------------------------------------------------------------------------------------------

class Thread(_End):
    """A thread of control.

    What it does is given as a target, or by a subclass that overrides run(). A subclass that overrides __init__() calls
    Thread.__init__() before anything else.
    """

    _initialized = False

    def __init__(self, group=None, target=None, name=None, args=(), kwargs=None, *, daemon=None):
        """Make a thread that will call target(*args, **kwargs).

        group must be None. Without a name it is called "Thread-N", with the target's name if that has one. daemon is
        inherited if it is None: the interpreter does not wait for daemons at its end.
        """
        assert group is None, "group argument must be None for now"
        if name:
            name = str(name)
        else:
            name = _module._newname("Thread-%d")
            if target is not None:
                try:
                    name += f" ({target.__name__})"
                except AttributeError:
                    pass
        if daemon is None:
            daemon = _module.current_thread().daemon
        elif daemon and not _module._daemon_threads_allowed():
            raise RuntimeError("daemon threads are disabled in this (sub)interpreter")
        self._target = target
        self._name = name
        self._args = args
        self._kwargs = {} if kwargs is None else kwargs
        self._daemonic = daemon
        self._ident = None
        self._native_id = None
        self._started = _module.Event()
        self._prepare_end()
        self._initialized = True
        self._stderr = _sys.stderr
        self._invoke_excepthook = _invoke_for_now()
        _module._dangling.add(self)

    def __repr__(self):
        assert self._initialized, "Thread.__init__() was not called"
        status = "stopped" if self._has_ended() else "started" if self._started.is_set() else "initial"
        if self._daemonic:
            status += " daemon"
        if self._ident is not None:
            status += f" {self._ident}"
        return f"<{type(self).__name__}({self._name}, {status})>"

    # -- Its life

    def start(self):
        """Start the thread: run() is called in it. RuntimeError if that was done before."""
        if not self._initialized:
            raise RuntimeError("thread.__init__() not called")
        if self._started.is_set():
            raise RuntimeError("threads can only be started once")
        with _module._active_limbo_lock:
            _module._limbo[self] = self
        try:
            self._start_native()
        except Exception:
            with _module._active_limbo_lock:
                del _module._limbo[self]
            raise
        self._started.wait()

    def run(self):
        """What the thread does: calls the target."""
        try:
            if self._target is not None:
                self._target(*self._args, **self._kwargs)
        finally:
            # They may lead back to the thread.
            del self._target, self._args, self._kwargs

    def _bootstrap(self):
        try:
            self._bootstrap_inner()
        except:
            # A daemon that woke while the interpreter ended, with the modules gone.
            if self._daemonic and _sys is None:
                return
            raise

    def _set_ident(self):
        self._ident = get_ident()

    def _set_native_id(self):
        self._native_id = get_native_id()

    def _bootstrap_inner(self):
        try:
            self._set_ident()
            self._begin_end()
            self._set_native_id()
            _module._core._adopt(self._name)
            self._started._set_and_go_on()
            with _module._active_limbo_lock:
                _module._active[self._ident] = self
                del _module._limbo[self]
            if _module._trace_hook:
                _sys.settrace(_module._trace_hook)
            if _module._profile_hook:
                _sys.setprofile(_module._profile_hook)
            try:
                self.run()
            except:
                self._invoke_excepthook(self)
        finally:
            self._delete()

    def _delete(self):
        # No Python code between these two: a trace function could call current_thread().
        with _module._active_limbo_lock:
            del _module._active[get_ident()]

    def join(self, timeout=None):
        """Wait until the thread has ended, or for timeout seconds; is_alive() then says which.

        RuntimeError for the calling thread itself, and for one that was not started.
        """
        if not self._initialized:
            raise RuntimeError("Thread.__init__() not called")
        if not self._started.is_set():
            raise RuntimeError("cannot join thread before it is started")
        if self is _module.current_thread():
            raise RuntimeError("cannot join current thread")
        self._await_end(None if timeout is None else max(timeout, 0))

    def is_alive(self):
        """Whether the thread was started and has not ended."""
        assert self._initialized, "Thread.__init__() not called"
        return self._started.is_set() and not self._has_ended()

    # -- What it is

    @property
    def name(self):
        """Its name, also shown by the tools of the system (as much of it as fits) while it runs."""
        assert self._initialized, "Thread.__init__() not called"
        return self._name

    @name.setter
    def name(self, name):
        assert self._initialized, "Thread.__init__() not called"
        self._name = str(name)
        if self._native_id is not None and self is not _module._main_thread:
            _module._core._rename(self._native_id, self._name)

    @property
    def ident(self):
        """A number that no other thread has while this one is alive; None before the start."""
        assert self._initialized, "Thread.__init__() not called"
        return self._ident

    @property
    def native_id(self):
        """The system's number of the thread; None before the start."""
        assert self._initialized, "Thread.__init__() not called"
        return self._native_id

    @property
    def daemon(self):
        """Whether the interpreter does not wait for it at its end. May be set before the start."""
        assert self._initialized, "Thread.__init__() not called"
        return self._daemonic

    @daemon.setter
    def daemon(self, daemonic):
        if not self._initialized:
            raise RuntimeError("Thread.__init__() not called")
        if daemonic and not _module._daemon_threads_allowed():
            raise RuntimeError("daemon threads are disabled in this interpreter")
        if self._started.is_set():
            raise RuntimeError("cannot set daemon status of active thread")
        self._daemonic = daemonic

    # -- Old names

    def isDaemon(self):
        """An old way to get daemon."""
        _deprecated("isDaemon() is deprecated, get the daemon attribute instead")
        return self.daemon

    def setDaemon(self, daemonic):
        """An old way to set daemon."""
        _deprecated("setDaemon() is deprecated, set the daemon attribute instead")
        self.daemon = daemonic

    def getName(self):
        """An old way to get name."""
        _deprecated("getName() is deprecated, get the name attribute instead")
        return self.name

    def setName(self, name):
        """An old way to set name."""
        _deprecated("setName() is deprecated, set the name attribute instead")
        self.name = name


def _deprecated(message):
    import warnings
    warnings.warn(message, DeprecationWarning, stacklevel=3)


class Timer(Thread):
    """A thread that calls function(*args, **kwargs) after interval seconds, unless it is cancelled before."""

    def __init__(self, interval, function, args=None, kwargs=None):
        Thread.__init__(self)
        self.interval = interval
        self.function = function
        self.args = args if args is not None else []
        self.kwargs = kwargs if kwargs is not None else {}
        self.finished = _module.Event()

    def cancel(self):
        """Have it not call the function, if it has not done so yet."""
        self.finished.set()

    def run(self):
        self.finished.wait(self.interval)
        if not self.finished.is_set():
            self.function(*self.args, **self.kwargs)
        self.finished.set()


# -- Threads that were not started with these ------------------------------------------------------------------------

class _MainThread(Thread):

    def __init__(self):
        Thread.__init__(self, name="MainThread", daemon=False)
        self._started.set()
        self._set_main_ident()
        self._set_native_id()
        with _module._active_limbo_lock:
            _module._active[self._ident] = self


class _DummyThread(Thread):
    """A stand-in for a thread that was started otherwise, so that current_thread() has something to return."""

    def __init__(self):
        Thread.__init__(self, name=_module._newname("Dummy-%d"), daemon=_module._daemon_threads_allowed())
        self._started.set()
        self._set_foreign_ident()
        self._set_native_id()
        with _module._active_limbo_lock:
            _module._active[self._ident] = self
        if _DeleteDummyThreadOnDel is not None:
            _DeleteDummyThreadOnDel(self)

    def _stop(self):
        pass

    def is_alive(self):
        if not self._has_ended() and self._started.is_set():
            return True
        raise RuntimeError("thread is not alive")

    def join(self, timeout=None):
        raise RuntimeError("cannot join a dummy thread")

    def _after_fork(self, new_ident=None):
        if new_ident is not None:
            self.__class__ = _MainThread
            self._name = "MainThread"
            self._daemonic = False
        Thread._after_fork(self, new_ident)


_DeleteDummyThreadOnDel = None

if _sys.version_info >= (3, 13):
    _thread_local_info = _module.local()

    class _DeleteDummyThreadOnDel:
        """Lives in its thread's local data: at that thread's end the stand-in is forgotten."""

        def __init__(self, dummy_thread):
            self._dummy_thread = dummy_thread
            self._tident = dummy_thread.ident
            _thread_local_info._track_dummy_thread_ref = self

        def __del__(self):
            with _module._active_limbo_lock:
                if _module._active.get(self._tident) is self._dummy_thread:
                    _module._active.pop(self._tident, None)
