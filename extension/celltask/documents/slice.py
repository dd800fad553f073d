"""The backward slice: which statements of a document must be executed to define the tasks asked for.

Kept are the definitions, all they read, far and near (bodies, annotations, decorators, defaults), what changes any of
that, and what changes `sys.path` or `os.environ`. Left out are demonstrations: calls of tasks, prints, plots, the main
guard, and all that only these need.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from celltask.documents.scopes import root_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from celltask.documents.statements import Program, Statement

__all__ = ["LeftOut", "Slice", "slice_program"]

_PROCESS_WIDE = ("sys.path", "os.environ", "os.putenv", "os.unsetenv", "site.addsitedir", "dotenv.load_dotenv")
"""What decides whether later statements can be executed at all."""
_REGISTERS = ("celltask.register_type", "celltask.core.types.lookup.register_type")
_SHOWS = frozenset(
    [
        "show",
        "display",
        "print",
        "pprint",
        "plot",
        "head",
        "tail",
        "describe",
        "info",
        "sample",
        "savefig",
        "figure",
        "subplot",
        "title",
        "xlabel",
        "ylabel",
        "legend",
        "scatter",
        "hist",
        "bar",
        "imshow",
        "set_trace",
        "breakpoint",
        "exit",
        "quit",
        "sleep",
        "run",
        "check_call",
        "check_output",
        "call",
        "Popen",
        "system",
        "main",
    ]
)
"""Methods that show something or leave the document; as a statement they define nothing."""
_PLOTTING = frozenset({"altair", "bokeh", "matplotlib", "plotly", "pylab", "pyplot", "seaborn"})
_SETS = ("set", "use", "rc", "switch", "register", "config", "enable", "disable", "update", "add", "theme", "option")
"""Beginnings of the methods of a plotting library that set something rather than draw."""
_MUTATORS = frozenset(
    {"setattr", "delattr", "heappush", "heapify", "heappushpop", "insort", "insort_left", "insort_right", "shuffle"}
)
"""Functions that change their first argument, or one of them."""


class LeftOut(NamedTuple):
    """A statement or line of a document that was not executed, and why."""

    cell: int
    line: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Slice:
    """The statements to execute, in their order, and those to leave out."""

    kept: tuple[Statement, ...]
    left_out: tuple[LeftOut, ...]
    needed: frozenset[str] = frozenset()
    """The wanted names, and those that the kept statements read."""


def slice_program(
    program: Program, wanted: Collection[str] | None = None, *, read_elsewhere: Collection[str] = ()
) -> Slice:
    r"""The statements that define the wanted names, with all they need.

    Args:
        program: The document.
        wanted: Names bound in it, or given to tasks by their ``name`` option; ``None`` for every task and workflow.
        read_elsewhere: Names that may be read in cells which are not part of `program`.

    >>> import ast
    >>> from celltask.documents.outline import Cell
    >>> from celltask.documents.statements import Program
    >>> text = "from celltask import task\nK = 3\n@task\ndef f() -> int: return K\nprint(f())"
    >>> found = slice_program(Program.of([(Cell(1, text, first_line=1), ast.parse(text))]))
    >>> [statement.line for statement in found.kept], found.left_out[0].reason
    ([1, 2, 3], 'runs f to show its result')
    """
    slicer = _Slicer(program, read_elsewhere)
    slicer.want(wanted)
    slicer.follow()
    kept = tuple(statement for number, statement in enumerate(program.statements) if number in slicer.kept)
    left = (
        LeftOut(statement.cell.number, statement.line, statement.text, slicer.reason(statement))
        for number, statement in enumerate(program.statements)
        if number not in slicer.kept and not _says_nothing(statement.node)
    )
    return Slice(kept, tuple(left), frozenset(slicer.needed))


class _Change(NamedTuple):
    """A statement that changes, or by a method call may change, what a name is bound to."""

    statement: Statement
    call: ast.Call | None = None


class _Slicer:
    """Grows the set of kept statements until nothing kept needs anything more."""

    def __init__(self, program: Program, read_elsewhere: Collection[str]) -> None:
        self.program = program
        self.number = {id(statement): number for number, statement in enumerate(program.statements)}
        self.kept: set[int] = set()
        self.needed: set[str] = set()
        self.todo: list[str] = []
        self.changed_by: dict[str, list[_Change]] = {}
        self.other_names = self._aliases()
        self.read_by_none = self._unread_imports().difference(read_elsewhere)
        self._find_changes()

    def _unread_imports(self) -> set[str]:
        read = set().union(*(statement.names.reads for statement in self.program.statements))
        return set(self.program.imports) - read

    def _aliases(self) -> dict[str, set[str]]:
        """For each name the names that ``name = other`` says are bound to the same object."""
        found: dict[str, set[str]] = {}
        for statement in self.program.statements:
            match statement.node:
                case ast.Assign([ast.Name(name)], ast.Name(other)) if name != other:
                    found.setdefault(name, set()).add(other)
        return found

    def _find_changes(self) -> None:
        mutating = {
            name: {changed for changed in bound[-1].names.later_changes if changed not in self.program.imports}
            for name, bound in self.program.bound_by.items()
            if bound[-1].names.later_changes
        }
        for statement in self.program.statements:
            names = statement.names
            changed = set(names.changes)
            called = {root_of(call.func) for call in names.calls if isinstance(call.func, ast.Name)} | names.applied
            for name in called & mutating.keys():
                changed |= mutating[name]
            for call in names.calls:
                if _last(call.func) in _MUTATORS:
                    changed |= {root_of(argument) for argument in call.args}
                elif _last(call.func).startswith("add_"):
                    changed |= {root_of(call.func)} & self.program.entities  # a workflow put together by hand
            for name in changed:
                self._note(name, _Change(statement))
            for call in names.methods:
                self._note(root_of(call.func), _Change(statement, call))

    def _note(self, name: str, change: _Change) -> None:
        names, todo = {name}, [name]
        while todo:
            others = self.other_names.get(todo.pop(), set()) - names
            names |= others
            todo.extend(others)
        for each in sorted(names):
            self.changed_by.setdefault(each, []).append(change)
            if each in self.program.imports:
                self.changed_by.setdefault(f"{self.program.imports[each].root}.", []).append(change)

    def want(self, wanted: Collection[str] | None) -> None:
        """Begin with the wanted names, and with what must be executed in any case."""
        program = self.program
        if wanted is not None:
            for name in wanted:
                self.need(name)
                if name not in program.bound_by:
                    self.need(program.task_names.get(name, name))
        else:
            for name in program.entities:
                self.need(name)
        for statement in program.statements:
            everything = wanted is None and not program.entities and (statement.is_import or statement.is_definition)
            if everything or self._in_any_case(statement):
                self.keep(statement)

    def _in_any_case(self, statement: Statement) -> bool:
        node = statement.node
        if statement.names.star or (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            return True
        if statement.is_import and statement.names.binds & self.read_by_none:
            return True  # nobody reads it, so it is imported for what it does
        return not statement.is_main_guard and not statement.is_definition and self._changes_process(statement)

    def _changes_process(self, statement: Statement) -> bool:
        targets = [
            inner
            for inner in ast.walk(statement.node)
            if isinstance(inner, ast.Attribute | ast.Subscript | ast.Name) and not isinstance(inner.ctx, ast.Load)
        ]
        called = [self.program.origin(call.func) for call in statement.names.calls]
        changed = [self.program.origin(target) for target in targets if not isinstance(target, ast.Name)]
        if isinstance(statement.node, ast.Expr) and any(_within(name, _REGISTERS) for name in called):
            return True
        methods = [
            name for name in called if not name.endswith((".get", ".copy", ".items", ".keys", ".values", ".index"))
        ]
        return any(_within(name, _PROCESS_WIDE) for name in [*methods, *changed])

    def need(self, name: str) -> None:
        """Ask for all that `name` stands for."""
        if name not in self.needed:
            self.needed.add(name)
            self.todo.append(name)

    def keep(self, statement: Statement) -> None:
        """Execute `statement`, and so need what it reads."""
        number = self.number[id(statement)]
        if number in self.kept:
            return
        self.kept.add(number)
        for name in statement.names.reads:
            self.need(name)

    def follow(self) -> None:
        """Keep what binds and changes each needed name, until nothing is left to do."""
        while self.todo:
            name = self.todo.pop()
            bindings = [item for item in self.program.bound_by.get(name, ()) if not item.is_main_guard]
            plain = [item for item in bindings if not self.program.runs_task(item)]
            for statement in plain or bindings:
                self.keep(statement)
            source = self.program.imports.get(name)
            changes = self.changed_by.get(name, []) + (self.changed_by.get(f"{source.root}.", []) if source else [])
            for change in changes:
                if self._is_true(change):
                    self.keep(change.statement)

    def _is_true(self, change: _Change) -> bool:
        """Whether what may change a needed name is more than a demonstration."""
        if change.statement.is_main_guard or self.program.runs_task(change.statement):
            return False
        if change.call is None:
            return True
        if _last(change.call.func) in _SHOWS:
            return False
        source = self.program.imports.get(root_of(change.call.func))
        if source is None:
            return True
        # A call on an imported name sets something, if anything, from constants and other imports.
        if source.root in _PLOTTING and not _last(change.call.func).startswith(_SETS):
            return False
        return all(self._is_plain(node.id) for node in ast.walk(change.call) if isinstance(node, ast.Name))

    def _is_plain(self, name: str) -> bool:
        bindings = self.program.bound_by.get(name, ())
        return name in self.needed or all(not item.names.calls or item.is_definition for item in bindings)

    def reason(self, statement: Statement) -> str:
        """Why `statement` is left out."""
        if statement.is_main_guard:
            return "is for running the document as a script"
        if self.program.runs_task(statement):
            called = sorted({root_of(call.func) for call in statement.names.calls} & self.program.runners)
            return f"runs {' and '.join(called) or 'a task'} to show its result"
        if statement.is_definition or statement.is_import or statement.names.binds:
            return "is not needed by what is loaded"
        return "defines nothing that is needed"


def _within(name: str, places: tuple[str, ...]) -> bool:
    return any(name == place or name.startswith(f"{place}.") for place in places)


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _says_nothing(node: ast.stmt) -> bool:
    """Whether nobody would miss the statement: ``pass``, or text standing alone."""
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
