"""For tests of your own tasks and workflows: stand-ins for tasks, documents loaded as modules, checks for plugins."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from unittest.mock import Mock

from celltask.core.task import Task
from celltask.errors import CelltaskError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from celltask.core.stores.check import check_store
    from celltask.core.types.check import check_type_handler
    from celltask.documents.loader import load_document

__all__ = ["check_store", "check_type_handler", "load_document", "mock_task"]


@contextmanager
def mock_task(task: Task[..., object]) -> Iterator[Mock]:
    """A `Mock` in the place of the body of `task`, put back at the end also when the block raises.

    Inputs are still checked before the mock is called, and what it returns is still checked after. The cache and the
    retries of the task are left out. For an async task the mock gives what the body would, awaited.

    Raises:
        CelltaskError: If `task` is not a task.

    >>> from celltask import task
    >>> @task
    ... def fetch(url: str) -> str:
    ...     raise ConnectionError
    >>> with mock_task(fetch) as mock:
    ...     mock.return_value = "<html>"
    ...     fetch(url="https://example.org")
    '<html>'
    """
    if not isinstance(task, Task):
        raise CelltaskError(f"{task!r} is not a task", mend="give what @task or %%task made")
    mock = Mock(name=task.name)
    before = task.stand_in
    task.stand_in = _awaitable(mock) if task.is_async else mock
    task.generate()
    try:
        yield mock
    finally:
        task.stand_in = before
        task.generate()


def _awaitable(mock: Mock) -> Callable[..., object]:
    async def call(*args: object, **kwargs: object) -> object:
        return mock(*args, **kwargs)

    return call


def __getattr__(name: str) -> object:
    # Neither the document reader nor the checks for plugins are needed by most tests.
    if name == "load_document":
        from celltask.documents.loader import load_document  # noqa: PLC0415 - only who asks

        return load_document
    if name == "check_store":
        from celltask.core.stores.check import check_store  # noqa: PLC0415 - only who asks

        return check_store
    if name == "check_type_handler":
        from celltask.core.types.check import check_type_handler  # noqa: PLC0415 - only who asks

        return check_type_handler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
