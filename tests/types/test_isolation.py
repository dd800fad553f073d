"""A task can neither change its caller's values nor hand out a view of them, at any level and of any type."""

from __future__ import annotations

import collections
import copy
import dataclasses
import threading
import typing

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pydantic
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from celltask.core.types.base import Mismatch, TypeHandler
from celltask.core.types.digest import digest_value
from celltask.core.types.files import kwtypes
from celltask.core.types.lookup import handler_for, register_type

if typing.TYPE_CHECKING:
    from collections.abc import Callable


class Holder:
    """An object of a class of its own."""

    def __init__(self, part: object) -> None:
        self.part = part
        self.kept = [part]


class Slotted:
    """An object whose state lies in slots."""

    __slots__ = ("part",)

    def __init__(self, part: object) -> None:
        self.part = part


class Named(dict):  # type: ignore[type-arg]  # a subclass as users write it
    """A dict of a class of its own."""


class Made(typing.NamedTuple):
    """A type and a maker of values of it, each as new as the one before."""

    annotation: object
    make: Callable[[], object]


def _frame(part: object) -> pd.DataFrame:
    return pd.DataFrame({"number": [1.5, 2.5], "text": ["a", "b"], "cells": pd.Series([part, part], dtype=object)})


def _array_of(part: object) -> np.ndarray[typing.Any, np.dtype[typing.Any]]:
    made = np.empty(2, dtype=object)
    made[0] = made[1] = part
    return made


def _records() -> np.ndarray[typing.Any, np.dtype[typing.Any]]:
    return np.array([(1, 2.0), (3, 4.0)], dtype=[("a", "i4"), ("b", "f8")])


LEAVES = [
    Made(int, lambda: 5),
    Made(str, lambda: "text"),
    Made(list[int], lambda: [1, 2]),
    Made(list, lambda: [1, [2, {"a": 3}]]),
    Made(dict[str, float], lambda: {"a": 1.0}),
    Made(set[int], lambda: {1, 2}),
    Made(bytearray, lambda: bytearray(b"ab")),
    Made(np.ndarray, lambda: np.arange(6.0)),
    Made(np.ndarray, lambda: np.arange(6.0).reshape(2, 3).T),
    Made(np.ndarray, lambda: np.array(["2026-01-01", "2026-01-02"], "M8[D]")),
    Made(np.ndarray, _records),
    Made(np.ndarray, lambda: np.ma.masked_array([1, 2], [False, True])),
    Made(np.ndarray, lambda: _array_of([1])),
    Made(pd.DataFrame, lambda: _frame([1, [2]])),
    Made(pd.DataFrame, lambda: pd.DataFrame({"a": [1, 2]}, index=pd.MultiIndex.from_tuples([(1, 2), (3, 4)]))),
    Made(pd.Series, lambda: pd.Series([1.0, 2.0], name="s")),
    Made(pd.Series, lambda: pd.Series([[1], {"a": 2}], dtype=object)),
    Made(pd.Series, lambda: pd.Series(pd.Categorical(["u", "v"]))),
    Made(pd.Series, lambda: pd.Series([1, None], dtype="Int64")),
    Made(pl.DataFrame, lambda: pl.DataFrame({"a": [1, 2], "b": ["x", "y"]})),
    Made(pl.Series, lambda: pl.Series("s", [1.0, 2.0])),
    Made(pa.Table, lambda: pa.table({"a": [1, 2]})),
    Made(collections.deque[int], lambda: collections.deque([1])),
    Made(collections.OrderedDict[str, int], lambda: collections.OrderedDict(a=1)),
    Made(collections.defaultdict[str, list[int]], lambda: collections.defaultdict(None, {"a": [1]})),
    Made(Named, lambda: Named(a=[1])),
    Made(LogisticRegression, lambda: LogisticRegression().fit([[0.0], [1.0]], [0, 1])),
]


def _dataclass(frozen: bool) -> Callable[[Made], Made]:  # noqa: FBT001 - one of two
    def wrap(inner: Made) -> Made:
        cls = dataclasses.make_dataclass(
            "Data",
            [("part", inner.annotation), ("also", list, dataclasses.field(default_factory=list))],
            frozen=frozen,
            eq=False,
        )
        return Made(cls, lambda: cls(inner.make(), [inner.make()]))

    return wrap


