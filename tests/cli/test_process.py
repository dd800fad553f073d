"""The command line as a process: what it loads, signals, pipes, terminals."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from command_line import Said

HEAVY = {"rich", "pydantic", "numpy", "markdown_it", "IPython", "asyncio", "jupytext", "nbformat", "docstring_parser"}

SLOW = """
import time
from pathlib import Path

from celltask import task, workflow


@task
def nap(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


@task
def total(a: float, b: float) -> float:
    return a + b


@workflow
def naps(seconds: float) -> float:
    return total(a=nap(seconds=seconds), b=nap(seconds=seconds))
"""


def loaded_by(process: Callable[..., Said], *words: str) -> set[str]:
    """Every module that the command loads."""
    said = process(*words, python=("-X", "importtime"))
    assert said.code == 0, said.err
    return {line.rpartition("|")[2].strip() for line in said.err.splitlines() if line.startswith("import time:")}


def test_a_trivial_run_loads_nothing_heavy(process: Callable[..., Said], add_py: str) -> None:
    """Start-up time is a promise: a run of a plain module needs none of these."""
    loaded = loaded_by(process, "run", add_py, "add", "--a", "1")
    assert not HEAVY & {name.partition(".")[0] for name in loaded}
    assert not {"importlib.metadata", "concurrent.futures", "sqlite3", "difflib", "celltask.core.fingerprint"} & loaded
    assert "celltask.core.execution" in loaded


def test_help_of_a_page_loads_neither_rich_nor_a_notebook(process: Callable[..., Said], page_md: str) -> None:
    """Help reads docstrings, and no more than that is added."""
    loaded = loaded_by(process, "run", page_md, "root", "--help")
    assert not (HEAVY - {"markdown_it", "docstring_parser"}) & {name.partition(".")[0] for name in loaded}


def test_an_interruption_ends_the_process_at_once_with_130(folder: Path) -> None:
    """Ctrl-C while two threads are busy: the user's line is told, and nobody waits for the threads."""
    (folder / "slow.py").write_text(
        SLOW.replace("    time.sleep", '    print("asleep\\n", end="", flush=True)\n    time.sleep')
    )
    running = subprocess.Popen(
        [sys.executable, "-m", "celltask", "run", "slow.py", "naps", "--seconds", "60"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert running.stdout is not None
    assert [running.stdout.readline() for _ in range(2)] == ["asleep\n", "asleep\n"]
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=20)
    assert running.returncode == 130
    assert err.startswith("interrupted\n  in: naps\n")
    assert "Traceback" not in err


def test_a_reader_that_goes_away_is_no_traceback(add_py: str) -> None:
    """`celltask … | head -1` ends quietly when nobody reads any more."""
    reading, writing = os.pipe()
    os.close(reading)
    words = [sys.executable, "-m", "celltask", "tasks", add_py]
    done = subprocess.run(words, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


def test_the_module_and_the_program_are_one(process: Callable[..., Said], add_py: str) -> None:
    """`python -m celltask` is what the installed program calls."""
    program = Path(sys.executable).parent / "celltask"
    if not program.exists():
        pytest.skip("celltask is not installed as a program here")
    words = [str(program), "run", add_py, "add", "--a", "1"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, process("run", add_py, "add", "--a", "1").out)


def test_characters_that_the_output_lacks_are_escaped(process: Callable[..., Said], folder: Path) -> None:
    """A result that the terminal's encoding cannot hold is no traceback."""
    (folder / "words.py").write_text(
        "from celltask import task\n@task\ndef words() -> str:\n    return '\\ud800 é'\n", encoding="utf-8"
    )
    said = process("run", "words.py", "--quiet", PYTHONIOENCODING="ascii")
    assert said == (0, "\\ud800 \\xe9\n", "")


def on_a_terminal(words: list[str], *, keys: bytes = b"", until: bytes = b"") -> tuple[int, bytes]:
    """The exit code and all that a terminal shows; `keys` are typed once `until` was shown."""
    process_id, terminal = pty.fork()
    if not process_id:
        os.environ["TERM"] = "xterm"
        os.execv(sys.executable, [sys.executable, "-m", "celltask", *words])  # noqa: S606 - our own program
    shown = b""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 0.1)[0]:
            continue
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
        if keys and until in shown:
            os.write(terminal, keys)
            keys = b""
    return os.waitstatus_to_exitcode(os.waitpid(process_id, 0)[1]), shown


def test_a_long_run_shows_its_progress_on_a_terminal(folder: Path) -> None:
    """What runs and for how long is live; at the end the table stays."""
    (folder / "slow.py").write_text(SLOW)
    code, shown = on_a_terminal(["run", "slow.py", "naps", "--seconds", "1.2"])
    assert code == 0
    assert b"0/3 nodes" in shown
    assert b"nap  " in shown
    assert b"\x1b[" in shown
    assert b"2.4\r\n" in shown
    assert shown.rstrip().splitlines()[-2].split()[:3] == [b"n2", b"total", b"done"]


def test_a_short_run_shows_no_progress(add_py: str) -> None:
    """What ends at once shows only the result and the table, without any control codes."""
    code, shown = on_a_terminal(["run", add_py, "add", "--a", "1"])
    assert code == 0
    assert b"\x1b[" not in shown
    assert shown.startswith(b"3\r\nnode  name  state")


def test_a_debugger_has_the_terminal_to_itself(folder: Path) -> None:
    """`breakpoint()` takes the progress off the screen, and its prompt answers."""
    (folder / "stopping.py").write_text(
        "import time\nfrom celltask import task\n@task\ndef stop() -> int:\n    time.sleep(0.8)\n    x = 20\n"
        "    breakpoint()\n    return x + 1\n"
    )
    code, shown = on_a_terminal(["run", "stopping.py"], keys=b"x = 41\nc\n", until=b"(Pdb) ")
    assert code == 0
    assert b"\r\n42\r\n" in shown


def test_json_on_a_terminal_is_still_one_object(folder: Path) -> None:
    """The progress display does not come between."""
    (folder / "slow.py").write_text(SLOW)
    done = subprocess.run(
        [sys.executable, "-m", "celltask", "run", "slow.py", "naps", "--seconds", "0.1", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout)["outputs"] == {"o0": 0.2}
