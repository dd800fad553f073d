"""Secrets within other values: shown by no form, however deep they lie, and asked for by the code that it writes."""

from __future__ import annotations

import getpass
import html
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ipywidgets as w
import pydantic
import pytest

from celltask import Secret, task
from celltask.notebook.forms_parts import SecretField
from celltask.notebook.forms_table import table_bundle

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Page

    Open = Callable[..., Page]

Token = typing.Annotated[str, Secret]
HUSH, OTHER = "s3cr3t", "an0ther"


@dataclass
class Account:
    """A dataclass with a secret."""

    name: str
    token: Token = HUSH
    backup: Token | None = None


class Server(pydantic.BaseModel):
    """A model with secrets of both kinds."""

    port: int = 80
    token: Token = HUSH
    password: pydantic.SecretStr = pydantic.SecretStr(HUSH)
    spare: pydantic.SecretStr | None = pydantic.SecretStr(HUSH)


class Icon(pydantic.BaseModel):
    """A model with a secret, and a field that JSON has no word for."""

    token: Token = HUSH
    icon: bytes = pydantic.Field(default_factory=lambda: b"\xff")


class Anything(pydantic.BaseModel):
    """A model with a secret, and a value that pydantic cannot write."""

    token: Token = HUSH
    when: typing.Any = pydantic.Field(default_factory=lambda: len)


class Renamed(pydantic.BaseModel):
    """A model whose fields have other names where they are read or written."""

    token: pydantic.SecretStr = pydantic.Field(pydantic.SecretStr(HUSH), serialization_alias="tok")
    spare: Token = pydantic.Field(HUSH, validation_alias=pydantic.AliasChoices("more", "extra"))
    count: int = pydantic.Field(3, validation_alias="times")
    word: str = pydantic.Field(HUSH, json_schema_extra={"format": "password"})


class Sealed(pydantic.RootModel[list[Token]]):
    """A model that is a list of secrets."""


class Chain(pydantic.BaseModel):
    """A model that holds itself, and another one."""

    server: Server = Server()
    next: Chain | None = None


class Login(typing.NamedTuple):
    """A named tuple with a secret."""

    user: str
    token: Token


class Options(typing.TypedDict):
    """A typed dict with a secret."""

    user: str
    token: Token


def _hush() -> pydantic.SecretStr:
    return pydantic.SecretStr(HUSH)


CASES = {
    "list": (list[Token], [HUSH, OTHER]),
    "list-of-secret-str": (list[pydantic.SecretStr], [_hush()]),
    "tuple": (tuple[str, Token], ("ada", HUSH)),
    "tuple-of-many": (tuple[Token, ...], (HUSH,)),
    "dict": (dict[str, Token], {"a": HUSH}),
    "dict-of-secret-bytes": (dict[str, pydantic.SecretBytes], {"a": pydantic.SecretBytes(HUSH.encode())}),
    "dict-key": (dict[Token, int], {HUSH: 1}),
    "optional": (Token | None, HUSH),
    "optional-secret-str": (pydantic.SecretStr | None, _hush()),
    "union": (int | list[Token], [HUSH]),
    "dataclass": (Account, Account("ada", HUSH, OTHER)),
    "list-of-dataclass": (list[Account], [Account("ada"), Account("bob", OTHER)]),
    "optional-dataclass": (Account | None, Account("ada")),
    "model": (Server, Server(token=OTHER)),
    "model-in-model": (Chain, Chain(next=Chain(server=Server(token=OTHER, password=pydantic.SecretStr(OTHER))))),
    "model-with-aliases": (Renamed, Renamed(times=5, more=OTHER)),  # type: ignore[call-arg]  # not known to mypy
    "root-model": (Sealed, Sealed([HUSH])),
    "rivals": (dict[str, str] | dict[str, Token], {"a": HUSH}),
    "dict-of-list-of-model": (dict[str, list[Server]], {"a": [Server(password=_hush())]}),
    "named-tuple": (Login, Login("ada", HUSH)),
    "typed-dict": (Options, {"user": "ada", "token": HUSH}),
    "set": (set[Token], {HUSH}),
    "number": (list[typing.Annotated[int, Secret]], [3133731337]),
}
WITHOUT_JSON = {
    "model-of-bytes": (Icon, Icon(token=OTHER)),
    "model-of-anything": (Anything, Anything(token=OTHER)),
}
WORDS = (HUSH, OTHER, "3133731337")


def _shown(form: Page) -> str:
    """All that the page and a saved notebook have of a form."""
    states = [str(one.get_state()) for one in form.widgets(w.DOMWidget)]
    fields = [f"{field.default_text} {field.default_told} {field.error}" for field in form.view.form.fields]
    texts = [form.view.form.code(), form.view.form.command(), str(table_bundle(form.view.form)), *form.kept]
    return html.unescape("\n".join([*states, *fields, *texts]))


