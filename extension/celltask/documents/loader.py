"""Documents into tasks: `load_document` executes what their definitions need, and nothing more.

A plain module is imported whole, and nothing of what reads pages and notebooks is loaded for it.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

from celltask.documents.failed import ByName, unknown_name
from celltask.documents.reader import read_document
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import ModuleType, TracebackType

    from celltask.core.task import Task
    from celltask.core.workflow import Workflow
    from celltask.documents.execution import Executed
    from celltask.documents.failed import Failed
    from celltask.documents.outline import Cell, DocumentFormat, DocumentText, Notice
    from celltask.documents.runner.values import Values
    from celltask.documents.slice import LeftOut

__all__ = ["Document", "load_document"]


@dataclass(frozen=True, slots=True)
class Document:
    """A loaded document: its tasks and workflows, ready to call.

    `tasks` and `workflows` are by name, in the order of definition. They hold what the document defines; if it defines
    none, what it imports. Of definitions with the same name the last counts. ``tasks[name]`` raises the error of a
    definition in `failed`, and an `UnknownNameError` for a name that the document does not have.
    """

    path: str
    """Absolute."""
    format: DocumentFormat
    tasks: dict[str, Task[..., object]]
    workflows: dict[str, Workflow[..., object]]
    namespace: dict[str, object] = field(repr=False)
    """All that is bound at the document's top level, as far as it was executed."""
    left_out: tuple[LeftOut, ...] = field(default=(), repr=False)
    """Statements, magics and cells that were not executed, in their order, each with its reason."""
    cells: tuple[Cell, ...] = field(default=(), repr=False)
    notices: tuple[Notice, ...] = field(default=(), repr=False)
    """What of the page may be meant otherwise than it was read; cells that cannot be read, tasks defined twice."""
    failed: tuple[Failed, ...] = ()
    """Definitions and cells that could not be loaded where all was asked for, in their order, each with its error."""

    def run_until(self, name: str, *, timeout: float = 300.0, environment: Mapping[str, str] | None = None) -> Values:
        r"""The live values of the document after the cell called `name`, which is run in a kernel with those above it.

        The document is read anew, and nothing of it is executed in this process.

        Args:
            name: Of the cell, as `celltask outline` lists them.
            timeout: Seconds that a cell may take.
            environment: Variables for the kernel beside those of this process.

        Raises:
            UnknownNameError: If no cell has that name.
            DocumentError: If one of the cells fails; a note tells the lines that led to it.

        >>> import pathlib, tempfile
        >>> folder = tempfile.TemporaryDirectory()
        >>> page = pathlib.Path(folder.name, "live_page.py")
        >>> _ = page.write_text("# %%\nx = 20\n\n# %%\ny = x + 1\nprint(y)\n\n# %%\nx = None")
        >>> with load_document(page).run_until("y") as values:
        ...     values["x"], values["y"], values.execute("x * 2")
        (20, 21, '40\n')
        >>> folder.cleanup()
        """
        __tracebackhide__ = True
        from celltask.documents.runner.values import run_until  # noqa: PLC0415 - loads nbclient

        return run_until(self.path, name, timeout=timeout, environment=environment)


def load_document(
    path: str | os.PathLike[str], names: Iterable[str] | str | None = None, *, execute_all: bool = False
) -> Document:
    """The tasks and workflows of a MyST page, notebook, percent script or Python module.

    Executed are only the definitions and what they need: imports, helpers, constants, what changes these, and what
    changes `sys.path` or `os.environ`. Calls of tasks, prints and plots are left out, and so are magics. A Python file
    without cells is a module, and is imported whole.

    The document becomes a module named like it, so that instances of its classes can be pickled; its folder is first
    on `sys.path` while it loads. Loading it again executes it again.

    A definition that celltask refuses, or a cell that cannot be read, does not keep the others from being loaded: if
    all is asked for, it is in `Document.failed`; if names are, it is left out, unless they need it.

    Args:
        path: A ``.md``, ``.ipynb`` or ``.py`` file.
        names: Tasks and workflows to load, with all they need; all of the document by default.
        execute_all: Execute every statement, demonstrations too. Blocks under ``if __name__ == "__main__":`` stay out.

    Raises:
        DocumentError: If the document cannot be read, or what is needed stands in a cell that cannot.
        UnknownNameError: If the document has no task of a name in `names`.
        CelltaskError: If a definition is refused, and nothing else could be loaded or its name is in `names`.
        SyntaxError: Likewise, of a cell that is no Python; told with the line of the document.
        Exception: What the executed statements raise, as it is, with a note that tells the place.

    >>> import pathlib, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> page = pathlib.Path(folder.name, "numbers_page.md")
    >>> _ = page.write_text('''
    ... ```{code-cell}
    ... %%task
    ... def double(x: int) -> int:
    ...     return 2 * x
    ... ```
    ... ```{code-cell}
    ... print(double(x=21))
    ... ```
    ... ''')
    >>> document = load_document(page)
    >>> document.tasks["double"](x=4)
    8
    >>> folder.cleanup()
    >>> [(left.line, left.reason) for left in document.left_out]
    [(8, 'runs double to show its result')]
    """
    __tracebackhide__ = True
    text = read_document(path)
    wanted = None if names is None else [names] if isinstance(names, str) else list(names)
    if text.format == "python":
        return _document(text, _module_of(text), wanted)
    from celltask.documents.execution import execute_cells  # noqa: PLC0415 - plain modules need none of it

    done = execute_cells(text, wanted, execute_all=execute_all)
    document = _document(text, done.module, wanted, done)
    if done.failed and not document.tasks and not document.workflows:
        raise done.failed[0].error
    return document


