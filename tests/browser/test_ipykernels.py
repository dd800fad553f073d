"""What reaches a kernel when: clicks, interrupts and Cancel, in kernels of old and new versions of ipykernel."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import time
from typing import TYPE_CHECKING, cast

import pytest
from jupyter_client.manager import KernelManager

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jupyter_client.blocking.client import BlockingKernelClient

    Message = dict[str, dict[str, object]]

pytestmark = pytest.mark.heavy

_PATIENCE_S = 90.0
_BUTTON = """
import time, ipywidgets
busy, clicks = False, []
button = ipywidgets.Button(description="Note")
button.on_click(lambda _: clicks.append("while the cell ran" if busy else "after it"))"""
_BLOCKING = """
busy, clicks[:] = True, []
print("it runs")
end = time.monotonic() + 3
while not clicks and time.monotonic() < end:
    time.sleep(0.01)
busy = False"""
_AWAITING = _BLOCKING.replace("time.sleep", "await asyncio.sleep").replace("\nbusy", "\nimport asyncio\nbusy", 1)
_DEFINED = """
%load_ext celltask
import time
from pathlib import Path
from celltask import current_context, task, workflow

@task
def wait(rows: int) -> int:
    while not current_context().is_cancelled:
        time.sleep(0.01)
    return rows

@task
def count(rows: int) -> int:
    return rows

@workflow
def waiting(rows: int = 3) -> int:
    return count(rows=wait(rows=rows))"""


class Kernel:
    """A living kernel of some version, and the widgets that it has made."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager, self.client = manager, client
        self.widgets: dict[str, dict[str, object]] = {}
        self.subshell = self._new_subshell()

    def _new_subshell(self) -> str | None:
        """A second shell, which JupyterLab uses for widgets where there is such a thing."""
        client = self.client
        if "kernel subshells" not in cast("list[str]", self.asked(client.kernel_info()).get("supported_features", [])):
            return None
        made = client.session.msg("create_subshell_request", {})
        client.control_channel.send(made)
        while True:
            told = client.control_channel.get_msg(timeout=_PATIENCE_S)
            if told["parent_header"].get("msg_id") == made["header"]["msg_id"]:
                return str(told["content"]["subshell_id"])

    def asked(self, request: str) -> dict[str, object]:
        """The answer to a request."""
        while True:
            told = self.client.get_shell_msg(timeout=_PATIENCE_S)
            if told["parent_header"].get("msg_id") == request:
                return dict(told["content"])

    def begin(self, code: str) -> str:
        """Run a cell, as a page with somebody before it does, and do not wait for it."""
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
        made = self.client.session.msg("execute_request", content, metadata={"cellId": "one"})
        self.client.shell_channel.send(made)
        return str(made["header"]["msg_id"])

    def run(self, code: str) -> dict[str, object]:
        """Run a cell to its end."""
        return self.asked(self.begin(code))

    def value(self, expression: str) -> str:
        """What an expression gives, as text."""
        self.run(f"print('value:', {expression})")
        return self.heard(lambda told: str(told["content"].get("text", "")).partition("value: ")[2].strip())

    def heard(self, wanted: Callable[[Message], str | None]) -> str:
        """What `wanted` finds in a message that the kernel has published or publishes now."""
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until:
            try:
                told = self.client.get_iopub_msg(timeout=1)
            except queue.Empty:
                continue
            content = told["content"]
            if told["msg_type"] == "comm_open":
                self.widgets[str(content["comm_id"])] = content["data"].get("state", {})
            elif told["msg_type"] == "comm_msg" and content["data"].get("method") == "update":
                self.widgets.setdefault(str(content["comm_id"]), {}).update(content["data"]["state"])
            found = wanted(told)
            if found:
                return found
        raise TimeoutError

    def printed(self, text: str) -> None:
        """Wait until something was printed."""
        self.heard(lambda told: "yes" if text in str(told["content"].get("text", "")) else None)

    def widget(self, name: str, value: str) -> str:
        """Wait for the widget that has this value of a trait."""

        def found(_: Message | None) -> str | None:
            return next((key for key, state in self.widgets.items() if state.get(name) == value), None)

        return found(None) or self.heard(found)

    def send(self, comm: str, content: dict[str, object], *, subshell: bool) -> None:
        """A message of a widget in the page; on the subshell, where there is one and it is asked for."""
        data = {"method": "custom", "content": content}
        made = self.client.session.msg("comm_msg", {"comm_id": comm, "data": data})
        if subshell:
            made["header"]["subshell_id"] = self.subshell
        self.client.shell_channel.send(made)

    def click(self, comm: str) -> None:
        """A click on a button, sent as JupyterLab sends it."""
        self.send(comm, {"event": "click"}, subshell=self.subshell is not None)


