"""Normal forms: texts that are the same for two pieces of code exactly if these do the same."""

from __future__ import annotations

import ast
import dis
from bisect import bisect_left
from types import CodeType
from typing import TYPE_CHECKING

from celltask.core.constants import LONGEST_PLAIN_INT, literal_text

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "annotation_text",
    "code_text",
    "dump",
    "hashed",
    "parameters_text",
    "shortened",
    "steps_of",
    "without_docstring",
]

_SKIPPED_FIELDS = frozenset({"kind", "type_comment", "type_ignores", "ctx"})
_LONGEST_SHOWN = 60  # characters
_SILENT = frozenset({"CACHE", "EXTENDED_ARG", "NOP", "PRECALL", "PUSH_NULL", "RESUME"})
_CONSTANTS = frozenset(dis.opname[number] for number in dis.hasconst)
_JUMPS = frozenset({*dis.hasjrel, *dis.hasjabs})
_VARARGS, _VARKEYWORDS, _COROUTINE, _ASYNC_GENERATOR = 0x04, 0x08, 0x80, 0x200  # bits of co_flags


def dump(node: object) -> str:
    r"""A text that is the same for two trees exactly if they do the same: no positions, comments or docstrings.

    >>> dump(ast.parse("def f(x):\n    'Doc.'\n    return (x)")) == dump(ast.parse("def f(x): return x  # same"))
    True
    """
    # A stack instead of recursion: a sum of a thousand terms is a tree a thousand levels deep.
    parts: list[str] = []
    todo: list[object] = [node]
    while todo:
        item = todo.pop()
        if isinstance(item, _Text):
            parts.append(item)
        elif isinstance(item, ast.AST):
            todo.extend(reversed(_fields_of(item)))
        elif isinstance(item, list):
            todo.extend(reversed([_Text("["), *(part for each in item for part in (each, _Text(","))), _Text("]")]))
        elif isinstance(item, int) and item.bit_length() > LONGEST_PLAIN_INT:
            parts.append(hex(item))
        else:
            parts.append(repr(item))
    return "".join(parts)


class _Text(str):
    """A piece of the result, as opposed to a string in the tree."""

    __slots__ = ()


def _fields_of(node: ast.AST) -> list[object]:
    told: list[object] = [_Text(f"{type(node).__name__}(")]
    for name in node._fields:
        value = getattr(node, name, None)
        if value is None or value == [] or name in _SKIPPED_FIELDS:
            continue
        if name == "body" and isinstance(value, list):
            value = without_docstring(node, value)
        told += [_Text(f"{name}="), value]
    return [*told, _Text(")")]


def without_docstring(node: ast.AST, body: list[ast.stmt]) -> list[ast.stmt]:
    """`body` of `node` without its docstring; ``pass`` if nothing else is left."""
    documented = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module)
    if documented and body and isinstance(body[0], ast.Expr):
        value = body[0].value
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return body[1:] or [ast.Pass()]
    return body


def annotation_text(node: ast.expr) -> str:
    """An annotation as users read it, whether it was written as a string or not.

    >>> annotation_text(ast.parse("'dict[str,int]'", mode="eval").body)
    'dict[str, int]'
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            return ast.unparse(ast.parse(node.value.strip(), mode="eval"))
        except SyntaxError:
            return node.value
    return ast.unparse(node)


def parameters_text(code: CodeType) -> str:
    """Names and kinds of the parameters.

    >>> async def f(a, /, b, *, c, **rest): ...
    >>> parameters_text(f.__code__)
    'async (a, /, b, *, c, **rest)'
    """
    names = list(code.co_varnames)
    count, only = code.co_argcount, code.co_kwonlyargcount
    shown = names[:count]
    if code.co_posonlyargcount:
        shown.insert(code.co_posonlyargcount, "/")
    rest = names[count + only :]
    if code.co_flags & _VARARGS:
        shown.append(f"*{rest.pop(0)}")
    elif only:
        shown.append("*")
    shown += names[count : count + only]
    if code.co_flags & _VARKEYWORDS:
        shown.append(f"**{rest.pop(0)}")
    return ("async " if code.co_flags & (_COROUTINE | _ASYNC_GENERATOR) else "") + f"({', '.join(shown)})"


def code_text(code: CodeType, refer: Callable[[object], str]) -> str:
    """The normal form of code whose source is not known: instructions, names and constants, nested code included."""
    told = [parameters_text(code)]
    for name, value in steps_of(code):
        if isinstance(value, CodeType):
            text = code_text(value, refer)
        else:
            text = literal_text(value, refer) if name in _CONSTANTS else str(value)
        told.append(f"{name} {text}")
    return "\n".join(told)


def steps_of(code: CodeType) -> list[tuple[str, object]]:
    """The instructions of `code` with what they name, without what depends on the text around the function.

    Python calls ``json.dumps(x)`` by other instructions where the same text imports `json`, and the numbers of
    constants depend on whether there is a docstring.
    """
    items = [item for item in dis.get_instructions(code) if item.opname not in _SILENT]
    places = [item.offset for item in items]
    found: list[tuple[str, object]] = []
    for item in items:
        value = bisect_left(places, item.argval) if item.opcode in _JUMPS else item.argval
        found.append(("LOAD_ATTR" if item.opname == "LOAD_METHOD" else item.opname, value))
    return found


def hashed(text: str) -> str:
    """32 hex digits of SHA-256."""
    from hashlib import sha256  # noqa: PLC0415 - only digests need it

    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def shortened(text: str) -> str:
    """`text` if it is short, else its beginning and a hash of the whole.

    >>> shortened("0.1"), len(shortened("x" * 1000))
    ('0.1', 59)
    """
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:40]}… {hashed(text)[:17]}"
