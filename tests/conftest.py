"""What all tests have in common: results are kept in a folder of this test session, never in the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session", autouse=True)
def _own_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("celltask")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CELLTASK_STORE", f"{folder}/store")
        patch.setenv("CELLTASK_KEY_FILE", f"{folder}/key")
        yield


@pytest.fixture
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a store that no other test has written to."""
    folder = tmp_path / "store"
    monkeypatch.setenv("CELLTASK_STORE", str(folder))
    return folder