def _told(text: str) -> list[str]:
    """The secrets that `text` tells."""
    return [word for word in WORDS if word in text]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Questions that the code of a form asks, each answered with a secret."""
    questions: list[str] = []

    def answer(prompt: str) -> str:
        questions.append(prompt)
        return "3133731337" if "pins" in prompt else HUSH

    monkeypatch.setattr(getpass, "getpass", answer)
    return questions


@pytest.mark.parametrize(
    ("annotation", "value"), [*CASES.values(), *WITHOUT_JSON.values()], ids=[*CASES, *WITHOUT_JSON]
)
def test_a_secret_within_is_shown_nowhere(page: Open, annotation: object, value: object) -> None:
    """Neither as a default nor as a value, before or after a run, and the run gets it as it is."""

    def keep(held: object) -> object:
        return held

    def keep_default(held: object = value) -> object:
        return held

    for function in (keep, keep_default):
        function.__annotations__.update({"held": annotation, "return": annotation})
        form = page(task(function), Account=Account, Server=Server, Chain=Chain, Login=Login)
        form.view.form["held"].fill(value)
        form.view.changed()
        assert _told(_shown(form)) == []
        assert form.errors() == []
        form.click("Run")
        assert form.wait().startswith("done")
        assert form.variables[f"{function.__name__}_result"] == value
        assert "••••••••" in html.unescape(str(form.view.shown.value))
        assert _told(_shown(form)) == []


@pytest.mark.parametrize(("annotation", "value"), CASES.values(), ids=CASES)
def test_the_code_asks_for_a_secret_within(page: Open, asked: list[str], annotation: object, value: object) -> None:
    """It runs as it stands, and the command reads the value from standard input."""

    def keep(held: object) -> object:
        return held

    keep.__annotations__.update({"held": annotation})
    made = task(keep)
    form = page(made, Account=Account, Server=Server, Chain=Chain, Login=Login)
    form.view.form["held"].fill(value)
    code = form.view.form.code()
    names: dict[str, object] = {"keep": made, "Account": Account, "Server": Server, "Chain": Chain, "Login": Login}
    monkeyed = code.replace('getpass("held', 'getpass("pins') if "int(" in code else code
    exec(monkeyed, names)  # noqa: S102 - the code of a form, which is to be run
    assert len(asked) == code.count("getpass(")
    assert all(prompt.startswith(("held", "pins")) and prompt.endswith(": ") for prompt in asked)
    if OTHER not in str(value):
        assert names["keep_result"] == value
    assert form.view.form.command() == "celltask run NOTEBOOK.ipynb keep --held -"


def test_the_code_names_what_it_asks_for(page: Open) -> None:
    """Each question tells the way to the secret; all else of the value stands in the call."""

    @task
    def connect(account: Account, servers: dict[str, list[Server]]) -> int:
        return len(servers)

    form = page(connect, Account=Account, Server=Server)
    form.view.form["account"].fill(Account("ada", HUSH))
    form.view.form["servers"].fill({"a": [Server(port=8080, password=_hush())]})
    assert form.view.form.code() == (
        "from getpass import getpass\n"
        "from pydantic import SecretStr\n"
        "\n"
        "connect_result = connect(\n"
        "    account=Account(name='ada', token=getpass(\"account.token: \"), backup=None),\n"
        "    servers={'a': [Server(port=8080, token=getpass(\"servers['a'][0].token: \"), "
        "password=SecretStr(getpass(\"servers['a'][0].password: \")), "
        "spare=SecretStr(getpass(\"servers['a'][0].spare: \")))]},\n"
        ")"
    )


def test_a_model_with_aliases_has_places_for_its_fields(page: Open) -> None:
    """Under the names by which it is read; no expression stands in their stead."""

    @task
    def keep(held: Renamed = Renamed(times=5)) -> int:  # type: ignore[call-arg]  # noqa: B008 - as above; copied
        return held.count

    form = page(keep, Renamed=Renamed)
    assert not form.view.form["held"].by_expression
    form.type("times", "6")
    form.click("Run")
    assert form.wait().startswith("done")
    assert form.variables["keep_result"] == 6


def test_what_is_typed_is_in_no_state(page: Open) -> None:
    """Neither in that of its own field, which a saved notebook may have, nor in an error beside it."""

    @task
    def connect(account: Account, pins: dict[str, typing.Annotated[int, Secret]], rate: list[float]) -> object:
        return account, pins

    form = page(connect)
    form.type("name", "ada")
    form.type("token", "password")
    form.click("add one to pins")
    form.view.form["pins"].entry.items[0].key.enter("a")  # type: ignore[attr-defined]  # rows
    token, pin = form.widgets(SecretField)
    token.value = HUSH
    pin.value = f"{HUSH}!"
    assert _told(_shown(form)) == []
    assert form.errors() == ["must be int, got •••••••• (str)"]
    assert [one.placeholder for one in (token, pin)] == ["given: ••••••••"] * 2
    pin.value = "3133731337"
    form.click("Run")
    form.wait()
    assert form.variables["connect_result"] == (Account("ada", HUSH), {"a": 3133731337})
    form.click("Reset")
    assert not any(one.value for one in form.widgets(SecretField))


def test_an_error_quotes_what_is_no_secret(page: Open) -> None:
    """Beside a part that is none, the value is told as ever; of the whole that holds one, it is not."""

    @task
    def connect(server: Server, account: Account) -> int:
        return server.port

    form = page(connect)
    form.type("port", "many")
    assert "many" in form.errors()[0]
    form.view.form["account"].by_expression = True
    form.view.form["account"].expression.enter(f"{{'token': '{HUSH}'}}")
    form.view.changed()
    assert form.view.form["account"].error == "must be Account, got •••••••• (dict)"
    assert form.view.form["account"].source().text == "..."
