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


def _main_namespace(loader):
    """The namespace of a new module __main__, as an interpreter that has just started has it."""
    import builtins
    import types
    module = types.ModuleType("__main__")
    module.__dict__.update(__annotations__={}, __builtins__=builtins, __loader__=loader)
    sys.modules["__main__"] = module
    return module.__dict__


def _search_first(folder):
    """What is first on the path is this package's at first, or nothing of the kind with -P."""
    if sys.flags.safe_path:
        sys.path.insert(0, folder)
    else:
        sys.path[0] = folder


def _execute(source, name, namespace):
    exec(compile(source, name, "exec", dont_inherit=True), namespace)


def _run_text(source, name, **more):
    from importlib.machinery import BuiltinImporter
    if not sys.flags.safe_path:
        _search_first("")
    namespace = _main_namespace(BuiltinImporter)
    namespace.update(more)
    _execute(source, name, namespace)


def _run_command(command):
    if sys.version_info >= (3, 13):
        import linecache
        linecache.cache["<string>"] = (len(command), None, [line + "\n" for line in command.splitlines()], "<string>")
    _run_text(command, "<string>")


def _run_input():
    _run_text(sys.stdin.buffer.read(), "<stdin>", __file__="<stdin>", __cached__=None)


def _is_package(path):
    """Whether this path is run by the __main__.py in it."""
    import pkgutil
    return os.path.isdir(path) or pkgutil.get_importer(path).__class__.__name__ == "zipimporter"


def _run_script(given):
    """As python does: the script's folder comes first on the path, and its namespace stays until the end."""
    path = os.path.join(os.getcwd(), given)
    if _is_package(path):
        import runpy
        _search_first(path)
        _main_namespace(None)
        runpy._run_module_as_main("__main__", alter_argv=False)
        return
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        print(f"{sys.executable}: can't open file {path!r}: [Errno {error.errno}] {error.strerror}", file=sys.stderr)
        sys.exit(2)
    if not sys.flags.safe_path:
        _search_first(os.path.dirname(os.path.realpath(path)))
    from importlib.machinery import SourceFileLoader
    namespace = _main_namespace(SourceFileLoader("__main__", path))
    namespace.update(__file__=path, __cached__=None)
    _execute(source, path, namespace)


def _run_module(name):
    import runpy
    _main_namespace(None)
    runpy._run_module_as_main(name)


def _as_without(run, value):
    """Runs it. The traceback of an exception that ends the program begins where it would without this file."""
    try:
        run(value)
    except BaseException:
        hook = sys.excepthook

        def show(kind, exception, traceback):
            sys.excepthook = hook
            sys.last_traceback = exception.__traceback__ = _ours_taken_off(traceback)
            hook(kind, exception, exception.__traceback__)

        sys.excepthook = show
        raise


def _ours_taken_off(traceback):
    """What comes after the last frame of this file."""
    rest = traceback
    while traceback:
        if traceback.tb_frame.f_code.co_filename == __file__:
            rest = traceback.tb_next
        traceback = traceback.tb_next
    return rest


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
    sys.argv[:] = [option, *rest]
    cthreading.install()
    _as_without(run, value)


if __name__ == "__main__":
    main()
