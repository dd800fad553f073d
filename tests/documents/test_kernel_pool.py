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


async def in_server_of(kernels: Kernels) -> str:
    """What `LOADED` prints in a kernel whose servers may have loaded numpy, if these were begun before it was asked."""
    try:
        return await shown(kernels, {})
    finally:
        await kernels.close()


@pytest.mark.skipif(not can_fork(), reason="kernels cannot be forked here")
def test_environment_that_changes_before_the_first_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that was started early, and asked for nothing yet, is started anew, and loads for documents."""
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    kernels = Kernels()
    kernels.warm()
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    kernels.warm()
    assert asyncio.run(in_server_of(kernels)) == "True 3\n"
