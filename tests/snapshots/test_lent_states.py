"""pytest starts chosen cells from the states that a running `celltask watch` keeps, where that is the same."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from test_ends_of_snapshots import end_soon, is_running
from watched_pages import Watched, page_of

from celltask.documents.lent.address import address_of

if TYPE_CHECKING:
    from collections.abc import Iterator

RAN = "import os, pathlib\npathlib.Path(f'ran-{os.getpid()}').touch()\nfirst = pathlib.Path('first.txt').read_text()"
READS = "import near\ntext = pathlib.Path('data.txt').read_text()\npathlib.Path('left.txt').write_text(text)"
CHOSEN = "third = text, near.VALUE, pathlib.Path('left.txt').read_text()\nassert third[1] == 1"
WAITS = "while pathlib.Path('wait').exists(): __import__('time').sleep(0.02)"
"""Meanwhile the watch lends its states, and looks at no file."""


class Project:
    """A folder with a page, the module and the data that it reads, and a place for sockets."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ct-", dir="/tmp"))  # short enough for sockets
        self.folder.joinpath("run").mkdir(mode=0o700)
        self.environment = {"XDG_RUNTIME_DIR": str(self.folder / "run"), "TOKEN": self.folder.name}
        self.write("near.py", "VALUE = 1\n")
        self.write("pytest.ini", "[pytest]\nfilterwarnings =\n    error\n    ignore:old:DeprecationWarning\n")
        self.write("first.txt", "one\n")
        self.write("data.txt", "one\n")
        self.write("page.md", page_of(RAN, READS, CHOSEN, WAITS))
        self.write("wait", "")

    def write(self, name: str, text: str) -> None:
        """Save a file, all at once."""
        (self.folder / "new").write_text(text, encoding="utf-8")
        (self.folder / "new").replace(self.folder / name)

    def watched(self) -> Watched:
        """A watch of the page that is beyond its third cell."""
        watched = Watched(self.folder, environment=self.environment)
        watched.wait_for("third")
        return watched

    def start(self, *options: str, **environment: str) -> subprocess.Popen[str]:
        """A run of pytest on the page."""
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", "--celltask", "-v", "page.md", *options],
            cwd=self.folder,
            env={**os.environ, **self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def tested(self, *options: str, **environment: str) -> str:
        """What a run of pytest says."""
        with self.start(*options, **environment) as run:
            return run.communicate(timeout=100)[0]

    @property
    def runs(self) -> int:
        """How many kernels have executed the first cell."""
        return len(list(self.folder.glob("ran-*")))

    def processes(self) -> list[int]:
        """All that belong to the watch or to a run of pytest, and have not ended."""
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                if f"TOKEN={self.folder.name}".encode() in path.read_bytes().split(b"\0"):
                    found.append(int(path.parent.name))
            except OSError:  # it has ended
                continue
        return [process for process in found if is_running(process)]


@pytest.fixture
def project() -> Iterator[Project]:
    """At the end, no process of it is left."""
    project = Project()
    yield project
    left = project.processes()
    assert end_soon(left)
    shutil.rmtree(project.folder)


def remark_in(told: str) -> str:
    """What pytest says of the state at the end of a run; empty if it says nothing."""
    found = [line for line in told.splitlines() if line.startswith("celltask: page.md")]
    return "".join(found).rpartition(", hash seed")[0] or "".join(found)


STARTED = "celltask: page.md: started before `third` from the state that `celltask watch` keeps"
NOT_USED = "celltask: page.md: started before `first`, since no state that `celltask watch` keeps could be used: "


def test_last_failed_cell_starts_from_the_state_before_it(project: Project) -> None:
    """The cells above it are not executed again, by `--lf` or any other choice; a whole run executes all."""
    project.write("page.md", page_of(RAN, READS, f"{CHOSEN}\n1 / 0"))
    with project.watched() as watched:
        assert project.runs == 1
        assert "1 failed, 2 passed" in (told := project.tested())
        assert (remark_in(told), project.runs) == ("", 2)
        told = project.tested("--lf")
        assert (remark_in(told), project.runs) == (STARTED, 2)
        assert "page.md:18: ZeroDivisionError: division by zero" in told
        watched.write(RAN, READS, CHOSEN)
        watched.wait_for("from cell 3 on, third")
        assert "1 passed" in (told := project.tested("--lf"))
        assert (remark_in(told), project.runs) == (STARTED, 2)


BEFORE_TEXT = STARTED.replace("third", "text")
MOVED = f"{NOT_USED}a cell above cell 3 differs or has moved"
CHANGES = [
    pytest.param("first.txt", "two\n", f"{NOT_USED}first.txt changed", id="data-of-the-first-cell"),
    pytest.param(
        "page.md",
        page_of(f"{RAN}\n1", READS, CHOSEN, WAITS),
        MOVED,
        id="first-cell",
    ),
    pytest.param("near.py", "VALUE = 1  # as before\n", BEFORE_TEXT, id="module"),
    pytest.param("data.txt", "two\n", BEFORE_TEXT, id="data"),
    pytest.param("left.txt", "two\n", BEFORE_TEXT, id="what-they-left"),
    pytest.param("page.md", page_of(RAN, f":tags: [slow]\n{READS}", CHOSEN, WAITS), BEFORE_TEXT, id="tags"),
    pytest.param("page.md", page_of(RAN, READS, CHOSEN, WAITS, title="A page\n"), MOVED, id="lines"),
]


@pytest.mark.parametrize(("name", "text", "remark"), CHANGES)
def test_change_that_the_watch_has_not_seen_runs_the_cells(project: Project, name: str, text: str, remark: str) -> None:
    """From the one on that it concerns: of a module, a file, a cell; under ``-v``, the change is named."""
    with project.watched():
        project.write(name, text)
        told = project.tested("-k", "third")
        assert "1 passed" in told
        assert remark_in(told) == remark
        assert project.runs == 1 + remark.startswith(NOT_USED)


OTHER = [
    pytest.param(("-W", "error"), {}, "warning filters: not the same", id="warnings"),
    pytest.param(("-o", "celltask_timeout=5"), {}, "limits: not the same", id="timeout"),
    pytest.param((), {"COLOUR": "red"}, "the environment variable COLOUR differs", id="environment"),
    pytest.param(("--celltask-kernels=fresh",), {}, "", id="fresh"),
    pytest.param(("--celltask-kernels=cold",), {}, "", id="cold"),
    pytest.param(("-n", "1"), {}, "", id="xdist"),
]


@pytest.mark.parametrize(("options", "environment", "why"), OTHER)
def test_other_surroundings_run_the_cells(
    project: Project, options: tuple[str, ...], environment: dict[str, str], why: str
) -> None:
    """A state is the same only under the same settings; and whoever does not want any, gets none."""
    with project.watched():
        told = project.tested("-k", "third", *options, **environment)
        assert "1 passed" in told
        assert (remark_in(told), project.runs) == (f"{NOT_USED}{why}" if why else "", 2)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_watch_that_does_not_answer_is_passed_over(project: Project, how: signal.Signals) -> None:
    """Whether it was killed or hangs: the cells run, and pass."""
    with project.watched() as watched:
        watched.process.send_signal(how)
        told = project.tested("-k", "third")
        assert "1 passed" in told
        assert (remark_in(told), project.runs) == ("", 2)


@pytest.mark.parametrize("answer", [b"", b"hello\n", b"{}\n", b'{"surroundings": [], "states": 3}\n', b"x" * 99])
def test_other_program_at_the_socket_is_passed_over(project: Project, answer: bytes) -> None:
    """Whatever it says."""
    folder = project.folder / "run" / "celltask"
    folder.mkdir(mode=0o700)
    with pytest.MonkeyPatch.context() as patch, socket.socket(socket.AF_UNIX) as listener:
        patch.setenv("XDG_RUNTIME_DIR", str(folder.parent))
        address = address_of(str(project.folder / "page.md"))
        assert address is not None
        listener.bind(str(address))
        listener.listen()

        def greet() -> None:
            guest, _ = listener.accept()
            guest.sendall(answer)
            guest.close()

        thread = threading.Thread(target=greet)
        thread.start()
        told = project.tested("-k", "third")
        thread.join()
    assert "1 passed" in told
    assert (remark_in(told), project.runs) == ("", 1)


def test_lent_kernel_outlives_the_watch(project: Project) -> None:
    """The run that has it ends as it would."""
    project.write("page.md", page_of(RAN, READS, f"{CHOSEN}\npathlib.Path('begun').touch()\n{WAITS}"))
    (project.folder / "wait").unlink()
    with project.watched() as watched:
        watched.wait_for("waiting")
        (project.folder / "begun").unlink()
        project.write("wait", "")
        run = project.start("-k", "third")
        wait_for(project.folder / "begun")
        watched.process.kill()
        watched.process.wait()
        (project.folder / "wait").unlink()
        told = run.communicate(timeout=100)[0]
    assert "1 passed" in told
    assert (remark_in(told), project.runs) == (STARTED, 1)


def test_lent_kernel_ends_with_a_killed_run(project: Project) -> None:
    """What it started ends as well, and no folder of it is left; the watch goes on."""
    child = "child = __import__('subprocess').Popen(['sleep', '1000'], start_new_session=True).pid"
    begun = "pathlib.Path('new').write_text(f'{os.getpid()} {child}')\npathlib.Path('new').rename('begun')"
    chosen = f"third = 3\nif pathlib.Path('wait').exists():\n    {child}\n"
    indented = begun.replace("\n", "\n    ")
    project.write("page.md", page_of(RAN, READS, f"{chosen}    {indented}\n    __import__('time').sleep(1000)"))
    (project.folder / "wait").unlink()
    temporary = project.folder / "temporary"
    temporary.mkdir()
    with project.watched() as watched:
        watched.wait_for("waiting")
        project.write("wait", "")
        run = project.start("-k", "third", TMPDIR=str(temporary))
        wait_for(project.folder / "begun")
        processes = list(map(int, (project.folder / "begun").read_text(encoding="utf-8").split()))
        assert all(map(is_running, processes))
        run.kill()
        run.communicate()
        assert end_soon(processes)
        watched.write(RAN, READS, "3")
        assert watched.told() == "page.md: from cell 3 on, cell-3\n  passed  cell-3  line 16"
        assert watched.end() == 130
    assert end_soon(project.processes())
    assert list(temporary.glob("celltask-*")) == []


def wait_for(path: Path) -> None:
    """Wait until there is such a file."""
    waiting = threading.Event()
    for _ in range(3000):
        if path.exists():
            return
        waiting.wait(0.02)
    raise AssertionError(path)


@pytest.mark.parametrize("mode", [0o755, 0o720])
def test_folder_that_others_can_enter_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int) -> None:
    """Someone else could listen there."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "celltask").mkdir()
    (tmp_path / "celltask").chmod(mode)
    assert address_of("page.md", make=True) is None
    (tmp_path / "celltask").chmod(0o700)
    assert address_of("page.md") == address_of(str(Path("page.md").absolute()))
