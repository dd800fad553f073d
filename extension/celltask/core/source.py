"""Source: the syntax tree of a function, found through `linecache` as tracebacks find its lines.

Works alike for plain modules, notebook cells (IPython keeps their transformed text in `linecache`), documents
(their loader keeps a text there in which every code line stands on its own line number) and functions made by
`exec` whose text was put there. A text is believed only if compiling it gives the very code that the function
runs: a module edited after its import, or changed by an import hook, has no tree rather than a wrong one.
"""

from __future__ import annotations

import ast
import linecache
from dataclasses import dataclass, field
from types import CodeType, FunctionType

from celltask.core.normal import steps_of
from celltask.core.origin import RUNTIME_NAME
from celltask.errors import CelltaskError

__all__ = ["FunctionNode", "class_node", "code_tree", "function_tree", "parse_file"]

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_FUTURE_FLAGS = 0x1FE0000  # the bits of co_flags that `from __future__ import …` sets
_KEPT_TEXTS = 256


@dataclass(slots=True)
class _Text:
    """One parsed text: its functions by name, and, once asked for, what it compiles to. It holds state."""

    text: str
    tree: ast.Module
    functions: dict[str, list[FunctionNode]] = field(default_factory=dict)
    owners: dict[int, ast.ClassDef] = field(default_factory=dict)
    compiled: dict[int, dict[tuple[str, int], list[CodeType]] | None] = field(default_factory=dict)

    def index(self) -> None:
        """Note every function, and the class that each method stands in."""
        todo: list[tuple[ast.AST, ast.ClassDef | None]] = [(self.tree, None)]
        while todo:
            node, owner = todo.pop()
            if isinstance(node, FunctionNode):
                name = "<lambda>" if isinstance(node, ast.Lambda) else node.name
                self.functions.setdefault(name, []).append(node)
                if owner is not None:
                    self.owners[id(node)] = owner
            around = node if isinstance(node, ast.ClassDef) else None
            todo.extend((child, around) for child in reversed(list(ast.iter_child_nodes(node))))

    def codes(self, flags: int) -> dict[tuple[str, int], list[CodeType]] | None:
        """What the text compiles to, by name and first line; ``None`` if it does not compile as a whole."""
        if flags not in self.compiled:
            # A cell or document may import from __future__ in its middle; the flags say what held for the function.
            body = [item for item in self.tree.body if not _is_future(item)]
            module = ast.Module(body=body, type_ignores=[])
            mode = flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
            try:
                top = compile(module, "<text>", "exec", flags=mode, dont_inherit=True)
            except (SyntaxError, ValueError):
                self.compiled[flags] = None
            else:
                found: dict[tuple[str, int], list[CodeType]] = {}
                _collect_codes(top, found)
                self.compiled[flags] = found
        return self.compiled[flags]


_texts: dict[str, _Text | None] = {}


def function_tree(function: FunctionType) -> FunctionNode | None:
    """The `def`, `async def` or `lambda` that `function` was made from, decorators included.

    Returns:
        The node inside the tree of its whole text (do not change it), or ``None`` if its source is not known
        or is not what the function runs.

    >>> import fractions
    >>> function_tree(fractions.Fraction.limit_denominator).name
    'limit_denominator'
    """
    return code_tree(function.__code__, function.__globals__)


def code_tree(code: CodeType, namespace: dict[str, object]) -> FunctionNode | None:
    """As `function_tree`, for a code object and the globals it runs with."""
    found = _find(code, namespace)
    return found[1] if found else None


def class_node(method: FunctionType) -> ast.ClassDef | None:
    """The `class` statement that `method` was written in, or ``None`` if it is not known."""
    found = _find(method.__code__, method.__globals__)
    return found[0].owners.get(id(found[1])) if found else None


def parse_file(filename: str, namespace: dict[str, object] | None = None) -> ast.Module | None:
    """The tree of a whole text that `linecache` knows or can read, or ``None``."""
    text = _parsed(filename, namespace)
    return text.tree if text else None


def _find(code: CodeType, namespace: dict[str, object]) -> tuple[_Text, FunctionNode] | None:
    for fresh in (False, True):
        if fresh:
            linecache.checkcache(code.co_filename)  # the file may have been edited, and the module reloaded
        text = _parsed(code.co_filename, namespace)
        node = _matching(text, code) if text else None
        if text is not None and node is not None and _is_true(text, code):
            return text, node
    return None


