"""Digests and cached results follow the names that a task reads, also within one cell."""

from __future__ import annotations

import linecache
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = """
from celltask import task
rate = 1.0
TABLE = {"a": 1}

class Model:
    factor = 1
    def apply(self, x):
        return x * self.factor

def helper(x):
    return x

@task(cache=True)
def taxed(x: float) -> float:
    return helper(x) * rate

@task(cache=True)
def looked_up(key: str) -> int:
    return TABLE[key]

@task(cache=True)
def modelled(x: int) -> int:
    return Model().apply(x)

@task(cache=True)
def outer(x: float) -> float:
    return taxed(x) + 1
"""


@pytest.fixture
def module(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A module of the user's, new for each test."""
    made = ModuleType(f"watched_{abs(hash(request.node.name))}")
    made.__file__ = f"{made.__name__}.py"
    linecache.cache[made.__file__] = (len(SOURCE), None, SOURCE.splitlines(keepends=True), made.__file__)
    sys.modules[made.__name__] = made
    with pytest.warns(UserWarning, match="TABLE"):
        exec(compile(SOURCE, made.__file__, "exec"), made.__dict__)  # noqa: S102 - the source above
    yield made
    del sys.modules[made.__name__]


def test_a_constant_bound_again_between_two_calls_counts(module: Any) -> None:  # noqa: ANN401 - a module
    """The loop of a user who tries several rates gets several results, and the digests differ."""
    found, digests = [], set()
    for rate in (0.1, 0.2, 0.1):
        module.rate = rate
        found.append(module.taxed(1.0))
        digests.add(module.taxed.digest)
    assert found == [0.1, 0.2, 0.1]
    assert len(digests) == 2


def test_a_helper_or_method_defined_again_counts(module: Any) -> None:  # noqa: ANN401 - a module
    """Also a helper's helper, a class attribute, and a task that a task calls."""
    assert (module.outer(1.0), module.modelled(3)) == (2.0, 3)
    module.helper = lambda x: x + 100
    module.Model.factor = 5
    assert (module.outer(1.0), module.modelled(3)) == (102.0, 15)


def test_an_upper_case_dict_that_was_changed_counts(module: Any) -> None:  # noqa: ANN401 - a module
    """What is frozen into the version is looked at again."""
    assert module.looked_up("a") == 1
    module.TABLE["a"] = 2
    assert module.looked_up("a") == 2


def test_nothing_is_derived_again_while_nothing_changes(module: Any) -> None:  # noqa: ANN401 - a module
    """The digest is one object until a name changes."""
    first = module.taxed.fingerprint
    assert module.taxed.fingerprint is first
    module.rate = 7.0
    assert module.taxed.fingerprint is not first
