"""Bindings at run time: from what a graph says of a value to the value itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from operator import call, itemgetter

from celltask.core.graph import Accessor, Binding, Collected, Constant, FromInput, FromNode, path_text

__all__ = ["Getter", "getter_of"]

Getter = Callable[[Sequence[object]], object]
"""Gets a value from the results of the nodes so far, each at its place, with the workflow's inputs after them."""


def getter_of(binding: Binding, places: Mapping[str, int], several: Callable[[int], bool]) -> Getter:
    """What gets the value of `binding`.

    Args:
        binding: The binding.
        places: Place of each node by id, and of each input of the workflow by ``"<name>"``.
        several: Whether the node at a place returns its outputs as a tuple.
    """
    # Where it will do, an itemgetter: one object for the garbage collector to follow, and a closure is four.
    if isinstance(binding, FromNode):
        node, output = places[binding.node], binding.output
        get: Getter = (lambda values: values[node][output]) if several(node) else itemgetter(node)  # type: ignore[index]  # a tuple
        return _with_path(get, binding.path, binding.node) if binding.path else get
    if isinstance(binding, FromInput):
        get = itemgetter(places[f"<{binding.name}>"])
        return _with_path(get, binding.path, binding.name) if binding.path else get
    if isinstance(binding, Constant):
        value = binding.value
        return lambda _values: value
    return _collected(binding, [getter_of(item, places, several) for item in binding.items])


def _with_path(get: Getter, path: tuple[Accessor, ...], told: str) -> Getter:
    """What gets the part at the end of `path`; `told` names the whole in an error."""

    def part(values: Sequence[object]) -> object:
        __tracebackhide__ = True
        __tracebackhide__ = True
        value = get(values)
        for number, (how, step) in enumerate(path, 1):
            try:
                value = getattr(value, str(step)) if how == "field" and not isinstance(value, dict) else value[step]  # type: ignore[index]  # an item was asked for
            except (LookupError, AttributeError, TypeError) as error:
                error.add_note(f"in the workflow, {told}{path_text(path[:number])} was asked for")
                raise
        return value

    return part


def _collected(binding: Collected, parts: list[Getter]) -> Getter:
    keys = binding.keys

    def collected(values: Sequence[object]) -> object:
        __tracebackhide__ = True
        items = map(call, parts, repeat(values))
        if binding.kind == "dict":
            return dict(zip(keys, items, strict=True))
        return tuple(items) if binding.kind == "tuple" else list(items)

    return collected