def _document(
    text: DocumentText, module: ModuleType, wanted: Iterable[str] | None, done: Executed | None = None
) -> Document:
    __tracebackhide__ = True
    errors: Mapping[str, Exception] = done.errors if done else {}
    tasks = _defined_in(module, "celltask.core.task", "Task", errors)
    workflows = _defined_in(module, "celltask.core.workflow", "Workflow", errors)
    for name in wanted or ():
        if name in errors:
            raise errors[name]
        if name not in tasks and name not in workflows and name not in module.__dict__:
            raise unknown_name(name, text.path, [*tasks, *workflows], cause=done.cause if done else "")
    found = (
        ByName(tasks, kind="task", path=text.path, errors=errors, others=workflows),
        ByName(workflows, kind="workflow", path=text.path, errors=errors, others=tasks),
    )
    document = Document(
        text.path,
        text.format,
        cast("dict[str, Task[..., object]]", found[0]),
        cast("dict[str, Workflow[..., object]]", found[1]),
        module.__dict__,
        cells=text.cells,
        notices=text.notices,
    )
    if done is None:
        return document
    return replace(document, left_out=done.left_out, notices=text.notices + done.notices, failed=done.failed)


def _module_of(text: DocumentText) -> ModuleType:
    """The document executed as the module that an import of it would give, anew."""
    __tracebackhide__ = True
    from importlib.util import module_from_spec, spec_from_file_location  # noqa: PLC0415 - as late as possible

    from celltask.documents.modules import module_name, registered  # noqa: PLC0415 - as above

    name, root = module_name(text.path)
    is_package = text.path.endswith(f"{os.sep}__init__.py")
    folders = [os.path.dirname(text.path)] if is_package else None  # noqa: PTH120 - pathlib costs more than all of this
    spec = spec_from_file_location(name, text.path, submodule_search_locations=folders)
    if spec is None:
        raise DocumentError("Python cannot import a file of this name", text.path, "end it in .py")
    module = module_from_spec(spec)
    with registered(module, text.path, root):
        _execute_module(text, module)
    return module


def _execute_module(text: DocumentText, module: ModuleType) -> None:
    __tracebackhide__ = True
    # Its lines may be those of an earlier load, even as a script with cells.
    places, linecache = sys.modules.get("celltask.documents.places"), sys.modules.get("linecache")
    if places is not None:
        places.forget(text.path)
    if linecache is not None:
        linecache.checkcache(text.path)
    try:
        # Compiled here, not loaded from __pycache__, whose check by the second would miss a quick edit.
        code = compile(text.text, text.path, "exec", dont_inherit=True)
    except (RecursionError, MemoryError, OverflowError, ValueError) as error:
        raise DocumentError(f"the module cannot be compiled: {str(error) or type(error).__name__}", text.path) from None
    try:
        exec(code, module.__dict__)  # noqa: S102 - executing the user's document is the purpose
    except Exception as error:  # border: the user's code runs here
        from celltask.documents.places import tell_place  # noqa: PLC0415 - only for a mistake

        tell_place(error, {text.path}, (text.path, 1))
        raise
    except SystemExit as stop:
        from celltask.core.origin import place_of  # noqa: PLC0415 - only for a mistake

        place = place_of(text.path, _line_in(text.path, stop.__traceback__))
        mend = 'put the exit under `if __name__ == "__main__":`'
        raise DocumentError(f"the module ends the process ({stop!r})", place, mend) from None


def _line_in(path: str, at: TracebackType | None) -> int:
    """The last line of the file that a traceback passes through; 1 if it passes through none."""
    line = 1
    while at is not None:
        if at.tb_frame.f_code.co_filename == path:
            line = at.tb_lineno
        at = at.tb_next
    return line


def _defined_in(module: ModuleType, defining: str, name: str, errors: Mapping[str, Exception]) -> dict[str, object]:
    """Instances of a class by their names: the module's own, or if it has none, those it imports.

    Args:
        module: As executed.
        defining: Module that has the class.
        name: The class, which every instance of has `name` and `module`.
        errors: By names that are bound, if at all, to an earlier definition than the last.
    """
    known = sys.modules.get(defining)  # not imported by anyone: then nothing can be of its class
    if known is None:
        return {}
    kind = getattr(known, name)
    found = {value.name: value for value in module.__dict__.values() if isinstance(value, kind)}
    found = {key: value for key, value in found.items() if key not in errors}
    return {key: value for key, value in found.items() if value.module == module.__name__} or found
