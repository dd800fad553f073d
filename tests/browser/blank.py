"""The live picture in a blank page of Chromium, without Jupyter: for tests of what it shows and how it reacts."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import lab

from celltask.notebook.live_board import Board
from celltask.notebook.live_widget import RunWidget, made_told, widget_of
from celltask.render.composition import compose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from celltask.core.events import Event
    from celltask.core.graph import Graph

_MODEL = """export class Model {
    constructor(state) { this.state = state; this.heard = {}; this.sent = []; }
    get(name) { return this.state[name]; }
    on(event, listener) { (this.heard[event] ||= []).push(listener); }
    off(event, listener) { this.heard[event] = (this.heard[event] || []).filter(one => one !== listener); }
    send(message) { this.sent.push(message); }
    hear(event, told) { for (const listener of this.heard[event] || []) listener(told); }
}"""
_MOUNT = """async ([script, model, state]) => {
    const load = text => import(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })));
    const [{ default: widget }, { Model }] = [await load(script), await load(model)];
    window.model = new Model(state);
    window.forget = await widget.initialize({ model: window.model });
    window.leave = await widget.render({ model: window.model, el: document.getElementById('root') });
}"""


class LivePage:
    """A page that shows a run of `graph`, and what is told to it."""

    def __init__(self, page: Page, graph: Graph, *, can_cancel: bool = False, states: str = "") -> None:
        self.page, self.board = page, Board()
        page.set_content(f"<style>{RunWidget._css}</style><div id=root></div>")
        made = widget_of(graph, compose(graph), key="run", cancel=(lambda: None) if can_cancel else None)
        names = ("key", "name", "svg", "sheet", "pictures", "told", "looks", "states", "can_cancel")
        state = {name: getattr(made, name) for name in names}
        state["states"] = states
        made.close()
        page.evaluate(_MOUNT, [str(RunWidget._esm), _MODEL, state])

    def tell(self, *told: Event, elapsed: float = 1.0) -> None:
        """Let the page know what has happened, as a kernel does."""
        self.board.note(told)
        news = {"elapsed": elapsed, "state": self.board.state, "nodes": self.board.changes()}
        news["made"] = {node: made_told(graph) for node, graph in self.board.graphs.items()}
        self.page.evaluate("news => model.hear('msg:custom', JSON.parse(news))", json.dumps(news))
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def text(self) -> str:
        """What the panel says."""
        return self.page.locator(".ct-panel").inner_text()


@contextmanager
def blank_page(browser: Browser) -> Iterator[Page]:
    """A page in which any error of a script fails the test."""
    with lab.lab_page(browser, width=1000, height=800) as page:
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
        assert errors == []
