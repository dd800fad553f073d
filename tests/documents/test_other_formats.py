"""R Markdown, Quarto and light scripts: their cells, tags and exact lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jupytext
import pytest

from celltask.documents.reader import read_document
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from pathlib import Path

CHUNKS = """---
title: T
---

```{python first, echo=FALSE, tags=c("a", "b")}
x = 1
```

::: {.callout-note}
```{python}
#| tags: [a]
#| eval: false

y = 2
```
:::

```{r}
z <- 3
```

```python
shown = 4
```
"""

LIGHT = """# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: light
# ---

# # Title
#
# x = 1

x = 1
# a comment
y = 2

# + tags=["a", "b"]
z = 1

w = 2
# -

# %matplotlib inline
# !ls

# + {"tags": ["c"]}
def f():
    return 1

# + [markdown]
# x = 1
# -
x = 1
"""


@pytest.mark.parametrize("suffix", [".Rmd", ".qmd"])
def test_chunks_of_python_are_cells(tmp_path: Path, suffix: str) -> None:
    """Options stand in the braces or in lines of their own; what is not evaluated is skipped."""
    path = tmp_path / f"page{suffix}"
    path.write_text(CHUNKS)
    cells = read_document(path).cells
    assert [(cell.marker_line, cell.first_line, cell.source, cell.language) for cell in cells] == [
        (5, 6, "x = 1", "python"),
        (10, 14, "y = 2", "python"),
        (18, 19, "z <- 3", "r"),
    ]
    assert [cell.tags for cell in cells] == [("a", "b"), ("a", "skip-execution"), ()]
    assert [cell.nested for cell in cells] == [False, True, False]


def test_a_page_without_python_is_refused(tmp_path: Path) -> None:
    """A page of R is told to be one."""
    path = tmp_path / "page.Rmd"
    path.write_text("```{r}\nx <- 1\n```\n")
    with pytest.raises(DocumentError) as caught:
        read_document(path)
    told = f"this is a page of r, not of Python\n  at: {path}\n  mend: write {{python}} at its cells"
    assert str(caught.value) == told


def test_cells_of_a_light_script_have_the_lines_of_the_script(tmp_path: Path) -> None:
    """The cells are jupytext's, and each line of each stands where it is said to stand."""
    path = tmp_path / "script.py"
    path.write_text(LIGHT)
    document = read_document(path)
    theirs = [cell.source for cell in jupytext.read(path).cells if cell.cell_type == "code"]
    assert [cell.source for cell in document.cells] == theirs
    assert [(cell.first_line, cell.marker_line) for cell in document.cells] == [
        (12, 0),
        (17, 16),
        (22, 0),
        (26, 25),
        (32, 0),
    ]
    assert [cell.tags for cell in document.cells] == [(), ("a", "b"), (), ("c",), ()]
    assert document.format == "light"


def test_a_plain_module_is_no_light_script(tmp_path: Path) -> None:
    """A comment that begins with a plus does not make a module into a notebook."""
    path = tmp_path / "module.py"
    path.write_text("# + and more\nx = 1\n")
    assert read_document(path).format == "python"
