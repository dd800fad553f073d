"""Reasons: why a call of a cached task has, or had, no result to reuse, told by the results that its task has."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, cast

from celltask.core.cache import SAME, unusable
from celltask.core.fingerprint import Fingerprint, explain
from celltask.core.stores.base import StoreProblem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from celltask.core.cache import CachedCall
    from celltask.core.stores.base import Listed, Store
    from celltask.core.task import Task

__all__ = ["NO_EARLIER_RUN", "why_not_reused", "why_the_last", "why_they_ran"]

NO_EARLIER_RUN: Final = "no earlier run"
_MOST = 20  # results looked at
_MOST_BACK = 500  # the same, where the call itself must be found first
_SHOWN = 3  # differences told
_MAP: Final = "map "


class _Run(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def missed(self) -> Mapping[str, Mapping[str, object]]: ...


class _Node(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def task(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def started(self) -> float: ...


class _Made(NamedTuple):
    """What a result was, or would be, made of; `label` is the `cache_version`."""

    code: str
    label: str
    inputs: Mapping[str, str]
    parts: Mapping[str, str] | None


def why_not_reused(task: Task[..., object], call: CachedCall, store: Store) -> str:
    """Why `call` must run, in words: what differs from the nearest of the newest results of the task.

    Args:
        task: The task.
        call: A call of it without a result that can be used.
        store: Where its results are.
    """
    made = _Made(task.digest, task.options.cache_version, call.inputs, task.fingerprint.parts)
    try:
        earlier = store.newest(task.name, _MOST)
        for one in earlier:
            if one.key == call.key:
                return unusable(task, one.made) or "its kept result cannot be used"
        return _nearest(made, earlier, store)
    except StoreProblem:
        return NO_EARLIER_RUN


def why_they_ran(run: _Run, nodes: Sequence[_Node], store: Store) -> list[str]:
    """Why each of some nodes of a run that is over was run or not, in words; ``""`` where that is not known.

    It is found out now: at the time, the look-up of a result would have cost many times as much.

    Args:
        run: The run.
        nodes: What was recorded of the nodes.
        store: Where their results are.
    """
    newest: dict[str, list[Listed]] = {}
    told = []
    for node in nodes:
        task = node.task.removeprefix(_MAP)
        try:
            if node.state != "reused" and task not in newest:
                newest[task] = store.newest(task, _MOST_BACK)
            told.append(_why_it_ran(run, node, newest.get(task, []), store))
        except StoreProblem:
            told.append("")
    return told


def _why_it_ran(run: _Run, node: _Node, found: Sequence[Listed], store: Store) -> str:
    if node.state == "reused":
        return SAME
    if node.task.startswith(_MAP):
        return _why_items_ran(run, node, found, store)
    for place, one in enumerate(found):
        if one.facts.get("run") == run.id and one.facts.get("node") == node.id:
            return _why_made(one, found[place + 1 :], store)
    if node.id in run.missed:
        earlier = [one for one in found if one.made < node.started]
        return _nearest(_made(run.missed[node.id], store), earlier[:_MOST], store)
    return ""


def _why_items_ran(run: _Run, node: _Node, found: Sequence[Listed], store: Store) -> str:
    """Why items of a map ran whose results are kept: how many, for each reason."""
    mine = [one for one in found if one.facts.get("run") == run.id]
    items = [one for one in mine if str(one.facts.get("node")).startswith(f"{node.id}[")]
    others = [one for one in found if one.facts.get("run") != run.id]
    counts = Counter(_why_made(one, [old for old in others if old.made < one.made], store) for one in items[:_MOST])
    if len(items) > _MOST:
        return f"{len(items):,} items: {counts.most_common(1)[0][0]}" + (", and other reasons" * (len(counts) > 1))
    return "; ".join(f"{count} item{'' if count == 1 else 's'}: {why}" for why, count in counts.items())


def _why_made(one: Listed, earlier: Sequence[Listed], store: Store) -> str:
    if one.facts.get("refreshed"):
        return "refresh asked for"
    return _nearest(_made(one.facts, store), earlier[:_MOST], store)


def why_the_last(name: str) -> str:
    """What became of some nodes in the newest run that had them, and why, in words; ``""`` if there was none.

    Args:
        name: Id or label of a node, or the name of the task that nodes run or map.
    """
    from celltask.core.history import runs  # noqa: PLC0415 - only asked for by people
    from celltask.core.stores.choice import current_store  # noqa: PLC0415 - as above

    store = current_store()
    for run in runs():
        found = [node for node in run.nodes if name in (node.id, node.label, node.task, node.task.removeprefix(_MAP))]
        if found:
            lines = [f"in run {run.id} of {run.name}:"]
            for node, why in zip(found, why_they_ran(run, found, store), strict=True):
                told = "; ".join(part for part in (node.state, node.error or why or _unkept(node, run.nodes)) if part)
                lines.append(f"  {node.id} {node.label}: {told}")
            return "\n".join(lines)
    return ""


def _unkept(node: _Node, nodes: Sequence[_Node]) -> str:
    """Why nothing is known of the result of a node that did not fail."""
    if node.state != "done":
        return ""
    if any(other.id.startswith(f"{node.id}/") for other in nodes):
        return "each node in it is reused or run by itself"
    return "not cached, or its result is not kept any more"


def _made(facts: Mapping[str, object], store: Store) -> _Made:
    code = str(facts.get("code", ""))
    inputs = cast("Mapping[str, str]", facts.get("inputs", {}))
    return _Made(code, str(facts.get("label", "")), inputs, store.code(code))


def _nearest(made: _Made, earlier: Sequence[Listed], store: Store) -> str:
    told = [_differences(made, _made(one.facts, store)) for one in earlier]
    if not told:
        return NO_EARLIER_RUN
    nearest = min(told, key=len)
    more = [f"and {len(nearest) - _SHOWN} more"] if len(nearest) > _SHOWN else []
    return "; ".join([*nearest[:_SHOWN], *more])


def _differences(new: _Made, old: _Made) -> list[str]:
    told = []
    if new.label != old.label:
        told.append(f"cache_version {old.label or '(none)'} → {new.label or '(none)'}")
    elif not new.label and new.code != old.code:
        known = new.parts and old.parts
        told += explain(Fingerprint(old.parts, old.code), Fingerprint(new.parts, new.code)) if known else []  # type: ignore[arg-type]  # both are there
        told = told or ["the code changed"]
    told += [f"input `{name}` changed" for name, digest in new.inputs.items() if old.inputs.get(name, digest) != digest]
    told += [f"input `{name}` is new" for name in new.inputs if name not in old.inputs]
    told += [f"input `{name}` is gone" for name in old.inputs if name not in new.inputs]
    return told or ["asked for anew, or another interface or environment"]
