"""`celltask test`: documents as tests, without pytest."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from celltask.documents.project import Settings
from celltask.documents.runner.choice import choose
from celltask.documents.runner.expression import name_test
from celltask.documents.runner.outcome import CellStarted
from celltask.documents.runner.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli, MakePage

TIME = re.compile(r"\d+ ms|\d\.\d\d s")


def timeless(text: str) -> list[str]:
    """The lines of a report, each duration told as T."""
    return TIME.sub("T", text).splitlines()


def test_each_document_has_a_line_and_a_failure_is_told_where_it_is(cli: Cli, page: MakePage) -> None:
    """After the lines come the failures, with what the cell printed, and a summary."""
    page("x = 1", "print('so far')\n1 / 0", "y = 2", name="bad.md")
    page("x = 1", name="good.md")
    said = cli("test", ".", "--jobs", "1")
    assert said.code == 1
    assert timeless(said.out) == [
        "bad.md  1 failed, 1 passed, 1 skipped in T",
        "good.md  1 passed in T",
        "",
        "_______________________________ bad.md::cell-2 _______________________________",
        "bad.md:11",
        "    1 / 0",
        "    ^^^^^",
        "ZeroDivisionError: division by zero",
        "",
        "bad.md:11: ZeroDivisionError: division by zero",
        "----------------------------- stdout of the cell -----------------------------",
        "so far",
        "",
        "1 failed, 2 passed, 1 skipped in 2 documents, T",
    ]


def test_cells_are_listed_on_demand(cli: Cli, page: MakePage) -> None:
    """With their lines, and why one was skipped."""
    page("x = 1", ":tags: [skip-execution]\n\ny = 1", "z = 1 / 0", "u = 1")
    assert timeless(cli("test", "page.md", "-v").out)[:5] == [
        "page.md::x passed (line 4, T)",
        "page.md::y skipped (line 12): the cell is tagged skip-execution",
        "page.md::z failed (line 18, T)",
        "page.md::u skipped (line 24): cell z above failed (page.md:18)",
        "page.md  1 failed, 1 passed, 2 skipped in T",
    ]


def test_a_chosen_cell_runs_after_those_above_it(cli: Cli, page: MakePage) -> None:
    """Which are no tests then, and those below it are not run."""
    page("x = 1", "y = x + 1", "1 / 0")
    assert timeless(cli("test", "page.md::y", "-q").out) == ["", "1 passed in 1 document, T"]


def test_a_chosen_cell_fails_with_one_above_it(cli: Cli, page: MakePage) -> None:
    """The message tells which."""
    page("x = 1 / 0", "y = 2")
    told = json.loads(cli("test", "page.md::y", "--json").out)["documents"][0]["cells"]
    assert [(cell["name"], cell["verdict"], cell["failure"]["what"]) for cell in told] == [
        ("y", "failed", "set-up cell x (page.md:4) failed: ZeroDivisionError: division by zero")
    ]


def test_cells_are_chosen_by_words_in_their_names(cli: Cli, page: MakePage) -> None:
    """As pytest's -k does, on document and cell."""
    page("load = 1", "train = 1", "plot_train = 1")
    page("train = 1", name="other.md")
    said = cli("test", ".", "-k", "PAGE and train and not plot", "-v", "--jobs", "1")
    assert timeless(said.out)[:2] == ["page.md::train passed (line 10, T)", "page.md  1 passed in T"]


@pytest.mark.parametrize(
    ("text", "fits"),
    [("a or b and c", ["a", "bc"]), ("(a or b) and c", ["bc"]), ("not a", ["b", "bc"]), ("A", ["a"])],
    ids=["and-first", "brackets", "not", "case"],
)
def test_expressions_read_as_in_pytest(text: str, fits: list[str]) -> None:
    """`and` binds stronger than `or`, `not` strongest."""
    assert list(filter(name_test(text), ["a", "b", "bc"])) == fits


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["missing.md"], "there is no such document\n  at: missing.md\n  mend: check the path"),
        (["page.md::trian"], "no cell is called 'trian'\n  at: page.md\n  mend: did you mean 'train'?"),
        (
            ["page.md", "-k", "nothing"],
            "no cell is chosen\n  mend: leave out -k, or list the names: celltask outline DOC",
        ),
        (
            ["page.md", "-k", "a and"],
            "-k 'a and' cannot be read: it ends too early\n  mend: write for example: -k 'train and not slow'",
        ),
        (
            ["empty"],
            "there is no document\n  at: empty\n  mend: a document has {code-cell}s, is a notebook or a percent script",
        ),
        (
            [],
            "no document is given\n  mend: name documents or folders, or set celltask_documents in pyproject.toml",
        ),
        (["page.md", "--jobs", "0"], "invalid value for '-j' / '--jobs': 0 is not in the range x>=1\n"),
    ],
    ids=["no-file", "no-cell", "none-fits", "no-expression", "no-document", "nothing", "no-jobs"],
)
def test_what_cannot_be_run_is_refused(cli: Cli, page: MakePage, words: list[str], message: str) -> None:
    """Before anything is run, with what to write instead."""
    page("train = 1")
    (page("x = 1", name="empty/x.md")).unlink()
    said = cli("test", *words)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(message)


