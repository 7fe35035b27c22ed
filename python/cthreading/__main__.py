"""python -m cthreading [-c COMMAND | -m MODULE | SCRIPT] [ARGUMENT]...

Runs a program as `python` would, with the objects of this package in the place of `threading` and `queue`.

  python -m cthreading script.py ...     a script, or a folder or zip file with a __main__.py
  python -m cthreading -m module ...     a module, like python -m
  python -m cthreading -c command ...    a command
  python -m cthreading -                 a script from standard input
  python -m cthreading --version         the version of the library
"""

import os
import sys

import cthreading


def _main_namespace():
    """The namespace of a new module __main__, as an interpreter that has just started has it."""
    import builtins
    import types
    module = types.ModuleType("__main__")
    module.__dict__.update(__builtins__=builtins, __annotations__={})
    sys.modules["__main__"] = module
    return module.__dict__


def _search_here():
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = ""


def _run_command(command):
    _search_here()
    exec(compile(command, "<string>", "exec"), _main_namespace())


def _run_input():
    _search_here()
    exec(compile(sys.stdin.read(), "<stdin>", "exec"), _main_namespace())


def _is_package(path):
    """Whether this path is run by the __main__.py in it."""
    import pkgutil
    return os.path.isdir(path) or pkgutil.get_importer(path).__class__.__name__ == "zipimporter"


def _run_script(path):
    """As python does: the script's folder comes first on the path, and its namespace stays until the end."""
    if _is_package(path):
        import runpy
        sys.path[0] = path
        runpy.run_path(path, run_name="__main__")
        return
    with open(path, "rb") as file:
        code = file.read()
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = os.path.dirname(os.path.realpath(path))
    from importlib.machinery import SourceFileLoader
    namespace = _main_namespace()
    namespace.update(__file__=path, __cached__=None, __loader__=SourceFileLoader("__main__", path), __spec__=None)
    exec(compile(code, path, "exec"), namespace)


def _run_module(name):
    import runpy
    runpy._run_module_as_main(name)


def _usage(file, status):
    print(__doc__.strip(), file=file)
    sys.exit(status)


def main():
    arguments = sys.argv[1:]
    if not arguments:
        _usage(sys.stdout, 0)
    first, rest = arguments[0], arguments[1:]
    if first in ("-h", "--help"):
        _usage(sys.stdout, 0)
    if first in ("-V", "--version"):
        print("cthreading", cthreading.__version__)
        return
    for option, run in ("-c", _run_command), ("-m", _run_module):
        if first.startswith(option):
            value = first[2:] or (rest.pop(0) if rest else None)
            if value is None:
                print(f"Argument expected for the {option} option", file=sys.stderr)
                _usage(sys.stderr, 2)
            break
    else:
        option, run, value = first, _run_script, first
        if first == "-":
            run, value = lambda _: _run_input(), None
        elif first.startswith("-"):
            print(f"unknown option {first}", file=sys.stderr)
            _usage(sys.stderr, 2)
        elif not os.path.exists(first):
            print(f"can't open file {first!r}: there is no such file", file=sys.stderr)
            sys.exit(2)
    sys.argv[:] = [option, *rest]
    cthreading.install()
    run(value)


if __name__ == "__main__":
    main()
