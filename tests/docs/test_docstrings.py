"""The examples in docstrings are true: each is run as its module stands."""

from __future__ import annotations

import doctest
import importlib.util
import pkgutil
from typing import TYPE_CHECKING

import pytest

import celltask
from celltask.core.types import lookup

if TYPE_CHECKING:
    from collections.abc import Iterator

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def modules() -> Iterator[str]:
    """Names of all modules of celltask that can be imported; one of them runs the command line when it is."""
    has_torch = importlib.util.find_spec("torch") is not None
    for found in pkgutil.walk_packages(celltask.__path__, "celltask."):
        if not found.name.endswith("__main__") and (has_torch or found.name != "celltask.core.types.tensors"):
            yield found.name


@pytest.fixture
def _own_types() -> Iterator[None]:
    """Types that an example registers are known to that example alone."""
    before = list(lookup._registered)
    yield
    lookup._registered[:] = before
    lookup._known.clear()


@pytest.mark.usefixtures("_own_types")
@pytest.mark.parametrize("name", ["celltask", *modules()])
def test_the_examples_of_a_module_run(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What a docstring shows is what a reader gets who types it in."""
    module = importlib.import_module(name)
    result = doctest.testmod(module, optionflags=FLAGS)
    assert result.failed == 0, capsys.readouterr().out
