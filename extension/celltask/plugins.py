"""Implementations by name: the built-in ones first, then whatever is installed.

An entry point is looked for only when a name is not built in, because `importlib.metadata` costs more at
start-up than the rest of celltask together.
"""

from __future__ import annotations

from importlib import import_module

from celltask.errors import PluginError

__all__ = ["Shelf"]


class Shelf:
    """Implementations of one room (`celltask.types`, `celltask.kinds`, …) by name, imported on first use.

    Args:
        group: Entry-point group that other packages add to.
        built_in: Name to ``"module:attribute"``.

    >>> Shelf("celltask.engines", {"pool": "concurrent.futures:ThreadPoolExecutor"}).get("pool").__name__
    'ThreadPoolExecutor'
    """

    def __init__(self, group: str, built_in: dict[str, str]) -> None:
        self.group = group
        self._places = dict(built_in)
        self._looked_outside = False

    def get(self, name: str) -> object:
        """The implementation called `name`, imported now.

        Raises:
            PluginError: If nothing of that name is installed, or its import fails.
        """
        if name not in self._places:
            self._look_outside()
        if name not in self._places:
            known = ", ".join(sorted(self._places))
            raise PluginError(f"no {self.group} called {name!r}", mend=f"use one of: {known}")
        module, _, attribute = self._places[name].partition(":")
        try:
            return getattr(import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise PluginError(
                f"{self.group} {name!r} cannot be loaded: {error}",
                where=self._places[name],
                mend="install what it needs, or remove the package that registers it",
            ) from error

    def names(self) -> list[str]:
        """Every name, built in or installed, sorted."""
        self._look_outside()
        return sorted(self._places)

    def _look_outside(self) -> None:
        if self._looked_outside:
            return
        from importlib.metadata import entry_points  # noqa: PLC0415 - 60 ms, and only on a miss

        for found in entry_points(group=self.group):
            self._places.setdefault(found.name, found.value)
        self._looked_outside = True  # not before: another thread must not miss what this one is still finding
