"""Dask: a cluster by one word, from a script and from the shell."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from distributed import Client

SCRIPT = """\
import os
from dataclasses import dataclass
from celltask import task, workflow

RATE = 3

@dataclass
class Pair:
    a: int
    b: int

@task
def pair(x: int) -> Pair:
    return Pair(x, x * RATE)

@task
def summed(value: Pair) -> int:
    return value.a + value.b

@task
def where(x: int) -> int:
    return os.getpid()

@workflow
def both(x: int) -> tuple[int, int]:
    return summed(value=pair(x=x)), where(x=x)

if __name__ == "__main__":
    value, pid = both.run(x=2, engine="dask").result()
    print(value, pid != os.getpid(), pid)
"""

DOCUMENT = """\
```{code-cell} ipython3
%load_ext celltask
```

```{code-cell} ipython3
%%task double -> y: int
x: int = 1
y = 2 * x
```
"""


def ran(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command of this Python, ended."""
    return subprocess.run([sys.executable, *words], cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


def test_one_word_makes_a_cluster_that_ends_with_the_process(tmp_path: Path) -> None:
    """A script with classes and constants of its own runs on a cluster of its own, which leaves nothing behind."""
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    done = ran("script.py", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    value, is_elsewhere, pid = done.stdout.split()
    assert (value, is_elsewhere) == ("8", "True")
    assert not os.path.exists(f"/proc/{pid}")  # noqa: PTH110 - a process


def test_the_shell_takes_the_address_with_the_engine(client: Client, tmp_path: Path) -> None:
    """`--engine dask:ADDRESS` runs a document's task on the cluster there."""
    (tmp_path / "page.md").write_text(DOCUMENT, encoding="utf-8")
    words = ("run", "page.md", "double", "--x", "4", "--quiet", "--engine", f"dask:{client.scheduler.address}")
    done = ran("-m", "celltask", *words, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "8\n", "")
