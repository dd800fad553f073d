"""The contract of a store: it keeps results, as bytes, under keys.

To add one:

1. Write a class that is made with one argument, the text after the colon in ``CELLTASK_STORE=NAME:TEXT``, and has
   the methods of `Store`.
2. Register it: an entry point in the group ``celltask.stores``.
3. Prove it: `celltask.testing.check_store(YourStore("…"))`.

A store is used from several threads at once, and usually from several processes. It knows nothing of tasks and types:
what the bytes mean, and whether they may be trusted, is told and checked by `celltask.core.entries`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from celltask.core.types.pieces import Buffer

__all__ = ["Code", "Entry", "Listed", "Store", "StoreProblem"]

Code = dict[str, str]
"""The parts of a fingerprint, by kind and name."""


class Entry(NamedTuple):
    """What is kept under a key.

    Attributes:
        task: Name of the task.
        made: When, in seconds since the epoch.
        facts: Plain JSON data about it: digests of code, inputs and outputs, how long it took, a signature.
        blobs: One list of buffers for each output. What `get` gives is the receiver's own: it may be written to, and
            that changes nothing in the store.
    """

    task: str
    made: float
    facts: Mapping[str, object]
    blobs: Sequence[Sequence[Buffer]]


class Listed(NamedTuple):
    """An entry without its values.

    Attributes:
        key: Its key.
        task: Name of the task.
        made: When, in seconds since the epoch.
        used: When it was last wanted, to the day.
        size: Bytes.
        facts: As in `Entry`.
    """

    key: str
    task: str
    made: float
    used: float
    size: int
    facts: Mapping[str, object]


class StoreProblem(Exception):  # noqa: N818 - a signal between rooms; users meet a warning
    """The store cannot do what was asked of it.

    Args:
        what: The fault, in a sentence without a full stop.
        mend: What to do about it.
        is_lasting: Whether there is no use in trying again.
    """

    def __init__(self, what: str, mend: str, *, is_lasting: bool = True) -> None:
        super().__init__(what, mend)
        self.what, self.mend, self.is_lasting = what, mend, is_lasting


class Store(Protocol):
    """Keeps entries under keys. Every method may raise `StoreProblem`."""

    place: str
    """Where it is, for people: a folder, ``"memory"``."""

    is_shared: bool
    """Whether others can write to it, so that code in it is trusted only with a signature."""

    def get(self, key: str) -> Entry | None:
        """The entry under `key`; none if there is none, or a problem that is not lasting if it is damaged."""
        ...

    def put(self, key: str, entry: Entry) -> None:
        """Keep `entry` under `key`, in the place of what was there; whole or not at all, also if the process dies."""
        ...

    def claim(self, key: str, *, wait: bool) -> AbstractContextManager[object] | None:
        """A claim on computing `key`, held until its end or the end of this process; none if another has it.

        Args:
            key: What is to be computed.
            wait: Whether to wait for the other.
        """
        ...

    def know(self, digest: str, parts: Mapping[str, str]) -> None:
        """Keep the parts of the code with this digest."""
        ...

    def code(self, digest: str) -> Code | None:
        """The parts of the code with this digest."""
        ...

    def newest(self, task: str, count: int) -> list[Listed]:
        """The entries of a task, newest first, at most `count`."""
        ...

    def entries(self) -> Iterator[Listed]:
        """Every entry, newest first."""
        ...

    def remove(self, keys: Sequence[str]) -> int:
        """Remove entries; the bytes that this made free."""
        ...
