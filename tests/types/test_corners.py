"""Forms of annotations and values that are seldom written, and must be right all the same."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import sys
import threading
import types
import typing

import annotated_types as at
import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import pyarrow as pa
import pydantic
import pydantic.dataclasses
import pytest
import typing_extensions as te

from celltask.core.types.base import Mismatch, TypeHandler
from celltask.core.types.digest import digest_value
from celltask.core.types.encoding import decode_value
from celltask.core.types.lookup import handler_for
from celltask.errors import InterfaceError

T = typing.TypeVar("T")
Bound = typing.TypeVar("Bound", bound=int)


def test_name_for_a_type_stands_for_it() -> None:
    """`type Rows = list[int]` and a generic one are the types that they name."""
    alias: typing.Any = te.TypeAliasType  # called in ways that checkers do not follow
    rows = alias("Rows", list[int])
    pairs = alias("Pairs", list[tuple[T, T]], type_params=(T,))  # type: ignore[valid-type]  # free, as in an alias
    same = alias("Same", T, type_params=(T,))
    assert handler_for(rows).validate([1]) == [1]
    assert handler_for(same[int]).validate(5) == 5
    handler_for(pairs[int]).validate([(1, 2)])
    for annotation, wrong in ((rows, ["a"]), (pairs[int], [(1, "a")]), (same[int], "a"), (Bound, "a")):
        with pytest.raises(Mismatch):
            handler_for(annotation).validate(wrong)


def test_name_that_stands_for_itself_is_refused() -> None:
    """A recursive alias has no end; a dataclass may contain itself."""

    class TypeAliasType:  # `type Loop = list[Loop]` of Python 3.12, which older ones cannot read
        __type_params__ = ()

        def __repr__(self) -> str:
            return "Loop"

        @property
        def __value__(self) -> object:
            return list[self]  # type: ignore[valid-type]  # as said

    loop = TypeAliasType()
    with pytest.raises(InterfaceError, match="contains itself") as caught:
        handler_for(loop)
    assert caught.value.mend == "use a dataclass or a TypedDict, which may contain themselves"


def test_validators_of_pydantic_in_an_annotation_are_run() -> None:
    """What only pydantic knows is left to pydantic, on types that it does not know as well."""
    even = pydantic.AfterValidator(lambda value: value if value % 2 == 0 else 1 / 0)
    whole = pydantic.Field(decimal_places=1)
    assert handler_for(typing.Annotated[decimal.Decimal, whole]).validate(decimal.Decimal("1.5"))
    with pytest.raises(Mismatch, match="no more than 1 decimal place"):
        handler_for(typing.Annotated[decimal.Decimal, whole]).validate(decimal.Decimal("1.55"))
    assert handler_for(typing.Annotated[int, even]).validate(4) == 4

    def small(value: np.ndarray[typing.Any, typing.Any]) -> np.ndarray[typing.Any, typing.Any]:
        if value.size > 2:
            raise ValueError("too large")
        return value

    arrays = handler_for(typing.Annotated[np.ndarray, pydantic.AfterValidator(small)])
    arrays.validate(np.zeros(2))
    with pytest.raises(Mismatch, match="too large"):
        arrays.validate(np.zeros(3))


def test_constraint_that_fits_no_value_of_its_type_refuses_them() -> None:
    """A constraint on a type that it was not made for ends in a refusal of the value, and not in a traceback."""
    with pytest.raises(Mismatch):
        handler_for(typing.Annotated[np.ndarray, pydantic.Field(pattern="a")]).validate(np.zeros(2))
    with pytest.raises(Mismatch, match="division by zero"):
        handler_for(typing.Annotated[int, pydantic.AfterValidator(lambda value: value / 0)]).validate(1)


def test_constraint_hands_everything_else_to_its_type() -> None:
    """Bytes, digests, copies and previews are those of the type without the constraint."""
    handler = handler_for(typing.Annotated[list[int], at.MinLen(1)])
    assert handler.decode(handler.encode([1])) == [1]
    assert handler.digest([1]) == handler_for(list[int]).digest([1])
    assert handler.preview([1]) == "[1]"
    assert handler.to_json([1]) == [1]
    with pytest.raises(Mismatch, match=r"expected list\[int\] of length ≥ 1"):
        handler.from_json([])


@pydantic.dataclasses.dataclass
class Priced:
    """A pydantic dataclass with a constraint in a default."""

    price: float = pydantic.Field(default=1.0, ge=0)


def test_constraint_of_a_pydantic_dataclass_holds() -> None:
    """What was changed after the instance was made is checked again."""
    made = Priced()
    handler_for(Priced).validate(made)
    made.price = -1.0
    with pytest.raises(Mismatch, match=r"expected float ≥ 0 at .price"):
        handler_for(Priced).validate(made)


class Guarded(pydantic.BaseModel):
    """A model with a constraint, private state and validators."""

    rows: list[int] = pydantic.Field(default_factory=list, min_length=0)
    when: dt.date | None = None
    _seen: list[int] = pydantic.PrivateAttr(default_factory=list)


class Listed(pydantic.RootModel[list[int]]):
    """A model that is a list."""


class Checked(pydantic.BaseModel):
    """A model with a validator of its own."""

    word: str

    @pydantic.field_validator("word")
    @classmethod
    def _not_empty(cls, value: str) -> str:
        if value == "stop":
            raise RuntimeError("not this one")
        return value.upper() if value == "up" else value


def test_model_is_copied_with_its_private_state() -> None:
    """Private attributes are the receiver's own, too."""
    mine = Guarded(rows=[1])
    mine._seen.append(1)
    received = typing.cast("Guarded", handler_for(Guarded).receive(mine))
    received._seen.append(2)
    received.rows.append(2)
    assert (mine._seen, mine.rows) == ([1], [1])
    assert received._seen == [1, 2]
    root = Listed([1])
    typing.cast("Listed", handler_for(Listed).receive(root)).root.append(2)
    assert root.root == [1]


