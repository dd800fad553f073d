"""Documents that other readers run in part, or not at all, are run or told; none spoils the others."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from many_pages import run_pages, write_pages

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakePage

pytest_plugins = ["pytester"]

CELL = "```{code-cell}\n1 / 0\n```\n"
INDENTED = "  ```{code-cell}\n  1 / 0\n  ```\n"
BY_ZERO = "ZeroDivisionError: division by zero"
YAML = "---\njupytext:\n  text_representation: [a\nkernelspec: {name: python3\n---\n"
HEADER = "---\nkernelspec:\n  name: nosuch-kernel\n  display_name: Odd\n  language: python\n---\n"
_LONG_S = 400.0
"""Several times what the longest documents take, since other work may run beside."""

RUN = {
    "in-a-dropdown": (f":::{{dropdown}} More\n{CELL}:::\n", 3),
    "in-a-tab": (f"````{{tab-set}}\n```{{tab-item}} A\n{CELL}```\n````\n", 4),
    "in-a-list": (f"- an item\n\n{INDENTED}", 4),
    "in-a-quotation": ("> ```{code-cell}\n> 1 / 0\n> ```\n", 2),
    "after-an-open-note": (f"```{{note}}\nread this\n\n{CELL}", 5),
    "with-colons": (":::{code-cell}\n1 / 0\n:::\n", 2),
    "with-a-space": ("``` {code-cell}\n1 / 0\n```\n", 2),
    "tags-as-a-word": ("```{code-cell}\n:tags: hide-input\n1 / 0\n```\n", 3),
    "tag-of-mystmd": ("```{code-cell}\n:tag: hide-input\n1 / 0\n```\n", 3),
    "header-of-mystnb": (f"---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n{CELL}", 7),
    "header-of-mystmd": (f"---\ntitle: A page\nkernelspec:\n  name: python3\n---\n{CELL}", 7),
    "header-not-closed": (f"---\ntitle: A page\n\n{CELL}", 5),
    "kernel-not-there": (f"{HEADER}{CELL}", 8),
    "line-ends-of-windows": (f"# A page\n\n{CELL}".replace("\n", "\r\n"), 4),
    "byte-order-mark": (f"\ufeff# A page\n\n{CELL}", 4),
}
"""Each must fail, which shows that its cell is run, and at that line."""


def test_a_cell_that_others_do_not_run_is_run(tmp_path: Path) -> None:
    """Wherever it stands, however its options, its header and its lines are written."""
    for name, (text, _) in RUN.items():
        (tmp_path / f"{name}.md").write_bytes(text.encode())
    told = run_pages(tmp_path)
    assert told.failures == {name: [f"{name}.md:{line}: {BY_ZERO}"] for name, (_, line) in RUN.items()}


SKIPPED = {
    "as-a-word": ":tags: skip-execution",
    "as-mystmd-has-it": ":tag: skip-execution",
    "in-yaml": "---\ntags: skip-execution\n---",
}


@pytest.mark.parametrize("options", SKIPPED.values(), ids=SKIPPED)
def test_a_tag_is_honoured_in_every_spelling(pytester: pytest.Pytester, page: MakePage, options: str) -> None:
    """Other readers refuse it, or do not see it."""
    page(f"{options}\n1 / 0")
    pytester.runpytest("--celltask").assert_outcomes(skipped=1)


REFUSED = {
    "closed-with-too-few": (f"````{{code-cell}}\nx = 1\n```\n\n{CELL}", "this code cell opens with ````*", ", line 1"),
    "not-closed": (f"```{{code-cell}}\nx = 1\n\n{CELL}", "this code cell is not closed before*", ", line 1"),
    "latin-1": ("# Café\n".encode("latin-1") + CELL.encode(), "byte 0xe9 is not UTF-8", ", line 1"),
    "not-yaml": (
        "```{code-cell}\n---\ntags: [a\n---\n1\n```\n",
        "the options of this cell are not YAML: *",
        ", line 1",
    ),
    "header-not-yaml": (f"{YAML}{CELL}", "the header is not YAML: *", ", line 4"),
    "endless-nesting": ("```{note}\n" * 60 + CELL, "directives stand in each other more than 40 deep", ", line 42"),
}


@pytest.mark.parametrize(("text", "what", "where"), REFUSED.values(), ids=REFUSED)
def test_a_document_that_cannot_be_meant_is_an_error(
    pytester: pytest.Pytester, page: MakePage, text: str | bytes, what: str, where: str
) -> None:
    """With its line, and never green for want of cells; the others are tested."""
    (pytester.path / "broken.md").write_bytes(text.encode() if isinstance(text, str) else text)
    page("x = 1")
    result = pytester.runpytest("--celltask")
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines([what, f"  at: *broken.md{where}"])


@pytest.mark.parametrize("opener", ["```{code-cel}", "```{code-cells}", "```{codecell}", "```code-cell"])
def test_a_misspelt_cell_is_a_warning(pytester: pytest.Pytester, page: MakePage, opener: str) -> None:
    """With its line; with -W error an error."""
    path = page("x = 1")
    path.write_text(f"{path.read_text()}\n{opener}\n1 / 0\n```\n")
    result = pytester.runpytest_subprocess("--celltask")
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*page.md:7: PytestCollectionWarning: * is not read as a code cell; *"])
    assert pytester.runpytest_subprocess("--celltask", "-W", "error").ret != pytest.ExitCode.OK


def test_cells_of_two_languages_are_told_apart(pytester: pytest.Pytester, page: MakePage) -> None:
    """Those of the document's own are run, the others are skipped with the language."""
    path = page("x = 1", "assert x == 1")
    path.write_text(f"{path.read_text()}\n```{{code-cell}} R\nx <- 1\n```\n")
    result = pytester.runpytest("--celltask", "-rs")
    result.assert_outcomes(passed=2, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED *page.md:13: the cell is r, not Python"])


@pytest.mark.heavy
def test_a_long_document_is_read_and_run(tmp_path: Path) -> None:
    """A page of 50 MB, whose last cell fails at its line."""
    prose = "lorem ipsum dolor sit amet\n" * 10
    count = 50_000_000 // len(prose)
    text = f"# A page\n\n```{{code-cell}}\nx = 1\n```\n\n{prose * count}\n```{{code-cell}}\nx / 0\n```\n"
    (tmp_path / "page.md").write_text(text)
    line = text.count("\n") - 1
    assert run_pages(tmp_path, within_s=_LONG_S).failures == {"page": [f"page.md:{line}: {BY_ZERO}"]}


def test_a_document_of_many_cells_is_run(tmp_path: Path) -> None:
    """Each cell once; the last fails at its line."""
    write_pages(tmp_path, {"page": (*(f"x = {number}" for number in range(1, 1000)), "assert x == 999\n1 / 0")})
    told = run_pages(tmp_path)
    assert told.failures["page"] == [f"page.md:{4 + 999 * 6 + 1}: {BY_ZERO}"]
    assert "1 failed, 999 passed" in told.output


@pytest.mark.heavy
def test_a_document_of_ten_thousand_cells_is_run(tmp_path: Path) -> None:
    """In a time that grows with their number, and not with its square."""
    write_pages(tmp_path, {"page": tuple(f"x = {number}" for number in range(10_000))})
    assert "10000 passed" in run_pages(tmp_path, "-q", within_s=_LONG_S).output


CHANGES = """
from pathlib import Path
def pytest_collection_finish(session):
    page = Path(session.config.rootpath, "page.md")
    {change}
"""


@pytest.mark.parametrize(
    "change",
    ["page.unlink()", "page.write_text('# Empty')", "page.write_bytes(bytes(9))"],
    ids=["gone", "other", "nul"],
)
def test_a_document_is_run_as_it_was_collected(pytester: pytest.Pytester, page: MakePage, change: str) -> None:
    """Whatever becomes of the file while the tests run; failures show the lines that were run."""
    pytester.makeconftest(CHANGES.format(change=change))
    page("x = 1", "y = x / 0")
    result = pytester.runpytest("--celltask")
    result.assert_outcomes(passed=1, failed=1)
    assert f"page.md:10: {BY_ZERO}" in result.outlines
    assert "    y = x / 0" in result.outlines


def test_a_folder_that_is_gone_is_told(pytester: pytest.Pytester, page: MakePage) -> None:
    """Where a document is to run that one before it has removed."""
    page("import shutil\nshutil.rmtree('../deep')", name="a/a.md")
    page("x = 1", name="deep/b.md")
    page("x = 1", name="z.md")
    result = pytester.runpytest("--celltask", "a", "deep", "z.md")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["the kernel cannot be made ready: *No such file or directory: *"])


