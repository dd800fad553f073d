"""Closure: everything of the user's code that a function reaches, as named parts of text.

Names are resolved as the interpreter does it: from the instructions that load globals, nested code included, with
the attributes read from modules followed to what they are. Objects of the project are taken in by content, those
of installed packages by the package's version, those of Python and of celltask by name.

The module that the function stands in is never named, so that a notebook, a document and a plain module with the
same code have the same parts.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from celltask.core.facts import class_parts, function_facts, joined
from celltask.core.modules import distributions_of, module_text, names_imported, origin_of
from celltask.core.nesting import functions_in_cells
from celltask.core.normal import hashed

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FunctionType, ModuleType

__all__ = ["Closure"]


class Closure:
    """The parts of the code that one function reaches. It holds state: one walk from one function.

    Attributes:
        root: The function; ``None`` where only values without one are referred to.
        parts: What was found so far, by kind and name: ``"constant RATE"``, ``"method Model.fit"``; the function's
            own under plain kinds (``"body"``, ``"default lr"``).

    >>> def area(width: float, height: float = 1.0) -> float:
    ...     return width * height
    >>> sorted(Closure(area).walk())
    ['body', 'default height', 'parameters', 'returns', 'type height', 'type width']
    """

    def __init__(self, root: FunctionType | None) -> None:
        self.root = root
        self.parts: dict[str, str] = {}
        inside = list(functions_in_cells(root)) if root is not None else []
        # A decorator of a module that does not use functools.wraps hands over its wrapper, with the notebook's
        # function in its closure: both are at home.
        inside = [each for each in inside if each.__globals__.get("__name__") == "__main__"]
        self._homes = [each.__globals__ for each in ([root] if root is not None else []) + inside]
        self._labels: dict[int, str] = {id(root): "itself"} if root is not None else {}
        self._owners: dict[str, object] = {}  # keeps the objects alive, too: their ids are keys above
        self._todo: deque[Callable[[], None]] = deque()

    def walk(self) -> dict[str, str]:
        """All parts. What is nearer to the root comes first, ties by name: the order never depends on the run."""
        if self.root is not None:
            self.parts.update(function_facts(self, self.root, ""))
        return self.finished()

    def finished(self) -> dict[str, str]:
        """All parts of what was referred to so far, and of what that reaches."""
        while self._todo:
            self._todo.popleft()()
        return self.parts

    def is_home(self, namespace: object) -> bool:
        """Whether `namespace` is the globals of the cell, document or module that the function stands in."""
        return any(namespace is home for home in self._homes)

    def placed(self, name: str, module: str, namespace: object = None) -> str:
        """`name` as it is shown: with its module, unless it is at home."""
        plain = name.replace("<locals>.", "")
        at_home = self.is_home(namespace) or any(module == home.get("__name__") for home in self._homes)
        return plain if at_home else f"{module}.{plain}"

    def is_followed(self, module: str, namespace: object = None) -> bool:
        """Whether objects of `module` are taken in by content."""
        return (
            self.is_home(namespace)
            or any(module == home.get("__name__") for home in self._homes)
            or origin_of(module) == "project"
        )

    def claimed(self, label: str, value: object, take_in: Callable[[str], None]) -> str:
        """The label of `value`, wanted as `label`; when it is new, `take_in` is called with it later.

        Two objects that want one label (a helper and its older definition, kept by a closure) get numbers.
        """
        known = self._labels.get(id(value))
        if known is not None:
            return known
        free, number = label, 1
        while free in self._owners:
            number += 1
            free = f"{label} ({number})"
        self._labels[id(value)], self._owners[free] = free, value
        self._todo.append(lambda: take_in(free))
        return free

    def take_in_function(self, function: FunctionType, label: str) -> None:
        """Add the part of a function that the root reaches."""
        self.parts[f"helper {label}"] = joined(function_facts(self, function, label))

    def take_in_class(self, kind: type, label: str) -> None:
        """Add the parts of a class that the root reaches."""
        self.parts.update(class_parts(self, kind, label))

    def note_package(self, module: str) -> None:
        """Take in the version of the installed package that `module` belongs to."""
        top = module.partition(".")[0]
        found = distributions_of(top)
        for name, version in found:
            self.parts[f"package {name}"] = version
        if not found:
            self.parts[f"package {top}"] = "unknown"

    def note_module(self, name: str) -> None:
        """Take in a whole module by its text, and what it imports, whether it was imported already or not."""
        origin = origin_of(name)
        if origin == "installed":
            self.note_package(name)
        if origin != "project" or f"module {name}" in self.parts:
            return
        self.parts[f"module {name}"] = hashed(module_text(name))
        for imported in sorted(set(names_imported(name))):
            self.note_module(imported)

    def module_reference(self, module: ModuleType) -> str:
        """What a module that is used as a value is: taken in as a whole."""
        if self.is_home(vars(module)):
            return "module itself"
        self.note_module(module.__name__)
        return f"module {module.__name__}"
