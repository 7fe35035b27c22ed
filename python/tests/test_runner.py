"""python -m cthreading: programs that are not changed."""

import os
import subprocess
import sys
import tempfile
import unittest

from support import LIMIT, run_program

PROGRAM = """
import asyncio, concurrent.futures, logging, queue, socket, socketserver, sys, threading

class Worker(threading.Thread):
    def __init__(self, results):
        super().__init__(name="worker", daemon=True)
        self.results = results
    def run(self):
        logging.warning("works")
        self.results.put(threading.current_thread().name)

class Signal(threading.Event):
    def set(self):
        self.sets = getattr(self, "sets", 0) + 1
        super().set()

class Turn(threading.Condition):
    def wait_turn(self):
        return self.wait_for(lambda: True, timeout=1)

class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(self.rfile.readline().upper())

logging.basicConfig(stream=sys.stdout, format="%(threadName)s %(message)s")
results = queue.Queue()
worker = Worker(results)
worker.start()
worker.join()
print(results.get(timeout=1), worker)
signal = Signal()
threading.Timer(0.01, signal.set).start()
print(signal.wait(), signal.wait(0.01), signal.sets)
turn = Turn()
with turn:
    print(turn.wait_turn(), turn.wait(0.001))
barrier = threading.Barrier(3, action=lambda: print("all here"), timeout=10)
with concurrent.futures.ThreadPoolExecutor(3, "pool") as executor:
    print(sorted(executor.map(lambda _: barrier.wait(), range(3))))
    print(executor.submit(lambda: threading.current_thread().name.split("_")[0]).result())
print(asyncio.run(asyncio.to_thread(lambda: "in a thread")))
with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever).start()
    with socket.create_connection(server.server_address) as client:
        client.sendall(b"hello\\n")
        print(client.makefile().readline().strip())
    server.shutdown()
def fails():
    raise ValueError("on purpose")
threading.Thread(target=fails, name="fails").start()
threading.main_thread()
"""