def test_model_names_what_cannot_be_copied() -> None:
    """The way to a lock in a model is told."""
    mine = Guarded()
    mine.__dict__["rows"] = [threading.Lock()]
    with pytest.raises(Mismatch) as caught:
        handler_for(typing.Any).receive(mine)
    assert caught.value.path == (".rows", "[0]")


def test_model_whose_validators_change_it_has_no_json() -> None:
    """JSON that the model would read as another value is refused."""
    handler = handler_for(Checked)
    assert handler.to_json(Checked(word="up")) == {"word": "UP"}
    with pytest.raises(Mismatch, match="not this one"):
        handler.from_json({"word": "stop"})
    with pytest.raises(Mismatch, match="it would be another value"):
        handler.to_json(Checked.model_construct(word="up"))
    with pytest.raises(Mismatch):
        handler.to_json(Checked.model_construct(word=object()))
    with pytest.raises(Mismatch, match=r"and 1 more\)"):
        handler_for(Guarded).from_json({"rows": 5, "when": 5.5})


def test_model_without_a_required_field_is_refused() -> None:
    """A model that was put together by force lacks what its class asks for."""
    with pytest.raises(Mismatch, match="expected Checked with 'word'"):
        handler_for(Checked).validate(Checked.model_construct())


def test_model_with_its_own_deepcopy_is_copied_by_it() -> None:
    """A model's `__deepcopy__` decides as any class's does."""

    class Own(pydantic.BaseModel):
        copies: int = 0

        def __deepcopy__(self, memo: dict[int, typing.Any] | None = None) -> Own:
            return Own(copies=self.copies + 1)

    assert typing.cast("Own", handler_for(Own).receive(Own())).copies == 1


def test_schema_of_a_model_that_pydantic_cannot_describe_is_its_name() -> None:
    """A field without JSON does not stop the description of the model."""

    class Odd(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)
        lock: types.SimpleNamespace

    assert handler_for(Odd).describe() == {"x-python": "Odd"}


@pytest.mark.parametrize(
    ("annotation", "data", "told"),
    [
        (np.ndarray, {"npy": "????"}, "expected ndarray"),
        (np.ndarray, [[1], None], "expected ndarray"),
        (npt.NDArray[np.int64], "text", "expected ndarray[int64]"),
        (set[int], 5, "expected set[int]"),
        (tuple[int, ...], 5, "expected tuple[int, ...]"),
        (dict[float, int], [[1, 1], [1.0, 2]], "expected dict[float, int] with each key once"),
    ],
)
def test_json_of_another_shape_is_refused(annotation: object, data: object, told: str) -> None:
    """JSON that cannot be the declared value is told with the declared type."""
    with pytest.raises(Mismatch) as caught:
        handler_for(annotation).from_json(data)
    assert str(caught.value).startswith(told)


