"""Dask: the same runs on a cluster as in this process."""

from __future__ import annotations

import gc
import re
import time
import traceback
from typing import TYPE_CHECKING

import members
import pytest

from celltask.core.events import NodeFinished, NodePrinted, NodeRetried, NodeStarted, RunFinished, RunStarted

if TYPE_CHECKING:
    from distributed import Client

    from celltask.core.events import Event
    from celltask.core.run import Run


def told(run: Run) -> tuple[object, ...]:
    """What must be the same wherever it ran."""
    nodes = [(node.id, node.state, node.attempts, node.log) for node in run.nodes]
    return run.state, run.value, nodes, repr(run.error), getattr(run.error, "__notes__", None)


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("nested", {"x": 1}), ("failing", {"x": 1}), ("finishing", {"x": 1}), ("mistyped", {"x": 1}),
        ("choosing", {"x": 1}), ("choosing", {"x": 5}), ("growing", {"x": 3}), ("mapping", {"n": 10}),
        ("mapping", {"n": 0}), ("tidied", {"x": 1}), ("around_tidied", {"x": 1}), ("constant", {}),
        ("choosing_never", {"x": 5}), ("needless", {"x": 3}), ("calls", {"x": 1}), ("calling", {"x": 1}),
    ],
)  # fmt: skip
def test_a_run_ends_as_it_does_here(client: Client, name: str, inputs: dict[str, object]) -> None:
    """Values, states, numbers of attempts, errors with their notes and logs are those of a run without a cluster."""
    member = getattr(members, name)
    assert told(member.start(inputs, engine=client).wait(60)) == told(member.run(inputs, engine="inline"))


def test_what_items_of_a_map_call_is_told(client: Client) -> None:
    """Each call of each item stands under the map."""
    for engine in (client, "inline"):
        run = members.calling_in_a_map.run(n=5, engine=engine)
        calls = [node for node in run.nodes if node.is_call]
        assert len({node.id for node in calls}) == len(calls) == 15
        assert {node.id.partition("/")[0] for node in calls} == {"n1"}
        assert sorted((node.task, node.state, node.attempts) for node in calls) == sorted(
            [("fail", "failed", 1), ("flaky", "done", 3), ("inc", "done", 1)] * 5
        )


def test_a_cached_node_that_failed_tells_why_it_ran(client: Client) -> None:
    """What its worker knew of its inputs is in the run here."""
    run = members.kept_never.run(x=3, engine=client)
    assert (run.state, run.why("n0")) == ("failed", "no earlier run")
    assert set(run.missed["n0"]) == {"code", "inputs"}


def test_a_value_that_no_node_wants_any_more_is_let_go(client: Client) -> None:
    """While later nodes run, neither this process nor the cluster has it."""
    seen: list[tuple[int, list[str]]] = []

    def listen(event: Event) -> None:
        if isinstance(event, NodeStarted) and event.node == "n4":
            for _ in range(200):  # until the scheduler and the workers know it
                gc.collect()
                kept = [str(key) for key, workers in client.who_has().items() if workers and "watched" in str(key)]
                if not kept and not members.Watched.alive:
                    break
                time.sleep(0.05)
            seen.append((len(members.Watched.alive), kept))

    run = members.passing.run(size=1_000_000, engine=client, on_event=listen)
    assert run.value == (2_000_001, 2_000_002)
    assert seen == [(0, [])]


def test_what_fails_within_a_node_ends_nothing_beside_it(client: Client) -> None:
    """When the inside of a node comes to no good end, other nodes are still tried again."""

    def listen(event: Event) -> None:
        if isinstance(event, NodeStarted) and event.node == "n0/n0":
            message = "not that one"
            raise LookupError(message)

    runs = [members.growing_beside.run(x=1, engine=engine, on_event=listen) for engine in (client, "inline")]
    assert told(runs[0]) == told(runs[1])
    assert [(node.state, node.attempts) for node in runs[0].nodes if node.id in ("n0", "n1")] == [
        ("failed", 1),
        ("done", 3),
    ]


def test_a_task_runs_by_itself(client: Client) -> None:
    """A single task goes to the cluster too."""
    assert members.inc.run(x=1, engine=client).result() == 2


def test_events_come_in_the_order_of_what_happens(client: Client) -> None:
    """Each node begins before it ends, with its retries between, and the run is around all."""
    events: list[Event] = []
    members.finishing.run(x=1, engine=client, on_event=events.append)
    of_flaky = [type(event) for event in events if getattr(event, "node", "") == "n2"]
    assert of_flaky == [NodeStarted, NodeRetried, NodeRetried, NodeFinished]
    assert (type(events[0]), type(events[-1])) == (RunStarted, RunFinished)
    assert [event.attempt for event in events if isinstance(event, NodeRetried)] == [1, 2]


def test_what_bodies_print_is_shown_and_noted_here(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    """Text that a body prints on a worker is shown once in this process, and is in the record of its node."""
    events: list[Event] = []
    run = members.tidy.run(x=7, engine=client, on_event=events.append)
    assert run.node("n0").log == "tidied 7\n"
    assert capsys.readouterr().out == "tidied 7\n"
    assert "".join(event.text for event in events if isinstance(event, NodePrinted)) == "tidied 7\n"


def test_an_error_has_the_lines_that_it_went_through(client: Client) -> None:
    """The traceback of an error from a worker ends at the line of the body."""
    error = members.failing.run(x=1, engine=client).error
    last = traceback.extract_tb(error.__traceback__)[-1]
    assert (last.name, last.line) == ("fail", "raise ValueError(message)")
    assert re.search(r"in task 'fail', .*members\.py, line \d+", "\n".join(error.__notes__))
