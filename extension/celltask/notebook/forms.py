"""Form: the inputs of a task or workflow as places to fill in, and what they stand for. Nothing here is drawn.

What a form says is never hidden: `Form.code` is the call that it makes, `Form.command` the line for a shell.
"""

from __future__ import annotations

import keyword
import os
import shlex
import sys
from typing import TYPE_CHECKING, NamedTuple

from celltask.core.calling import fault_of
from celltask.core.interface import MISSING
from celltask.core.types.alike import is_alike
from celltask.core.types.base import Mismatch
from celltask.core.types.masking import Hidden, class_of_secret, discreet, holds_secrets, is_secret
from celltask.notebook.controls import Blank, Held, Scope, Unfillable, control_for, make_entry
from celltask.notebook.controls_plain import (
    ExpressionEntry,
    LaterError,
    SecretEntry,
    TextEntry,
    holds_literals,
    is_expression,
)
from celltask.notebook.forms_data import data_of
from celltask.notebook.forms_source import Source, shell_word_of, source_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from celltask.core.interface import Input
    from celltask.core.task import Task
    from celltask.core.workflow import Workflow
    from celltask.notebook.controls import Entry

    Member = Task[..., object] | Workflow[..., object]

__all__ = ["Field", "Form", "variables_for"]

_MOST_LOOKED_AT, _MOST_TOLD = 2_000, 80


