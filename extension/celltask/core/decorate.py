"""The pass over a cell's syntax tree that turns the markers of `rewrite_source` into tasks and workflows.

Every node keeps its line: decorators stand on the line of the `def` they decorate, and what is generated for the body
form stands on the header's line.
"""

from __future__ import annotations

import ast
from typing import NamedTuple

from celltask.core.body import wrap_body
from celltask.core.header import RUNTIME_NAME, Header, decorator_source, parse_header
from celltask.core.rewrite import OWN_DECORATOR
from celltask.errors import BodyError, CallError

__all__ = ["decorate_tree", "run_in"]

_Def = ast.FunctionDef | ast.AsyncFunctionDef


class _Region(NamedTuple):
    """A header and the statements it applies to."""

    header: Header
    line: int
    where: str
    statements: list[ast.stmt]


def decorate_tree(tree: ast.Module, *, where: str = "", run: bool = True) -> ast.Module:
    """The tree with each marker replaced by what it asks for; changed in place, and left as it is without markers.

    Args:
        tree: Parsed from the text that `rewrite_source` gave.
        where: The cell in words; told in errors, with the line.
        run: Whether ``--run`` is obeyed; a document that is only loaded runs nothing.

    Raises:
        HeaderError: If a header line cannot be read.
        BodyError: If the lines below one cannot become its body.
    """
    if not any(_marker(statement) for statement in tree.body):
        return tree
    futures: list[ast.stmt] = []
    made: list[ast.stmt] = []
    rest = list(tree.body)
    while rest:
        statement = rest.pop(0)
        text = _marker(statement)
        if not text:
            made.append(statement)
            continue
        place = f"{where}, line {statement.lineno}" if where else f"line {statement.lineno}"
        inside = list(statement.body) if isinstance(statement, _Def) else []
        region = _Region(parse_header(text, where=place), statement.lineno, where, inside)
        while rest and not _marker(rest[0]) and not _has_runtime_decorator(rest[0]):
            region.statements.append(rest.pop(0))
        if _is_await_mark(region.statements[:1]):
            del region.statements[0]
        futures += [item for item in region.statements if _is_future(item)]
        region.statements[:] = [item for item in region.statements if not _is_future(item)]
        made += _apply(region, run=run)
    tree.body = _with_futures(futures, made)
    return tree


def _apply(region: _Region, *, run: bool) -> list[ast.stmt]:
    header = region.header
    if header.help:
        return region.statements
    if header.is_body and (header.outputs or not _is_definitions(region.statements)):
        made, task = wrap_body(header, region.statements, line=region.line, where=region.where)
    else:
        task = _decorate(region)
        made = list(region.statements)
    if header.run and run:
        made.append(_run_statement(header, task, region.line))
    return made


def _decorate(region: _Region) -> _Def:
    """Decorate the public defs of `region`; the only one, or any, is returned."""
    header = region.header
    defs = [item for item in region.statements if isinstance(item, _Def)]
    public = [item for item in defs if not item.name.startswith("_")]
    free = [item for item in public if not any(_is_own(decorator) for decorator in item.decorator_list)]
    _check_defs(region, defs, public, free)
    for item in free:
        decorator = ast.parse(decorator_source(header), mode="eval").body
        _place(decorator, item.decorator_list[0].lineno if item.decorator_list else item.lineno, item.col_offset)
        item.decorator_list.insert(0, decorator)
    return free[0]


def _check_defs(region: _Region, defs: list[_Def], public: list[_Def], free: list[_Def]) -> None:
    """Refuse a region that the header cannot apply to as it stands."""
    header, magic = region.header, region.header.magic
    if header.name and public:
        raise BodyError(
            f"the line names {header.name!r}, and a def follows",
            _where(region, public[0].lineno),
            f"write {magic} without the name (--name {header.name} renames)",
        )
    if public and not free:
        raise BodyError(
            f"{public[0].name!r} has a decorator of its own that makes it a task",
            _where(region, public[0].lineno),
            f"keep the decorator, or the {magic} line",
        )
    if not public:
        body = "" if header.kind == "workflow" else f", or {magic} NAME -> OUTPUT: TYPE above a body"
        if defs:
            raise BodyError(
                f"only {defs[0].name!r} stands below {magic}, and names with an underscore stay helpers",
                _where(region, defs[0].lineno),
                f"rename it to {defs[0].name.lstrip('_') or 'a public name'!r}",
            )
        raise BodyError(
            f"no def stands below {magic}", _where(region, region.line), f"write a def below the line{body}"
        )
    if header.run and len(free) > 1:
        names = ", ".join(item.name for item in free)
        raise BodyError(
            f"--run wants one {header.kind}, and there are {names}",
            _where(region, free[1].lineno),
            "use a cell each",
        )
    if "name" in header.options and len(free) > 1:
        raise BodyError(
            f"--name would give {free[0].name!r} and {free[1].name!r} the same name",
            _where(region, free[1].lineno),
            "leave it out, or use a cell each",
        )


