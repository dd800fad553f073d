"""What runs inside the kernel of a tested document: cells compiled at their own lines, and what went wrong there.

A forked kernel has this module from its server, any other gets its text as a silent request; `raised` and `bounds` are
executed before it, and their names are found beside its own. It needs nothing but IPython, so that a document meets the
same modules as at its reader's, and leaves no name behind. What is to be done comes in the metadata of requests to
execute (see `Watch.asked`), and the report of each goes back in that of the reply.
"""

# ruff: noqa: TC004 - what is imported for the type checker here is there already when this is executed
from __future__ import annotations

import ast
import asyncio
import linecache
import os
import re
import subprocess
import sys
import threading
import warnings
import weakref
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from IPython.core.interactiveshell import ExecutionResult, InteractiveShell

    from celltask.documents.kernels.bounds import Children, Shown, limit_memory
    from celltask.documents.kernels.raised import cleaned, is_unwieldy, stand_in, text_of, told, walk

__all__ = ["Watch", "install"]

_MOST_TEXT = 20_000
_MOST_WARNINGS = 100
_KEY = "celltask"
_MACHINERY = r"(ipykernel|IPython|zmq|tornado|traitlets|jupyter_client|comm|matplotlib_inline)(\.|$)"
"""Modules whose own warnings are nobody's fault here, and would stop the kernel where warnings are errors."""
_CELL_BREAK = "__celltask__: '%%task --help'"
"""Ends the region of a task marker in an earlier cell, and does nothing else; see `documents.places`."""


