"""Signals in the middle of a wait, in the main thread: handlers run, and the wait goes on; or they raise, and it ends."""

import functools
import operator
import os
import signal
import sys
import time
import unittest

import cthreading
import cthreading.queue

from support import blocked, run_program, wait_until

WAITS = {
    "Lock": lambda: held(cthreading.Lock()).acquire,
    "RLock": lambda: held_elsewhere(cthreading.RLock()).acquire,
    "Event": lambda: cthreading.Event().wait,
    "Semaphore": lambda: cthreading.Semaphore(0).acquire,
    "BoundedSemaphore": lambda: cthreading.BoundedSemaphore(0).acquire,
    "Condition": lambda: in_with(cthreading.Condition(), "wait"),
    "Condition of a Lock": lambda: in_with(cthreading.Condition(cthreading.Lock()), "wait"),
    "Condition of another lock": lambda: in_with(cthreading.Condition(Other()), "wait"),
    "Barrier": lambda: cthreading.Barrier(2).wait,
    "Queue.get": lambda: cthreading.queue.Queue().get,
    "Queue.put": lambda: full_queue(),
    "Queue.join": lambda: unfinished_queue().join,
    "Thread.join": lambda: endless_thread().join,
}


class Other:
    """Something with acquire and release."""

    def __init__(self):
        self.lock = cthreading.Lock()

    def acquire(self, *args, **kwargs):
        return self.lock.acquire(*args, **kwargs)

    def release(self):
        self.lock.release()

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *args):
        self.release()


def held(lock):
    lock.acquire()
    return lock


def held_elsewhere(lock):
    thread = cthreading.Thread(target=lock.acquire)
    thread.start()
    thread.join()
    return lock


def in_with(condition, method):
    def wait():
        with condition:
            getattr(condition, method)()
    wait.lock = condition
    return wait


def full_queue():
    queue = cthreading.queue.Queue(1)
    queue.put(1)
    return lambda: queue.put(2)


def unfinished_queue():
    queue = cthreading.queue.Queue()
    queue.put(1)
    return queue


def endless_thread():
    thread = cthreading.Thread(target=cthreading.Event().wait, daemon=True)
    thread.start()
    return thread


class Raised(Exception):
    pass


