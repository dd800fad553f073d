"""What a form takes for values of many types: parts, variables, secrets, files, and controls of one's own."""

from __future__ import annotations

import datetime as dt
import typing
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

import ipywidgets as w
import pandas as pd
import pydantic
import pytest

import celltask
from celltask import Secret, task
from celltask.notebook.controls import register_control
from celltask.notebook.forms_parts import SecretField
from celltask.notebook.forms_table import table_bundle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Page

    Open = Callable[..., Page]


@dataclass
class Point:
    """A place."""

    x: float
    y: float = 0.0


class Fit(pydantic.BaseModel):
    """Options of a fit."""

    rate: float = pydantic.Field(0.5, le=1)


def test_reset_empties_an_input_that_is_made_of_parts(page: Open) -> None:
    """What is entered afterwards counts, as before."""

    @task
    def take(point: Point, shares: dict[str, int], near: Point | None) -> float:
        return point.x if near is None else near.y

    form = page(take)
    form.type("x", "1")
    form.type("near", "none")
    form.click("add one to shares")
    form.click("Reset")
    assert (form.control("x").value, form.control("near").value) == ("", "Point")
    assert [one.description for one in form.widgets(w.Text)] == ["x", "y", "x", "y", "result in"]
    form.type("x", "5")
    form.type("near", "none")
    form.click("Run")
    assert form.wait().startswith("done in ")
    assert form.variables == {"take_result": 5.0}


def test_a_value_without_a_control_is_a_variable_that_fits(page: Open) -> None:
    """Variables of the right type are offered; one of another type is refused beside the field."""

    @task
    def count(table: pd.DataFrame) -> int:
        return len(table)

    form = page(count, rows=pd.DataFrame({"a": [1, 2]}), other=3)
    assert list(form.control("table").options) == ["rows"]
    form.type("table", "other")
    assert form.errors() == ["must be pandas.DataFrame, got 3 (int)"]
    form.type("table", "rows")
    assert form.errors() == []
    assert form.view.copy_code.text == "count_result = count(table=rows)"
    assert form.view.copy_command.text == "celltask run NOTEBOOK.ipynb count --table TABLE"
    form.click("Run")
    form.wait()
    assert form.variables["count_result"] == 2


def test_errors_within_a_value_stand_beside_their_place(page: Open) -> None:
    """A field of a dataclass in a list, a key, a field that pydantic checks."""

    @task
    def take(points: list[Point], shares: dict[str, int], fit: Fit = Fit()) -> int:  # noqa: B008 - a model is frozen here
        return len(points) + len(shares)

    form = page(take)
    form.click("add one to points")
    form.click("add one to shares")
    form.type("x", "left")
    form.type("shares key", "a")
    form.type("shares value", "1.5")
    form.type("rate", "7")
    assert form.errors() == [
        "must be float, got &#x27;left&#x27; (str)",
        "must be int, got 1.5 (float)",
        "must be less than or equal to 1, got 7 (int)",
    ]
    form.type("x", "1")
    form.type("shares value", "1")
    form.type("rate", "1")
    assert form.errors() == []
    form.click("Run")
    form.wait()
    assert form.variables["take_result"] == 2


def test_a_key_given_twice_is_told(page: Open) -> None:
    """Nothing is merged in silence."""

    @task
    def take(shares: dict[str, int]) -> int:
        return len(shares)

    form = page(take)
    form.view.form["shares"].fill({"a": 1, "b": 2})
    form.view.form["shares"].entry.items[1].key.enter("a")  # type: ignore[attr-defined]  # rows
    assert form.errors() == ["must be a mapping with each key once, got &#x27;a&#x27; (str)"]