@pytest.mark.skipif(sys.platform != "linux", reason="what cannot be read is found in /proc")
def test_odd_entries_of_a_folder_do_no_harm(pytester: pytest.Pytester, page: MakePage) -> None:
    """A folder named as a document, links in a circle, links to nothing; what cannot be read is an error."""
    page("x = 1", name="folder.md/page.md")
    (pytester.path / "loop.md").symlink_to("loop.md")
    (pytester.path / "round").mkdir()
    (pytester.path / "round" / "round").symlink_to("..")
    (pytester.path / "gone.md").symlink_to("nothing.md")
    pytester.runpytest("--celltask", "folder.md").assert_outcomes(passed=1)
    assert pytester.runpytest("--celltask", "--collect-only").ret == pytest.ExitCode.OK
    (pytester.path / "unreadable.md").symlink_to("/proc/self/mem")  # which nobody can read, whoever it is
    result = pytester.runpytest("--celltask", "folder.md", "unreadable.md", "--continue-on-collection-errors")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["the document cannot be read: *", "  at: *unreadable.md"])


def test_no_source_is_changed(pytester: pytest.Pytester, page: MakePage, notebook: MakePage) -> None:
    """By passing, failing and dying cells alike."""
    paths = [
        page("x = 1", "1 / 0", name="a.md"),
        page("import os; os._exit(1)", name="b.md"),
        notebook("x = 1", "1 / 0"),
    ]
    before = [(path.read_bytes(), path.stat().st_mtime_ns) for path in paths]
    pytester.runpytest("--celltask").assert_outcomes(passed=2, failed=3)
    assert [(path.read_bytes(), path.stat().st_mtime_ns) for path in paths] == before
