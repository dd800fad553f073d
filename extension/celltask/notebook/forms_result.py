"""Results and errors of a run as HTML: what values say of themselves is shown, and nothing of it is executed."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, cast

from celltask.core.types.naming import library_of
from celltask.errors import CelltaskError
from celltask.notebook.display import error_told, frames_told
from celltask.render.lettering import escape
from celltask.render.markup import code

if TYPE_CHECKING:
    from collections.abc import Callable

    from celltask.core.interface import Interface

__all__ = ["failure_html", "masked_result", "result_html"]

_MOST_TEXT, _MOST_HTML = 4_000, 200_000
_PICTURES = ("image/png", "image/jpeg", "image/svg+xml")
_TABLES = ("pandas", "polars")
"""Libraries whose own HTML escapes what is in the cells."""


def result_html(value: object, formats: Callable[[object], dict[str, object]]) -> str:
    """A picture, a table of pandas or polars, or text; of a named tuple with such a part, each part by itself.

    Args:
        value: The result.
        formats: Gives what a value says of itself, by MIME type.
    """
    names = getattr(type(value), "_fields", ()) if isinstance(value, tuple) else ()
    parts = [_one_html(part, formats) for part in value] if names and isinstance(value, tuple) else []
    if any(not part.startswith("<pre") for part in parts):
        return "".join(f"<p>{code(str(name))}</p>{part}" for name, part in zip(names, parts, strict=True))
    return _one_html(value, formats)


def masked_result(interface: Interface, value: object) -> object:
    """What a run gave, with dots in the place of each secret in it."""
    if interface.result == "single":
        return interface.outputs[0].handler.masked(value)
    parts = zip(interface.outputs, cast("tuple[object, ...]", value), strict=True)
    masked = tuple(port.handler.masked(part) for port, part in parts)
    return interface.returned(masked)


def _one_html(value: object, formats: Callable[[object], dict[str, object]]) -> str:
    try:
        told = formats(value)
    except Exception:  # noqa: BLE001 - border: a value's own code; what it is must still be told
        told = {}
    for kind in _PICTURES:
        if kind in told:
            return f'<img alt="the result" src="data:{kind};base64,{_base64(told[kind])}" style="max-width:100%">'
    html = told.get("text/html")
    is_table = library_of(type(value)) in _TABLES and type(value).__module__.split(".")[0] in _TABLES
    if is_table and isinstance(html, str) and len(html) <= _MOST_HTML and not hasattr(value, "render"):
        return html
    text = told.get("text/plain")
    return f'<pre tabindex="0">{escape(_cut(text if isinstance(text, str) else _repr(value)))}</pre>'


def _base64(data: object) -> str:
    if isinstance(data, bytes):
        return b64encode(data).decode("ascii")
    text = str(data)
    return b64encode(text.encode()).decode("ascii") if text.lstrip().startswith("<") else "".join(text.split())


def _repr(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - border: as above
        return f"a {type(value).__name__} without a repr"


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}…\n({len(text):,} characters)"


def failure_html(error: BaseException) -> str:
    """The error in its own words; of one that is not ours, the frames of the user's code in a fold-out, too."""
    own = str(error) if isinstance(error, CelltaskError) else ""
    told = f'<pre tabindex="0">{escape(_cut(own or error_told(error)))}</pre>'
    frames = frames_told(error)
    if own or not frames:
        return told
    return f"{told}<details><summary>where</summary><pre>{escape(_cut(frames))}</pre></details>"
