"""`celltask watch` executes a document again from the first cell that has changed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from typing import IO, TYPE_CHECKING

import pytest

from celltask.documents.outline import Cell
from celltask.documents.watching import first_changed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WAITS = "waiting for a change; Ctrl-C ends\n"
MOST_S = 120.0


class Watched:
    """A running `celltask watch page.md`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "celltask", "watch", "page.md"], cwd=folder, stdout=subprocess.PIPE, text=True
        )
        self.kill = threading.Timer(MOST_S, self.process.kill)
        self.kill.start()

    @property
    def out(self) -> IO[str]:
        """What it prints."""
        assert self.process.stdout is not None
        return self.process.stdout

    def told(self) -> str:
        """What it says until it waits, without times."""
        lines = []
        while (line := self.out.readline()) and line != WAITS:
            lines.append(re.sub(r"  [\d.]+ m?s$", "", line.rstrip()))
        assert line == WAITS
        return "\n".join(lines)

    def write(self, *sources: str, title: str = "A page") -> None:
        """Save a page with these cells, all at once as an editor does."""
        cells = [f"```{{code-cell}} python\n{source}\n```\n" for source in sources]
        new = self.folder / "new"
        new.write_text("\n".join([f"# {title}\n", *cells]), encoding="utf-8")
        new.replace(self.folder / "page.md")

    def end(self) -> int:
        """Its exit code after Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        self.out.read()
        return self.process.wait()


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    """A document of three cells that is being watched; its module and its data stand beside it."""
    (tmp_path / "near.py").write_text("VALUE = 1\n", encoding="utf-8")
    (tmp_path / "data.txt").write_text("one\n", encoding="utf-8")
    page = "\n".join(f"```{{code-cell}} python\n{source}\n```\n" for source in CELLS)
    (tmp_path / "page.md").write_text(f"# A page\n\n{page}", encoding="utf-8")
    watched = Watched(tmp_path)
    yield watched
    watched.kill.cancel()
    watched.process.kill()
    watched.out.close()
    watched.process.wait()


CELLS = ["import near, os\nfirst = os.getpid(), near.VALUE", "text = open('data.txt').read()", "print(first, text)"]
EACH_CELL = "  passed  first  line 4\n  passed  text  line 9\n  passed  cell-3  line 13"


def test_changed_cell_is_executed_in_the_state_before_it(watched: Watched) -> None:
    """The cells above it are not executed again; a failing one is shown in the document's lines."""
    assert watched.told() == f"page.md: from the start\n{EACH_CELL}"
    watched.write(*CELLS[:2], "assert first[0] != os.getpid(), 'another process'\n1 / 0")
    assert watched.told() == (
        "page.md: from cell 3 on, cell-3\n"
        "  FAILED  cell-3  line 13\n"
        "page.md:14\n"
        "    1 / 0\n"
        "    ^^^^^\n"
        "ZeroDivisionError: division by zero\n"
        "\n"
        "page.md:14: ZeroDivisionError: division by zero\n"
    )
    watched.write(*CELLS)
    assert watched.told() == "page.md: from cell 3 on, cell-3\n  passed  cell-3  line 13"


def test_changed_prose_executes_nothing(watched: Watched) -> None:
    """Text between the cells is no reason to execute them."""
    watched.told()
    watched.write(*CELLS, title="Another title")
    assert watched.told() == "page.md: no cell has changed"


def test_option_that_cannot_be_read_does_not_end_it(watched: Watched) -> None:
    """It is told, as a failure is, and the next change goes on."""
    watched.told()
    watched.write(*CELLS[:2], ":timeout: soon\n1")
    assert watched.told() == (
        "page.md: from cell 3 on, cell-3\n"
        "  the option timeout cannot be 'soon'\n"
        "  mend: write seconds, for example :timeout: 60"
    )
    watched.write(*CELLS)
    assert watched.told() == "page.md: from cell 3 on, cell-3\n  passed  cell-3  line 13"


@pytest.mark.parametrize(("name", "text"), [("near.py", "VALUE = 23\n"), ("data.txt", "two\n")])
def test_changed_file_begins_from_the_start(watched: Watched, name: str, text: str) -> None:
    """A module or a data file that was read; it is named."""
    watched.told()
    (watched.folder / name).write_text(text, encoding="utf-8")
    assert watched.told() == f"page.md: from the start, since {watched.folder / name} has changed\n{EACH_CELL}"


def test_interruption_ends_everything(watched: Watched) -> None:
    """The command ends with the exit code of an interruption, and its kernels with it."""
    watched.write("import os; open('pid', 'w').write(str(os.getpid())); None")
    watched.told()
    if not (watched.folder / "pid").exists():
        watched.told()
    assert watched.end() == 130
    with pytest.raises(ProcessLookupError):
        os.kill(int((watched.folder / "pid").read_text(encoding="utf-8")), 0)


FIRST = [
    pytest.param(["a", "b"], ["a", "b"], 2, 3, id="nothing"),
    pytest.param(["a", "b"], ["a", "c"], 2, 2, id="last"),
    pytest.param(["a", "b"], ["new", "a", "b"], 2, 1, id="inserted"),
    pytest.param(["a", "b", "c"], ["a", "c"], 3, 2, id="removed"),
    pytest.param(["a", "b"], ["a"], 2, 2, id="last-removed"),
    pytest.param(["a", "b", "c"], ["a", "b", "changed"], 1, 2, id="below-a-failure"),
]


@pytest.mark.parametrize(("before", "now", "passed", "first"), FIRST)
def test_first_changed_cell(before: list[str], now: list[str], passed: int, first: int) -> None:
    """The first that differs or has not passed, by its number now."""
    old, new = ([Cell(at, text, first_line=at) for at, text in enumerate(texts, 1)] for texts in (before, now))
    assert first_changed(old, new, passed) == first
