"""Forms without a page: the widgets' Python side is all there."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import ipywidgets as w
import pytest

from celltask.notebook.forms import Form
from celltask.notebook.forms_view import FormView, Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from celltask.core.task import Task
    from celltask.core.workflow import Workflow

    Member = Task[..., object] | Workflow[..., object]

W = TypeVar("W", bound=w.DOMWidget)


class Page:
    """One form, as somebody at its page would use it."""

    def __init__(self, member: Member, variables: dict[str, object]) -> None:
        self.variables = variables
        self.kept: list[str] = []
        self.view = FormView(Form(member, variables), Surroundings(variables, keep=self.kept.append))

    def widgets(self, kind: type[W]) -> list[W]:
        """Every widget of that class that is shown, from the top."""
        return [one for one in _within(self.view.widget) if isinstance(one, kind)]

    def control(self, label: str) -> w.DOMWidget:
        """The first control with that label."""
        return next(
            one for one in _within(self.view.widget)
            if getattr(one, "description", "") == label and hasattr(one, "value")
        )  # fmt: skip

    def type(self, label: str, value: object) -> None:
        """Enter something."""
        self.control(label).value = value

    def click(self, told: str) -> None:
        """Click the button that is read out as, or begins with, `told`."""
        next(one for one in self.widgets(w.Button) if told in (one.description, one.tooltip)).click()

    def errors(self) -> list[str]:
        """What is wrong, as it is shown beside the fields."""
        shown = [one.value for one in self.widgets(w.HTML) if "celltask-error" in one._dom_classes]
        return [text.partition("⚠ ")[2].removesuffix("</span>") for text in shown if text]

    @property
    def state(self) -> str:
        """How the run stands, in words."""
        return str(self.view.state.value).partition(">")[2].removesuffix("</span>")

    def wait(self) -> str:
        """How the run stands when it is over."""
        assert self.view.idle.wait(20)
        return self.state


def _within(widget: w.Widget) -> Iterator[w.Widget]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _within(child)


@pytest.fixture
def page() -> Iterator[Callable[..., Page]]:
    """Opens the form of a task or workflow, with some variables in the notebook."""

    def opened(member: Member, **variables: object) -> Page:
        return Page(member, variables)

    yield opened
    w.Widget.close_all()