@pytest.fixture(scope="module", params=["6.31.0", "7.3.0", "newest"])
def version(request: pytest.FixtureRequest) -> str:
    """Of ipykernel."""
    return str(request.param)


@pytest.fixture(scope="module")
def kernel(version: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel of that version; everything else is as it is installed here."""
    folder = tmp_path_factory.mktemp("ipykernel")
    wanted = "ipykernel" if version == "newest" else f"ipykernel=={version}"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), wanted]
    ended = subprocess.run(pip, capture_output=True, text=True, timeout=300, check=False)
    if ended.returncode:
        pytest.skip(f"{wanted} cannot be had from the package registry: {ended.stderr.strip()[-200:]}")
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    manager = KernelManager()
    manager.kernel_cmd = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]  # type: ignore[attr-defined]  # a trait
    manager.start_kernel(env={**os.environ, "PYTHONPATH": path}, cwd=str(folder))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=_PATIENCE_S)
        made = Kernel(manager, client)
        told = made.value("__import__('ipykernel').__file__")
        assert told.startswith(str(folder))
        made.run(_BUTTON)
        made.run(_DEFINED)
        yield made
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


_WHILE, _AFTER = "while the cell ran", "after it"
_REACHED = {
    "6.31.0": {"blocking": _AFTER, "awaiting": _AFTER},
    "7.3.0": {"blocking": _AFTER, "blocking, subshell": _WHILE, "awaiting": _AFTER, "awaiting, subshell": _WHILE},
}
"""When a click arrives, by the cell that runs and the shell that it is sent to."""


def test_when_a_click_arrives(kernel: Kernel, version: str) -> None:
    """It depends on the version whether a cell that runs lets clicks through, so that nothing may rely on it."""
    button = kernel.widget("description", "Note")
    found = {}
    for subshell in (False, True) if kernel.subshell else (False,):
        for name, cell in {"blocking": _BLOCKING, "awaiting": _AWAITING}.items():
            request = kernel.begin(cell)
            kernel.printed("it runs")
            kernel.send(button, {"event": "click"}, subshell=subshell)
            kernel.asked(request)
            until = time.monotonic() + _PATIENCE_S
            while (told := kernel.value("*clicks")) == "" and time.monotonic() < until:
                continue
            found[name + (", subshell" if subshell else "")] = told
    print(f"ipykernel {version}: {found}")  # noqa: T201 - the table that the guide tells of
    assert set(found.values()) <= {_WHILE, _AFTER}
    assert found == _REACHED.get(version, found)


def test_an_interrupt_cancels_the_run_that_a_cell_waits_for(kernel: Kernel) -> None:
    """The picture has no button that would do nothing, and the square of the toolbar works; news come all the while."""
    request = kernel.begin("waiting()")
    shown = kernel.widget("name", "waiting")
    assert kernel.widgets[shown]["can_cancel"] is False
    kernel.heard(lambda told: "yes" if "'n0'" in str(told["content"].get("data")) else None)
    kernel.manager.interrupt_kernel()
    assert kernel.asked(request)["ename"] == "KeyboardInterrupt"
    assert kernel.value("__import__('celltask').runs('waiting')[0].state") == "cancelled"


def test_cancel_stops_a_run_beside_the_cells(kernel: Kernel) -> None:
    """A click on the button of the picture reaches a kernel that is free."""
    kernel.widgets.clear()
    kernel.run("running = waiting.start()")
    shown = kernel.widget("name", "waiting")
    assert kernel.widgets[shown]["can_cancel"] is True
    kernel.send(shown, {"do": "cancel"}, subshell=kernel.subshell is not None)
    assert kernel.value("running.wait(60).state") == "cancelled"


def test_cancel_stops_a_run_of_a_form(kernel: Kernel) -> None:
    """Run returns at once, cells can be run meanwhile, and Cancel works."""
    kernel.widgets.clear()
    kernel.run("%form waiting")
    stop = kernel.widget("description", "Cancel")
    kernel.click(kernel.widget("description", "Run"))
    kernel.heard(lambda _: "yes" if kernel.widgets[stop].get("disabled") is False else None)
    assert kernel.value("6 * 7") == "42"
    kernel.click(stop)
    kernel.heard(lambda told: "yes" if "cancelled after" in str(told["content"].get("data")) else None)
