"""Failures are told in the coordinates of the document, wherever they come from."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import MakePage

pytest_plugins = ["pytester"]


def report_of(result: pytest.RunResult) -> list[str]:
    """The lines of the one failure, between its title and the summary."""
    lines = result.outlines
    start = next(at for at, line in enumerate(lines) if line.startswith("____"))
    ends = (at for at, line in enumerate(lines) if line.startswith(("---", "====")) and at > start)
    return lines[start + 1 : next(ends)]


def test_a_traceback_leads_across_cells(pytester: pytest.Pytester, page: MakePage) -> None:
    """Each line stands as in the document, marked where it went wrong; no frame of anyone else is shown."""
    page("def share(part, whole):\n    return part / whole", "%time done = 1\n\nprint('é', share(1, 0))")
    assert report_of(pytester.runpytest("--celltask")) == [
        "page.md:13",
        "    print('é', share(1, 0))",
        "               ^^^^^^^^^^^",
        "page.md:5 in share",
        "    return part / whole",
        "           ^^^^^^^^^^^^",
        "ZeroDivisionError: division by zero",
        "",
        "page.md:5: ZeroDivisionError: division by zero",
    ]


def test_a_task_of_the_document_is_told_by_its_own_line(pytester: pytest.Pytester, page: MakePage) -> None:
    """The frames of celltask between the call and the body of the task are hidden."""
    page("%load_ext celltask", "%%task\ndef half(x: int) -> float:\n    return x / 0", "half(x=1)")
    told = report_of(pytester.runpytest("--celltask"))
    assert [line for line in told if line.startswith("page.md")] == [
        "page.md:18",
        "page.md:12 in half",
        "page.md:12: ZeroDivisionError: division by zero",
    ]


def test_the_cause_of_an_exception_is_told_first(pytester: pytest.Pytester, page: MakePage) -> None:
    """With its notes, and how one led to the other."""
    page(
        "try:\n    {}['a']\nexcept KeyError as error:\n"
        "    error.add_note('of the config')\n    raise ValueError('odd') from error"
    )
    assert report_of(pytester.runpytest("--celltask"))[2:7] == [
        "    ^^^^^^^",
        "KeyError: 'a'",
        "  of the config",
        "which led to:",
        "page.md:8",
    ]


def test_syntax_is_marked_in_the_document(pytester: pytest.Pytester, page: MakePage) -> None:
    """At its line and column, also behind letters of several bytes."""
    page("x = 1\nprint('é') )")
    assert report_of(pytester.runpytest("--celltask"))[:3] == ["page.md:5", "    print('é') )", "               ^"]


def test_lines_of_a_local_module_are_shown(pytester: pytest.Pytester, page: MakePage) -> None:
    """A document can test a package, whose lines are then of interest."""
    (pytester.path / "shares.py").write_text("def share(part, whole):\n    return part / whole\n")
    page("import shares\nshares.share(1, 0)")
    told = report_of(pytester.runpytest("--celltask"))
    assert told[3:5] == ["shares.py:2 in share", "    return part / whole"]
    assert told[-1] == "page.md:5: ZeroDivisionError: division by zero"


def test_warnings_tell_the_line_of_the_document(pytester: pytest.Pytester, page: MakePage) -> None:
    """They are shown with what the cell printed."""
    page("import warnings\n\nwarnings.warn('old')")
    result = pytester.runpytest("--celltask", "-rP")
    result.stdout.fnmatch_lines(["*page.md:6: UserWarning: old", "  warnings.warn('old')"])


def test_junit_reports_have_file_and_line(pytester: pytest.Pytester, page: MakePage) -> None:
    """As properties in today's form, as attributes in the older one."""
    page("x = 1", "y = 1 / 0", name="docs/page.md")
    pytester.runpytest("--celltask", "--junit-xml=new.xml")
    new = ET.parse(pytester.path / "new.xml")  # noqa: S314 - our own file
    assert [found.get("value") for found in new.iter("property") if found.get("name") == "celltask_line"] == ["3", "9"]
    assert [found.get("message") for found in new.iter("failure")] == ["ZeroDivisionError: division by zero"]
    pytester.runpytest("--celltask", "--junit-xml=old.xml", "-o", "junit_family=xunit1")
    old = ET.parse(pytester.path / "old.xml")  # noqa: S314 - as above
    cases = [(case.get("file"), case.get("line"), case.get("name")) for case in old.iter("testcase")]
    assert cases == [("docs/page.md", "2", "x"), ("docs/page.md", "8", "y")]  # pytest counts from 0 there


