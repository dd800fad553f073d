"""Random workflows of every kind of node, and what plain Python gives for them: the same on every engine."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import strategies as st

from celltask import (
    Failure,
    ImperativeWorkflow,
    approve,
    conditional,
    current_context,
    dynamic,
    map_task,
    task,
    wait_for_input,
    workflow,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from celltask import Run, Workflow

KINDS = (
    "add", "after", "approve", "ask", "choose", "fail", "flaky", "grow", "handled", "hopeless", "imperative", "inner",
    "kept", "map", "meddle", "nested", "retried items", "some", "wait",
)  # fmt: skip
LARGE = 1000
ANSWER = 7

_salts = count()


class Step(NamedTuple):
    """One step: its kind, the numbers of two values before it, and a number of its own."""

    kind: str
    first: int
    second: int
    k: int


@st.composite
def plans(draw: st.DrawFn, most: int = 60) -> list[Step]:
    """Steps of a workflow; each makes one node or a few, so that there are 5 to 100 of them."""
    size = draw(st.integers(5, most))
    step = st.builds(
        Step, st.sampled_from(KINDS), st.integers(0, 2 * most), st.integers(0, 2 * most), st.integers(-3, 3)
    )
    return draw(st.lists(step, min_size=size, max_size=size))


@task
def add(a: int, b: int) -> int:
    """Sum, kept small."""
    return (a + b) % LARGE


@task(retries=3, retry_delay=0.0001)
def flaky(x: int) -> int:
    """Succeeds at the attempt that the number says, at the fourth at last."""
    if current_context().attempt <= x % 4:
        message = "not yet"
        raise ValueError(message)
    return x + 1


@task(retries=2, retry_delay=0.0001, retry_on=(ValueError,))
def hopeless(x: int) -> int:
    """Tried three times for numbers divisible by five, and once for those divisible by seven."""
    if x % 5 == 0:
        message = f"{x} at attempt {current_context().attempt}"
        raise ValueError(message)
    if x % 7 == 0:
        raise KeyError(x)
    return x


@task(cache=True)
def kept(x: int, salt: int) -> int:
    """Cached; `salt` is part of the key, so that no other run has it."""
    return x + 2


@task
def odd(x: int) -> int:
    """Fails for even numbers."""
    if x % 2 == 0:
        message = f"{x} is even"
        raise ValueError(message)
    return x


@task
def total(xs: list[int | None]) -> int:
    """Sum of what is there, kept small."""
    return sum(x or 0 for x in xs) % LARGE


@task
def meddle(xs: list[int]) -> int:
    """Changes what it gets, which is nobody else's."""
    xs.append(xs.pop(0) + 1)
    return sum(xs) % LARGE


@task
async def wait(x: int) -> int:
    """Waits for a moment."""
    await asyncio.sleep(0)
    return x + 3


@dynamic
def grown(n: int) -> int:
    """As many nodes as the last digit says, at several levels."""
    rest = n % 4
    return rest if rest < 2 else add(a=grown(n=rest - 1), b=grown(n=rest - 2))


@workflow
def inner(x: int, salt: int) -> int:
    """A choice within a workflow within the workflow."""
    return add(a=conditional("even").if_(x > 5).then(kept(x=x, salt=salt)).else_().then(x), b=1)


@task
def note(x: int, err: Failure) -> None:
    """Told of a failure; fails as well for large numbers."""
    assert err.kind in ("ValueError", "KeyError", "ValueMismatchError")
    if x > LARGE // 2:
        message = "too much"
        raise ValueError(message)


@workflow(on_failure=note)
def handled(x: int) -> int:
    """A workflow within the workflow whose failures are handled."""
    return add(a=odd(x=x), b=1)


def _made_by_hand() -> ImperativeWorkflow:
    made = ImperativeWorkflow("by_hand")
    x = made.add_input("x", int)
    made.add_output("y", made.add_task(flaky, x=made.add_task(add, a=x, b=1)), int)
    return made


by_hand = _made_by_hand()


def traced(step: Step, a: int, b: int, salt: int) -> int:  # noqa: C901, PLR0911, PLR0912 - one for each kind
    """The value of one step in a workflow, where `a` and `b` are references."""
    k = step.k
    match step.kind:
        case "after":
            value = add(a=a, b=k)
            if getattr(b, "_node", -1) >= 0:  # no input of the workflow
                b >> value  # type: ignore[operator]  # references
            return value
        case "approve":
            return approve("go on", a)
        case "ask":
            return add(a=a, b=wait_for_input("how many", int))
        case "choose":
            return conditional("c").if_((a > k) & (b != 3)).then(add(a=b, b=k)).elif_(b == 0).then(k).else_().then(a)
        case "fail":
            return odd(x=a)
        case "flaky":
            return flaky(x=a)
        case "grow":
            return grown(n=a)
        case "handled":
            return handled(x=a)
        case "hopeless":
            return hopeless(x=a)
        case "imperative":
            return by_hand(x=a)  # type: ignore[return-value]  # made by hand
        case "inner":
            return inner(x=a, salt=salt)
        case "kept":
            return kept(x=a, salt=salt)
        case "map":
            return total(xs=map_task(partial(add, b=b), concurrency=2)(a=[a, k, 1]))
        case "meddle":
            return meddle(xs=[a, b, k])
        case "nested":
            within = conditional("in").if_(b < k).then(flaky(x=a)).else_().then(grown(n=b))
            return conditional("out").if_(a > k).then(within).else_().then(inner(x=a, salt=salt))
        case "retried items":
            return total(xs=map_task(flaky)(x=[a, b, k]))
        case "some":
            return total(xs=map_task(odd, min_successes=0)(x=[a, b, k]))
        case "wait":
            return wait(x=a)  # type: ignore[return-value]  # a reference
    return add(a=a, b=b)


