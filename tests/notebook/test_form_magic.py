"""`%form` in notebooks: where nobody can fill anything in, and in a real kernel with a page before it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from jupyter_client.manager import KernelManager

from celltask.errors import CallError, HeaderError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Notebook
    from jupyter_client import BlockingKernelClient

TASK = '%%task\ndef scale(factor: float, times: int = 3) -> float:\n    print("scaling")\n    return factor * times\n'
VIEW = "application/vnd.jupyter.widget-view+json"


def test_where_no_page_is_there_is_a_table(notebook: Notebook) -> None:
    """Programs that execute notebooks get inputs and the command line, and no widget."""
    notebook(TASK)
    (bundle,) = notebook.run("%form scale").shown
    assert sorted(bundle) == ["text/html", "text/plain"]
    assert "celltask run NOTEBOOK.ipynb scale --factor FACTOR --times 3" in str(bundle["text/html"])


def test_a_wrong_form_line_says_what_to_write(notebook: Notebook) -> None:
    """An unknown name, an unknown option, and code of a form that was never shown."""
    notebook(TASK)
    error = notebook.run("%form scal").error
    assert isinstance(error, CallError)
    assert error.mend == "did you mean 'scale'?"
    error = notebook.run("%form scale --cod").error
    assert isinstance(error, HeaderError)
    assert error.mend == "write %form scale --code, or no more"
    error = notebook.run("%form scale --code").error
    assert isinstance(error, CallError)
    assert error.mend == "write %form scale, and fill it in"


class Kernel:
    """A real kernel, asked as JupyterLab asks it."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self.client = client
        self.later: list[tuple[str, str]] = []
        self.last = ""

    def run(self, code: str, *, is_page: bool = True) -> tuple[list[dict[str, object]], dict[str, object]]:
        """What came out of a cell, and the reply."""
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        message = self.client.session.msg("execute_request", {**content, "stop_on_error": True})
        message["metadata"] = {"cellId": "one"} if is_page else {}
        self.client.shell_channel.send(message)
        identity, outputs = message["header"]["msg_id"], []
        self.last = identity
        while True:
            came = self.client.get_iopub_msg(timeout=60)
            if came["parent_header"].get("msg_id") != identity:
                if came["msg_type"] == "stream":
                    self.later.append((came["parent_header"].get("msg_id"), came["content"]["text"]))
                continue
            if came["msg_type"] == "status" and came["content"]["execution_state"] == "idle":
                break
            outputs.append({"type": came["msg_type"], **came["content"]})
        while True:  # a kernel that was slow to begin answers several times that it has
            reply = self.client.get_shell_msg(timeout=60)
            if reply["parent_header"].get("msg_id") == identity:
                return outputs, reply["content"]


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    """A kernel with celltask loaded."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        made = Kernel(client)
        made.run("%load_ext celltask\n%celltask cards off")
        made.run(TASK)
        yield made
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def bundles(outputs: list[dict[str, object]]) -> list[dict[str, object]]:
    """The MIME bundles among outputs."""
    return [dict(one["data"]) for one in outputs if one["type"] in ("display_data", "update_display_data")]  # type: ignore[call-overload]  # a bundle


def test_a_page_gets_the_form_and_the_table_that_replaces_it(kernel: Kernel) -> None:
    """The table comes first and hides what follows it for as long as that is no living widget."""
    table, form = bundles(kernel.run("%form scale")[0])
    assert sorted(table) == ["text/html", "text/plain"]
    assert "celltask-twin-" in str(table["text/html"])
    assert ":not(:has(.celltask-form-lives))" in str(table["text/html"])
    assert VIEW in form
    assert form["text/plain"] == "form of scale"
    (static,) = bundles(kernel.run("%form scale", is_page=False)[0])
    assert VIEW not in static


def test_a_run_in_a_kernel_goes_on_while_the_notebook_does_something_else(kernel: Kernel) -> None:
    """What it prints is an output of the form's cell; the table keeps how it ended; the code goes to the next cell."""
    kernel.run("%form scale")
    form_cell = kernel.last
    shown, reply = kernel.run(
        "from IPython import get_ipython\n"
        "session = get_ipython().magics_manager.registry['CelltaskMagics']._session\n"
        "view = session.forms.views['scale']\n"
        "view.form['factor'].entry.enter('2')\n"
        "view.start()\n"
        "assert view.idle.wait(20)\n"
        "print(scale_result)"
    )
    assert reply["status"] == "ok", json.dumps(shown)
    assert [one["text"] for one in shown if one["type"] == "stream"] == ["6.0\n"]
    assert kernel.later == [(form_cell, "scaling\n")]
    _, reply = kernel.run("%form scale --code")
    assert reply["payload"] == [
        {"source": "set_next_input", "text": "scale_result = scale(factor=2.0, times=3)", "replace": False}
    ]


def test_a_definition_offers_its_form(kernel: Kernel) -> None:
    """Below the card stands a button; without a page, or with cards off, none does."""
    assert not [one for one in bundles(kernel.run(TASK)[0]) if VIEW in one]
    kernel.run("%celltask cards on")
    assert len([one for one in bundles(kernel.run(TASK)[0]) if VIEW in one]) == 1
    assert not [one for one in bundles(kernel.run(TASK, is_page=False)[0]) if VIEW in one]


def test_a_form_that_a_click_opened_prints_below_its_definition(kernel: Kernel) -> None:
    """The button is clicked while another cell runs, and what the run prints is no output of that."""
    kernel.run("%celltask cards on")
    kernel.run(TASK)
    definition = kernel.last
    shown, reply = kernel.run(
        "from IPython import get_ipython\n"
        "forms = get_ipython().magics_manager.registry['CelltaskMagics']._session.forms\n"
        "forms._shown['one'][1][-1].children[0].click()\n"
        "view = forms.views['scale']\n"
        "view.form['factor'].entry.enter('2')\n"
        "view.start()\n"
        "assert view.idle.wait(20)"
    )
    assert reply["status"] == "ok", json.dumps(shown)
    assert kernel.later == [(definition, "scaling\n")]


def test_a_form_is_closed_when_its_cell_runs_again(kernel: Kernel) -> None:
    """The widgets of the earlier form do not pile up in the kernel."""
    kernel.run("%form scale")
    counted = "from ipywidgets.widgets import widget\nlen(widget._instances)"
    first = kernel.run(counted)[0]
    kernel.run("%form scale")
    second = kernel.run(counted)[0]
    told = [next(one["data"] for one in ran if one["type"] == "execute_result") for ran in (first, second)]
    assert told[0] == told[1]