class Watch:
    """Knows which cell runs now and holds what it raised."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._filename = ""
        self._first_line = 1
        self._failed = ""
        self._marker_line = 0
        self._waiting = False
        self._lines: dict[str, list[str]] = {}
        self._with_tasks: set[str] = set()
        """Files that hold cells of tasks."""
        self._error: BaseException | None = None
        self._unseen: list[tuple[str, BaseException | None, int | None]] = []
        self._warned: list[list[object]] = []
        self._tasks: weakref.WeakSet[asyncio.Task[object]] = weakref.WeakSet()
        self._threads: set[threading.Thread] = set()
        """Those of the kernel."""
        self._coverage: Any = None
        self._children: Children | None = None
        self._shown = Shown(shell.kernel.session.msg)  # type: ignore[attr-defined]  # a kernel's shell has one

    def asked(self, request: dict[str, Any]) -> None:
        """Do what a request says beside its code: ``begin``, ``place`` and ``finish``, each with its arguments."""
        self._error = None
        if self._children is not None and self._children.is_here:
            self._children.adopt()  # this process is a kernel itself: one that goes on from a kept state
        self._shown.count = 0
        self._failed = ""
        if "begin" in request:
            try:
                self._begin(**request["begin"])
            except Exception as error:  # noqa: BLE001 - border: told as the document's, else nobody would be answered
                self._failed = f"{type(error).__name__}: {text_of(error)}"
        if "place" in request:
            self._filename, self._first_line, self._marker_line = request["place"]
            self._waiting = True

    def answer(self, request: dict[str, Any]) -> dict[str, object]:
        """What the cell raised, what was raised where nobody looks, and its warnings; empties all of these."""
        if "finish" in request:
            self._finish()
        unseen, self._unseen = self._unseen, []
        warned, self._warned = self._warned, []
        if self._children is not None:
            unseen += [(f"{text} (raised in a forked process)", None, None) for text in self._children.told()]
        answer = {
            "error": self._error and told(self._error, self._lines),
            "unseen": [[how, error and told(error, self._lines), line] for how, error, line in unseen],
            "warned": warned,
            "failed": self._failed,
            "running": self._running() if "finish" in request else 0,
        }
        return cast("dict[str, object]", cleaned(answer))

    def _begin(  # noqa: PLR0913 - all that differs between documents
        self,
        *,
        folder: str,
        environment: dict[str, str],
        filters: list[list[Any]],
        coverage: dict[str, Any] | None,
        most_output: int,
        memory_mib: float | None,
    ) -> None:
        """Be the kernel of a document, which was nobody's until now."""
        if coverage is not None:
            import coverage as package  # noqa: PLC0415 - only where it is asked for

            os.chdir(coverage.pop("root"))  # paths in its settings, and relative ones in its data, begin there
            self._coverage = package.Coverage(**coverage)
            self._coverage.start()
        self._threads = set(threading.enumerate())
        self._shown.most = most_output
        if hasattr(os, "fork"):
            self._children = Children()
        os.chdir(folder)
        for name in set(os.environ) - set(environment):
            del os.environ[name]
        os.environ.update(environment)
        for action, message, category, module, line in filters:
            warnings.filterwarnings(action, message, _category(category), module, line)
        if filters:
            warnings.filterwarnings("ignore", module=_MACHINERY)
        loop = asyncio.get_event_loop()
        loop.set_exception_handler(self._in_loop)
        loop.set_task_factory(self._make_task)  # type: ignore[arg-type]  # typed for the newest asyncio
        if memory_mib is not None and sys.platform == "linux":
            limit_memory(memory_mib)

    def _finish(self) -> None:
        """Look once more at what was left behind, and keep what was measured."""
        for task in list(self._tasks):
            # The flag that has asyncio complain when such a task is collected; there is no public one.
            if task.done() and not task.cancelled() and getattr(task, "_log_traceback", False):
                self._unseen.append((f"raised in the asyncio task {task.get_name()}", task.exception(), None))
        if self._coverage is not None:
            self._coverage.stop()
            self._coverage.save()
            self._coverage = None

    def _running(self) -> int:
        """How many threads and tasks of the document may raise something yet."""
        pools = getattr(sys.modules.get("concurrent.futures.thread"), "_threads_queues", ())  # idle, most of the time
        threads = [
            thread for thread in set(threading.enumerate()) - self._threads if not thread.daemon and thread not in pools
        ]
        return len(threads) + sum(not task.done() for task in self._tasks)

    def watch(self) -> None:
        """Put this between the shell and its compiler, and wherever errors are shown without failing a cell."""
        shell: Any = self._shell  # what follows takes the place of its methods
        compiler = shell.compile
        compiler.cache = self._caching(compiler.cache)
        compiler.ast_parse = self._parsing(compiler.ast_parse)
        naming = getattr(compiler, "format_code_name", None)
        if naming is not None:
            compiler.format_code_name = lambda name: None if name in self._lines else naming(name)
        shell.events.register("post_run_cell", self._after)
        shell.showtraceback = self._showing(shell.showtraceback)
        shell._showtraceback = self._publishing(shell._showtraceback)  # noqa: SLF001 - here errors are published
        traceback = shell.InteractiveTB
        traceback.structured_traceback = self._shortening(traceback.structured_traceback)
        if hasattr(shell, "_format_exception_for_storage"):  # by IPython 9 the same work once more, for %notebook
            shell._format_exception_for_storage = self._stored  # noqa: SLF001 - as above
        self._watch_commands()
        shell.kernel.session.msg = self._shown.message
        shell.displayhook.finish_displayhook = self._shown.result(shell.displayhook)
        kernel = shell.kernel
        kernel.init_metadata = self._beginning(kernel.init_metadata)
        kernel.finish_metadata = self._ending(kernel.finish_metadata)
        warnings.showwarning = self._warning(warnings.showwarning)  # type: ignore[assignment]  # calls the one before
        threading.excepthook = self._in_thread(threading.excepthook)
        sys.unraisablehook = self._unraisable(sys.unraisablehook)

    def _beginning(self, begin: Callable[..., dict[str, object]]) -> Callable[..., dict[str, object]]:
        def init_metadata(parent: dict[str, Any]) -> dict[str, object]:
            request = parent["metadata"].get(_KEY)
            if request is not None:
                self.asked(request)
            return begin(parent)

        return init_metadata

    def _ending(self, end: Callable[..., dict[str, object]]) -> Callable[..., dict[str, object]]:
        def finish_metadata(
            parent: dict[str, Any], metadata: dict[str, object], content: dict[str, object]
        ) -> dict[str, object]:
            request = parent["metadata"].get(_KEY)
            if request is not None:
                metadata[_KEY] = self.answer(request)
            content.update(cast("dict[str, object]", cleaned(content)))
            return end(parent, metadata, content)

        return finish_metadata

    def _make_task(self, loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[object]:  # noqa: ANN401 - asyncio's signature
        task = asyncio.Task(work, loop=loop, **options)
        if self._frame() is not None:
            self._tasks.add(task)
        return task

    def _in_loop(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, BaseException):
            task = context.get("task") or context.get("future")
            name = task.get_name() if isinstance(task, asyncio.Task) else ""
            self._unseen.append((f"raised in the asyncio task {name}" if name else "raised in asyncio", error, None))
        loop.default_exception_handler(context)

    def _warning(self, show: Callable[..., object]) -> Callable[..., object]:
        def showwarning(  # noqa: PLR0913, PLR0917 - that of the warnings module
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: object = None,
            line: str | None = None,
        ) -> object:
            if len(self._warned) < _MOST_WARNINGS:
                names = [f"{kind.__module__}.{kind.__qualname__}" for kind in category.__mro__[:-2]]
                self._warned.append([names, str(message)[:_MOST_TEXT], filename, lineno])
            return show(message, category, filename, lineno, file, line)

        return showwarning

    def _caching(self, cache: Callable[..., str]) -> Callable[..., str]:
        def remember(transformed_code: str, *args: object, **kwargs: object) -> str:
            if not self._waiting:
                return cache(transformed_code, *args, **kwargs)
            self._waiting = False
            lines = self._lines.setdefault(self._filename, [])
            if self._filename in self._with_tasks and len(lines) < self._marker_line < self._first_line:
                lines += ["\n"] * (self._marker_line - 1 - len(lines))
                lines.append(f"{_CELL_BREAK}\n")
            lines += ["\n"] * (self._first_line - 1 - len(lines))
            lines[self._first_line - 1 :] = [f"{line}\n" for line in transformed_code.splitlines()]
            if "__celltask__" in transformed_code:
                self._with_tasks.add(self._filename)
            # The size is not needed; with an mtime, checkcache() would drop the entry, and read the page itself.
            linecache.cache[self._filename] = (1, None, lines, self._filename)
            return self._filename

        return remember

    def _parsing(self, parse: Callable[..., ast.AST]) -> Callable[..., ast.AST]:
        def shifted(source: str, filename: str = "<unknown>", symbol: str = "exec") -> ast.AST:
            if filename != self._filename:
                return parse(source, filename, symbol)
            offset = self._first_line - 1
            try:
                return ast.increment_lineno(parse(source, filename, symbol), offset)
            except SyntaxError as error:
                error.lineno = error.lineno and error.lineno + offset
                error.end_lineno = error.end_lineno and error.end_lineno + offset
                error.msg = re.sub(r"(?<=on line )\d+", lambda found: str(int(found[0]) + offset), error.msg)
                raise

        return shifted

    def _after(self, result: ExecutionResult | None) -> None:
        if result is None:  # interrupted before it began
            return
        self._error = error = result.error_before_exec or result.error_in_exec
        if self._children is not None and self._children.is_here:
            self._children.leave(error)
        if error is not None and is_unwieldy(error):
            result.error_before_exec, result.error_in_exec = None, stand_in(error)

    def _showing(self, show: Callable[..., object]) -> Callable[..., object]:
        def showtraceback(*args: object, **kwargs: object) -> object:
            given = args[0] if args else kwargs.get("exc_tuple")
            raised = given[1] if isinstance(given, tuple) else sys.exc_info()[1]
            if isinstance(raised, BaseException):
                self._unseen.append(("shown, but it did not stop the cell", raised, self._line()))
            return show(*args, **kwargs)

        return showtraceback

    def _publishing(self, publish: Callable[..., object]) -> Callable[..., object]:
        def showtraceback(kind: type[BaseException], error: object, lines: list[str]) -> object:
            text = text_of(error) if isinstance(error, BaseException) else error
            return publish(kind, cleaned(str(text)[:_MOST_TEXT]), cleaned(lines))

        return showtraceback

    def _shortening(self, structure: Callable[..., list[str]]) -> Callable[..., list[str]]:
        def structured_traceback(*args: Any, **kwargs: object) -> list[str]:  # noqa: ANN401 - of IPython, by version
            error = next((part for part in args if isinstance(part, BaseException)), None)
            if error is None or not is_unwieldy(error):
                return structure(*args, **kwargs)
            return [f"{type(error).__name__}: {text_of(error)[:_MOST_TEXT]}"]

        return structured_traceback

    def _stored(self, error: BaseException, **_: object) -> dict[str, object]:
        lines = getattr(self._shell, "_last_traceback", None) or []
        return {"ename": type(error).__name__, "evalue": text_of(error)[:_MOST_TEXT], "traceback": lines}

    def _watch_commands(self) -> None:
        """Be told of the exit codes of ``!command`` and ``x = !command``, where the shell takes its functions from."""

        def output_of(command: str) -> str:
            def end(process: subprocess.Popen[bytes]) -> bytes:
                shown = process.communicate()[0]
                self._called(command, process.returncode)
                return shown

            return (process_handler(command, end, subprocess.STDOUT) or b"").decode(errors="replace")

        from IPython.core import interactiveshell  # noqa: PLC0415 - not before the kernel is there

        kernel_shell: Any = sys.modules.get("ipykernel.zmqshell")
        for module in filter(None, (interactiveshell, kernel_shell)):
            if hasattr(module, "system"):
                module.system = self._calling(module.system)
        if os.name == "posix":
            from IPython.utils._process_common import process_handler  # noqa: PLC0415 - as above

            interactiveshell.getoutput = output_of  # type: ignore[assignment,attr-defined]  # imported there

    def _calling(self, system: Callable[[str], object]) -> Callable[[str], object]:
        def called(command: str) -> object:
            code = system(command)
            self._called(command, code)
            return code

        return called

    def _called(self, command: str, code: object) -> None:
        if code:
            told = f"the shell command ended with exit code {code}: {command.strip()}"
            self._unseen.append((told, None, self._line()))

    def _unraisable(self, hook: Callable[[Any], object]) -> Callable[[Any], object]:
        def unraisablehook(args: Any) -> object:  # noqa: ANN401 - sys.UnraisableHookArgs, which only stubs have
            frames = [frame for frame, _, _ in walk(args.exc_traceback)]
            frame = next((frame for frame in frames if frame.f_code.co_filename in self._lines), self._frame())
            if frame is not None and len(self._warned) < _MOST_WARNINGS:
                error = f"{type(args.exc_value).__name__}: {text_of(args.exc_value)}"
                told = f"{args.err_msg or 'Exception ignored in'}: {error}"
                names = ["pytest.PytestUnraisableExceptionWarning"]
                self._warned.append([names, told[:_MOST_TEXT], frame.f_code.co_filename, frame.f_lineno])
            return hook(args)

        return unraisablehook

    def _in_thread(self, hook: Callable[[threading.ExceptHookArgs], object]) -> Callable[..., object]:
        def excepthook(args: threading.ExceptHookArgs) -> object:
            if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
                name = args.thread.name if args.thread else "unknown"
                self._unseen.append((f"raised in thread {name}", args.exc_value, None))
            return hook(args)

        return excepthook

    def _line(self) -> int | None:
        """The line of the cell that is being executed in this thread."""
        frame = self._frame(self._filename)
        return frame.f_lineno if frame else None

    def _frame(self, filename: str = "") -> FrameType | None:
        """The innermost frame of the document, or of one of its cells, in this thread."""
        frame: FrameType | None = sys._getframe()  # noqa: SLF001 - the interpreter has no other way to tell
        files = {filename} if filename else self._lines
        while frame is not None and frame.f_code.co_filename not in files:
            frame = frame.f_back
        return frame


def _category(name: str) -> type[Warning]:
    """The class of a warning by its full name; one that cannot be found matches nothing that is raised."""
    import builtins  # noqa: PLC0415 - only where there are filters
    import importlib  # noqa: PLC0415 - as above

    module, _, last = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module) if module else builtins, last)
    except (ImportError, AttributeError):
        found = type(last, (Warning,), {})
    return found  # type: ignore[no-any-return]  # a user's own class


def install(shell: Any) -> None:  # noqa: ANN401 - its methods are replaced
    """Begin to watch `shell`."""
    Watch(shell).watch()
