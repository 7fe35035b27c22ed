"""How the end of a thread is known in Python 3.11 and 3.12.

The interpreter releases `_tstate_lock` when the thread's state goes away; `_is_stopped` says that somebody saw that.
"""

import cthreading as _module


class End:

    def _prepare_end(self):
        self._tstate_lock = None
        self._is_stopped = False

    def _start_native(self):
        _module._start_new_thread(self._bootstrap, ())

    def _set_tstate_lock(self):
        self._tstate_lock = _module._set_sentinel()
        self._tstate_lock.acquire()
        if not self.daemon:
            with _module._shutdown_locks_lock:
                _module._maintain_shutdown_locks()
                _module._shutdown_locks.add(self._tstate_lock)

    _begin_end = _set_tstate_lock

    def _set_main_ident(self):
        self._set_tstate_lock()
        self._set_ident()

    def _set_foreign_ident(self):
        self._set_ident()

    def _stop(self):
        self._is_stopped = True
        self._tstate_lock = None
        if not self.daemon:
            with _module._shutdown_locks_lock:
                _module._maintain_shutdown_locks()

    def _wait_for_tstate_lock(self, block=True, timeout=-1):
        lock = self._tstate_lock
        if lock is None:
            return
        # Acquired and released in one step: an exception of a signal handler comes before, or not at all.
        if _module._core._wait_released(lock, timeout if block else 0):
            self._stop()

    def _await_end(self, timeout):
        self._wait_for_tstate_lock(timeout=-1 if timeout is None else timeout)

    def _has_ended(self):
        if not self._is_stopped and self._started.is_set():
            self._wait_for_tstate_lock(False)
        return self._is_stopped

    def _after_fork(self, new_ident=None):
        self._reset_internal_locks(new_ident is not None)
        if new_ident is not None:
            self._ident = new_ident
            self._set_native_id()

    def _reset_internal_locks(self, is_alive):
        self._started._at_fork_reinit()
        if not is_alive:
            self._is_stopped = True
            self._tstate_lock = None
        elif self._tstate_lock is not None:
            self._tstate_lock._at_fork_reinit()
            self._tstate_lock.acquire()
