"""`Annotated` types with constraints, and names for other types: `NewType`, type variables, `type X = …`.

The constraints of `annotated_types` (which pydantic's `Field(ge=0)` is made of as well) are checked here; those
that only pydantic knows, such as a pattern, are left to pydantic, which is imported for them alone. A string in
`Annotated` is a description and checks nothing.
"""

from __future__ import annotations

import copy
import operator
import typing
from contextlib import suppress
from dataclasses import dataclass

from celltask.core.types.base import BuiltInHandler, Mismatch, TypeHandler
from celltask.core.types.fit import substituted
from celltask.core.types.lookup import family_of, handler_for
from celltask.core.types.marks import HIDDEN, Mark, Secret
from celltask.core.types.masking import is_secret
from celltask.core.types.naming import library_of, type_name
from celltask.errors import InterfaceError

if typing.TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Check", "ConstrainedHandler"]


@dataclass(frozen=True, slots=True)
class Check:
    """One constraint: how it reads after the type's name, whether it holds, and its words in JSON Schema."""

    text: str
    holds: Callable[[typing.Any], bool]
    schema: dict[str, object]


class ConstrainedHandler(BuiltInHandler):
    """A type whose values must hold some constraints as well; all else is as with the type alone."""

    def __init__(self, annotation: object, inner: TypeHandler, checks: list[Check], adapter: typing.Any) -> None:  # noqa: ANN401 - a class or value of a library that is not imported here
        name = inner.name + "".join(f"{',' if at else ''} {check.text}" for at, check in enumerate(checks))
        super().__init__(annotation, name)
        self.inner, self.checks, self._adapter = inner, checks, adapter
        self.copied_by_value = inner.copied_by_value

    @classmethod
    def for_annotation(cls, annotation: object) -> TypeHandler | None:
        """The handler of an `Annotated` type, or of a name for another type.

        Raises:
            InterfaceError: For a name that cannot be resolved, and for forms that no value has, as `ClassVar[int]`.
        """
        if typing.get_origin(annotation) is typing.Annotated:
            return _of_annotated(annotation)
        if isinstance(annotation, typing.NewType):
            return _renamed(handler_for(annotation.__supertype__), annotation.__name__ or "")
        if isinstance(annotation, typing.TypeVar):
            return _of_variable(annotation)
        alias = typing.get_origin(annotation) or annotation
        if type(alias).__name__ == "TypeAliasType":
            return _of_alias(annotation, alias)
        if annotation is typing.LiteralString:
            return handler_for(str)
        if isinstance(annotation, str | typing.ForwardRef):
            raise InterfaceError(
                f"the type {type_name(annotation)!r} is not defined",
                mend="import or define it before the task, or write the type without quotes",
            )
        return None

    def validate(self, value: object) -> object:
        """`value` validated by its type, if the constraints hold."""
        return self._constrained(self.inner.validate(value))

    def _constrained(self, value: object) -> object:
        for check in self.checks:
            try:
                holds = check.holds(value)
            except TypeError as error:
                raise Mismatch(self.name, value, hint=str(error)) from None
            if not holds:
                raise Mismatch(f"{self.inner.name} {check.text}", value)
        if self._adapter is None:
            return value
        from pydantic import ValidationError  # noqa: PLC0415 - 100 ms, and only for constraints that pydantic alone knows

        from celltask.core.types.models import from_pydantic  # noqa: PLC0415 - loaded with the adapter

        try:
            return self._adapter.validate_python(value)
        except ValidationError as error:
            raise from_pydantic(error, self.name, value) from None
        except Exception as error:  # border: validators are code of users
            raise Mismatch(self.name, value, hint=str(error)) from error

    def isolate(self, value: object) -> object:
        """As the type alone."""
        return self.inner.isolate(value)

    def release(self, value: object) -> object:
        """As the type alone."""
        return self.inner.release(self.validate(value))

    def to_json(self, value: object) -> object:
        """As the type alone."""
        return self.inner.to_json(value)

    def from_json(self, data: object) -> object:
        """As the type alone, if the constraints hold."""
        return self._constrained(self.inner.from_json(data))

    def parse(self, text: str) -> object:
        """As the type alone, if the constraints hold."""
        return self._constrained(self.inner.parse(text))

    def encode(self, value: object) -> bytes:
        """As the type alone."""
        return self.inner.encode(value)

    def decode(self, data: bytes) -> object:
        """As the type alone."""
        return self.inner.decode(data)

    def digest(self, value: object) -> str:
        """As the type alone."""
        return self.inner.digest(value)

    def describe(self) -> dict[str, object]:
        """JSON Schema, constraints included."""
        told = dict(self.inner.describe())
        for check in self.checks:
            told.update(check.schema)
        if told.get("type") == "array":
            told = {key.replace("Length", "Items"): value for key, value in told.items()}
        if self._adapter is not None:
            with suppress(Exception):  # border: a schema of pydantic's may be code of users
                told.update(self._adapter.json_schema())
        return told

    def within(self) -> dict[str, TypeHandler]:
        """The type alone."""
        return {"": self.inner}

    def masked_within(self, value: object) -> object:
        """As the type alone."""
        return self.inner.masked(value)

    def preview(self, value: object) -> str:
        """As the type alone; a secret is hidden."""
        return HIDDEN if is_secret(self) else self.inner.preview(value)


