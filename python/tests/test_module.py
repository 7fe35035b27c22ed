"""The module: what is in it, and what a program sees that has both this and the standard library's."""

import copy
import logging
import pickle
import sys
import threading
import unittest
import weakref

import cthreading
import cthreading.queue
import queue

from support import dump, run_program, wait_blocked

KINDS = {
    "Lock": cthreading.Lock, "RLock": cthreading.RLock, "Condition": cthreading.Condition, "Event": cthreading.Event,
    "Semaphore": cthreading.Semaphore, "BoundedSemaphore": cthreading.BoundedSemaphore,
    "Barrier": lambda: cthreading.Barrier(2), "Queue": cthreading.queue.Queue, "LifoQueue": cthreading.queue.LifoQueue,
    "PriorityQueue": cthreading.queue.PriorityQueue,
}
STOCK = {
    "Lock": threading.Lock, "RLock": threading.RLock, "Condition": threading.Condition, "Event": threading.Event,
    "Semaphore": threading.Semaphore, "BoundedSemaphore": threading.BoundedSemaphore,
    "Barrier": lambda: threading.Barrier(2), "Queue": queue.Queue, "LifoQueue": queue.LifoQueue,
    "PriorityQueue": queue.PriorityQueue,
}
PRIVATE = """_CRLock _DummyThread _HAVE_THREAD_NATIVE_ID _MainThread _PyRLock _RLock _SHUTTING_DOWN __excepthook__ _active
_active_limbo_lock _after_fork _allocate_lock _counter _dangling _enumerate _limbo _main_thread _make_invoke_excepthook
_newname _profile_hook _register_atexit _shutdown _threading_atexits _trace_hook""".split()


def without_address(text):
    import re
    return re.sub(r"0x[0-9a-f]+", "0x", text)


class Names(unittest.TestCase):

    def test_public(self):
        self.assertEqual(set(threading.__all__), set(cthreading.__all__))
        self.assertEqual(set(queue.__all__), set(cthreading.queue.__all__))
        for name in threading.__all__:
            self.assertTrue(hasattr(cthreading, name), name)

    def test_all_of_the_other_module(self):
        ours = set(dir(cthreading))
        plain = {name for name in dir(threading) if not name.startswith("_") or name in PRIVATE}
        plain -= {"warnings", "functools", "WeakSet"}  # what it imports
        self.assertEqual(plain - ours, set())

    def test_private(self):
        for name in PRIVATE:
            self.assertTrue(hasattr(cthreading, name), name)
        extra = {(3, 11): "_set_sentinel _shutdown_locks _shutdown_locks_lock _start_new_thread _maintain_shutdown_locks",
                 (3, 12): "_set_sentinel _shutdown_locks _shutdown_locks_lock _start_new_thread _maintain_shutdown_locks "
                          "_daemon_threads_allowed _is_main_interpreter",
                 (3, 13): "_start_joinable_thread _ThreadHandle _make_thread_handle _LockType _thread_shutdown "
                          "_get_main_thread_ident _DeleteDummyThreadOnDel _thread_local_info _daemon_threads_allowed "
                          "_is_main_interpreter"}
        for name in extra[sys.version_info[:2]].split():
            self.assertTrue(hasattr(cthreading, name), name)

    def test_methods(self):
        for name, kind in STOCK.items():
            missing = {method for method in dir(kind()) if not method.startswith("_")} - set(dir(KINDS[name]()))
            self.assertEqual(missing, set(), name)


