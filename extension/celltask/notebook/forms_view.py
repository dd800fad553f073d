"""A form drawn with ipywidgets: fields, Run, Cancel and Reset, what it stands for, and what came of it."""

from __future__ import annotations

import threading
import time
from contextvars import copy_context
from html import escape
from typing import TYPE_CHECKING, NamedTuple, cast

import ipywidgets as w

from celltask.core.interface import MISSING
from celltask.notebook.controls_widgets import button, draw
from celltask.notebook.display import duration_told
from celltask.notebook.forms_display import close_all
from celltask.notebook.forms_parts import CopyButton, Keys
from celltask.notebook.forms_result import failure_html, masked_result, result_html
from celltask.notebook.forms_run import FormRun, Progress
from celltask.notebook.forms_style import STYLE
from celltask.notebook.forms_table import LIVE, clean_lines, twin_class
from celltask.render.lettering import clean
from celltask.render.markup import code
from celltask.render.wording import way_told

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from contextvars import Context

    from celltask.core.graph import Graph
    from celltask.core.run import Run
    from celltask.notebook.controls import Entry
    from celltask.notebook.forms import Field, Form

__all__ = ["FieldView", "FormView", "Surroundings"]


class FieldView:
    """One input: its control, an expression in its stead, and what it is."""

    def __init__(self, field: Field, changed: Callable[[], None]) -> None:
        self.field, self.changed = field, changed
        self.switch = w.ToggleButton(
            value=field.by_expression,
            description="=",
            tooltip=f"give {field.port.name} as a Python expression",
            layout=w.Layout(width="34px"),
        )
        self.switch.observe(self._switched, "value")
        self.hold = w.HBox([], layout=w.Layout(align_items="flex-start"))
        self.drawn: dict[bool, tuple[Entry, w.DOMWidget]] = {}
        self.widget = w.VBox([self.hold, w.HTML(_hint(field))])
        self.widget.children[1].add_class("celltask-hint")
        self.widget.add_class("celltask-field")
        self.show()

    def _switched(self, change: dict[str, object]) -> None:
        if bool(change["new"]) != self.field.by_expression:
            self.field.by_expression = bool(change["new"])
            self.show()
            self.changed()

    def show(self) -> None:
        """Show what stands for the input now."""
        field = self.field
        by_expression = field.by_expression
        self.switch.value = by_expression
        before = self.drawn.get(by_expression)
        if before is None or before[0] is not field.current:  # a reset makes the places of a control anew
            self.drawn[by_expression] = field.current, draw(field.current)
        widget = self.drawn[by_expression][1]
        parts = (widget,) if field.is_open else (widget, self.switch)
        if self.hold.children != parts:
            self.hold.children = parts
        if before is not None and before[1] is not widget:
            close_all(before[1])


def _hint(field: Field) -> str:
    told = [code(field.port.handler.name)]
    told += ["required"] if field.port.default is MISSING else []
    told += [escape(clean(field.description))] if field.description else []
    if field.port.default is not MISSING:
        told.append(f"default {code(field.default_told)}")
    return " · ".join(told)


class Surroundings(NamedTuple):
    """What a form finds around it.

    Attributes:
        variables: The notebook's variables, to which a result is bound.
        formats: Gives what a value says of itself, by MIME type.
        token: Names the form among others on the page.
        keep: Called with what became of a run as HTML, to be kept where no widget lives.
        context: That of the cell which shows the form, and not of a click: what a run prints and shows appears there.
    """

    variables: MutableMapping[str, object]
    formats: Callable[[object], dict[str, object]] = lambda value: {"text/plain": repr(value)}
    token: str = ""
    keep: Callable[[str], object] = lambda _: None
    context: Context | None = None