class Field:
    """One input: a control for it, an expression in its stead, and what is wrong with it. It holds state.

    Attributes:
        port: The input.
        entry: Its control.
        expression: What stands for it while `by_expression` is true.
        by_expression: Whether an expression is given instead.
        error: What is wrong, in words; empty if nothing is known to be.
        ready: The value, after a check that was passed.
        default_text: The default as Python.
        default_told: The default as people read it: as it would be entered, or as Python.
    """

    def __init__(self, port: Input, description: str, scope: Scope) -> None:
        self.port, self.description, self.scope = port, description, scope
        told = port.handler.describe()
        self.is_secret, self.has_secrets = is_secret(port.handler), holds_secrets(port.handler)
        is_open = control_for(told).name in ("open", "expression")
        self.expression = ExpressionEntry(told if is_open else {"x-python": port.handler.name}, scope, port.name)
        self.expression.fits, self.expression.preview = port.handler.validate, port.handler.preview
        self.entry: Entry = self.expression
        if not is_open:
            self.entry = make_entry({key: told[key] for key in told if key != "default"}, scope, port.name)
        self.by_expression = False
        self.error = ""
        self.ready: object = None
        self.reset()
        self.default_text = "" if port.default is MISSING else self.source().text
        self.default_told = "" if port.default is MISSING else self._told_default()

    @property
    def is_open(self) -> bool:
        """Whether there is no control beside the expression."""
        return self.entry is self.expression

    @property
    def current(self) -> Entry:
        """What stands for the input now."""
        return self.expression if self.by_expression else self.entry

    def reset(self) -> None:
        """Show the default, or nothing."""
        self.by_expression = self.is_open
        self.expression.hold(None)
        if self.port.default is not MISSING:
            self.fill(self.port.default)
        elif not self.is_open:
            self.entry = make_entry(self.entry.description, self.scope, self.port.name)
        for place in (self.entry, self.expression):
            place.clear_errors()
        self.error = ""
        self.current.shown()

    def fill(self, value: object) -> None:
        """Show `value`; where the control has no place for it, an expression stands for it."""
        self.by_expression = self.is_open
        if not self.is_open:
            try:
                self.entry.fill(data_of(self.port.handler, value))
            except Unfillable:
                self.by_expression = True
            else:
                return
        if self.port.handler.masked(value) is value:
            self.expression.fill(Held(value))
        else:  # without a text
            self.expression.hold(Held(value))

    def _told_default(self) -> str:
        kind = self.entry.description.get("format", "multi-line")
        if isinstance(self.entry, TextEntry) and kind not in ("multi-line", "password") and self.entry.entered:
            return str(self.entry.entered)
        text = self.default_text
        is_short = len(text) <= _MOST_TOLD and not self.has_secrets and text != _UNTOLD.text
        return text if is_short else self.port.handler.preview(self.port.default)

    def value(self) -> object:
        """The value that stands here, valid for the input.

        Raises:
            Mismatch: If there is none, or it does not fit.
            LaterError: If that is known only when the form runs.
        """
        data = self.current.read()
        handler = self.port.handler
        return handler.validate(data) if self.by_expression else handler.from_json(data)

    def check(self) -> bool | None:
        """Whether the value fits, telling beside the place what is wrong; None if only a run can tell."""
        self.current.clear_errors()
        try:
            self.ready = self.value()
        except LaterError:
            self.set_error("")
            return None
        except Mismatch as error:
            is_forgotten = isinstance(error, Blank) and not self.scope.is_tried
            told = self._told(discreet(self.port.handler, error))
            self.set_error("" if is_forgotten else told, error.path)
            return False
        except Exception as error:  # noqa: BLE001 - border: validators and classes of users' types
            why = type(error).__name__ + ("" if self.has_secrets else f": {error}")
            self.set_error(f"is refused by its type: {why}"[:500])
            return False
        self.set_error("")
        return True

    def _told(self, error: Mismatch) -> str:
        if isinstance(error, Blank):
            wanted = self.port.handler.name if not error.path else ""
            return "needs a value" + (f": {wanted}" if wanted else "")
        return fault_of(error) + (f" ({error.hint})" if error.hint else "")

    def set_error(self, error: str, path: tuple[str, ...] = ()) -> None:
        """Tell what is wrong at the end of `path`, as near to it as there is a place."""
        self.error = error
        place, left = self.current, list(path)
        while left or "" in place.children():
            children = place.children()
            if "" in children:
                place = children[""]
                continue
            step = left[0].strip(".[]").strip("'\"")
            if step not in children:
                break
            place = children[step]
            left.pop(0)
        place.set_error(f"at {''.join(left)}, it {error}" if error and left and error.startswith("must") else error)

    def source(self) -> Source:
        """The Python that stands for the value now; dots where there is none. It asks for what is secret."""
        text = str(self.expression.entered).strip() if self.by_expression else ""
        if is_expression(text) and not (self.has_secrets and holds_literals(text)):
            needed = [name for name in self.expression.modules if text.startswith(f"{name}.")]
            return Source(text, tuple(f"import {name}" for name in needed if name not in self.scope.namespace))
        shown = self._shown()
        found = None if shown is None else source_of(shown.value, self.scope.namespace, self.port.name)
        return found or _UNTOLD

    def word(self) -> str | None:
        """The word that says the value to a shell; None if none does."""
        if self.is_secret:
            return "-"  # standard input
        if self.is_open and "x-python" in self.entry.description:
            expression, path = self.expression.uploaded
            return path if expression and expression == self.expression.entered else None
        value = self._known()
        if value is None:
            return None
        handler = self.port.handler
        return "-" if handler.masked(value.value) is not value.value else shell_word_of(handler, value.value)

    def _known(self) -> Held | None:
        """The value, if there is one that fits and is known before the form runs."""
        try:
            return Held(self.value())
        except Exception:  # noqa: BLE001 - border: types of users; `check` tells what is wrong
            return None

    def _shown(self) -> Held | None:
        """The known value as it may be shown; of a secret as much, also where nothing was entered."""
        value = self._known()
        if value is None:
            return Held(Hidden(class_of_secret(self.port.handler))) if self.is_secret else None
        return Held(self.port.handler.masked(value.value))

    @property
    def is_default(self) -> bool:
        """Whether the default stands here."""
        value = self._known()
        return value is not None and self.port.default is not MISSING and is_alike(value.value, self.port.default)

    @property
    def is_left_out(self) -> bool:
        """Whether the default stands here, and has no text or one that is not shown; the call leaves it out then."""
        if self.has_secrets and self.is_default:
            return True
        place = self.current
        held = place.held if isinstance(place, ExpressionEntry | SecretEntry) else None
        return held is not None and held.value is self.port.default and not str(place.entered).strip()


_UNTOLD = Source("...")


class Call(NamedTuple):
    """A form as text: lines of Python, and the line for a shell."""

    code: str
    command: str