def _parsed(filename: str, namespace: dict[str, object] | None) -> _Text | None:
    lines = linecache.getlines(filename, namespace)
    if not lines:
        return None
    content = "".join(lines)
    known = _texts.get(filename)
    if known is not None and known.text == content:
        return known
    try:
        tree = ast.parse(content)
        tree = _rewritten(tree) if RUNTIME_NAME in content else tree
    except (SyntaxError, ValueError, RecursionError):
        return None
    made = _Text(content, tree)
    made.index()
    _texts.pop(filename, None)
    _texts[filename] = made
    if len(_texts) > _KEPT_TEXTS:
        del _texts[next(iter(_texts))]
    return made


def _rewritten(tree: ast.Module) -> ast.Module:
    """The tree as it was run: where a cell's text only marks tasks, its functions are made by one pass."""
    from celltask.core.cell import decorate_tree  # noqa: PLC0415 - only texts with a marker need it

    try:
        return decorate_tree(tree)
    except CelltaskError:  # such a cell defined nothing
        return tree


def _matching(text: _Text, code: CodeType) -> FunctionNode | None:
    """The node that `code` was compiled from, by name, first line and the positions of its instructions."""
    fitting = [node for node in text.functions.get(code.co_name, ()) if code.co_firstlineno in _first_lines(node)]
    if len(fitting) > 1 or (fitting and isinstance(fitting[0], ast.Lambda)):
        fitting = [node for node in fitting if _holds(node, code)]
    # Of lambdas inside each other all hold the innermost one's code; the innermost stands last.
    nested = len(fitting) > 1 and all(_is_inside(fitting[-1], node) for node in fitting[:-1])
    return fitting[-1] if len(fitting) == 1 or nested else None


def _is_inside(node: FunctionNode, other: FunctionNode) -> bool:
    return any(inner is node for inner in ast.walk(other))


def _first_lines(node: FunctionNode) -> set[int]:
    if isinstance(node, ast.Lambda):
        return {node.lineno}
    return {node.lineno, *(item.lineno for item in node.decorator_list)}


def _holds(node: FunctionNode, code: CodeType) -> bool:
    """Whether the positions of all instructions of `code` lie inside `node`."""
    start = (node.lineno, node.col_offset)
    end = (node.end_lineno or 0, node.end_col_offset or 0)
    spots = [
        ((line, column), (end_line, end_column))
        for line, end_line, column, end_column in code.co_positions()
        if line is not None and end_line is not None and column is not None and end_column  # RESUME ends in column 0
    ]
    if spots:
        return all(start <= first and last <= end for first, last in spots)
    # Python 3.12 keeps no position for a lambda that only gives a constant.
    if not isinstance(node, ast.Lambda) or not isinstance(node.body, ast.Constant):
        return False
    return any(type(item) is type(node.body.value) and item == node.body.value for item in code.co_consts)


def _is_true(text: _Text, code: CodeType) -> bool:
    codes = text.codes(code.co_flags & _FUTURE_FLAGS)
    if codes is None:
        return True
    return any(_same(code, other) for other in codes.get((code.co_name, code.co_firstlineno), ()))


def _same(one: CodeType, other: CodeType) -> bool:
    """Whether two codes do the same; flags and line tables, which a notebook may set otherwise, do not count."""
    if one.co_varnames != other.co_varnames:
        return False
    if one.co_code == other.co_code and one.co_names == other.co_names and len(one.co_consts) == len(other.co_consts):
        pairs: list[tuple[object, object]] = list(zip(one.co_consts, other.co_consts, strict=True))
    else:
        mine, theirs = steps_of(one), steps_of(other)
        if [name for name, _ in mine] != [name for name, _ in theirs]:
            return False
        pairs = [(value, value_too) for (_, value), (_, value_too) in zip(mine, theirs, strict=True)]
    return all(
        _same(value, value_too)
        if isinstance(value, CodeType) and isinstance(value_too, CodeType)
        else type(value) is type(value_too) and value == value_too
        for value, value_too in pairs
    )


def _collect_codes(code: CodeType, found: dict[tuple[str, int], list[CodeType]]) -> None:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found.setdefault((constant.co_name, constant.co_firstlineno), []).append(constant)
            _collect_codes(constant, found)


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"
