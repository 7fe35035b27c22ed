"""The programs of examples/python print what those in C do: the same expectations, tests/scripts/examples.sh.

They run unchanged, under `python -m cthreading`.
"""

import os
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXAMPLES = os.path.join(TOP, "examples", "python")


def main():
    with tempfile.TemporaryDirectory() as folder:
        for name in os.listdir(EXAMPLES):
            program, extension = os.path.splitext(name)
            if extension == ".py":
                path = os.path.join(folder, program)
                with open(path, "w") as file:
                    file.write(f"#!/bin/sh\nexec '{sys.executable}' -m cthreading '{os.path.join(EXAMPLES, name)}' \"$@\"\n")
                os.chmod(path, 0o755)
        # Twenty interpreters start at once: that takes a while.
        environment = {**os.environ, "THR_EXAMPLES": folder, "THR_EXAMPLES_SLACK": "20",
                       "PYTHONPATH": os.environ["THR_PYTHON_BUILD"]}
        script = os.path.join(TOP, "tests", "scripts", "examples.sh")
        sys.exit(subprocess.run(["bash", script], env=environment).returncode)


if __name__ == "__main__":
    main()
