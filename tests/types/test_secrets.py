"""Secrets within values: told by the type, at whatever depth, and shown by no preview, error or picture."""

from __future__ import annotations

import json
import typing
from dataclasses import dataclass, field

import pydantic
import pytest

from celltask import Secret, task, workflow
from celltask.core.types.lookup import handler_for
from celltask.core.types.masking import holds_secrets
from celltask.errors import ValueMismatchError
from celltask.render.outline import text

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
    "constrained": (typing.Annotated[list[Token], pydantic.Field(max_length=2)], [HUSH], "[••••••••]"),
    "misfit": (list[Token], 7, "••••••••"),
}  # fmt: skip


@pytest.mark.parametrize(("annotation", "value", "shown"), SHOWN.values(), ids=SHOWN)
def test_a_preview_shows_dots_for_each_secret(annotation: object, value: object, shown: str) -> None:
    """What is no secret is shown as ever, and the value itself is untouched."""
    before = str(value)
    assert handler_for(annotation).preview(value) == shown
    assert str(value) == before


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
