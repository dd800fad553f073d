"""A form in use: errors beside fields, runs, what they leave behind, and what is wrong with input."""

from __future__ import annotations

import datetime as dt
import threading
import typing
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

import ipywidgets as w
import pandas as pd
import pydantic
import pytest
from annotated_types import Ge, Le

import celltask
from celltask import Secret, current_context, task, workflow
from celltask.core import onlookers
from celltask.notebook.controls import register_control
from celltask.notebook.forms import Form
from celltask.notebook.forms_parts import Slider
from celltask.notebook.forms_table import table_bundle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Page

    from celltask.core.events import Event
    from celltask.core.run import Run

    Open = Callable[..., Page]


@task
def scale(factor: float, times: typing.Annotated[int, Ge(1), Le(9)] = 3) -> float:
    """Multiply.

    Args:
        factor: By how much.
        times: How often.
    """
    return factor * times


@dataclass
class Point:
    """A place."""

    x: float
    y: float = 0.0


class Fit(pydantic.BaseModel):
    """Options of a fit."""

    rate: float = pydantic.Field(0.5, le=1)


def test_an_error_stands_beside_its_field_as_one_types(page: Open) -> None:
    """It has the words of a call with that value, and goes when the value is mended."""
    form = page(scale)
    form.type("factor", "much")
    assert form.errors() == ["must be float, got &#x27;much&#x27; (str)"]
    form.type("times", "12")
    assert form.errors()[1] == "must be int ≤ 9, got 12 (int)"
    with pytest.raises(celltask.CelltaskError, match="must be int ≤ 9, got 12 \\(int\\)"):
        scale(factor=1.0, times=12)
    form.type("factor", "2")
    form.type("times", "4")
    assert form.errors() == []


def test_a_form_with_an_error_does_not_run(page: Open) -> None:
    """What was forgotten is told at the first Run, not before."""
    form = page(scale)
    assert form.errors() == []
    form.click("Run")
    assert form.state == "Nothing was run: mend what is marked ⚠ first."
    assert form.errors() == ["needs a value: float"]


def test_a_run_binds_its_result_to_the_chosen_variable(page: Open) -> None:
    """The result is shown, and the notebook goes on with it under the name."""
    form = page(scale)
    form.type("factor", "2")
    form.type("result in", "product")
    form.click("Run")
    assert form.wait().startswith("done in ")
    assert form.state.endswith(" · bound to product")
    assert form.variables == {"product": 6.0}
    assert form.view.shown.value == '<pre tabindex="0">6.0</pre>'
    assert "done in " in form.kept[0]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("2x", "&#x27;2x&#x27; is no name of a variable"),
        ("class", "&#x27;class&#x27; is no name of a variable"),
        ("scale", "&#x27;scale&#x27; is the name of what runs"),
    ],
)
def test_a_name_that_cannot_hold_the_result_is_refused(page: Open, name: str, told: str) -> None:
    """The task itself is not overwritten by its result."""
    form = page(scale, scale=scale)
    form.type("factor", "2")
    form.type("result in", name)
    form.click("Run")
    assert form.errors() == [told]
    assert form.variables == {"scale": scale}


def test_code_and_command_say_what_the_form_does(page: Open) -> None:
    """Both follow every change, and the code gives what Run gives."""
    form = page(scale)
    form.type("factor", "2")
    form.type("times", "5")
    assert form.view.copy_code.text == "scale_result = scale(factor=2.0, times=5)"
    assert form.view.copy_command.text == "celltask run NOTEBOOK.ipynb scale --factor 2.0 --times 5"
    space: dict[str, object] = {"scale": scale}
    exec(form.view.copy_code.text, space)  # noqa: S102 - that it runs is the point
    form.click("Run")
    form.wait()
    assert form.variables["scale_result"] == space["scale_result"] == 10.0


def test_a_range_has_a_slider_that_goes_with_the_text(page: Open) -> None:
    """The text says the number exactly; moving the slider writes it."""
    form = page(scale)
    (slider,) = form.widgets(Slider)
    assert (slider.min, slider.max, slider.step, slider.value) == (1, 9, 1, 3)
    slider.value = 7.0
    assert form.control("times").value == "7"
    form.type("times", "2")
    assert slider.value == 2


def test_reset_shows_the_defaults_again(page: Open) -> None:
    """Errors go with the values that they were about."""
    form = page(scale)
    form.type("factor", "x")
    form.type("times", "8")
    form.click("Reset")
    assert (form.control("factor").value, form.control("times").value, form.errors()) == ("", "3", [])


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


def test_cancel_ends_a_run_and_the_form_can_run_again(page: Open) -> None:
    """The body is told; nothing is bound; the notebook was never blocked."""
    begun, may_end = threading.Event(), threading.Event()

    @task
    def wait() -> int:
        begun.set()
        while not (current_context().is_cancelled or may_end.is_set()):
            may_end.wait(0.01)
        return 1

    form = page(wait)
    form.click("Run")
    assert begun.wait(10)
    assert form.view.go.disabled
    form.click("Cancel")
    assert form.wait().startswith("cancelled after ")
    assert form.variables == {}
    may_end.set()
    form.click("Run")
    assert form.wait().startswith("done in ")


