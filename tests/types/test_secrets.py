"""Secrets within values: told by the type, at whatever depth, and shown by no preview, error or picture."""

from __future__ import annotations

import json
import typing
from dataclasses import dataclass, field
from functools import cached_property

import pydantic
import pytest

from celltask import Secret, conditional, map_task, task, workflow
from celltask.core.graph import Graph
from celltask.core.graph_secrets import without_secrets
from celltask.core.types.lookup import handler_for
from celltask.core.types.masking import holds_secrets
from celltask.errors import ValueMismatchError
from celltask.render import html, svg, text

HUSH = "s3cr3t"
Token = typing.Annotated[str, Secret]
Pin = typing.Annotated[int, Secret]


@dataclass
class Node:
    """A dataclass that holds itself."""

    token: Token = HUSH
    inner: Node | None = None
    pins: dict[str, Pin] = field(default_factory=dict)
    rate: float = 1.0


class Model(pydantic.BaseModel):
    """A model with secrets by mark and by class."""

    token: Token = HUSH
    keys: list[pydantic.SecretStr] = [pydantic.SecretStr(HUSH)]
    node: Node = Node()


class Sealed(pydantic.RootModel[list[Token]]):
    """A model that is a list of secrets."""


class Told(pydantic.BaseModel):
    """A model with what it makes of its secret, and a field that only its schema calls a password."""

    model_config = pydantic.ConfigDict(extra="allow")
    token: Token = HUSH
    word: str = pydantic.Field(HUSH, json_schema_extra={"format": "password"})
    code: str = pydantic.Field(HUSH, json_schema_extra=lambda told: told.update(format="password"))
    _kept: str = HUSH

    @pydantic.computed_field
    @cached_property
    def header(self) -> str:
        """What a request has."""
        return f"Bearer {self.token}"

    @pydantic.computed_field
    @property
    def url(self) -> str:
        """Where a request goes."""
        return f"/{self._kept}"


@dataclass
class Request:
    """A dataclass that keeps, and shows, what it makes of its secret."""

    token: Token = HUSH

    @cached_property
    def header(self) -> str:
        """What it is sent with."""
        return f"Bearer {self.token}"

    def __repr__(self) -> str:
        return f"<request with {self.header}>"


def _told() -> Told:
    made = Told(tokn=HUSH)  # type: ignore[call-arg]  # a name that was mistyped
    assert HUSH in made.header
    return made


SHOWN = {
    "list": (list[Token], [HUSH], "[••••••••]"),
    "dict": (dict[str, Token], {"a": HUSH}, "{'a': ••••••••}"),
    "key": (dict[Token, int], {HUSH: 1}, "{••••••••: 1}"),
    "tuple": (tuple[int, Token], (1, HUSH), "(1, ••••••••)"),
    "optional": (Token | None, HUSH, "••••••••"),
    "nothing": (Token | None, None, "None"),
    "union": (list[int | Token], [1, HUSH], "[1, ••••••••]"),
    "inner": (
        Node,
        Node("", Node(HUSH)),
        "Node(token=••••••••, inner=Node(token=••••••••, inner=None, pins={}, rate=1.0),…",
    ),
    "model": (Model, Model(), "Model(token=••••••••, keys=[••••••••], node=Node(token=••••••••, inner=None, pi…"),
    "root": (Sealed, Sealed([HUSH]), "Sealed(root=[••••••••])"),
    "made-of-it": (
        Told,
        _told(),
        "Told(token=••••••••, word=••••••••, code=••••••••, tokn=••••••••, header=••••••…",
    ),
    "kept": (Request, Request(), "<request with ••••••••>"),
    "rival": (dict[str, str] | dict[str, Token], {"a": HUSH}, "{'a': ••••••••}"),
    "rivals": (dict[Token, str] | dict[str, Token], {HUSH: HUSH}, "••••••••"),
    "rivals-within": (list[dict[str, str] | dict[str, Token]], [{"a": HUSH}], "[{'a': ••••••••}]"),
    "no-member": (int | Token, [HUSH], "••••••••"),
    "long": (list[Token], [HUSH] * 100, "[" + "••••••••, " * 7 + "••••••••…"),
    "long-dict": (
        dict[int, Token],
        dict.fromkeys(range(100), HUSH),
        "{0: ••••••••, 1: ••••••••, 2: ••••••••, 3: ••••••••, 4: ••••••••, 5: ••••••••, …",
    ),
    "constrained": (typing.Annotated[list[Token], pydantic.Field(max_length=2)], [HUSH], "[••••••••]"),
    "misfit": (list[Token], 7, "••••••••"),
}  # fmt: skip


@pytest.mark.parametrize(("annotation", "value", "shown"), SHOWN.values(), ids=SHOWN)
def test_a_preview_shows_dots_for_each_secret(annotation: object, value: object, shown: str) -> None:
    """What is no secret is shown as ever, and the value itself is untouched."""
    before = str(value)
    assert handler_for(annotation).preview(value) == shown
    assert str(value) == before


def test_what_is_made_of_a_secret_is_hidden() -> None:
    """Also what a model works out from its private attributes."""
    masked = handler_for(Told).masked(_told())
    assert HUSH not in repr(masked)
    assert repr(masked).endswith("header=••••••••, url='/••••••••')")


