"""Dask: what is refused before a run begins, and how that is told."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest
from distributed import Client, versions

from celltask import Resources, task
from celltask.errors import PluginError, RunError

if TYPE_CHECKING:
    from pathlib import Path


@task
def inc(x: int) -> int:
    """One more."""
    return x + 1


@task
def counts(x: int) -> int:
    """Needs a package."""
    import numpy as np  # noqa: PLC0415 - as notebooks do

    return int(np.sum([x]))


def refusal(engine: object, member: object = inc) -> tuple[str, str]:
    """What is told of a run that must not begin."""
    run = member.run(x=1, engine=engine)  # type: ignore[attr-defined]  # a task
    assert isinstance(run.error, RunError)
    assert [node.state for node in run.nodes] == ["skipped"]
    return run.error.what, run.error.mend


def test_an_address_where_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong address is told after a while, not waited for."""
    monkeypatch.setattr("celltask.core.engines.dask.clusters._CONNECTING_S", 0.5)
    what, mend = refusal("tcp://127.0.0.1:9")
    assert what.startswith("no Dask scheduler answers at tcp://127.0.0.1:9: ")
    assert mend == "start one with `dask scheduler`, or look at the address"


def test_a_scheduler_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file is told with its path."""
    what, mend = refusal(f"dask:{tmp_path}/scheduler.json")
    assert what == f"there is no scheduler file {tmp_path}/scheduler.json"
    assert mend == "start a scheduler with `dask scheduler --scheduler-file FILE`, or give its address"


def test_a_client_that_cannot_wait(client: Client) -> None:
    """An asynchronous client is refused."""

    async def ask() -> tuple[str, str]:
        async with Client(client.scheduler.address, asynchronous=True, set_as_default=False) as made:
            return refusal(made)  # on the loop of the client, which it would wait for

    told = ("the Dask client given as engine is asynchronous", "make it with asynchronous=False")
    assert asyncio.run(ask()) == told


def test_a_client_that_is_closed(client: Client) -> None:
    """A closed client is refused."""
    made = Client(client.scheduler.address, set_as_default=False)
    made.close()
    assert refusal(made) == ("the Dask client given as engine is closed", "make a new Client")


def test_an_engine_that_is_no_place() -> None:
    """An address behind an engine of this process is told."""
    with pytest.raises(PluginError) as caught:
        inc.run(x=1, engine="threads:tcp://127.0.0.1:9")
    assert caught.value.what == "engine 'threads' is at no place, and 'threads:tcp://127.0.0.1:9' names one"


def test_an_object_that_no_engine_knows() -> None:
    """Anything but a name, a client or a cluster is told."""
    with pytest.raises(PluginError) as caught:
        inc.run(x=1, engine=3)
    assert caught.value.what == "there is no engine that works with a int"
    assert caught.value.mend == "give the name of an engine, or a Dask client or cluster"


@pytest.mark.parametrize(
    ("asked", "has"),
    [
        (Resources(gpu=1), "1 GPUs, and no Dask worker has declared any"),
        (Resources(cpu=64), "64 CPUs, and no Dask worker has more than 1"),
    ],
)
def test_a_resource_that_no_worker_has(client: Client, asked: Resources, has: str) -> None:
    """What no worker can ever give is told at once; Dask would wait for it for ever."""
    what, mend = refusal(client, inc.with_options({"resources": asked}))
    assert what == f"task 'inc' asks for {has}"
    assert mend.startswith("start a worker that has them: dask worker … --resources '")


def pretend(changes: dict[str, str], python: str = "") -> None:
    """On a worker: say that other versions are installed."""
    real, system = versions.get_package_info, versions.get_system_info
    versions.get_package_info = lambda names: real(names) | changes
    if python:
        versions.get_system_info = lambda: system() | {"python": python}


def worker_of(client: Client) -> str:
    """The address of the only worker."""
    return next(iter(client.scheduler_info()["workers"]))


@pytest.mark.parametrize("name", ["celltask", "distributed", "cloudpickle"])
def test_a_worker_with_another_version(lonely: Client, name: str) -> None:
    """A package that must be the same everywhere is told with both versions."""
    lonely.run(pretend, {name: "0.0.1"})
    what, mend = refusal(lonely)
    assert what.startswith(f"the Dask worker {worker_of(lonely)} has {name} 0.0.1, and the client has ")
    assert mend == "give the scheduler, the workers and the client the same environment"


def test_a_worker_with_another_python(lonely: Client) -> None:
    """Another minor version of Python is told before any code goes there."""
    lonely.run(pretend, {}, "3.99.1.final.0")
    here = "{}.{}".format(*sys.version_info)
    assert refusal(lonely)[0] == f"the Dask worker {worker_of(lonely)} has Python 3.99, and the client has {here}"


def test_a_package_that_a_worker_lacks(lonely: Client) -> None:
    """A package that a task imports and a worker has not is told with the command that installs it."""
    lonely.run(pretend, {"numpy": None})
    version = counts.fingerprint.parts["package numpy"]
    what, mend = refusal(lonely, counts)
    told = f"has no package numpy, which task 'counts' needs in version {version}"
    assert what == f"the Dask worker {worker_of(lonely)} {told}"
    assert mend == f"install it there: pip install numpy=={version}"


def test_a_module_that_a_worker_lacks(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of the project that a worker cannot import is told before a node runs."""
    (tmp_path / "only_here.py").write_text(
        "from celltask import task\ndef same(x):\n    return x\n@task\ndef there(x: int) -> int:\n    return same(x)\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import only_here  # type: ignore[import-not-found]  # noqa: PLC0415 - made above

    what, mend = refusal(client, only_here.there)
    assert what == ("a Dask worker cannot load the code of the run: ModuleNotFoundError: No module named 'only_here'")
    assert mend == "install there what it imports, or send a module of yours with client.upload_file('module.py')"
