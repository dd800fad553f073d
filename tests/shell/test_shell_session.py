"""Shell examples as they are run: what lasts between them, what fails, and what is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from celltask.documents.shell.process import ShellProcess
from celltask.documents.shell.session import find_shell

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Verdicts


def whats(found: list[object]) -> list[object]:
    """Why each example failed, in one line."""
    return [verdict.failure and verdict.failure.what for verdict in found]  # type: ignore[attr-defined]  # verdicts


def test_folder_and_variables_last_from_block_to_block(verdicts: Verdicts) -> None:
    """As in one terminal, also behind a command that ends the shell."""
    set_up = "```bash\nexport A='x y'\nmkdir sub; cd sub\n```\n"
    text = f'{set_up}```console\n$ exit 3\n[3]\n$ echo "$A"; basename $PWD\nx y\nsub\n```\n'
    assert whats(verdicts(text)) == [None, None]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("```bash\ntrue\nfalse\ntrue\n```\n", 3, "exit code 1: false"),
        ("```bash\nfalse | true\n```\n", 2, "exit code 1: false | true"),
        ("```console\n$ true\n$ exit 3\n```\n", 3, "exit code 3: exit 3"),
        ("```console\n$ true\n[2]\n```\n", 2, "exit code 0, not 2: true"),
        ("```console\n$ echo 'a\n```\n", 2, "exit code 2: echo 'a"),
        ("```console\n$ echo a\nb\n```\n", 3, "expected 'b', shown is 'a'"),
        ("```bash\necho a\n```\n\n```{output}\nb\n```\n", 6, "expected 'b', shown is 'a'"),
        ("```bash\ntrue\nsleep 60\n```\n", 3, "took longer than 1 s, and was killed: sleep 60"),
        ("```console\n$ yes\n```\n", 2, "printed more than 1 MB, and was killed: yes"),
        ("```console\n$ cat\n$ read x\n```\n", 3, "exit code 1: read x"),
    ],
)
def test_a_command_that_goes_wrong_fails_at_its_line(verdicts: Verdicts, text: str, line: int, what: str) -> None:
    """The line is the document's: that of the command, or of the output that differs."""
    failure = verdicts(text, timeout_s=1.0)[0].failure
    assert failure is not None
    assert (failure.line, failure.what) == (line, what)
    assert failure.text.endswith(f"\npage.md:{line}: {what}\n")


@pytest.mark.parametrize(
    "text",
    [
        "```console\n$ no-such-program\nbash: no-such-program: command not found\n[127]\n```\n",
        "```console\n$ false\n$ echo $?\n1\n```\n",
        "```console\n$ sleep 60 &\n$ kill %1; wait\n```\n",
        "```{code-block} bash\n:exit: 3\n\nexit 3\n```\n",
        "```console\n$ printf 'a\\nb\\nc\\n'\na\n...\nc\n```\n",
        "```console\n$ cat <<E | tr a b\n> -a\n> E\n-b\n```\n",
        "```bash\necho $TERM $COLUMNS $NO_COLOR\n```\n\n```{output}\ndumb 80 1\n```\n",
    ],
    ids=["message", "code", "job", "option", "ellipsis", "heredoc", "environment"],
)
def test_a_command_that_does_as_shown_passes(verdicts: Verdicts, text: str) -> None:
    """Exit codes and outputs are compared as a reader would."""
    assert whats(verdicts(text)) == [None]


def test_the_cells_of_a_page_are_a_module_under_any_name(verdicts: Verdicts) -> None:
    """An error in it is told with the line of the page."""
    cell = "```{code-cell}\n:tags: [hide-input]\n\ndef f():\n    1 / 0\n```\n"
    good, bad = verdicts(f"{cell}```bash\npython steps.py\n```\n```console\n$ python -m m && test -e m.py\n```\n")
    assert (good.failure, bad.failure) == (None, None)
    bad = verdicts(f"{cell}\n```{{code-cell}}\nf()\n```\n```console\n$ python steps.py\n```\n")[0]
    assert bad.failure is not None
    assert "note: steps.py:5 is page.md:5: 1 / 0" in bad.failure.text.splitlines()


def test_files_of_the_project_are_there_and_stay_as_they_are(verdicts: Verdicts, tmp_path: Path) -> None:
    """Commands read what they name, beside the page or above it, and write into copies."""
    for name in ("docs/data/a.txt", "docs/b.txt", "top.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{name}\n")
    text = (
        "```console\n$ cat data/a.txt b.txt ../top.txt\ndocs/data/a.txt\ndocs/b.txt\ntop.txt\n"
        "$ echo x | tee data/a.txt data/new.txt b.txt ../top.txt page.md ../docs/data/c.txt\nx\n$ rm b.txt\n```\n"
    )
    assert whats(verdicts(text, name="docs/page.md")) == [None]
    found = {path.relative_to(tmp_path).as_posix(): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {
        "docs/data/a.txt": "docs/data/a.txt\n",
        "docs/b.txt": "docs/b.txt\n",
        "top.txt": "top.txt\n",
        "docs/page.md": text,
    }


def is_running(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands orphans to a chosen process")
def test_nothing_outlives_the_document(verdicts: Verdicts, tmp_path: Path) -> None:
    """A background job ends with it, and so does one that left the shell's group."""
    started = tmp_path / "pids"
    commands = (
        f"sleep 600 & echo $! > {started}",
        f"setsid sh -c 'echo $$ >> {started}; exec sleep 600' &",
        f"while [ $(wc -l < {started}) != 2 ]; do :; done",
    )
    found = verdicts("\n".join(["```bash", *commands, "```"]))
    assert whats(found) == [None]
    assert not any(is_running(int(pid)) for pid in started.read_text().split())


KILLED = """
import os, sys, time
from pathlib import Path
from celltask.documents.shell.process import ShellProcess
from celltask.documents.shell.session import find_shell
folder = Path(sys.argv[1])
(folder / "commands").write_text("sleep 600 & echo $! > pid\\n")
shell = ShellProcess(find_shell(), folder, dict(os.environ), folder / "state")
shell.run(folder / "commands", deadline=time.monotonic() + 60)
print(shell._process.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_nothing_outlives_a_killed_owner(tmp_path: Path) -> None:
    """When the process that runs the tests is killed by SIGKILL, the shell and its jobs end as well."""
    with subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        watcher = int(owner.stdout.readline())
        end = os.pidfd_open(watcher)
        owner.send_signal(signal.SIGKILL)
    import select  # noqa: PLC0415 - with the descriptor that it waits for

    assert select.select([end], [], [], 30)[0] == [end]
    os.close(end)
    assert not is_running(int((tmp_path / "pid").read_text()))


def test_a_shell_can_be_closed_twice(tmp_path: Path) -> None:
    """The second time nothing happens."""
    shell = ShellProcess(find_shell(), tmp_path, dict(os.environ), tmp_path / "state")
    shell.close()
    shell.close()
    assert not shell.is_open