class Objects(unittest.TestCase):

    def test_reprs(self):
        for name in STOCK:
            stock, ours = without_address(repr(STOCK[name]())), without_address(repr(KINDS[name]()))
            self.assertEqual(stock, ours)
        self.assertEqual(without_address(repr(cthreading.Event)), repr(threading.Event))

    def test_reprs_of_states(self):
        def states(module):
            lock, rlock, event, barrier = module.Lock(), module.RLock(), module.Event(), module.Barrier(3)
            event.set()
            barrier.abort()
            lock.acquire()
            rlock.acquire()
            rlock.acquire()
            bounded = module.BoundedSemaphore(3)
            bounded.acquire()
            condition = module.Condition(lock)
            return [without_address(repr(one)) for one in (lock, rlock, event, barrier, bounded, condition)]
        self.assertEqual(states(threading), states(cthreading))

    def test_no_pickling(self):
        for name in STOCK:
            for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
                with self.assertRaises(TypeError) as stock:
                    pickle.dumps(STOCK[name](), protocol)
                with self.assertRaises(TypeError) as ours:
                    pickle.dumps(KINDS[name](), protocol)
                self.assertEqual(str(stock.exception), str(ours.exception))
            with self.assertRaises(TypeError):
                copy.deepcopy(KINDS[name]())

    def test_pickling_that_a_subclass_allows(self):
        for base in cthreading.Event, cthreading.Semaphore, cthreading.Condition, cthreading.Barrier, cthreading.queue.Queue:
            class Mine(base):
                def __getstate__(self):
                    return {"kept": 7}
            globals()["Mine"] = Mine
            Mine.__qualname__ = "Mine"
            self.assertEqual(pickle.loads(pickle.dumps(Mine.__new__(Mine))).kept, 7)
            self.assertEqual(copy.copy(Mine.__new__(Mine)).kept, 7)

    def test_weak_references(self):
        for name, kind in KINDS.items():
            one = kind()
            reference = weakref.ref(one)
            self.assertIs(reference(), one)
            del one
            self.assertIsNone(reference(), name)

    def test_attributes(self):
        for name in set(KINDS) - {"Lock", "RLock"}:
            one = KINDS[name]()
            one.anything = 1
            self.assertEqual(one.__dict__, {"anything": 1})

    def test_subclasses(self):
        for name in set(KINDS) - {"Lock", "RLock", "Barrier"}:
            kind = type("Mine", (KINDS[name],), {"__init__": lambda self: None, "mine": 1})
            self.assertEqual(kind().mine, 1)
        class Late(cthreading.Event):
            def __init__(self, extra):
                super().__init__()
                self.extra = extra
        self.assertEqual(Late(5).extra, 5)

    def test_cycles_are_collected(self):
        import gc
        for name in set(KINDS) - {"Lock", "RLock"}:
            one = KINDS[name]()
            one.self = one
            reference = weakref.ref(one)
            del one
            gc.collect()
            self.assertIsNone(reference(), name)
        action = []
        barrier = cthreading.Barrier(2, action=action.append)
        action.append(barrier)
        condition = cthreading.Condition(cthreading.Lock())
        gc.collect()
        self.assertTrue(gc.is_tracked(condition))

    def test_signatures(self):
        import inspect
        for name in set(KINDS) - {"Lock", "RLock"}:
            for method in "wait", "wait_for", "acquire", "release", "notify", "put", "get", "join":
                if hasattr(STOCK[name](), method) and name != "Condition":
                    stock = inspect.signature(getattr(STOCK[name](), method))
                    ours = inspect.signature(getattr(KINDS[name](), method))
                    self.assertEqual([(p.name, p.default) for p in stock.parameters.values()],
                                     [(p.name, p.default) for p in ours.parameters.values()], f"{name}.{method}")

    def test_messages(self):
        def message(call):
            try:
                call()
            except Exception as exception:
                return type(exception).__name__, str(exception)
            return None
        calls = [
            lambda m: m.Lock().release(), lambda m: m.RLock().release(), lambda m: m.Lock().acquire(False, 1),
            lambda m: m.Lock().acquire(timeout=-2), lambda m: m.Lock().acquire(timeout=float("nan")), lambda m: m.Condition().wait(),
            lambda m: m.Condition().notify(), lambda m: m.Condition().notify_all(), lambda m: m.Condition().release(),
            lambda m: m.Condition(m.Lock()).release(), lambda m: m.Semaphore(-1), lambda m: m.Semaphore().release(0),
            lambda m: m.BoundedSemaphore().release(), lambda m: m.Semaphore().acquire(False, 1),
            lambda m: m.Event().wait(nonsense=1), lambda m: m.Event().wait(1, 2), lambda m: m.Event(1),
            lambda m: m.Condition().wait_for(), lambda m: m.Barrier(), lambda m: m.Thread().join(),
            lambda m: m.current_thread().join(), lambda m: m.current_thread().start(),
            lambda m: setattr(m.current_thread(), "daemon", True), lambda m: m.Barrier(1).wait(timeout="x"),
            lambda m: m.Event().wait("x"),
        ]
        for number, call in enumerate(calls):
            self.assertEqual(message(lambda: call(threading)), message(lambda: call(cthreading)), number)
        # The text is another in some releases of one version.
        self.assertEqual(message(lambda: cthreading.Lock().acquire(timeout=1e20))[0], "OverflowError")
        if sys.version_info >= (3, 13):
            self.assertEqual(message(lambda: threading.Barrier(0)), message(lambda: cthreading.Barrier(0)))

    def test_unlimited_semaphores(self):
        semaphore = cthreading.Semaphore(sys.maxsize)
        self.assertTrue(semaphore.acquire())
        self.assertEqual(semaphore._value, sys.maxsize - 1)
        semaphore.release()
        self.assertEqual(semaphore._value, sys.maxsize)
        with self.assertRaises(OverflowError):
            semaphore.release()
        bounded = cthreading.BoundedSemaphore(2**31 + 5)
        with self.assertRaises(ValueError):
            bounded.release()
        bounded.acquire()
        bounded.release(1)
        small = cthreading.Semaphore(0)
        small.release(2**31 + 1)
        self.assertEqual(small._value, 2**31 + 1)


