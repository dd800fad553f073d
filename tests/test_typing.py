"""What type checkers see of users' own tasks: the signature as written, calls and results checked."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

USER_CODE = """
from celltask import Task, Workflow, task, workflow


@task
def area(width: float, height: float = 1.0) -> float:
    return width * height


@task(retries=2, timeout=1.5)
async def later(x: int) -> str:
    return str(x)


@workflow
def wf(width: float = 2.0) -> float:
    return area(width=width)


reveal_type(area)
reveal_type(area(2.0))
reveal_type(later)
reveal_type(wf)
reveal_type(wf(width=1.0))
area("2")
area(width=1.0, depth=2.0)
wf(height=1.0)
text: str = area(1.0)
task(retry=1)
"""

EXPECTED = {
    "reveal_type(area)": "Task[[width: float, height: float =], float]",
    "reveal_type(area(2.0))": 'Revealed type is "',
    "reveal_type(later)": "Task[[x: int], ",
    "reveal_type(wf)": "Workflow[[width: float =], float]",
    "reveal_type(wf(width=1.0))": 'float"',
    'area("2")': 'has incompatible type "str"; expected "float"  [arg-type]',
    "area(width=1.0, depth=2.0)": 'Unexpected keyword argument "depth" for "__call__" of "Task"  [call-arg]',
    "wf(height=1.0)": 'Unexpected keyword argument "height" for "__call__" of "Workflow"  [call-arg]',
    "text: str = area(1.0)": '(expression has type "float", variable has type "str")  [assignment]',
    "task(retry=1)": "[call-overload]",
}


def test_mypy_checks_calls_and_results_of_users_tasks(tmp_path: Path) -> None:
    """A decorated function keeps its signature for mypy, in strict mode."""
    pytest.importorskip("mypy", reason="mypy is not installed: pip install -e '.[test]'")
    (tmp_path / "user.py").write_text(USER_CODE)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "user.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    lines = USER_CODE.splitlines()
    told: dict[str, str] = {}
    for line in done.stdout.splitlines():
        _, number, message = line.split(":", 2)
        told.setdefault(lines[int(number) - 1], message)
    assert told.keys() == EXPECTED.keys(), done.stdout + done.stderr
    for code, message in EXPECTED.items():
        assert message in told[code]
