"""CPython's own tests take it here and there that some tenths of a second are enough for others to get on. Where the machine
stood still, they are not. So tests that fail are run again, five times each, then all of them, and have to pass each time."""

import os
import subprocess
import tempfile
import xml.etree.ElementTree

TIMES = 5


def run(python, *arguments):
    """Runs `python -m test ARGUMENT...`: its status, and the tests that ran, by name: whether they passed."""
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "report.xml")
        status = subprocess.run([python, "-m", "test", "--junit-xml", report, *arguments]).returncode
        tree = xml.etree.ElementTree.parse(report) if os.path.exists(report) else xml.etree.ElementTree.ElementTree()
        cases = tree.iter("testcase") if tree.getroot() is not None else ()
        return status, {case.get("name"): case.find("error") is None and case.find("failure") is None for case in cases}


def passes(python, options, suites):
    """Whether these tests pass, if need be when they run again."""
    status, ran = run(python, *options, *suites)
    failed = [name for name, passed in ran.items() if not passed]
    if status and not failed:
        return False  # a crash, or a test that did not end
    for name in failed * TIMES:
        print(f"again: {name}", flush=True)
        status, ran = run(python, *options, "-m", name, *suites)
        if status or not ran:
            return False
    # The report does not know of subtests: all once more, if there was anything.
    return not failed or run(python, *options, *suites)[0] == 0
