"""Forms under cells: alive where a page can show widgets, and as a table wherever else the notebook is read."""

from __future__ import annotations

import os
import sys
from contextvars import copy_context
from typing import TYPE_CHECKING, cast

from celltask.notebook.display import show

if TYPE_CHECKING:
    from contextvars import Context

    from IPython.core.interactiveshell import InteractiveShell

    from celltask.notebook.forms import Member
    from celltask.notebook.forms_view import FormView

__all__ = ["Forms", "has_page"]

_VIEW = "application/vnd.jupyter.widget-view+json"


def has_page(shell: InteractiveShell) -> bool:
    """Whether a page with somebody before it asked for the cell that runs now.

    Programs that execute notebooks (nbclient, Sphinx, papermill) name no cell in their requests; JupyterLab, Notebook
    and VS Code do.
    """
    return bool(_cell_of(shell)[0]) or "google.colab" in sys.modules


def _about_widgets() -> dict[str, object]:
    """What Colab must know to load other widgets than its own; its hook that adds this hears of one thread only."""
    if "google.colab" not in sys.modules:
        return {}
    from celltask.notebook.forms_parts import Keys  # noqa: PLC0415 - ipywidgets, only where seen

    some = Keys()
    bundle: object = some._repr_mimebundle_()
    some.close()
    return bundle[1] if isinstance(bundle, tuple) else {}


def _key(token: str) -> str:
    """Name of the output that has the table of the form with that token."""
    return f"celltask-form-{token}"


def _cell_of(shell: InteractiveShell) -> tuple[str, str]:
    """What the page calls the cell that runs now, and the request that runs it."""
    parent: object = getattr(shell, "get_parent", dict)()
    if not isinstance(parent, dict):
        return "", ""
    return str(parent.get("metadata", {}).get("cellId") or ""), str(parent.get("header", {}).get("msg_id") or "")


class Forms:
    """The forms of one shell. It holds state.

    Attributes:
        views: The newest living form of each name.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.views: dict[str, FormView] = {}
        self._shown: dict[str, tuple[str, list[object]]] = {}

    def show(self, member: Member) -> None:
        """Show a form of `member` under the cell that runs now."""
        from celltask.notebook.forms import Form  # noqa: PLC0415 - a notebook without forms needs nothing of them
        from celltask.notebook.forms_table import table_bundle  # noqa: PLC0415 - as above

        if not has_page(self.shell):
            show(self.shell, table_bundle(Form(member, self.shell.user_ns)))
            return
        token = os.urandom(4).hex()
        view = self._view(member, token, copy_context())
        show(self.shell, table_bundle(view.form, token), key=_key(token))
        self._publish_widget(view.widget, f"form of {member.name}")

    def offer(self, member: Member) -> None:
        """Show a button that opens a form of `member`, where there is a page."""
        if not has_page(self.shell):
            return
        import ipywidgets as w  # noqa: PLC0415 - only where widgets are seen

        from celltask.notebook.controls_widgets import button  # noqa: PLC0415 - as above
        from celltask.notebook.forms_table import LIVE, hiding_dead_widgets, twin_class  # noqa: PLC0415 - as above

        token = os.urandom(4).hex()
        box = w.VBox([], layout=w.Layout(align_items="flex-start"))
        box.add_class(LIVE)

        context = copy_context()

        def open_form() -> None:
            box.children = (self._view(member, token, context).widget,)

        box.children = (button("Form", f"open a form that runs {member.name}", open_form, icon="pencil"),)
        mark = f'<span class="{twin_class(token)}"></span>{hiding_dead_widgets(token)}'
        show(self.shell, {"text/html": mark, "text/plain": ""}, key=_key(token))
        self._publish_widget(box, f"form of {member.name}")

    def code(self, name: str) -> str | None:
        """The call that the newest form of `name` makes; None if there is no form of it."""
        view = self.views.get(name)
        return view.form.code() if view is not None else None

    def after_cell(self, *_: object) -> None:
        """Let the forms see what a cell has bound."""
        for view in self.views.values():
            view.refresh()

    def _view(self, member: Member, token: str, context: Context) -> FormView:
        from celltask.notebook.forms import Form  # noqa: PLC0415 - as above
        from celltask.notebook.forms_table import table_bundle  # noqa: PLC0415 - as above
        from celltask.notebook.forms_view import FormView, Surroundings  # noqa: PLC0415 - ipywidgets, only where seen

        form = Form(member, self.shell.user_ns)

        def keep(outcome: str) -> None:
            bundle = table_bundle(form, token, outcome=outcome)
            context.copy().run(show, self.shell, bundle, key=_key(token), update=True)

        around = Surroundings(self.shell.user_ns, self._formats, token, keep, context)
        view = FormView(form, around)
        self.views[member.name] = view
        return view

    def _formats(self, value: object) -> dict[str, object]:
        formatter = self.shell.display_formatter
        if formatter is None:
            return {}
        return cast("dict[str, object]", formatter.format(value)[0])  # type: ignore[no-untyped-call]  # IPython gives it no types

    def _publish_widget(self, widget: object, told: str) -> None:
        cell, request = _cell_of(self.shell)
        cell = cell or request  # Colab names no cells, and its forms stay
        earlier, widgets = self._shown.get(cell, (request, []))
        if earlier != request:  # the cell ran before, and what it showed then is gone from the page
            for one in widgets:
                close_all(one)
            widgets = []
        self._shown[cell] = (request, [*widgets, widget])
        view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}  # type: ignore[attr-defined]  # a widget
        show(self.shell, {_VIEW: view, "text/plain": told}, about=_about_widgets())


def close_all(widget: object) -> None:
    """Close a widget and all within it."""
    for child in getattr(widget, "children", ()):
        close_all(child)
    for name in ("layout", "style"):  # widgets, too
        part = getattr(widget, name, None)
        if part is not None:
            part.close()
    widget.close()  # type: ignore[attr-defined]  # a widget
