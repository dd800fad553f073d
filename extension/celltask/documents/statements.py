"""Top-level statements of a document and what is known of each before anything is run."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from celltask.documents.scopes import Names, names_of, root_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from celltask.documents.outline import Cell

__all__ = ["Program", "Statement"]

_RUNTIME = "__celltask__"
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_IMPORTS = (ast.Import, ast.ImportFrom)
_TASK_MAKERS = frozenset({"task", "workflow", "dynamic", "map_task", "preset"})
_RUNS = frozenset({"run", "plan", "remote", "submit"})
"""Methods of a task or workflow that run it, or show what would run."""
_RUN_FUNCTIONS = frozenset({"run_task", "run_workflow", "load_document", "mock_task"})
_NO_TASK_DECORATORS = sys.stdlib_module_names | {"pytest", "numba", "hypothesis", "typing_extensions"}


@dataclass(slots=True)
class Statement:
    """One top-level statement of one cell."""

    node: ast.stmt
    cell: Cell
    names: Names
    text: str
    """Its first line as it stands in the document."""

    @property
    def line(self) -> int:
        """Its first line, decorators included."""
        decorators = self.node.decorator_list if isinstance(self.node, _DEFINITIONS) else []
        return min(self.node.lineno, *(decorator.lineno for decorator in decorators), self.node.lineno)

    @property
    def is_import(self) -> bool:
        """Whether it does nothing but import."""
        return isinstance(self.node, _IMPORTS)

    @property
    def is_definition(self) -> bool:
        """Whether it is a `def` or `class`."""
        return isinstance(self.node, _DEFINITIONS)

    @property
    def is_main_guard(self) -> bool:
        """Whether it is ``if __name__ == "__main__":`` without an else."""
        match self.node:
            case ast.If(ast.Compare(left, [ast.Eq()], [right]), orelse=[]):
                parts = {ast.unparse(left), ast.unparse(right)}
                return parts == {"__name__", "'__main__'"}
        return False


class _Import(NamedTuple):
    """Where an imported name comes from: ``plt`` from ``matplotlib.pyplot``."""

    dotted: str

    @property
    def root(self) -> str:
        return self.dotted.partition(".")[0]


@dataclass
class Program:
    r"""The statements of a document, and which of its names stand for what.

    >>> from celltask.documents.outline import Cell
    >>> cell = Cell(1, "from celltask import task\n@task\ndef f() -> int: return 1\nf()", first_line=1)
    >>> program = Program.of([(cell, ast.parse(cell.source))])
    >>> program.entities, program.runs_task(program.statements[-1])
    ({'f'}, True)
    """

    statements: list[Statement]
    bound_by: dict[str, list[Statement]] = field(default_factory=dict)
    imports: dict[str, _Import] = field(default_factory=dict)
    """Names bound by imports at the top level, try-statements included."""
    entities: set[str] = field(default_factory=set)
    """Names of what are, or may be, tasks and workflows."""
    runners: set[str] = field(default_factory=set)
    """Names that run a task when they are called: entities, partials of them, functions that call them."""
    task_names: dict[str, str] = field(default_factory=dict)
    """Name given to a task by its ``name`` option, to the name it is bound to."""

    @classmethod
    def of(cls, trees: Iterable[tuple[Cell, ast.Module]]) -> Program:
        """The program of a document's cells, in their order."""
        statements = []
        for cell, tree in trees:
            lines = cell.source.split("\n")
            for node in tree.body:
                found = Statement(node, cell, names_of(node), "")
                offset = found.line - cell.first_line
                found.text = lines[offset].strip() if 0 <= offset < len(lines) else ""
                statements.append(found)
        program = cls(statements)
        program.look()
        return program

    def look(self) -> None:
        """Find out what the names stand for."""
        for statement in self.statements:
            for name in statement.names.binds:
                self.bound_by.setdefault(name, []).append(statement)
            for node in ast.walk(statement.node) if not statement.is_definition else ():
                self.imports.update(_imported(node))
        self._find_entities()
        self._find_runners()

    def _find_entities(self) -> None:
        makers = {name for name, source in self.imports.items() if source.root == "celltask"} | {_RUNTIME}
        stars = any(statement.names.star for statement in self.statements)
        for statement in self.statements:
            for node in _flat(statement.node):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    if any(self._makes_task(decorator, makers, stars=stars) for decorator in node.decorator_list):
                        self.entities.add(node.name)
                        self._note_task_names(node)
                    elif not node.decorator_list and statement.names.reads & makers:
                        makers.add(node.name)  # a decorator of the document's own, perhaps
                elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                    self._note_assigned(node, node.value, makers)

    def _note_assigned(self, node: ast.Assign | ast.AnnAssign, value: ast.expr, makers: set[str]) -> None:
        """Tell ``job = ShellTask(…)``, an entity, from ``cached = partial(task, cache=True)``, which makes some."""
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        bound = {target.id for target in targets if isinstance(target, ast.Name)}
        made_by = value
        while isinstance(made_by, ast.Call):
            made_by = made_by.func
        if isinstance(value, ast.Call) and root_of(made_by) in makers:
            factory = self.origin(made_by).rpartition(".")[2] or _last_name(made_by)
            of_celltask = root_of(made_by) in self.imports
            if of_celltask and not (factory in _TASK_MAKERS or factory.endswith(("Task", "Workflow"))):
                return
            if factory in _TASK_MAKERS and not value.args and not isinstance(value.func, ast.Call):
                makers |= bound  # cached = task(cache=True)
            else:
                self.entities |= bound
                if factory == "preset":
                    self._note_preset_name(value, bound)
        elif any(isinstance(item, ast.Name) and item.id in makers for item in _arguments(value)):
            makers |= bound

    def _note_preset_name(self, call: ast.Call, bound: set[str]) -> None:
        keywords = {keyword.arg: keyword.value for keyword in call.keywords}
        name = call.args[1] if len(call.args) > 1 else keywords.get("name")
        if isinstance(name, ast.Constant) and bound:
            self.task_names[str(name.value)] = min(bound)

    def _makes_task(self, decorator: ast.expr, makers: set[str], *, stars: bool) -> bool:
        while isinstance(decorator, ast.Call):
            decorator = decorator.func
        root = root_of(decorator)
        if root in makers:
            return True
        if root in self.imports:
            return self.imports[root].root not in _NO_TASK_DECORATORS
        return root not in self.bound_by and (stars or _last_name(decorator) in _TASK_MAKERS)

    def _note_task_names(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for decorator in node.decorator_list:
            for keyword in decorator.keywords if isinstance(decorator, ast.Call) else ():
                if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                    self.task_names[str(keyword.value.value)] = node.name

    def _find_runners(self) -> None:
        self.runners = set(self.entities)
        grows = True
        while grows:
            grows = False
            for statement in self.statements:
                if statement.names.binds <= self.runners or not self._passes_on(statement):
                    continue
                self.runners |= statement.names.binds
                grows = True

    def _passes_on(self, statement: Statement) -> bool:
        """Whether what the statement binds runs a task when it is called."""
        node = statement.node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return node.name not in self.entities and bool(statement.names.later_calls & self.runners)
        if not isinstance(node, ast.Assign):
            return False
        handed_on = {argument.id for argument in _arguments(node.value) if isinstance(argument, ast.Name)}
        return bool(handed_on & self.runners) and not self.runs_task(statement)

    def runs_task(self, statement: Statement) -> bool:
        """Whether executing the statement runs a task or workflow."""
        return any(self._call_runs(call) for call in statement.names.calls)

    def _call_runs(self, call: ast.Call) -> bool:
        function = call.func
        if self.origin(function).startswith("celltask.") and _last_name(function) in _RUN_FUNCTIONS:
            return True
        if isinstance(function, ast.Name):
            return function.id in self.runners
        if isinstance(function, ast.Attribute):
            return function.attr in _RUNS and root_of(function) in self.runners
        if isinstance(function, ast.Call):  # map_task(clean)(…), partial(train, x=1)(…)
            return any(isinstance(item, ast.Name) and item.id in self.runners for item in ast.walk(function))
        return False

    def origin(self, node: ast.expr) -> str:
        """The dotted name that an expression means, through the imports: ``path`` as ``"sys.path"``."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute | ast.Subscript):
            if isinstance(node, ast.Attribute):
                parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id not in self.imports:
            return ""
        return ".".join([self.imports[node.id].dotted, *reversed(parts)])


def _imported(node: ast.AST) -> Iterator[tuple[str, _Import]]:
    if isinstance(node, ast.Import):
        for name in node.names:
            root = name.name.partition(".")[0]
            yield name.asname or root, _Import(name.name if name.asname else root)
    elif isinstance(node, ast.ImportFrom):
        for name in node.names:
            yield name.asname or name.name, _Import(f"{'.' * node.level}{node.module or ''}.{name.name}")


def _flat(node: ast.stmt) -> Iterator[ast.stmt]:
    """The statement, and those in its blocks that are executed with it."""
    yield node
    if isinstance(node, _DEFINITIONS):
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield from _flat(child)
        elif isinstance(child, ast.ExceptHandler | ast.match_case):
            for inner in child.body:
                yield from _flat(inner)


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _arguments(value: ast.expr) -> list[ast.expr]:
    """The value itself, or what is handed to the calls it is made of."""
    if not isinstance(value, ast.Call):
        return [value]
    handed = [*value.args, *(keyword.value for keyword in value.keywords)]
    return [*handed, *(item for argument in handed for item in _arguments(argument))]