class FormView:
    """A living form. It holds state.

    Attributes:
        form: What it shows.
        widget: What to display.
        run: The newest run, ended or not; None before the first.
        idle: Set while nothing runs.
    """

    def __init__(self, form: Form, around: Surroundings) -> None:
        self.form, self.around, token = form, around, around.token
        self.run: FormRun | None = None
        self.idle = threading.Event()
        self.idle.set()
        self._context = around.context or copy_context()
        self._started = 0.0
        self.graph: Graph | None = getattr(form.member, "graph", None)
        form.scope.changed = self.changed
        self.fields = [FieldView(field, self.changed) for field in form.fields]
        self._make_buttons()
        self._make_text()
        style = f".{twin_class(token)} {{ display: none }}" if token else ""
        head = f"<style>{STYLE}{style}</style><strong>{code(form.member.name)}</strong>"
        doc = f" · {escape(clean(form.member.doc))}" if getattr(form.member, "doc", "") else ""
        fields = [view.widget for view in self.fields]
        self.widget = w.VBox([w.HTML(head + doc), *fields, *self._foot(), Keys(), self.state, self.shown, self.text])
        self.widget.add_class("celltask-form")
        self.widget.add_class(LIVE)
        self.show_text()

    def _make_buttons(self) -> None:
        name = self.form.member.name
        self.go = button("Run", f"run {name} with these values", self.start, icon="play", style="primary")
        self.stop = button("Cancel", f"cancel the run of {name}", self.cancel, icon="stop")
        self.stop.disabled = True
        self.again = button("Reset", "show the defaults again", self.reset, icon="undo")
        self.name = w.Text(
            value=self.form.result_name,
            description="result in",
            placeholder="a variable",
            style={"description_width": "70px"},
            layout=w.Layout(width="300px"),
        )
        self.name.observe(self._named, "value")
        self.name_error = w.HTML()
        self.name_error.add_class("celltask-error")
        self.state, self.shown = w.HTML(), w.HTML()
        self.state.add_class("celltask-state")
        self.bar = w.IntProgress(value=0, max=1, layout=w.Layout(width="180px", display="none"))

    def _make_text(self) -> None:
        self.code, self.command = w.HTML(), w.HTML()
        self.copy_code = CopyButton(label="Copy", told="copy the Python code")
        self.copy_command = CopyButton(label="Copy", told="copy the command line")
        self.text = w.Tab(
            [w.VBox([self.code, self.copy_code]), w.VBox([self.command, self.copy_command])],
            titles=("as code", "as command line"),
        )

    def _foot(self) -> list[w.DOMWidget]:
        layout = w.Layout(flex_flow="row wrap", align_items="center", margin="4px 0 0 158px")
        result = [self.name, self.name_error] if self.form.has_result else []
        return [w.HBox([self.go, self.stop, self.again, self.bar, *result], layout=layout)]

    def _named(self, change: dict[str, object]) -> None:
        self.form.result_name = str(change["new"])
        self.changed()

    def changed(self) -> None:
        """Check every field, and tell anew what the form stands for."""
        self.form.check()
        self.show_text()

    def show_text(self) -> None:
        """Show the code and the command line."""
        told = self.form.name_error()
        self.name_error.value = f'<span role="alert">⚠ {escape(told)}</span>' if told else ""
        code, command = self.form.call()
        self.copy_code.text, self.copy_command.text = code, command
        self.code.value = f'<pre tabindex="0">{escape(clean_lines(code))}</pre>'
        self.command.value = f'<pre tabindex="0">{escape(clean_lines(command))}</pre>'

    def refresh(self) -> None:
        """Look at the notebook's variables again, after a cell has run."""
        for view in self.fields:
            view.field.expression.shown()
        if self.idle.is_set() and any(field.by_expression for field in self.form.fields):
            self.show_text()

    def reset(self) -> None:
        """Show the defaults again."""
        self.form.reset()
        for view in self.fields:
            view.show()
        self.state.value = self.shown.value = ""
        self.name.value = self.form.result_name
        self.show_text()

    def start(self) -> None:
        """Run with the values that stand here, if they all fit."""
        if not self.idle.is_set():
            return
        values = self.form.take()
        self.show_text()
        if values is None:
            self._tell("Nothing was run: mend what is marked ⚠ first.")
            return
        self.idle.clear()
        self.go.disabled, self.stop.disabled, self.shown.value = True, False, ""
        self._started = time.time()
        self.bar.value, self.bar.bar_style = 0, "info"
        self._tell("running …")
        progress = Progress(self._progressed)
        self.run = FormRun(self.form.member, values, progress, self._ended)
        self.run.ticked = lambda: self._progressed(progress)
        self._context.copy().run(self.run.begin)

    def cancel(self) -> None:
        """Stop the run; a body that runs in a thread is told, and ends by itself."""
        if self.run is not None and not self.idle.is_set():
            self.stop.disabled = True
            self._tell("cancelling … (a body that does not ask whether it is cancelled runs to its end)")
            self.run.cancel()

    def _tell(self, text: str) -> None:
        self.state.value = f'<span role="status">{escape(text)}</span>'

    def _progressed(self, progress: Progress) -> None:
        self.bar.max, self.bar.value = max(progress.total, 1), progress.ended
        self.bar.layout.display = "" if progress.total > 1 else "none"
        if self.stop.disabled:
            return
        spent = duration_told(time.time() - self._started)
        node, colon, rest = progress.now.partition(":")
        now = f"{way_told(self.graph, node)}{colon}{rest}"
        of = f"{progress.ended} of {progress.total} steps, " if progress.total > 1 else ""
        self._tell(f"running … {of}{spent}{f', now {now}' if now and of else ''}")

    def _ended(self, outcome: Run | BaseException) -> None:
        """Bind and show what came out; on the run's own thread."""
        try:
            self._show_outcome(outcome)
        finally:
            self.go.disabled, self.stop.disabled = False, True
            self.bar.layout.display = "none"
            self.idle.set()

    def _show_outcome(self, outcome: Run | BaseException) -> None:
        spent = duration_told(time.time() - self._started)
        error = outcome if isinstance(outcome, BaseException) else outcome.error
        if error is None:
            run = cast("Run", outcome)
            name = self.form.result_name.strip() if self.form.has_result and not self.form.name_error() else ""
            if name:
                self.around.variables[name] = run.value
            told = f"done in {spent}" + (f" · bound to {name}" if name else "")
            if self.form.has_result:
                shown = masked_result(self.form.member.interface, run.value)
                self.shown.value = result_html(shown, self.around.formats)
        else:
            state = "failed" if isinstance(outcome, BaseException) else outcome.state
            told = f"{state} after {spent}"
            self.shown.value = failure_html(error)
        self._tell(told)
        self.around.keep(f"<p>{escape(told)}</p>{self.shown.value}")
