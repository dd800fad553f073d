"""The `>>>` examples of a document run in its kernel, after the cells above them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from celltask.documents.expected.doctest_run import run_examples
from celltask.documents.expected.doctests import doctest_blocks
from celltask.documents.reader import read_document
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PAGE = '''# Page

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
1.0
```

````{note}
```{doctest}
>>> own = 1
>>> {"b", "a"}
{'b', 'a'}
```
````

```python
x = 1
```
'''


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    """IPython as a kernel has it."""
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def failures(shell: InteractiveShell, path: Path) -> dict[str, tuple[int | None, str] | None]:
    """Line and words of the failure of each block, run after all cells."""

    def execute(code: str) -> list[Mapping[str, object]]:
        with capture_output() as shown:
            shell.run_cell(code, silent=True)
        return [{"output_type": "display_data", "data": one.data} for one in shown.outputs]

    document = read_document(path)
    for cell in document.cells:
        shell.run_cell(cell.source).raise_error()
    found = {block.name: run_examples(block, execute) for block in doctest_blocks(document)}
    return {name: failure and (failure.line, failure.what) for name, failure in found.items()}


def test_examples_are_found_with_names_and_lines(tmp_path: Path) -> None:
    """In docstrings and prose, in the order in which they run."""
    path = tmp_path / "page.md"
    path.write_text(PAGE)
    assert [(block.name, block.line, block.after) for block in doctest_blocks(read_document(path))] == [
        ("half-doctest", 7, 1),
        ("doctest-1", 15, 1),
        ("doctest-2", 21, 1),
    ]


def test_examples_share_the_state_of_the_document(shell: InteractiveShell, tmp_path: Path) -> None:
    """What prose binds is seen below it; what a docstring binds is not."""
    path = tmp_path / "page.md"
    path.write_text(PAGE)
    assert failures(shell, path) == {"half-doctest": None, "doctest-1": None, "doctest-2": None}
    assert shell.user_ns["own"] == 1


EXAMPLES = {
    "output": (">>> 1 + 1\n3", (4, "other output: expected '3', shown is '2'")),
    "second": (">>> x = 1\n>>> x\n2", (5, "other output: expected '2', shown is '1'")),
    "nothing-expected": (">>> 1", (4, "other output: nothing is expected here yet")),
    "nothing-shown": (">>> None\n1", (4, "other output: nothing is shown")),
    "raises": (">>> 1 / 0\n1", (4, "ZeroDivisionError: division by zero")),
    "syntax": (">>> 1 +\n1", (4, None)),
    "raised-nothing": (
        ">>> 1\nTraceback (most recent call last):\nValueError: a",
        (4, "the example must raise ValueError: a, and raised nothing"),
    ),
    "other-message": (
        ">>> int('a')\nTraceback (most recent call last):\n    ...\nValueError: b",
        (4, "the example must raise ValueError: b, and raised ValueError: invalid literal for int() with base 10: 'a'"),
    ),
    "raised": (">>> 1 / 0\nTraceback (most recent call last):\n    ...\nZeroDivisionError: division by zero", None),
    "detail": (
        ">>> int('a')  # doctest: +IGNORE_EXCEPTION_DETAIL\nTraceback (most recent call last):\nValueError: b",
        None,
    ),
    "ellipsis": (">>> list(range(20))\n[0, 1, ..., 19]", None),
    "skip": (">>> 1 / 0  # doctest: +SKIP\n>>> 1\n1", None),
    "whitespace": (">>> print('a   b')  # doctest: +NORMALIZE_WHITESPACE\na b", None),
    "number": (">>> 3.14159  # doctest: +NUMBER\n3.14", None),
    "blank-line": (">>> print('a\\n\\nb')\na\n<BLANKLINE>\nb", None),
    "lines": (">>> for at in range(2):\n...     print(at)\n0\n1", None),
    "address": (">>> object()\n<object object at 0x7f0011223344>", None),
    "exit": (">>> raise SystemExit(3)\n1", (4, "SystemExit: 3")),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_that_goes_wrong_is_told_at_its_line(shell: InteractiveShell, tmp_path: Path, name: str) -> None:
    """By what it shows or raises; the options of doctest hold."""
    text, expected = EXAMPLES[name]
    path = tmp_path / "page.md"
    path.write_text(f"Text.\n\n```python\n{text}\n```\n\n```{{code-cell}}\nx = 1\n```\n")
    found = failures(shell, path)["doctest-1"]
    if expected is None or found is None:
        assert found == expected
    else:
        assert found[0] == expected[0]
        assert found[1] == (expected[1] or found[1])


def test_an_unknown_option_is_told(tmp_path: Path) -> None:
    """With the place of its fence."""
    path = tmp_path / "page.md"
    path.write_text("Text.\n\n```python\n>>> 1  # doctest: +ODD\n1\n```\n")
    with pytest.raises(DocumentError, match="the examples cannot be read"):
        doctest_blocks(read_document(path))
