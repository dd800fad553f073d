"""Controls drawn with ipywidgets: one function for each line of the table, from an entry to its widget."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from html import escape
from typing import TYPE_CHECKING, cast

import ipywidgets as w
from traitlets import TraitError

from celltask.core.types.marks import HIDDEN
from celltask.notebook.controls import control_for, limits
from celltask.notebook.forms_display import close_all
from celltask.notebook.forms_parts import SecretField, Slider
from celltask.notebook.forms_upload import TABLES, accepted_files, kept_upload, reading_of
from celltask.render.lettering import clean

if TYPE_CHECKING:
    from collections.abc import Callable

    from celltask.notebook.controls import Entry
    from celltask.notebook.controls_nested import GroupEntry, ListEntry, PairEntry, PlacesEntry, UnionEntry
    from celltask.notebook.controls_plain import ChoiceEntry, ExpressionEntry, SecretEntry

__all__ = ["button", "draw", "registered"]

LABEL_WIDTH, WIDTH = "150px", "420px"


def draw(entry: Entry) -> w.DOMWidget:
    """The widget of `entry`, which follows it, with room for what is wrong beside it."""
    return cast("w.DOMWidget", control_for(entry.description).draw(entry))


def button(text: str, told: str, act: Callable[[], object], *, icon: str = "", style: str = "") -> w.Button:
    """A button; `told` is read out, and shown when the mouse rests on it."""
    made = w.Button(description=text, tooltip=told, icon=icon, button_style=style, layout=w.Layout(width="auto"))
    made.on_click(lambda _: act())
    return made


def _named(entry: Entry) -> dict[str, object]:
    """What every control is made with: its label, beside it or only read out."""
    wide = {"style": {"description_width": LABEL_WIDTH}, "layout": w.Layout(width=WIDTH)}
    return {"description": entry.label, **(wide if entry.is_labelled else {"layout": w.Layout(width="210px")})}


def _framed(entry: Entry, *parts: w.DOMWidget, push: Callable[[], None] = lambda: None, is_wide: bool = False) -> w.Box:
    """The parts of a control and what is wrong, both kept as the entry has it; beside it, or below what is wide."""
    flow = "column" if is_wide else "row wrap"
    box = w.HBox(list(parts), layout=w.Layout(flex_flow=flow, align_items="flex-start" if is_wide else "center"))
    box.add_class("celltask-wide" if is_wide else "celltask-plain")
    if not entry.is_labelled:
        box.add_class("celltask-bare")
    told: list[w.HTML] = []

    def follow() -> None:
        push()
        if entry.error and not told:
            told.append(w.HTML())
            told[0].add_class("celltask-error")
        for one in told:
            one.value = f'<span role="alert">⚠ {escape(entry.error)}</span>' if entry.error else ""
        if box.children != (*parts, *told):
            box.children = (*parts, *told)

    entry.shown = follow
    follow()
    return box


def _bound(
    entry: Entry,
    control: w.DOMWidget,
    to_shown: Callable[[object], object] = lambda entered: entered,
    to_entered: Callable[[object], object] = lambda shown: shown,
) -> Callable[[], None]:
    """Let what is entered in `control` go to `entry`; gives what shows in `control` what stands in `entry`."""
    pushing = [False]

    def entered(change: dict[str, object]) -> None:
        if not pushing[0]:
            entry.enter(to_entered(change["new"]))

    def push() -> None:
        pushing[0] = True
        try:
            shown = to_shown(entry.entered)
            if control.value != shown or type(control.value) is not type(shown):
                with suppress(TraitError):  # what the control has no place for stays in the entry
                    control.value = shown
        finally:
            pushing[0] = False

    control.observe(entered, "value")
    return push


def _as_text(entered: object) -> str:
    return str(entered or "")


def text(entry: Entry) -> w.DOMWidget:
    """One line, or an area where there are more."""
    if "\n" in str(entry.entered):
        return lines(entry)
    control = w.Text(placeholder=_example(entry), **_named(entry))
    return _framed(entry, control, push=_bound(entry, control, _as_text))


def _example(entry: Entry) -> str:
    told = entry.description
    return _EXAMPLES.get(str(told.get("format") or told.get("type")), "")


_EXAMPLES = {
    "duration": "1h 30m",
    "time": "09:30:00",
    "date-time": "2026-01-31T09:30:00",
    "integer": "a whole number",
    "number": "a number",
}


def lines(entry: Entry) -> w.DOMWidget:
    """An area for many lines."""
    control = w.Textarea(rows=4, **_named(entry))
    return _framed(entry, control, push=_bound(entry, control, _as_text))


def secret(entry: Entry) -> w.DOMWidget:
    """A line that shows dots."""
    made = cast("SecretEntry", entry)
    control = SecretField(description=entry.label, layout=_named(entry)["layout"])

    def typed(change: dict[str, object]) -> None:
        if change["new"] != made.entered:
            made.enter(change["new"])
            push()

    def push() -> None:
        control.show(_as_text(made.entered))
        known = "given" if made.entered else "default" if made.held is not None else ""
        control.placeholder = f"{known}: {HIDDEN}" if known else ""

    control.observe(typed, "value")
    return _framed(entry, control, push=push)


def date(entry: Entry) -> w.DOMWidget:
    """A date picker."""
    control = w.DatePicker(**_named(entry))
    return _framed(entry, control, push=_bound(entry, control, _date_of, lambda day: day.isoformat() if day else ""))  # type: ignore[attr-defined]  # a date


def _date_of(entered: object) -> dt.date | None:
    try:
        return dt.date.fromisoformat(str(entered))
    except ValueError:
        return None


def moment(entry: Entry) -> w.DOMWidget:
    """Text in ISO 8601, which says every moment exactly, and a picker that writes it."""
    control = w.Text(placeholder=_example(entry), **_named(entry))
    picker = w.NaiveDatetimePicker(description=f"pick {entry.label}", layout=w.Layout(width="220px"))
    picker.add_class("celltask-quiet")
    push_text = _bound(entry, control, _as_text)
    push_pick = _bound(entry, picker, _moment_of, lambda at: at.isoformat() if at else "")  # type: ignore[attr-defined]  # a datetime
    entry_shown = lambda: (push_text(), push_pick())  # noqa: E731 - two calls
    picker.observe(lambda _: push_text(), "value")
    control.observe(lambda _: push_pick(), "value")
    return _framed(entry, control, picker, push=cast("Callable[[], None]", entry_shown))


def _moment_of(entered: object) -> dt.datetime | None:
    try:
        made = dt.datetime.fromisoformat(str(entered))
    except ValueError:
        return None
    return None if made.tzinfo else made


def range_of_numbers(entry: Entry) -> w.DOMWidget:
    """A number as text, which says it exactly, and a slider that writes it."""
    low, high = cast("tuple[float, float]", limits(entry.description))
    control = w.Text(placeholder=f"{low} … {high}", **_named(entry))
    whole = entry.description.get("type") == "integer"
    step = float(cast("float", entry.description.get("multipleOf", 1 if whole else (high - low) / 100)))
    slider = Slider(min=low, max=high, step=step, label=f"slide {entry.label}")
    push_text = _bound(entry, control, _as_text)
    written = lambda number: str(round(number)) if whole else repr(float(f"{number:.10g}"))  # noqa: E731 - short
    push_slide = _bound(
        entry, slider, lambda entered: _within(entered, low, high), cast("Callable[..., object]", written)
    )
    slider.observe(lambda _: push_text(), "value")
    control.observe(lambda _: push_slide(), "value")
    push = cast("Callable[[], None]", lambda: (push_text(), push_slide()))
    return _framed(entry, control, slider, push=push)


def _within(entered: object, low: float, high: float) -> float:
    """The place of a slider for what was typed."""
    try:
        number = float(str(entered))
    except ValueError:
        return float(low)
    return float(min(max(number, low), high)) if number == number else float(low)  # noqa: PLR0124 - not-a-number


def path(entry: Entry) -> w.DOMWidget:
    """A path as text, and a button that uploads a file to one."""
    control = w.Text(placeholder="path/to/file", **_named(entry))
    push = _bound(entry, control, _as_text)

    def take(place: str) -> None:
        entry.enter(place)
        push()

    return _framed(entry, control, _upload(entry, "", take), push=push)


def _upload(entry: Entry, accept: str, take: Callable[[str], None]) -> w.DOMWidget:
    control = w.FileUpload(
        accept=accept, multiple=False, description="Upload", tooltip=f"upload a file for {entry.label}",
        layout=w.Layout(width="auto"),
    )  # fmt: skip

    def uploaded(change: dict[str, object]) -> None:
        for one in cast("tuple[w.Bunch, ...]", change["new"]):
            take(kept_upload(str(one["name"]), bytes(one["content"])))

    control.observe(uploaded, "value")
    control.add_class("celltask-upload")
    return control


def switch(entry: Entry) -> w.DOMWidget:
    """A check box."""
    named = _named(entry)
    control = w.Checkbox(indent=entry.is_labelled, **named)
    return _framed(entry, control, push=_bound(entry, control, bool))


def choice(entry: Entry) -> w.DOMWidget:
    """A list to choose from, with an empty line while nothing is chosen."""
    made = cast("ChoiceEntry", entry)
    control = w.Dropdown(options=list(made.options), value=None, **_named(entry))

    def shown(entered: object) -> object:
        if list(control.options) != list(made.options):
            control.options = list(made.options)
        return entered if entered in made.options else None

    return _framed(entry, control, push=_bound(entry, control, shown, lambda chosen: chosen or ""))


def nothing(entry: Entry) -> w.DOMWidget:
    """Nothing to enter."""
    return _framed(entry)


def expression(entry: Entry) -> w.DOMWidget:
    """A Python expression, with the variables that fit to choose from."""
    made = cast("ExpressionEntry", entry)
    kind = str(entry.description.get("x-python") or "")
    hint = "a variable or expression"
    if "\n" in str(made.entered) or len(str(made.entered)) > 60:  # noqa: PLR2004 - more than is seen of a line
        control: w.DOMWidget = w.Textarea(rows=3, placeholder=hint, **_named(entry))
    else:
        control = w.Combobox(placeholder=hint, ensure_option=False, **_named(entry))
    push_text = _bound(entry, control, _as_text)

    def push() -> None:
        from celltask.notebook.forms import variables_for  # noqa: PLC0415 - forms draw themselves with this module

        push_text()
        if made.held is not None and not control.value:
            control.placeholder = f"default: {made.preview(made.held.value)}"
        if made.fits is not None and isinstance(control, w.Combobox):
            control.options = variables_for(made.fits, entry.scope.namespace)[:200]

    parts = [control]
    if kind.partition("[")[0] in TABLES:

        def take(place: str) -> None:
            text, made.modules = reading_of(place, kind.partition(".")[0], entry.scope.namespace)
            made.uploaded = (text, place)
            entry.enter(text)
            push()

        parts.append(_upload(entry, accepted_files(kind), take))
    return _framed(entry, *parts, push=push)


def registered(entry: Entry, control: object) -> w.DOMWidget:
    """A widget of the user's own."""
    drawn = cast("w.DOMWidget", control)
    if entry.is_labelled and drawn.has_trait("description") and not drawn.description:
        drawn.description = entry.label
        drawn.style.description_width = LABEL_WIDTH
    if entry.entered is None:
        entry.entered = drawn.value
    return _framed(entry, drawn, push=_bound(entry, drawn))