class MarkedHandler(ConstrainedHandler):
    """A type with marks, which change what forms and previews show and nothing else."""

    marks: tuple[type[Mark], ...] = ()

    @classmethod
    def around(cls, inner: TypeHandler, annotation: object, marks: list[type[Mark]]) -> TypeHandler:
        """The handler `inner` with `marks`."""
        made = cls(annotation, inner, [], None)
        made.marks = tuple(marks)
        made.is_secret = Secret in marks
        return made

    def describe(self) -> dict[str, object]:
        """JSON Schema, with the words of the marks."""
        told = super().describe()
        for mark in self.marks:
            told.update(mark.schema)
        return told


def _of_annotated(annotation: object) -> TypeHandler:
    base, *metadata = typing.get_args(annotation)
    marks = [one for one in metadata if isinstance(one, type) and issubclass(one, Mark)]
    if marks:
        left = [one for one in metadata if one not in marks]
        inner = handler_for(typing.Annotated[(base, *left)] if left else base)
        return MarkedHandler.around(inner, annotation, marks)
    for one in metadata:
        if isinstance(one, TypeHandler):
            return one
        if isinstance(one, type) and issubclass(one, TypeHandler):
            made = one.for_annotation(base)
            if made is None:
                raise InterfaceError(
                    f"{one.__qualname__} does not take the type {type_name(base)}",
                    mend="let its `for_annotation` return a handler for it",
                )
            made.settle()
            return made
    for family in ("files", "tables"):
        if family_of(base) == family:
            special = _of_family(family, base, metadata)
            if special is not None:
                return special
    known, foreign = sort_metadata(metadata)
    inner = handler_for(base)
    if not known and not foreign:
        return inner
    return ConstrainedHandler(annotation, inner, known, _adapter(base, foreign) if foreign else None)


def _of_family(family: str, base: object, metadata: list[object]) -> TypeHandler | None:
    if family == "files":
        from celltask.core.types.files import FileHandler  # noqa: PLC0415 - only where a file or table is declared

        return FileHandler.with_format(base, metadata)
    from celltask.core.types.files import Columns  # noqa: PLC0415 - only where a file or table is declared

    columns = [one for one in metadata if isinstance(one, Columns)]
    if not columns:
        return None
    from celltask.core.types.tables import TableHandler  # noqa: PLC0415 - only where a table is declared

    return TableHandler.with_columns(base, columns[0])


def _of_variable(variable: typing.TypeVar) -> TypeHandler:
    if variable.__constraints__:
        return _renamed(handler_for(typing.Union[variable.__constraints__]), variable.__name__)  # noqa: UP007 - made from a tuple
    return handler_for(typing.Any if variable.__bound__ is None else variable.__bound__)


_open_aliases: set[int] = set()


