"""The body form: a cell's statements wrapped into the function they would be if they had been written as one.

%%task evaluate -> accuracy: float           def evaluate(model: Model, share: float = 0.2) -> float:
model: Model                           ─►        accuracy = model.score(share)
share: float = 0.2                               return accuracy
accuracy = model.score(share)
"""

from __future__ import annotations

import ast
import copy
from typing import TYPE_CHECKING, NoReturn

from celltask.core.header import Header, decorator_source
from celltask.errors import BodyError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["wrap_body"]

_Def = ast.FunctionDef | ast.AsyncFunctionDef
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_WAITS = (ast.Await, ast.AsyncFor, ast.AsyncWith)


def wrap_body(header: Header, statements: list[ast.stmt], *, line: int, where: str = "") -> tuple[list[ast.stmt], _Def]:
    """The statements that define the task, the function among them last, and that function.

    The imports at the top stay in the body, which so needs nothing from outside, and are made once before it too:
    the annotations need them, and so do the cells that come later.

    Args:
        header: The line above, with a name.
        statements: The cell below it, without `__future__` imports.
        line: Line of the header, from 1; everything generated stands there.
        where: The cell in words; told in errors, with the line.

    Raises:
        BodyError: If the statements cannot be the body of a function with these outputs.
    """
    body = _Body(header, line, where)
    body.split(statements)
    body.check()
    function = body.function()
    return [*(copy.deepcopy(item) for item in body.imports), function], function


