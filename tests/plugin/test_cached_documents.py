"""Documents that passed are not run by pytest again while nothing has changed for them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakePage

pytest_plugins = ["pytester"]

READS = "name = 'rows' + '.csv'\ntext = open(name).read()"


@pytest.fixture(autouse=True)
def _settings(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\n")
    (pytester.path / "rows.csv").write_text("1,2")


def run(pytester: pytest.Pytester, *words: str) -> list[str]:
    """What pytest says of the items, and of documents that passed before."""
    result = pytester.runpytest_subprocess("--celltask", "--celltask-cached", "-v", *words)
    section = "documents that passed before"
    after = [line for line in result.outlines if line]
    start = next((at for at, line in enumerate(after) if section in line), None)
    told = [] if start is None else [line for line in after[start + 1 :] if not line.startswith("=")]
    return [line.partition(" [")[0].rstrip() for line in after if "::" in line and " ran: " not in line] + told


def test_a_document_that_passed_is_not_run_again(pytester: pytest.Pytester, page: MakePage) -> None:
    """Its cells pass, told as cached; prose may change, and a cell that is skipped by its tag is skipped as before."""
    told = pytester.path / "told.txt"
    path = page(f"{READS}\nopen({str(told)!r}, 'a').write('ran ')", ":tags: [skip-execution]\n\nx = 1")
    assert run(pytester)[:1] == ["page.md::name PASSED (line 3)"]
    path.write_text(path.read_text().replace("Prose", "Other prose"))
    assert [line.partition(" (the cell")[0] for line in run(pytester)] == [
        "page.md::name PASSED (cached, line 3)",
        "page.md::x SKIPPED",
        "1 unchanged, not run: 1 cell passed from the cache",
    ]
    assert told.read_text() == "ran "


@pytest.mark.parametrize("name", ["rows.csv", "steps.py"])
def test_what_forces_a_run_is_told(pytester: pytest.Pytester, page: MakePage, name: str) -> None:
    """A file that was read, or a module of the project; of other documents nothing is told."""
    (pytester.path / "steps.py").write_text("rate = 1\n")
    page(f"import steps\n{READS}", name="a.md")
    page("x = 1", name="b.md")
    run(pytester)
    (pytester.path / name).write_text("rate = 2\n")
    assert run(pytester) == [
        "a.md::name PASSED (line 3)",
        "b.md::x PASSED (cached, line 3)",
        "1 unchanged, not run: 1 cell passed from the cache",
        f"a.md ran: {name} changed",
    ]


def test_a_failure_is_never_kept(pytester: pytest.Pytester, page: MakePage) -> None:
    """Be it of a cell, of what it shows, or a warning that is an error."""
    page("x = 1", "1 / 0", name="a.md")
    page("import warnings; warnings.warn('old')", name="b.md")
    path = page("print(1)", name="c.md")
    path.write_text(path.read_text() + "\n```{output}\n2\n```\n")
    for _ in range(2):
        result = pytester.runpytest_subprocess("--celltask", "--celltask-cached", "-W", "error")
        result.assert_outcomes(passed=1, failed=3)
        assert "documents that passed before" not in result.stdout.str()


def test_a_part_of_a_document_is_always_run(pytester: pytest.Pytester, page: MakePage) -> None:
    """What was chosen of it passes because it ran; the record of the whole stays."""
    page("x = 1", "y = x")
    run(pytester)
    assert run(pytester, "-k", "y") == ["page.md::y PASSED (line 9)"]
    assert run(pytester)[-1] == "1 unchanged, not run: 2 cells passed from the cache"


def test_what_cannot_be_known_is_told(pytester: pytest.Pytester, page: MakePage) -> None:
    """A document with examples, or one that a fixture sets up, runs always."""
    path = page("x = 1", name="a.md")
    path.write_text(path.read_text() + "\n```python\n>>> x\n1\n```\n")
    page("y = 1", name="sub/b.md")
    (pytester.path / "sub/conftest.py").write_text(
        "import pytest\n\n@pytest.fixture(scope='module')\ndef celltask_setup():\n    pass\n"
    )
    run(pytester)
    assert run(pytester)[3:] == [
        "0 unchanged, not run: 0 cells passed from the cache",
        "a.md ran: it has `>>>` or shell examples",
        "sub/b.md ran: the fixture celltask_setup is made for it",
    ]


def test_sets_of_values_are_kept_apart(pytester: pytest.Pytester, page: MakePage) -> None:
    """A document that fails under one of them runs again under that alone."""
    path = page("assert rate == 1")
    path.write_text(f"---\ncelltask:\n  parametrize: {{rate: [1, 2]}}\n---\n{path.read_text()}")
    run(pytester)
    told = run(pytester)
    assert [line for line in told if line.startswith("page.md::cell-1[rate=1] P")] == [
        "page.md::cell-1[rate=1] PASSED (cached, line 7)"
    ]
    assert "page.md::cell-1[rate=2] FAILED" in told


def test_both_ways_of_running_share_what_passed(pytester: pytest.Pytester, page: MakePage) -> None:
    """What `celltask test --cached` has seen pass, pytest need not run; the setting is as good as the option."""
    page(READS)
    pytester.makeini("[pytest]\ncelltask_cached = true\ncelltask_documents = .\n")
    assert pytester.run(sys.executable, "-m", "celltask", "test", "--cached", "page.md").ret == 0
    result = pytester.runpytest_subprocess("-v", "page.md")
    result.stdout.fnmatch_lines(["page.md::name PASSED (cached, line 3)*"])


def test_workers_of_xdist_tell_it_too(pytester: pytest.Pytester, page: MakePage) -> None:
    """The summary counts what they did not run."""
    for number in range(4):
        page(READS, "x = 1", name=f"page_{number}.md")
    run(pytester, "-n", "2")
    assert run(pytester, "-n", "2")[-1] == "4 unchanged, not run: 8 cells passed from the cache"


def test_coverage_is_measured_whatever_passed(pytester: pytest.Pytester, page: MakePage) -> None:
    """Under pytest-cov all documents run."""
    path: Path = page("x = 1")
    run(pytester)
    told = run(pytester, "--cov", str(path.parent))
    assert "page.md ran: its coverage is measured" in told