def _model(inner: Made) -> Made:
    config = pydantic.ConfigDict(arbitrary_types_allowed=True, extra="allow")
    fields: dict[str, typing.Any] = {"part": (inner.annotation, ...)}
    try:
        cls = pydantic.create_model("Model", __config__=config, **fields)
    except pydantic.errors.PydanticUserError:  # before Python 3.12 it takes no TypedDict from `typing`
        cls = pydantic.create_model("Model", __config__=config, part=(typing.Any, ...))
    return Made(cls, lambda: cls.model_construct(part=inner.make(), more=[inner.make()]))


def _named(inner: Made) -> Made:
    make: typing.Any = typing.NamedTuple  # called in a way that checkers do not follow
    cls = make("Named2", [("part", inner.annotation)])
    return Made(cls, lambda: cls(inner.make()))


def _typed_dict(inner: Made) -> Made:
    make: typing.Any = typing.TypedDict  # called in a way that checkers do not follow
    cls = make("Typed", {"part": inner.annotation})
    return Made(cls, lambda: {"part": inner.make()})


WRAPPERS: list[Callable[[Made], Made]] = [
    lambda inner: Made(list[inner.annotation], lambda: [inner.make(), inner.make()]),  # type: ignore[name-defined]  # a type made at run time
    lambda inner: Made(dict[str, inner.annotation], lambda: {"k": inner.make()}),  # type: ignore[name-defined]  # a type made at run time
    lambda inner: Made(tuple[inner.annotation, ...], lambda: (inner.make(),)),  # type: ignore[name-defined]  # a type made at run time
    lambda inner: Made(tuple[int, inner.annotation], lambda: (1, inner.make())),  # type: ignore[name-defined]  # a type made at run time
    lambda inner: Made(inner.annotation | None, inner.make),  # type: ignore[operator]  # a type made at run time
    lambda inner: Made(collections.deque[inner.annotation], lambda: collections.deque([inner.make()])),  # type: ignore[name-defined]  # a type made at run time
    lambda inner: Made(typing.Annotated[inner.annotation, "text"], inner.make),
    lambda inner: Made(np.ndarray, lambda: _array_of(inner.make())),
    lambda inner: Made(pd.DataFrame, lambda: _frame(inner.make())),
    lambda inner: Made(Holder, lambda: Holder(inner.make())),
    lambda inner: Made(Slotted, lambda: Slotted(inner.make())),
    _dataclass(frozen=False),
    _dataclass(frozen=True),
    _model,
    _named,
    _typed_dict,
]

made_values = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.builds(lambda wrap, part: wrap(part), st.sampled_from(WRAPPERS), inner),
    max_leaves=4,
)


def change(value: typing.Any, seen: set[int] | None = None) -> None:  # noqa: ANN401, C901, PLR0912 - anything, one branch per kind of it
    """Change `value` at every level, by every means that its class offers to those who hold it."""
    seen = set() if seen is None else seen
    if id(value) in seen:
        return
    seen.add(id(value))
    for part in parts_of(value):
        change(part, seen)
    if isinstance(value, np.ndarray):
        change_array(value)
    elif isinstance(value, pd.DataFrame):
        change_frame(value)
    elif isinstance(value, pd.Series):
        value.index.name = "changed"
        value.iloc[0] = value.iloc[-1]
        value.attrs["changed"] = True
    elif isinstance(value, pl.DataFrame):
        value[0, 0] = 77
        value.drop_in_place(value.columns[-1])
    elif isinstance(value, pl.Series):
        value[0] = 77
        value.append(value)
    elif isinstance(value, list | collections.deque | bytearray):
        value.append(1)
        value.reverse()
    elif isinstance(value, dict):
        value["changed"] = "changed"
    elif isinstance(value, set):
        value.add("changed")
    elif isinstance(value, pydantic.BaseModel):
        value.__dict__["part"] = "changed"
        value.added = "changed"  # type: ignore[attr-defined]  # extra fields are allowed
    elif hasattr(value, "part") and not isinstance(value, tuple):
        object.__setattr__(value, "part", "changed")
    elif isinstance(value, LogisticRegression):
        value.coef_ += 1
        value.C = 99.0


