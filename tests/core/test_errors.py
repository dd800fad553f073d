"""Errors: every class of the tree is a value that travels whole."""

from __future__ import annotations

import copy
import pickle

import pytest

from celltask import errors
from celltask.errors import CelltaskError, TaskTimeoutError

CLASSES = [getattr(errors, name) for name in errors.__all__]


def _pickled(error: CelltaskError) -> object:
    return pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes


def test_the_tree_is_listed_whole() -> None:
    """`__all__` names every error class of the module."""
    found = {item.__name__ for item in vars(errors).values() if isinstance(item, type)}
    assert found == set(errors.__all__)
    assert all(issubclass(item, CelltaskError) for item in CLASSES)


@pytest.mark.parametrize("fields", [("what",), ("what", "where"), ("what", "where", "mend")], ids=len)
@pytest.mark.parametrize("travelled", [_pickled, copy.copy], ids=["pickle", "copy"])
@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_an_error_survives_a_journey(kind: type[CelltaskError], travelled: object, fields: tuple[str, ...]) -> None:
    """Class, fields, text, arguments and notes come back as they went."""
    sent = kind(*fields)
    sent.add_note("in task 'f'")
    back = travelled(sent)  # type: ignore[operator]  # one of the two above
    assert type(back) is kind
    assert (back.what, back.where, back.mend) == (*fields, "", "")[:3]
    assert (back.args, str(back), back.__notes__) == (sent.args, str(sent), ["in task 'f'"])
    assert len(back.args) == 3


def test_a_timeout_is_no_error_of_the_operating_system() -> None:
    """Though TimeoutError is an OSError, our texts are not taken for an errno and a file name."""
    error = TaskTimeoutError("too long", "a.md, cell 1", "give it more time")
    assert (error.errno, error.filename) == (None, None)
    assert isinstance(error, TimeoutError)