def _titled(entry: Entry, body: w.DOMWidget) -> w.DOMWidget:
    """What has more than one control, with its label to the left."""
    if not entry.is_labelled:
        return body
    label = w.HTML(f"<span>{escape(entry.label)}</span>", layout=w.Layout(width=LABEL_WIDTH))
    label.add_class("celltask-label")
    return w.HBox([label, body], layout=w.Layout(align_items="flex-start"))


def _box(*parts: w.DOMWidget) -> w.VBox:
    box = w.VBox(list(parts), layout=w.Layout(align_items="flex-start"))
    box.add_class("celltask-group")
    return box


def group(entry: Entry) -> w.DOMWidget:
    """Fields below each other."""
    made = cast("GroupEntry | PlacesEntry", entry)
    parts: list[w.DOMWidget] = []
    for field in made.fields.values():
        parts.append(draw(field))
        told = str(field.description.get("description") or "")
        if told:
            parts.append(w.HTML(escape(clean(told))))
            parts[-1].add_class("celltask-hint")
    return _framed(entry, _titled(entry, _box(*parts)), is_wide=True)


def union(entry: Entry) -> w.DOMWidget:
    """A list of types to choose from, and a control for the one chosen."""
    made = cast("UnionEntry", entry)
    named = _named(entry)
    if entry.is_labelled:
        named["layout"] = w.Layout(width="290px")
    pick = w.Dropdown(options=made.names, **{**named, "tooltip": f"type of {entry.label}"})
    hold, drawn = w.Box(layout=w.Layout(flex="0 1 auto")), dict[int, w.DOMWidget]()
    hold.add_class("celltask-hold")
    push_pick = _bound(entry, pick)

    def push() -> None:
        push_pick()
        if id(made.chosen) not in drawn:
            drawn[id(made.chosen)] = draw(made.chosen)
        hold.children = (drawn[id(made.chosen)],)

    return _framed(entry, pick, hold, push=push)


def rows(entry: Entry) -> w.DOMWidget:
    """A row for each item or pair, with a button that removes it, and one below that adds another."""
    made = cast("ListEntry", entry)
    drawn: dict[int, tuple[Entry, w.DOMWidget]] = {}
    add = button("Add", f"add one to {entry.label}", made.add, icon="plus")
    box = _box(add)

    def push() -> None:
        kept = {id(item): drawn.get(id(item)) or (item, _row(made, item)) for item in made.items}
        gone = [row for key, (_, row) in drawn.items() if key not in kept]
        drawn.clear()
        drawn.update(kept)
        box.children = (*(row for _, row in drawn.values()), add)
        for row in gone:
            close_all(row)

    return _framed(entry, _titled(entry, box), push=push, is_wide=True)


def _row(entry: ListEntry, item: Entry) -> w.DOMWidget:
    remove = button("Remove", f"remove this from {entry.label}", lambda: entry.remove(item))
    parts = [item]
    if hasattr(item, "key"):
        pair = cast("PairEntry", item)
        parts = [pair.key, pair.value]
    row = w.HBox([*(draw(part) for part in parts), remove], layout=w.Layout(align_items="flex-start"))
    row.add_class("celltask-row")
    return row
