"""Texts that are Python values, compared as values: sets have no order, dictionaries do, floats may be near."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from celltask.documents.expected.rules import Tolerance

__all__ = ["Likeness", "compare_values"]

Likeness = Literal["same", "order", "different", "unknown"]
"""``order``: the same items of a dictionary in another order; ``unknown``: one of the two is no value."""

_VALUES = (
    *(ast.Constant, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.Call, ast.Attribute, ast.Name),
    *(ast.UnaryOp, ast.BinOp),  # -1, 1+2j
)
_PLACEHOLDER = re.compile(r"<([a-z]\w*)>")
"""What sanitisers leave; as a name it can stand in a value."""
_LONGEST = 200_000
_TROUBLE = (SyntaxError, ValueError, RecursionError, MemoryError)


def compare_values(expected: str, shown: str, tolerance: Tolerance) -> Likeness:
    """How like two texts are that both are Python values: literals, ``frozenset(…)``, ``Point(x=1.0)``, ``array([…])``.

    >>> from celltask.documents.expected.rules import Tolerance
    >>> [compare_values("[{1, 2}, 'a']", text, Tolerance()) for text in ("[{2, 1}, 'a']", "[{2, 1}, 'b']", "a list")]
    ['same', 'different', 'unknown']
    >>> compare_values("{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}", Tolerance())
    'order'
    """
    if max(len(expected), len(shown)) > _LONGEST:
        return "unknown"
    wanted, got = (_parsed(_PLACEHOLDER.sub(r"_\1_", text.strip())) for text in (expected, shown))
    if wanted is None or got is None:
        return "unknown"
    try:
        return _compare(wanted, got, tolerance)
    except (RecursionError, OverflowError):
        return "unknown"


@lru_cache(maxsize=512)
def _parsed(text: str) -> ast.expr | None:
    """The expression if the text is a value; a comment would be lost, so nothing with one is."""
    if not any(mark in text for mark in "([{.") or "#" in text:
        return None
    try:
        tree = ast.parse(text, mode="eval").body
        return tree if _is_value(tree) else None
    except _TROUBLE:
        return None


def _is_value(node: ast.expr) -> bool:
    if not isinstance(node, _VALUES) or (isinstance(node, ast.Constant) and node.value is ...):
        return False
    if isinstance(node, ast.UnaryOp | ast.BinOp) and not isinstance(node.op, ast.USub | ast.UAdd | ast.Add | ast.Sub):
        return False
    inner = [one.value if isinstance(one, ast.keyword) else one for one in ast.iter_child_nodes(node)]
    return all(_is_value(one) for one in inner if isinstance(one, ast.expr))


def _compare(wanted: ast.expr, got: ast.expr, tolerance: Tolerance) -> Likeness:
    first, second = _number(wanted), _number(got)
    if first is not None and second is not None:
        return "same" if tolerance.allows(first, second) else "different"
    if type(wanted) is not type(got):
        return "different"
    if isinstance(wanted, ast.Set) and isinstance(got, ast.Set):
        return _unordered(wanted.elts, got.elts, tolerance)
    if isinstance(wanted, ast.Dict) and isinstance(got, ast.Dict):
        return _mapping(wanted, got, tolerance)
    return _likeness(_parts(wanted), _parts(got), tolerance)


def _likeness(wanted: list[ast.expr | str], got: list[ast.expr | str], tolerance: Tolerance) -> Likeness:
    """The least like of the parts decides."""
    if len(wanted) != len(got):
        return "different"
    found: Likeness = "same"
    for one, other in zip(wanted, got, strict=True):
        if isinstance(one, str) or isinstance(other, str):
            likeness: Likeness = "same" if one == other else "different"
        else:
            likeness = _compare(one, other, tolerance)
        if likeness == "different":
            return "different"
        found = likeness if found == "same" else found
    return found


def _parts(node: ast.expr) -> list[ast.expr | str]:
    """What makes up a node, in order; texts must be equal."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return [*node.elts]
    if isinstance(node, ast.Call):
        named = [part for one in node.keywords for part in (str(one.arg), one.value)]
        return [node.func, str(len(node.args)), *node.args, *named]
    if isinstance(node, ast.Attribute):
        return [node.attr, node.value]
    if isinstance(node, ast.UnaryOp):
        return [type(node.op).__name__, node.operand]
    if isinstance(node, ast.BinOp):
        return [node.left, type(node.op).__name__, node.right]
    return [ast.dump(node)]


def _unordered(wanted: list[ast.expr], got: list[ast.expr], tolerance: Tolerance) -> Likeness:
    if len(wanted) != len(got):
        return "different"
    exact = Counter(map(_canonical, wanted)) & Counter(map(_canonical, got))
    first, second = _without(wanted, exact), _without(got, exact)
    for one in first:  # none are left where all are equal; few are, where some are only near
        near = next((other for other in second if _compare(one, other, tolerance) == "same"), None)
        if near is None:
            return "different"
        second.remove(near)
    return "same"


def _without(nodes: list[ast.expr], known: Counter[str]) -> list[ast.expr]:
    left = known.copy()
    kept = []
    for node in nodes:
        text = _canonical(node)
        if left[text]:
            left[text] -= 1
        else:
            kept.append(node)
    return kept


def _mapping(wanted: ast.Dict, got: ast.Dict, tolerance: Tolerance) -> Likeness:
    first, second = _items(wanted), _items(got)
    in_order = _likeness(
        [part for item in first for part in item], [part for item in second for part in item], tolerance
    )
    if in_order != "different" or len(first) != len(second):
        return in_order
    by_key = {_canonical(key): value for key, value in second}
    if {_canonical(key) for key, _ in first} != by_key.keys():
        return "different"
    others: list[ast.expr | str] = [by_key[_canonical(key)] for key, _ in first]
    likeness = _likeness([value for _, value in first], others, tolerance)
    return "different" if likeness == "different" else "order"


def _items(node: ast.Dict) -> list[tuple[ast.expr, ast.expr]]:
    return [(key, value) for key, value in zip(node.keys, node.values, strict=True) if key is not None]


def _canonical(node: ast.expr | str) -> str:
    """A text that equal values share, whatever the order of their sets."""
    if isinstance(node, str):
        return node
    if isinstance(node, ast.Set):
        return f"{{{','.join(sorted(map(_canonical, node.elts)))}}}"
    if isinstance(node, ast.Dict):
        return f"{{{','.join(f'{_canonical(key)}:{_canonical(value)}' for key, value in _items(node))},}}"
    if isinstance(node, ast.Constant | ast.Name):
        return ast.dump(node)
    return f"{type(node).__name__}({','.join(map(_canonical, _parts(node)))})"


def _number(node: ast.expr) -> str | None:
    """The text of a real number, its sign included."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant):
        found = _number(node.operand)
        return found and f"{'-' if isinstance(node.op, ast.USub) else ''}{found}"
    if isinstance(node, ast.Constant) and type(node.value) in {int, float}:
        return repr(node.value)
    return node.id if isinstance(node, ast.Name) and node.id in {"nan", "inf"} else None
