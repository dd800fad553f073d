"""Documents whose cells run in a scratch folder, by pytest and by the command line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from celltask.documents.kernels.scene import Scene
from celltask.documents.reader import read_document
from celltask.documents.session import Stage
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Cli

pytest_plugins = ["pytester"]

HEADER = "---\ncelltask: {cwd: scratch}\n---\n\n"
WRITES = """
from pathlib import Path
assert Path("rows.csv").read_text() == "1,2"
assert Path("sub/deep/more.csv").read_text() == "3"
assert Path("../data/shared.csv").read_text() == "4"
for name in ("rows.csv", "sub/deep/more.csv", "sub/new.csv", "new.csv", "../data/shared.csv", "../data/new.csv"):
    Path(name).write_text("written")
Path(TOLD).write_text(str(Path.cwd()))
"""


def project(root: Path, *cells: str, header: str = HEADER) -> dict[Path, bytes]:
    """A page in a folder `docs` with data beside it, above it, and in folders; what all its files hold."""
    files = {"docs/rows.csv": "1,2", "docs/sub/deep/more.csv": "3", "data/shared.csv": "4"}
    fences = "\n".join(f"```{{code-cell}}\n{cell}\n```\n" for cell in cells)
    for name, text in {**files, "docs/page.md": f"{header}# Page\n\n{fences}"}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return content(root)


def content(root: Path) -> dict[Path, bytes]:
    """What the files of the project hold, less what pytest itself leaves."""
    return {path: path.read_bytes() for name in ("docs", "data") for path in (root / name).rglob("*") if path.is_file()}


def writes(told: Path) -> str:
    """A cell that reads and writes, and tells in which folder."""
    return WRITES.strip().replace("TOLD", repr(str(told)))


def test_pytest_runs_cells_in_a_copy(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """Data are found, what cells write reaches no file of the project, and the folder is gone afterwards."""
    told = tmp_path / "told.txt"
    pytester.makeini("[pytest]\n")
    before = project(pytester.path, writes(told), "assert Path('new.csv').exists()")
    pytester.runpytest_subprocess("--celltask").assert_outcomes(passed=2)
    assert content(pytester.path) == before
    folder = Path(told.read_text())
    assert folder.name == "docs"
    assert not folder.parent.exists()


def test_a_killed_kernel_leaves_no_folder(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """The folder goes with the document, however its kernel ended."""
    told = tmp_path / "told.txt"
    pytester.makeini("[pytest]\ncelltask_cwd = scratch\n")
    before = project(pytester.path, writes(told), "import os; os.kill(os.getpid(), 9)", header="")
    pytester.runpytest_subprocess("--celltask").assert_outcomes(passed=1, failed=1)
    assert content(pytester.path) == before
    assert not Path(told.read_text()).exists()


def test_the_header_goes_before_the_setting(pytester: pytest.Pytester) -> None:
    """Where all documents run in copies, one can say that it does not."""
    pytester.makeini("[pytest]\ncelltask_cwd = scratch\n")
    header = HEADER.replace("scratch", "document")
    project(pytester.path, "open('new.csv', 'w').close()", header=header)
    pytester.runpytest_subprocess("--celltask").assert_outcomes(passed=1)
    assert (pytester.path / "docs/new.csv").exists()


def test_a_setting_that_is_no_folder_is_refused(pytester: pytest.Pytester) -> None:
    """Both ways of running say which there are."""
    pytester.makeini("[pytest]\ncelltask_cwd = here\n")
    project(pytester.path, "x = 1")
    told = "celltask_cwd is 'here', not document, root or scratch"
    pytester.runpytest_subprocess("--celltask").stderr.fnmatch_lines([f"ERROR: {told}"])
    result = pytester.run(sys.executable, "-m", "celltask", "test", "docs")
    assert result.ret == 2
    result.stderr.fnmatch_lines([f"*{told}"])


@pytest.mark.parametrize("words", [("test",), ("execute", "-o", "out.ipynb")], ids=["test", "execute"])
def test_the_command_line_runs_cells_in_a_copy(cli: Cli, folder: Path, words: tuple[str, ...]) -> None:
    """`celltask test` and `celltask execute` leave the project as it is, too."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    before = project(folder, writes(folder / "told.txt"))
    said = cli(*words, "docs/page.md")
    assert (said.code, content(folder)) == (0, before), said.out
    assert not Path((folder / "told.txt").read_text()).exists()


def test_what_was_read_as_a_copy_is_known_to_the_cache(cli: Cli, folder: Path) -> None:
    """With `--cached` it is the project's file that counts, and what was written to a copy does not."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "docs").mkdir()
    (folder / "docs/steps.py").write_text("rate = 2\n")
    cell = "import steps\nname = 'rows' + '.csv'\ntext = open(name).read()\nopen(name, 'w').close()"
    project(folder, cell)
    last = [cli("test", "--cached", "docs").out.splitlines()[0] for _ in range(2)]
    assert last[1] == "docs/page.md  unchanged since it passed"
    (folder / "docs/rows.csv").write_text("5,6")
    assert cli("test", "--cached", "docs").out.splitlines()[0].endswith(" (docs/rows.csv changed)")
    (folder / "docs/steps.py").write_text("rate = 3\n")
    assert cli("test", "--cached", "docs").out.splitlines()[0].endswith(" (docs/steps.py changed)")


def test_too_much_to_copy_is_refused(cli: Cli, folder: Path) -> None:
    """A folder of more than a gigabyte is named, and how to do without a copy of it."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    project(folder, "x = 1")
    with (folder / "docs/large.bin").open("wb") as file:
        file.truncate(1_000_000_001)
    said = cli("test", "docs")
    assert said.code == 1
    assert said.out.splitlines()[3:6] == [
        "more than 20,000 files or 1 GB would be copied for `cwd: scratch`",
        f"  at: {folder}/docs",
        "  mend: give the document a folder of its own; other folders are linked, not copied",
    ]


def test_too_much_that_a_cell_names_is_refused_and_leaves_no_folder(tmp_path: Path) -> None:
    """An environment is a link until a cell names it."""
    project(tmp_path, "open('env/large.bin')")
    (tmp_path / "docs/env").mkdir()
    (tmp_path / "docs/env/pyvenv.cfg").touch()
    with (tmp_path / "docs/env/large.bin").open("wb") as file:
        file.truncate(1_000_000_001)
    (tmp_path / "within").mkdir()
    stage = Stage(Scene(str(tmp_path / "docs")), copied_from=tmp_path)
    with pytest.raises(DocumentError, match=r"^more than 20,000 files or 1 GB would be copied for `cwd: scratch`\n"):
        stage.copies_for(read_document(str(tmp_path / "docs/page.md")), str(tmp_path / "within"))
    assert list((tmp_path / "within").iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="elsewhere, nobody outlives the process to clear up")
def test_a_killed_run_leaves_no_folder(folder: Path) -> None:
    """What serves the kernels removes the copies when the process that asked for them is gone."""
    told = folder / "told.txt"
    (folder / "pytest.ini").write_text("[pytest]\n")
    project(folder, f"{writes(told)}\nimport time; time.sleep(60)")
    command = [sys.executable, "-m", "celltask", "test", "docs"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as running:
        _wait_until(told.exists)
        _wait_until(lambda: bool(told.read_text()))
        running.send_signal(signal.SIGKILL)
    _wait_until(lambda: not Path(told.read_text()).exists())


def _wait_until(holds: Callable[[], bool]) -> None:
    """Wait for what another process does; a minute at most."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