class Beside(unittest.TestCase):
    """This process has both modules: the other came first."""

    def test_one_list_of_threads(self):
        seen = []
        def look():
            seen.extend([threading.current_thread(), cthreading.current_thread()])
        thread = cthreading.Thread(target=look, name="ours")
        thread.start()
        thread.join()
        self.assertEqual(seen, [thread, thread])
        self.assertIs(threading.main_thread(), cthreading.main_thread())
        self.assertIsInstance(cthreading.main_thread(), cthreading.Thread)

    def test_logs_have_our_names(self):
        with self.assertLogs() as logs:
            thread = cthreading.Thread(target=logging.getLogger().warning, args=("x",), name="ours")
            thread.start()
            thread.join()
        self.assertEqual(logs.records[0].threadName, "ours")

    def test_one_exception(self):
        self.assertIs(threading.BrokenBarrierError, cthreading.BrokenBarrierError)
        self.assertIs(queue.Full, cthreading.queue.Full)
        self.assertIs(queue.Empty, cthreading.queue.Empty)

    def test_waited_for_at_exit(self):
        done = run_program("""
import cthreading as threading, time
def late():
    threading.main_thread().join()
    print("late")
threading.Thread(target=late).start()
print("main")
""", runner=())
        self.assertEqual(done.stdout, "main\nlate\n")

    def test_fork(self):
        done = run_program("""
import os, threading, cthreading
gate = cthreading.Event()
others = [module.Thread(target=gate.wait) for module in (threading, cthreading)]
for other in others: other.start()
def fork():
    child = os.fork()
    if child == 0:
        assert cthreading.enumerate() == threading.enumerate() == [cthreading.current_thread()], cthreading.enumerate()
        assert cthreading.main_thread() is cthreading.current_thread() is threading.main_thread()
        assert not any(other.is_alive() for other in others)
        for module in threading, cthreading:
            thread = module.Thread(target=print, args=("child",), kwargs=dict(flush=True))
            thread.start()
            thread.join()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
import warnings; warnings.simplefilter("ignore")
forker = cthreading.Thread(target=fork)
forker.start()
forker.join()
gate.set()
""", runner=())
        self.assertEqual(done.stdout, "child\nchild\n")


class Installed(unittest.TestCase):

    def test_late(self):
        done = run_program("""
import threading, queue
from threading import Event as OldEvent
import cthreading
cthreading.install()
cthreading.install()
import sys
assert sys.modules["threading"] is cthreading and sys.modules["queue"] is cthreading.queue
assert threading.Event is cthreading.Event is not OldEvent
assert queue.Queue is cthreading.queue.Queue
threading.excepthook = lambda args: print("hook", args.exc_value)
assert cthreading.excepthook is threading.excepthook
thread = threading.Thread(target=lambda: 1 / 0)
thread.start(); thread.join()
old = cthreading._start_new_thread if hasattr(cthreading, "_start_new_thread") else cthreading._start_joinable_thread
print(threading.main_thread().name, isinstance(threading.main_thread(), threading.Thread))
threading.Thread(target=lambda: (threading.main_thread().join(), print("late"))).start()
""", runner=())
        self.assertEqual(done.stdout, "hook division by zero\nMainThread True\nlate\n")

    def test_without_the_queue(self):
        run_program("""
import cthreading, queue, threading
cthreading.install(queue=False)
assert queue.Queue is not __import__("cthreading.queue").queue.Queue
""", runner=())


class Dump(unittest.TestCase):

    def test_names_and_waits(self):
        event, condition, lock = cthreading.Event(), cthreading.Condition(), cthreading.Lock()
        lock.acquire()
        def wait():
            with condition:
                condition.wait()
        threads = [cthreading.Thread(target=event.wait, name="waits for it"), cthreading.Thread(target=wait, name="listens"),
                   cthreading.Thread(target=lock.acquire, name="wants it")]
        for thread in threads:
            thread.start()
        for thread in threads:
            wait_blocked(thread)
        threads[0].name = "another name"
        with open(f"/proc/self/task/{threads[0].native_id}/comm") as file:
            self.assertEqual(file.read().strip(), "another name")
        text = dump()
        event.set()
        with condition:
            condition.notify()
        lock.release()
        for thread in threads:
            thread.join()
        lines = {name: next(line for line in text.splitlines() if name in line)
                 for name in ("another name", "listens", "wants it")}
        self.assertIn("event", lines["another name"] + text)
        for word in "event", "condition", "lock":
            self.assertIn(word, text)


if __name__ == "__main__":
    unittest.main()
