"""Conditions as plain data, and what a run makes of them."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, NamedTuple

from celltask.core.bindings import getter_of
from celltask.core.calling import annotate
from celltask.core.graph import Constant, FromInput, path_text, sources_of
from celltask.core.identity import identity
from celltask.core.interface import handler_preview
from celltask.core.refs import Condition, Ref, binding_of
from celltask.core.types.copying import isolated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from celltask.core.graph import Binding

__all__ = ["Test", "holds", "names_in", "test_identity", "test_of"]


class Test(NamedTuple):
    """A condition over the inputs of a conditional; `right` is ``None`` for ``~`` and for a plain truth value."""

    sign: str
    left: Test | Binding
    right: Test | Binding | None
    text: str
    """As people read it: ``"x > 3"``."""


_COMPARISONS: dict[str, Callable[[Any, Any], object]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
    "is": operator.is_,
}  # fmt: skip


def test_of(condition: object, own: Callable[[Ref], Ref]) -> Test:
    """`condition` as plain data.

    Args:
        condition: A `Condition`, a reference to a bool, or a bool.
        own: Gives the reference inside the conditional for one outside.
    """
    if not isinstance(condition, Condition):
        return Test("true", _side(condition, own), None, _text_of(condition))
    right = None if condition.sign == "~" else _side(condition.right, own)
    return Test(condition.sign, _side(condition.left, own), right, _text_of(condition))


def _side(side: object, own: Callable[[Ref], Ref]) -> Test | Binding:
    if isinstance(side, Condition):
        return test_of(side, own)
    return binding_of(own(side)) if isinstance(side, Ref) else Constant(isolated(side))


def _text_of(side: object) -> str:
    if isinstance(side, Condition):
        return side.text(_text_of)
    if isinstance(side, Ref):
        binding = binding_of(side)
        return binding.name + path_text(binding.path) if isinstance(binding, FromInput) else side._name  # noqa: SLF001 - of this room
    return _short(side)


def _short(value: object) -> str:
    text = handler_preview(value)
    return text[: text.rindex(" (")]


def holds(test: Test, values: Sequence[object], places: Mapping[str, int]) -> bool:
    """Whether `test` holds for these inputs; the right side of ``&`` and ``|`` is looked at only where it counts.

    Args:
        test: The condition.
        values: One per input of the conditional.
        places: Place in `values` of each input, by ``"<name>"``.
    """
    __tracebackhide__ = True
    try:
        left = _value(test.left, values, places)
        if test.sign == "true":
            return bool(left)
        if test.sign == "~":
            return not left
        if test.sign in ("&", "|"):
            decided = bool(left) is (test.sign == "|")
            return bool(left) if decided else bool(_value(test.right, values, places))
        return bool(_COMPARISONS[test.sign](left, _value(test.right, values, places)))
    except Exception as error:  # border: the operators of users' values; their error goes on with its place
        annotate(error, f"in the condition {test.text}")
        raise


def _value(side: Test | Binding | None, values: Sequence[object], places: Mapping[str, int]) -> object:
    __tracebackhide__ = True
    if isinstance(side, Test):
        return holds(side, values, places)
    return getter_of(side, places, lambda _place: False)(values) if side is not None else None


def names_in(test: Test | Binding | None) -> frozenset[str]:
    """Names of the inputs that a condition asks for."""
    if isinstance(test, Test):
        return names_in(test.left) | names_in(test.right)
    return frozenset(source.name for source in sources_of(test) if isinstance(source, FromInput))


def test_identity(test: Test | Binding | None) -> str:
    """Text that is the same for the same condition."""
    if isinstance(test, Test):
        return f"({test_identity(test.left)} {test.sign} {test_identity(test.right)})"
    return identity(test)