def test_a_secret_is_shown_nowhere(page: Open) -> None:
    """Not in the field's default, the code, the command, the errors or the table that is saved."""

    @task
    def log_in(
        token: typing.Annotated[str, Secret], key: pydantic.SecretStr, old: typing.Annotated[str, Secret] = "s3cr3t"
    ) -> int:
        return len(token) + len(key.get_secret_value()) + len(old)

    form = page(log_in)
    assert isinstance(form.control("token"), SecretField)
    form.type("token", "s3cr3t")
    form.type("key", "s3cr3t")
    shown = [str(one.value) for one in form.widgets(w.HTML)] + [str(table_bundle(form.view.form))]
    assert [one.placeholder for one in form.widgets(SecretField)] == [
        "given: ••••••••",
        "given: ••••••••",
        "default: ••••••••",
    ]
    assert not any("s3cr3t" in text for text in shown)
    assert form.view.copy_code.text == (
        "from getpass import getpass\nfrom pydantic import SecretStr\n\n"
        'log_in_result = log_in(token=getpass("token: "), key=SecretStr(getpass("key: ")))'
    )
    assert form.view.copy_command.text == "celltask run NOTEBOOK.ipynb log_in --token - --key -"
    form.click("Run")
    form.wait()
    assert form.variables["log_in_result"] == 18
    form.type("old", "other secret")
    form.click("Run")
    form.wait()
    assert form.variables["log_in_result"] == 24


def test_a_secret_default_is_shown_by_no_control(page: Open) -> None:
    """A secret number or object is in no control at first, and in no hint; a run takes it."""

    @task
    def log_in(pin: typing.Annotated[int, Secret] = 271828, key: typing.Annotated[object, Secret] = "s3cr3t") -> object:
        return pin, key

    form = page(log_in)
    shown = [str(one.get_state()) for one in form.widgets(w.DOMWidget)]
    assert not any("271828" in text or "s3cr3t" in text for text in [*shown, str(table_bundle(form.view.form))])
    form.click("Run")
    form.wait()
    assert form.variables["log_in_result"] == (271828, "s3cr3t")


def test_an_optional_secret_is_in_no_text(page: Open) -> None:
    """Not in the hint, the code, the command or the table that is saved, neither its default nor what was typed."""

    @task
    def log_in(token: typing.Annotated[str, Secret] | None = "s3cr3t") -> int:  # noqa: S107 - the secret that is looked for
        return len(token or "")

    form = page(log_in)
    assert form.view.form["token"].default_told == "••••••••"
    assert form.view.copy_code.text == "log_in_result = log_in()"
    assert form.view.copy_command.text == "celltask run NOTEBOOK.ipynb log_in"
    form.view.form["token"].fill("s3cr3t too")
    form.view.show_text()
    shown = [str(one.value) for one in form.widgets(w.HTML)] + [str(table_bundle(form.view.form))]
    assert not any("s3cr3t" in text for text in shown)
    assert form.view.copy_code.text.endswith('\nlog_in_result = log_in(token=getpass("token: "))')
    assert form.view.copy_command.text == "celltask run NOTEBOOK.ipynb log_in --token -"
    form.view.form["token"].fill(None)
    form.view.show_text()
    assert form.view.copy_code.text == "log_in_result = log_in(token=None)"


def test_a_text_of_ten_megabytes_is_refused_and_not_kept(page: Open) -> None:
    """The field is empty again and says why; nothing hangs."""

    @task
    def measure(text: str = "") -> int:
        return len(text)

    form = page(measure)
    form.type("text", "<" * 10_000_000)
    assert form.control("text").value == ""
    assert form.errors()[0].startswith("must be a text of at most 1,000,000 characters, got &#x27;&lt;&lt;")
    form.type("text", "ab")
    assert form.errors() == []


def test_reset_forgets_a_text_that_was_too_long(page: Open) -> None:
    """The default stands there again and fits, an empty, a secret and a held one, too."""

    @task
    def measure(
        text: str = "", key: typing.Annotated[str, Secret] = "", size: dt.timedelta = dt.timedelta(1), at: object = None
    ) -> int:
        return len(text)

    form = page(measure)
    for field in form.view.form.fields:
        field.current.enter("<" * 1_000_001)
    assert len(form.errors()) == 4
    form.click("Reset")
    assert form.errors() == []
    assert form.view.form.take() == {"text": "", "key": "", "size": dt.timedelta(1), "at": None}


