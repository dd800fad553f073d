"""Dask: a cluster by one word, from a script and from the shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import members
import pytest
from distributed import Client, Security
from local_clusters import started

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """\
import os
from dataclasses import dataclass
from celltask import task, workflow

RATE = 3

@dataclass
class Pair:
    a: int
    b: int

@task
def pair(x: int) -> Pair:
    return Pair(x, x * RATE)

@task
def summed(value: Pair) -> int:
    return value.a + value.b

@task
def where(x: int) -> int:
    return os.getpid()

@workflow
def both(x: int) -> tuple[int, int]:
    return summed(value=pair(x=x)), where(x=x)

if __name__ == "__main__":
    value, pid = both.run(x=2, engine="dask").result()
    print(value, pid != os.getpid(), pid)
"""

CRASHES = """\
import os
import signal
from pathlib import Path
from celltask import task

@task
def crash(book: str) -> int:
    with Path(book).open("a") as file:
        file.write("x")
    times = len(Path(book).read_text())
    if times <= 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return times

if __name__ == "__main__":
    print(crash.run(book=os.path.abspath("book"), engine="dask").result())
"""

LATER = """
    import time
    until = time.monotonic() + 30
    while before != dict(os.environ) and time.monotonic() < until:
        time.sleep(0.05)  # a worker is being started again
    print(before == dict(os.environ))
"""

DOCUMENT = """\
```{code-cell} ipython3
%load_ext celltask
```

```{code-cell} ipython3
%%task double -> y: int
x: int = 1
y = 2 * x
```
"""


def ran(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command of this Python, ended."""
    return subprocess.run([sys.executable, *words], cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


def test_one_word_makes_a_cluster_that_ends_with_the_process(tmp_path: Path) -> None:
    """A script with classes and constants of its own runs on a cluster of its own, which leaves nothing behind."""
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    done = ran("script.py", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    value, is_elsewhere, pid = done.stdout.split()
    assert (value, is_elsewhere) == ("8", "True")
    assert not os.path.exists(f"/proc/{pid}")  # noqa: PTH110 - a process


def test_the_environment_of_this_process_stays_as_it_is(tmp_path: Path) -> None:
    """Dask sets variables for its workers in the process that starts them; here they go again, also after a crash."""
    text = CRASHES.replace("    print(crash", "    before = dict(os.environ)\n    print(crash")
    (tmp_path / "script.py").write_text(text + LATER, encoding="utf-8")
    done = ran("script.py", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "3\nTrue\n")


def test_workers_come_back_after_crashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster of this machine does not shrink, however long a worker takes to start again after a crash."""
    monkeypatch.setenv("DASK_DISTRIBUTED__DEPLOY__LOST_WORKER_TIMEOUT", "10 ms")
    (tmp_path / "script.py").write_text(CRASHES, encoding="utf-8")
    done = ran("script.py", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "3\n")


def test_a_script_that_runs_when_it_is_imported_is_told_how_to_write_it(tmp_path: Path) -> None:
    """Processes import the script that starts them; one that would start a cluster again says so."""
    text = SCRIPT.replace('if __name__ == "__main__":', "if True:")
    (tmp_path / "script.py").write_text(text, encoding="utf-8")
    done = ran("script.py", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.endswith("  mend: in a script, put what runs below `if __name__ == '__main__':`\n")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes certificates with openssl")
def test_tls_passes_through(tmp_path: Path) -> None:
    """A client with certificates runs on a cluster that asks for them; others are not let in."""
    words = "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=127.0.0.1"
    subprocess.run([str(shutil.which("openssl")), *words.split()], cwd=tmp_path, check=True, capture_output=True)
    cert, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    names = {f"tls_{who}_{what}": path for who in ("client", "scheduler", "worker") for what, path in
             (("cert", cert), ("key", key))}  # fmt: skip
    secure = Security(tls_ca_file=cert, require_encryption=True, **names)
    with started(1, security=secure) as cluster, Client(cluster, security=secure, set_as_default=False) as client:
        assert client.scheduler.address.startswith("tls://")
        assert members.nested.run(x=1, engine=client).result() == members.nested(x=1)


def test_the_shell_takes_the_address_with_the_engine(client: Client, tmp_path: Path) -> None:
    """`--engine dask:ADDRESS` runs a document's task on the cluster there."""
    (tmp_path / "page.md").write_text(DOCUMENT, encoding="utf-8")
    words = ("run", "page.md", "double", "--x", "4", "--quiet", "--engine", f"dask:{client.scheduler.address}")
    done = ran("-m", "celltask", *words, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "8\n", "")
