"""What our own tests share: waiting for a state, and running programs."""

import os
import re
import subprocess
import sys
import tempfile
import time

import cthreading

LIMIT = 60  # seconds, which only a failure reaches


def wait_until(state, what="the state"):
    """Waits until state() is true."""
    end = time.monotonic() + LIMIT
    while not state():
        if time.monotonic() > end:
            raise AssertionError(f"{what} was not reached in {LIMIT} seconds")
        time.sleep(0.001)


def blocked(native_id):
    """Whether that thread sleeps in a futex, as the system tells."""
    with open(f"/proc/self/task/{native_id}/syscall") as file:
        return file.read().split()[0] in ("202", "98", "422", "449")  # futex, on x86-64 and AArch64; futex_time64; waitv


def wait_blocked(thread):
    """Waits until a thread sleeps in a wait of the library's: not one that spins still, or waits for the GIL."""
    def waits():
        lines = [line for line in dump().splitlines() if line.split()[1:2] == [str(thread.native_id)]]
        # In this order: what a thread is said to wait for, it sleeps for next.
        return any(re.search("waits for [a-z ]+ 0x", line) for line in lines) and blocked(thread.native_id)
    wait_until(waits, f"{thread} asleep")


def run_program(text, *arguments, runner=("-m", "cthreading"), stdin="", check=True):
    """Runs a program in a new interpreter; by default, with our objects in the place of the others."""
    build = os.environ["THR_PYTHON_BUILD"]
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
        file.write(text)
        file.flush()
        done = subprocess.run([sys.executable, *runner, file.name, *arguments], input=stdin, text=True, timeout=LIMIT,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": build})
    if check and done.returncode != 0:
        raise AssertionError(f"status {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def dump():
    """What thr_dump() prints."""
    with tempfile.TemporaryFile("w+b") as file:
        cthreading._core._dump(file)
        file.seek(0)
        return file.read().decode()
