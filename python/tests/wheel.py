"""What pip makes of python/ (backend.py) is a package that works: built, unpacked as pip does, and a program run with it."""

import base64
import csv
import hashlib
import io
import os
import subprocess
import sys
import tempfile
import zipfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import backend

PROGRAM = """
import threading, queue, cthreading
assert threading is cthreading and queue.Queue is cthreading.queue.Queue
results = queue.Queue()
threading.Thread(target=results.put, args=(cthreading.__file__,)).start()
print(results.get())
"""


def check_records(archive):
    """Every file is recorded as it is."""
    names = set(archive.namelist())
    for name, digest, length in csv.reader(io.StringIO(archive.read(f"{backend.INFO}/RECORD").decode())):
        names.remove(name)
        if digest:
            data = archive.read(name)
            wanted = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            assert (digest, int(length)) == ("sha256=" + wanted, len(data)), name
    assert not names, names


def main():
    with tempfile.TemporaryDirectory() as folder:
        name = backend.build_wheel(folder)
        installed = os.path.join(folder, "installed")
        with zipfile.ZipFile(os.path.join(folder, name)) as archive:
            check_records(archive)
            archive.extractall(installed)
        done = subprocess.run([sys.executable, "-m", "cthreading", "-c", PROGRAM], check=True, text=True,
                              stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": installed})
        assert done.stdout.startswith(os.path.join(installed, "cthreading")), done.stdout
        print("as wanted:", name)


if __name__ == "__main__":
    main()
