"""Annotations find their handlers, however they are written; what has no handler says so; imports stay light."""

from __future__ import annotations

import collections.abc
import dataclasses
import os
import subprocess
import sys
import typing
from collections.abc import Callable, Iterator

import pytest

from celltask.core.types import lookup
from celltask.core.types.base import Mismatch, TypeHandler
from celltask.core.types.files import Directory, File
from celltask.core.types.lookup import handler_for, register_type
from celltask.errors import InterfaceError, PluginError

if typing.TYPE_CHECKING:
    import pathlib


@pytest.fixture(autouse=True)
def _only_built_in() -> Iterator[None]:
    """Every test begins and ends without registered handlers."""
    kept = lookup._registered[:]
    yield
    lookup._registered[:] = kept
    lookup._known.clear()


class Money:
    """A class with a handler of its own."""


def _handler(name: str, claims: Callable[[object], bool]) -> type[TypeHandler]:
    class Handler(TypeHandler):
        annotation = Money

        @classmethod
        def for_annotation(cls, annotation: object) -> TypeHandler | None:
            return cls() if claims(annotation) else None

        def validate(self, value: object) -> object:
            if isinstance(value, Money):
                return value
            raise Mismatch(self.name, value)

    Handler.name = name
    Handler.__qualname__ = name
    return Handler


@pytest.mark.parametrize(
    ("annotation", "name"),
    [
        (int, "int"),
        (None, "None"),
        (typing.Optional[int], "int | None"),  # noqa: UP045 - one of the ways to write it
        (int | None, "int | None"),
        (typing.Union[None, str, int], "str | int | None"),  # noqa: UP007 - one of the ways to write it
        (typing.List[int], "list[int]"),  # noqa: UP006 - one of the ways to write it
        (list, "list"),
        (typing.Dict[str, typing.List[int]], "dict[str, list[int]]"),  # noqa: UP006 - one of the ways to write it
        (tuple[int, ...], "tuple[int, ...]"),
        (tuple[()], "tuple[()]"),
        (typing.Sequence[int], "Sequence[int]"),
        (typing.Literal["a", 1], "Literal['a', 1]"),
        (typing.Any, "Any"),
        (object, "object"),
        (typing.Annotated[int, "text"], "int"),
        (typing.Callable[[int], str], "Callable[[int], str]"),
        (type[int], "type[int]"),
        (typing.NewType("UserId", int), "UserId"),
        (File["csv"], "File['csv']"),  # type: ignore[misc]  # short for what follows
        (typing.Annotated[File, "csv"], "File['csv']"),
        (Directory, "Directory"),
        (typing.LiteralString, "str"),
    ],
)
def test_handler_has_one_name_for_every_way_to_write_a_type(annotation: object, name: str) -> None:
    """A type is told in the same short words however its annotation spells it."""
    assert handler_for(annotation).name == name


def test_handler_is_made_once() -> None:
    """Asked again, the same handler answers."""
    assert handler_for(dict[str, list[int]]) is handler_for(dict[str, list[int]])


def test_unions_in_another_order_keep_their_own_names() -> None:
    """Two unions that are equal to Python are told as each was written, whichever was met first."""
    assert handler_for(list[int | str]).name == "list[int | str]"
    assert handler_for(list[str | int]).name == "list[str | int]"


REFUSED = [
    (
        Iterator[int],
        "Iterator[int] can be read only once, so it can be neither checked nor handed over",
        "use list[…] and return list(…)",
    ),
    (
        collections.abc.Generator[int, None, None],
        "Generator[int, None, None] can be read only once, so it can be neither checked nor handed over",
        "use list[…] and return list(…)",
    ),
    (
        list[Iterator[int]],
        "Iterator[int] can be read only once, so it can be neither checked nor handed over",
        "use list[…] and return list(…)",
    ),
    (
        "Undefined",
        "the type 'Undefined' is not defined",
        "import or define it before the task, or write the type without quotes",
    ),
    (
        list["Undefined"],  # type: ignore[name-defined] # noqa: F821 - what is tested
        "the type 'Undefined' is not defined",
        "import or define it before the task, or write the type without quotes",
    ),
    (
        5,
        "5 is not a type that a value can be checked against",
        "write a class, or a type such as list[int], int | None or Literal['a', 'b']",
    ),
    (
        typing.ClassVar[int],
        "ClassVar[int] is not a type that a value can be checked against",
        "write a class, or a type such as list[int], int | None or Literal['a', 'b']",
    ),
    (
        typing.NoReturn,
        "NoReturn is not a type that a value can be checked against",
        "write a class, or a type such as list[int], int | None or Literal['a', 'b']",
    ),
    (tuple[int, ..., str], "tuple[int, ..., str] is no type", "write tuple[T, ...] or tuple[A, B]"),  # type: ignore[misc]  # what is tested
]


@pytest.mark.parametrize(("annotation", "what", "mend"), REFUSED, ids=lambda one: str(one)[:30])
def test_type_that_no_value_could_have_is_refused(annotation: object, what: str, mend: str) -> None:
    """An annotation that cannot be an input or output says why, and what to write."""
    for _ in range(2):  # a refusal is not remembered as a handler
        with pytest.raises(InterfaceError) as caught:
            handler_for(annotation)
        assert (caught.value.what, caught.value.mend) == (what, mend)


