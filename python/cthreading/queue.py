"""The queue module, with its classes in C: Queue, LifoQueue and PriorityQueue.

SimpleQueue and Empty are the interpreter's own.
"""

import sys as _sys
import types as _types

from collections import deque as _deque

import cthreading as _threading

from . import _arrival
from . import _core
from ._core import LifoQueue, PriorityQueue, Queue

__all__ = ["Empty", "Full", "Queue", "PriorityQueue", "LifoQueue", "SimpleQueue"]

if _arrival.beside is None:
    _there = None
else:
    import queue as _there  # its exceptions are ours
_module_name, __name__ = __name__, "queue"

try:
    from _queue import Empty
except ImportError:
    class Empty(Exception):
        """There was no item in time."""

if hasattr(_there, "Full"):
    Full = _there.Full
else:
    class Full(Exception):
        """There was no room in time."""

if _sys.version_info >= (3, 13):
    __all__.append("ShutDown")
    if hasattr(_there, "ShutDown"):
        ShutDown = _there.ShutDown
    else:
        class ShutDown(Exception):
            """The queue was shut down."""

    _core._use(shut_down=ShutDown)

_core._use(empty=Empty, full=Full)


class _PySimpleQueue:
    """A queue without a bound and without tasks, written in Python."""

    def __init__(self):
        self._queue = _deque()
        self._count = _threading.Semaphore(0)

    def put(self, item, block=True, timeout=None):
        """Put an item in. It never blocks: block and timeout are there for the sake of Queue."""
        self._queue.append(item)
        self._count.release()

    def get(self, block=True, timeout=None):
        """Take an item out; Empty if there was none within the timeout, in seconds, or at once if not block."""
        if timeout is not None and timeout < 0:
            raise ValueError("'timeout' must be a non-negative number")
        if not self._count.acquire(block, timeout):
            raise Empty
        return self._queue.popleft()

    def put_nowait(self, item):
        """put(item, block=False)"""
        return self.put(item, block=False)

    def get_nowait(self):
        """get(block=False)"""
        return self.get(block=False)

    def empty(self):
        """Whether there is no item now."""
        return not self._queue

    def qsize(self):
        """How many items there are now."""
        return len(self._queue)

    __class_getitem__ = classmethod(_types.GenericAlias)


try:
    from _queue import SimpleQueue
except ImportError:
    SimpleQueue = _PySimpleQueue

__name__ = _module_name
