"""Controls: from the description of a type to what a form shows for it.

A description is what `TypeHandler.describe` gives: JSON Schema with a few words of ours. One table, asked from the
newest entry to the oldest, says which control a description gets. To give your own type a control, let its handler's
`describe` say something of its own, for example ``{"type": "string", "format": "color"}``, and register a control for
that: see `register_control`. Nothing here needs ipywidgets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, cast

from celltask.core.types.base import Mismatch
from celltask.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Blank", "Control", "Entry", "Held", "Scope", "Unfillable", "control_for", "make_entry", "register_control"]

Description = dict[str, object]


class Blank(Mismatch):
    """Nothing was entered where a value is needed."""


class Unfillable(Exception):  # noqa: N818 - a signal to the form, which shows an expression then
    """A value has no place in the control of its own type: one of a subclass, one without a JSON form."""


class Held(NamedTuple):
    """A value itself, where it has no form that could be typed."""

    value: object


@dataclass
class Scope:
    """What all places of one form share. It holds state.

    Attributes:
        namespace: The notebook's variables, for expressions.
        runs: Whether expressions may be evaluated that can do anything; only when Run was pressed.
        is_tried: Whether Run was pressed; what is empty counts as forgotten only then.
        changed: Called after something was entered.
        defs: Descriptions that others refer to by name.
    """

    namespace: Mapping[str, object] = field(default_factory=dict)
    runs: bool = False
    is_tried: bool = False
    changed: Callable[[], None] = lambda: None
    defs: dict[str, Description] = field(default_factory=dict)


class Entry:
    """One place of a form: what was entered there, and the data it stands for. It holds state.

    Attributes:
        description: Of the values that belong here.
        label: What people read beside it.
        entered: What stands in the control, as the control has it.
        error: What is wrong with it, in words; empty if nothing is known to be.
        shown: Called when the place has changed other than through its control.
        is_labelled: Whether its label is written beside it; else it is only read out.
    """

    empty: object = ""
    """What stands in an empty control."""

    def __init__(self, description: Description, scope: Scope, label: str) -> None:
        self.description, self.scope, self.label = description, scope, label
        self.entered: object = self.empty
        self.error = ""
        self.shown: Callable[[], None] = lambda: None
        self.is_labelled = True

    def enter(self, entered: object) -> None:
        """Take what somebody typed or chose."""
        self.entered = entered
        self.scope.changed()

    def fill(self, data: object) -> None:
        """Show `data`, as `forms_data.data_of` gives it.

        Raises:
            Unfillable: If it has no place here.
        """
        if isinstance(data, Held):
            raise Unfillable
        self.entered = self.to_entered(data)
        self.shown()

    def to_entered(self, data: object) -> object:
        """What the control shows for `data`."""
        return data

    def read(self) -> object:
        """The data that was entered: JSON data, with values of no JSON form in it as they are.

        Raises:
            Mismatch: If nothing was entered where something must be, or it cannot be read at all.
        """
        return self.entered

    def children(self) -> dict[str, Entry]:
        """The places within this one, by the step that errors name them with."""
        return {}

    def set_error(self, error: str) -> None:
        """Tell what is wrong here, or with an empty text that nothing is."""
        if error != self.error:
            self.error = error
            self.shown()

    def clear_errors(self) -> None:
        """Nothing is wrong here or within."""
        self.set_error("")
        for child in self.children().values():
            child.clear_errors()


class Control(NamedTuple):
    """One line of the table.

    Attributes:
        name: For people.
        matches: Whether it is for a description.
        entry: ``"module:class"`` of the `Entry`, or the class.
        widget: ``"module:function"`` from an entry to its ipywidgets widget, or the function.
    """

    name: str
    matches: Callable[[Description], bool]
    entry: str | Callable[[Description, Scope, str], Entry]
    widget: str | Callable[[Entry], object]

    def make(self, description: Description, scope: Scope, label: str) -> Entry:
        """An empty entry."""
        return cast("Entry", _loaded(self.entry)(description, scope, label))

    def draw(self, entry: Entry) -> object:
        """The widget of `entry`."""
        return _loaded(self.widget)(entry)


def _loaded(place: str | Callable[..., object]) -> Callable[..., object]:
    if not isinstance(place, str):
        return place
    module, _, name = place.partition(":")
    return cast("Callable[..., object]", getattr(import_module(f"celltask.notebook.{module}"), name))


def _is(kind: str) -> Callable[[Description], bool]:
    return lambda told: told.get("type") == kind


def _has_format(*formats: str) -> Callable[[Description], bool]:
    return lambda told: told.get("type") == "string" and told.get("format") in formats


def _is_secret(told: Description) -> bool:
    return told.get("format") == "password" and told.get("type") in ("string", "integer", "number")


def _is_open(told: Description) -> bool:
    """Whether values are told better by a Python expression than by any control."""
    if "x-python" in told or not told.keys() - {"title", "description", "default", "$defs"}:
        return True
    if told.get("type") == "array":
        return "prefixItems" not in told and not _inner(told, "items")
    if told.get("type") == "object" and "properties" not in told:
        return not _inner(told, "additionalProperties") or told.get("propertyNames") == {}
    return False


def _inner(told: Description, word: str) -> bool:
    inner = told.get(word)
    return isinstance(inner, dict) and bool(inner)


def _is_range(told: Description) -> bool:
    return _is_number(told) and limits(told) is not None


def limits(told: Description) -> tuple[float, float] | None:
    """The least and the greatest number that a description lets through; None if it has no such range."""
    low = told.get("minimum", told.get("exclusiveMinimum"))
    high = told.get("maximum", told.get("exclusiveMaximum"))
    if not (isinstance(low, int | float) and isinstance(high, int | float)) or not low < high:
        return None
    return (low, high) if max(abs(low), abs(high)) < _MOST_EXACT else None


_MOST_EXACT = 2**53  # the page has only floats


def _is_optional(told: Description) -> bool:
    return "anyOf" in told or "oneOf" in told


def _is_number(told: Description) -> bool:
    return told.get("type") in ("integer", "number")


_PLAIN, _NESTED, _DRAWN = "controls_plain", "controls_nested", "controls_widgets"
_table = [  # the last that matches is taken
    Control("expression", lambda _: True, f"{_PLAIN}:ExpressionEntry", f"{_DRAWN}:expression"),
    Control("text", _is("string"), f"{_PLAIN}:TextEntry", f"{_DRAWN}:text"),
    Control("lines", _has_format("multi-line"), f"{_PLAIN}:TextEntry", f"{_DRAWN}:lines"),
    Control("date", _has_format("date"), f"{_PLAIN}:TextEntry", f"{_DRAWN}:date"),
    Control("moment", _has_format("date-time"), f"{_PLAIN}:TextEntry", f"{_DRAWN}:moment"),
    Control("path", _has_format("path", "file-path"), f"{_PLAIN}:TextEntry", f"{_DRAWN}:path"),
    Control("number", _is_number, f"{_PLAIN}:NumberEntry", f"{_DRAWN}:text"),
    Control("range", _is_range, f"{_PLAIN}:NumberEntry", f"{_DRAWN}:range_of_numbers"),
    Control("secret", _is_secret, f"{_PLAIN}:SecretEntry", f"{_DRAWN}:secret"),
    Control("switch", _is("boolean"), f"{_PLAIN}:SwitchEntry", f"{_DRAWN}:switch"),
    Control("nothing", _is("null"), f"{_PLAIN}:NothingEntry", f"{_DRAWN}:nothing"),
    Control("list", _is("array"), f"{_NESTED}:ListEntry", f"{_DRAWN}:rows"),
    Control("places", lambda told: "prefixItems" in told, f"{_NESTED}:PlacesEntry", f"{_DRAWN}:group"),
    Control("pairs", _is("object"), f"{_NESTED}:PairsEntry", f"{_DRAWN}:rows"),
    Control("group", lambda told: "properties" in told, f"{_NESTED}:GroupEntry", f"{_DRAWN}:group"),
    Control("choice", lambda told: "enum" in told or "const" in told, f"{_PLAIN}:ChoiceEntry", f"{_DRAWN}:choice"),
    Control("union", _is_optional, f"{_NESTED}:UnionEntry", f"{_DRAWN}:union"),
    Control("open", _is_open, f"{_PLAIN}:ExpressionEntry", f"{_DRAWN}:expression"),
]  # fmt: skip


def control_for(description: Description) -> Control:
    """The control of the table for `description`.

    >>> control_for({"type": "integer"}).name, control_for({"type": "integer", "minimum": 0, "maximum": 9}).name
    ('number', 'range')
    """
    return next(control for control in reversed(_table) if control.matches(description))


def make_entry(description: Description, scope: Scope, label: str = "") -> Entry:
    """An entry for `description`, empty or filled with its default."""
    scope.defs.update(cast("dict[str, Description]", description.get("$defs", {})))
    seen = 0
    while "$ref" in description and seen < len(scope.defs) + 1:
        seen += 1
        named = scope.defs.get(str(description["$ref"]).rpartition("/")[2], {})
        description = {**named, **{key: value for key, value in description.items() if key != "$ref"}}
    entry = control_for(description).make(description, scope, label)
    if "default" in description and description.get("format") != "password":
        entry.fill(description["default"])
    return entry


class WidgetEntry(Entry):
    """An entry of a control that users registered; what is entered is the widget's own value."""

    to_data: Callable[[object], object]
    from_data: Callable[[object], object]
    empty = None

    def to_entered(self, data: object) -> object:
        """What the widget holds for `data`."""
        return self.from_data(data)

    def read(self) -> object:
        """What `to_data` makes of the widget's value."""
        return self.to_data(self.entered)


