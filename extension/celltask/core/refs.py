"""Refs: what stands for a value while a workflow is traced, before anything has run."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from celltask.core.types.base import TypeHandler
from celltask.core.types.fit import field_type, fits, item_type
from celltask.core.types.lookup import handler_for
from celltask.core.types.marks import HIDDEN
from celltask.core.types.masking import holds_secrets
from celltask.errors import InterfaceError, RefError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from celltask.core.graph import Binding, FromInput, FromNode
    from celltask.core.tracing import Tracer

__all__ = ["Condition", "NodeHandle", "NodeOutputs", "Ref"]


_DECIDE = 'write conditional("name").if_(…).then(…), or decide in a task or a @dynamic function that gets the value'
_REPEAT = "use map_task for its items, or loop in a task or a @dynamic function that gets the value"


class _Ordered:
    """What ``a >> b`` and ``with_overrides`` need: the tracer and the number of the node."""

    __slots__ = ("_node", "_tracer")

    def __init__(self, tracer: Tracer, node: int) -> None:
        self._tracer, self._node = tracer, node

    def __rshift__(self, later: object) -> object:
        """``a >> b``: b starts after a has ended, though no value goes from one to the other."""
        self._tracer.order(self, later)
        return later

    def with_overrides(self, **overrides: object) -> _Ordered:
        """The same node with another name or other options here.

        These are name, retries, timeout, cache, cache_ttl, environment and resources. A node that is a workflow can be
        given another name only.

        Raises:
            GraphError: If there is no such option, or its value makes no sense.
        """
        self._tracer.override(self._node, overrides)
        return self


class NodeHandle(_Ordered):
    """A node without outputs: good for ``>>`` and ``with_overrides`` only."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"node {self._tracer.label(self._node)}"


class NodeOutputs(tuple):  # type: ignore[type-arg]  # noqa: SLOT001 - a tuple of Refs with two attributes
    """The outputs of a node with several, to unpack, or to take by name."""

    _names: tuple[str, ...]
    _handle: NodeHandle

    @classmethod
    def of(cls, refs: tuple[Ref, ...], names: tuple[str, ...], tracer: Tracer, node: int) -> NodeOutputs:
        """The outputs of `node`, in order, with their names."""
        made = cls(refs)
        made._names, made._handle = names, NodeHandle(tracer, node)
        return made

    def __getattr__(self, name: str) -> Ref:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self._names:
            told = f"{self._handle!r} has no output {name!r}"
            where = self._handle._tracer.where()  # noqa: SLF001 - of this module
            raise RefError(told, where, f"use one of: {', '.join(self._names)}")
        return self[self._names.index(name)]  # type: ignore[no-any-return]  # a tuple of Refs

    @property
    def count(self) -> object:  # type: ignore[override]  # the output of that name, if there is one
        """The output called ``count``, or the method of tuples."""
        return self.__getattr__("count") if "count" in self._names else super().count

    @property
    def index(self) -> object:  # type: ignore[override]  # the output of that name, if there is one
        """The output called ``index``, or the method of tuples."""
        return self.__getattr__("index") if "index" in self._names else super().index

    def __rshift__(self, later: object) -> object:
        return self._handle >> later

    def with_overrides(self, **overrides: object) -> NodeOutputs:
        """See `Ref.with_overrides`."""
        self._handle.with_overrides(**overrides)
        return self


class _Joinable:
    """What ``&`` and ``|`` need on either side: a way to refuse what stands beside it."""

    __slots__ = ()

    def __and__(self, other: object) -> Condition:
        return self._joined("&", self, other)

    def __rand__(self, other: object) -> Condition:
        return self._joined("&", other, self)

    def __or__(self, other: object) -> Condition:
        return self._joined("|", self, other)

    def __ror__(self, other: object) -> Condition:
        return self._joined("|", other, self)

    def _joined(self, sign: str, left: object, right: object) -> Condition:
        if not (may_be_true(left) and may_be_true(right)):
            raise self._no_join(sign, right if left is self else left)
        return Condition(sign, left, right)

    def _no_join(self, sign: str, other: object) -> RefError:
        """The error for ``&`` or ``|`` between this and `other`, of which one is no condition."""
        raise NotImplementedError


