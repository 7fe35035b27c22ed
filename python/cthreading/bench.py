"""Measures this package beside the standard library's modules.

    python -m cthreading.bench [--rounds N] [--only TEXT]

Each round runs all rows in a process of their own, first with the standard library's `threading` and `queue`, then with
ours; the table has the medians of the rounds. Rows of several threads come twice: with the process pinned to one
processor, and free. What is to be reached is in the last column; the status is 1 if something is not.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys

ROWS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_bench_rows.py")

# How many times faster: the first that fits the row's name. What is not here must not be slower.
TARGETS = [
    ("construct RLock", 1), ("construct Lock", 1), ("construct Thread", 1), ("construct Timer", 1), ("construct Queue", 1),
    ("construct", 5), ("Event.set", 5), ("Event.wait", 5), ("Semaphore acquire", 5), ("Condition.wait(0)", 5),
    ("with Condition: notify", 2), ("Queue put+get", 5), ("ping-pong, pinned", 2), ("Barrier of 2, pinned", 2),
    ("Barrier of 4, pinned", 2), ("issue 104391", 4),
]
NOISE = 0.95  # a row counts as slower below this


def target(name):
    return next((factor for part, factor in TARGETS if part in name), 1)


def run(ours, only):
    """One round, in a new process."""
    command = [sys.executable, "-P", *(["-m", "cthreading"] if ours else []), ROWS, "--only", only]
    path = os.pathsep.join([os.path.dirname(os.path.dirname(ROWS)), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, env={**os.environ, "PYTHONPATH": path})
    return json.loads(done.stdout)


def show(nanoseconds):
    return f"{nanoseconds / 1000:,.1f} us" if nanoseconds >= 10000 else f"{nanoseconds:,.0f} ns"


def main():
    parser = argparse.ArgumentParser(prog="python -m cthreading.bench", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="how often all is measured (default 3)")
    parser.add_argument("--only", default="", help="only rows with this text in their names")
    options = parser.parse_args()

    rounds = [(run(False, options.only), run(True, options.only)) for _ in range(options.rounds)]
    missed = 0
    print(f"{sys.implementation.name} {sys.version.split()[0]}, {len(os.sched_getaffinity(0))} processors, "
          f"{options.rounds} rounds\n")
    print(f"{'':42}{'stock':>12}{'cthreading':>12}{'times':>8}  wanted")
    for name in rounds[0][0]:
        stock, ours = (statistics.median(round[side][name] for round in rounds) for side in (0, 1))
        wanted = target(name)
        short = stock / ours < (wanted if wanted > 1 else NOISE)
        missed += short
        print(f"{name:42}{show(stock):>12}{show(ours):>12}{stock / ours:8.2f}  {wanted if wanted > 1 else '-'}"
              f"{'   missed' if short else ''}")
    sys.exit(missed != 0)


if __name__ == "__main__":
    main()
