"""A cell whose document says what it shows passes if it shows that; `--promote` accepts what it shows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

# Each run inside a test forgets the modules that it was the first to import, and zmq cannot be imported twice.
import celltask.documents.items

if TYPE_CHECKING:
    from pathlib import Path

assert celltask.documents.items.DocumentFile

pytest_plugins = ["pytester"]

PAGE = """# A page

```{code-cell}
print("a")
[0.25, {"x", "y"}]
```

```{output}
a
[0.26, {'y', 'x'}]
```

```{code-cell}
z = 1
z
```

```{output}
1
```
"""


@pytest.fixture
def page(pytester: pytest.Pytester) -> Path:
    """A page with two cells, the first of which shows something else."""
    path = pytester.path / "page.md"
    path.write_text(PAGE)
    return path


def test_other_output_fails_at_its_own_line(pytester: pytest.Pytester, page: Path) -> None:
    """With a diff in lines of the document; the cells below are tested all the same."""
    result = pytester.runpytest("--celltask")
    result.assert_outcomes(failed=1, passed=1)
    lines = result.outlines
    start = lines.index("page.md:10")
    assert lines[start : start + 11] == [
        "page.md:10",
        "    [0.26, {'y', 'x'}]",
        "--- page.md",
        "+++ shown",
        "@@ -9,2 +9,2 @@",
        " a",
        "-[0.26, {'y', 'x'}]",
        "+[0.25, {'x', 'y'}]",
        "mend: if what is shown is right, run it with --promote",
        "other output: expected \"[0.26, {'y', 'x'}]\", shown is \"[0.25, {'x', 'y'}]\"",
        "",
    ]


def test_promotion_writes_the_document_and_shows_the_change(pytester: pytest.Pytester, page: Path) -> None:
    """The cell passes then, and in the next run without the option."""
    result = pytester.runpytest("--celltask", "--promote")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["=* promoted =*", "--- page.md", "+++ page.md (promoted)", "-[[]0.26*", "+[[]0.25*"])
    assert page.read_text() == PAGE.replace("0.26, {'y', 'x'}", "0.25, {'x', 'y'}")
    pytester.runpytest("--celltask").assert_outcomes(passed=2)


def test_promotion_can_only_be_shown(pytester: pytest.Pytester, page: Path) -> None:
    """Nothing is written."""
    result = pytester.runpytest("--celltask", "--promote=diff")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["=* to be promoted by --promote =*", "+[[]0.25*"])
    assert page.read_text() == PAGE


def test_a_cell_that_fails_otherwise_is_not_promoted(pytester: pytest.Pytester, page: Path) -> None:
    """An exception is no output to accept."""
    page.write_text(PAGE.replace("z = 1", "1 / 0"))
    pytester.runpytest("--celltask", "--promote").assert_outcomes(passed=1, failed=1)
    assert page.read_text().endswith("```{output}\n1\n```\n")


@pytest.mark.parametrize("setting", ["celltask_expected_rtol = 0.1", "celltask_sanitize = number = 0\\.\\d+"])
def test_a_project_can_compare_less_strictly(pytester: pytest.Pytester, page: Path, setting: str) -> None:
    """By a tolerance, or by sanitisers of its own."""
    pytester.makeini(f"[pytest]\n{setting}\n")
    pytester.runpytest("--celltask").assert_outcomes(passed=2)


def test_an_option_that_cannot_be_read_is_told(pytester: pytest.Pytester, page: Path) -> None:
    """With the place of its fence."""
    page.write_text(PAGE.replace("```{output}\na", "```{output}\n:rtol: small\n\na"))
    result = pytester.runpytest("--celltask")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["the option rtol cannot be 'small'", "  at: page.md:8"])


def test_a_stray_fence_is_told(pytester: pytest.Pytester, page: Path) -> None:
    """As a warning: nothing is compared with it."""
    page.write_text(PAGE.replace("```\n\n```{output}\na", "```\n\nText.\n\n```{output}\na"))
    result = pytester.runpytest("--celltask", "-Wdefault")
    result.assert_outcomes(passed=2, warnings=1)
    result.stdout.fnmatch_lines(["*page.md:10: *this {output} fence does not follow cell 1 directly*"])


EXAMPLES = '''# A page

```{code-cell}
def half(x):
    """Half of it.

    >>> own = half(3)
    >>> own
    1.5
    """
    return x / 2
```

```python
>>> half(2)
2.0
```

```{code-cell}
half = None
assert "own" not in globals()
```
'''


def test_examples_are_items_among_the_cells(pytester: pytest.Pytester, page: Path) -> None:
    """They run after the cell above them and before the next, and fail at their own line."""
    page.write_text(EXAMPLES)
    result = pytester.runpytest("--celltask", "-v")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(
        [
            "page.md::half PASSED*",
            "page.md::half-doctest PASSED (line 7)*",
            "page.md::doctest-1 FAILED*",
            "page.md::half-2 PASSED*",
            "page.md:15: other output: expected '2.0', shown is '1.0'",
        ]
    )
    pytester.runpytest("--celltask", "page.md::half-doctest").assert_outcomes(passed=1)


def test_examples_that_end_the_kernel_are_told(pytester: pytest.Pytester, page: Path) -> None:
    """As a cell that does."""
    page.write_text(EXAMPLES.replace(">>> half(2)", ">>> import os; os._exit(3)"))
    result = pytester.runpytest("--celltask", "-k", "doctest-1")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["page.md:15: the kernel ended with exit code 3*"])


def test_stored_outputs_of_a_notebook_are_compared_if_asked(pytester: pytest.Pytester) -> None:
    """And promoted: the cell then stores what it shows."""
    stored = [{"output_type": "execute_result", "data": {"text/plain": "1"}, "metadata": {}, "execution_count": 7}]
    cell = {"cell_type": "code", "metadata": {}, "source": "1 + 1", "outputs": stored, "execution_count": 7}
    path = pytester.path / "book.ipynb"
    path.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}, indent=1))
    before = path.read_text()
    pytester.runpytest("--celltask").assert_outcomes(passed=1)
    pytester.makeini("[pytest]\ncelltask_notebook_outputs = true\n")
    result = pytester.runpytest("--celltask")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["book.ipynb:cell 1:1: other output: expected '1', shown is '2'"])
    assert path.read_text() == before
    pytester.runpytest("--celltask", "--promote").assert_outcomes(passed=1)
    assert json.loads(path.read_text())["cells"][0]["outputs"][0]["data"] == {"text/plain": ["2"]}
    pytester.runpytest("--celltask").assert_outcomes(passed=1)
