"""How this module and the `threading` of the standard library live together.

There are two ways to arrive.

First: nobody has imported `threading` yet, and it is about to be ours: under `python -m cthreading`, or where a file
`threading.py` that comes first on the path says `from cthreading import _arrival`. Then the other one is never loaded.

Beside: it is loaded already, or is loaded now, because anything that a program imports may do that. Then the lists of
threads are shared, objects and all: each module sees the threads of the other, `_shutdown` of the other waits for ours,
and its handler for forks looks after ours. There is one main thread, made into one of ours in place.

install() then puts ours in the place of the other: the entry in sys.modules for all imports to come, and the names in the
other's dictionary for the modules that have imported it before. Assignments to either go to both from then on.
"""

import sys
import types


def _first():
    there = sys.modules.get("threading")
    if there is not None:
        return not hasattr(there, "Thread")  # a file in its place, being imported: see above
    return sys.argv[:1] == ["-m"] and any(word in ("cthreading", "-mcthreading") for word in sys.orig_argv)


def _find():
    if _first():
        return None
    import threading
    return threading


beside = _find()


def shared(name, make):
    """The other module's object of this name, or a new one."""
    return make() if beside is None else getattr(beside, name)


def main_thread(main_class):
    """The Thread of the main thread, made a main_class."""
    if beside is None:
        return main_class()
    thread = beside._main_thread
    thread.__class__ = main_class
    return thread


def after_fork():
    """In a fork's child, after the other module's own handler: takes over what that has made anew."""
    import cthreading
    for name in ("_main_thread", "_active_limbo_lock", "_shutdown_locks", "_shutdown_locks_lock"):
        if hasattr(beside, name):
            setattr(cthreading, name, getattr(beside, name))
    if type(cthreading._main_thread) is getattr(beside, "_MainThread", None):
        cthreading._main_thread.__class__ = cthreading._MainThread


# -- In the place of others ------------------------------------------------------------------------------------------

_twins = {}  # name of the module in the standard library -> (theirs, ours)


class _Twin(types.ModuleType):
    """One of two modules that are to look like one: assignments go to both."""

    def __setattr__(self, name, value):
        for module in _twins.get(self.__dict__["__twin__"], ()):
            module.__dict__[name] = value

    def __delattr__(self, name):
        types.ModuleType.__delattr__(self, name)
        for module in _twins.get(self.__dict__["__twin__"], ()):
            module.__dict__.pop(name, None)


_OWN = {"__name__", "__doc__", "__package__", "__loader__", "__spec__", "__file__", "__cached__", "__path__",
        "__builtins__", "__twin__", "__version__"}


def _replace(name, ours):
    theirs = sys.modules.get(name)
    if theirs is ours:
        return
    sys.modules[name] = ours
    if theirs is None:
        return
    for key, value in list(ours.__dict__.items()):
        if key not in _OWN and key in theirs.__dict__:
            theirs.__dict__[key] = value
    _twins[name] = (theirs, ours)
    for module in (theirs, ours):
        module.__dict__["__twin__"] = name
        module.__class__ = _Twin


def install(queue=True):
    """Put this module in the place of `threading`, and cthreading.queue in that of `queue`, for the whole program.

    Calling it again changes nothing. What has been made or copied out of the modules before stays as it is: locks that
    exist, classes derived from Thread, names that were imported with `from threading import ...`. So call it first, or
    run the program with `python -m cthreading`.
    """
    import cthreading
    _replace("threading", cthreading)
    if queue:
        import cthreading.queue
        _replace("queue", cthreading.queue)
