"""What examples show is promoted as what cells show is: of the prompt of Python, of a console, of a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli

pytest_plugins = ["pytester"]

PAGE = """\
---
celltask: {shell: run}
---

```{code-cell}
x = 3
print(x)
```

```{output}
2
```

> ```python
> >>> x
> 2
> >>> print('a', '', 'b', sep=chr(10))
> >>> [x,
> ...  0.3333333]
> [2, ...]
> >>> x + 1
> 4
> ```

```console
$ echo one; echo two
one
three
$ echo unchanged
unchanged
$ printf 'a\\nb\\n'
...
c
$ (exit 2)
[2]
```

```bash
printf '%s\\n' '```'
```

```{output}
old
```
"""
PROMOTED = """\
---
celltask: {shell: run}
---

```{code-cell}
x = 3
print(x)
```

```{output}
3
```

> ```python
> >>> x
> 3
> >>> print('a', '', 'b', sep=chr(10))
> a
> <BLANKLINE>
> b
> >>> [x,
> ...  0.3333333]
> [3, ...]
> >>> x + 1
> 4
> ```

```console
$ echo one; echo two
one
two
$ echo unchanged
unchanged
$ printf 'a\\nb\\n'
...
b
$ (exit 2)
[2]
```

```bash
printf '%s\\n' '```'
```

````{output}
```
````
"""


def test_the_command_line_promotes_examples(cli: Cli, folder: Path) -> None:
    """In one change with the outputs of cells; what still fits, and the author's dots, stay."""
    path = folder / "page.md"
    path.write_text(PAGE)
    assert cli("test", "page.md").code == 1
    said = cli("test", "page.md", "--promote=diff")
    assert (said.code, path.read_text()) == (0, PAGE), said.out
    assert "-> 2" in said.lines
    assert cli("test", "page.md", "--promote").code == 0
    assert path.read_text() == PROMOTED
    assert cli("test", "page.md").code == 0


def test_pytest_promotes_examples(pytester: pytest.Pytester) -> None:
    """The same ones, to the same text."""
    pytester.makeini("[pytest]\n")
    path = pytester.path / "page.md"
    path.write_text(PAGE)
    result = pytester.runpytest_subprocess("--celltask", "--promote")
    result.assert_outcomes(passed=4)
    assert path.read_text() == PROMOTED
    result.stdout.fnmatch_lines(["*promoted*", "--- page.md", "-three", "+two"])


NOT_PROMOTED = [
    pytest.param("```console\n$ echo '$ ls'\nold\n```\n", id="like-a-prompt"),
    pytest.param("```console\n$ echo '[2]'\nold\n```\n", id="like-an-exit-code"),
    pytest.param("```console\n$ echo one; false\nold\n```\n", id="wrong-exit-code"),
    pytest.param("```python\n>>> 1 / 0\n0\n```\n", id="exception"),
    pytest.param("```{code-cell}\ndef f():\n    '''\n    >>> 1\n    2\n    '''\n```\n", id="docstring"),
]


@pytest.mark.parametrize("example", NOT_PROMOTED)
def test_what_cannot_stand_there_is_a_failure(cli: Cli, folder: Path, example: str) -> None:
    """An output that would be read as something else, another ending, and what stands in the code of a cell."""
    path = folder / "page.md"
    path.write_text(text := f"---\ncelltask: {{shell: run}}\n---\n\n```{{code-cell}}\nx = 1\n```\n\n{example}")
    assert cli("test", "page.md", "--promote").code == 1
    assert path.read_text() == text


def test_examples_of_a_script_are_promoted_in_its_comments(cli: Cli, folder: Path) -> None:
    """Behind the marks that make them comments."""
    path = folder / "script.py"
    text = "# %% [markdown]\n# ```python\n# >>> 1 + 2\n# 2\n# ```\n\n# %%\nx = 3\n"
    path.write_text(text)
    assert cli("test", "script.py", "--promote").code == 0
    assert path.read_text() == text.replace("# 2\n", "# 3\n")
