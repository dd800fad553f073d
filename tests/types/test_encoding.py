"""Values as bytes: plain where that is exact, told apart from pickles, and whole in another process."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import threading
import typing

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from celltask.core.types.base import Mismatch
from celltask.core.types.digest import digest_value
from celltask.core.types.encoding import decode_value, encode_value, is_json, is_pickle
from celltask.core.types.lookup import handler_for

if typing.TYPE_CHECKING:
    import pathlib


@pytest.mark.parametrize(
    ("annotation", "value", "mark"),
    [
        (int, 5, b"J"),
        (dict, {"a": [1, None, "x", 0.5, True]}, b"J"),
        (float, float("nan"), b"P"),
        (dict, {1: "a"}, b"P"),
        (list, [(1, 2)], b"P"),
        (str, "\ud800", b"P"),
        (np.ndarray, np.arange(3), b"N"),
        (np.ndarray, np.array([None]), b"P"),
        (np.ndarray, np.ma.masked_array([1]), b"P"),
        (pd.DataFrame, pd.DataFrame({"a": [1]}), b"P"),
        (pl.DataFrame, pl.DataFrame({"a": [1]}), b"L"),
        (pa.Table, pa.table({"a": [1]}), b"A"),
    ],
)
def test_bytes_say_by_their_first_one_how_they_are_to_be_read(annotation: object, value: object, mark: bytes) -> None:
    """A store can see which values it could read without running code."""
    data = encode_value(value, annotation)
    assert data[:1] == mark
    assert is_pickle(data) is (mark == b"P")
    assert digest_value(decode_value(data, annotation)) == digest_value(value) or mark == b"P"


def test_json_is_taken_only_where_it_gives_back_an_equal_value() -> None:
    """Tuples, keys that are no strings, subclasses and loops are not written as JSON."""
    loop: list[object] = []
    loop.append(loop)
    text = type("Text", (str,), {})
    for value in ((1,), {1: 2}, {"a": (1,)}, text("a"), [text("a")], float("inf"), b"a", loop):
        assert not is_json(value)


def test_bytes_of_another_format_are_refused() -> None:
    """Bytes that do not begin with a known mark are not read at all."""
    with pytest.raises(ValueError, match="begin with b'X'"):
        decode_value(b"Xabc", int)


def test_value_that_cannot_leave_the_process_is_told_by_name() -> None:
    """A lock cannot be stored, and the refusal says so."""
    with pytest.raises(Mismatch) as caught:
        handler_for(object).encode([threading.Lock()])
    assert caught.value.hint.startswith("a list cannot be stored: cannot pickle '_thread.lock' object")
    with pytest.raises(Mismatch, match="a DataFrame cannot be stored"):
        handler_for(pl.DataFrame).encode(pl.DataFrame({"a": pl.Series([object], dtype=pl.Object)}))


NOTEBOOK = """
import dataclasses, enum, pathlib, sys
from celltask.core.types.lookup import handler_for

class Colour(enum.Enum):
    RED = 1

@dataclasses.dataclass
class Inner:
    colour: Colour

@dataclasses.dataclass
class Point:
    x: int
    inner: list[Inner]

class Plain:
    def __init__(self): self.parts = {1, 2}
    def total(self): return sum(self.parts)

kept = pathlib.Path(sys.argv[2])
point, plain = handler_for(dict[str, Point]), handler_for(Plain | None)
if sys.argv[1] == "write":
    kept.with_suffix(".point").write_bytes(point.encode({"a": Point(1, [Inner(Colour.RED)])}))
    kept.with_suffix(".plain").write_bytes(plain.encode(Plain()))
else:
    value = point.validate(point.decode(kept.with_suffix(".point").read_bytes()))
    assert value == {"a": Point(1, [Inner(Colour.RED)])} and value["a"].inner[0].colour is Colour.RED
    assert plain.validate(plain.decode(kept.with_suffix(".plain").read_bytes())).total() == 3
"""


def test_classes_of_a_notebook_are_themselves_again_in_another_process(tmp_path: pathlib.Path) -> None:
    """A stored value of a class that no import would find comes back as one of the class that is declared."""
    script = tmp_path / "notebook.py"
    script.write_text(NOTEBOOK)
    for act in ("write", "read"):
        subprocess.run([sys.executable, str(script), act, str(tmp_path / "kept")], check=True)


def test_value_stored_before_its_class_was_defined_again_is_of_the_new_class() -> None:
    """Running the cell that defines a class a second time does not make stored values useless."""

    def define() -> type:
        @dataclasses.dataclass
        class Point:
            x: int

        return Point

    older, newer = define(), define()
    data = handler_for(older).encode(older(1))
    assert handler_for(newer).validate(handler_for(newer).decode(data)) == newer(1)


def test_class_that_can_be_imported_is_stored_by_its_name() -> None:
    """What any process can import needs no declaration to be read."""
    assert decode_value(encode_value({1, 2}, set[int]), object) == {1, 2}
