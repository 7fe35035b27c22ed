"""What cthreading.bench measures, with whatever `threading` and `queue` are here: one round of all rows, as JSON.

    python _bench_rows.py [--only TEXT]

Nanoseconds for one operation. A row of one thread is the lowest of some repetitions, one of several threads a single run
of about a tenth of a second.
"""

import concurrent.futures
import json
import os
import queue
import sys
import threading
import time
import timeit

ROUND = 0.02  # seconds for a repetition of a row of one thread
REPETITIONS = 5
LONG = 0.1  # seconds for a row of several threads

# -- One thread ------------------------------------------------------------------------------------------------------

SETUP = """
import threading, queue
event = threading.Event(); is_set = threading.Event(); is_set.set()
lock = threading.Lock(); rlock = threading.RLock(); condition = threading.Condition()
semaphore = threading.Semaphore(); bounded = threading.BoundedSemaphore()
fifo = queue.Queue(); lifo = queue.LifoQueue(); priority = queue.PriorityQueue()
held = threading.Condition(); held.acquire()
def nothing(): pass
"""

ONE_THREAD = {
    "construct Lock": "threading.Lock()",
    "construct RLock": "threading.RLock()",
    "construct Event": "threading.Event()",
    "construct Condition": "threading.Condition()",
    "construct Semaphore": "threading.Semaphore()",
    "construct BoundedSemaphore": "threading.BoundedSemaphore()",
    "construct Barrier": "threading.Barrier(2)",
    "construct Thread": "threading.Thread(target=nothing)",
    "construct Timer": "threading.Timer(1, nothing)",
    "construct Queue": "queue.Queue()",
    "Lock acquire+release": "lock.acquire(); lock.release()",
    "with Lock": "with lock: pass",
    "RLock acquire+release": "rlock.acquire(); rlock.release()",
    "with RLock": "with rlock: pass",
    "Event.is_set": "event.is_set()",
    "Event.set, set already": "is_set.set()",
    "Event.set + clear": "event.set(); event.clear()",
    "Event.wait() when set": "is_set.wait()",
    "Event.wait(0), not set": "event.wait(0)",
    "Semaphore acquire+release": "semaphore.acquire(); semaphore.release()",
    "BoundedSemaphore acquire+release": "bounded.acquire(); bounded.release()",
    "with Condition: notify": "with condition: condition.notify()",
    "Condition.wait(0)": "held.wait(0)",
    "Condition.wait(1e-6)": "held.wait(1e-6)",
    "current_thread()": "threading.current_thread()",
    "Queue put+get": "fifo.put(1); fifo.get()",
    "LifoQueue put+get": "lifo.put(1); lifo.get()",
    "PriorityQueue put+get": "priority.put(1); priority.get()",
}


def one_thread(statement):
    timer = timeit.Timer(statement, SETUP)
    once = max(timer.timeit(100) / 100, 1e-9)
    number = max(int(ROUND / once), 10)
    return min(timer.repeat(REPETITIONS, number)) / number * 1e9


# -- Several threads -------------------------------------------------------------------------------------------------

def timed(bodies):
    """Runs the bodies, each a function of the time by which to end that returns how often it did its work; nanoseconds
    for one time of the first."""
    counts = [0] * len(bodies)
    gate = threading.Barrier(len(bodies))

    def run(index):
        gate.wait()
        counts[index] = bodies[index](time.perf_counter() + LONG)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(bodies))]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (time.perf_counter() - start) / max(counts[0], 1) * 1e9


def start_join():
    count, end = 0, time.perf_counter() + LONG
    start = time.perf_counter()
    while time.perf_counter() < end:
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
        count += 1
    return (time.perf_counter() - start) / count * 1e9


def event_ping_pong():
    here, there, over = threading.Event(), threading.Event(), []

    def ping(end):
        count = 0
        while time.perf_counter() < end:
            there.set()
            here.wait()
            here.clear()
            count += 1
        over.append(True)
        there.set()
        return count

    def pong(end):
        while True:
            there.wait()
            there.clear()
            if over:
                return 0
            here.set()

    return timed([ping, pong])


def condition_ping_pong():
    condition, turn, over = threading.Condition(threading.Lock()), [0], []

    def play(me, end):
        count = 0
        while True:
            with condition:
                while turn[0] != me and not over:
                    condition.wait()
                if over or time.perf_counter() > end:
                    over.append(True)
                    condition.notify()
                    return count
                turn[0] = 1 - me
                condition.notify()
            count += 1

    return timed([lambda end: play(0, end), lambda end: play(1, end)])


