"""JupyterLab in a headless Chromium, for looking at what notebooks show.

    python tests/browser/lab.py NOTEBOOK.ipynb FOLDER [--dark] [--untrusted]

opens a copy of the notebook, runs all cells and saves FOLDER/<notebook>-<light|dark>.png. As a module it gives the
pieces for tests: `marks`, `write_notebook`, `lab_server`, `chromium`, `lab_page`, `open_notebook`, `run_all`,
`contrast_of`.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pytest
    from playwright.sync_api import Browser, Page

_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, _NAMES)), "")
"""The browser of this machine; empty if it has none."""
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
)
_START_S, _PAGE_MS, _RUN_MS = 150.0, 120_000, 120_000


class _App(NamedTuple):
    """What differs between front ends."""

    name: str
    place: str


_APPS = {"lab": _App("LabApp", "doc/tree"), "notebook": _App("JupyterNotebookApp", "notebooks")}
_THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}

# A run-all that is sent before the kernel has answered is lost without a word, though the page looks idle.
_KERNEL_READY = """async () => {
    const late = new Promise((_, refuse) => setTimeout(() => refuse('kernel not ready in 180 s'), 180000));
    const ready = async () => {
        const panel = window.jupyterapp.shell.currentWidget;
        await panel.context.ready; await panel.sessionContext.ready;
        const kernel = panel.sessionContext.session.kernel; await kernel.info;
        while (kernel.connectionStatus !== 'connected' || kernel.status !== 'idle')
            await new Promise(go => setTimeout(go, 50));
    };
    await Promise.race([ready(), late]);
}"""

_CELLS_DONE = """() => {
    const panel = window.jupyterapp.shell.currentWidget;
    const cells = [...panel.content.model.cells].filter(cell => cell.type === 'code' && cell.sharedModel.source.trim());
    return cells.every(cell => cell.executionCount !== null && cell.executionState !== 'running')
        && panel.sessionContext.session.kernel.status === 'idle';
}"""


# A canvas tells what any notation of a colour comes to, and lays one that lets light through over what is behind it.
_CONTRAST = """selector => {
    const text = document.querySelector(selector), around = [];
    for (let box = text; box; box = box.parentElement) around.unshift(getComputedStyle(box).backgroundColor);
    const pen = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d');
    const laid = colour => {
        pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1);
        return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3).map(part => part / 255)
            .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
            .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
    };
    const [paper] = ['white', ...around].map(laid).slice(-1), ink = laid(getComputedStyle(text).color);
    return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
}"""


def missing(*modules: str) -> list[str]:
    """What is not there of some modules, and of what pages are looked at with."""
    found = [name for name in modules if importlib.util.find_spec(name) is None]
    return found if CHROMIUM else [*found, f"one of {', '.join(_NAMES)}"]


def marks(*modules: str) -> list[pytest.MarkDecorator]:
    """Marks of tests that look at pages: they are skipped where one of some modules is missing."""
    import pytest  # noqa: PLC0415 - only tests need it

    lacking = missing(*modules)
    skipped = pytest.mark.skipif(bool(lacking), reason=f"browser tests need {', '.join(lacking)}")
    return [pytest.mark.browser, skipped]


def write_notebook(file: Path, sources: Iterable[str]) -> None:
    """A notebook of code cells that were never run."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    empty = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
    cells = [{**empty, "id": f"c{number}", "source": source} for number, source in enumerate(sources)]
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells}
    file.write_text(json.dumps(notebook))


class Server(NamedTuple):
    """A running JupyterLab or Notebook 7."""

    url: str
    token: str
    folder: Path
    place: str = "doc/tree"
    """Where in its address a notebook is."""


@contextlib.contextmanager
def lab_server(folder: Path, *, theme: str = "light", app: str = "lab") -> Iterator[Server]:
    """JupyterLab on a free port of this machine, with settings of its own, stopped at the end.

    Args:
        folder: Where its notebooks are.
        theme: ``"light"`` or ``"dark"``.
        app: ``"notebook"`` has Notebook 7 instead.
    """
    home = Path(tempfile.mkdtemp(prefix="celltask-lab-"))
    _write_settings(home, theme)
    token = "celltask"  # noqa: S105 - guards a server that only this machine reaches, for a minute
    port = _free_port()
    command = [
        *(sys.executable, "-m", "jupyter", app, "--no-browser", "--allow-root", "--ip=127.0.0.1"),
        *(f"--port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder}"),
        *(f"--IdentityProvider.token={token}", f"--{_APPS[app].name}.expose_app_in_browser=True"),
    ]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, env=_environment(home), start_new_session=True
        )
        server = Server(f"http://127.0.0.1:{port}", token, folder, _APPS[app].place)
        try:
            _wait_for(server, process, home / "log")
            yield server
        finally:
            _stop(process)
            shutil.rmtree(home, ignore_errors=True)


def _free_port() -> int:
    """One below those that the system hands out by itself, so that none of the many kernels takes it meanwhile."""
    for port in random.sample(range(20_000, 30_000), 100):
        with contextlib.closing(socket.socket()) as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    message = "none of 100 ports is free"
    raise RuntimeError(message)