def test_an_unreadable_document_fails_and_the_others_run(cli: Cli, folder: Path, page: MakePage) -> None:
    """It is told like a failed cell."""
    page("x = 1")
    (folder / "odd.ipynb").write_text("{")
    said = cli("test", ".", "--jobs", "1")
    assert said.code == 1
    assert timeless(said.out)[-5:] == [
        "the notebook is not JSON: Expecting property name enclosed in double quotes",
        f"  at: {folder / 'odd.ipynb'}, line 1, column 2",
        "  mend: restore the notebook, or save it from Jupyter",
        "",
        "1 passed, 1 unreadable in 2 documents, T",
    ]


def test_the_first_failure_can_end_the_run(cli: Cli, page: MakePage) -> None:
    """Documents that would come later are not run."""
    page("1 / 0", name="a.md")
    page("x = 1", name="b.md")
    assert timeless(cli("test", ".", "-x", "-q", "--jobs", "1").out)[-1] == "1 failed in 1 document, T"


def test_documents_do_not_share_anything(cli: Cli, page: MakePage) -> None:
    """Each has a kernel of its own, also when several run at once."""
    for name in ("a.md", "b.md", "c.md", "d.md"):
        page(
            "import os, builtins\nassert not hasattr(builtins, 'mark')",
            "builtins.mark = os.environ['MARK'] = os.getcwd()\nleft = 1",
            name=name,
        )
    assert timeless(cli("test", ".", "--jobs", "3", "-q").out)[-1] == "8 passed in 4 documents, T"


def test_several_documents_share_the_cores(process: Cli, page: MakePage) -> None:
    """Numerical libraries of two documents at once use half of the cores each."""
    for name in ("a.md", "b.md"):
        page("import os\nassert os.environ['OMP_NUM_THREADS'] == str(max(1, os.cpu_count() // 2))", name=name)
    assert process("test", ".", "--jobs", "2").code == 0


def test_settings_of_pytest_hold_here_too(cli: Cli, folder: Path, page: MakePage) -> None:
    """Documents, time limit and warnings are those of the project, wherever in it the command is given."""
    (folder / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\ncelltask_documents = ["docs"]\ncelltask_timeout = 0.5\nfilterwarnings = ["error"]\n'
    )
    page("x = 1", name="elsewhere.md")
    page("import warnings\nwarnings.warn('old')", name="docs/warns.md")
    page("import time\ntime.sleep(30)", name="docs/waits.md")
    told = json.loads(cli("test", "--json").out)["documents"]
    assert [(one["path"], one["cells"][0]["failure"]["what"]) for one in told] == [
        ("docs/waits.md", "the cell took longer than 0.5 s"),
        ("docs/warns.md", "UserWarning: old"),
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pytest.ini", "[pytest]\ncelltask_documents = docs *.md\n"),
        ("tox.ini", "[pytest]\ncelltask_documents = docs\n    *.md\n"),
        ("setup.cfg", "[tool:pytest]\ncelltask_documents = docs *.md\n"),
        ("pytest.toml", '[pytest]\ncelltask_documents = ["docs", "*.md"]\n'),
    ],
)
def test_settings_are_read_wherever_pytest_reads_them(
    cli: Cli, folder: Path, page: MakePage, name: str, text: str
) -> None:
    """In each of its files; a pattern counts as in the plugin."""
    (folder / name).write_text(text)
    page("x = 1", name="docs/a.md")
    page("x = 1", name="b.md")
    assert timeless(cli("test", "-q").out)[-1] == "2 passed in 2 documents, T"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("celltask_timeout = 0", "celltask_timeout is 0, not a number of seconds above 0\n  at: {}"),
        (
            'filterwarnings = ["eror"]',
            "'eror' is no warning filter\n  at: {}\n  mend: write for example \"error::DeprecationWarning\"",
        ),
        ("celltask_timeout", "the settings cannot be read: Expected '=' after a key"),
        ('celltask_documents = ["doc"]', "celltask_documents names doc, which does not exist in"),
    ],
    ids=["time", "filter", "syntax", "folder"],
)
def test_settings_that_cannot_be_meant_are_refused(cli: Cli, folder: Path, text: str, message: str) -> None:
    """Naming the file."""
    file = folder / "pyproject.toml"
    file.write_text(f"[tool.pytest.ini_options]\n{text}\n")
    said = cli("test")
    assert said.code == 2
    assert said.err.startswith(message.format(file))


