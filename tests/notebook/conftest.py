"""A shell in this process for quick tests, and a real kernel where only a kernel will do."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from colours import plain
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from celltask.core.registry import registry

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Ran:
    """What came of one cell."""

    value: object
    error: BaseException | None
    text: str
    shown: list[dict[str, object]] = field(default_factory=list)


class Notebook:
    """A notebook whose cells run in this process."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell

    def run(self, cell: str) -> Ran:
        """Run `cell` as the next cell, errors and all."""
        out = io.StringIO()
        publisher, self.shell.display_pub = self.shell.display_pub, CapturingDisplayPublisher()
        try:
            with redirect_stdout(out), redirect_stderr(out):
                result = self.shell.run_cell(cell, store_history=True)
            shown = [dict(item["data"]) for item in self.shell.display_pub.outputs]
        finally:
            self.shell.display_pub = publisher
        assert "Error in callback" not in out.getvalue(), out.getvalue()
        return Ran(result.result, result.error_before_exec or result.error_in_exec, plain(out.getvalue()), shown)

    def __call__(self, cell: str) -> object:
        """The value of `cell`, which must not fail."""
        ran = self.run(cell)
        assert ran.error is None, ran.text
        return ran.value

    @property
    def names(self) -> dict[str, object]:
        """The user's variables."""
        hidden = self.shell.user_ns_hidden
        return {
            name: value for name, value in self.shell.user_ns.items() if name not in hidden and not name.startswith("_")
        }


@pytest.fixture
def plain_notebook() -> Iterator[Notebook]:
    """A notebook without celltask."""
    main, hooks = sys.modules["__main__"], (sys.displayhook, sys.excepthook)
    known = dict(registry._defined)
    registry._defined.clear()
    config = Config({"HistoryManager": {"enabled": False}})
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=config)
    sys.modules["__main__"] = shell.user_module
    try:
        yield Notebook(shell)
    finally:
        shell.run_line_magic("unload_ext", "celltask") if "celltask" in shell.extension_manager.loaded else None
        InteractiveShell.clear_instance()
        sys.modules["__main__"] = main
        sys.displayhook, sys.excepthook = hooks
        registry._defined.clear()
        registry._defined.update(known)


@pytest.fixture
def notebook(plain_notebook: Notebook) -> Notebook:
    """A notebook with celltask loaded in its first cell."""
    plain_notebook("%load_ext celltask")
    return plain_notebook
