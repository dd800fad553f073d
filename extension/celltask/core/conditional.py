"""Conditional: one of several branches of a workflow, chosen by values that exist only when it runs.

``conditional("size").if_(x > 3).then(big(x=x)).else_().then(small(x=x))`` is read from left to right: from ``if_``
on, calls of tasks go into the branch, until its ``then`` has been given what the branch gives.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Generic, Never, TypeVar, cast

from celltask.core.branches import BranchTracer, Conditional
from celltask.core.context import ACTIVE, Tracing
from celltask.core.origin import place_of
from celltask.errors import GraphError

if TYPE_CHECKING:
    from contextvars import Token

    from celltask.core.tracing import Tracer

__all__ = ["conditional"]

T = TypeVar("T")
U = TypeVar("U")
_FORM = 'write conditional("name").if_(…).then(…).else_().then(…)'


class conditional:  # noqa: N801 - read as a word of a sentence, as Flyte has it
    """The beginning of a choice between branches, of which a run carries out one.

    A condition compares references with values or with each other (``x > 3``, ``name == "a"``), is a reference to a
    ``bool``, or joins such conditions with ``&``, ``|`` and ``~``. A branch gives a reference, a constant, or a tuple
    of them; tasks, workflows and conditionals called in ``then(…)`` run only if the branch is taken. The last branch
    is ``else_()``; ``fail("message")`` in the place of ``then(…)`` ends the run with that message.

    Args:
        name: Shown in pictures and records.

    Raises:
        GraphError: If it is used outside of a workflow, where a plain ``if`` does.

    >>> from celltask import task, workflow
    >>> @task
    ... def double(x: int) -> int:
    ...     return 2 * x
    >>> @workflow
    ... def at_least_ten(x: int) -> int:
    ...     return conditional("small").if_(x < 10).then(double(x=x)).else_().then(x)
    >>> at_least_ten(x=7), at_least_ten(x=12)
    (14, 12)
    """

    def __init__(self, name: str) -> None:
        active = ACTIVE.get()
        frame = sys._getframe(1)  # noqa: SLF001 - the only way to the caller's line
        where = place_of(frame.f_code.co_filename, frame.f_lineno)
        if not isinstance(active, Tracing):
            raise GraphError(f"conditional {name!r} stands outside of a workflow", where, "write a plain if there")
        self._choice = Choice(name, active.tracer, where)

    @classmethod
    def of(cls, name: str, tracer: Tracer, where: str) -> conditional:
        """The beginning of a choice in the graph of `tracer`, which need not be traced just now."""
        made = cls.__new__(cls)
        made._choice = Choice(name, tracer, where)  # noqa: SLF001 - of this class
        return made

    def if_(self, condition: object) -> _Then[Never]:
        """The first branch; it is taken if `condition` holds.

        Raises:
            RefError: If it is no condition.
        """
        return _Then(self._choice.open(condition))

    def __repr__(self) -> str:
        return f"<{self._choice.told}>"


class Choice:
    """A conditional while it is being written. It holds state."""

    def __init__(self, name: str, outer: Tracer, where: str) -> None:
        self.made = Conditional(name, outer, where)
        self._tracer: BranchTracer | None = None
        self._token: Token[object] | None = None
        self._owes("has no branches")

    @property
    def told(self) -> str:
        """What it is, in words."""
        return f"conditional {self.made.name!r}"

    def _owes(self, lack: str) -> None:
        self.made.outer.unfinished[self] = (f"{self.told} {lack}", self.made.place, _FORM)

    def open(self, condition: object, *, is_last: bool = False) -> Choice:
        """Begin a branch: calls of tasks go into it from now on."""
        if self._tracer is not None or (self.made.branches and self.made.branches[-1].test is None):
            raise GraphError(f"{self.told} goes on where it cannot", self.made.outer.where(), _FORM)
        self._tracer = self.made.begin(condition, is_last=is_last)
        self._token = ACTIVE.set(Tracing(self._tracer))
        self._owes(f"has no then(…) for its branch {self._tracer.name!r}")
        return self

    def close(self, value: object, message: str | None = None) -> Choice:
        """End the branch that was begun; it gives `value`, or fails with `message`."""
        if self._tracer is None or self._token is None:
            raise GraphError(f"{self.told} has no branch to end here", self.made.outer.where(), _FORM)
        self._restore(self._tracer)
        branch = self.made.end(value, message)
        self._tracer = None
        if branch.test is None:
            del self.made.outer.unfinished[self]
        else:
            self._owes("has no else_()")
        return self

    def _restore(self, tracer: BranchTracer) -> None:
        active = ACTIVE.get()
        if not isinstance(active, Tracing) or active.tracer is not tracer:
            inner = active.tracer.told if isinstance(active, Tracing) else "nothing"
            raise GraphError(f"{self.told} ends {tracer.told} within {inner}", self.made.place, _FORM)
        ACTIVE.reset(cast("Token[object]", self._token))

    def result(self) -> object:
        """What stands for the value of the taken branch."""
        return self.made.outer.add(*self.made.finished())


class _Part:
    """What is not a value yet, though it may look so."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice

    def __repr__(self) -> str:
        return f"<{self._choice.told}, not ended>"


class _Then(_Part, Generic[T]):
    """After ``if_(…)`` or ``elif_(…)``."""

    def then(self, value: U) -> _More[T | U]:
        """What the branch gives: a reference, a constant, or a tuple of them."""
        return _More(self._choice.close(value))

    def fail(self, message: str) -> _More[T]:
        """End the run with this message if the branch is taken."""
        return _More(self._choice.close(None, message))


class _More(_Part, Generic[T]):
    """After ``then(…)`` or ``fail(…)``."""

    def elif_(self, condition: object) -> _Then[T]:
        """A further branch; it is taken if `condition` holds and none before it did."""
        return _Then(self._choice.open(condition))

    def else_(self) -> _Else[T]:
        """The last branch, taken if no other is."""
        return _Else(self._choice.open(None, is_last=True))


class _Else(_Part, Generic[T]):
    """After ``else_()``."""

    def then(self, value: U) -> T | U:
        """What the branch gives; the whole stands for the value of the taken branch."""
        self._choice.close(value)
        return cast("T | U", self._choice.result())

    def fail(self, message: str) -> T:
        """End the run with this message if no other branch was taken."""
        self._choice.close(None, message)
        return cast("T", self._choice.result())
