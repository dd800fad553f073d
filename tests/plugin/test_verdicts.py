"""A cell passes if it does what its document says, and in no other case."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import MakePage

pytest_plugins = ["pytester"]

FAILING = {
    "exception": ("1 / 0", 4, "ZeroDivisionError: division by zero"),
    "second-line": ("x = 1\nraise ValueError('odd')", 5, "ValueError: odd"),
    "syntax": ("x = 1\ny = = 2", 5, "SyntaxError: invalid syntax"),
    "indentation": (
        "if True:\nx = 1",
        5,
        "IndentationError: expected an indented block after 'if' statement on line 4",
    ),
    "return": ("return 5", 4, "SyntaxError: 'return' outside function"),
    "await": ("import asyncio\nawait asyncio.sleep(0)\n1 / 0", 6, "ZeroDivisionError: division by zero"),
    "unknown-magic": ("x = 1\n%notmagic", 5, "UsageError: Line magic function `%notmagic` not found."),
    "unknown-cell-magic": ("%%notmagic\nx", 4, "UsageError: Cell magic `%%notmagic` not found."),
    "below-time-magic": ("x = 1\n%time 1 / 0", 5, "ZeroDivisionError: division by zero"),
    "sys-exit": ("import sys\nsys.exit(0)", 5, "SystemExit: 0"),
    "exit": ("exit()", 4, "the cell ends the session: exit or quit"),
    "os-exit": ("import os\nos._exit(0)", 4, "the kernel ended with exit code 0"),
    "input": ("name = input()", 4, "the cell asks for input, and nobody is there to answer"),
    "getpass": ("import getpass\ngetpass.getpass()", 5, "the cell asks for input, and nobody is there to answer"),
    "debugger": (
        "import pdb\nif True:\n    pdb.set_trace()\n    x = 1",
        7,
        "the cell asks for input, and nobody is there to answer",
    ),
    "shell": ("x = 1\n!exit 3", 5, "the shell command ended with exit code 3: exit 3"),
    "representation": (
        "class Odd:\n    def __repr__(self):\n        raise ValueError('no')\nOdd()",
        6,
        "ValueError: no (shown, but it did not stop the cell)",
    ),
    "thread": (
        "from threading import Thread\ndef work():\n    1 / 0\na = Thread(None, work, 'odd')\na.start()\na.join()",
        6,
        "ZeroDivisionError: division by zero (raised in thread odd)",
    ),
    "must-raise": (":tags: [raises-exception]\n1", 5, "the cell must raise an exception, and raised nothing"),
    "must-raise-by-option": (":raises: ValueError\n1", 5, "the cell must raise ValueError, and raised nothing"),
    "other-exception": (
        ":raises: ValueError\n1 / 0",
        5,
        "the cell must raise ValueError, and raised ZeroDivisionError: division by zero",
    ),
    "other-message": (
        ':raises: ZeroDivisionError "modulo"\n1 / 0',
        5,
        'the cell must raise ZeroDivisionError that matches "modulo", and raised ZeroDivisionError: division by zero',
    ),
    "dies-instead-of-raising": (
        ":tags: [raises-exception]\nimport os; os._exit(3)",
        5,
        "the kernel ended with exit code 3",
    ),
    "input-instead-of-raising": (
        ":tags: [raises-exception]\ninput()",
        5,
        "the cell asks for input, and nobody is there to answer",
    ),
}
if sys.platform != "win32":
    FAILING["signal"] = (
        "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)",
        4,
        "the kernel was killed by SIGSEGV",
    )


PASSING = {
    "plain": "x = 1",
    "empty": "",
    "blank": "   \n",
    "await-well": "import asyncio\nawait asyncio.sleep(0)",
    "time-magic": "%time x = 1",
    "shell-well": "!exit 0",
    "standard-error": "import sys\nprint('Traceback (most recent call last):', file=sys.stderr)",
    "input-replaced": "def input(): return 'Ada'\ninput()",
    "caught": "try:\n    1 / 0\nexcept ZeroDivisionError:\n    pass",
    "tagged": ":tags: [raises-exception]\n1 / 0",
    "tagged-syntax": ":tags: [raises-exception]\nx = = 1",
    "base-class": ":raises: ArithmeticError\n1 / 0",
    "message-only": ':raises: "by zero$"\n1 / 0',
    "full-name": ":raises: json.JSONDecodeError\nimport json; json.loads('{')",
    "own-class": ":raises: Odd\nclass Odd(Exception): ...\nraise Odd",
    "yaml-options": '---\ntags: [hide-input]\nraises: ValueError "odd"\n---\nraise ValueError("odd one")',
    "hidden": ":tags: [hide-input, remove-output]\nx = 1",
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What one run of pytest reports of a page for each cell above: the lines of its failure, none if it passed."""
    folder = tmp_path_factory.mktemp("pages")
    cells = {**PASSING, **{name: cell for name, (cell, _, _) in FAILING.items()}}
    for name, cell in cells.items():
        (folder / f"{name}.md").write_text(f"# A page\n\n```{{code-cell}}\n{cell}\n```\n")
    command = [sys.executable, "-m", "pytest", "--celltask", "-p", "no:cacheprovider", "--junit-xml=told.xml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    cases = ET.parse(folder / "told.xml").iter("testcase")  # noqa: S314 - our own file
    return {
        str(case.get("classname")).removesuffix(".md"): "\n".join(found.text or "" for found in case).splitlines()
        for case in cases
    }


@pytest.mark.parametrize("name", FAILING)
def test_a_cell_that_goes_wrong_fails_at_its_line(told: dict[str, list[str]], name: str) -> None:
    """The last line of the report names the document, the line in it, and what happened."""
    _, line, what = FAILING[name]
    used = re.compile(r" \(CPU \d+\.\d s, at most \d+ MiB\)$")
    assert f"{name}.md:{line}: {what}" in [used.sub("", told_line) for told_line in told[name]]


@pytest.mark.parametrize("name", PASSING)
def test_a_cell_that_does_as_told_passes(told: dict[str, list[str]], name: str) -> None:
    """What a cell prints or is tagged with for show changes nothing."""
    assert told[name] == []


@pytest.mark.parametrize("tag", ["hide-cell", "remove-cell"])
def test_hidden_cells_are_tested_too(pytester: pytest.Pytester, page: MakePage, tag: str) -> None:
    """Tags that hide a cell from readers do not hide it from tests."""
    page(f":tags: [{tag}]\n1 / 0")
    pytester.runpytest("--celltask").assert_outcomes(failed=1)


def test_cells_that_are_not_to_be_executed_are_skipped(pytester: pytest.Pytester, page: MakePage) -> None:
    """By their tag or their language; the cells below them run all the same."""
    path = page("x = 1", ":tags: [skip-execution]\nx = 2", "assert x == 1")
    path.write_text(path.read_text() + "\n```{code-cell} bash\nexit 1\n```\n")
    result = pytester.runpytest("--celltask", "-rs")
    result.assert_outcomes(passed=2, skipped=2)
    result.stdout.fnmatch_lines(
        ["SKIPPED *page.md:9: the cell is tagged skip-execution", "SKIPPED *: the cell is bash, not Python"]
    )


@pytest.mark.parametrize(
    ("option", "told"),
    [
        (":timeout: soon", "the option timeout cannot be 'soon'"),
        (":raises: ValueError (", "the option raises cannot be 'ValueError ('"),
        (':raises: "("', "the option raises cannot be '\"(\"'"),
    ],
    ids=["timeout", "raises", "pattern"],
)
def test_an_option_that_cannot_be_read_is_told(
    pytester: pytest.Pytester, page: MakePage, option: str, told: str
) -> None:
    """With the place of its cell, and as a failure: it is never left out silently."""
    page(f"{option}\nx = 1")
    result = pytester.runpytest("--celltask")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([told.replace("[", "[[]"), "  at: page.md:3"])


def test_a_cell_that_takes_too_long_is_interrupted_at_its_line(pytester: pytest.Pytester, page: MakePage) -> None:
    """The report shows the line that was running when the time was over."""
    page(":timeout: 0.5\nimport time\nx = 1\ntime.sleep(60)", "x = 2")
    result = pytester.runpytest("--celltask")
    result.assert_outcomes(failed=1, skipped=1)
    assert "page.md:7: the cell took longer than 0.5 s" in result.outlines
    assert "    time.sleep(60)" in result.outlines


def test_a_cell_that_cannot_be_interrupted_is_killed(pytester: pytest.Pytester, page: MakePage) -> None:
    """The time of the settings holds for cells without an option, and the next document is tested."""
    pytester.makeini("[pytest]\ncelltask_timeout = 0.5")
    page("import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ntime.sleep(60)", name="a.md")
    page("x = 1", name="b.md")
    result = pytester.runpytest("--celltask")
    result.assert_outcomes(failed=1, passed=1)
    assert "a.md:4: the cell took longer than 0.5 s" in result.outlines


def test_a_flood_of_output_is_cut(pytester: pytest.Pytester, page: MakePage) -> None:
    """What a failing cell printed is shown, up to a length that a report can hold."""
    page("print('begin')\nfor number in range(30_000):\n    print('line', number)\n1 / 0")
    result = pytester.runpytest("--celltask")
    result.assert_outcomes(failed=1)
    assert "begin" in result.outlines
    assert "[and more]" in result.outlines
    assert "line 29999" not in result.outlines


def test_tags_hold_in_every_format(pytester: pytest.Pytester, notebook: MakePage) -> None:
    """A notebook has them, and options, in the metadata of the cell, a percent script in its marker."""
    path = notebook("1 / 0", "1 / 0", "skipped = 1 / 0")
    made = json.loads(path.read_text())
    for cell, metadata in zip(
        made["cells"],
        ({"tags": ["raises-exception"]}, {"raises": "ZeroDivisionError"}, {"tags": ["skip-execution"]}),
        strict=True,
    ):
        cell["metadata"] = metadata
    path.write_text(json.dumps(made))
    (pytester.path / "script.py").write_text('# %% tags=["raises-exception"]\n1 / 0\n\n# %% timeout=5\nx = 1\n')
    pytester.runpytest("--celltask").assert_outcomes(passed=4, skipped=1)
