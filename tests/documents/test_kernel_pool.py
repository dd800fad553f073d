"""Kernels are forked from servers that have loaded what the document wants, in the environment that it asks for."""

from __future__ import annotations

import asyncio

import pytest

from celltask.documents.kernels.forked import can_fork
from celltask.documents.kernels.pool import Kernels
from celltask.documents.kernels.scene import Scene
from celltask.documents.outline import Cell

LOADED = "import sys, os\nprint('numpy' in sys.modules, os.environ['OMP_NUM_THREADS'])"


async def shown(kernels: Kernels, environment: dict[str, str]) -> str:
    """What `LOADED` prints in a kernel whose servers may have loaded numpy."""
    kernel = await kernels.take((("numpy",),), environment)
    try:
        cell = Cell(1, LOADED, first_line=1)
        await kernel.begin(Scene(".", environment), [cell])
        return (await kernel.run(cell, timeout_s=60)).streams["stdout"]
    finally:
        await kernel.stop()
        await kernels.close()


@pytest.mark.skipif(not can_fork(), reason="kernels cannot be forked here")
@pytest.mark.parametrize(
    ("of_all", "told"), [({"OMP_NUM_THREADS": "1"}, "True 1\n"), ({}, "False 1\n")], ids=["all", "one"]
)
def test_environment_of_what_is_loaded(of_all: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What servers loaded in the environment of all documents serves them; one with another loads it anew."""
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert asyncio.run(shown(Kernels(environment=of_all), {"OMP_NUM_THREADS": "1"})) == told