def test_floats_may_be_written_as_integers_in_the_json_of_an_array() -> None:
    """``[1, 2]`` is an array of floats where floats are declared."""
    made = handler_for(npt.NDArray[np.floating[typing.Any]]).from_json([1, 2])
    assert typing.cast("np.ndarray[typing.Any, typing.Any]", made).dtype == float
    assert handler_for(np.float64).from_json("nan") != handler_for(np.float64).from_json(1)


def test_keys_that_become_one_are_refused() -> None:
    """Two keys that the declared type makes equal are not silently joined."""
    with pytest.raises(Mismatch, match="with each key once"):
        handler_for(dict[float, int]).validate(_two())


def _two() -> dict[object, int]:
    class Apart(int):
        __hash__ = object.__hash__

        def __eq__(self, other: object) -> bool:
            return self is other

    return {Apart(1): 1, Apart(1): 2}


def test_proxy_and_bound_method_are_copied() -> None:
    """A read-only mapping and a method bound to an object are the receiver's own."""

    class Owner:
        def __init__(self) -> None:
            self.parts = [1]

        def add(self) -> list[int]:
            self.parts.append(2)
            return self.parts

    owner = Owner()
    inner = {"a": [1]}
    proxy, method = typing.cast(
        "tuple[typing.Any, typing.Any]", handler_for(tuple).receive((types.MappingProxyType(inner), owner.add))
    )
    proxy["a"].append(2)
    assert method() == [1, 2]
    assert (inner, owner.parts) == ({"a": [1]}, [1])


def test_records_with_objects_are_copied() -> None:
    """NumPy's records and scalars that can be written to are the receiver's own."""
    mine = np.array([(1, [1])], dtype=[("a", "i4"), ("b", "O")])
    received: typing.Any = handler_for(np.ndarray).receive(mine)
    received["b"][0].append(2)
    assert mine["b"][0] == [1]
    record = np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])[0]
    copied: typing.Any = handler_for(np.void).receive(record)
    copied["a"] = 9
    assert record["a"] == 1


def test_array_with_columns_first_is_copied_item_by_item() -> None:
    """An array of objects in the other order of memory keeps every item in its place."""
    mine = np.asfortranarray(np.array([[[1], [2]], [[3], [4]]], dtype=object)[..., 0])
    received: typing.Any = handler_for(np.ndarray).receive(mine)
    assert received.tolist() == mine.tolist()
    broken = np.array([[threading.Lock(), 1]], dtype=object)
    with pytest.raises(Mismatch) as caught:
        handler_for(np.ndarray).receive(broken)
    assert caught.value.path == ("[0]",)


def test_read_only_file_in_memory_is_released_without_reading_it(tmp_path: typing.Any) -> None:  # noqa: ANN401 - pytest's
    """A memory-mapped file that nobody can write to is handed out as it is."""
    np.save(tmp_path / "a.npy", np.arange(5))
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    assert handler_for(np.ndarray).release(mapped) is mapped


def test_missing_values_do_not_hide_shared_memory_of_polars() -> None:
    """A series with missing values is detached whenever anything is lent."""
    mine = np.arange(4.0)
    handler_for(np.ndarray).receive(mine)
    series = pl.Series("a", [1.0, None])
    assert typing.cast("pl.Series", handler_for(pl.Series).release(series)).to_list() == [1.0, None]


def test_index_and_lazy_frame_are_received() -> None:
    """An index and a lazy frame cannot be written to, and come through."""
    index = pd.Index([1, 2], name="a")
    received: typing.Any = handler_for(pd.Index).receive(index)
    received.name = "b"
    assert index.name == "a"
    lazy = pl.LazyFrame({"a": [1]})
    assert typing.cast("pl.LazyFrame", handler_for(pl.LazyFrame).receive(lazy)).collect().to_dicts() == [{"a": 1}]
    assert handler_for(pl.LazyFrame).preview(lazy).startswith("polars.LazyFrame")


def test_arrow_batches_and_records_are_detached() -> None:
    """A record batch on an input's memory is written out anew, like a table."""
    mine = np.arange(4.0)
    view = handler_for(np.ndarray).receive(mine)
    batch = pa.record_batch({"a": view})
    released: typing.Any = handler_for(pa.RecordBatch).release(batch)
    mine[0] = 99
    assert released["a"].to_pylist() == [0.0, 1.0, 2.0, 3.0]


