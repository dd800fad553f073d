"""How pytest-xdist hands out documents: all cells of one to the same worker, other tests as with ``--dist load``."""

from __future__ import annotations

import fnmatch

from xdist.scheduler.loadscope import LoadScopeScheduling  # type: ignore[import-untyped,unused-ignore]  # no types

__all__ = ["DocumentScheduling"]

_MOST_BLOCKS = 2000
"""The cost of handing out grows with the square of the number of blocks."""


class DocumentScheduling(LoadScopeScheduling):  # type: ignore[misc,unused-ignore]  # as above
    """Hands out documents as a whole; holds which block each test is in."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        self._blocks: dict[str, str] = {}
        self._others = 0

    def _split_scope(self, nodeid: str) -> str:
        """The block of a test; xdist asks in the order of collection."""
        if nodeid not in self._blocks:
            self._blocks[nodeid] = self._block_of(nodeid)
        return self._blocks[nodeid]

    def _block_of(self, nodeid: str) -> str:
        path = str(nodeid).partition("::")[0]
        name = path.rpartition("/")[2]
        # Of Python files only the percent scripts among them are named otherwise than modules of tests.
        is_module = any(fnmatch.fnmatch(name, pattern) for pattern in self.config.getini("python_files"))
        if name.endswith((".md", ".ipynb", ".py")) and not is_module:
            return path
        self._others += 1
        return f"tests {self._others // max(1, len(self.collection or ()) // _MOST_BLOCKS)}"