def test_the_verbose_listing_has_the_lines(pytester: pytest.Pytester, page: MakePage) -> None:
    """Beside the id of each cell, when items are listed and when they are run."""
    page("x = 1")
    assert "  <Cell x line 3>" in [line[2:] for line in pytester.runpytest("--celltask", "--collect-only").outlines]
    pytester.runpytest("--celltask", "-v").stdout.fnmatch_lines(["page.md::x PASSED (line 3) *"])


def test_a_notebook_tells_cell_and_line(pytester: pytest.Pytester, notebook: MakePage) -> None:
    """Lines count within the cell, as the notebook shows them."""
    notebook("def half(x):\n    return x / 0", "half(1)")
    result = pytester.runpytest("--celltask")
    result.assert_outcomes(passed=1, failed=1)
    told = report_of(result)
    assert told[0] == "book.ipynb:cell 2:1"
    assert told[-1] == "book.ipynb:cell 1:2: ZeroDivisionError: division by zero"


def test_the_source_of_a_function_can_be_inspected(pytester: pytest.Pytester, page: MakePage) -> None:
    """Code that reads its own source finds it, across cells and below tasks."""
    page(
        "%load_ext celltask",
        "%%task\ndef one(x: int) -> int:\n    return x",
        "import inspect\ndef two(x):\n    return x\nassert inspect.getsource(two) == 'def two(x):\\n    return x\\n'",
        "from celltask import task\n@task\ndef three(x: int) -> int:\n    return two(x)",
        "assert one.digest != three.digest\nassert three(x=1) == 1",
    )
    pytester.runpytest("--celltask").assert_outcomes(passed=5)


def test_a_cell_of_a_notebook_is_located_in_its_file(pytester: pytest.Pytester, notebook: MakePage) -> None:
    """Where pytest tells a line of the file itself, it is that where the cell begins, also of skipped cells."""
    path = notebook("x = 1 / 0", 'y = \'"cell_type": "code"\'')
    path.write_text(json.dumps(json.loads(path.read_text()), indent=1))
    result = pytester.runpytest("--celltask", "-rs")
    result.assert_outcomes(failed=1, skipped=1)
    line = [at for at, text in enumerate(path.read_text().splitlines(), 1) if '"cell_type": "code"' in text][1]
    result.stdout.fnmatch_lines([f"SKIPPED [[]1[]] book.ipynb:{line}: cell x above failed (book.ipynb:cell 1:1)"])


@pytest.mark.parametrize(
    ("choice", "outcomes"),
    [("run", {"passed": 2}), ("report", {"passed": 1, "warnings": 1}), ("refuse", {"errors": 1})],
)
def test_a_project_chooses_what_becomes_of_nested_cells(
    pytester: pytest.Pytester, page: MakePage, choice: str, outcomes: dict[str, int]
) -> None:
    """Other readers do not run them: they are run, left out with a warning, or refused with their line."""
    pytester.makeini(f"[pytest]\ncelltask_nested = {choice}")
    path = page("x = 1")
    path.write_text(path.read_text() + "\n::::{note}\n```{code-cell}\ny = x\n```\n::::\n")
    result = pytester.runpytest_subprocess("--celltask")
    result.assert_outcomes(**outcomes)


def test_r_markdown_and_quarto_are_documents(pytester: pytest.Pytester) -> None:
    """With their own fences, at their own lines."""
    (pytester.path / "a.Rmd").write_text("# T\n\n```{python}\nx = 1\n```\n\n```{r}\ny <- 1\n```\n")
    (pytester.path / "b.qmd").write_text("# T\n\n```{python}\n#| label: x\n1 / 0\n```\n")
    result = pytester.runpytest("--celltask")
    result.assert_outcomes(passed=1, skipped=1, failed=1)
    result.stdout.fnmatch_lines(["b.qmd:5: ZeroDivisionError: division by zero"])