def parts_of(value: typing.Any) -> list[object]:  # noqa: ANN401, PLR0911 - anything, one return per kind of it
    """What lies one level below in `value`."""
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, list | tuple | collections.deque | set):
        return list(value)
    if isinstance(value, np.ndarray) and value.dtype == object:
        return list(value.flat)
    if isinstance(value, pd.DataFrame):
        return [cell for name in value.columns if value[name].dtype == object for cell in value[name]]
    if isinstance(value, pd.Series) and value.dtype == object:
        return list(value)
    if isinstance(value, pydantic.BaseModel):
        return [*value.__dict__.values(), *(value.__pydantic_extra__ or {}).values()]
    names = ("part", "kept", "also")
    return [getattr(value, name) for name in names if hasattr(value, name)]


def change_array(value: np.ndarray[typing.Any, np.dtype[typing.Any]]) -> None:
    """Write to an array, by force if it says that it is read-only."""
    if not value.flags.writeable:
        with pytest.raises(ValueError, match="WRITEABLE"):
            value.setflags(write=True)
        with pytest.raises(ValueError, match="read-only"):
            value[...] = value
        return
    value[...] = value[::-1] if value.ndim == 1 else value * 2
    if isinstance(value, np.ma.MaskedArray):
        value.mask = True


def change_frame(value: pd.DataFrame) -> None:
    """Change cells, labels and columns of a frame in place."""
    value.iloc[0, 0] = 77
    value["added"] = 1
    value.insert(0, "first", 2)
    value.columns = pd.Index([f"{name} changed" for name in value.columns])
    value.pop(value.columns[-1])
    value.index.name = "changed"
    value.columns.name = "changed"
    value.attrs["changed"] = True


def _told(value: object) -> str:
    return digest_value(value)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(made=made_values, declared=st.booleans())
def test_receiver_cannot_change_the_givers_value(made: Made, declared: bool) -> None:  # noqa: FBT001 - from hypothesis
    """Whatever a task does to what it received, at whatever depth, the caller's value stays as it was."""
    value = made.make()
    before = _told(value)
    received = handler_for(made.annotation if declared else typing.Any).receive(value)
    assert _told(received) == before
    change(received)
    assert _told(value) == before


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(made=made_values, declared=st.booleans())
def test_release_hands_out_no_view_of_an_input(made: Made, declared: bool) -> None:  # noqa: FBT001 - from hypothesis
    """A task that returns what it received returns a value that shares nothing mutable with the caller's."""
    value = made.make()
    handler = handler_for(made.annotation if declared else typing.Any)
    released = handler.release(handler.receive(value))
    before = _told(released)
    assert before == _told(value)
    change(value)
    assert _told(released) == before
    change(released)


def test_array_is_received_without_a_copy() -> None:
    """A large array costs nothing to pass: the task sees the caller's memory, and cannot write to it."""
    large = np.zeros(1_000_000)
    received = typing.cast("np.ndarray[typing.Any, typing.Any]", handler_for(np.ndarray).receive(large))
    assert np.shares_memory(received, large)
    assert received.flags.writeable is False


def test_array_that_a_task_made_is_released_without_a_copy() -> None:
    """An array that is the task's own leaves it as it is."""
    own = np.zeros(1_000_000).reshape(1000, 1000)
    assert handler_for(np.ndarray).release(own) is own


@pytest.mark.parametrize(
    "part",
    [
        lambda x: x,
        lambda x: x[1:4],
        lambda x: x.reshape(2, 3),
        lambda x: {"a": [x[::2]]},
        lambda x: Holder(x[1:]),
        lambda x: pd.DataFrame({"a": x}, copy=False),
        lambda x: pd.Series(x, copy=False),
        lambda x: [pl.Series("a", x)],
        lambda x: pl.DataFrame({"a": x}),
        pa.array,
        lambda x: pa.table({"a": x, "b": x}),
        lambda x: pa.chunked_array([pa.array(x)]),
        lambda x: pl.from_arrow(pa.table({"a": x})),
        lambda x: np.lib.stride_tricks.sliding_window_view(x, 2),
    ],
)
def test_what_a_task_builds_on_an_input_array_is_released_on_memory_of_its_own(
    part: Callable[[typing.Any], object],
) -> None:
    """Views, and tables that a library builds on an array without a copy, are detached from it on the way out."""
    mine = np.arange(6.0)
    released = handler_for(typing.Any).release(part(handler_for(np.ndarray).receive(mine)))
    before = _told(released)
    mine[:] = -1
    assert _told(released) == before


