"""Runs CPython's own tests, unmodified, on an interpreter whose threading and queue are ours.

They are those of the installation that runs this. The interpreter is a shadow of it (shadow.py).
"""

import os
import subprocess
import sys
import sysconfig

import again
import shadow

SUITES = ["test_threading", "test_queue", "test_threading_local", "test_thread", "test_threadsignals", "test_sched",
          "test_threadedtempfile", "test_concurrent_futures"]

# Of test_concurrent_futures, the half that is about threads: the other makes processes.
THREADS = ["test_concurrent_futures.test_as_completed", "test_concurrent_futures.test_wait",
           "test_concurrent_futures.test_thread_pool", "test_concurrent_futures.test_shutdown",
           "test_concurrent_futures.test_future"]


def present(name):
    test = os.path.join(sysconfig.get_path("stdlib"), "test", *name.split("."))
    return os.path.exists(test + ".py") or os.path.exists(os.path.join(test, "__init__.py"))


def chosen():
    names = [name for name in SUITES if present(name)]
    if present("test_concurrent_futures.test_wait"):
        names.remove("test_concurrent_futures")
        names += [name for name in THREADS if present(name)]
    return names


def main():
    build = os.environ["THR_PYTHON_BUILD"]
    folder = os.path.join(build, "shadow")
    shadow.make(folder, os.path.join(build, "cthreading"))
    python = os.path.join(folder, "bin", "python")
    ours = "import threading, queue; assert threading.Event.set.__objclass__.__module__ == 'threading', threading; " \
           "assert threading.__name__ == 'cthreading' and queue.__name__ == 'cthreading.queue'"
    subprocess.run([python, "-I", "-c", ours], check=True)
    options = []
    if any(name.startswith("test_concurrent_futures") for name in chosen()):
        options = ["--ignore", "*Process*"]
    sys.exit(not again.passes(python, ["--timeout", "300", *options], chosen()))


if __name__ == "__main__":
    main()
