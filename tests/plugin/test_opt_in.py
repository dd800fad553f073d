"""Documents are tests where they are asked for, and the plugin costs nothing elsewhere."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import MakePage

pytest_plugins = ["pytester"]


def test_nothing_is_collected_unasked(pytester: pytest.Pytester, page: MakePage, notebook: MakePage) -> None:
    """Neither from a folder nor when named."""
    page("x = 1")
    notebook("x = 1")
    assert pytester.runpytest().ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert pytester.runpytest("page.md").ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize(
    ("chosen", "ids"),
    [
        ("docs", ["docs/a.md::a", "docs/deep/b.md::b"]),
        ("./docs/deep/", ["docs/deep/b.md::b"]),
        ("docs/*.md", ["docs/a.md::a", "docs/deep/b.md::b"]),
        ("docs/deep/b.md book.ipynb", ["book.ipynb::c", "docs/deep/b.md::b"]),
        ("nothing*", []),
        (".", ["book.ipynb::c", "docs/a.md::a", "docs/deep/b.md::b"]),
    ],
    ids=["folder", "slashes", "pattern", "files", "none", "all"],
)
def test_the_settings_choose_documents(
    pytester: pytest.Pytester, page: MakePage, notebook: MakePage, chosen: str, ids: list[str]
) -> None:
    """By folders, files and patterns that count from the root folder."""
    page("a = 1", name="docs/a.md")
    page("b = 1", name="docs/deep/b.md")
    notebook("c = 1")
    pytester.makeini(f"[pytest]\ncelltask_documents = {chosen}")
    result = pytester.runpytest("--collect-only", "-q")
    assert sorted(line for line in result.outlines if "::" in line) == ids


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("celltask_documents = doc", "*celltask_documents names doc, which does not exist in *"),
        ("celltask_timeout = never", "*celltask_timeout is 'never', not a number of seconds above 0"),
        ("celltask_timeout = 0", "*celltask_timeout is '0', not a number of seconds above 0"),
    ],
    ids=["folder", "word", "zero"],
)
def test_settings_that_cannot_be_meant_are_refused(pytester: pytest.Pytester, setting: str, told: str) -> None:
    """A misspelt folder would else be a suite that is green for want of tests."""
    pytester.makeini(f"[pytest]\n{setting}")
    result = pytester.runpytest()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([told])


def test_files_that_are_no_documents_are_left_alone(pytester: pytest.Pytester) -> None:
    """Markdown without cells, plain modules, and modules of tests even if they hold cell markers."""
    (pytester.path / "README.md").write_text("# Title\n\n```python\n1 / 0\n```\n")
    (pytester.path / "module.py").write_text("percent = '%%'\n1 / 0\n")
    (pytester.path / "test_cells.py").write_text("# %%\ndef test_one(): ...\n")
    pytester.runpytest("--celltask", "-v").assert_outcomes(passed=1)


@pytest.mark.parametrize("named", [(), ("script.py",), ("script.py::total",)], ids=["folder", "file", "cell"])
def test_percent_scripts_are_documents(pytester: pytest.Pytester, named: tuple[str, ...]) -> None:
    """They run once, in a kernel, and are not imported by pytest."""
    (pytester.path / "script.py").write_text(
        "# %% [markdown]\n# Prose\n\n# %%\ntotal = 1\nassert get_ipython()\nopen('ran', 'a').write('x')\n"
    )
    pytester.runpytest("--celltask", *named).assert_outcomes(passed=1)
    assert (pytester.path / "ran").read_text() == "x"


def test_a_document_that_cannot_be_read_is_an_error(pytester: pytest.Pytester, page: MakePage) -> None:
    """It is told with its place, and the other documents are tested."""
    (pytester.path / "broken.ipynb").write_text('{"cells": [')
    page("x = 1")
    result = pytester.runpytest("--celltask", "--continue-on-collection-errors")
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines(["the notebook is not JSON: *", "  at: *broken.ipynb, line 1, column *"])


def test_what_readers_would_silently_not_run_is_a_warning(pytester: pytest.Pytester, page: MakePage) -> None:
    """A misspelt directive beside real cells is told with its line."""
    path = page("x = 1")
    path.write_text(path.read_text() + "\n```{code-cel}\ny = 1\n```\n")
    result = pytester.runpytest_subprocess("--celltask")
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*page.md:7: PytestCollectionWarning: '{code-cel}' is not read as a code cell; *"])


def test_fixtures_for_all_tests_do_not_touch_documents(pytester: pytest.Pytester, page: MakePage) -> None:
    """A conftest.py with fixtures for every test is for functions alone."""
    pytester.makeconftest("import pytest\n@pytest.fixture(autouse=True, scope='session')\ndef all_of_them(): 1 / 0")
    page("x = 1")
    pytester.runpytest("--celltask").assert_outcomes(passed=1)


LOADED = """
import sys
import pytest
pytest.main(["--version", "-p", "no:celltask"])
print("plugin:")
before = set(sys.modules)
import celltask.documents.pytest_plugin
print(*sorted(set(sys.modules) - before), sep="\\n")
"""


def test_the_plugin_imports_nothing(pytester: pytest.Pytester) -> None:
    """A project that does not test documents pays for three small modules and no more."""
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert done.stdout.partition("plugin:")[2].split() == [
        "celltask",
        "celltask.documents",
        "celltask.documents.pytest_plugin",
    ]


def test_a_run_without_documents_loads_nothing_more(pytester: pytest.Pytester) -> None:
    """Nor do they pay when tests are collected and run."""
    pytester.makepyfile(
        "import sys\ndef test_it():\n"
        "    assert not {'celltask.documents.items', 'zmq', 'IPython', 'markdown_it'} & set(sys.modules)\n"
    )
    (pytester.path / "README.md").write_text("# Title\n")
    others = ("no:hypothesispytest", "no:nbmake", "no:nbval")
    pytester.runpytest_subprocess(*(f"-p{name}" for name in others)).assert_outcomes(passed=1)
