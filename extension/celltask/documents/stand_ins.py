"""Runs inside a document's kernel: puts stand-ins in the place of tasks and of names, as the tests have said."""

from __future__ import annotations

import base64
import pickle
from unittest import mock

from celltask.core.task import Task
from celltask.errors import CelltaskError

__all__ = ["patch", "put"]


def put(task: object, values: str) -> None:
    """Let `task` return or raise what `values` say, until the kernel ends.

    Raises:
        CelltaskError: If `task` is no task.
    """
    if not isinstance(task, Task):
        raise CelltaskError(f"{task!r} is not a task", mend="use celltask_document.mock for anything else")
    returns, raises = pickle.loads(base64.b64decode(values))  # noqa: S301 - from our own tests
    stand_in = mock.Mock(name=task.name, return_value=returns, side_effect=raises)

    async def call(*args: object, **kwargs: object) -> object:
        return stand_in(*args, **kwargs)

    task.stand_in = call if task.is_async else stand_in
    task.generate()


def patch(target: str, values: str) -> None:
    """Put a value, or something that returns it, in the place of `target`, until the kernel ends."""
    value, is_called = pickle.loads(base64.b64decode(values))  # noqa: S301 - from our own tests
    mock.patch(target, mock.Mock(return_value=value) if is_called else value).start()