def _where(region: _Region, line: int) -> str:
    return f"{region.where}, line {line}" if region.where else f"line {line}"


def _run_statement(header: Header, task: _Def, line: int) -> ast.stmt:
    """The statement that runs `task` with the notebook's variables, and binds the outputs of the body form."""
    call = f"__import__('celltask.core.cell', fromlist=['run_in']).run_in({task.name}, globals())"
    if isinstance(task, ast.AsyncFunctionDef):
        call = f"await {call}"
    if header.outputs:
        call = f"{', '.join(name for name, _ in header.outputs)} = {call}"
    statement = ast.parse(call).body[0]
    _place(statement, line, 0)
    return statement


def run_in(task: object, namespace: dict[str, object]) -> object:
    """What `task` returns for the variables of `namespace` that are called like its inputs.

    Args:
        task: A task or workflow.
        namespace: Variables by name, such as a notebook's ``globals()``.

    Raises:
        CallError: If an input without a default has no variable.
    """
    name, ports = task.name, task.interface.inputs  # type: ignore[attr-defined]  # core.task stands above this room
    missing = [port.name for port in ports if port.required and port.name not in namespace]
    if missing:
        told = ", ".join(repr(name) for name in missing)
        raise CallError(
            f"--run found no variable for input {told} of {name!r}",
            task.place,  # type: ignore[attr-defined]  # as above
            f"assign {missing[0]} in a cell before, or leave --run out",
        )
    return task(**{port.name: namespace[port.name] for port in ports if port.name in namespace})  # type: ignore[operator]  # as above


def _marker(statement: ast.stmt) -> str:
    """The header line that `statement` stands for, ``""`` for a user's own statement."""
    match statement:
        case ast.AnnAssign(ast.Name(id=name), ast.Constant(value=str(text)), None) if name == RUNTIME_NAME:
            return text
        case (
            ast.FunctionDef(
                args=ast.arguments(args=[ast.arg(arg=name), *_], defaults=[ast.Constant(value=str(text)), *_])
            )
            | ast.AsyncFunctionDef(
                args=ast.arguments(args=[ast.arg(arg=name), *_], defaults=[ast.Constant(value=str(text)), *_])
            )
        ) if name == RUNTIME_NAME:
            return text
    return ""


def _has_runtime_decorator(statement: ast.stmt) -> bool:
    """Whether `rewrite_source` itself decorated it, so that the region of the marker before ends."""
    return isinstance(statement, _Def) and any(
        isinstance(node, ast.Name) and node.id == RUNTIME_NAME
        for decorator in statement.decorator_list[:1]
        for node in ast.walk(decorator)
    )


def _is_await_mark(statements: list[ast.stmt]) -> bool:
    match statements:
        case [ast.Expr(ast.BoolOp(ast.And(), [ast.Tuple(elts=[]), ast.Await()]))]:
            return True
    return False


def _is_own(decorator: ast.expr) -> bool:
    node, parts = decorator.func if isinstance(decorator, ast.Call) else decorator, []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return isinstance(node, ast.Name) and OWN_DECORATOR.match(".".join([node.id, *reversed(parts)])) is not None


def _is_definitions(statements: list[ast.stmt]) -> bool:
    """Whether a public def stands among nothing but definitions, imports and assignments."""
    plain = (ast.Import, ast.ImportFrom, ast.Assign, ast.ClassDef, *_Def.__args__)
    public = any(isinstance(item, _Def) and not item.name.startswith("_") for item in statements)
    return public and all(isinstance(item, plain) or _is_docstring(item) for item in statements)


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _is_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def _with_futures(futures: list[ast.stmt], statements: list[ast.stmt]) -> list[ast.stmt]:
    """The statements with the `__future__` imports where Python wants them: first, or after the docstring."""
    first = 1 if statements and _is_docstring(statements[0]) else 0
    return [*statements[:first], *futures, *statements[first:]]


def _place(node: ast.AST, line: int, column: int) -> None:
    for part in ast.walk(node):
        if hasattr(part, "lineno"):
            part.lineno = part.end_lineno = line  # type: ignore[attr-defined]  # set on every node that has a place
            part.col_offset = part.end_col_offset = column  # type: ignore[attr-defined]  # as above