def plain(step: Step, a: int, b: int) -> int:  # noqa: C901, PLR0911, PLR0912 - one for each kind
    """The same in plain Python."""
    k = step.k
    match step.kind:
        case "after":
            return (a + k) % LARGE
        case "approve":
            return a
        case "ask":
            return (a + ANSWER) % LARGE
        case "choose":
            return (b + k) % LARGE if a > k and b != 3 else k if b == 0 else a
        case "fail" | "handled":
            if a % 2 == 0:
                raise ValueError
            return a if step.kind == "fail" else (a + 1) % LARGE
        case "flaky":
            return a + 1
        case "grow":
            return (0, 1, 1, 2)[a % 4]
        case "hopeless":
            if a % 5 == 0 or a % 7 == 0:
                raise ValueError
            return a
        case "imperative":
            return (a + 1) % LARGE + 1
        case "inner":
            return ((a + 2 if a > 5 else a) + 1) % LARGE
        case "kept":
            return a + 2
        case "map":
            return sum((x + b) % LARGE for x in (a, k, 1)) % LARGE
        case "meddle":
            return (a + b + k + 1) % LARGE
        case "nested":
            if a > k:
                return a + 1 if b < k else (0, 1, 1, 2)[b % 4]
            return plain(step._replace(kind="inner"), a, b)
        case "retried items":
            return sum(x + 1 for x in (a, b, k)) % LARGE
        case "some":
            return sum(x for x in (a, b, k) if x % 2) % LARGE
        case "wait":
            return a + 3
    return (a + b) % LARGE


def workflow_of(steps: list[Step], policy: str = "finish") -> Workflow[..., int]:
    """A workflow of these steps, each of values before it; its output is the last one's.

    A handler is told of the first failure.
    """

    @workflow(failure_policy=policy, on_failure=note)
    def wf(x: int, salt: int) -> int:
        values = [x]
        for step in steps:
            first, second = values[step.first % len(values)], values[step.second % len(values)]
            values.append(traced(step, first, second, salt))
        return values[-1]

    return wf


def answers_of(steps: list[Step]) -> dict[str, object]:
    """What to answer to the gates among `steps`."""
    answers = {"approve": ("go on", True), "ask": ("how many", ANSWER)}
    return dict(answers[step.kind] for step in steps if step.kind in answers)


class Expected(NamedTuple):
    """What plain Python gives: the value of the last step, ``None`` if it has none, and whether all steps have one."""

    value: int | None
    is_whole: bool


def expected(steps: list[Step], x: int) -> Expected:
    """What a run of the workflow of `steps` must give."""
    values: list[int | None] = [x]
    for step in steps:
        first, second = values[step.first % len(values)], values[step.second % len(values)]
        wants_second = step.kind in (
            "add", "after", "choose", "map", "meddle", "nested", "retried items", "some"
        )  # fmt: skip
        if first is None or (wants_second and second is None):
            values.append(None)
            continue
        try:
            values.append(plain(step, first, second or 0))
        except ValueError:
            values.append(None)
    return Expected(values[-1], None not in values)


Facts = dict[str, tuple[str, str, int, str]]


def facts(run: Run) -> Facts:
    """Label, state, attempts and error of each node.

    Of two nodes with one key either may be the one that computes, so what is reused counts as done.
    """
    return {
        node.id: (node.label, node.state.replace("reused", "done"), node.attempts, repr(node.error))
        for node in run.nodes
    }


@dataclass
class Batch:
    """Runs of random workflows, and what was among them; it holds state: that.

    Args:
        engines: Names of those that must all give the same.
    """

    engines: Iterable[str]
    kinds: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    attempts: Counter[int] = field(default_factory=Counter)
    examples: int = 0

    def prove(self, steps: list[Step], x: int, run: Callable[..., Run] | None = None) -> None:
        """Run the workflow of `steps` on each engine: equal results, states, attempts and errors of all nodes.

        Args:
            steps: Of the workflow.
            x: Its input.
            run: What to call instead of ``Workflow.run``, with the workflow, its inputs and ``engine`` and ``answers``.
        """
        wf, wanted = workflow_of(steps), expected(steps, x)
        answers = answers_of(steps)
        seen: dict[str, Facts] = {}
        for engine in self.engines:
            inputs = {"x": x, "salt": next(_salts)}
            ended = (run or type(wf).run)(wf, inputs, engine=engine, answers=answers)
            assert (ended.state, ended.value) == (("done", wanted.value) if wanted.is_whole else ("failed", None)), (
                f"{engine}: {ended!r}"
            )
            seen[engine] = facts(ended)
            again = (run or type(wf).run)(wf, inputs, engine=engine, answers=answers)
            assert facts(again) == seen[engine], f"{engine}, a second time"
            assert {node.state for node in again.nodes if node.task == "kept"} <= {"reused", "skipped"}
            self.states.update(node.state for node in (*ended.nodes, *again.nodes))
            self.attempts.update(node.attempts for node in ended.nodes)
        first, *others = seen.items()
        for engine, found in others:
            assert found == first[1], f"{engine} is not like {first[0]}"
        self.kinds.update(step.kind for step in steps)
        self.examples += 1

    def check(self, least: int) -> None:
        """Every kind of node was there, and what can become of one."""
        assert self.examples >= least
        assert set(KINDS) == set(self.kinds)
        assert {"done", "reused", "failed", "skipped"} <= set(self.states)
        assert {1, 2, 3, 4} <= set(self.attempts)
