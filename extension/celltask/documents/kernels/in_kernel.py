"""What runs inside the kernel of a tested document: cells compiled at their own lines, and what went wrong there.

A forked kernel has this module from its server, any other gets its text as a silent request. It needs nothing but
IPython, so that a document meets the same modules as at its reader's, and leaves no name behind. What is to be done
comes in the metadata of requests to execute (see `Watch.asked`), and the report of each goes back in that of the reply.
"""

from __future__ import annotations

import ast
import asyncio
import linecache
import os
import re
import sys
import threading
import warnings
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType, TracebackType

    from IPython.core.interactiveshell import ExecutionResult, InteractiveShell

__all__ = ["Watch", "install"]

_HIDDEN = ("IPython", "ipykernel", "celltask", "asyncio", "decorator")
_MOST_FRAMES = 30
_MOST_TEXT = 20_000
_MOST_CAUSES = 5
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
        self._marker_line = 0
        self._waiting = False
        self._lines: dict[str, list[str]] = {}
        self._error: BaseException | None = None
        self._unseen: list[tuple[str, BaseException | None, int | None]] = []
        self._warned: list[list[object]] = []
        self._tasks: weakref.WeakSet[asyncio.Task[object]] = weakref.WeakSet()
        self._coverage: Any = None

    def asked(self, request: dict[str, Any]) -> None:
        """Do what a request says beside its code: ``begin``, ``place`` and ``finish``, each with its arguments."""
        self._error = None
        if "begin" in request:
            self._begin(**request["begin"])
        if "place" in request:
            self._filename, self._first_line, self._marker_line = request["place"]
            self._waiting = True

    def answer(self, request: dict[str, Any]) -> dict[str, object]:
        """What the cell raised, what was raised where nobody looks, and its warnings; empties all of these."""
        if "finish" in request:
            self._finish()
        unseen, self._unseen = self._unseen, []
        warned, self._warned = self._warned, []
        return {
            "error": self._error and self._told(self._error),
            "unseen": [[how, error and self._told(error), line] for how, error, line in unseen],
            "warned": warned,
        }

    def _begin(
        self,
        folder: str,
        environment: dict[str, str],
        filters: list[list[Any]],
        coverage: dict[str, Any] | None,
    ) -> None:
        """Be the kernel of a document, which was nobody's until now."""
        if coverage is not None:
            import coverage as package  # noqa: PLC0415 - only where it is asked for

            os.chdir(coverage.pop("root"))  # paths in its settings, and relative ones in its data, begin there
            self._coverage = package.Coverage(**coverage)
            self._coverage.start()
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
        shell.system = self._calling(shell.system)
        kernel = shell.kernel
        kernel.init_metadata = self._beginning(kernel.init_metadata)
        kernel.finish_metadata = self._ending(kernel.finish_metadata)
        warnings.showwarning = self._warning(warnings.showwarning)  # type: ignore[assignment]  # calls the one before
        threading.excepthook = self._in_thread(threading.excepthook)

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
            return end(parent, metadata, content)

        return finish_metadata

    def _make_task(self, loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[object]:  # noqa: ANN401 - asyncio's signature
        task = asyncio.Task(work, loop=loop, **options)
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
            if any("__celltask__" in line for line in lines) and len(lines) < self._marker_line < self._first_line:
                lines += ["\n"] * (self._marker_line - 1 - len(lines))
                lines.append(f"{_CELL_BREAK}\n")
            lines += ["\n"] * (self._first_line - 1 - len(lines))
            lines[self._first_line - 1 :] = [f"{line}\n" for line in transformed_code.splitlines()]
            # The second field is None, not an mtime: checkcache() would drop the entry, and read the page itself.
            linecache.cache[self._filename] = (sum(map(len, lines)), None, lines, self._filename)
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

    def _after(self, result: ExecutionResult) -> None:
        self._error = result.error_before_exec or result.error_in_exec

    def _showing(self, show: Callable[..., object]) -> Callable[..., object]:
        def showtraceback(*args: object, **kwargs: object) -> object:
            given = args[0] if args else kwargs.get("exc_tuple")
            raised = given[1] if isinstance(given, tuple) else sys.exc_info()[1]
            if isinstance(raised, BaseException):
                self._unseen.append(("shown, but it did not stop the cell", raised, self._line()))
            return show(*args, **kwargs)

        return showtraceback

    def _calling(self, system: Callable[[str], object]) -> Callable[[str], object]:
        def called(command: str) -> object:
            returned = system(command)
            code = self._shell.user_ns.get("_exit_code")
            if code:
                self._unseen.append((f"the shell command ended with exit code {code}: {command}", None, self._line()))
            return returned

        return called

    def _in_thread(self, hook: Callable[[threading.ExceptHookArgs], object]) -> Callable[..., object]:
        def excepthook(args: threading.ExceptHookArgs) -> object:
            if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
                name = args.thread.name if args.thread else "unknown"
                self._unseen.append((f"raised in thread {name}", args.exc_value, None))
            return hook(args)

        return excepthook

    def _line(self) -> int | None:
        """The line of the cell that is being executed in this thread."""
        frame: FrameType | None = sys._getframe()  # noqa: SLF001 - the interpreter has no other way to tell
        while frame is not None and frame.f_code.co_filename != self._filename:
            frame = frame.f_back
        return frame.f_lineno if frame else None

    def _told(self, error: BaseException, depth: int = 0) -> dict[str, object]:
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        syntax = error if isinstance(error, SyntaxError) else None
        return {
            "names": [name for kind in type(error).__mro__ for name in _names(kind)],
            "message": (syntax.msg if syntax else _text(error))[:_MOST_TEXT],
            "notes": [str(note)[:_MOST_TEXT] for note in getattr(error, "__notes__", ())],
            "frames": self._frames(error.__traceback__),
            "syntax": syntax and [syntax.filename, syntax.lineno, syntax.offset, syntax.end_offset],
            "how": "cause" if error.__cause__ else "context",
            "cause": self._told(cause, depth + 1) if cause is not None and depth < _MOST_CAUSES else None,
        }

    def _frames(self, traceback: TracebackType | None) -> list[list[object]]:
        walked = list(_walk(traceback))
        files = [frame.f_code.co_filename for frame, _, _ in walked]
        first = next((at for at, name in enumerate(files) if name in self._lines), None)
        if first is None:
            return []
        shown = [item for item in walked[first:] if not _is_hidden(item[0])]
        if len(shown) > _MOST_FRAMES:
            shown = [*shown[: _MOST_FRAMES // 2], *shown[-_MOST_FRAMES // 2 :]]
        return [self._frame(*item) for item in shown]

    def _frame(self, frame: FrameType, line: int, instruction: int) -> list[object]:
        code = frame.f_code
        end_line = column = end_column = None
        if hasattr(code, "co_positions"):
            at, end_line, column, end_column = list(code.co_positions())[instruction // 2]
            if at != line or end_line != line:
                end_line = column = end_column = None
        text = linecache.getline(code.co_filename, line, frame.f_globals).rstrip("\n")
        return [code.co_filename, line, code.co_name, text, column, end_column]


def _walk(traceback: TracebackType | None) -> Iterator[tuple[FrameType, int, int]]:
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lineno, traceback.tb_lasti
        traceback = traceback.tb_next


def _is_hidden(frame: FrameType) -> bool:
    module = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    return module in _HIDDEN or frame.f_code.co_filename.startswith("<celltask")


def _names(kind: type) -> list[str]:
    return [kind.__name__, f"{kind.__module__}.{kind.__qualname__}"]


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as second:  # noqa: BLE001 - border: the error's own __str__ is the user's code
        return f"<its message cannot be shown: {type(second).__name__}>"


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
