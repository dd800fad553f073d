"""How fast runs show themselves: first picture, updates in a browser, what looking costs a run, and size.

    python benchmarks/live.py

Rows of the browser need Chromium and playwright, and are left out without them. The run is one of a real kernel,
with and without somebody looking at it, in turn; a picture is not drawn of a run that is over sooner than drawing is.
"""

from __future__ import annotations

import importlib.util
import json
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "render"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))

import nbformat
from nbclient import NotebookClient
from sample_graphs import graph_of

from celltask.core.events import NodeFinished, NodeStarted, RunStarted
from celltask.notebook.live_widget import widget_of
from celltask.render.composition import compose
from celltask.render.picture import draw

if TYPE_CHECKING:
    from collections.abc import Callable

    from blank import LivePage
    from playwright.sync_api import Page

    from celltask.core.graph import Graph

_ROUNDS = 5
_FLOW = """%%workflow
def many(x: int) -> int:
    for place in range(10_000):
        last = nop(x=x)
        x = last if place % 10 == 9 else x
    return last"""
_TIMED = """%celltask cards on
import json, time
many(x=1)
found = {"off": [], "on": []}
for _ in range(9):
    for way in found:
        get_ipython().run_line_magic("celltask", f"live {way}")
        start = time.perf_counter()
        many(x=1)
        found[way].append(time.perf_counter() - start)
print(json.dumps(found))"""
_CELLS = ("%load_ext celltask\n%celltask cards off", "%%task\ndef nop(x: int) -> int:\n    return x", _FLOW, _TIMED)
_WIDE = 10


def layered(nodes: int) -> Graph:
    """A workflow as people write them: layers of ten, each node after one or two of the layer before."""
    names = [f"{('load', 'clean', 'join', 'train', 'score')[place // _WIDE % 5]}_{place}" for place in range(nodes)]
    lines = [(names[place - _WIDE], names[place]) for place in range(_WIDE, nodes)]
    lines += [(names[place - _WIDE + 1], names[place]) for place in range(_WIDE, nodes, 3) if (place + 1) % _WIDE]
    return graph_of(names, lines)


def best_ms(act: Callable[[], object]) -> float:
    """The shortest time of some calls, in processor milliseconds."""
    times = []
    for _ in range(_ROUNDS):
        start = time.process_time()
        act()
        times.append((time.process_time() - start) * 1000)
    return min(times)


def first_picture_ms(graph: Graph) -> float:
    """Drawing it and making its widget."""
    return best_ms(lambda: widget_of(graph, compose(graph), key="one").close())


def run_ratio() -> float:
    """A run of 10,000 nodes that do nothing, looked at, over one that is not."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in _CELLS])
    NotebookClient(book, timeout=300).execute()
    told = next(output["text"] for output in book.cells[-1].outputs if output["output_type"] == "stream")
    found = json.loads(told)
    # The best of each: on a busy machine all else is the neighbours'.
    return float(min(found["on"]) / min(found["off"]))


def update_ms(live: LivePage, nodes: int) -> float:
    """Telling the page that all nodes have changed, until it is painted."""
    times = []
    for turn in range(_ROUNDS):
        event = NodeStarted if turn % 2 == 0 else NodeFinished
        live.board.note([RunStarted("r", "w", (), 0.0), *(event("r", f"n{place}", 0.5) for place in range(nodes))])
        news = {"elapsed": 1.0, "state": "running", "nodes": live.board.changes()}
        script = """news => { const told = JSON.parse(news), start = performance.now(); model.hear('msg:custom', told);
            return new Promise(done => requestAnimationFrame(() => {
                document.body.getBoundingClientRect(); done(performance.now() - start); })); }"""
        times.append(live.page.evaluate(script, json.dumps(news)))
    return statistics.median(times)


def in_browser(page: Page) -> list[tuple[str, float, float, str]]:
    """Rows that a browser is needed for."""
    from blank import LivePage  # noqa: PLC0415 - only where there is a browser

    graph = layered(1000)
    return [("update of 1,000 nodes in the browser", update_ms(LivePage(page, graph), 1000), 50.0, "ms")]


def main() -> int:
    """Print the table; 1 if a bound does not hold."""
    rows = [
        ("first picture of 300 nodes", first_picture_ms(layered(300)), 300.0, "ms"),
        ("first picture of 1,000 nodes", first_picture_ms(layered(1000)), 1500.0, "ms"),
        ("run of 10,000 nodes, looked at / not", run_ratio(), 1.5, "times"),
    ]
    for nodes in (30, 100):
        graph = layered(nodes)
        states = dict.fromkeys((node.id for node in graph.nodes), "done")
        badges = dict.fromkeys(states, "12.3 s")
        size = len(draw(compose(graph), graph, states, badges=badges, sheet="")) / nodes
        rows.append((f"static picture of {nodes} nodes, with states", size, 1024.0, "bytes a node"))
    if importlib.util.find_spec("playwright") is not None:
        import lab  # noqa: PLC0415 - only where there is a browser
        from blank import blank_page  # noqa: PLC0415 - as above

        with lab.chromium() as browser, blank_page(browser) as page:
            rows += in_browser(page)
    for title, figure, bound, unit in rows:
        print(f"{title:<44} {figure:>8.2f} <= {bound:>7g} {unit}{'' if figure <= bound else '  MISSED'}")
    return 0 if all(figure <= bound for _, figure, bound, _ in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
