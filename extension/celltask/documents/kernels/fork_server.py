"""A process that has imported all that a kernel needs, and forks one whenever it is asked to.

It is run as a script by the Python of the documents and imports nothing of celltask, so that a document meets the same
modules as at its reader's. It has one thread, no event loop and no ZeroMQ context, since what it forks must be whole.

Requests arrive on the socket that is its standard input, one JSON object a line, with file descriptors beside it: a
socket on which the request is answered, and for a kernel its standard output and error. The answers are lines of JSON:
``{"pid": 12}``, then ``{"bound": true}`` when it can be talked to, and at last ``{"exit": 0, "cpu_s": 0.2,
"peak_mib": 80.1}``. Whoever closes the other end of that socket ends what was forked, and all that it started itself.
If nobody is left to hear of the end, the folders of the kernel and of the run are removed as well.

With ``--bare`` it imports nothing, and the requests say which command to execute: kernels that are not forked, too, are
so kept by a process that outlives the tests.

The idea of forking kernels is from https://github.com/ipython/ipykernel/issues/410; how a process cleans up after
others, from "subreapers" in prctl(2).
"""

# ruff: noqa: TC004 - what is imported for the type checker here is there already when this is executed
from __future__ import annotations

import contextlib
import gc
import io
import os
import random
import shutil
import signal
import socket
import sys
import threading
import time
import traceback
import types
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from celltask.documents.kernels.keeping import answer, begin_to_keep, end_with_parent, keep, received

_KERNEL = """
IPython.core.completerlib IPython.core.debugger IPython.core.history IPython.core.logger IPython.core.magics
IPython.core.oinspect IPython.extensions.storemagic asyncio bdb cmd code comm faulthandler ipykernel.comm
ipykernel.debugger ipykernel.ipkernel ipykernel.kernelapp ipykernel.subshell_manager ipykernel.zmqshell
pdb pkgutil psutil pygments.console pygments.formatters.terminal256 runpy sqlite3 stack_data
stringprep tornado.platform.asyncio unicodedata zmq.asyncio
"""
"""Modules that a kernel imports until its first reply; what an older version does not have is left out."""


def main() -> None:
    """Serve requests on standard input until nobody is left to make any."""
    _execute("keeping.py", globals())
    folder, is_bare = sys.argv[1], "--bare" in sys.argv
    control = socket.socket(fileno=os.dup(0))
    devnull = os.open(os.devnull, os.O_RDWR)
    os.dup2(devnull, 0)
    os.close(devnull)
    if is_bare:
        serve(control, None, folder)
    del sys.path[0]  # the folder of this script; the folder of the document takes its place
    watch = _watch_module()
    _preload(_KERNEL.split())
    gc.freeze()
    _rehearse()
    gc.collect()  # what the rehearsal left, and nothing else
    serve(control, watch, folder)


def serve(control: socket.socket, watch: types.ModuleType | None, folder: str = "") -> NoReturn:
    """Fork what is asked for on `control`; ends the process, and removes `folder`, when its other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for what was forked: the system buries it
    gc.freeze()  # pages with these objects stay shared between all processes
    gc.enable()
    while True:
        request, fds = received(control)
        if request is None:
            if folder:
                shutil.rmtree(folder, ignore_errors=True)
            os._exit(0)
        if os.fork():
            for fd in fds:
                os.close(fd)
            continue
        control.close()
        answers = socket.socket(fileno=fds[0])
        if "modules" in request:
            _become_server(answers, fds[1], list(request["modules"]), watch)
        _keep(answers, request, fds[1:], watch)


def _become_server(
    answers: socket.socket, control_fd: int, modules: list[str], watch: types.ModuleType | None
) -> NoReturn:
    """Go on as a server that has imported `modules` as well."""
    end_with_parent()
    failed = _preload(modules)
    threads = threading.active_count() - 1
    answer(answers, {"pid": os.getpid(), "bound": not threads, "failed": failed})
    answers.close()
    if threads:  # they would be missing from what is forked
        os._exit(1)
    serve(socket.socket(fileno=control_fd), watch)


def _keep(answers: socket.socket, request: dict[str, Any], fds: list[int], watch: types.ModuleType | None) -> NoReturn:
    """Fork a kernel, and see it to its end."""
    begin_to_keep()
    pid = os.fork()
    if not pid:
        if watch is None:
            _become_command(answers, request, fds)
        _become_kernel(answers, request, fds, watch)
    keep(answers, pid, fds, request["scratch"])


def _become_command(answers: socket.socket, request: dict[str, Any], fds: list[int]) -> NoReturn:
    """Be the command in `request`."""
    try:
        _stand_alone(fds)
        for number in (signal.SIGINT, signal.SIGCHLD, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        os.chdir(request["cwd"])
        answer(answers, {"bound": True})
        answers.close()
        command = request["command"]
        os.execvpe(command[0], command, {**request["env"], "JPY_PARENT_PID": str(os.getppid())})  # noqa: S606 - a kernel's
    except OSError as error:
        os.write(2, f"{error}\n".encode())
    finally:
        os._exit(127)  # as shells say that there is no such command


def _stand_alone(fds: list[int]) -> None:
    """End with the parent; have a session, and a standard output and error, of one's own."""
    end_with_parent()
    os.setsid()
    for fd, standard in zip(fds, (1, 2), strict=False):
        os.dup2(fd, standard)
        os.close(fd)