def semaphore_ping_pong():
    here, there, over = threading.Semaphore(0), threading.Semaphore(0), []

    def ping(end):
        count = 0
        while time.perf_counter() < end:
            there.release()
            here.acquire()
            count += 1
        over.append(True)
        there.release()
        return count

    def pong(end):
        while True:
            there.acquire()
            if over:
                return 0
            here.release()

    return timed([ping, pong])


def barrier_crossings(parties):
    barrier = threading.Barrier(parties)

    def cross(end):
        count = 0
        try:
            while time.perf_counter() < end:
                barrier.wait()
                count += 1
        except threading.BrokenBarrierError:
            pass
        barrier.abort()
        return count

    return timed([cross] * parties)


def queue_across(maxsize):
    items = queue.Queue(maxsize)

    def produce(end):
        count = 0
        while time.perf_counter() < end:
            items.put(count)
            count += 1
        items.put(None)
        return count

    def consume(end):
        while items.get() is not None:
            pass
        return 0

    return timed([produce, consume])


def queue_answers():
    there, back = queue.Queue(), queue.Queue()

    def ask(end):
        count = 0
        while time.perf_counter() < end:
            there.put(count)
            back.get()
            count += 1
        there.put(None)
        return count

    def answer(end):
        while (item := there.get()) is not None:
            back.put(item)
        return 0

    return timed([ask, answer])


def queue_worker_pool():
    items = queue.Queue()

    def work():
        while items.get() is not None:
            items.task_done()
        items.task_done()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    count, start = 0, time.perf_counter()
    while time.perf_counter() < start + LONG:
        for item in range(100):
            items.put(item)
        items.join()
        count += 100
    took = time.perf_counter() - start
    for worker in workers:
        items.put(None)
    for worker in workers:
        worker.join()
    return took / count * 1e9


def executor_submit():
    with concurrent.futures.ThreadPoolExecutor(2) as executor:
        count, start = 0, time.perf_counter()
        while time.perf_counter() < start + LONG:
            futures = [executor.submit(int) for _ in range(100)]
            for future in futures:
                future.result()
            count += 100
        return (time.perf_counter() - start) / count * 1e9


def executor_answers():
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        count, start = 0, time.perf_counter()
        while time.perf_counter() < start + LONG:
            executor.submit(int).result()
            count += 1
        return (time.perf_counter() - start) / count * 1e9


def contended_lock():
    lock = threading.Lock()

    def work(end):
        count = 0
        while time.perf_counter() < end:
            for _ in range(100):
                with lock:
                    count += 1
        return count

    return timed([work, work])


def issue_104391():
    """One thread sets an event in a loop, both under a lock; the other waits for it and clears it: an iteration of the
    other's. CPython's issue of this number."""
    lock, event, rounds = threading.Lock(), threading.Event(), 40

    def wait():
        for _ in range(rounds):
            while not event.is_set():
                event.wait(1)
            with lock:
                event.clear()

    thread = threading.Thread(target=wait)
    start = time.perf_counter()
    thread.start()
    while thread.is_alive():
        with lock:
            event.set()
    return (time.perf_counter() - start) / rounds * 1e9


SEVERAL_THREADS = {
    "Thread start+join": start_join,
    "Event ping-pong": event_ping_pong,
    "Condition ping-pong": condition_ping_pong,
    "Semaphore ping-pong": semaphore_ping_pong,
    "Barrier of 2": lambda: barrier_crossings(2),
    "Barrier of 4": lambda: barrier_crossings(4),
    "Queue across": lambda: queue_across(0),
    "Queue across, room for 10": lambda: queue_across(10),
    "Queue, an answer each": queue_answers,
    "Queue, 4 workers, join": queue_worker_pool,
    "executor, 100 at a time": executor_submit,
    "executor, one at a time": executor_answers,
    "Lock, 2 threads": contended_lock,
    "issue 104391": issue_104391,
}


def main():
    only = sys.argv[2] if sys.argv[1:2] == ["--only"] else ""
    all_processors = os.sched_getaffinity(0)
    results = {name: one_thread(statement) for name, statement in ONE_THREAD.items() if only in name}
    for pinned in True, False:
        os.sched_setaffinity(0, {min(all_processors)} if pinned else all_processors)
        for name, measure in SEVERAL_THREADS.items():
            if only in f"{name}, {'pinned' if pinned else 'free'}":
                results[f"{name}, {'pinned' if pinned else 'free'}"] = measure()
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