def _of_alias(annotation: object, alias: object) -> TypeHandler:
    value = alias.__value__  # type: ignore[attr-defined]  # Python 3.12: `type X = …`
    if id(alias) in _open_aliases:
        raise InterfaceError(
            f"the type {alias} contains itself",
            mend="use a dataclass or a TypedDict, which may contain themselves",
        )
    _open_aliases.add(id(alias))
    try:
        variables = alias.__type_params__  # type: ignore[attr-defined]  # likewise
        if variables and value in variables:
            value = dict(zip(variables, typing.get_args(annotation), strict=False)).get(value, typing.Any)
        return handler_for(substituted(value, typing.cast("type", alias), annotation))
    finally:
        _open_aliases.discard(id(alias))


def _renamed(handler: TypeHandler, name: str) -> TypeHandler:
    new = copy.copy(handler)
    new.name = name
    return new


def sort_metadata(metadata: Iterable[object]) -> tuple[list[Check], list[object]]:
    """The constraints that are checked here, and those that only pydantic knows."""
    known: list[Check] = []
    foreign: list[object] = []
    for one in metadata:
        package = library_of(type(one))
        inner = getattr(one, "metadata", None)
        if package == "pydantic" and isinstance(inner, list):  # Field(…)
            more, left = sort_metadata(inner)
            known += more
            foreign += left
            continue
        check = _check(one) if package in ("annotated_types", "pydantic") else None
        if check is not None:
            known.append(check)
        elif package == "annotated_types" and hasattr(type(one), "__iter__"):  # Interval, Len: several in one
            more, left = sort_metadata(typing.cast("Iterable[object]", one))
            known += more
            foreign += left
        elif package == "pydantic" or hasattr(one, "__get_pydantic_core_schema__"):
            foreign.append(one)
    return known, foreign


def _check(one: object) -> Check | None:
    name = type(one).__name__
    if name in _BOUNDS:
        attribute, sign, compare, word = _BOUNDS[name]
        bound = getattr(one, attribute)
        schema: dict[str, object] = {word: bound} if isinstance(bound, int | float) else {}
        return Check(f"{sign} {bound!r}", lambda value: bool(compare(value, bound)), schema)
    if name == "MultipleOf":
        step = one.multiple_of  # type: ignore[attr-defined]  # annotated_types.MultipleOf
        return Check(f"that is a multiple of {step!r}", lambda value: value % step == 0, {"multipleOf": step})
    if name in ("MinLen", "MaxLen"):
        least = name == "MinLen"
        size = one.min_length if least else one.max_length  # type: ignore[attr-defined]  # annotated_types
        compare = operator.ge if least else operator.le
        text = f"of length {'≥' if least else '≤'} {size}"
        word = "minLength" if least else "maxLength"
        return Check(text, lambda value: compare(len(value), size), {word: size})
    if name == "Predicate":
        holds = one.func  # type: ignore[attr-defined]  # annotated_types.Predicate
        return Check(f"for which {getattr(holds, '__name__', 'a predicate')} holds", holds, {})
    return None


_BOUNDS: dict[str, tuple[str, str, Callable[[typing.Any, typing.Any], object], str]] = {
    "Gt": ("gt", ">", operator.gt, "exclusiveMinimum"),
    "Ge": ("ge", "≥", operator.ge, "minimum"),
    "Lt": ("lt", "<", operator.lt, "exclusiveMaximum"),
    "Le": ("le", "≤", operator.le, "maximum"),
}


def _adapter(base: object, metadata: list[object]) -> object:
    """Check by pydantic itself of `metadata` on values of type `base`."""
    from pydantic import PydanticSchemaGenerationError, TypeAdapter  # noqa: PLC0415 - 100 ms, and only for constraints that pydantic alone knows
    from pydantic.errors import PydanticUserError  # noqa: PLC0415 - 100 ms, and only for constraints that pydantic alone knows

    annotated: typing.Any = typing.Annotated[(base, *metadata)]
    try:
        return TypeAdapter(annotated)
    except (PydanticSchemaGenerationError, PydanticUserError, TypeError, ValueError, RuntimeError):
        pass
    try:
        annotated = typing.Annotated[(typing.Any, *metadata)]
        return TypeAdapter(annotated)
    except (PydanticUserError, TypeError, ValueError, RuntimeError) as error:
        told = str(error).splitlines()[0]
        raise InterfaceError(
            f"pydantic cannot check {', '.join(map(repr, metadata))} on {type_name(base)}: {told}",
            mend="remove the constraint, or put it on a type that it fits",
        ) from None
