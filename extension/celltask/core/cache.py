"""Cache: the key of one call, the look-up, and what is kept after a miss.

Key = name, interface, code digest (or `cache_version`), `environment`, and the content of each input that
`cache_ignore` does not name. Where the task is defined is no part of it, so a task keeps its results when its document
moves.
"""

from __future__ import annotations

import time
from enum import Enum
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary, WeakSet

from celltask.core.calling import releaser
from celltask.core.context import ACTIVE, FRESH_SINCE, NodeContext
from celltask.core.entries import Unfit, digests_in, entry_of, result_of
from celltask.core.flights import alone, alone_async
from celltask.core.stores.base import StoreProblem
from celltask.core.stores.choice import current_store, tell_once
from celltask.core.types.base import Mismatch
from celltask.core.types.large import each_once
from celltask.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from hashlib import _Hash

    from celltask.core.stores.base import Entry, Store
    from celltask.core.task import Task

__all__ = ["MISS", "SAME", "CachedCall", "cached", "call_of", "is_expired", "known_result", "unusable"]


class _Miss(Enum):
    MISS = "nothing stored"


MISS = _Miss.MISS
"""What a look-up gives for a call that has no result yet, since ``None`` may be one."""

SAME = "same code, same inputs"
_CLOCK_STEP_S = 60.0


class CachedCall(NamedTuple):
    """One call of a cached task.

    Attributes:
        key: What its result is kept under, hex SHA-256.
        code: Digest of the code, or the `cache_version`.
        inputs: Digest of each input that counts, by name.
    """

    key: str
    code: str
    inputs: dict[str, str]

    def by_place(self, task: Task[..., object]) -> dict[int, str]:
        """The digests by the places of the inputs."""
        ports = task.interface.inputs
        return {place: self.inputs[port.name] for place, port in enumerate(ports) if port.name in self.inputs}


def call_of(task: Task[..., object], args: tuple[object, ...], known: Mapping[int, str] | None = None) -> CachedCall:
    """A call of `task` with validated `args`, one per input.

    Args:
        task: The task.
        args: The inputs.
        known: Digests of some of them, by place.

    Raises:
        RunError: If the content of an input cannot be told, naming the input.
        PurityError: If a name that the code reads is bound to data by now.
    """
    code, begun = _head(task)
    whole = begun.copy()
    inputs: dict[str, str] = {}
    for place, (port, value) in enumerate(zip(task.interface.inputs, args, strict=True)):
        if port.name in task.options.cache_ignore:
            continue
        digest = known.get(place) if known else None
        try:
            inputs[port.name] = digest = digest or port.handler.digest(value)
        except Mismatch as error:
            raise RunError(
                f"input {port.name!r} of cached task {task.name!r} has content that cannot be told: {error.expected}",
                task.place,
                "give another type, or leave cache off",
            ) from None
        whole.update(f"\0{port.name}={digest}".encode())
    return CachedCall(whole.hexdigest(), code, inputs)


_heads: WeakKeyDictionary[Task[..., object], tuple[object, object, str, _Hash]] = WeakKeyDictionary()
"""What is alike in all keys of a task: its options and fingerprint of then, the code, and what was hashed of them."""


def _head(task: Task[..., object]) -> tuple[str, _Hash]:
    """The code as the key has it, and the hash of all that comes before the inputs."""
    is_derived = task.is_derived
    found = _heads.get(task)
    if is_derived and found is not None and found[0] is task.options and found[1] is task.derived:
        return found[2], found[3]
    if not is_derived:
        task.check_names()  # a constant may have been bound to data since
    options, digest = task.options, task.digest
    code = options.cache_version or digest
    begun = sha256("\0".join((task.name, str(task.interface), code, repr(options.environment))).encode())
    _heads[task] = options, task.derived, code, begun
    return code, begun