@pytest.mark.parametrize("build", [pa.Table.from_pandas, pl.from_pandas, lambda frame: frame["a"].to_numpy()])
def test_what_a_task_builds_on_an_input_frame_is_released_on_memory_of_its_own(
    build: Callable[[pd.DataFrame], object],
) -> None:
    """A table of another library that shares memory with an input frame is detached from it on the way out."""
    mine = pd.DataFrame({"a": np.arange(6.0)})
    released = handler_for(typing.Any).release(
        build(typing.cast("pd.DataFrame", handler_for(pd.DataFrame).receive(mine)))
    )
    before = _told(released)
    mine.iloc[:, 0] = -1.0
    mine.loc[0, "a"] = -2.0
    assert _told(released) == before


@pytest.mark.skipif(pd.__version__ < "3", reason="pandas watches its memory from version 3 on; older ones are copied")
def test_frame_is_received_and_released_without_copying_its_columns() -> None:
    """The columns of a frame are shared until somebody writes to them."""
    mine = pd.DataFrame({"a": np.zeros(1000)})
    handler = handler_for(pd.DataFrame)
    received = typing.cast("pd.DataFrame", handler.receive(mine))
    assert np.shares_memory(received["a"].to_numpy(), mine["a"].to_numpy())
    released = typing.cast("pd.DataFrame", handler.release(received))
    assert np.shares_memory(released["a"].to_numpy(), mine["a"].to_numpy())


def test_sharing_within_a_value_is_kept() -> None:
    """What is one object before is one object after, and a value may contain itself."""
    part = [1]
    ring: list[object] = [part, part]
    ring.append(ring)
    made = typing.cast("list[typing.Any]", handler_for(list).receive(ring))
    assert made[0] is made[1]
    assert made[2] is made
    assert made[0] is not part
    nested = typing.cast("list[typing.Any]", handler_for(list[list[int]]).receive([part, part]))
    assert nested[0] is nested[1]


def test_tuple_that_contains_itself_is_copied() -> None:
    """A tuple that contains itself by way of a list comes out as one that does, too."""
    inner: list[object] = []
    loop = (inner,)
    inner.append(loop)
    made = typing.cast("tuple[typing.Any]", handler_for(tuple).receive(loop))
    assert made is not loop
    assert made[0][0] is made


def test_methods_of_a_received_object_may_write_to_its_arrays() -> None:
    """An object that holds an array gets one of its own, since its methods may write to it."""

    class Counter:
        def __init__(self) -> None:
            self.counts = np.zeros(3)

        def count(self) -> None:
            self.counts += 1

    mine = Counter()
    received = typing.cast("Counter", handler_for(Counter).receive(mine))
    received.count()
    assert received.counts.tolist() == [1.0, 1.0, 1.0]
    assert mine.counts.tolist() == [0.0, 0.0, 0.0]


def test_immutable_values_are_not_copied() -> None:
    """Immutable values, and containers of nothing else that are immutable too, are handed over as they are."""
    for value in (("a", (1, 2)), frozenset({1}), 10**50, dataclasses.make_dataclass("F", ["x"], frozen=True)(1)):
        assert handler_for(typing.Any).receive(value) is value


def test_value_that_cannot_be_copied_is_told_by_name() -> None:
    """A lock deep within an argument is named with the way to it, and with the option that lets it pass."""
    holder = Holder([{"lock": threading.Lock()}])
    with pytest.raises(Mismatch) as caught:
        handler_for(Holder).receive(holder)
    assert caught.value.path == (".part", "[0]", "['lock']")
    assert caught.value.hint == (
        "a lock cannot be copied (cannot pickle '_thread.lock' object); `share=(…)` hands an input over uncopied"
    )


def test_object_that_cannot_be_copied_may_still_be_returned() -> None:
    """A part that cannot be copied is handed out as it is; whatever holds it is copied all the same."""
    made = Holder(threading.Lock())
    released = typing.cast("Holder", handler_for(Holder).release(made))
    assert released.part is made.part
    assert released.kept is not made.kept


def test_value_nested_too_deeply_is_told_so() -> None:
    """Nesting beyond Python's own limit is refused with a message, not with a RecursionError."""
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(Mismatch, match="nested too deeply"):
        handler_for(list).receive(deep)