class Signals(unittest.TestCase):

    def setUp(self):
        self.addCleanup(signal.signal, signal.SIGUSR1, signal.getsignal(signal.SIGUSR1))

    def send_while_blocked(self, times=1):
        """A thread that signals this one, whenever it is found asleep, from self.ready on."""
        main, handled, ready = os.getpid(), self.handled, []
        self.ready = lambda: ready.append(True)
        def send():
            wait_until(lambda: ready, "main ready")
            for number in range(times):
                wait_until(lambda: blocked(main) and len(handled) == number, "main asleep")
                os.kill(main, signal.SIGUSR1)
        thread = cthreading.Thread(target=send)
        thread.start()
        return thread

    def test_handler_raises(self):
        for name, make in WAITS.items():
            with self.subTest(name):
                self.handled = []
                def handler(*args):
                    self.handled.append(1)
                    raise Raised
                wait = make()
                signal.signal(signal.SIGUSR1, handler)
                sender = self.send_while_blocked()
                with self.assertRaises(Raised):
                    self.ready()
                    wait()
                sender.join()
                if hasattr(wait, "lock"):
                    self.assertTrue(wait.lock.acquire(timeout=5), "the lock was left held")
                    self.assertIn(", 0)>", repr(wait.lock))

    def test_signal_before_the_sleep(self):
        """One that comes while the thread is about to wait, after the interpreter has last looked, is not lost."""
        condition = cthreading.Condition()
        condition.acquire()
        waits = {"Lock": held(cthreading.Lock()).acquire, "RLock": held_elsewhere(cthreading.RLock()).acquire,
                 "Event": cthreading.Event().wait, "Semaphore": cthreading.Semaphore(0).acquire,
                 "Condition": condition.wait, "Barrier": cthreading.Barrier(2).wait, "Queue.get": cthreading.queue.Queue().get}
        def handler(*args):
            raise Raised
        self.addCleanup(signal.signal, signal.SIGALRM, signal.signal(signal.SIGALRM, handler))
        for name, wait in waits.items():
            with self.subTest(name):
                # Functions in C that call each other: no handler runs between them.
                alarm = functools.partial(signal.setitimer, signal.ITIMER_REAL, 0.001)
                with self.assertRaises(Raised):
                    list(map(operator.call, [alarm, functools.partial(sum, range(1 << 20)), wait]))

    def test_handler_lets_go(self):
        """The handler itself ends the wait, after the first two only looked."""
        event, condition, semaphore = cthreading.Event(), cthreading.Condition(), cthreading.Semaphore(0)
        lock, queue = held(cthreading.Lock()), cthreading.queue.Queue()
        def notify():
            with condition:
                condition.notify()
        cases = {"Event": (event.wait, event.set), "Condition": (in_with(condition, "wait"), notify),
                 "Semaphore": (semaphore.acquire, semaphore.release), "Lock": (lock.acquire, lock.release),
                 "Queue": (queue.get, lambda: queue.put(1))}
        for name, (wait, let_go) in cases.items():
            with self.subTest(name):
                self.handled = []
                def handler(*args):
                    self.handled.append(1)
                    if len(self.handled) == 3:
                        let_go()
                signal.signal(signal.SIGUSR1, handler)
                sender = self.send_while_blocked(3)
                self.ready()
                wait()
                self.assertEqual(len(self.handled), 3)
                sender.join()

    def test_timeout_goes_on(self):
        """What is left of a timeout is kept over handlers: it does not begin anew."""
        for name, wait in {"Event": cthreading.Event().wait, "Semaphore": cthreading.Semaphore(0).acquire,
                           "Lock": lambda timeout: held(cthreading.Lock()).acquire(timeout=timeout)}.items():
            with self.subTest(name):
                self.handled = []
                signal.signal(signal.SIGUSR1, lambda *args: (self.handled.append(1), time.sleep(0.02)))
                sender = self.send_while_blocked(5)
                self.ready()
                start = time.monotonic()
                self.assertFalse(wait(timeout=0.5))
                took = time.monotonic() - start
                self.assertGreaterEqual(took, 0.5)
                wait_until(lambda: True)
                while sender.is_alive():  # it wants to find this thread asleep
                    sender.join(0.01)
                self.assertEqual(len(self.handled), 5)

    def test_interrupted_join(self):
        """A join that a handler ends leaves the thread alive, in every version."""
        self.handled = []
        def handler(*args):
            self.handled.append(1)
            raise Raised
        gate = cthreading.Event()
        self.addCleanup(gate.set)
        thread = cthreading.Thread(target=gate.wait)
        thread.start()
        signal.signal(signal.SIGUSR1, handler)
        sender = self.send_while_blocked()
        with self.assertRaises(Raised):
            self.ready()
            thread.join()
        sender.join()
        self.assertTrue(thread.is_alive())
        gate.set()
        thread.join()
        self.assertFalse(thread.is_alive())

    def test_interrupted_party_leaves_quietly(self):
        barrier = cthreading.Barrier(2)
        self.handled = []
        def handler(*args):
            self.handled.append(1)
            raise Raised
        signal.signal(signal.SIGUSR1, handler)
        sender = self.send_while_blocked()
        with self.assertRaises(Raised):
            self.ready()
            barrier.wait()
        sender.join()
        self.assertEqual((barrier.broken, barrier.n_waiting), (False, 0))

    def test_interrupt_from_the_keyboard(self):
        done = run_program("""
import os, signal, sys, threading, _thread
started = False
def interrupt():
    while not started or open(f"/proc/{os.getpid()}/syscall").read().split()[0] not in ("202", "98", "422", "449"):
        pass
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt, daemon=True).start()
try:
    started = True  # start() waits as well
    threading.Event().wait()
except KeyboardInterrupt:
    print("interrupted")
""")
        self.assertEqual(done.stdout, "interrupted\n")


if __name__ == "__main__":
    unittest.main()