class Form:
    """The inputs of one task or workflow. It holds state.

    Args:
        member: The task or workflow.
        namespace: The notebook's variables, looked at whenever they are needed.

    Attributes:
        result_name: The variable that a result is bound to.

    >>> from celltask import task
    >>> @task
    ... def scale(factor: float = 2.0, times: int = 3) -> float:
    ...     return factor * times
    >>> form = Form(scale, {})
    >>> form.take()
    {'factor': 2.0, 'times': 3}
    >>> form["times"].entry.enter("many")
    >>> form.check(), form["times"].error
    (False, "must be int, got 'many' (str)")
    """

    def __init__(self, member: Member, namespace: Mapping[str, object]) -> None:
        self.member, self.namespace = member, namespace
        self.scope = Scope(namespace)
        interface = member.interface
        self.fields = [Field(port, interface.description_of(port.name), self.scope) for port in interface.inputs]
        self.has_result = bool(interface.outputs)
        self.result_name = self._first_name = f"{member.name}_result" if self.has_result else ""

    def __getitem__(self, name: str) -> Field:
        return next(field for field in self.fields if field.port.name == name)

    def check(self) -> bool:
        """Whether every value fits, as far as can be told without running expressions; errors stand beside fields."""
        return [field.check() for field in self.fields].count(False) == 0 and not self.name_error()

    def take(self) -> dict[str, object] | None:
        """The value of each input, expressions evaluated once; None if one does not fit, which is told beside it."""
        self.scope.runs = self.scope.is_tried = True
        try:
            fits = self.check()
        finally:
            self.scope.runs = False
        return {field.port.name: field.ready for field in self.fields} if fits else None

    def reset(self) -> None:
        """Every input, and the name for the result, as it was at first."""
        self.scope.is_tried, self.result_name = False, self._first_name
        for field in self.fields:
            field.reset()

    def name_error(self) -> str:
        """What is wrong with the name for the result; empty if nothing is."""
        name = self.result_name.strip()
        if not name:
            return ""
        if not name.isidentifier() or keyword.iskeyword(name):
            return f"{name[:60]!r} is no name of a variable"
        if name == self.member.name or self.namespace.get(name) is self.member:
            return f"{name!r} is the name of what runs"
        return ""

    def call(self) -> Call:
        """What the form would do now, as text."""
        return Call(self.code(), self.command())

    def code(self) -> str:
        """The Python call for the present values, with the imports that it needs above it."""
        imports: set[str] = set()
        arguments = []
        for field in self.fields:
            source = field.source()
            if not field.is_left_out and not (source == _UNTOLD and field.is_default):
                imports.update(source.imports)
                arguments.append(f"{field.port.name}={source.text}")
        bind = f"{self.result_name.strip()} = " if self.result_name.strip() and not self.name_error() else ""
        text = f"{bind}{self.member.name}({', '.join(arguments)})"
        if len(text) > 88:  # noqa: PLR2004 - a line of code as formatters have it
            text = f"{bind}{self.member.name}(\n" + "".join(f"    {one},\n" for one in arguments) + ")"
        return "\n".join([*_joined(imports), *([""] if imports else []), text])

    def command(self) -> str:
        """The `celltask run` line for the present values; what no shell can say is in capitals."""
        words = ["celltask", "run", document_name(self.namespace, self.member.place), self.member.name]
        for field in self.fields:
            flag, word = flag_of(field.port.name), field.word()
            if field.is_left_out or (word is None and field.is_default):
                continue
            if word is None:
                words += [flag, field.port.name.upper()]
            elif word.startswith("-") and not field.has_secrets:
                words.append(f"{flag}={word}")
            else:
                words += [flag, word]
        return shlex.join(words)


def _joined(imports: set[str]) -> list[str]:
    """Import lines, one for each module."""
    names: dict[str, list[str]] = {}
    for line in sorted(imports):
        place, _, name = line.partition(" import ")
        names.setdefault(place, []).append(name)
    return [f"{place} import {', '.join(known)}" if any(known) else place for place, known in names.items()]


def flag_of(name: str) -> str:
    """The option of an input.

    >>> flag_of("test_size")
    '--test-size'
    """
    return f"--{name}" if name.startswith("_") else f"--{name.replace('_', '-')}"


def document_name(namespace: Mapping[str, object], place: str) -> str:
    """The notebook's file, as far as its front end has told the kernel, or the place of a definition tells it.

    >>> document_name({"__vsc_ipynb_file__": "/home/me/book.ipynb"}, ""), document_name({}, "pages/a.md:31")
    ('book.ipynb', 'a.md')
    """
    told = namespace.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME") or place.partition(":")[0]
    name = os.path.basename(str(told))  # noqa: PTH119 - a name, not a place
    return name if name.endswith((".ipynb", ".md", ".py")) else "NOTEBOOK.ipynb"


def variables_for(fits: Callable[[object], object], namespace: Mapping[str, object]) -> list[str]:
    """Names of the notebook's variables whose values `fits` takes without an error, the newest first."""
    found = []
    module = type(sys)
    for name, value in reversed(list(namespace.items())[-_MOST_LOOKED_AT:]):
        if name.startswith("_") or name in ("In", "Out", "exit", "quit") or isinstance(value, module):
            continue
        try:
            fits(value)
        except Exception:  # noqa: BLE001, S112 - border: values and types of users; what cannot be checked is not offered
            continue
        found.append(name)
    return found
