"""Builds the extension together with the library, whose sources are beside this folder: `pip install ./python` in the
project's folder. What needs saying besides is in pyproject.toml."""

import glob
import os

from setuptools import Extension, setup

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)


def sources():
    """Those of the extension, and of the library as its CMakeLists.txt has them."""
    library = [path for path in glob.glob(os.path.join(TOP, "src", "*", "*.c")) if f"{os.sep}os{os.sep}" not in path]
    library.append(os.path.join(TOP, "src", "os", "linux.c"))
    ours = glob.glob(os.path.join(HERE, "src", "*.c"))
    # Relative: setuptools takes no others.
    return sorted(os.path.relpath(path, HERE) for path in library + ours)


setup(ext_modules=[Extension(
    "cthreading._core",
    sources(),
    include_dirs=[os.path.join(TOP, "include"), os.path.join(TOP, "src"), os.path.join(HERE, "src")],
    define_macros=[("_GNU_SOURCE", "")],
    extra_compile_args=["-std=c11", "-fvisibility=hidden", "-fexceptions"],
    extra_link_args=["-Wl,-z,nodelete"],
)])
