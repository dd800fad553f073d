"""Runs that show themselves under their cells while they last, as far as no browser is needed to see it."""

from __future__ import annotations

import json
import sys
import threading
import time
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING

import nbformat
import pandas as pd
import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from nbclient import NotebookClient

from celltask import task, workflow
from celltask.core.events import NodeFailed, NodePrinted, NodeRetried, NodeStarted, RunStarted
from celltask.core.types.lookup import handler_for
from celltask.notebook import live, live_screen
from celltask.notebook.display import trace_told
from celltask.notebook.live_board import MOST_LOGGED, Board
from celltask.notebook.live_nodes import inner_pictures, nodes_told
from celltask.notebook.live_values import shown_value

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Notebook

VIEW = "application/vnd.jupyter.widget-view+json"


class Shown(CapturingDisplayPublisher):
    """What a cell shows, with the names of its outputs."""

    def keys(self) -> set[str]:
        """Names of the outputs."""
        return {output["transient"]["display_id"] for output in self.outputs if output["transient"]}


@pytest.fixture
def shown(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> Shown:
    """What is shown by runs that begin in `run_in_cell`, as pictures."""
    notebook("%celltask live static")
    publisher = Shown()
    monkeypatch.setattr(notebook.shell, "display_pub", publisher)
    return publisher


@pytest.fixture
def colab(monkeypatch: pytest.MonkeyPatch) -> str:
    """Colab's part in the kernel, as far as anywidget asks it; gives the address that its pages load widgets from."""
    address, output = "https://example.org/manager.js", ModuleType("google.colab.output")
    monkeypatch.setattr(output, "enable_custom_widget_manager", lambda: None, raising=False)
    monkeypatch.setattr(output, "_widgets", SimpleNamespace(_installed_url=address), raising=False)
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    monkeypatch.setitem(sys.modules, "google.colab.output", output)
    return address


def wait_until(condition: object) -> None:
    """Wait as long as a picture may take on a busy machine."""
    give_up = time.monotonic() + 60
    while not condition():  # type: ignore[operator]  # a function
        assert time.monotonic() < give_up
        time.sleep(0.01)


def run_in_cell(notebook: Notebook, member: object, line: str) -> object:
    """The value of a cell that calls `member`, which it knows as ``wf``."""
    notebook.shell.user_ns["wf"] = member
    return notebook.shell.run_cell(line, store_history=True).result


def test_a_run_that_lasts_is_shown_and_its_last_picture_stays(notebook: Notebook, shown: Shown) -> None:
    """There is one output: first it tells what runs, and at the end what became of every node, with values and log."""

    @task
    def slow(x: int) -> int:
        print("begun")  # noqa: T201 - what is tested
        wait_until(lambda: shown.outputs)
        return x + 1

    @workflow
    def slow_wf(x: int) -> int:
        return slow(x=slow(x=x))

    assert run_in_cell(notebook, slow_wf, "wf(x=1)") == 3
    first, *_, last = shown.outputs
    assert len(shown.keys()) == 1
    assert (first["update"], last["update"]) == (False, True)
    assert "1 running, 1 queued" in first["data"]["text/plain"]
    page = last["data"]["text/html"]
    assert "2 done." in page
    assert "<pre" in page
    assert "begun" in page
    assert "<td>2</td>" in page.replace(' style="text-align:left"', "")


def test_a_short_run_shows_nothing(notebook: Notebook, shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is over before one would look leaves no picture; as the value of a cell it has values in it."""
    monkeypatch.setattr(live, "PATIENCE_S", 600.0)

    @task
    def double(x: int) -> int:
        return 2 * x

    @workflow
    def double_wf(x: int) -> int:
        return double(x=x)

    assert run_in_cell(notebook, double_wf, "wf(x=21)") == 42
    assert shown.outputs == []
    run_in_cell(notebook, double_wf, "data = get_ipython().display_formatter.format(wf.run(x=21))[0]")
    assert ">42</td>" in notebook.shell.user_ns["data"]["text/html"]


def test_off_shows_nothing(notebook: Notebook, shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `%celltask live off` no run is looked at."""
    monkeypatch.setattr(live, "PATIENCE_S", 0.0)
    notebook("%celltask live off")

    @task
    def paused(x: int) -> int:
        time.sleep(0.3)
        return x

    @workflow
    def paused_wf(x: int) -> int:
        return paused(x=x)

    assert run_in_cell(notebook, paused_wf, "wf(x=1)") == 1
    assert shown.outputs == []


def test_a_failure_is_in_the_picture_with_the_users_own_lines(notebook: Notebook, shown: Shown) -> None:
    """The fold-out of a failed node has the error, and below it the line of the user's code."""

    @task
    def fails(x: int) -> int:
        wait_until(lambda: shown.outputs)
        message = "<script>no</script>"
        raise ValueError(message)

    @workflow
    def failing_wf(x: int) -> int:
        return fails(x=x)

    run_in_cell(notebook, failing_wf, "wf(x=1)")
    page = shown.outputs[-1]["data"]["text/html"]
    assert "ValueError: &lt;script&gt;no&lt;/script&gt;" in page
    assert "raise ValueError(message)" in page
    assert "celltask/core" not in page
    assert "<script" not in page


def test_of_a_failure_in_a_library_the_users_line_and_the_last_one_are_told() -> None:
    """A deep way through packages does not push the user's own line out, and no folder of the machine is told."""

    def fails(depth: int) -> object:
        return json.loads("[1.5]", parse_float=lambda text: json.loads(f"{text}, {depth}"))

    with pytest.raises(ValueError, match="Extra data") as caught:
        fails(3)
    told = trace_told(caught.value)
    frames = [line for line in told.split("\n\n", 1)[1].splitlines() if not line.startswith(" ")]
    assert [frame.rpartition(", in ")[2] for frame in frames[1:]] == ["fails", "<lambda>", "decode"]
    assert frames[-1].startswith("json/decoder.py, line ")


def test_a_run_that_was_shown_is_told_in_a_line_as_the_value_of_its_cell(notebook: Notebook, shown: Shown) -> None:
    """The picture is not shown twice under one cell."""

    @task
    def waits(x: int) -> int:
        wait_until(lambda: shown.outputs)
        return x

    @workflow
    def waiting_wf(x: int) -> int:
        return waits(x=x)

    run_in_cell(notebook, waiting_wf, "run = wf.run(x=1); data = get_ipython().display_formatter.format(run)[0]")
    told = notebook.shell.user_ns["data"]
    assert set(told) == {"text/plain"}
    assert told["text/plain"].count("\n") == 0


def test_a_kernel_leaves_a_picture_and_no_widget(tmp_path: Path) -> None:
    """A notebook that is executed without a browser holds the last picture, complete, with no widget in its outputs."""
    body = """%%task
import time
def wait_for_the_clock(x: int) -> int:
    print("waiting")
    time.sleep(1)
    return x"""
    flow = "%%workflow\ndef clocked(x: int) -> int:\n    return wait_for_the_clock(x=x)"
    cells = ["%load_ext celltask", body, flow, "clocked(x=5)"]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(book, timeout=60, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = book.cells[-1].outputs
    data = [output["data"] for output in outputs if "data" in output]
    assert [output["text"] for output in outputs if output["output_type"] == "stream"] == ["waiting\n"]
    assert [VIEW in bundle for bundle in data] == [False, False]
    assert "1 done." in data[0]["text/html"]
    assert data[1]["text/plain"] == "5"


def test_a_flood_of_lines_is_kept_within_bounds() -> None:
    """Of a log that grows without end the last part is kept and sent."""
    board = Board()
    board.note([RunStarted("r", "w", ("n0",), 0.0), NodeStarted("r", "n0", 0.0)])
    board.note(NodePrinted("r", "n0", "stdout", f"line {number}\n") for number in range(100_000))
    log = str(board.changes()["n0"]["log"])
    assert len(log) <= 2 * MOST_LOGGED
    assert log.endswith("line 99999\n")
    board.note([NodePrinted("r", "n0", "stdout", "more\n")])
    assert board.changes() == {"n0": {"log": "more\n"}}


def test_a_board_tells_attempts_and_cancelling() -> None:
    """A retried node has the number of its attempt and why; one that an interrupt ended is cancelled."""
    board = Board()
    retried = NodeRetried("r", "n0", 1, OSError("no answer"), 2.0)
    board.note([RunStarted("r", "w", ("n0",), 0.0), retried, NodeFailed("r", "n1", KeyboardInterrupt(), 1.0)])
    told = board.changes()
    assert told["n0"] == {
        "state": "retried",
        "attempts": 2,
        "why": "attempt 1 failed, again in 2 s: OSError: no answer",
    }
    assert told["n1"]["state"] == "cancelled"


def test_values_are_shown_as_lines_rows_and_images() -> None:
    """A frame has its first rows, a figure is a small image, and a value whose repr fails is told all the same."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - takes half a second

    class Mute:
        def __repr__(self) -> str:
            raise RuntimeError

    frame = pd.DataFrame({"a": range(100), "b": ["x" * 100] * 100})
    told = shown_value(handler_for(pd.DataFrame), frame)
    assert told.text == "table of 100 x 2: a, b"
    assert told.table[:2] == (("a", "b"), ("0", "x" * 23 + "…"))
    assert len(told.table) == 6
    assert shown_value(handler_for(Figure), Figure()).image.startswith("data:image/png;base64,")
    assert shown_value(handler_for(Mute), Mute()).text == "a Mute without a repr"


def test_the_browser_is_told_of_nodes_inside_of_others() -> None:
    """Nodes of a workflow within the workflow are told with the ids that events use, and its picture is there."""

    @task
    def halve(x: float) -> float:
        return x / 2

    @workflow
    def twice(x: float) -> float:
        return halve(x=halve(x=x))

    @workflow
    def thrice(x: float) -> float:
        return halve(x=twice(x=x))

    told = nodes_told(thrice.graph)
    assert [node[0] for node in told["nodes"]] == ["n0", "n1", "n0/n0", "n0/n1"]  # type: ignore[index]  # lists
    assert [told["entities"][node[2]]["name"] for node in told["nodes"]] == ["twice", "halve", "halve", "halve"]  # type: ignore[index]  # lists of lists and dicts
    assert list(inner_pictures(thrice.graph)) == ["n0"]


def test_a_task_defined_again_marks_pictures_once(notebook: Notebook) -> None:
    """A graph says which of its tasks was defined again, and marks what comes after it; the same code marks nothing."""
    load = "%%task\ndef load(n: int) -> int:\n    return n"
    notebook(f"{load}\ndef use(n: int) -> int:\n    return n")
    notebook("%%workflow\ndef using(n: int) -> int:\n    return use(n=load(n=n))")
    assert [bundle for bundle in notebook.run(load).shown if "stale" in str(bundle["text/plain"])] == []
    again = notebook.run(load.replace("return n", "return n + 1")).shown
    stale = [str(bundle["text/plain"]) for bundle in again if "stale" in str(bundle["text/plain"])]
    assert len(stale) == 1
    assert stale[0].startswith("stale: load was defined again in cell 5, line 1; a new run uses it\n")
    assert "2 stale" in str(next(bundle["text/html"] for bundle in again if "stale" in str(bundle["text/plain"])))


def test_a_choice_or_a_map_is_stale_by_what_it_runs(notebook: Notebook) -> None:
    """The picture names the task that was defined again, not the choice or the map that runs it."""
    notebook("from celltask import conditional, map_task")
    half = "%%task\ndef half(n: int) -> float:\n    return n / 2"
    notebook(half)
    notebook(
        "%%workflow\ndef chosen(n: int, ns: list[int]) -> list[float]:\n"
        "    few = conditional('few').if_(n < 3).then(half(n=n)).else_().then(0.0)\n"
        "    return [few, map_task(half)(n=ns)[0]]"
    )
    again = notebook.run(half.replace("n / 2", "n / 2.0")).shown
    told = next(str(bundle["text/plain"]) for bundle in again if "stale" in str(bundle["text/plain"]))
    assert told.startswith("stale: half was defined again in cell 5, line 1; a new run uses it\n")
    assert told.count("stale") == 3


def test_steps_within_a_stale_choice_are_stale(notebook: Notebook, shown: Shown) -> None:
    """Of a choice those steps are marked that run what was defined again, or get what comes of it; no others."""
    load = "%%task\ndef load(n: int) -> int:\n    import time\n    time.sleep(0.3)\n    return n"
    notebook("from celltask import conditional")
    notebook(load)
    notebook("%%task\ndef half(n: int) -> int:\n    return n // 2\ndef other(n: int) -> int:\n    return n")
    notebook(
        "%%workflow\ndef chosen(n: int) -> int:\n"
        "    raw = load(n=n)\n"
        "    few = conditional('few').if_(n < 3).then(half(n=half(n=raw)))\n"
        "    return few.elif_(n < 9).then(other(n=n)).else_().then(0)"
    )
    notebook.shell.run_cell("chosen(n=1)", store_history=True)
    shown.outputs.clear()
    notebook.shell.run_cell(load.replace("return n", "return n + 1"), store_history=True)
    run, graph = (str(output["data"]["text/html"]) for output in reversed(shown.outputs[-2:]))
    states = [part.split("</summary>")[0] for part in (run + graph).split("<summary>")[1:]]
    assert len([told for told in states if "half" in told and "stale" in told]) == 4
    assert len([told for told in states if "stale" in told]) == 10


def test_many_runs_under_one_cell_do_not_fill_the_notebook(notebook: Notebook, shown: Shown) -> None:
    """From the ninth run on, each takes the place of the last picture."""

    @task
    def waiting(before: int) -> int:
        wait_until(lambda: len(shown.outputs) > before)
        return before

    @workflow
    def many_wf(before: int) -> int:
        return waiting(before=before)

    notebook.shell.user_ns["shown"] = shown
    run_in_cell(notebook, many_wf, "for _ in range(11): wf(before=len(shown.outputs))")
    assert len(shown.keys()) == 8
    assert [output["update"] for output in shown.outputs].count(False) == 8


def run_in_page(notebook: Notebook, shown: Shown, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    """Run a cell that calls ``wf``, a workflow that lasts until it is shown, as if a page with widgets showed cells."""
    monkeypatch.setattr(notebook.shell, "kernel", None, raising=False)
    notebook("%celltask live on")

    @task
    def slow(x: int) -> int:
        wait_until(lambda: shown.outputs)
        return x + 1

    @workflow
    def slow_wf(x: int) -> int:
        return slow(x=x)

    run_in_cell(notebook, slow_wf, line)


def test_colab_is_told_how_widgets_are_loaded(
    notebook: Notebook, shown: Shown, colab: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run is shown by another thread than that of the cells, and Colab loads no widgets that do not say how."""
    run_in_page(notebook, shown, monkeypatch, "wf(1)")
    first, last = shown.outputs[0], shown.outputs[-1]
    assert first["metadata"] == {VIEW: {"colab": {"custom_widget_manager": {"url": colab}}}}
    assert {"text/html", VIEW} <= set(first["data"])
    assert (VIEW in last["data"], last["metadata"], last["update"]) == (False, None, True)


def test_colab_is_told_the_same_of_forms(notebook: Notebook, shown: Shown, colab: str) -> None:
    """The button on a card and the form itself are loaded in the same way."""
    notebook.shell.run_cell("%%task\ndef double(x: int) -> int:\n    return 2 * x", store_history=True)
    notebook.shell.run_cell("%form double", store_history=True)
    told = [output["metadata"] for output in shown.outputs if VIEW in output["data"]]
    assert told == [{VIEW: {"colab": {"custom_widget_manager": {"url": colab}}}}] * 2


@pytest.mark.usefixtures("colab")
def test_nothing_goes_on_after_unloading(notebook: Notebook, shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    """A widget that a late page may still ask for is let go, though the cell that unloads never seems to end."""
    monkeypatch.setattr(live_screen, "_LATE_S", 0.05)
    run_in_page(notebook, shown, monkeypatch, "wf(1)\n%unload_ext celltask")
    wait_until(lambda: not any(isinstance(one, threading.Timer) for one in threading.enumerate()))
