"""Bindings and ports in words, as pages and text drawings tell them."""

from __future__ import annotations

import re
import reprlib
from typing import TYPE_CHECKING

from celltask.core.graph import (
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
from celltask.core.types.marks import HIDDEN
from celltask.errors import CycleError
from celltask.render.lettering import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Wording", "kind_told", "port_told", "signature_told", "way_told"]

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 40
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


class Wording:
    """What one graph's bindings and nodes are called.

    Args:
        graph: The graph whose nodes are named.
        full: Name the output also where a node has only one.
    """

    def __init__(self, graph: Graph, *, full: bool = False) -> None:
        self.graph, self.full = graph, full
        self._nodes = {node.id: node for node in graph.nodes}

    def label(self, node_id: str) -> str:
        """Name of a node as it is shown."""
        return clean(self._nodes[node_id].label)

    def order(self) -> list[Node]:
        """The nodes, each after all it waits for; as they are defined if some wait for each other."""
        try:
            return self.graph.order()
        except CycleError:
            return list(self.graph.nodes)

    def source(self, binding: Binding | None, port: Port | GraphOutput | None = None) -> str:
        """Where a value comes from: ``"clean"``, ``"split.train"``, ``"[a, b]"``, ``"3"``, ``"default 3"``.

        Args:
            binding: What is bound; None where the default of `port` is used.
            port: The input or output that is bound; no constant is shown that is bound to one that can hold secrets.

        >>> Wording(Graph("w")).source(Constant([1, 2]))
        '[1, 2]'
        """
        match binding:
            case None:
                return f"default {clean(port.default)}" if isinstance(port, Port) and port.default else "default"
            case Constant() if port is not None and port.is_secret:
                return HIDDEN
            case Constant(value):
                return clean(_ADDRESS.sub("", _SHORT.repr(value)))
            case FromInput(name, path):
                return clean(name + _path_told(path))
            case FromNode(node_id, output, path):
                outputs = self.graph.entities[self._nodes[node_id].entity].outputs
                name = f".{outputs[output].name}" if self.full or len(outputs) > 1 or path else ""
                return self.label(node_id) + clean(name + _path_told(path))
            case Collected(kind, items, keys):
                told = [self.source(Constant(key), port) for key in keys]
                return _collection_told(kind, [self.source(item, port) for item in items], told)

    def users(self) -> Mapping[tuple[str, str], list[str]]:
        """For each node id and output name the places that use it: ``"train.data"``, ``"output model"``."""
        found: dict[tuple[str, str], list[str]] = {}
        for edge in self.graph.edges():
            if edge.source == "<inputs>" or not edge.output:
                continue
            out = edge.target == "<outputs>"
            target = f"output {edge.input}" if out else f"{self._nodes[edge.target].label}.{edge.input}"
            # An edge may carry a part of an output (`o0.field`); it is told with the whole.
            names = [port.name for port in self.graph.entities[self._nodes[edge.source].entity].outputs]
            whole = max((name for name in names if edge.output.startswith(name)), key=len, default=edge.output)
            part = edge.output[len(whole) :]
            found.setdefault((edge.source, whole), []).append(clean(target + (f" ({part})" if part else "")))
        return found


def _collection_told(kind: str, items: list[str], keys: list[str]) -> str:
    if kind == "dict":
        items = [f"{key}: {item}" for key, item in zip(keys, items, strict=True)]
    left, right = {"dict": ("{", "}"), "list": ("[", "]")}.get(kind, ("(", ")"))
    return left + ", ".join(items) + right


def _path_told(path: tuple[tuple[str, object], ...]) -> str:
    return "".join(f".{step}" if how == "field" else f"[{_SHORT.repr(step)}]" for how, step in path)


def port_told(port: Port) -> str:
    """A port as in a signature.

    >>> port_told(Port("size", "float", required=False, default="0.2"))
    'size: float = 0.2'
    """
    default = f" = {clean(port.default)}" if port.default else ""
    return f"{clean(port.name)}: {clean(port.type)}{default}"


def signature_told(name: str, inputs: tuple[Port, ...], outputs: tuple[Port, ...]) -> str:
    """Name, inputs and outputs on one line.

    >>> signature_told("half", (Port("x", "int"),), (Port("o0", "float"),))
    'half(x: int) → o0: float'
    """
    told = f"{clean(name)}({', '.join(map(port_told, inputs))})"
    return f"{told} → {', '.join(map(port_told, outputs))}" if outputs else told


def kind_told(entity: Entity, label: str) -> str:
    """What a node runs, as far as its label does not say it: ``"split_data · shell"``; empty for a plain task."""
    told = [] if label == entity.name else [clean(entity.name)]
    if entity.kind not in ("python", ""):
        told.append(clean(entity.kind))
    return " · ".join(told)


def way_told(graph: Graph | None, node_id: str) -> str:
    """The labels on the way to a node inside of others: ``"validate / map fit"``; its id where no graph is known.

    >>> way_told(None, "n1")
    'n1'
    """
    told = []
    for step in node_id.split("/"):
        key, bracket, item = step.partition("[")
        node = next((node for node in graph.nodes if node.id == key), None) if graph is not None else None
        told.append(f"{node.label if node is not None else key}{bracket}{item}")
        graph = graph.entities[node.entity].graph if graph is not None and node is not None else None
    return " / ".join(told)
