"""How far a map has come is known at any time, not only when a chunk of its items has ended."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from celltask import map_task, task, workflow
from celltask.core.events import Event, NodeProgress
from celltask.core.mapping import MapTask  # noqa: TC001 - annotations of tests are read
from celltask.core.run import Running  # noqa: TC001 - as above

PATIENCE_S = 60.0
SIZE, QUICK = 400, 333
_gate = threading.Event()


@task(allow_globals=("_gate", "QUICK"))
def quick_at_first(x: int) -> int:
    """Gives `x`; the later ones wait."""
    if x >= QUICK:
        _gate.wait(PATIENCE_S)
    return x


@task(allow_globals=("_gate", "QUICK"), retries=1)
def quick_or_again(x: int) -> int:
    """The same, each with an account of its own."""
    if x >= QUICK:
        _gate.wait(PATIENCE_S)
    return x


@task(allow_globals=("_gate", "QUICK"))
async def quick_in_turn(x: int) -> int:
    """The same on the loop."""
    if x >= QUICK:
        await asyncio.to_thread(_gate.wait, PATIENCE_S)
    return x


@task(allow_globals=("_gate", "QUICK"))
def quick_or_wrong(x: int) -> int:
    """The same, but each second one fails."""
    if x >= QUICK:
        _gate.wait(PATIENCE_S)
    if x % 2:
        raise ValueError(x)
    return x


@task(allow_globals=("_gate", "QUICK"), retries=1)
def slow_or_again(x: int) -> int:
    """Gives `x`; the later ones take a while, until the gate is open."""
    if x >= QUICK:
        _gate.wait(0.15)
    return x


@task(allow_globals=("_gate", "QUICK"))
async def slow_in_turn(x: int) -> int:
    """The same on the loop."""
    if x >= QUICK:
        await asyncio.to_thread(_gate.wait, 0.15)
    return x


def awaited(running: Running, done: int) -> list[NodeProgress]:
    """What is told of the maps under way, once so many items have ended."""
    give_up = time.monotonic() + PATIENCE_S
    while [told.done for told in running.progress()] != [done] and time.monotonic() < give_up:
        time.sleep(0.01)
    return running.progress()


@pytest.mark.parametrize("member", [quick_at_first, quick_or_again, quick_in_turn], ids=lambda one: one.name)
def test_items_are_counted_while_their_chunk_goes_on(member: MapTask[int]) -> None:
    """Of a chunk that began with quick items and now waits, those that have ended are counted."""
    mapped = map_task(member)

    @workflow
    def wf(xs: list[int]) -> list[int]:
        return mapped(x=xs)

    _gate.clear()
    running = wf.start(xs=list(range(SIZE)), engine="inline")
    try:
        assert awaited(running, QUICK) == [NodeProgress(running.id, "n0", QUICK, 0, SIZE)]
    finally:
        _gate.set()
    assert running.result() == list(range(SIZE))
    assert running.progress() == []


def test_failures_are_counted_as_such_while_their_chunk_goes_on() -> None:
    """An item that failed does not count as done until its chunk ends."""

    @workflow
    def wf(xs: list[int]) -> list[int | None]:
        return map_task(quick_or_wrong, min_success_ratio=0.0)(x=xs)

    _gate.clear()
    running = wf.start(xs=list(range(SIZE)), engine="inline")
    try:
        assert awaited(running, (QUICK + 1) // 2) == [NodeProgress(running.id, "n0", 167, 166, SIZE)]
    finally:
        _gate.set()
    assert len(running.result()) == SIZE


@pytest.mark.parametrize("member", [slow_or_again, slow_in_turn], ids=lambda one: one.name)
def test_listeners_are_told_while_a_chunk_goes_on(member: MapTask[int]) -> None:
    """Items with retries, a cache or a loop are told as they end, not when their chunk does."""
    told: list[int] = []

    def listener(event: Event) -> None:
        if isinstance(event, NodeProgress):
            told.append(event.done)
            if event.done > QUICK:
                _gate.set()

    _gate.clear()
    map_task(member, concurrency=1).run(x=list(range(SIZE)), engine="inline", on_event=listener).result()
    assert set(told).intersection(range(QUICK + 1, QUICK + 5))
    assert told == sorted(told)
    assert told[-1] == SIZE


@pytest.mark.parametrize("member", [slow_or_again, slow_in_turn], ids=lambda one: one.name)
def test_what_a_listener_raises_in_the_middle_of_a_chunk_ends_the_run(member: MapTask[int]) -> None:
    """It is the error of the run, and no further item begins."""

    def listener(event: Event) -> None:
        if isinstance(event, NodeProgress):
            raise ZeroDivisionError

    _gate.clear()
    run = map_task(member, concurrency=1).run(x=list(range(SIZE)), engine="inline", on_event=listener)
    assert isinstance(run.error, ZeroDivisionError)
    assert run.ledger.items[0].count(0) > 0


@pytest.mark.parametrize("member", [slow_or_again, slow_in_turn], ids=lambda one: one.name)
def test_an_exit_that_a_listener_asks_for_ends_the_run(member: MapTask[int]) -> None:
    """It leaves the loop that the items wait on alone, and whoever waits for the run gets it."""

    def listener(event: Event) -> None:
        if isinstance(event, NodeProgress):
            raise SystemExit(3)

    mapped = map_task(member, concurrency=1)

    @workflow
    def wf(xs: list[int]) -> list[int]:
        return mapped(x=xs)

    _gate.clear()
    with pytest.raises(SystemExit):
        wf.start(xs=list(range(SIZE)), engine="inline", on_event=listener).wait(PATIENCE_S)
    _gate.set()
    assert wf(xs=[1, 2]) == [1, 2]