class _Body:
    """The parts of one body cell."""

    def __init__(self, header: Header, line: int, where: str) -> None:
        self.header, self.line, self.where = header, line, where
        self.docstring: list[ast.stmt] = []
        self.imports: list[ast.stmt] = []
        self.inputs: dict[str, ast.AnnAssign] = {}
        self.rest: list[ast.stmt] = []

    def split(self, statements: list[ast.stmt]) -> None:
        """Tell the inputs at the top from the statements below them."""
        left = list(statements)
        if left and isinstance(left[0], ast.Expr) and isinstance(left[0].value, ast.Constant):
            self.docstring = [left.pop(0)] if isinstance(left[0].value.value, str) else []
        while left:
            match left[0]:
                case ast.Import() | ast.ImportFrom():
                    self.imports.append(left.pop(0))
                case ast.AnnAssign(ast.Name(id=name), value=value) as item if not self._computes(value):
                    self._add_input(name, item)
                    del left[0]
                case _:
                    break
        self.rest = left

    def _computes(self, value: ast.expr | None) -> bool:
        """Whether an annotated value is worked out from the inputs, and so is no default."""
        found = list(ast.walk(value)) if value is not None else []
        return any(isinstance(node, ast.Name) and node.id in self.inputs for node in found) or any(
            isinstance(node, ast.Await) for node in found
        )

    def _add_input(self, name: str, item: ast.AnnAssign) -> None:
        if name in self.inputs:
            self._refuse(f"input {name!r} is annotated twice", item, "keep one of the two lines")
        if item.value is not None and any(name == output for output, _ in self.header.outputs):
            self._refuse(
                f"{name!r} has a value at the top, where the inputs stand, and is an output too",
                item,
                f"for an output leave the annotation out ({name} = …), for an input leave the value out",
            )
        self.inputs[name] = item

    def check(self) -> None:
        """Refuse what means something else in a function, or nothing."""
        if not self.rest and not self.imports and not self.inputs and not self.docstring:
            self._refuse(f"the body of {self.header.name!r} is empty", None, "write the cell's code below the line")
        for item in [*self.imports, *self.rest]:
            for node in _own_nodes(item):
                self._check_node(node)
        bound = {name for item in [*self.imports, *self.rest] for name in _bound_names(item)}
        for item in self.rest:
            match item:
                case ast.AnnAssign(ast.Name(id=name), value=None) if name not in bound | self.inputs.keys():
                    self._refuse(
                        f"input {name!r} stands below the first statement", item, "move it to the top of the cell"
                    )
        for output, annotation in self.header.outputs:
            if output not in bound and output not in self.inputs:
                self._refuse(
                    f"output {output!r} is never assigned",
                    None,
                    self._mend_for_output(output, annotation, bound),
                )

    def _mend_for_output(self, output: str, annotation: str, bound: set[str]) -> str:
        import difflib  # noqa: PLC0415 - only for a mistake

        near = difflib.get_close_matches(output, sorted(bound), 1)
        return (
            f"did you mean {near[0]!r}?"
            if near
            else f"assign it ({output} = …), or take `{output}: {annotation}` off the line"
        )

    def _check_node(self, node: ast.AST) -> None:
        match node:
            case ast.Return():
                names = ", ".join(name for name, _ in self.header.outputs)
                mend = (
                    f"assign to the outputs on the line ({names})"
                    if names
                    else "name the output on the line: -> OUTPUT: TYPE"
                )
                self._refuse("`return` stands in a cell that is a body", node, mend)
            case ast.Yield() | ast.YieldFrom():
                self._refuse("`yield` stands in a cell that is a body", node, "collect the values in a list")
            case ast.Global(names=names):
                self._refuse(f"`global {names[0]}` reaches out of the task", node, "name it as an output on the line")
            case ast.ImportFrom(module=module, names=[ast.alias(name="*")]):
                self._refuse(
                    f"`from {module} import *` cannot stand in a function",
                    node,
                    "import the names that the body uses",
                )
            case ast.ImportFrom(module="__future__"):
                self._refuse("a `__future__` import must come first", node, "move it to the top of the cell")
            case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython")))):
                self._refuse("a notebook command (`!` or `%`) stands in the body", node, "move it to a cell of its own")

    def _refuse(self, what: str, node: ast.AST | None, mend: str) -> NoReturn:
        line = getattr(node, "lineno", self.line)
        raise BodyError(what, f"{self.where}, line {line}" if self.where else f"line {line}", mend)

    def function(self) -> _Def:
        """The function, with every node on its line."""
        names = [name for name, _ in self.header.outputs]
        waits = any(_waits(node) for item in [*self.imports, *self.rest] for node in _own_nodes(item))
        annotations = ", ".join(annotation for _, annotation in self.header.outputs)
        returned = f"tuple[{annotations}]" if len(names) > 1 else annotations or "None"
        text = f"@{decorator_source(self.header)}\n{'async ' if waits else ''}def {self.header.name}() -> {returned}:\n"
        made = ast.parse(f"{text} return {', '.join(names)}").body[0]
        assert isinstance(made, _Def)  # noqa: S101 - written above
        for node in ast.walk(made):
            if hasattr(node, "lineno"):
                node.lineno = node.end_lineno = self.line  # type: ignore[attr-defined]  # set on every node with a place
                node.col_offset = node.end_col_offset = 0  # type: ignore[attr-defined]  # as above
        made.args = self._arguments()
        made.body = [*self.docstring, *self.imports, *self.rest, *made.body]
        made.end_lineno = max(item.end_lineno or self.line for item in made.body)
        return made

    def _arguments(self) -> ast.arguments:
        """The inputs as parameters; those from the first default on by keyword, if one without a default follows it."""
        items = list(self.inputs.items())
        defaults = [item.value for _, item in items]
        first = next((place for place, value in enumerate(defaults) if value is not None), len(items))
        split = len(items) if all(value is not None for value in defaults[first:]) else first
        parameters = [ast.copy_location(ast.arg(arg=name, annotation=item.annotation), item) for name, item in items]
        return ast.arguments(
            posonlyargs=[],
            args=parameters[:split],
            kwonlyargs=parameters[split:],
            kw_defaults=defaults[split:],
            defaults=[value for value in defaults[:split] if value is not None],
        )


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """`node` and all in it that belongs to the same function; not the insides of nested functions and classes."""
    left = [node]  # no recursion: a long chain of operators is as deep as it is long
    while left:
        node = left.pop()
        yield node
        if not isinstance(node, _SCOPES):
            left += ast.iter_child_nodes(node)
            continue
        left += [*getattr(node, "decorator_list", []), *getattr(node, "bases", [])]
        arguments = getattr(node, "args", None)
        if isinstance(arguments, ast.arguments):
            left += [value for value in (*arguments.defaults, *arguments.kw_defaults) if value is not None]


def _waits(node: ast.AST) -> bool:
    return isinstance(node, _WAITS) or (isinstance(node, ast.comprehension) and bool(node.is_async))


def _bound_names(statement: ast.stmt) -> Iterator[str]:
    """Every name that `statement` may bind in its own function."""
    skipped: ast.expr | None = None
    for node in _own_nodes(statement):
        match node:
            case ast.AnnAssign(ast.Name(), value=None):
                skipped = node.target
            case ast.Name(id=name, ctx=ast.Store()) if node is not skipped:
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.alias(name=name, asname=asname):
                yield asname or name.partition(".")[0]
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name
            case ast.MatchMapping(rest=str(name)):
                yield name
