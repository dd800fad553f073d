"""`celltask watch` executes a document again from the first cell that has changed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from watched_pages import Watched, page_of

from celltask.documents.outline import Cell
from celltask.documents.watching import first_changed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    """A document of three cells that is being watched; its module and its data stand beside it."""
    (tmp_path / "near.py").write_text("VALUE = 1\n", encoding="utf-8")
    (tmp_path / "data.txt").write_text("one\n", encoding="utf-8")
    (tmp_path / "page.md").write_text(page_of(*CELLS), encoding="utf-8")
    with Watched(tmp_path) as watched:
        yield watched


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


def test_changed_setting_of_the_header_begins_from_the_start(watched: Watched) -> None:
    """Cells above the change would have met it, too."""
    watched.told()
    text = (watched.folder / "page.md").read_text(encoding="utf-8")
    (watched.folder / "new").write_text(f"---\ncelltask:\n  env: {{A: b}}\n---\n{text}", encoding="utf-8")
    (watched.folder / "new").replace(watched.folder / "page.md")
    moved = (
        EACH_CELL.replace("line 4", "line 8").replace("line 9", "line 13").replace("cell-3  line 13", "cell-3  line 17")
    )
    assert watched.told() == f"page.md: from the start, since its settings have changed\n{moved}"


def test_folder_is_watched_as_its_documents_are(tmp_path: Path) -> None:
    """One of them is executed at a time; of a change, only what has changed."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "other.md").write_text(page_of("x = 1"), encoding="utf-8")
    (tmp_path / "docs" / "page.md").write_text(page_of("y = 1", "z = 2"), encoding="utf-8")
    with Watched(tmp_path, "docs") as watched:
        assert watched.told() == (
            "docs/other.md: from the start\n  passed  x  line 4\n"
            "docs/page.md: from the start\n  passed  y  line 4\n  passed  z  line 8"
        )
        (tmp_path / "new").write_text(page_of("y = 1", "z = 3"), encoding="utf-8")
        (tmp_path / "new").replace(tmp_path / "docs" / "page.md")
        assert watched.told() == "docs/page.md: from cell 2 on, z\n  passed  z  line 8"


def test_cells_that_run_in_copies_leave_the_project_as_it_is(watched: Watched) -> None:
    """What they write stays in the copies; what they read is looked at where it was copied from."""
    watched.told()
    writes = "open('data.txt', 'a').write('more\\n'); text = open('data.txt').read()"
    header = "---\ncelltask: {cwd: scratch}\n---\n"
    (watched.folder / "new").write_text(header + page_of(CELLS[0], writes, "print(text)"), encoding="utf-8")
    (watched.folder / "new").replace(watched.folder / "page.md")
    passed = "  passed  first  line 7\n  passed  text  line 12\n  passed  cell-3  line 16"
    assert watched.told() == f"page.md: from the start, since its settings have changed\n{passed}"
    assert (watched.folder / "data.txt").read_text(encoding="utf-8") == "one\n"
    (watched.folder / "near.py").write_text("VALUE = 23\n", encoding="utf-8")
    assert watched.told() == f"page.md: from the start, since {watched.folder / 'near.py'} has changed\n{passed}"


def test_changed_cell_in_copies_writes_to_none_of_the_folders_that_it_names(tmp_path: Path) -> None:
    """Also where no cell named the folder when the copies were made."""
    for name in ("docs", "out"):
        (tmp_path / name).mkdir()
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    page, new, header = tmp_path / "docs" / "page.md", tmp_path / "new", "---\ncelltask: {cwd: scratch}\n---\n"
    page.write_text(header + page_of("x = 1", "y = 2"), encoding="utf-8")
    with Watched(tmp_path, "docs/page.md") as watched:
        assert watched.told() == "docs/page.md: from the start\n  passed  x  line 7\n  passed  y  line 11"
        new.write_text(header + page_of("x = 1", "y = open('../out/made.txt', 'w').write('two')"), encoding="utf-8")
        new.replace(page)
        assert watched.told() == "docs/page.md: from cell 2 on, y\n  passed  y  line 11"
    assert [*(tmp_path / "out").iterdir()] == []


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
