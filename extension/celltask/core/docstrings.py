"""Docstrings: what they say of a task, its inputs and its outputs (Google, NumPy and reST forms)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from celltask.core.interface import Input, Interface, Output

__all__ = ["descriptions", "first_line"]

_SECTIONS = frozenset(
    ("args", "arguments", "params", "parameters", "return", "returns", "yields", "raises", "attributes", "example")
)
"""Headings that docstrings of Google and NumPy form begin a section with."""


def first_line(docstring: str) -> str:
    """First line of a docstring; empty if it begins with a section such as ``Args:`` at once."""
    first, _, rest = docstring.strip().partition("\n")
    is_heading = first.strip().rstrip(":").lower() in _SECTIONS or rest.lstrip().startswith("---")
    return "" if is_heading or first.startswith(":") else first.strip()


def descriptions(interface: Interface) -> dict[str, str]:
    """What the docstring or ``Annotated[T, "text"]`` says of each input and output, by name."""
    found: dict[str, str] = {}
    if interface.docstring:
        from docstring_parser import parse  # noqa: PLC0415 - third party, needed only where people read

        # Without a first line the parser takes a section of one entry for prose.
        told = parse(interface.docstring if interface.doc else f"-\n\n{interface.docstring}")
        found = {item.arg_name: item.description or "" for item in told.params}
        returns = [item for item in (told.many_returns or []) if item.description]
        for output, item in zip(interface.outputs, returns, strict=False):
            found.setdefault(output.name, item.description or "")
    ports: list[Input | Output] = [*interface.inputs, *interface.outputs]
    for port in ports:
        said = [item for item in getattr(port.annotation, "__metadata__", ()) if isinstance(item, str)]
        if said and port.handler.describe().get("format") != said[0]:
            found[port.name] = said[0]
    return {name: " ".join(text.split()) for name, text in found.items()}