def test_field_with_an_unusable_type_is_named() -> None:
    """Within a dataclass the refusal names the field."""
    broken = dataclasses.make_dataclass("Broken", [("rows", Iterator[int])])
    with pytest.raises(InterfaceError, match=r"field 'rows' of Broken: Iterator\[int\] can be read only once"):
        handler_for(broken)


def test_registered_handler_comes_before_the_built_in_ones() -> None:
    """A handler that a user registers is asked first, within containers too."""
    mine = register_type(_handler("Money in cents", lambda annotation: annotation is Money))
    assert isinstance(handler_for(Money), mine)
    assert handler_for(list[Money]).receive([Money()])
    with pytest.raises(Mismatch, match=r"expected Money in cents at \[1\]"):
        handler_for(list[Money]).receive([Money(), 5])


def test_handler_registered_again_replaces_the_older_one() -> None:
    """Running the cell that registers a handler a second time changes the handler, and adds none."""
    register_type(_handler("first", lambda annotation: annotation is Money))
    second = _handler("first", lambda annotation: annotation is Money)
    register_type(second)
    assert isinstance(handler_for(Money), second)


def test_two_handlers_that_claim_one_type_are_both_named() -> None:
    """Where two registered handlers know a type, neither is taken."""
    register_type(_handler("one", lambda annotation: annotation is Money))
    register_type(_handler("two", lambda annotation: annotation is Money))
    with pytest.raises(InterfaceError) as caught:
        handler_for(Money)
    assert str(caught.value) == (
        "one and two both claim the type Money\n  mend: let `for_annotation` of one of them return None for it"
    )


def test_handler_may_be_named_in_the_annotation() -> None:
    """`Annotated[T, handler]` takes that handler, as a class or as an instance."""
    mine = _handler("mine", lambda annotation: annotation is Money)
    assert handler_for(typing.Annotated[Money, mine]).name == "mine"
    assert handler_for(typing.Annotated[Money, mine()]).name == "mine"
    with pytest.raises(InterfaceError, match="mine does not take the type int"):
        handler_for(typing.Annotated[int, mine])


def test_only_handlers_can_be_registered() -> None:
    """Anything else is refused at once."""
    with pytest.raises(PluginError, match="register_type takes a subclass of TypeHandler"):
        register_type(Money)  # type: ignore[arg-type]  # what is tested


def test_handler_of_an_installed_package_is_found_by_its_entry_point(tmp_path: pathlib.Path) -> None:
    """A package adds a handler by an entry point, and nobody has to import it."""
    info = tmp_path / "cash-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: cash\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[celltask.types]\ncash = cash:CashHandler\n")
    (tmp_path / "cash.py").write_text(
        "from celltask.core.types.base import TypeHandler\n"
        "class Cash: ...\n"
        "class CashHandler(TypeHandler):\n"
        "    annotation, name = Cash, 'Cash of its package'\n"
        "    @classmethod\n"
        "    def for_annotation(cls, annotation):\n"
        "        return cls() if annotation is Cash else None\n"
        "    def validate(self, value):\n"
        "        return value\n"
    )
    code = "import cash; from celltask.core.types.lookup import handler_for; print(handler_for(cash.Cash).name)"
    assert _run(code, path=tmp_path) == "Cash of its package"


def _run(code: str, *, path: pathlib.Path | None = None) -> str:
    env = {**os.environ, "PYTHONPATH": str(path or "")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    return done.stdout.strip()


PLAIN = """
import sys, typing, enum, dataclasses, datetime, pathlib
from celltask.core.types.lookup import handler_for
@dataclasses.dataclass
class Point: x: int
class Colour(enum.Enum): RED = 1
class Report(typing.TypedDict): x: int
for annotation, value in [
    (int, 1), (list[int], [1]), (dict[str, float], {"a": 1.0}), (tuple[int, ...], (1,)), (set[str], {"a"}),
    (int | None, 1), (typing.Literal["a"], "a"), (Colour, Colour.RED), (Point, Point(1)), (Report, {"x": 1}),
    (datetime.date, datetime.date(2026, 1, 1)), (pathlib.Path, pathlib.Path("a")), (dict, {"a": [1]}),
]:
    handler = handler_for(annotation)
    handler.receive(value), handler.release(value), handler.digest(value)
roots = {name.partition(".")[0] for name in sys.modules}
print(sorted(roots - sys.stdlib_module_names - {"celltask", "__main__"} - BEFORE))
"""


def test_plain_types_import_nothing_outside_the_standard_library() -> None:
    """Scalars, containers, enums, dataclasses and typed dicts need neither pydantic nor NumPy nor anything else."""
    before = "import sys; BEFORE = {name.partition('.')[0] for name in sys.modules}\n"
    assert _run(before + PLAIN) == "[]"


def test_room_is_imported_without_what_it_seldom_needs() -> None:
    """Looking up scalars and containers loads no module that costs time at start-up."""
    code = (
        "import sys, inspect, typing, dataclasses; before = set(sys.modules)\n"
        "from celltask.core.types.lookup import handler_for\n"
        "handler_for(int).receive(1), handler_for(list[int]).receive([1]), handler_for(dict[str, float]).receive({})\n"
        "print(*sorted(name for name in set(sys.modules) - before if not name.startswith('celltask')))"
    )
    assert set(_run(code).split()) <= {"__future__", "copyreg", "math"}
