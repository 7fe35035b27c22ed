"""How the end of a thread is known since Python 3.13: by a handle of the interpreter's."""

import cthreading as _module


class End:

    def _prepare_end(self):
        self._handle = _module._ThreadHandle()

    def _start_native(self):
        _module._start_joinable_thread(self._bootstrap, handle=self._handle, daemon=self.daemon)

    def _begin_end(self):
        pass

    def _set_main_ident(self):
        self._ident = _module._get_main_thread_ident()
        self._handle = _module._make_thread_handle(self._ident)

    def _set_foreign_ident(self):
        self._set_ident()
        self._handle = _module._make_thread_handle(self._ident)

    def _await_end(self, timeout):
        self._handle.join(timeout)

    def _has_ended(self):
        return self._handle.is_done()

    def _after_fork(self, new_ident=None):
        # The interpreter has marked the handles of threads that are gone.
        self._started._at_fork_reinit()
        if new_ident is not None:
            self._ident = new_ident
            self._set_native_id()