class Ref(_Ordered, _Joinable):
    """The value that an input of the workflow or an output of a node will have.

    ``ref.field``, ``ref["key"]`` and ``ref[0]`` give references to parts of it. Everything that needs the value
    itself (truth, length, iteration, arithmetic) is refused with what to write instead.
    """

    __slots__ = ("_annotation", "_binding", "_name")

    def __init__(self, tracer: Tracer, node: int, binding: FromInput | FromNode, annotation: object, name: str) -> None:
        self._tracer, self._node = tracer, node
        self._binding, self._annotation, self._name = binding, annotation, name

    def __getattr__(self, name: str) -> Ref:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            annotation = field_type(declared_of(self), name)
        except LookupError as error:
            raise self._no_part(f".{name}", error) from None
        return self._part(("field", name), annotation, f"{self._name}.{name}")

    def __getitem__(self, key: object) -> Ref:
        if isinstance(key, Ref | slice | Condition):
            told = {Ref: "a reference", slice: "a slice", Condition: "a condition, as for filtering a table,"}[
                type(key)
            ]
            raise self._refuse(f"{told} in {self._name}[…]")
        if isinstance(key, tuple | list) and any(isinstance(part, Ref | Condition) for part in key):
            raise self._refuse(f"{self._name}[…] with a reference or condition in it")
        try:
            annotation = item_type(declared_of(self), key)
        except LookupError as error:
            raise self._no_part(f"[{key!r}]", error) from None
        return self._part(("item", key), annotation, f"{self._name}[{key!r}]")

    def _part(self, step: tuple[str, object], annotation: object, name: str) -> Ref:
        binding = self._binding._replace(path=(*self._binding.path, step))  # type: ignore[arg-type]  # a literal first item
        return Ref(self._tracer, self._node, binding, annotation, name)

    def _no_part(self, part: str, error: LookupError) -> RefError:
        told = error.args[0] if error.args else "no such part"
        return RefError(f"{self._name}{part}: {told}", self._tracer.where(), "use a part that its type has")

    def _refuse(self, use: str, mend: str = "do this inside a task, and pass the value to it") -> RefError:
        return RefError(
            f"{use} needs the value of {self._name}, which exists only when the workflow runs",
            self._tracer.where(),
            mend,
        )

    def __bool__(self) -> NoReturn:
        raise self._refuse("`if`, `and`, `or` or `not`", _DECIDE)

    def __iter__(self) -> Iterator[object]:
        raise self._refuse("iteration or unpacking", _REPEAT)

    def __len__(self) -> NoReturn:
        raise self._refuse("len()", _REPEAT)

    def __contains__(self, item: object) -> NoReturn:
        raise self._refuse("`in`", _DECIDE)

    def __call__(self, *_: object, **__: object) -> NoReturn:
        """Refused: a reference is no function."""
        raise self._refuse("a call")

    def __index__(self) -> NoReturn:
        raise self._refuse("use as a number")

    def __float__(self) -> NoReturn:
        raise self._refuse("use as a number")

    __int__ = __float__

    def __format__(self, spec: str) -> NoReturn:
        raise self._refuse("an f-string or str.format")

    def __str__(self) -> NoReturn:
        raise self._refuse("str() or print()")

    def __lt__(self, other: object) -> Condition:
        return Condition("<", self, other)

    def __le__(self, other: object) -> Condition:
        return Condition("<=", self, other)

    def __gt__(self, other: object) -> Condition:
        return Condition(">", self, other)

    def __ge__(self, other: object) -> Condition:
        return Condition(">=", self, other)

    def __eq__(self, other: object) -> Condition:  # type: ignore[override]  # a condition, not a truth
        return Condition("==", self, other)

    def __ne__(self, other: object) -> Condition:  # type: ignore[override]  # a condition, not a truth
        return Condition("!=", self, other)

    def __invert__(self) -> Condition:
        if not may_be_true(self):
            raise self._refuse("`~`")
        return Condition("~", self, None)

    def _no_join(self, sign: str, other: object) -> RefError:  # noqa: ARG002 - the fault is told of this side
        return RefError(
            f"`{sign}` joins conditions, and {self._name} beside it is none",
            self._tracer.where(),
            f"put each comparison in brackets: (a > 1) {sign} (b < 2); do arithmetic inside a task",
        )

    def is_true(self) -> Condition:
        """The condition that the value is ``True``."""
        return self.is_(True)

    def is_false(self) -> Condition:
        """The condition that the value is ``False``."""
        return self.is_(False)

    def is_none(self) -> Condition:
        """The condition that the value is ``None``."""
        return self.is_(None)

    def is_(self, value: bool | None) -> Condition:  # noqa: FBT001 - a value
        """The condition that the value is this one of ``True``, ``False`` and ``None``."""
        return Condition("is", self, value)

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"<reference to {self._name}>"