def test_own_copying_of_a_class_is_respected() -> None:
    """`__deepcopy__`, `__reduce__`, `__getstate__` and `__setstate__` of users' classes decide as in `copy`."""

    class Counted:
        def __init__(self, name: str) -> None:
            self.name = name

        def __deepcopy__(self, memo: dict[int, object]) -> Counted:
            return Counted(self.name + " copied")

    class Stateful:
        def __init__(self) -> None:
            self.parts, self.cache = [1], object()

        def __getstate__(self) -> dict[str, object]:
            return {"parts": self.parts}

        def __setstate__(self, state: dict[str, typing.Any]) -> None:
            self.__dict__.update(state, cache=None)

    assert typing.cast("Counted", handler_for(Counted).receive(Counted("a"))).name == "a copied"
    mine = Stateful()
    received = typing.cast("Stateful", handler_for(Stateful).receive(mine))
    assert (received.parts, received.cache) == ([1], None)
    assert received.parts is not mine.parts


def test_handler_of_a_user_decides_how_its_values_are_isolated_within_containers() -> None:
    """A type with a handler of its own is isolated by it wherever it stands: in lists, dicts, fields and unions."""

    class Ticket:
        def __init__(self) -> None:
            self.copies = 0

    @register_type
    class TicketHandler(TypeHandler):
        annotation, name = Ticket, "Ticket"

        @classmethod
        def for_annotation(cls, annotation: object) -> TypeHandler | None:
            return cls() if annotation is Ticket else None

        def validate(self, value: object) -> object:
            if isinstance(value, Ticket):
                return value
            raise Mismatch("Ticket", value)

        def isolate(self, value: object) -> object:
            new = copy.copy(typing.cast("Ticket", value))
            new.copies += 1
            return new

    fields = dataclasses.make_dataclass("Booking", [("ticket", Ticket)])
    ticket = Ticket()
    cases: list[tuple[object, object, Callable[[typing.Any], Ticket]]] = [
        (Ticket, ticket, lambda made: made),
        (list[Ticket], [ticket], lambda made: made[0]),
        (dict[str, list[Ticket]], {"a": [ticket]}, lambda made: made["a"][0]),
        (tuple[int, Ticket], (1, ticket), lambda made: made[1]),
        (Ticket | None, ticket, lambda made: made),
        (fields, fields(ticket), lambda made: made.ticket),
        (list[fields], [fields(ticket)], lambda made: made[0].ticket),  # type: ignore[valid-type]  # made in a test
    ]
    for annotation, value, find in cases:
        assert find(handler_for(annotation).receive(value)).copies == 1
        assert find(handler_for(annotation).release(value)).copies == 1
    assert ticket.copies == 0


def test_older_pandas_is_copied_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before version 3 pandas does not watch its memory, so a frame is copied with all its columns."""
    monkeypatch.setattr(pd, "__version__", "2.2.3")
    mine = pd.DataFrame({"a": np.zeros(10), "b": [[1]] * 10})
    received = typing.cast("pd.DataFrame", handler_for(pd.DataFrame).receive(mine))
    assert not np.shares_memory(received["a"].to_numpy(), mine["a"].to_numpy())
    received["b"].iloc[0].append(2)
    assert mine["b"].iloc[0] == [1]


def test_polars_objects_are_copied() -> None:
    """Python objects in a frame of polars are the receiver's own."""
    mine = pl.DataFrame({"a": pl.Series([[1]], dtype=pl.Object)})
    received = typing.cast("pl.DataFrame", handler_for(pl.DataFrame).receive(mine))
    received["a"].to_list()[0].append(2)
    assert mine["a"].to_list() == [[1]]


def test_checked_table_is_isolated_like_any() -> None:
    """A declaration of columns changes nothing about isolation."""
    mine = pd.DataFrame({"a": [1, 2]})
    received = typing.cast("pd.DataFrame", handler_for(typing.Annotated[pd.DataFrame, kwtypes(a=int)]).receive(mine))
    received.loc[0, "a"] = 9
    assert mine["a"].tolist() == [1, 2]


def test_parts_that_exist_only_while_an_object_is_copied_are_not_mixed_up() -> None:
    """Objects whose state is made anew for each copying keep their own, one beside the other."""
    made = [Slotted(Slotted({"number": number})) for number in range(200)]
    received = typing.cast("list[typing.Any]", handler_for(list[Slotted]).receive(made))
    assert [one.part.part["number"] for one in received] == list(range(200))