def test_tests_and_hidden_folders_are_no_documents(cli: Cli, page: MakePage, folder: Path) -> None:
    """Nor are pages without cells, and Python files without markers."""
    page("x = 1", name="docs/a.md")
    page("1 / 0", name=".tox/b.md")
    (folder / "docs/prose.md").write_text("# Prose")
    (folder / "docs/module.py").write_text("1 / 0")
    (folder / "docs/test_it.py").write_text("# %%\n1 / 0")
    (folder / "docs/script.py").write_text("# %%\nx = 1")
    assert timeless(cli("test", "docs", "-q").out)[-1] == "2 passed in 2 documents, T"


def test_junit_has_file_and_line(cli: Cli, folder: Path, page: MakePage) -> None:
    """And characters that XML does not have do not spoil it."""
    page("x = 1", "raise ValueError('a\\x00b')", "y = 1", name="docs/page.md")
    assert cli("test", "docs", "--junit-xml", "report.xml").code == 1
    suite = ET.parse(folder / "report.xml").getroot()[0]  # noqa: S314 - our own file
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")
    cases = [(case.get("file"), case.get("line"), case.get("name")) for case in suite]
    assert cases == [("docs/page.md", "4", "x"), ("docs/page.md", "10", "cell-2"), ("docs/page.md", "16", "y")]
    assert [found.get("message") for found in suite.iter("failure")] == ["ValueError: a\N{REPLACEMENT CHARACTER}b"]


def test_the_slowest_cells_can_be_told(cli: Cli, page: MakePage) -> None:
    """The slowest first."""
    page("x = 1", "import time\ntime.sleep(0.3)", "y = 1")
    lines = timeless(cli("test", "page.md", "--durations", "1").out)
    assert lines[2:4] == ["slowest cells", "  T  page.md::cell-2"]


def test_cold_kernels_do_as_well(cli: Cli, page: MakePage) -> None:
    """Where kernels cannot be forked, each is started."""
    page("x = 1", "assert x == 1")
    assert timeless(cli("test", "page.md", "--kernels", "cold", "-q").out)[-1] == "2 passed in 1 document, T"


def test_a_terminal_shows_what_runs(page: MakePage, capsys: pytest.CaptureFixture[str]) -> None:
    """The cell, its number among the others and its name, and a line for each document that ended."""
    path = page("load = 1", "train = 2")
    chosen = choose([str(path)], Settings(path.parent))[0]
    with Progress(total=1, is_live=True) as progress:
        progress(CellStarted(chosen, 2))
        assert progress._drawn().plain == "0/1 documents\n  page.md  2/2 train"


def test_a_header_says_how_its_document_is_run(cli: Cli, folder: Path, page: MakePage) -> None:
    """Time limits, environment and folder, as under pytest."""
    path = page(
        "import os\nassert os.environ['API'] == 'test'", "assert not os.path.exists('page.md')", name="docs/page.md"
    )
    path.write_text(f"---\ncelltask: {{env: {{API: test}}, cwd: root}}\n---\n{path.read_text()}")
    (folder / "pytest.ini").write_text("[pytest]\n")
    assert timeless(cli("test", "docs", "-q").out)[-1] == "2 passed in 1 document, T"