def _write_settings(home: Path, theme: str) -> None:
    settings = home / "config/lab/user-settings/@jupyterlab/apputils-extension"
    settings.mkdir(parents=True)
    (settings / "themes.jupyterlab-settings").write_text(json.dumps({"theme": _THEMES[theme]}))
    # Cells out of sight are not drawn otherwise, and a picture of the whole notebook would have holes.
    tracker = home / "config/lab/user-settings/@jupyterlab/notebook-extension"
    tracker.mkdir(parents=True)
    (tracker / "tracker.jupyterlab-settings").write_text(json.dumps({"windowingMode": "none"}))
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))


def _environment(home: Path) -> dict[str, str]:
    folders = {"CONFIG": "config", "DATA": "data", "RUNTIME": "runtime"}
    own = {f"JUPYTER_{name}_DIR": str(home / folder) for name, folder in folders.items()}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, **own, "HOME": str(home), "IPYTHONDIR": str(home / "ipython"), "PATH": path}


def _wait_for(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + _START_S
    while True:
        try:
            urllib.request.urlopen(f"{server.url}/api/status?token={server.token}", timeout=1).close()  # noqa: S310 - our own address
        except OSError:
            if time.monotonic() > give_up or process.poll() is not None:
                message = f"JupyterLab did not start:\n{log.read_text(errors='replace')}"
                raise RuntimeError(message) from None
            time.sleep(0.1)
        else:
            return


def _stop(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def end_kernels(server: Server) -> None:
    """End the kernels of notebooks that are not looked at any more."""
    where, word = f"{server.url}/api/sessions", f"token={server.token}"
    with urllib.request.urlopen(f"{where}?{word}", timeout=_START_S) as told:  # noqa: S310 - our own address
        sessions = json.load(told)
    for session in sessions:
        ended = urllib.request.Request(f"{where}/{session['id']}?{word}", method="DELETE")  # noqa: S310 - as above
        with contextlib.suppress(urllib.error.HTTPError):  # it has ended by itself
            urllib.request.urlopen(ended, timeout=_START_S).close()  # noqa: S310 - as above


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """The headless browser of this machine; one at a time."""
    from playwright.sync_api import expect, sync_playwright  # noqa: PLC0415 - only those who look need it

    expect.set_options(timeout=_PAGE_MS)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(_FLAGS), timeout=_PAGE_MS)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def lab_page(browser: Browser, *, dark: bool = False, width: int = 1200, height: int = 1000) -> Iterator[Page]:
    """An empty page of a user who likes light or dark, with cookies and storage of its own."""
    scheme = "dark" if dark else "light"
    allowed = ["clipboard-read", "clipboard-write"]
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme, permissions=allowed)  # type: ignore[arg-type]  # one of two words
    page.set_default_timeout(_PAGE_MS)
    try:
        yield page
    finally:
        page.close()


def open_notebook(page: Page, server: Server, name: str, *, kernel: bool = True) -> None:
    """Open the notebook `name` alone in the page, and wait until its kernel answers."""
    page.goto(f"{server.url}/{server.place}/{name}?token={server.token}&reset")
    page.wait_for_selector(".jp-Notebook")
    if kernel:
        page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel")
        page.evaluate(_KERNEL_READY)


def run_all(page: Page) -> None:
    """Run all cells and wait until the last has ended."""
    # Not awaited: a command whose promise never settles would hang the driver, which has no time limit here.
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
    page.wait_for_function(_CELLS_DONE, timeout=_RUN_MS)


def contrast_of(page: Page, selector: str) -> float:
    """Contrast between a text and what is behind it, as WCAG counts it."""
    return float(page.evaluate(_CONTRAST, selector))


def screenshot(page: Page, target: Path) -> None:
    """Save what the notebook shows, from its first line to its last."""
    height = page.evaluate(
        "() => Math.max(...[...document.querySelectorAll('.jp-NotebookPanel, .jp-NotebookPanel *')]"
        ".filter(box => box.matches('.jp-Notebook, .jp-WindowedPanel-outer')).map(box => box.scrollHeight))"
    )
    size = page.viewport_size or {"width": 1200, "height": 1000}
    page.set_viewport_size({"width": size["width"], "height": min(int(height) + 140, 12_000)})
    # Running all cells leaves the last one in view.
    page.evaluate(
        "() => document.querySelectorAll('.jp-Notebook, .jp-WindowedPanel-outer')"
        ".forEach(box => { box.scrollTop = 0; })"
    )
    page.wait_for_timeout(500)
    target.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=target)


def main() -> None:
    """Run a notebook and keep its picture."""
    parser = argparse.ArgumentParser(description="Save a picture of a notebook in JupyterLab.")
    parser.add_argument("notebook", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--untrusted", action="store_true", help="show the saved outputs, run nothing")
    parser.add_argument("--open", action="store_true", help="open all fold-outs")
    told = parser.parse_args()
    theme = "dark" if told.dark else "light"
    with tempfile.TemporaryDirectory() as root:
        shutil.copy(told.notebook, root)
        with (
            lab_server(Path(root), theme=theme) as server,
            chromium() as browser,
            lab_page(browser, dark=told.dark) as page,
        ):
            open_notebook(page, server, told.notebook.name, kernel=not told.untrusted)
            if not told.untrusted:
                run_all(page)
            if told.open:
                page.wait_for_selector(".jp-OutputArea-output details")
                page.evaluate("() => document.querySelectorAll('details').forEach(box => { box.open = true; })")
            how = "-untrusted" if told.untrusted else ""
            screenshot(page, told.folder / f"{told.notebook.stem}-{theme}{how}.png")


if __name__ == "__main__":
    main()
