"""What is put into a form comes out of it, as a value, as Python and as a command line."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import pathlib
import shlex
import typing
from decimal import Decimal

import pydantic
import pytest
from annotated_types import Ge, Le, Len
from hypothesis import given, settings
from hypothesis import strategies as st

from celltask import File, MultiLine, task
from celltask.cli.inputs import options_of, sorted_out
from celltask.cli.values import Reader
from celltask.core.task import Task
from celltask.core.types.alike import is_alike
from celltask.core.types.lookup import handler_for
from celltask.notebook.forms import Form
from celltask.notebook.forms_source import shell_word_of, source_of


class Colour(enum.Enum):
    """Values that are no text."""

    RED = 1
    BLUE = ("b", 2)


class Right(enum.Flag):
    """Members that combine."""

    READ = enum.auto()
    WRITE = enum.auto()


@dataclasses.dataclass
class Point:
    """A field with a default, one without, and one of another type."""

    x: float
    name: str = "origin"
    tags: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Line:
    """Points in a dataclass, one of which may be missing."""

    start: Point
    end: Point | None = None


class Tree(typing.NamedTuple):
    """A type that contains itself."""

    value: int
    left: Tree | None = None


class Row(typing.TypedDict, total=False):
    """Keys that may be missing."""

    count: typing.Required[int]
    note: str


class Settings(pydantic.BaseModel):
    """A model with constraints, a union and a nested mapping."""

    rate: float = pydantic.Field(0.5, ge=0, le=1, description="Learning rate")
    kind: typing.Literal["a", "b"] = "a"
    weights: dict[str, float] = {}
    when: dt.date | None = None


class Plan(pydantic.BaseModel):
    """A model within a model."""

    first: Settings
    more: list[Settings] = []


TYPES: dict[str, object] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "bytes": bytes,
    "decimal": Decimal,
    "range": typing.Annotated[int, Ge(0), Le(100)],
    "range of floats": typing.Annotated[float, Ge(-1), Le(1)],
    "some": typing.Annotated[list[int], Len(1, 4)],
    "lines": typing.Annotated[str, MultiLine],
    "enum": Colour,
    "flag": Right,
    "literal": typing.Literal["a", 1, True, "1"] | None,
    "date": dt.date,
    "datetime": dt.datetime,
    "time": dt.time,
    "timedelta": dt.timedelta,
    "optional": int | None,
    "union": int | float | str | None,
    "alike in text": dt.date | str,
    "list": list[float],
    "list of lists": list[list[int]],
    "set": set[str],
    "dict": dict[str, int],
    "dict of numbers": dict[int, list[str]],
    "dict of unions": dict[str, int | list[int]],
    "any dict": dict,
    "any list": list,
    "anything": typing.Any,
    "tuple": tuple[int, str, bool],
    "tuple of many": tuple[dt.date, ...],
    "dataclass": Point,
    "dataclasses": Line,
    "itself": Tree,
    "typed dict": Row,
    "model": Settings,
    "models": Plan,
    "optional model": Settings | None,
    "path": pathlib.Path,
    "file": File,
}

finite = st.floats(allow_nan=False, width=64)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
moments = st.datetimes(timezones=st.none() | st.just(dt.UTC))
durations = st.timedeltas(dt.timedelta(days=-999), dt.timedelta(days=999))
points = st.builds(Point, finite, words, st.lists(words, max_size=2))
settings_ = st.builds(
    Settings,
    rate=st.floats(0, 1),
    kind=st.sampled_from(["a", "b"]),
    weights=st.dictionaries(words, finite, max_size=2),
    when=st.none() | st.dates(),
)
trees = st.recursive(st.builds(Tree, st.integers()), lambda inner: st.builds(Tree, st.integers(), inner), max_leaves=3)
plain = st.none() | st.booleans() | st.integers() | finite | words
VALUES: dict[str, st.SearchStrategy[object]] = {
    "int": st.integers(),
    "float": st.floats(),
    "str": words,
    "bool": st.booleans(),
    "bytes": st.binary(max_size=5),
    "decimal": st.decimals(allow_nan=False, allow_infinity=False),
    "range": st.integers(0, 100),
    "range of floats": st.floats(-1, 1),
    "some": st.lists(st.integers(), min_size=1, max_size=4),
    "lines": st.text("a \n", max_size=9),
    "enum": st.sampled_from(Colour),
    "flag": st.sampled_from([Right.READ, Right.WRITE, Right.READ | Right.WRITE]),
    "literal": st.sampled_from(["a", 1, True, None, "1"]),
    "date": st.dates(),
    "datetime": moments,
    "time": st.times(),
    "timedelta": durations,
    "optional": st.none() | st.integers(),
    "union": st.none() | st.integers() | finite | words,
    "alike in text": st.dates() | st.dates().map(str),
    "list": st.lists(finite, max_size=3),
    "list of lists": st.lists(st.lists(st.integers(), max_size=2), max_size=2),
    "set": st.sets(words, max_size=3),
    "dict": st.dictionaries(words, st.integers(), max_size=3),
    "dict of numbers": st.dictionaries(st.integers(), st.lists(words, max_size=2), max_size=2),
    "dict of unions": st.dictionaries(words, st.integers() | st.lists(st.integers(), max_size=2), max_size=2),
    "any dict": st.dictionaries(words | st.integers(), plain, max_size=3),
    "any list": st.lists(plain, max_size=3),
    "anything": st.recursive(plain, lambda inner: st.lists(inner, max_size=2), max_leaves=4),
    "tuple": st.tuples(st.integers(), words, st.booleans()),
    "tuple of many": st.lists(st.dates(), max_size=2).map(tuple),
    "dataclass": points,
    "dataclasses": st.builds(Line, points, st.none() | points),
    "itself": trees,
    "typed dict": st.fixed_dictionaries({"count": st.integers()}, optional={"note": words}).map(
        lambda row: {key: row[key] for key in ("count", "note") if key in row}
    ),
    "model": settings_,
    "models": st.builds(Plan, first=settings_, more=st.lists(settings_, max_size=1)),
    "optional model": st.none() | settings_,
    "path": st.just(pathlib.Path("a b/c.csv")) | st.just(pathlib.Path("-x")),
    "file": st.just(File(__file__)),
}
NAMES = {cls.__name__: cls for cls in (Colour, Right, Point, Line, Tree, Settings, Plan)}


def task_of(annotation: object) -> Task[..., object]:
    """A task with one input of that type."""

    def keep(value: object) -> None:
        pass

    keep.__annotations__["value"] = annotation
    made = task(keep)
    assert isinstance(made, Task)
    return made


@pytest.mark.parametrize("name", TYPES)
@settings(max_examples=25, deadline=None, database=None)
@given(data=st.data())
def test_a_value_comes_out_of_a_form_as_it_went_in(name: str, data: st.DataObject) -> None:
    """A form filled with a value stands for that value, whatever its type."""
    value = data.draw(VALUES[name])
    form = Form(task_of(TYPES[name]), NAMES)
    form["value"].fill(value)
    taken = form.take()
    assert taken is not None, form["value"].error
    assert is_alike(taken["value"], value)


@pytest.mark.parametrize("name", TYPES)
@settings(max_examples=25, deadline=None, database=None)
@given(data=st.data())
def test_the_code_of_a_form_makes_the_value(name: str, data: st.DataObject) -> None:
    """The Python that a form shows gives the value when it is run in the notebook."""
    value = data.draw(VALUES[name])
    source = source_of(value, NAMES)
    assert source is not None
    space: dict[str, object] = dict(NAMES)
    exec("\n".join(source.imports), space)  # noqa: S102 - that it runs is the point
    assert is_alike(eval(source.text, space), value)  # noqa: S307 - as above


@pytest.mark.parametrize("name", sorted(TYPES.keys() - {"anything", "any list"}))
@settings(max_examples=25, deadline=None, database=None)
@given(data=st.data())
def test_the_command_of_a_form_says_the_value(name: str, data: st.DataObject) -> None:
    """The command line reads from its words the value that the form stands for."""
    value = data.draw(VALUES[name])
    made = task_of(TYPES[name])
    form = Form(made, NAMES)
    form["value"].fill(value)
    form.scope.runs = True
    if shell_word_of(handler_for(TYPES[name]), value) is None:  # JSON has no word for it
        assert form.command().endswith("--value VALUE")
        return
    tokens = shlex.split(form.command())[4:]
    options = options_of(made.interface)
    given_texts, rest = sorted_out(tokens, options, {}, "celltask run")
    assert rest == []
    assert is_alike(Reader("celltask run").from_options(options[0], given_texts["value"]), value)
