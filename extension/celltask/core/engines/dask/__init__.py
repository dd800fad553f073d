"""Dask: nodes run on the workers of a cluster, and what goes between them stays there.

Here is only what names the cluster; nothing of `distributed` is imported before a run needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from celltask.core.engines.threads import ThreadsEngine

if TYPE_CHECKING:
    from celltask.core.engines.base import Hands
    from celltask.core.execution import Execution

__all__ = ["DaskEngine"]


class DaskEngine(ThreadsEngine):
    """The engine of one cluster.

    Args:
        where: Address of a scheduler (``"tcp://10.0.0.5:8786"``, ``"tls://…"``, ``"//10.0.0.5:8786"``), path of a
            scheduler file, a Dask client, or a Dask cluster. ``""`` means the client that was made last in this
            process, or, if there is none, a cluster of this machine alone, made at the first run and closed at exit.
    """

    takes_place = True

    def __init__(self, where: object = "") -> None:
        super().__init__()
        self.where = f"tcp:{where}" if isinstance(where, str) and where.startswith("//") else where
        self.crew = self._crew

    def _crew(self, execution: Execution) -> Hands:
        try:
            from celltask.core.engines.dask.clusters import fleet_at  # noqa: PLC0415 - loads distributed: 0.5 s
            from celltask.core.engines.dask.crew import DaskCrew  # noqa: PLC0415 - as above
        except ImportError as error:
            from celltask.errors import PluginError  # noqa: PLC0415 - only for a mistake

            if error.name not in ("distributed", "dask"):
                raise
            raise PluginError(
                "engine 'dask' needs the package distributed", mend="pip install 'celltask[dask]'"
            ) from None
        return DaskCrew(execution, fleet_at(self.where))