class Programs(unittest.TestCase):

    def test_the_same_as_without(self):
        def normal(done):
            import re
            errors = "\n".join(line for line in done.stderr.splitlines()
                               if "Exception" in line or line.startswith("ValueError"))
            return re.sub(r"\d{9,}", "ID", done.stdout), errors
        stock, ours = run_program(PROGRAM, runner=()), run_program(PROGRAM)
        self.assertEqual(normal(stock), normal(ours))
        self.assertIn("on purpose", ours.stderr)

    def test_it_is_ours(self):
        done = run_program("import threading, sys; print(threading.Event.set, sys.modules['threading'].__name__)")
        self.assertEqual(done.stdout, "<method 'set' of 'threading.Event' objects> cthreading\n")

    def test_classes_are_pickled_by_name(self):
        """As the managers of multiprocessing do, whose process may be a new interpreter."""
        done = run_program("""
import multiprocessing, pickle, queue, threading
def work(lock, event, queue):
    with lock:
        queue.put(event.is_set())
if __name__ == "__main__":
    for one in (threading.Lock, threading.RLock, threading.Condition, threading.Event, threading.Semaphore, threading.Thread,
                threading.BoundedSemaphore, threading.Barrier, queue.Queue, queue.LifoQueue, queue.PriorityQueue):
        assert pickle.loads(pickle.dumps(one)) is one, one
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        lock, event, results = manager.Lock(), manager.Event(), manager.Queue()
        event.set()
        process = context.Process(target=work, args=(lock, event, results))
        process.start()
        process.join()
        print(results.get())
""")
        self.assertEqual(done.stdout, "True\n")

    def test_barriers_of_processes(self):
        """Those of multiprocessing derive from Barrier and have parts of their own, in memory that processes share."""
        done = run_program("""
import multiprocessing, threading
def cross(barrier, results):
    results.put(sum(barrier.wait(60) for _ in range(5)) * 0 + barrier.parties)
def breaks(barrier, results):
    try:
        barrier.wait()
    except threading.BrokenBarrierError:
        results.put("broken")
if __name__ == "__main__":
    for method in "fork", "spawn":
        context = multiprocessing.get_context(method)
        barrier, results = context.Barrier(2), context.Queue()
        def run(target):
            processes = [context.Process(target=target, args=(barrier, results)) for _ in range(2)]
            for process in processes: process.start()
            return processes
        for process in run(cross): process.join()
        print(results.get(), results.get(), barrier.broken, barrier.n_waiting, repr(barrier).split(":")[1])
        barrier = context.Barrier(3)
        processes = run(breaks)
        while barrier.n_waiting < 2: pass
        barrier.abort()
        for process in processes: process.join()
        print(results.get(), results.get(), barrier.broken, repr(barrier).split(":")[1])
        barrier.reset()
        print(barrier.broken)
""")
        self.assertEqual(done.stdout, "2 2 False 0  waiters=0/2>\nbroken broken True  broken>\nFalse\n" * 2)

    def test_script(self):
        done = run_program("import sys, os, __main__; print(sys.argv[1:], __name__, __file__ == sys.argv[0], "
                           "sys.path[0] == os.path.dirname(__file__), __main__.__dict__ is globals())", "a", "-b", "--help")
        self.assertEqual(done.stdout, "['a', '-b', '--help'] __main__ True True True\n")

    def run_with(self, *arguments, stdin="", cwd=None):
        return subprocess.run([sys.executable, "-m", "cthreading", *arguments], input=stdin, text=True, timeout=LIMIT,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd,
                              env={**os.environ, "PYTHONPATH": os.environ["THR_PYTHON_BUILD"]})

    def test_command(self):
        for arguments in ("-c", "import sys; print(sys.argv, __name__)", "x"), ("-cimport sys; print(sys.argv, __name__)", "x"):
            self.assertEqual(self.run_with(*arguments).stdout, "['-c', 'x'] __main__\n")

    def test_module(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "some_module.py"), "w") as file:
                file.write("import sys, threading; print(sys.argv[1:], __name__, threading.__name__)")
            self.assertEqual(self.run_with("-m", "some_module", "x", cwd=folder).stdout, "['x'] __main__ cthreading\n")

    def test_folder(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "__main__.py"), "w") as file:
                file.write("import other")
            with open(os.path.join(folder, "other.py"), "w") as file:
                file.write("import threading; print(threading.__name__)")
            self.assertEqual(self.run_with(folder).stdout, "cthreading\n")

    def test_standard_input(self):
        self.assertEqual(self.run_with("-", stdin="import threading; print(threading.__name__)").stdout, "cthreading\n")

    def test_alone(self):
        done = self.run_with()
        self.assertEqual(done.returncode, 0)
        self.assertIn("python -m cthreading script.py", done.stdout)

    def test_wrong(self):
        for arguments in ("-c",), ("-m",), ("--nonsense",):
            done = self.run_with(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
            self.assertNotIn("Traceback", done.stderr)

    def test_all_that_python_shows(self):
        """Tracebacks, statuses, __main__ and the path are what they are without the runner."""
        programs = {
            "fails.py": "def f():\n    1 / 0\nf()\n",
            "wrong.py": "def (\n",
            "interrupted.py": "raise KeyboardInterrupt\n",
            "exits.py": "import sys; sys.exit(7)\n",
            "says.py": "raise SystemExit('a message')\n",
            "hook.py": "import sys, traceback\nsys.excepthook = lambda *what: print(traceback.format_exception(*what))\n1 / 0\n",
            "main.py": """import __main__, sys
print({name: str(value).split(" object at")[0] for name, value in __main__.__dict__.items() if name != "__builtins__"})
print(type(__builtins__), sys.argv, sys.path, sys.flags, list(sys.modules["__main__"].__dict__))
""",
        }
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(os.path.join(folder, "package"))
            programs["package/__main__.py"] = programs["main.py"]
            for name, text in programs.items():
                with open(os.path.join(folder, name), "w") as file:
                    file.write(text)
            cases = [[name, "a", "-b"] for name in programs] + [["./fails.py"], ["package"], ["nothing.py"], ["-m", "nothing"]]
            cases += [["-m", name.removesuffix(".py"), "x"] for name in programs if "/" not in name] + [["-m", "package"]]
            cases += [["-c", programs[name], "x"] for name in programs if "/" not in name]
            cases += [["-", "x"]]
            for case in cases:
                for options in ([], ["-P"]) if "main.py" in case else ([],):
                    def run(*runner):
                        done = subprocess.run([sys.executable, *options, *runner, *case], input=programs["main.py"], text=True,
                                              timeout=LIMIT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder,
                                              env={**os.environ, "PYTHONPATH": os.environ["THR_PYTHON_BUILD"]})
                        return done.returncode, done.stdout, done.stderr
                    with self.subTest(case=case, options=options):
                        self.assertEqual(run(), run("-m", "cthreading"))

    def test_own_interpreter(self):
        """In two interpreters at once, each with a GIL of its own where there are such.

        They are made before any thread runs: that CPython may fail to make one beside another is its own fault (its issue
        109700), not that of what is imported there.
        """
        name = {(3, 12): "_xxsubinterpreters", (3, 13): "_interpreters"}.get(sys.version_info[:2])
        if not name:
            self.skipTest("3.11 has no interpreters with a GIL of their own")
        done = run_program(f"""
import {name} as interpreters, threading
def run(one):
    failed = interpreters.run_string(one, '''if 1:
        import cthreading as threading
        ready, lock, go = threading.Event(), threading.Condition(), []
        def work():
            with lock:
                go.append(1)
                lock.notify()
            ready.set()
        threads = [threading.Thread(target=work) for _ in range(5)]
        for thread in threads: thread.start()
        with lock: lock.wait_for(lambda: len(go) == 5)
        for thread in threads: thread.join()
        assert ready.is_set() and not any(thread.is_alive() for thread in threads)
    ''')
    assert failed is None, failed
    interpreters.destroy(one)
made = [interpreters.create() for _ in range(2)]
threads = [threading.Thread(target=run, args=(one,)) for one in made]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("ended")
""", runner=())
        self.maxDiff = None
        self.assertEqual((done.stdout, done.stderr), ("ended\n", ""))


if __name__ == "__main__":
    unittest.main()
