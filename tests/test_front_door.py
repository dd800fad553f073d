"""The front door: what is public, and what importing it costs."""

from __future__ import annotations

import importlib.util
import pkgutil
import subprocess
import sys

import pytest

import celltask

FIRST_TASK = """
import sys
before = set(sys.modules)
{imports}
{use}
import_names = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(*sorted(import_names - set(sys.stdlib_module_names) - {{"celltask"}}))
"""

USE = """
@task
def f(x: int, y: dict[str, float] = {"a": 1.0}) -> list[int]:
    '''Do it.

    Args:
        x: A number.
    '''
    return [x]
@workflow
def wf(x: int = 3) -> list[int]:
    return f(x=x)
assert wf(x=1) == [1]
"""


@pytest.mark.parametrize(
    ("imports", "use"),
    [
        pytest.param("import celltask", "", id="import"),
        pytest.param("from celltask import task, workflow", USE, id="first-task"),
    ],
)
def test_nothing_outside_the_standard_library_is_imported(imports: str, use: str) -> None:
    """Importing celltask, and defining and running a task with simple types, loads no third-party module."""
    # -S keeps site-packages' own start-up files (.pth) out of the count; the path is handed over instead.
    code = f"import sys; sys.path[:0] = {[p for p in sys.path if p]!r}\n" + FIRST_TASK.format(imports=imports, use=use)
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_importing_celltask_loads_three_modules_at_most() -> None:
    """The front door loads itself only; everything else waits until it is used."""
    code = "import sys; before = set(sys.modules); import celltask; print(len(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) <= 3


def test_every_public_name_is_listed_and_exists() -> None:
    """`__all__` is complete, sorted, and every name can be imported."""
    assert list(celltask.__all__) == sorted(set(celltask.__all__), key=celltask.__all__.index)
    for name in celltask.__all__:
        assert getattr(celltask, name) is not None
    assert set(celltask.__all__) - {"load_ipython_extension", "unload_ipython_extension"} == set(celltask._PLACES)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """The lazy front door fails as any module does."""
    with pytest.raises(AttributeError, match="module 'celltask' has no attribute 'tusk'"):
        _ = celltask.tusk  # type: ignore[attr-defined]  # what is tested


def test_every_module_can_be_imported() -> None:
    """No module is broken or needs something that is not installed, but what only values of PyTorch need."""
    for found in pkgutil.walk_packages(celltask.__path__, "celltask."):
        if found.name == "celltask.core.types.tensors" and importlib.util.find_spec("torch") is None:
            continue
        if found.name != "celltask.__main__":
            importlib.import_module(found.name)