async def cached(
    task: Task[..., object],
    args: tuple[object, ...],
    compute: Callable[[Task[..., object], tuple[object, ...]], Awaitable[object]],
) -> object:
    """The result of a call: one that is kept, or what `compute` gives, which is kept then.

    Args:
        task: A task with the option `cache`.
        args: Its inputs, validated and isolated.
        compute: Runs the body, retries and all.

    Raises:
        BaseException: What the body raises; nothing is kept then.
    """
    __tracebackhide__ = True
    context = ACTIVE.get()
    node = context if isinstance(context, NodeContext) else None
    store = current_store()
    call = call_of(task, args, node.input_digests if node is not None else None)
    if node is not None:
        node.input_digests = call.by_place(task)
    if task not in _missing:
        known = _look_up(task, call, store, node)
        if known is not MISS:
            return known
    if task.is_async:
        async with alone_async(call.key, store):
            known = _look_up_alone(task, call, store, node)
            return await _computed(task, args, call, store, compute) if known is MISS else known
    with alone(call.key, store):
        known = _look_up_alone(task, call, store, node)
        return await _computed(task, args, call, store, compute) if known is MISS else known


_missing: WeakSet[Task[..., object]] = WeakSet()
"""Tasks whose last call had no result: that of the next one is not looked for before nobody else computes it."""


def _look_up_alone(task: Task[..., object], call: CachedCall, store: Store, node: NodeContext | None) -> object:
    known = _look_up(task, call, store, node)
    if known is MISS:
        _missing.add(task)
    else:
        _missing.discard(task)
    return known


def _look_up(task: Task[..., object], call: CachedCall, store: Store, node: NodeContext | None) -> object:
    """The kept result, or `MISS`; a node is told that it was reused."""
    found = known_result(task, call, store)
    if found is None:
        return MISS
    if node is not None:
        node.output_digests = digests_in(found[0].facts)
        node.reuse(SAME)
    return found[1]


def known_result(task: Task[..., object], call: CachedCall, store: Store) -> tuple[Entry, object] | None:
    """The entry of a call and the result in it; none if there is none that can be used."""
    try:
        entry = store.get(call.key)
        if entry is None or unusable(task, entry.made):
            return None
        return entry, result_of(task, call.key, entry, signed=store.is_shared)
    except StoreProblem as problem:
        if problem.is_lasting:
            tell_once(f"{problem.what}; results are computed anew", problem.mend)
        else:
            tell_once(f"a kept result of task {task.name!r} cannot be used: {problem.what}; it is computed anew", "")
    except Unfit as reason:
        tell_once(f"a kept result of task {task.name!r} cannot be used: {reason}; it is computed anew", "")
    return None


def unusable(task: Task[..., object], made: float) -> str:
    """Why a result that was made then must not be used; ``""`` if it may be."""
    if made < FRESH_SINCE.get():
        return "refresh asked for"
    return "expired (cache_ttl)" if is_expired(task, made) else ""


def is_expired(task: Task[..., object], made: float) -> bool:
    """Whether a result made then is older than the `cache_ttl` of the task, or of a time that is still to come."""
    limit = task.options.cache_ttl
    return limit is not None and not -_CLOCK_STEP_S <= time.time() - made <= limit


async def _computed(
    task: Task[..., object],
    args: tuple[object, ...],
    call: CachedCall,
    store: Store,
    compute: Callable[[Task[..., object], tuple[object, ...]], Awaitable[object]],
) -> object:
    __tracebackhide__ = True
    clock = time.perf_counter()
    value = releaser(task)(await compute(task, args))
    _keep(task, call, store, value, time.perf_counter() - clock)
    return value


def _keep(task: Task[..., object], call: CachedCall, store: Store, value: object, seconds: float) -> None:
    """Store a result; where that cannot be done, a warning says so, and the run goes on."""
    context = ACTIVE.get()
    digest = task.digest if task.options.cache_version else call.code
    facts: dict[str, object] = {"code": digest, "inputs": call.inputs}
    if task.options.cache_version:
        facts["label"] = task.options.cache_version
    if FRESH_SINCE.get():
        facts["refreshed"] = True
    if isinstance(context, NodeContext):
        facts |= {"run": context.run_id, "node": context.node}
    try:
        with each_once():
            entry = entry_of(task, call.key, value, facts, seconds)
            if digest == task.digest:  # else a name that it reads was bound anew while the body ran
                store.know(digest, task.fingerprint.parts)
            store.put(call.key, entry)
    except StoreProblem as problem:
        tell_once(f"{problem.what}; results are not kept", problem.mend)
    except Mismatch as error:
        told = error.hint or f"it is not {error.expected}"
        tell_once(
            f"the result of task {task.name!r} cannot be kept, and is computed at each call: {told}",
            "return something that can be pickled, or leave cache off",
        )
    else:
        if isinstance(context, NodeContext):
            context.output_digests = digests_in(entry.facts)