@pytest.mark.parametrize("kind", [list, dict])
def test_a_preview_looks_at_no_more_than_it_can_show(kind: type) -> None:
    """Of a long list or dict, only the beginning is rebuilt with dots."""
    copied = []

    @dataclass
    class Key:
        token: Token

        def __copy__(self) -> Key:
            copied.append(self)
            return Key(self.token)

    keys = [Key(HUSH) for _ in range(1000)]
    if kind is list:
        shown = handler_for(list[Key]).preview(keys)
    else:
        shown = handler_for(dict[int, Key]).preview(dict(enumerate(keys)))
    assert "Key(token=•••" in shown
    assert len(shown) == 80
    assert 0 < len(copied) <= 80


def test_what_holds_no_secret_is_not_rebuilt() -> None:
    """A value is shown as it is where its type says that nothing in it is secret."""
    value = [{"a": [1]}]
    handler = handler_for(list[dict[str, list[int]]])
    assert handler.masked(value) is value
    assert not holds_secrets(handler)


def test_a_description_has_no_secret_defaults() -> None:
    """JSON Schemas are shown to anybody; what is no secret keeps its default there."""
    for annotation in (Node, Model):
        told = json.dumps(handler_for(annotation).describe())
        assert HUSH not in told
        assert "***" not in told
        assert '"default": 1.0' in told
        assert '"format": "password"' in told


def test_a_picture_shows_no_secret_that_is_given_or_compared() -> None:
    """Neither as an output, as a key of what is put together, in a condition, nor in the JSON of a command."""

    @task
    def ask(n: int) -> int:
        return n

    @task
    def log_in(keys: dict[Token, int]) -> int:
        return len(keys)

    @task
    def renew(token: Token) -> Token:
        return token

    @workflow
    def visit(token: Token, open_: str) -> tuple[int, Token, list[Token], Token]:
        some = conditional("some").if_(token == HUSH).then(1).elif_(open_ == "seen").then(2).else_().fail("no")
        new = conditional("new").if_(open_ == "seen").then(renew(token)).else_().then(HUSH)
        return log_in({HUSH: ask(some)}), HUSH, [HUSH, token], new

    graph = visit.graph
    given = json.dumps(without_secrets(graph).to_json(), ensure_ascii=False)
    for told in (text(graph), html(graph), svg(graph), given):
        assert HUSH not in told
        assert "seen" in told
    assert "{••••••••: ask}" in text(graph)
    assert "→ o1: str  ← ••••••••\n→ o2: list[str]  ← [••••••••, token]" in text(graph)
    assert Graph.from_json(graph.to_json()) == graph
    assert HUSH in json.dumps(graph.to_json())


def test_a_failed_item_of_a_map_is_told_without_its_secret() -> None:
    """What is no secret is told as ever."""

    @task
    def log_in(token: Token, user: str) -> int:
        raise ValueError(user)

    @workflow
    def visit(tokens: list[Token], users: list[str]) -> list[int]:
        return map_task(log_in)(token=tokens, user=users)

    with pytest.raises(ValueError, match="ada") as caught:
        visit([HUSH], ["ada"])
    told = "in item 0 of 1 (counted from 0) of the map over 'log_in': token=•••••••• (str), user='ada' (str)"
    assert told in caught.value.__notes__


_PART = "input 'held' of 'take', at held"
REFUSED = {
    "whole": (list[Token], HUSH, "input 'held' of 'take' must be list[str], got •••••••• (str)"),
    "part": (list[Pin], [HUSH], _PART + "[0], must be int, got •••••••• (str)"),
    "key": (dict[Pin, int], {HUSH: 1}, _PART + "[••••••••], must be int, got •••••••• (str)"),
    "below-key": (dict[Token, int], {HUSH: "x"}, _PART + "[••••••••], must be int, got •••••••• (str)"),
    "field": (Node, Node(pins={"a": HUSH}), _PART + ".pins['a'], must be int, got •••••••• (str)"),  # type: ignore[dict-item]  # a secret that does not fit
    "open-field": (Node, Node(rate="x"), _PART + ".rate, must be float, got 'x' (str)"),  # type: ignore[arg-type]  # as above
    "secret-str": (list[pydantic.SecretStr], [HUSH], _PART + "[0], must be SecretStr, got •••••••• (str)"),
}  # fmt: skip


@pytest.mark.parametrize(("annotation", "value", "told"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_quotes_no_secret(annotation: object, value: object, told: str) -> None:
    """It names the place and the class; what is no secret is quoted as ever."""

    def take(held: object) -> None:
        """Take it."""

    take.__annotations__["held"] = annotation
    with pytest.raises(ValueMismatchError) as caught:
        task(take)(value)
    assert caught.value.what == told
    assert HUSH not in str(caught.value)


def test_a_picture_shows_no_secret_that_is_bound() -> None:
    """Neither one that a workflow gives nor a default."""

    @task
    def log_in(tokens: list[Token], retries: int, node: Node = Node(HUSH)) -> int:  # noqa: B008 - a default is checked and copied
        return retries

    @workflow
    def visit(spare: Token | None = HUSH) -> int:
        return log_in([HUSH], 3)

    told = text(visit.graph)
    assert HUSH not in told
    assert "••••••••" in told
    assert "3" in told