def register_control(
    pattern: Description | Callable[[Description], bool],
    widget: Callable[[Description], object],
    *,
    to_data: Callable[[object], object] = lambda value: value,
    from_data: Callable[[object], object] = lambda data: data,
) -> None:
    """Let forms use `widget` for every description that `pattern` fits; the newest registration is asked first.

    Args:
        pattern: Words that a description must have, as ``{"format": "color"}``, or a function that says whether.
        widget: From the description to an ipywidgets widget with a `value`.
        to_data: From that `value` to the data that the type's `from_json` takes.
        from_data: From the data that the type's `to_json` gives to a `value`.

    Raises:
        PluginError: If `pattern` is neither.

    >>> register_control({"format": "color"}, lambda description: __import__("ipywidgets").ColorPicker())
    >>> control_for({"type": "string", "format": "color"}).name
    'registered'
    """
    given: object = pattern
    if not (isinstance(given, dict) or callable(given)):
        raise PluginError(f"register_control takes a dict or a function, not {pattern!r}", mend='{"format": "color"}')

    def matches(told: Description) -> bool:
        if isinstance(pattern, dict):
            return all(told.get(key) == word for key, word in pattern.items())
        return pattern(told)

    def made(description: Description, scope: Scope, label: str) -> Entry:
        entry = WidgetEntry(description, scope, label)
        entry.to_data, entry.from_data = to_data, from_data
        return entry

    def drawn(entry: Entry) -> object:
        from celltask.notebook.controls_widgets import registered  # noqa: PLC0415 - ipywidgets, only when shown

        return registered(entry, widget(entry.description))

    _table.append(Control("registered", matches, made, drawn))