def test_a_users_own_type_gets_a_control_by_one_registration(page: Open) -> None:
    """Its handler describes it, the control is for that description, and both ways are walked."""

    class Colour(str):
        __slots__ = ()

    class ColourHandler(celltask.TypeHandler):
        annotation, name = Colour, "Colour"

        @classmethod
        def for_annotation(cls, annotation: object) -> celltask.TypeHandler | None:
            return cls() if annotation is Colour else None

        def validate(self, value: object) -> object:
            return value if isinstance(value, Colour) else self.from_json(value)

        def from_json(self, data: object) -> object:
            if not str(data).startswith("#"):
                raise celltask.Mismatch("a colour such as #ff0000", data)
            return Colour(data)

        def to_json(self, value: object) -> object:
            return str(value)

        def describe(self) -> dict[str, object]:
            return {"type": "string", "format": "test-colour"}

    celltask.register_type(ColourHandler)
    register_control({"format": "test-colour"}, lambda _: w.ColorPicker())

    def paint(colour: object) -> str:
        return str(colour)

    paint.__annotations__["colour"] = Colour
    form = page(task(paint))
    assert isinstance(form.control("colour"), w.ColorPicker)
    form.type("colour", "#00ff00")
    form.click("Run")
    form.wait()
    assert form.variables["paint_result"] == "#00ff00"


def test_uploaded_files_lie_beside_the_notebook_and_in_the_code(
    page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table is read by the expression that the upload wrote; a path is where the file was put."""
    monkeypatch.chdir(tmp_path)

    @task
    def count(table: pd.DataFrame, where: celltask.File) -> int:
        return len(table) + len(where.read_text())

    form = page(count)
    upload_table, upload_file = form.widgets(w.FileUpload)
    now = dt.datetime.now(dt.UTC)
    one = {"name": "../a b.csv", "type": "text/csv", "size": 6, "last_modified": now, "content": b"a\n1\n2\n"}
    upload_table.value = (one,)
    upload_file.value = ({**one, "name": "x.txt", "content": b"abc"},)
    assert form.control("table").value == "pandas.read_csv('uploads/a b.csv')"
    assert form.control("where").value == "uploads/x.txt"
    assert form.view.copy_code.text.splitlines()[0] == "from celltask import File"
    assert "import pandas" in form.view.copy_code.text
    assert form.view.copy_command.text.endswith(f"--table 'uploads/a b.csv' --where {tmp_path}/uploads/x.txt")
    form.click("Run")
    form.wait()
    assert form.variables["count_result"] == 5


def test_modules_are_named_as_the_notebook_names_them(page: Open) -> None:
    """With `import datetime as dt` the code says `dt.date`."""

    @task
    def note(day: dt.date = dt.date(2026, 1, 31)) -> str:
        return str(day)

    assert isinstance(dt, ModuleType)
    assert page(note, dt=dt).view.copy_code.text == "note_result = note(day=dt.date(2026, 1, 31))"
    assert page(note).view.copy_code.text == "from datetime import date\n\nnote_result = note(day=date(2026, 1, 31))"


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (bool, True),
        (typing.Literal["a", "b"], "b"),
        (dt.date, dt.date(2026, 1, 2)),
        (list[int], [1]),
        (Fit, Fit()),
        (int, 3),
    ],
)
def test_every_control_gives_way_to_an_expression(page: Open, annotation: object, value: object) -> None:
    """The = beside a field of any kind takes a variable instead, and gives the control back."""

    def keep(given: object) -> object:
        return given

    keep.__annotations__["given"] = annotation
    form = page(task(keep), here=value)
    (switch,) = form.widgets(w.ToggleButton)
    switch.value = True
    (control,) = form.widgets(w.Combobox)
    assert list(control.options) == ["here"]
    control.value = "here"
    assert form.view.copy_code.text.endswith("keep_result = keep(given=here)")
    form.click("Run")
    form.wait()
    assert form.variables["keep_result"] == value
    switch.value = False
    assert form.widgets(w.Combobox) == []
