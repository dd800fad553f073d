"""One call of one task outside a workflow: small numbers, a long list, a large array, a large table.

What celltask does in each of these calls: match the arguments, validate and isolate each, run the body, validate and
detach what it returns. Nothing is cached or recorded. One more row makes the same checks without generated code, to
show what generating it saves.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING

from measure import Case
from rows import OURS, PLAIN, Row, Target

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["ROWS", "hamilton_driver", "prepare"]

ROWS = (
    Row("call.int", "call (int, int) -> int", Target(1e-6)),
    Row("call.generic", "the same checks, no generated code"),
    Row("call.array", "call with a 100 MB array", Target(20e-6)),
    Row("call.frame", "call with a pandas frame, 10^6 rows", Target(50e-6)),
    Row("call.list", "call with a list[int] of 10^5", Target(5e-3)),
)

Body = Callable[..., object]


def prepare(key: str, system: str) -> Case | None:
    """The case of one row for one system; None if the system is not asked for it.

    Raises:
        ImportError: If something that it needs is not installed.
    """
    if key == "call.generic":
        return _called(_generic(import_module("bodies").add), {"a": 1, "b": 2}) if system == OURS else None
    body, arguments = _work(key)
    return _MAKERS[system](body, arguments)


def _work(key: str) -> tuple[Body, dict[str, object]]:
    bodies = import_module("bodies")
    if key == "call.int":
        return bodies.add, {"a": 1, "b": 2}
    if key == "call.list":
        return bodies.count, {"values": list(range(100_000))}
    data = import_module("bodies_of_data")
    if key == "call.array":
        return data.size, {"values": data.array_of_100_mb()}
    return data.length, {"values": data.frame_of_a_million_rows()}


def _called(function: object, arguments: dict[str, object]) -> Case:
    given = ", ".join(f"{name}={name}" for name in arguments)
    return Case(f"function({given})", {"function": function, **arguments})


def _ours(body: Body, arguments: dict[str, object]) -> Case:
    return _called(import_module("celltask").task(body), arguments)


def _generic(body: Body) -> Body:
    """What `body` becomes where one wrapper serves all signatures: the same checks, found at each call."""
    interface = import_module("celltask.core.interface").interface_of(body)
    ports = {port.name: port.handler for port in interface.inputs}
    release, parameters = interface.outputs[0].handler.release, signature(body)

    def call(*args: object, **kwargs: object) -> object:
        bound = parameters.bind(*args, **kwargs)
        bound.apply_defaults()
        received = {name: ports[name].receive(value) for name, value in bound.arguments.items()}
        returned: object = release(body(**received))
        return returned

    return call


def _flytekit(body: Body, arguments: dict[str, object]) -> Case:
    return _called(import_module("flytekit").task(body), arguments)


def _hamilton(body: Body, arguments: dict[str, object]) -> Case:
    module = import_module("hamilton.ad_hoc_utils").create_temporary_module(body)
    names = {"driver": hamilton_driver(module), "wanted": [body.__name__], "given": arguments}
    return Case("driver.execute(wanted, inputs=given)", names)


def hamilton_driver(module: ModuleType) -> object:
    """A Hamilton driver with default settings for the functions of `module`."""
    made: object = import_module("hamilton.driver").Builder().with_modules(module).build()
    return made


_MAKERS: dict[str, Callable[[Body, dict[str, object]], Case]] = {
    OURS: _ours,
    PLAIN: _called,
    "flytekit": _flytekit,
    "hamilton": _hamilton,
}
