"""Breaks each C type in turn, and demands that CPython's own tests notice.

That proves that the tests run on our types, on this interpreter. A mutant is one replacement in one source file, which is
compiled anew and linked with the other objects of the build. The unbroken build must pass the same tests.
"""

import os
import subprocess
import sys
import sysconfig
import tempfile

import shadow

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCES = os.path.join(os.path.dirname(HERE), "src")
TOP = os.path.dirname(os.path.dirname(HERE))

# file, what stands there, what shall stand there, the test file, the tests in it
MUTANTS = [
    ("lock.c", '? "locked" : "unlocked"', '? "unlocked" : "unlocked"', "test_threading", "*.LockTests.test_locked_repr"),
    ("rlock.c", "PyBool_FromLong(rlock_is_mine(self))", "PyBool_FromLong(0)", "test_threading", "*.CRLockTests.test__is_owned"),
    ("condition.c", "return ticket->chosen;", "return true;", "test_threading", "*.ConditionTests.test_timeout"),
    ("event.c", "thr_event_clear(&self->event);", "", "test_threading", "*.EventTests.test_is_set"),
    ("semaphore.c", "    if (take(self))\n", "    if (take(self) || true)\n", "test_threading",
     "*.SemaphoreTests.test_try_acquire"),
    ("semaphore.c", "bounded ? number : PY_SSIZE_T_MAX", "bounded ? PY_SSIZE_T_MAX : PY_SSIZE_T_MAX", "test_threading",
     "*.BoundedSemaphoreTests.test_release_unacquired"),
    ("barrier.c", "self->broken = then_broken;", "self->broken = false;", "test_threading", "*.BarrierTests.test_abort"),
    ("queue_items.c", "PyObject_Vectorcall(self->state->deque_popleft, &self->items, 1, NULL)",
     'PyObject_CallMethod(self->items, "pop", NULL)', "test_queue", "*.CQueueTest.test_basic *.PyQueueTest.test_basic"),
    ("queue_items.c", 'has_items(self) ? PyObject_CallMethod(self->items, "pop", NULL) : NULL',
     'has_items(self) ? PyObject_CallMethod(self->items, "pop", "i", 0) : NULL', "test_queue",
     "*LifoQueueTest.test_basic"),
    ("queue_items.c", "PyObject_Vectorcall(self->state->heappop, &self->items, 1, NULL)",
     'PyObject_CallMethod(self->items, "pop", NULL)', "test_queue", "*PriorityQueueTest.test_basic"),
]


def compile_mutant(file, before, after, build, package):
    """The package with this change, in `package`."""
    with open(os.path.join(SOURCES, file)) as source:
        text = source.read()
    assert text.count(before) == 1, f"{file}: there {text.count(before)} times: {before}"
    mutated = os.path.join(package, file)
    with open(mutated, "w") as source:
        source.write(text.replace(before, after))
    version = os.path.basename(build)
    objects = os.path.join(os.path.dirname(build), "CMakeFiles", f"python_core_{version}.dir", "src")
    others = [os.path.join(objects, name) for name in sorted(os.listdir(objects))
              if name.endswith(".c.o") and name != file + ".o"]
    subprocess.run([os.environ.get("CC", "cc"), "-std=c11", "-O0", "-w", "-fPIC", "-shared", "-D_GNU_SOURCE=",
                    "-I" + SOURCES, "-I" + os.path.join(TOP, "include"), "-I" + os.path.join(TOP, "src"),
                    "-I" + sysconfig.get_path("include"), mutated, *others,
                    os.path.join(os.path.dirname(os.path.dirname(build)), "libthreading.a"), "-Wl,-z,nodelete", "-o",
                    os.path.join(package, "_core" + sysconfig.get_config_var("EXT_SUFFIX"))], check=True)


def passes(python, suite, names):
    """Whether these tests, of which there must be some, pass; with their output."""
    filters = [word for name in names.split() for word in ("-m", name)]
    done = subprocess.run([python, "-m", "test", "-v", "--timeout", "30", *filters, suite], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert " ... " in done.stdout, f"no test {names} in {suite}:\n{done.stdout}"
    return done.returncode == 0, done.stdout


def main():
    build = os.environ["THR_PYTHON_BUILD"]
    package = os.path.join(build, "cthreading")
    failures = 0
    unbroken = [("", "", "", suite, " ".join(entry[4] for entry in MUTANTS if entry[3] == suite))
                for suite in ("test_threading", "test_queue")]
    for file, before, after, suite, names in unbroken + MUTANTS:
        with tempfile.TemporaryDirectory() as folder:
            mutant = os.path.join(folder, "cthreading")
            if file:
                os.mkdir(mutant)
                shadow.link_all(package, mutant, {"__pycache__"} | {n for n in os.listdir(package) if n.endswith(".so")})
                compile_mutant(file, before, after, build, mutant)
            shadow.make(os.path.join(folder, "shadow"), mutant if file else package)
            passed, output = passes(os.path.join(folder, "shadow", "bin", "python"), suite, names)
        as_wanted = passed != bool(file)
        failures += not as_wanted
        print("as wanted:" if as_wanted else "WRONG:", "passes" if passed else "fails", file, before.strip(), "|", names,
              flush=True)
        if not as_wanted:
            print(output)
    sys.exit(failures != 0)


if __name__ == "__main__":
    main()