def test_annotations_that_exist_only_for_type_checkers_count_as_any() -> None:
    """A dataclass of a library whose annotations cannot be resolved can be used all the same."""
    cls = dataclasses.make_dataclass("Lib", [("known", "int"), ("unknown", "OnlyForCheckers")])
    handler = handler_for(cls)
    handler.validate(cls(1, object))
    with pytest.raises(Mismatch, match="expected int at .known"):
        handler.validate(cls("a", object))


def test_dataclass_without_a_value_for_a_field_is_refused() -> None:
    """An instance that lacks a field is told with the field's name."""
    cls = dataclasses.make_dataclass("Partial", [("a", int)])
    with pytest.raises(Mismatch, match="expected Partial with a value for 'a'"):
        handler_for(cls).validate(object.__new__(cls))


def test_dataclass_that_is_a_dict_too_is_copied() -> None:
    """A dataclass with a base in C is rebuilt the way that its base asks for."""

    @dataclasses.dataclass
    class Both(dict):  # type: ignore[type-arg]  # as users write it
        part: list[int]

    mine = Both([1])
    mine["a"] = [1]
    received: typing.Any = handler_for(Both).receive(mine)
    received["a"].append(2)
    received.part.append(2)
    assert (mine["a"], mine.part) == ([1], [1])


def test_description_of_a_type_that_contains_itself_ends() -> None:
    """Forms of a tree are described one level deep."""
    described = handler_for(Tree).describe()
    properties = typing.cast("dict[str, typing.Any]", described["properties"])
    assert properties["children"]["items"] == {"type": "object", "title": "Tree", "x-python": "Tree"}


@dataclasses.dataclass
class Tree:
    """A dataclass that contains itself."""

    children: list[Tree]


def test_handlers_of_one_type_are_one_when_threads_ask_at_once() -> None:
    """Threads that meet a type for the first time together get one handler, and it is whole."""
    found: list[TypeHandler] = []
    cls = dataclasses.make_dataclass("Fresh", [(f"f{at}", dict[str, list[int]]) for at in range(30)])
    barrier = threading.Barrier(8)

    def ask() -> None:
        barrier.wait()
        handler = handler_for(cls)
        handler.validate(cls(*[{"a": [1]}] * 30))
        found.append(handler)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(map(id, found))) == 1


def test_stored_class_that_the_declared_type_has_no_more_is_told() -> None:
    """Bytes that name a declared class cannot be read as a type without it."""

    class Local:
        pass

    data = handler_for(Local).encode(Local())
    with pytest.raises(Exception, match="the declared type has no class"):
        decode_value(data, int)


def test_flags_and_literals_of_other_kinds() -> None:
    """An enum without members has no value, and a literal holds nothing but literals."""

    class Empty(enum.Enum):
        pass

    with pytest.raises(Mismatch, match="expected Empty"):
        handler_for(Empty).validate(1)
    with pytest.raises(InterfaceError, match=r"holds 1\.5"):
        handler_for(typing.Literal[1.5])


def test_digest_of_less_common_values() -> None:
    """Modules, constants and classes are told by what identifies them."""
    assert digest_value(sys) == digest_value(sys) != digest_value(typing)
    assert len({digest_value(one) for one in (..., NotImplemented, None, bytearray(b"a"), b"a", int)}) == 6
    assert digest_value(int, code_digest=lambda _: "1") != digest_value(int, code_digest=lambda _: "2")
    assert digest_value(pl.Series(["a"], dtype=pl.Enum(["a", "b"]))) != digest_value(pl.Series(["a"]))
    assert digest_value(pa.chunked_array([], pa.int64())) == digest_value(pa.chunked_array([[]], pa.int64()))
    assert digest_value(pa.array([dt.date(2026, 1, 1), None])) != digest_value(pa.array([None, dt.date(2026, 1, 1)]))


def test_longdouble_goes_into_a_float_only_where_nothing_is_lost() -> None:
    """NumPy's longest float has more digits than Python's."""
    assert handler_for(float).validate(np.longdouble(0.5)) == 0.5
    if np.finfo(np.longdouble).nmant > np.finfo(float).nmant:
        with pytest.raises(Mismatch, match="cannot hold this number exactly"):
            handler_for(float).validate(np.longdouble(1) / 3)
