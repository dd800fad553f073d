"""Digests tell content: equal content alike in every process, other content apart, and no content not at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import awkward
import numpy as np
import pytest

from celltask.core.types.base import Mismatch
from celltask.core.types.digest import digest_value

PAIRS = [pytest.param(*pair, id=name) for name, pair in awkward.AWKWARD.items() if pair[2] != awkward.REFUSED]
REFUSED = [pytest.param(pair[0], id=name) for name, pair in awkward.AWKWARD.items() if pair[2] == awkward.REFUSED]


@pytest.mark.parametrize(("one", "other", "how"), PAIRS)
def test_digest_of_two_values_is_as_alike_as_they_are(one: awkward.Maker, other: awkward.Maker, how: str) -> None:
    """Two values have one digest exactly if nothing that a task can see tells them apart."""
    assert (digest_value(one()) == digest_value(other())) is (how == awkward.SAME)


@pytest.mark.parametrize("make", REFUSED)
def test_digest_of_a_value_without_content_is_refused(make: awkward.Maker) -> None:
    """What has no content that could be told is refused, never given a digest that may mean something else."""
    with pytest.raises(Mismatch) as caught:
        digest_value(make())
    assert caught.value.expected == "a value whose content can be told"


def test_digest_is_the_same_in_other_processes_and_under_other_hash_seeds() -> None:
    """A digest depends on nothing but the value: not on the process, and not on the seed of hashes."""
    answers = []
    for seed in ("0", "1", "4242"):
        done = subprocess.run(
            [sys.executable, str(Path(awkward.__file__))],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        answers.append(json.loads(done.stdout))
    assert answers[0] == answers[1] == answers[2]
    assert len(set(answers[0].values())) > len(answers[0]) - 12  # some of the values are equal to another


def test_digest_of_a_part_without_content_names_the_way_to_it() -> None:
    """The refusal says where in the value the part without content lies."""
    with pytest.raises(Mismatch) as caught:
        digest_value({"jobs": [awkward.Locked()]})
    assert caught.value.path == ("['jobs']", "[0]", ".lock")


def test_digest_of_a_function_is_that_of_its_code_where_the_caller_knows_it() -> None:
    """A function is told by the digest of its code, which the caller must give."""
    first = digest_value([len, awkward.STAMP, awkward._frame], code_digest=lambda _: "code 1")
    again = digest_value([len, awkward.STAMP, awkward._frame], code_digest=lambda _: "code 1")
    other = digest_value([len, awkward.STAMP, awkward._frame], code_digest=lambda _: "code 2")
    assert first == again != other


def test_digest_of_a_class_defined_in_a_function_is_refused() -> None:
    """A class that cannot be imported may change under its name, so its name is not enough."""

    class Local:
        pass

    with pytest.raises(Mismatch):
        digest_value(Local)
    assert digest_value(awkward.Order) != digest_value(awkward.Point)


def test_digest_of_a_cycle_does_not_depend_on_where_it_is_entered() -> None:
    """A part of a cycle that is met twice, once within and once outside of it, is told rightly both times."""
    ring: list[object] = [1]
    inner = [ring]
    ring.append(inner)
    assert digest_value([ring, inner]) == digest_value([ring, inner])
    assert digest_value([ring, inner]) != digest_value([inner, ring])


def test_digest_of_a_value_nested_too_deeply_says_so() -> None:
    """Nesting beyond Python's own limit is refused with a message, not with a RecursionError."""
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(Mismatch, match="nested too deeply"):
        digest_value(deep)


def test_digest_of_a_large_array_needs_no_copy_of_it() -> None:
    """An array is hashed where it lies."""
    import tracemalloc  # noqa: PLC0415 - for this test alone

    large = np.zeros(4_000_000)
    tracemalloc.start()
    digest_value(large)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < large.nbytes / 10
