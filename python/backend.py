"""What `pip install ./python` calls to build the package (PEP 517): it needs a C compiler, Python's header files, and no
other package, so no network either.

The extension is compiled together with the library, whose sources are beside this folder. CC, CFLAGS and LDFLAGS of the
environment are heeded.
"""

import base64
import concurrent.futures
import glob
import hashlib
import os
import shlex
import subprocess
import sysconfig
import tempfile
import tomllib
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)

with open(os.path.join(HERE, "pyproject.toml"), "rb") as _file:
    PROJECT = tomllib.load(_file)["project"]

INFO = f"{PROJECT['name']}-{PROJECT['version']}.dist-info"


def _sources():
    """Those of the extension, and of the library as its CMakeLists.txt has them."""
    library = [path for path in glob.glob(os.path.join(TOP, "src", "*", "*.c")) if f"{os.sep}os{os.sep}" not in path]
    library.append(os.path.join(TOP, "src", "os", "linux.c"))
    return sorted(library + glob.glob(os.path.join(HERE, "src", "*.c")))


def _environment(name):
    return shlex.split(os.environ.get(name, ""))


def _run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{shlex.join(command)}\n{done.stdout}")


def _compile(folder):
    """The extension, built in this folder; its path."""
    compiler = _environment("CC") or ["cc"]
    includes = [os.path.join(TOP, "include"), os.path.join(TOP, "src"), os.path.join(HERE, "src"),
                sysconfig.get_path("include")]
    flags = ["-std=c11", "-O2", "-fPIC", "-fvisibility=hidden", "-fexceptions", "-D_GNU_SOURCE=",
             *(f"-I{path}" for path in includes), *_environment("CFLAGS")]
    objects = {source: os.path.join(folder, f"{number}.o") for number, source in enumerate(_sources())}
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as executor:
        list(executor.map(lambda item: _run([*compiler, *flags, "-c", item[0], "-o", item[1]]), objects.items()))
    extension = os.path.join(folder, "_core" + sysconfig.get_config_var("EXT_SUFFIX"))
    _run([*compiler, "-shared", "-Wl,-z,nodelete", *objects.values(), *_environment("LDFLAGS"), "-pthread", "-o", extension])
    return extension


def _metadata():
    version = ",".join(part.strip() for part in PROJECT["requires-python"].replace(" ", "").split(","))
    return (f"Metadata-Version: 2.1\nName: {PROJECT['name']}\nVersion: {PROJECT['version']}\n"
            f"Summary: {PROJECT['description']}\nLicense: MIT\nRequires-Python: {version}\n")


def _tag():
    version = "cp" + sysconfig.get_config_var("py_version_nodot")
    return f"{version}-{version}{sysconfig.get_config_var('abiflags')}-" + sysconfig.get_platform().replace("-", "_").replace(
        ".", "_")


class _Wheel:
    """An archive that says of each file in it how long it is, and its hash."""

    def __init__(self, path):
        self.archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
        self.records = []

    def add(self, name, data):
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        self.records.append(f"{name},sha256={digest},{len(data)}\n")
        self.archive.writestr(name, data)

    def add_file(self, name, path):
        with open(path, "rb") as file:
            self.add(name, file.read())

    def close(self):
        self.archive.writestr(f"{INFO}/RECORD", "".join(self.records) + f"{INFO}/RECORD,,\n")
        self.archive.close()


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """Makes the wheel in that folder, and returns its name."""
    name = f"{PROJECT['name']}-{PROJECT['version']}-{_tag()}.whl"
    with tempfile.TemporaryDirectory() as folder:
        extension = _compile(folder)
        wheel = _Wheel(os.path.join(wheel_directory, name))
        for path in sorted(glob.glob(os.path.join(HERE, "cthreading", "*.py"))):
            wheel.add_file(f"cthreading/{os.path.basename(path)}", path)
        wheel.add_file(f"cthreading/{os.path.basename(extension)}", extension)
    wheel.add_file(f"{INFO}/LICENSE", os.path.join(TOP, "LICENSE"))
    wheel.add(f"{INFO}/METADATA", _metadata().encode())
    wheel.add(f"{INFO}/WHEEL", f"Wheel-Version: 1.0\nGenerator: cthreading\nRoot-Is-Purelib: false\nTag: {_tag()}\n".encode())
    wheel.close()
    return name


def build_sdist(sdist_directory, config_settings=None):
    """The library's sources are outside of this folder, so there is none."""
    raise NotImplementedError("build a wheel: the sources of the library are not in this folder")
