"""A form in use: errors beside fields, runs, what they leave behind, and results that show themselves badly."""

from __future__ import annotations

import threading
import typing
from typing import TYPE_CHECKING, NamedTuple

import ipywidgets as w
import pandas as pd
import pytest
from annotated_types import Ge, Le
from IPython.core.formatters import DisplayFormatter

import celltask
from celltask import current_context, task, workflow
from celltask.core import onlookers
from celltask.notebook.forms import Form
from celltask.notebook.forms_parts import Slider
from celltask.notebook.forms_result import result_html
from celltask.notebook.forms_table import table_bundle

if TYPE_CHECKING:
    from collections.abc import Callable

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


def test_reset_takes_along_what_is_wrong_within_a_field(page: Open) -> None:
    """An error in a part of a value goes, too, and the result has its first name again."""

    @task
    def spread(point: tuple[int, int] = (1, 2)) -> int:
        return sum(point)

    form = page(spread)
    form.type("2", "x")
    form.type("result in", "kept")
    assert form.errors() == ["must be int, got &#x27;x&#x27; (str)"]
    form.click("Reset")
    assert (form.control("2").value, form.errors(), form.view.form.result_name) == ("2", [], "spread_result")


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
    assert form.view.form.code() == "scale_result = scale(factor=..., times=3)"
    form.type("factor", "number()")
    assert (form.errors(), calls) == ([], [])
    assert form.view.form.code() == "scale_result = scale(factor=number(), times=3)"
    form.click("Run")
    form.wait()
    assert (form.variables["scale_result"], calls) == (12.0, [1])


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


class Measured(NamedTuple):
    """A table and a number."""

    table: object
    mean: float


def test_parts_of_a_result_are_shown_each_in_its_own_way() -> None:
    """A table within a named tuple is a table, under its name; one with numbers alone stays a line."""
    formats = DisplayFormatter().format
    told = result_html(Measured(pd.DataFrame({"x": [1, 2]}), 1.5), lambda value: formats(value)[0])
    assert told.startswith("<p><code>table</code></p>")
    assert "<th>x</th>" in told
    assert told.endswith('<p><code>mean</code></p><pre tabindex="0">1.5</pre>')
    told = result_html(Measured(1, 1.5), lambda value: formats(value)[0])
    assert told == '<pre tabindex="0">Measured(table=1, mean=1.5)</pre>'
