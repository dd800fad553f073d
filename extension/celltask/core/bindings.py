"""Bindings at run time: from what a graph says of a value to the value itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from celltask.core.graph import Accessor, Binding, Collected, Constant, FromInput, FromNode, path_text

__all__ = ["Getter", "getter_of"]

Getter = Callable[[Sequence[object], Sequence[object]], object]
"""Gets a value, given the values of the workflow's inputs and the results of its nodes so far."""


def getter_of(
    binding: Binding, inputs: Mapping[str, int], nodes: Mapping[str, int], several: Callable[[int], bool]
) -> Getter:
    """What gets the value of `binding`.

    Args:
        binding: The binding.
        inputs: Place of each input of the workflow by name.
        nodes: Place of each node by id.
        several: Whether the node at a place returns its outputs as a tuple.
    """
    if isinstance(binding, Constant):
        value = binding.value
        return lambda _inputs, _results: value
    if isinstance(binding, FromInput):
        place = inputs[binding.name]
        return _with_path(lambda given, _results: given[place], binding.path, binding.name)
    if isinstance(binding, FromNode):
        node, output = nodes[binding.node], binding.output
        if several(node):
            return _with_path(lambda _inputs, results: results[node][output], binding.path, binding.node)  # type: ignore[index]  # a tuple
        return _with_path(lambda _inputs, results: results[node], binding.path, binding.node)
    return _collected(binding, [getter_of(item, inputs, nodes, several) for item in binding.items])


def _with_path(get: Getter, path: tuple[Accessor, ...], told: str) -> Getter:
    """What gets the part at the end of `path`; `told` names the whole in an error."""
    if not path:
        return get

    def part(inputs: Sequence[object], results: Sequence[object]) -> object:
        value = get(inputs, results)
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
    if binding.kind == "dict":
        return lambda inputs, results: {key: part(inputs, results) for key, part in zip(keys, parts, strict=True)}
    if binding.kind == "tuple":
        return lambda inputs, results: tuple(part(inputs, results) for part in parts)
    return lambda inputs, results: [part(inputs, results) for part in parts]
