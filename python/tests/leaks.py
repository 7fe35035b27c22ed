"""Runs CPython's own tests again and again, on an interpreter that counts all references, and fails if the count grows.

    python leaks.py [--all]

Each test runs three times to warm up, and three times with a look at the references, the blocks of memory and the open
files after each. By default: each type in C, but of each Queue one test, which fills and empties it; with --all,
the whole of test_queue and other tests that use threads, too.
"""

import os
import subprocess
import sys

import shadow

TYPES = ["LockTests", "CRLockTests", "ConditionTests", "EventTests", "SemaphoreTests",
         "BoundedSemaphoreTests", "BarrierTests"]
RUNS = [
    ["test_threading", *(word for name in TYPES for word in ("-m", f"test.test_threading.{name}.*"))],
    ["test_queue", "-m", "*CQueueTest.test_basic", "-m", "*CLifoQueueTest.test_basic", "-m", "*CPriorityQueueTest.test_basic"],
]
ALL = RUNS[:1] + [["test_queue", "test_thread", "test_sched", "test_threading_local"]]

# That the extension takes part in the count: making objects and dropping them leaves it as it was.
COUNTS = """\
import gc, sys, threading
def grown(times):
    gc.collect()
    before = sys.gettotalrefcount()
    for _ in range(times):
        threading.Event(), threading.Barrier(2), threading.Condition()
    gc.collect()
    return sys.gettotalrefcount() - before
grown(1000)
assert abs(grown(1000)) < 100, "made and dropped, objects leave references, or the extension does not count them"
"""


def passes(python, run):
    """Whether it does; if not, once more, twice: some of the tests fail where the machine stands still (again.py)."""
    def once():
        return subprocess.run([python, "-m", "test", "--timeout", "120", "--fail-env-changed", "-R", "3:3", *run]).returncode == 0
    return once() or (once() and once())


def main():
    build = os.environ["THR_PYTHON_BUILD"]
    folder = os.path.join(build, "shadow")
    shadow.make(folder, os.path.join(build, "cthreading"))
    python = os.path.join(folder, "bin", "python")
    subprocess.run([python, "-I", "-c", COUNTS], check=True)
    failed = [run for run in (ALL if "--all" in sys.argv else RUNS) if not passes(python, run)]
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
