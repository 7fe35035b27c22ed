"""Makes a shadow of the interpreter that runs this: one whose `threading` and `queue` are ours.

    python shadow.py FOLDER PACKAGE

FOLDER gets a copy of the interpreter and its standard library, linked file by file, but for threading.py and queue.py; in
their place stand files that say that ours are meant. PACKAGE is the folder of the package cthreading, built. Whatever is
run by FOLDER/bin/python, children with -I included, cannot tell it from an interpreter of which ours is a part.
"""

import os
import shutil
import sys
import sysconfig

STANDS_FOR = """\
import sys
import {ours}
sys.modules[__name__] = {ours}
"""


def link_all(source, folder, leave_out):
    for name in os.listdir(source):
        if name not in leave_out and not os.path.lexists(os.path.join(folder, name)):
            os.symlink(os.path.join(source, name), os.path.join(folder, name))


def make(folder, package):
    shutil.rmtree(folder, ignore_errors=True)
    library = sysconfig.get_path("stdlib")
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    shadow_library = os.path.join(folder, "lib", version)
    os.makedirs(os.path.join(folder, "bin"))
    os.makedirs(os.path.join(shadow_library, "site-packages"))
    link_all(library, shadow_library,
             {"threading.py", "queue.py", "__pycache__", "site-packages", "dist-packages", "sitecustomize.py"})
    os.symlink(package, os.path.join(shadow_library, "cthreading"))
    for name, ours in ("threading", "cthreading"), ("queue", "cthreading.queue"):
        with open(os.path.join(shadow_library, name + ".py"), "w") as file:
            file.write(STANDS_FOR.format(ours=ours))
    executable = os.path.join(folder, "bin", version)
    shutil.copy2(os.path.realpath(sys.executable), executable)
    os.symlink(version, os.path.join(folder, "bin", "python"))


if __name__ == "__main__":
    make(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]))
