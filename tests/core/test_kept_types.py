"""What is kept of values of each type, and that they come back as they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from celltask import File, Mismatch, TypeHandler, register_type, task
from celltask.core.stores.choice import current_store

pytestmark = pytest.mark.usefixtures("own_store")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(None, id="none"),
        pytest.param({"a": [1, (2, 3)], "b": {4}}, id="nested"),
        pytest.param(np.arange(6.0).reshape(2, 3).T, id="fortran"),
        pytest.param(np.arange(1_000_000).reshape(10, -1)[:, ::2], id="strided"),
        pytest.param(np.array([], dtype="f4"), id="empty"),
        pytest.param(np.array(["a", None], dtype=object), id="objects"),
        pytest.param(np.array(["2020-01-01"], dtype="M8[D]"), id="dates"),
        pytest.param(np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]), id="records"),
        pytest.param(pd.DataFrame({"a": [1, 2], "b": ["x", None]}), id="frame"),
        pytest.param(pd.DataFrame({1: [1.0], 2: [2]}), id="frame-of-numbered-columns"),
        pytest.param(pd.DataFrame({"a": [[1], {"b": 2}]}), id="frame-of-objects"),
        pytest.param(pd.DataFrame({"t": pd.to_datetime(["2020-01-01"]).tz_localize("UTC")}, index=[5]), id="frame-tz"),
    ],
)
def test_a_reused_result_is_equal_in_every_respect(value: object) -> None:
    """Class, element type, labels and content come back as they were; the digest tells any difference."""
    from celltask.core.types.digest import digest_value  # noqa: PLC0415 - as the cache itself does

    @task(cache=True, allow_globals=["value"])
    def make(x: int) -> object:
        return value

    made, again = make(x=1), make(x=1)
    assert type(again) is type(value)
    assert digest_value(made) == digest_value(again) == digest_value(value)
    assert len(list(current_store().entries())) == 1


def test_a_file_comes_back_with_its_content(tmp_path: Path) -> None:
    """Where it was if it is still there as it was, else somewhere new; it is signed, so that nobody can forge one."""

    @task(cache=True)
    def write(folder: str) -> File:
        path = Path(folder, "made.txt")
        path.write_text("made", encoding="utf-8")
        return File(str(path))

    made = write(folder=str(tmp_path))
    assert write(folder=str(tmp_path)) == made
    Path(made).unlink()
    again = write(folder=str(tmp_path))
    assert (Path(again).read_text(encoding="utf-8"), Path(again).name) == ("made", "made.txt")
    assert not Path(made).exists()
    assert all("signature" in one.facts for one in current_store().entries())


class Celsius:
    """A class that has a handler of its own."""

    def __init__(self, degrees: float) -> None:
        self.degrees = degrees


class CelsiusHandler(TypeHandler):
    """Keeps a temperature as its digits."""

    annotation = Celsius
    name = "Celsius"

    @classmethod
    def for_annotation(cls, annotation: object) -> TypeHandler | None:
        """The handler."""
        return cls() if annotation is Celsius else None

    def validate(self, value: object) -> object:
        """A temperature."""
        if not isinstance(value, Celsius):
            raise Mismatch("Celsius", value)
        return value

    def encode(self, value: object) -> bytes:
        """Its digits."""
        assert isinstance(value, Celsius)
        return repr(value.degrees).encode()

    def decode(self, data: bytes) -> object:
        """From its digits."""
        return Celsius(float(data))

    def digest(self, value: object) -> str:
        """Rounded: whoever asks does not feel less."""
        assert isinstance(value, Celsius)
        return f"{value.degrees:.1f}"


def test_a_handler_of_ones_own_says_what_counts_and_how_it_is_kept() -> None:
    """`digest` decides what is equal, `encode` and `decode` what is kept; such bytes are signed like a pickle."""
    register_type(CelsiusHandler)
    ran = []

    @task(cache=True, allow_globals=["ran"])
    def warmer(it: Celsius) -> Celsius:
        ran.append(it)
        return Celsius(it.degrees + 1)

    assert [warmer(it=Celsius(degrees)).degrees for degrees in (20.0, 20.01, 21.0)] == [21.0, 21.0, 22.0]
    assert len(ran) == 2
    assert all("signature" in one.facts for one in current_store().entries())
