"""Graphs as JSON data and back, so that a picture, a comparison or another program can be made from a file.

A constant that JSON has no word for (a table, an object) goes as its repr, and comes back as a `Told`, which prints
like it; all else comes back equal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from celltask.core.graph import (
    Accessor,
    Binding,
    Collected,
    Constant,
    Entity,
    FromInput,
    FromNode,
    Graph,
    GraphOutput,
    Node,
    Port,
)
from celltask.core.graph_constants import constant_from_json, constant_to_json, unfit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["FORMAT", "from_json", "to_json"]

FORMAT = "celltask.graph/1"
"""Stands under ``"format"`` in what `to_json` gives; the number grows when older readers could not read it."""

T = TypeVar("T")
_DEEPEST = 200


def to_json(graph: Graph) -> dict[str, object]:
    """`graph` as plain JSON data; `from_json` makes it a graph again.

    >>> to_json(Graph("empty"))["name"]
    'empty'
    """
    return {"format": FORMAT, **_graph(graph)}


def from_json(data: object) -> Graph:
    """The graph that `to_json` made `data` from.

    Raises:
        GraphError: If `data` is not that; told with the place in it.

    >>> from_json(to_json(Graph("empty"))) == Graph("empty")
    True
    """
    found = _dict(data, "$")
    if found.get("format") != FORMAT:
        raise unfit("format", f"{FORMAT!r}", found.get("format"))
    return _read_graph(found, "$", 0)


def _graph(graph: Graph) -> dict[str, object]:
    return {
        "name": graph.name,
        "doc": graph.doc,
        "place": graph.place,
        "on_failure": graph.on_failure,
        "inputs": [_port(port) for port in graph.inputs],
        "outputs": [_output(out) for out in graph.outputs],
        "nodes": [_node(node) for node in graph.nodes],
        "entities": {key: _entity(entity) for key, entity in graph.entities.items()},
    }


def _port(port: Port) -> dict[str, object]:
    return {
        "name": port.name,
        "type": port.type,
        "description": port.description,
        "required": port.required,
        "default": port.default,
        **({"secret": True} if port.is_secret else {}),
    }


def _output(out: GraphOutput) -> dict[str, object]:
    return {
        "name": out.name,
        "type": out.type,
        "description": out.description,
        "binding": _binding(out.binding),
        **({"secret": True} if out.is_secret else {}),
    }


def _entity(entity: Entity) -> dict[str, object]:
    return {
        "name": entity.name,
        "kind": entity.kind,
        "doc": entity.doc,
        "place": entity.place,
        "inputs": [_port(port) for port in entity.inputs],
        "outputs": [_port(port) for port in entity.outputs],
        "graph": None if entity.graph is None else _graph(entity.graph),
    }


def _node(node: Node) -> dict[str, object]:
    return {
        "id": node.id,
        "label": node.label,
        "entity": node.entity,
        "bindings": [None if binding is None else _binding(binding) for binding in node.bindings],
        "after": list(node.after),
        "overrides": None
        if node.overrides is None
        else {key: constant_to_json(item) for key, item in node.overrides.items()},
    }


def _overrides(overrides: Mapping[str, object]) -> dict[str, object]:
    return {key: constant_to_json(item) for key, item in overrides.items()}


def _binding(binding: Binding) -> dict[str, object]:
    match binding:
        case Constant(value):
            return {"constant": constant_to_json(value)}
        case FromInput(name, path):
            return {"input": name, "path": _path(path)}
        case FromNode(node, output, path):
            return {"node": node, "output": output, "path": _path(path)}
        case Collected(kind, items, keys):
            return {kind: [_binding(item) for item in items], "keys": [constant_to_json(key) for key in keys]}


def _path(path: tuple[Accessor, ...]) -> list[list[object]]:
    return [[how, constant_to_json(step)] for how, step in path]


def _read_graph(data: dict[str, object], at: str, depth: int) -> Graph:
    if depth > _DEEPEST:
        raise unfit(at, "workflows nested less deep", "a deeper one")
    entities = {
        key: _read_entity(_dict(item, f"{at}.entities.{key}"), f"{at}.entities.{key}", depth)
        for key, item in _dict(data.get("entities"), f"{at}.entities").items()
    }
    made = Graph(
        name=_text(data, "name", at),
        inputs=_each(data, "inputs", at, _read_port),
        outputs=_each(data, "outputs", at, _read_output),
        nodes=_each(data, "nodes", at, _read_node),
        entities=entities,
        doc=_text(data, "doc", at),
        place=_text(data, "place", at),
        on_failure=_text(data, "on_failure", at) if "on_failure" in data else "",
    )
    _check_whole(made, at)
    return made


def _check_whole(graph: Graph, at: str) -> None:
    """That every name in the graph is the name of something, so that no later reader stumbles."""
    ids = {node.id for node in graph.nodes}
    inputs = {port.name for port in graph.inputs}
    if len(ids) < len(graph.nodes):
        raise unfit(f"{at}.nodes", "ids that are unique", "one that stands twice")
    widths = {
        node.id: len(graph.entities[node.entity].outputs) for node in graph.nodes if node.entity in graph.entities
    }
    for node in graph.nodes:
        if node.entity not in graph.entities:
            raise unfit(f"{at}.nodes", "the key of an entity", node.entity)
        if len(node.bindings) != len(graph.entities[node.entity].inputs):
            raise unfit(f"{at}.nodes", f"one binding for each input of {node.entity}", len(node.bindings))
        if not ids.issuperset(node.after):
            raise unfit(f"{at}.nodes", "ids of nodes under `after`", list(node.after))
    bindings = [binding for node in graph.nodes for binding in node.bindings]
    for binding in (*bindings, *(output.binding for output in graph.outputs)):
        for source in _sources(binding):
            if isinstance(source, FromInput) and source.name not in inputs:
                raise unfit(at, "the name of an input", source.name)
            if isinstance(source, FromNode) and not 0 <= source.output < widths.get(source.node, 0):
                raise unfit(at, "an output of a node", [source.node, source.output])


def _sources(binding: Binding | None) -> list[FromInput | FromNode]:
    from celltask.core.graph import sources_of  # noqa: PLC0415 - beside its only use

    return list(sources_of(binding))


def _read_entity(data: dict[str, object], at: str, depth: int) -> Entity:
    inner = data.get("graph")
    return Entity(
        name=_text(data, "name", at),
        kind=_text(data, "kind", at),
        inputs=_each(data, "inputs", at, _read_port),
        outputs=_each(data, "outputs", at, _read_port),
        doc=_text(data, "doc", at),
        place=_text(data, "place", at),
        graph=None if inner is None else _read_graph(_dict(inner, f"{at}.graph"), f"{at}.graph", depth + 1),
    )


def _read_port(data: dict[str, object], at: str) -> Port:
    required = data.get("required")
    if not isinstance(required, bool):
        raise unfit(f"{at}.required", "true or false", required)
    name, type_, description = (_text(data, key, at) for key in ("name", "type", "description"))
    return Port(name, type_, description, required, _text(data, "default", at), data.get("secret") is True)


def _read_output(data: dict[str, object], at: str) -> GraphOutput:
    binding = _read_binding(_dict(data.get("binding"), f"{at}.binding"), f"{at}.binding", 0)
    name, type_, description = (_text(data, key, at) for key in ("name", "type", "description"))
    return GraphOutput(name, type_, binding, description, data.get("secret") is True)


def _read_node(data: dict[str, object], at: str) -> Node:
    overrides = data.get("overrides")
    bindings = tuple(
        None if item is None else _read_binding(_dict(item, f"{at}.bindings[{number}]"), f"{at}.bindings[{number}]", 0)
        for number, item in enumerate(_list(data.get("bindings"), f"{at}.bindings"))
    )
    return Node(
        id=_text(data, "id", at),
        label=_text(data, "label", at),
        entity=_text(data, "entity", at),
        bindings=bindings,
        after=tuple(_one_text(item, f"{at}.after") for item in _list(data.get("after"), f"{at}.after")),
        overrides=None
        if overrides is None
        else {
            key: constant_from_json(item, f"{at}.overrides")
            for key, item in _dict(overrides, f"{at}.overrides").items()
        },
    )


def _read_overrides(data: dict[str, object], at: str) -> dict[str, object]:
    return {key: constant_from_json(item, f"{at}.overrides") for key, item in data.items()}


def _read_binding(data: dict[str, object], at: str, depth: int) -> Binding:
    if depth > _DEEPEST:
        raise unfit(at, "a binding nested less deep", "a deeper one")
    if "constant" in data:
        return Constant(constant_from_json(data["constant"], at))
    if "input" in data:
        return FromInput(_text(data, "input", at), _read_path(data, at))
    if "node" in data:
        output = data.get("output")
        if type(output) is not int:
            raise unfit(f"{at}.output", "a whole number", output)
        return FromNode(_text(data, "node", at), output, _read_path(data, at))
    for kind in ("list", "tuple", "dict"):
        if kind in data:
            items = tuple(
                _read_binding(_dict(item, f"{at}.{kind}[{number}]"), f"{at}.{kind}[{number}]", depth + 1)
                for number, item in enumerate(_list(data[kind], f"{at}.{kind}"))
            )
            keys = tuple(constant_from_json(key, f"{at}.keys") for key in _list(data.get("keys"), f"{at}.keys"))
            if len(keys) != (len(items) if kind == "dict" else 0):
                raise unfit(f"{at}.keys", "one key for each item of a dict, and none for others", list(keys))
            return Collected(cast("Any", kind), items, keys)
    raise unfit(at, "a binding: constant, input, node, list, tuple or dict", sorted(data))


def _read_path(data: dict[str, object], at: str) -> tuple[Accessor, ...]:
    steps: list[Accessor] = []
    for step in _list(data.get("path"), f"{at}.path"):
        match step:
            case ["field" | "item" as how, key]:
                steps.append((cast("Any", how), constant_from_json(key, f"{at}.path")))
            case _:
                raise unfit(f"{at}.path", '["field", name] or ["item", key]', step)
    return tuple(steps)


def _each(data: dict[str, object], key: str, at: str, read: Callable[[dict[str, object], str], T]) -> tuple[T, ...]:
    place = f"{at}.{key}"
    items = _list(data.get(key), place)
    return tuple(read(_dict(item, f"{place}[{number}]"), f"{place}[{number}]") for number, item in enumerate(items))


def _text(data: Mapping[str, object], key: str, at: str) -> str:
    return _one_text(data.get(key), f"{at}.{key}")


def _one_text(data: object, at: str) -> str:
    if not isinstance(data, str):
        raise unfit(at, "a text", data)
    return data


def _dict(data: object, at: str) -> dict[str, object]:
    if not isinstance(data, dict):
        raise unfit(at, "an object", data)
    return data


def _list(data: object, at: str) -> list[object]:
    if not isinstance(data, list):
        raise unfit(at, "an array", data)
    return data
