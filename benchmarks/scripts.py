"""Texts of the scripts and documents that whole processes run: one trivial task, and one that trains a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["write"]

_ADD = '''

{decorator}def add(a: int, b: int) -> int:
    """Sum of two numbers."""
    return a + b
'''

_TRAIN = '''
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split


{decorator}def train_model(hyperparameters: dict, test_size: float, random_state: int) -> LogisticRegression:
    """Fit a classifier of irises."""
    iris = load_iris()
    parts = train_test_split(iris.data, iris.target, test_size=test_size, random_state=random_state)
    return LogisticRegression(**hyperparameters).fit(parts[0], parts[2])
'''

_PAGE = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  name: python3
  display_name: Python 3
---

# One task

```{{code-cell}}
from celltask import task
```

```{{code-cell}}
{cell}
```
"""

_USES = {"ours": "from celltask import task\n", "flytekit": "from flytekit import task\n", "plain": ""}


def write(folder: Path) -> None:
    """Put all files into `folder`.

    ``bare.py`` does nothing; ``add_*.py``, ``train_*.py`` hold the same function for plain Python (called with its
    arguments), celltask and flytekit; ``add.md`` and ``train.md`` are celltask's as documents; ``front_*.py`` define
    and call one task and end.
    """
    texts = {"bare.py": "", "add.md": _page(_ADD), "train.md": _page(_TRAIN)}
    for user, head in _USES.items():
        decorator = "@task\n" if head else ""
        texts[f"add_{user}.py"] = head + _ADD.format(decorator=decorator)
        texts[f"train_{user}.py"] = head + _TRAIN.format(decorator=decorator)
    texts["front_flytekit.py"] = texts["add_flytekit.py"] + "\n\nadd(a=1, b=2)\n"
    texts["front_ours.py"] = (
        texts["add_ours.py"].replace("import task", "import task, workflow  # noqa: F401") + "\n\nadd(a=1, b=2)\n"
    )
    texts["front_hamilton.py"] = (
        "import add_plain\nfrom hamilton import driver\n\n"
        'driver.Builder().with_modules(add_plain).build().execute(["add"], inputs={"a": 1, "b": 2})\n'
    )
    texts["add_called.py"] = "import sys\n" + texts["add_plain.py"] + "\n\nprint(add(*map(int, sys.argv[1:])))\n"
    texts["train_called.py"] = texts["train_plain.py"] + '\n\nprint(train_model({"C": 0.1}, 0.2, 42))\n'
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def _page(source: str) -> str:
    return _PAGE.format(cell=source.format(decorator="@task\n").strip())