def _become_kernel(
    answers: socket.socket, request: dict[str, Any], fds: list[int], watch: types.ModuleType
) -> NoReturn:
    """Be the kernel of the connection file in `request`, until it ends."""
    code = 1
    try:
        _stand_alone(fds)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _enter(request)
        app = _app(request["arguments"])
        app.initialize([])
        watch.install(app.shell)
        answer(answers, {"bound": True})
        answers.close()
        app.start()
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except BaseException:  # noqa: BLE001 - border: nothing may run on into the server's code
        traceback.print_exc(file=sys.__stderr__)
    finally:
        _leave(code)


def _app(arguments: list[str]) -> Any:  # noqa: ANN401 - untyped
    """The kernel's application, told `arguments` without the parser of a command line, a sixth of the start."""
    from ipykernel.kernelapp import IPKernelApp  # noqa: PLC0415 - imported long ago; kept out of the script's start
    from traitlets.config.loader import Config, DeferredConfigString  # noqa: PLC0415 - as above

    config = Config()
    for argument in arguments:
        name, is_option, value = argument.removeprefix("--").partition("=")
        section, _, option = name.partition(".")
        if is_option:
            config[section][option] = DeferredConfigString(value)
    file = arguments[arguments.index("-f") + 1]
    app: Any = IPKernelApp.instance(parent_handle=os.getppid(), connection_file=file, config=config)
    app.parse_command_line = lambda _: None
    return app


def _enter(request: dict[str, Any]) -> None:
    """Take on the folder, the environment and the randomness of a process of its own."""
    gc.unfreeze()
    if request.get("env") is not None:
        os.environ.clear()
        os.environ.update(request["env"])
    os.environ["JPY_PARENT_PID"] = str(os.getppid())
    time.tzset()
    if request.get("cwd"):
        os.chdir(request["cwd"])
    sys.argv = [f"{Path(os.__file__).parent}/site-packages/ipykernel_launcher.py", *request["arguments"]]
    random.seed()
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()  # its older generator has one state, which a fork copies


def _leave(code: int) -> NoReturn:
    """End as an interpreter does, without returning into the code of the server."""
    try:
        import atexit  # noqa: PLC0415 - built in

        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - joins threads; there is no public way
        atexit._run_exitfuncs()  # noqa: SLF001 - as above
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _preload(modules: list[str]) -> dict[str, str]:
    """Import `modules`, ``"a.b"`` or ``"a.b:c"``; those that cannot be imported, each with its reason.

    Nearly all that is made meanwhile stays, so that looking for garbage would only take time.
    """
    gc.disable()
    failed = {}
    for name in modules:
        module, _, part = name.partition(":")
        try:
            __import__(module, {}, {}, [part] if part else [])
        except Exception as error:  # noqa: BLE001 - border: a package may raise anything; the document will meet it
            failed[name] = f"{type(error).__name__}: {error}"
    return failed


def _rehearse() -> None:
    """Have a shell run a cell and show an error once, so that its caches and late imports are there before a fork."""
    import builtins  # noqa: PLC0415 - built in

    from IPython.core.interactiveshell import InteractiveShell  # noqa: PLC0415 - not before `main` has set the scene
    from traitlets.config import Config  # noqa: PLC0415 - as above

    kept = dict(vars(builtins)), sys.modules["__main__"], sys.displayhook, sys.excepthook, list(sys.path)
    options = Config()
    options.HistoryManager.enabled = False
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        shell: Any = InteractiveShell.instance(config=options)  # untyped
        shell.run_cell("1 / 0")
        shell.run_cell("import sys; sys")
        InteractiveShell.clear_instance()
    names, main_module, sys.displayhook, sys.excepthook, sys.path[:] = kept
    sys.modules["__main__"] = main_module
    for name in set(vars(builtins)) - set(names):
        delattr(builtins, name)
    vars(builtins).update(names)


def _watch_module() -> types.ModuleType:
    """What watches the cells inside of a kernel; no document finds it among the modules."""
    watch = types.ModuleType("_celltask_in_kernel")
    for name in ("raised.py", "bounds.py", "in_kernel.py"):
        _execute(name, watch.__dict__)
    return watch


def _execute(name: str, names: dict[str, Any]) -> None:
    """Execute a file of this folder as a part of what `names` are those of."""
    loader = SourceFileLoader(Path(name).stem, str(Path(__file__).with_name(name)))
    code = loader.get_code(loader.name)  # keeps bytecode, as an import does
    assert code is not None  # noqa: S101 - it has a source
    exec(code, names)  # noqa: S102 - our own file


if __name__ == "__main__":
    main()
