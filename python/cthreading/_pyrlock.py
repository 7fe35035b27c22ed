"""_PyRLock: a reentrant lock that is written in Python, as `threading` has one besides that in C."""

import cthreading as _module

from _thread import get_ident

__name__ = "threading"


class _RLock:
    """A lock that the thread which holds it may take again."""

    def __init__(self):
        self._block = _module._allocate_lock()
        self._owner = None
        self._count = 0

    def __repr__(self):
        thread = _module._active.get(self._owner)
        return "<%s %s.%s object owner=%r count=%d at %#x>" % (
            "locked" if self._block.locked() else "unlocked", type(self).__module__, type(self).__qualname__,
            thread.name if thread is not None else self._owner, self._count, id(self))

    def _at_fork_reinit(self):
        self._block._at_fork_reinit()
        self._owner = None
        self._count = 0

    def acquire(self, blocking=True, timeout=-1):
        """Take the lock, once more if this thread holds it; whether that was done in time."""
        me = get_ident()
        if self._owner == me:
            self._count += 1
            return 1
        taken = self._block.acquire(blocking, timeout)
        if taken:
            self._owner = me
            self._count = 1
        return taken

    __enter__ = acquire

    def release(self):
        """Undo one acquire(); the last frees the lock. RuntimeError if it is not held by this thread."""
        if self._owner != get_ident():
            raise RuntimeError("cannot release un-acquired lock")
        self._count -= 1
        if not self._count:
            self._owner = None
            self._block.release()

    def __exit__(self, *exc_info):
        self.release()

    # What a condition needs.

    def _acquire_restore(self, state):
        self._block.acquire()
        self._count, self._owner = state

    def _release_save(self):
        if self._count == 0:
            raise RuntimeError("cannot release un-acquired lock")
        state = self._count, self._owner
        self._count = 0
        self._owner = None
        self._block.release()
        return state

    def _is_owned(self):
        return self._owner == get_ident()

    def _recursion_count(self):
        return self._count if self._owner == get_ident() else 0
