"""A Slurm of one machine, with one node, for as long as a test needs it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scancel", "squeue")
PATIENCE_S = 60.0

CONFIGURATION = """\
ClusterName=one
SlurmctldHost=localhost(127.0.0.1)
CommunicationParameters=NoInAddrAny
SlurmUser=root
SlurmctldPort={controller}
SlurmdPort={node}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/controller.pid
SlurmdPidFile={folder}/node.pid
SlurmctldLogFile={folder}/controller.log
SlurmdLogFile={folder}/node.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,batch_sched_delay=0
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={node} CPUs={cpus} RealMemory=1024 State=UNKNOWN
PartitionName=all Nodes=n1 Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str:
    """Why there can be no Slurm here; ``""`` if there can."""
    absent = [program for program in PROGRAMS if shutil.which(program, path=_path()) is None]
    if absent:
        return f"{', '.join(absent)} not installed; Debian has them as slurmctld, slurmd, slurm-client and munge"
    return "" if os.geteuid() == 0 else "Slurm's daemons need root"


@contextmanager
def running(folder: Path) -> Iterator[Path]:
    """The configuration of a Slurm that runs with all its files in `folder`; at the end its daemons end."""
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    folder.chmod(0o755)
    with ExitStack() as daemons:
        key = folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        files = [f"--{kind}-file={folder}/munge.{kind}" for kind in ("key", "pid", "log", "seed")]
        daemons.enter_context(_daemon(["munged", "--foreground", "--force", f"--socket={folder}/munge.socket", *files]))
        _until((folder / "munge.socket").exists, "munge.socket")
        path = folder / "slurm.conf"
        controller, node = _free_ports(2)
        cpus = os.cpu_count() or 1
        told = {"folder": folder, "controller": controller, "node": node, "cpus": cpus, "host": socket.gethostname()}
        path.write_text(CONFIGURATION.format(**told))
        daemons.enter_context(_daemon(["slurmctld", "-D", "-f", str(path)]))
        daemons.enter_context(_daemon(["slurmd", "-D", "-f", str(path), "-N", "n1"]))
        _until(lambda: "idle" in _asked(path, "sinfo", "-h", "-o", "%t"), "an idle node")
        try:
            yield path
        finally:  # a node's daemon does not end what it has started
            cancel(path, *jobs(path))
            _until(lambda: not jobs(path), "end of all jobs")


def jobs(configuration: Path) -> list[str]:
    """The ids of the jobs that run, wait or end."""
    return _asked(configuration, "squeue", "-h", "-o", "%i").split()


def cancel(configuration: Path, *those: str) -> None:
    """End some jobs."""
    if those:
        _asked(configuration, "scancel", *those)


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def _asked(configuration: Path, *command: str) -> str:
    env = {**os.environ, "SLURM_CONF": str(configuration)}
    return subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=False, timeout=PATIENCE_S).stdout


@contextmanager
def _daemon(command: Sequence[str]) -> Iterator[None]:
    env = {**os.environ, "PATH": _path()}
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _until(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"no {what} after {PATIENCE_S:.0f} s")
        time.sleep(0.05)
