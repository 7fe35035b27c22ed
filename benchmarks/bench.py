#!/usr/bin/env python3
"""bench.py - runs the programs of rows/, compares, prints and writes. ./bench builds them and starts this.

    bench.py BUILD-FOLDER [--quick] [--against FOLDER]... [--samples N] [--list] [ROW]...
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

import report
from results import Row, load_targets

QUICK = (5, 0.01)  # samples, seconds each
FULL = (11, 0.1)
QUICK_ENDS = 55  # seconds: what would take longer is not measured a second time
QUICK_BEHIND = 1.10


def parse():
    parser = argparse.ArgumentParser(prog="./bench", description="Measures the library, its peers and the limit.")
    parser.add_argument("build", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true",
                        help="under a minute; fails where a row is more than 10 %% behind its best peer; writes nothing")
    parser.add_argument("--against", action="append", default=[], type=library, metavar="[NAME=]FOLDER",
                        help="compares with the libthreading.so.0 in FOLDER, not with peers; may be given several times")
    parser.add_argument("--samples", type=positive, metavar="N",
                        help=f"how many of each variant, instead of {FULL[0]} or, in a quick run, {QUICK[0]}")
    parser.add_argument("--list", action="store_true", help="the names of the rows")
    parser.add_argument("rows", nargs="*", metavar="ROW", help="only these: names, or beginnings of names")
    options = parser.parse_intermixed_args()
    options.samples = options.samples or (QUICK if options.quick else FULL)[0]
    return options


def positive(text):
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text} is no number of samples")
    return int(text)


def library(text):
    name, _, folder = text.rpartition("=")
    folder = pathlib.Path(folder).resolve()
    if not (folder / "libthreading.so.0").exists():
        raise argparse.ArgumentTypeError(f"{folder} has no libthreading.so.0")
    return name or folder.name, folder


def built(build):
    """{program: {row: title}} of the programs that are there, {program: missing package}."""
    programs = {}
    for path in sorted((build / "rows").iterdir()):
        if path.is_file():
            lines = subprocess.run([path], capture_output=True, text=True, check=True).stdout.splitlines()
            programs[path.name] = dict(line.split("\t") for line in lines)
    missing = dict(line.split(": ") for line in (build / "missing.txt").read_text().splitlines())
    for program in missing:
        programs.pop(program, None)
    return programs, missing


def samples_of(build, target, samples, seconds, who, folder=None):
    """What the row's program prints; `folder`: of another library that it is to run with."""
    command = [build / "rows" / target.program, target.name, str(samples), str(seconds), who]
    environment = os.environ | {"LD_LIBRARY_PATH": str(folder)} if folder else None
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment).stdout)


def measure_against(build, target, libraries, samples, seconds):
    """Us and the limit, and us with other builds of the library as if these were peers: a sample each by turns."""
    everybody = [(None, None, "limit")] + [(name, folder, "ours") for name, folder in libraries]
    variants = {}
    for turn in range(samples):
        for name, folder, who in everybody[turn % len(everybody):] + everybody[:turn % len(everybody)]:
            row = samples_of(build, target, 1, seconds, who, folder)
            for found in row["variants"]:
                renamed = found | {"name": name, "kind": "peer"} if name else found
                one = variants.setdefault(renamed["name"], renamed | {"samples": [], "failures": 0})
                one["samples"] += found["samples"]
                one["failures"] += found["failures"]
    return Row(target, row | {"variants": list(variants.values())})


def measured(target, options, factor=1):
    samples, seconds = options.samples * factor, (QUICK if options.quick else FULL)[1]
    try:
        if options.against:
            return measure_against(options.build, target, options.against, samples, seconds)
        return Row(target, samples_of(options.build, target, samples, seconds, "quick" if options.quick else "all"))
    except subprocess.CalledProcessError as error:
        return Row.failed(target, f"the program ended with status {error.returncode}")


def complaints(row, options):
    if options.against:
        return row.failures()
    return row.quick_complaints(QUICK_BEHIND) if options.quick else row.complaints()


def measure_all(options, targets, missing):
    """One row after the other. In a quick run one that looks bad gets a second chance, with more samples."""
    start, rows, took = time.monotonic(), [], []
    for target in targets:
        began = time.monotonic()
        if target.program in missing:
            rows.append(Row.failed(target, f"not built without {missing[target.program]}"))
        else:
            report.progress(target.name)
            rows.append(measured(target, options))
        took.append(time.monotonic() - began)
    for i, row in enumerate(rows):
        left = QUICK_ENDS - (time.monotonic() - start)
        if options.quick and row.variants and complaints(row, options) and 2 * took[i] < left:
            report.progress(f"{row.name} again")
            rows[i] = measured(row.target, options, 2)
    report.progress("")
    return rows


def chosen(targets, names):
    """Those with these names; a name that nobody has stands for all that begin with it."""
    found = []
    for name in names:
        rows = [t for t in targets if t.name == name] or [t for t in targets if t.name.startswith(name)]
        if not rows:
            sys.exit(f"there is no row {name}; ./bench --list lists them")
        found += [row for row in rows if row not in found]
    return found


def main():
    options = parse()
    programs, missing = built(options.build)
    targets = load_targets()
    known = {target.name for target in targets}
    strangers = [name for rows in programs.values() for name in rows if name not in known]
    if strangers:
        sys.exit(f"benchmarks/targets.toml does not have: {', '.join(strangers)}")
    for target in targets:
        if target.program not in missing and target.name not in programs.get(target.program, {}):
            sys.exit(f"benchmarks/targets.toml has {target.name}, but no such row is there")
    if options.list:
        for target in targets:
            print(f"{target.name:32}", programs.get(target.program, {}).get(target.name, "(not built)"))
        return 0

    wanted = chosen(targets, options.rows) if options.rows else targets
    start = time.monotonic()
    rows = measure_all(options, wanted, missing)
    (options.build / "results.json").write_text(json.dumps([row.data for row in rows if row.variants]))
    report.print_table(rows)
    bad = [(row.name, text) for row in rows for text in complaints(row, options)]
    if not options.against:
        report.print_verdict(rows, bad, options.quick, time.monotonic() - start)
    if not (options.quick or options.rows or options.against):
        report.write(rows, bad, options.samples)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
