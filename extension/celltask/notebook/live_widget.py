"""The widget that a run is shown in while it lasts: the picture once, and then what has changed."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import anywidget
import traitlets

from celltask.notebook.live_nodes import MOST_DRAWN, inner_pictures, nodes_told
from celltask.render.composition import compose
from celltask.render.picture import draw
from celltask.render.style import STATES, style_sheet

if TYPE_CHECKING:
    from collections.abc import Callable

    from celltask.core.graph import Graph
    from celltask.render.composition import Composition

__all__ = ["LETTERS", "RunWidget", "made_told", "script", "widget_of"]

LETTERS = {
    "queued": "q", "running": "r", "reused": "u", "retried": "t", "done": "d", "failed": "f", "skipped": "s",
    "cancelled": "c",
}  # fmt: skip
"""What `RunWidget.states` has for each state."""

_FOLDER = Path(__file__).parent / "js"
_PARTS = ("store", "panel", "picture", "freeze", "live")


@cache
def script() -> str:
    """The module that the browser runs, of several files in one."""
    return "\n".join((_FOLDER / f"{part}.js").read_text(encoding="utf-8") for part in _PARTS)


@cache
def _style() -> str:
    return style_sheet(dark_within=".celltask-dark") + (_FOLDER / "live.css").read_text(encoding="utf-8")


class RunWidget(anywidget.AnyWidget):
    """One run in the browser.

    A whole synchronisation of what is known of 1,000 nodes at each of their events would be 200 MB; so `states` has
    one letter for each node, and all else goes as messages about what has changed.

    Attributes:
        key: Id of the run.
        name: Name of the workflow.
        svg: Its picture.
        sheet: The style sheet of a picture by itself.
        pictures: Those of workflows inside, by node id.
        told: What is known of the nodes beforehand, see `nodes_told`.
        looks: Letter, mark and fill of each state.
        states: One letter for each node of `told`.
        can_cancel: Whether a click reaches the kernel while the run lasts.
        own_id: What the output that shows it calls it.
        ended: Once the run is over, its state and the seconds that it took.
    """

    _esm, _css = script(), _style()
    key = traitlets.Unicode().tag(sync=True)
    name = traitlets.Unicode().tag(sync=True)
    svg = traitlets.Unicode().tag(sync=True)
    sheet = traitlets.Unicode().tag(sync=True)
    pictures: Any = traitlets.Dict().tag(sync=True)
    told: Any = traitlets.Dict().tag(sync=True)
    looks: Any = traitlets.Dict().tag(sync=True)
    states = traitlets.Unicode().tag(sync=True)
    can_cancel = traitlets.Bool().tag(sync=True)
    own_id = traitlets.Unicode().tag(sync=True)
    ended: Any = traitlets.List().tag(sync=True)

    def __init__(self, cancel: Callable[[], None] | None, **traits: object) -> None:
        super().__init__(**traits, can_cancel=cancel is not None)
        self.own_id = self.model_id or ""
        if cancel is not None:
            self.on_msg(lambda _widget, content, _buffers: cancel() if content == {"do": "cancel"} else None)

    def let_go(self) -> None:
        """Close it, nearly empty: what runs notebooks without a browser saves the last state of widgets."""
        self.svg, self.sheet, self.pictures, self.told = "", "", {}, {"nodes": [], "entities": []}
        self.close()

    @property
    def view(self) -> tuple[dict[str, object], dict[str, object]]:
        """What shows it, and what Colab must know of that, by MIME type."""
        bundle = cast("Any", self)._repr_mimebundle_()
        return bundle if isinstance(bundle, tuple) else (bundle, {})


def widget_of(
    graph: Graph, composition: Composition, *, key: str, cancel: Callable[[], None] | None = None
) -> RunWidget:
    """A widget for a run of `graph`.

    Args:
        graph: The graph before the run.
        composition: How it is drawn.
        key: Id of the run.
        cancel: What the button Cancel does; without it there is none.
    """
    looks = {name: [letter, STATES[name].mark, STATES[name].filled] for name, letter in LETTERS.items()}
    return RunWidget(
        cancel,
        key=key,
        name=graph.name,
        svg=draw(composition, graph, {}, sheet=""),
        sheet=style_sheet(),
        pictures=inner_pictures(graph),
        told=nodes_told(graph),
        looks=looks,
    )


def made_told(graph: Graph) -> dict[str, object]:
    """A graph that a node made of itself while running, for the browser."""
    picture = draw(compose(graph), graph, {}, sheet="") if 0 < len(graph.nodes) <= MOST_DRAWN else ""
    return {"svg": picture, "told": nodes_told(graph)}
