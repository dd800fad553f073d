"""Colours, dashes and marks of the picture, in light and in dark.

A state is told three times, by colour, by the dash of the border and by the mark in the corner, so that nobody
depends on colours. Boxes are filled and carry all text, so that a picture stays readable on whatever page it is put.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["BADGE_PX", "FONTS", "LABEL_PX", "NOTE_PX", "STATES", "State", "style_sheet", "summed_state"]

FONTS = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'Noto Sans','DejaVu Sans',sans-serif"
LABEL_PX, NOTE_PX, BADGE_PX = 13.0, 11.0, 9.5


class State(NamedTuple):
    """How one state looks."""

    light: tuple[str, str]
    """Colour of border and mark, and of the box, on a light page."""
    dark: tuple[str, str]
    dash: str
    """`stroke-dasharray` of the border; empty for a full line."""
    mark: str
    """Path in a square of 10 px around its own middle."""
    filled: bool = False
    """Whether the mark is filled rather than drawn with a pen."""
    width: float = 1.5
    """Of the border, in px."""


STATES = {
    "queued": State(("#6e7781", "#ffffff"), ("#8b949e", "#21262d"), "5 3", "M0 -2.8V0L2.2 1.6"),
    "running": State(("#0969da", "#ddf4ff"), ("#4493f8", "#0f2a4a"), "8 3", "M-1.9 -3L3.1 0L-1.9 3Z", filled=True),
    "reused": State(("#8250df", "#fbefff"), ("#ab7df8", "#2c1f4a"), "", "M-2.8 -1.4H2.8M-2.8 1.4H2.8"),
    "retried": State(
        ("#bc4c00", "#fff1e5"), ("#f0883e", "#3d2209"), "8 3 2 3", "M2.6 -1.6A3 3 0 1 0 3 .6M2.9 -3.4V-1.3H.8"
    ),
    "done": State(("#1a7f37", "#dafbe1"), ("#3fb950", "#12311c"), "", "M-2.9 .2L-.9 2.3L2.9 -2.2"),
    "failed": State(
        ("#cf222e", "#ffebe9"), ("#f85149", "#45171a"), "", "M-2.4 -2.4L2.4 2.4M2.4 -2.4L-2.4 2.4", width=2.5
    ),
    "skipped": State(("#848d97", "#f0f2f4"), ("#6e7681", "#1c2128"), "1.5 3.5", "M-2.8 0H2.8"),
    "cancelled": State(("#57606a", "#eaeef2"), ("#9198a1", "#2a3038"), "2 2", "M-2.3 -2.3H2.3V2.3H-2.3Z", filled=True),
    "stale": State(("#9a6700", "#fff8c5"), ("#d29922", "#3a2d0c"), "4 2 1 2", "M0 -3.2V.6M0 3V3.1"),
}

_LEADING = ("failed", "cancelled", "retried", "running", "queued", "stale", "skipped", "done", "reused")

_LIGHT = {
    "page": "#ffffff",
    "box": "#ffffff",
    "border": "#6e7781",
    "text": "#1f2328",
    "note": "#57606a",
    "line": "#8c959f",
    "port": "#e4e9ef",
    "port-border": "#b6c0cb",
    "fold": "#eef1f4",
    "mark": "#ffffff",
}
_DARK = {
    "page": "#0d1117",
    "box": "#21262d",
    "border": "#8b949e",
    "text": "#e6edf3",
    "note": "#a5aeb8",
    "line": "#768390",
    "port": "#2f3742",
    "port-border": "#545d68",
    "fold": "#2d333b",
    "mark": "#0d1117",
}


def summed_state(states: list[str]) -> str:
    """The state of a box that stands for several nodes: the one a reader must know of first.

    >>> summed_state(["done", "failed", "queued"]), summed_state(["done", "reused"]), summed_state(["done", "queued"])
    ('failed', 'done', 'running')
    """
    present = set(states)
    if "queued" in present and present & {"done", "reused"} and not present & {"failed", "cancelled"}:
        return "running"
    return next((state for state in _LEADING if state in present), "")


def _rules(palette: dict[str, str], states: dict[str, State], *, dark: bool, within: str = "") -> str:
    root = f"{within}.celltask-dag"
    rules = [
        f"{root} .box{{fill:{palette['box']};stroke:{palette['border']}}}",
        f"{root} .fold{{fill:{palette['fold']};stroke:{palette['border']}}}",
        f"{root} .inner{{fill:none;stroke:{palette['border']}}}",
        f"{root} .port .box{{fill:{palette['port']};stroke:{palette['port-border']}}}",
        f"{root} .label{{fill:{palette['text']}}}",
        f"{root} .note,{root} .port .label{{fill:{palette['note']}}}",
        f"{root} .line{{stroke:{palette['line']}}}",
        f"{root} .arrow{{fill:{palette['line']}}}",
        f"{root} .badge rect{{fill:{palette['box']};stroke:{palette['border']}}}",
        f"{root} .badge text{{fill:{palette['text']}}}",
        f"{root} .sign{{stroke:{palette['mark']}}}",
        f"{root} .sign.full{{fill:{palette['mark']}}}",
    ]
    for name, state in states.items():
        ink, fill = state.dark if dark else state.light
        rules.append(f"{root} .{name} .box{{fill:{fill};stroke:{ink}}}")
        rules.append(f"{root} .{name} .inner,{root} .{name} .fold{{stroke:{ink}}}")
        rules.append(f"{root} .{name} .disc{{fill:{ink}}}")
    return "".join(rules)


def style_sheet(*, states: Collection[str] = tuple(STATES), dark_within: str = "") -> str:
    """The style sheet inside every picture; it follows the reader's light or dark theme by itself.

    Args:
        states: Those that occur; all by default. Of a small picture, the rules of the others would be the most.
        dark_within: A selector: the picture is dark inside of what it selects, whatever the reader's system says.
    """
    root, known = ".celltask-dag", {name: state for name, state in STATES.items() if name in states}
    shapes = [
        f"{root}{{font-family:{FONTS}}}",
        f"{root} text{{text-anchor:middle}}",
        f"{root} .label{{font-size:{LABEL_PX:g}px}}",
        f"{root} .note,{root} .port .label{{font-size:{NOTE_PX:g}px}}",
        f"{root} .box,{root} .fold{{stroke-width:1.25}}",
        f"{root} .inner{{stroke-width:1}}",
        f"{root} .open{{stroke-dasharray:3 2}}",
        f"{root} .line{{fill:none;stroke-width:1.25}}",
        f"{root} .order .line{{stroke-dasharray:4 3}}",
        f"{root} .badge text{{font-size:{BADGE_PX:g}px}}",
        f"{root} .sign{{fill:none;stroke-width:1.6;stroke-linecap:round;stroke-linejoin:round}}",
    ]
    for name, state in known.items():
        dash = f";stroke-dasharray:{state.dash}" if state.dash else ""
        shapes.append(f"{root} .{name} .box{{stroke-width:{state.width:g}{dash}}}")
    light = "".join(shapes) + _rules(_LIGHT, known, dark=False)
    if dark_within:
        return light + _rules(_DARK, known, dark=True, within=f"{dark_within} ")
    return f"{light}@media(prefers-color-scheme:dark){{{_rules(_DARK, known, dark=True)}}}"