def test_a_failure_is_told_with_the_place_in_the_users_code(page: Open) -> None:
    """The error's own words stand first, and nothing in them is executed by the page."""

    @task
    def fail() -> int:
        raise ValueError("<script>alert(1)</script>")

    form = page(fail)
    form.click("Run")
    assert form.wait().startswith("failed after ")
    assert "ValueError: &lt;script&gt;alert(1)&lt;/script&gt;" in form.view.shown.value
    assert "test_forms.py" in form.view.shown.value
    assert "<script" not in form.view.shown.value + form.kept[0]


class Hearing:
    """Notes which events a run has."""

    wants_values = False

    def __init__(self) -> None:
        self.seen: list[str] = []

    def look(self, event: Event) -> None:
        """Note one."""
        self.seen.append(type(event).__name__)

    def end(self, run: Run | None) -> None:
        """Nothing more is to come."""


def test_a_workflow_tells_its_steps(page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks at the runs of the notebook sees that of a form, too."""

    @workflow
    def twice(factor: float) -> float:
        return scale(factor=scale(factor=factor))

    form = page(twice)
    hearing = Hearing()
    monkeypatch.setattr(onlookers, "openers", [lambda _: hearing])
    form.type("factor", "1")
    form.click("Run")
    assert form.wait().startswith("done in ")
    assert form.view.bar.max == 2
    assert (hearing.seen[0], hearing.seen[-1]) == ("RunStarted", "RunFinished")
    assert form.variables["twice_result"] == 9.0


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


def test_an_expression_that_could_do_anything_waits_for_run(page: Open) -> None:
    """While one types, names and literals are looked at, and nothing is called."""
    calls: list[int] = []

    def number() -> float:
        calls.append(1)
        return 4.0

    form = page(scale, number=number)
    next(one for one in form.widgets(w.ToggleButton) if "factor" in one.tooltip).value = True
    form.type("factor", "number(")
    assert form.errors() == [
        "must be a Python expression, got &#x27;number(&#x27; (str) (&#x27;(&#x27; was never closed)"
    ]
    form.type("factor", "number()")
    assert (form.errors(), calls) == ([], [])
    form.click("Run")
    form.wait()
    assert (form.variables["scale_result"], calls) == (12.0, [1])


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
        "must be Fit, got 7 (int) (Input should be less than or equal to 1)",
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
    assert isinstance(form.control("token"), w.Password)
    form.type("token", "s3cr3t")
    form.type("key", "s3cr3t")
    shown = [str(one.value) for one in form.widgets(w.HTML)] + [str(table_bundle(form.view.form))]
    shown += [one.placeholder for one in form.widgets(w.Combobox)]
    assert [one.placeholder for one in form.widgets(w.Combobox)] == ["default: ••••••••"]
    assert not any("s3cr3t" in text for text in shown)
    assert form.view.copy_code.text.splitlines()[:2] == ["from getpass import getpass", ""]
    assert form.view.copy_command.text == "celltask run NOTEBOOK.ipynb log_in --token - --key -"
    form.click("Run")
    form.wait()
    assert form.variables["log_in_result"] == 18


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


class Odd:
    """What every page has to bear."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


class Loud:
    """A repr that would do harm."""

    def __repr__(self) -> str:
        return "<script>alert(1)</script>" * 10_000

    def _repr_html_(self) -> str:
        return "<script>alert(1)</script>"


@pytest.mark.parametrize(("made", "shown"), [(Odd, "a Odd without a repr"), (Loud, "&lt;script&gt;alert(1)")])
def test_a_result_that_shows_itself_badly_does_no_harm(page: Open, made: type, shown: str) -> None:
    """A repr that raises, is huge or is a script becomes short text."""

    def give() -> object:
        return made()

    give.__annotations__["return"] = made
    form = page(task(give))
    form.click("Run")
    assert form.wait().startswith("done in ")
    assert shown in form.view.shown.value
    assert len(form.view.shown.value) < 60_000
    assert "<script" not in form.view.shown.value


def test_odd_values_in_the_notebook_do_not_hurt_a_form(page: Open) -> None:
    """Neither as defaults nor as variables that might fit."""

    @task
    def take(odd: Odd = Odd(), loud: Loud = Loud()) -> int:  # noqa: B008 - never changed
        return 1

    form = page(take, odd=Odd(), loud=Loud())
    html = table_bundle(form.view.form)["text/html"] + "".join(str(one.value) for one in form.widgets(w.HTML))
    assert "<script" not in html
    form.click("Run")
    form.wait()
    assert form.variables["take_result"] == 1


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


def test_a_static_page_has_inputs_and_the_command_line() -> None:
    """A table that nothing can be filled in, and no trace of a widget."""
    bundle = table_bundle(Form(scale, {}))
    assert bundle["text/plain"] == (
        "scale: inputs\n"
        "  factor: float  By how much.\n"
        "  times: int ≥ 1, ≤ 9 = 3  How often.\n"
        "  $ celltask run NOTEBOOK.ipynb scale --factor FACTOR --times 3"
    )
    assert '<td style="text-align:left">By how much.</td>' in bundle["text/html"]
    assert "widget" not in bundle["text/html"]


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