def _refuser(sign: str) -> object:
    def refused(self: Ref, *_: object) -> NoReturn:
        raise self._refuse(f"`{sign}`")

    return refused


for _method, _sign in {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**", "matmul": "@",
    "xor": "^", "lshift": "<<",
}.items():  # fmt: skip
    setattr(Ref, f"__{_method}__", _refuser(_sign))
    setattr(Ref, f"__r{_method}__", _refuser(_sign))
for _method, _sign in {"neg": "-", "pos": "+", "abs": "abs()"}.items():
    setattr(Ref, f"__{_method}__", _refuser(_sign))


def may_be_true(side: object) -> bool:
    """Whether `side` is a condition, or can be a part of one beside ``&``, ``|`` or ``~``."""
    return isinstance(side, Condition | bool) or (isinstance(side, Ref) and fits(declared_of(side), bool))


class Condition(_Joinable):
    """A comparison of references, joined by ``&``, ``|`` and ``~``; it has no truth before the run.

    `sign` is one of ``< <= > >= == != & | ~ is``; `right` is ``None`` for ``~``.
    """

    __slots__ = ("left", "right", "sign")

    def __init__(self, sign: str, left: object, right: object) -> None:
        self.sign, self.left, self.right = sign, left, right

    def __invert__(self) -> Condition:
        return Condition("~", self, None)

    def _no_join(self, sign: str, other: object) -> RefError:
        told = f"{other._name} is no bool" if isinstance(other, Ref) else f"{other!r} is no condition"  # noqa: SLF001 - of this module
        return RefError(f"{told}, and cannot be joined by `{sign}` to {self!r}", mend="compare it: (a > 1) & (b < 2)")

    def __bool__(self) -> NoReturn:
        ref: object = self
        while isinstance(ref, Condition):
            ref = ref.left if isinstance(ref.left, Ref | Condition) else ref.right
        if isinstance(ref, Ref):
            raise ref._refuse(f"the truth of {self!r}", _DECIDE)  # noqa: SLF001 - of this module
        raise RefError(f"{self!r} has no truth before the workflow runs", mend="decide inside a task")

    def text(self, text_of: Callable[[object], str]) -> str:
        """The condition as people read it, with the text that `text_of` gives for each side; a secret is no text."""
        sides = (self.left, self.right)
        is_secret = any(isinstance(side, Ref) and _may_be_secret(side) for side in sides)
        left, right = (
            f"({text_of(side)})" if isinstance(side, Condition)
            else HIDDEN if is_secret and not isinstance(side, Ref)
            else text_of(side)
            for side in sides
        )  # fmt: skip
        return f"not {left}" if self.sign == "~" else f"{left} {self.sign} {right}"

    def __repr__(self) -> str:
        return self.text(lambda side: side._name if isinstance(side, Ref) else repr(side))  # noqa: SLF001 - of this module


def _may_be_secret(ref: Ref) -> bool:
    with suppress(InterfaceError):  # the type of a part need not be one that a value can be declared by
        return holds_secrets(handler_for(declared_of(ref)))
    return False


def declared_of(ref: Ref) -> object:
    """The type declared for the value that `ref` stands for."""
    source = ref._annotation  # noqa: SLF001 - of this module
    return source.annotation if isinstance(source, TypeHandler) else source


def binding_of(ref: Ref) -> Binding:
    """The binding that `ref` stands for."""
    return ref._binding  # noqa: SLF001 - of this module