def test_a_document_is_run_under_each_set_of_values(cli: Cli, folder: Path, page: MakePage) -> None:
    """By its header or the settings; names of cells tell which."""
    page("C = 1", "assert C < 3", name="by_settings.md")
    path = page(":tags: [parameters]\n\nC = 1", "assert C < 3")
    path.write_text(f"---\ncelltask: {{parametrize: {{C: [2, 3]}}}}\n---\n{path.read_text()}")
    (folder / "pytest.ini").write_text("[pytest]\ncelltask_parametrize = by_*.md: {D: [1, 2]}\n")
    said = cli("test", ".", "--jobs", "1", "-v")
    assert [line.partition(" (")[0] for line in timeless(said.out)[:9]] == [
        "by_settings.md::C[D=1] passed", "by_settings.md::cell-2[D=1] passed", "by_settings.md[D=1]  2 passed in T",
        "by_settings.md::C[D=2] passed", "by_settings.md::cell-2[D=2] passed", "by_settings.md[D=2]  2 passed in T",
        "page.md::C[C=2] passed", "page.md::cell-2[C=2] passed", "page.md[C=2]  2 passed in T",
    ]  # fmt: skip
    assert said.code == 1
    assert timeless(cli("test", "page.md::cell-2[C=2]", "-q").out)[-1] == "1 passed in 1 document, T"


def test_a_header_that_cannot_be_meant_is_told_as_unreadable(cli: Cli, page: MakePage) -> None:
    """With what is wrong."""
    path = page("x = 1")
    path.write_text(f"---\ncelltask: {{timeot: 3}}\n---\n{path.read_text()}")
    said = cli("test", "page.md")
    assert said.code == 1
    assert "the header has a setting 'timeot' that is not known" in said.lines


def test_cells_must_show_what_their_document_says(cli: Cli, page: MakePage) -> None:
    """As under pytest; the cells below such a failure are run."""
    path = page("print(1.0 + 2)", "y = 2\ny")
    path.write_text(path.read_text().replace("\n```\n\nProse.", "\n```\n\n```{output}\n3.5\n```\n\nProse."))
    said = cli("test", "page.md", "-v")
    assert said.code == 1
    assert [line.partition(" (")[0] for line in said.lines[:2]] == ["page.md::cell-1 failed", "page.md::y passed"]
    assert "page.md:8: other output: expected '3.5', shown is '3.0'" in said.lines


def test_a_setting_of_expected_output_that_cannot_be_meant_is_refused(cli: Cli, folder: Path, page: MakePage) -> None:
    """Once, and not for each document."""
    page("x = 1", name="a.md")
    page("x = 1", name="b.md")
    (folder / "pytest.ini").write_text("[pytest]\ncelltask_sanitize = nosuch\n")
    said = cli("test", ".")
    assert (said.code, said.out) == (2, "")
    assert said.err == (
        "no sanitiser is called nosuch\n  at: celltask_sanitize\n"
        "  mend: use none, all or some of: addresses, paths, durations, dates\n"
    )


def test_examples_in_prose_are_tried(cli: Cli, folder: Path, page: MakePage) -> None:
    """Where they stand between the cells, each by its name."""
    path = page("x = 1", "x = 2")
    path.write_text(path.read_text().replace("Prose.", "```python\n>>> x\n1\n\n```") + "\n```python\n>>> x\n1\n```\n")
    told = json.loads(cli("test", "page.md", "--json").out)["documents"][0]["cells"]
    assert [(cell["name"], cell["line"], cell["verdict"]) for cell in told] == [
        ("x", 4, "passed"), ("doctest-1", 8, "passed"), ("x-2", 14, "passed"), ("doctest-2", 18, "failed"),
    ]  # fmt: skip
    assert timeless(cli("test", "page.md::doctest-1", "-q").out)[-1] == "1 passed in 1 document, T"


def test_what_may_be_meant_otherwise_is_told(cli: Cli, folder: Path, page: MakePage) -> None:
    """As pytest warns of it; and what only pytest does."""
    path = page("x = 1")
    path.write_text(f"{path.read_text()}\n```{{code-cel}}\n1\n```\n")
    (folder / "conftest.py").write_text("def celltask_setup():\n    pass\n")
    said = cli("test", "page.md")
    assert said.code == 0
    told = "the fixture celltask_setup of conftest.py is not made here; run pytest for documents that need it"
    assert f"page.md:1: {told}" in said.lines
    assert [line for line in said.lines if line.startswith("page.md:7: ")]


def test_the_first_failure_ends_what_runs_beside_it(cli: Cli, page: MakePage) -> None:
    """Without waiting for it."""
    page("import time\ntime.sleep(100)", name="long.md")
    page("1 / 0", name="short.md")
    assert (
        timeless(cli("test", ".", "-x", "-q", "--jobs", "2", "--timeout", "50").out)[-1] == "1 failed in 1 document, T"
    )
