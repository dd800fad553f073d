"""Chains of nodes that do nothing: what making the graph costs, and what running it costs, by the node.

A chain is the graph that hides least: no node can run beside another one. celltask runs it inline, on the calling
thread, with a listener that gets every event.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from bodies import hear
from call import hamilton_driver
from measure import Case
from rows import OURS, PLAIN, Row, Target

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

__all__ = ["GROWTH", "ROWS", "SIZES", "prepare"]

SIZES = (10, 100, 1_000, 10_000, 100_000)
LARGEST = {OURS: 100_000, PLAIN: 100_000, "hamilton": 10_000, "flytekit": 1_000}
"""The longest chain that a system is asked for; the slow ones would take minutes."""

ROWS = (
    *(Row(f"trace.{size}", f"trace, per node of {size:,}", Target(5e-6)) for size in SIZES),
    *(Row(f"run.{size}", f"run inline with events, per node of {size:,}", Target(5e-6)) for size in SIZES),
    *(Row(f"once.{size}", f"define and run once, per node of {size:,}") for size in (1_000, 100_000)),
)
GROWTH = {
    action: Row(f"{action}.growth", f"{action}, growth exponent", Target(1.1, "number")) for action in ("trace", "run")
}
"""Computed from the rows of all sizes; 1 is linear."""

_HEADS = {
    OURS: "from celltask import task\nfrom bodies import same\n\nstep = task(same)\n",
    PLAIN: "from bodies import same as step\n",
    "flytekit": "from flytekit import task\nfrom bodies import same\n\nstep = task(same)\n",
}

_CHAIN = """

def chain(number: int) -> int:
    for _ in range({size}):
        number = step(number=number)
    return number
"""


def prepare(key: str, system: str) -> Case | None:
    """The case of one row for one system; None if it has no such thing, or would take too long.

    Raises:
        ImportError: If something that it needs is not installed.
    """
    action, _, digits = key.partition(".")
    size = int(digits)
    if size > LARGEST[system] or (system == PLAIN and action != "run"):
        return None
    return _MAKERS[system](action, size)


def _module(name: str, text: str) -> ModuleType:
    """A module with this text in the working directory, which is a temporary one."""
    Path(f"{name}.py").write_text(text, encoding="utf-8")
    return import_module(name)


def _chain(system: str, size: int) -> Callable[..., object]:
    text = _HEADS[system] + _CHAIN.format(size=size)
    made: Callable[..., object] = _module(f"chain_of_{size}_{system}", text).chain
    return made


def _ours(action: str, size: int) -> Case:
    chain, workflow = _chain(OURS, size), import_module("celltask").workflow
    if action == "once":
        given = "number=1, engine='inline', on_event=hear"
        return Case(f"workflow(chain).run({given})", {"workflow": workflow, "chain": chain, "hear": hear}, size)
    made = workflow(chain)
    if action == "trace":
        tracer = import_module("celltask.core.tracing").Tracer
        names = {"Tracer": tracer, "interface": made.interface, "chain": chain}
        return Case("Tracer('chain', interface, chain).run(chain)", names, size)
    return Case("run(number=1, engine='inline', on_event=hear)", {"run": made.run, "hear": hear}, size)


def _plain(_action: str, size: int) -> Case:
    return Case("chain(number=1)", {"chain": _chain(PLAIN, size)}, size)


def _flytekit(action: str, size: int) -> Case:
    workflow, chain = import_module("flytekit").workflow, _chain("flytekit", size)
    if action == "trace":
        return Case("workflow(chain).compile()", {"workflow": workflow, "chain": chain}, size)
    if action == "once":
        return Case("workflow(chain)(number=1)", {"workflow": workflow, "chain": chain}, size)
    return Case("chain(number=1)", {"chain": workflow(chain)}, size)


def _hamilton(action: str, size: int) -> Case:
    lines = [f"def n{place}(n{place - 1}: int) -> int:\n    return n{place - 1}\n" for place in range(1, size + 1)]
    module = _module(f"chain_of_{size}_hamilton", "\n\n".join(lines))
    if action == "trace":
        return Case("build(module)", {"build": hamilton_driver, "module": module}, size)
    names: dict[str, object] = {"wanted": [f"n{size}"], "given": {"n0": 1}}
    if action == "once":
        names |= {"build": hamilton_driver, "module": module}
        return Case("build(module).execute(wanted, inputs=given)", names, size)
    names["driver"] = hamilton_driver(module)
    return Case("driver.execute(wanted, inputs=given)", names, size)


_MAKERS: dict[str, Callable[[str, int], Case]] = {
    OURS: _ours,
    PLAIN: _plain,
    "flytekit": _flytekit,
    "hamilton": _hamilton,
}
