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
    assert_told(USER_CODE, EXPECTED, tmp_path)


def assert_told(code: str, expected: dict[str, str], folder: Path) -> None:
    """Check `code` strictly, and see that mypy says what is expected of each line, and no more."""
    pytest.importorskip("mypy", reason="mypy is not installed: pip install -e '.[test]'")
    (folder / "user.py").write_text(code)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "user.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    lines = code.splitlines()
    told: dict[str, str] = {}
    for line in done.stdout.splitlines():
        _, number, message = line.split(":", 2)
        told.setdefault(lines[int(number) - 1].strip(), message)
    assert told.keys() == expected.keys(), done.stdout + done.stderr
    for line, message in expected.items():
        assert message in told[line]


CONTROL_CODE = """
from functools import partial

from celltask import approve, conditional, dynamic, map_task, preset, task, wait_for_input, workflow


@task
def double(x: int, by: int = 2) -> int:
    return x * by


@task
def word(x: int) -> str:
    return str(x)


@dynamic
def grown(x: int) -> int:
    return double(x=x)


@workflow
def wf(x: int, flag: bool) -> int:
    either = conditional("c").if_((x > 3) & flag).then(double(x=x)).elif_(x == 0).then(word(x=x)).else_().fail("no")
    reveal_type(either)
    one = conditional("one").if_(flag).then(double(x=x)).else_().then(7)
    return approve("go", one)


reveal_type(map_task(double)(x=[1, 2]))
reveal_type(map_task(partial(double, by=3), concurrency=2)(x=[1]))
reveal_type(map_task(double, min_success_ratio=0.5)(x=[1]))
reveal_type(grown)
reveal_type(wait_for_input("n", int))
reveal_type(approve("n", "text"))
reveal_type(preset(wf, "other", fixed={"flag": True})(x=1))
grown(y=1)
text: list[str] = map_task(double)(x=[1])
"""

CONTROL_EXPECTED = {
    "reveal_type(either)": '"int | str"',
    "reveal_type(map_task(double)(x=[1, 2]))": "list[int]",
    "reveal_type(map_task(partial(double, by=3), concurrency=2)(x=[1]))": "list[int]",
    "reveal_type(map_task(double, min_success_ratio=0.5)(x=[1]))": "list[int | None]",
    "reveal_type(grown)": "Dynamic[[x: int], int]",
    'reveal_type(wait_for_input("n", int))': 'int"',
    'reveal_type(approve("n", "text"))': 'str"',
    'reveal_type(preset(wf, "other", fixed={"flag": True})(x=1))': 'int"',
    "grown(y=1)": 'Unexpected keyword argument "y" for "__call__" of "Workflow"  [call-arg]',
    "text: list[str] = map_task(double)(x=[1])": 'has type "list[int]", variable has type "list[str]"',
}


def test_mypy_follows_values_through_control(tmp_path: Path) -> None:
    """Conditionals, maps, dynamic functions, gates and presets keep the types of what they give."""
    assert_told(CONTROL_CODE, CONTROL_EXPECTED, tmp_path)
