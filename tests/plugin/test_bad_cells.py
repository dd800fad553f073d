"""Cells that harm their own process fail clearly at their line, or pass; the documents after them stand."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from many_pages import Told, both_kernels, run_pages, write_pages

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are harmed here in the ways of Unix")

ASKS = "the cell asks for input, and nobody is there to answer"

FAILING: dict[str, tuple[str | tuple[str, ...], int, str]] = {
    "segfault": ("import ctypes\nctypes.string_at(0)", 4, "the kernel was killed by SIGSEGV"),
    "kills-itself": (
        "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
        4,
        "the kernel was killed by SIGKILL",
    ),
    "kills-its-group": ("import os, signal\nos.killpg(0, signal.SIGTERM)", 4, "the kernel was killed by SIGTERM"),
    "kills-its-parent": (
        "import os, signal, time\nos.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(100)",
        4,
        "the kernel was killed by SIGKILL",
    ),
    "aborts": ("import os\nos.abort()", 4, "the kernel was killed by SIGABRT"),
    "leaves": ("import os\nos._exit(7)", 4, "the kernel ended with exit code 7"),
    "stops-itself": (
        ":timeout: 0.5\nimport os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
        5,
        "the cell took longer than 0.5 s",
    ),
    "closes-all-files": ("import os\nos.closerange(3, 200)", 4, "the kernel was killed by SIGABRT"),
    "forks-and-raises": (
        "import os\nif os.fork() == 0:\n    raise ValueError('odd')\nassert os.wait()[1] == 256",
        4,
        "ValueError: odd (raised in a forked process)",
    ),
    "too-many-files": (
        "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (5, 5))\nopen('file', 'w')",
        6,
        "OSError: [Errno 24] Too many open files: 'file'",
    ),
    "endless-recursion": (
        "def f(n):\n    return f(n + 1)\nf(0)",
        5,
        "RecursionError: maximum recursion depth exceeded",
    ),
    "message-raises": (
        "class Odd(Exception):\n    def __str__(self):\n        raise ValueError('no')\nraise Odd",
        7,
        "Odd: <its message cannot be shown: ValueError>",
    ),
    "message-exits": (
        "class Odd(Exception):\n    def __str__(self):\n        raise SystemExit\nraise Odd",
        7,
        "Odd: <its message cannot be shown: SystemExit>",
    ),
    "message-is-no-text": (
        "class Odd(Exception):\n    def __str__(self):\n        return 5\nraise Odd",
        7,
        "Odd: <its message cannot be shown: TypeError>",
    ),
    "notes-are-no-list": ("error = ValueError('odd')\nerror.__notes__ = 5\nraise error", 6, "ValueError: odd"),
    "huge-message": ("raise ValueError('x' * 10_000_000)", 4, f"ValueError: {'x' * 20_000}"),
    "huge-chain": (
        (
            "error = None\nfor number in range(2000):\n    try:\n        raise ValueError(number) from error\n"
            "    except ValueError as raised:\n        error = raised\nraise error"
        ),
        7,
        "ValueError: 1999",
    ),
    "half-a-character": ("raise ValueError('a\\ud800b')", 4, "ValueError: a\\ud800b"),
    "half-a-character-shown": (
        "from IPython.display import display\ndisplay({'text/plain': '\\ud800'}, raw=True)",
        5,
        "UnicodeEncodeError: 'utf-8' codec can't encode character '\\ud800' in position …: surrogates not allowed",
    ),
    "representation-without-end": (
        "x = []\nfor _ in range(100_000):\n    x = [x]\nx",
        7,
        (
            "RecursionError: maximum recursion depth exceeded while calling a Python object"
            " (shown, but it did not stop the cell)"
        ),
    ),
    "several-errors": (
        "raise ExceptionGroup('both', [ValueError('a'), TypeError('b')])",
        4,
        "ExceptionGroup: both (2 sub-exceptions)",
    ),
    "odd-base-class": ("raise BaseException('odd')", 4, "BaseException: odd"),
    "interrupts-itself": ("raise KeyboardInterrupt", 4, "KeyboardInterrupt"),
    "generator-exit": ("raise GeneratorExit", 4, "GeneratorExit"),
    "cancelled": ("import asyncio\nraise asyncio.CancelledError", 5, "CancelledError"),
    "loop-in-loop": (
        "import asyncio\nasync def work(): ...\nwork = work()\nasyncio.run(work)",
        7,
        "RuntimeError: asyncio.run() cannot be called from a running event loop",
    ),
    "exit": ("exit()", 4, "the cell ends the session: exit or quit"),
    "quit": ("quit()", 4, "the cell ends the session: exit or quit"),
    "input": ("input()", 4, ASKS),
    "help": ("help()", 4, ASKS),
    "debugger-after-an-error": ("%pdb on\n1 / 0", 4, ASKS),
    "stdout-closed": ("import sys\nsys.stdout.close()\nprint('x')", 6, "ValueError: I/O operation on closed file"),
    "command-in-background": ("!sleep 1000 &", 4, "OSError: Background processes not supported."),
    "no-such-extension": ("%load_ext nosuch", 4, "ModuleNotFoundError: No module named 'nosuch'"),
    "no-such-script": ("%run nosuch.py", 4, "Exception: File `'nosuch.py'` not found."),
    "tabs-and-spaces": (
        "if 1:\n\tx = 1\n        y = 2",
        6,
        "TabError: inconsistent use of tabs and spaces in indentation",
    ),
}

DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open(f"daemon-{os.getpid()}", "w").close()
        time.sleep(1000)
    os._exit(0)
while not any(name.startswith("daemon-") for name in os.listdir()):
    time.sleep(0.01)
"""

POOL = """
import multiprocessing
with multiprocessing.get_context({how!r}).Pool(2) as pool:
    assert pool.map(abs, [-1, 2]) == [1, 2]
"""

PASSING: dict[str, str | tuple[str, ...]] = {
    "forks-and-falls-through": (
        "import os\nx = 1\nchild = os.fork()",
        "x += 1",
        "assert x == 2\nassert os.wait()[1] == 0",
    ),
    "forks-and-exits": "import os, sys\nif os.fork() == 0:\n    sys.exit(3)\nassert os.wait()[1] == 3 << 8",
    "daemonises": DAEMON,
    "closes-standard-files": (
        "import os\nfor number in (0, 1, 2):\n    os.close(number)",
        "print('here')\nopen('/dev/null')",
    ),
    "changes-folder": ("import os\nos.chdir('/')", "assert os.getcwd() == '/'"),
    "deletes-its-folder": ("import os\nos.mkdir('own')\nos.chdir('own')\nos.rmdir('../own')", "x = 1"),
    "daemon-thread": "import threading, time\nthreading.Thread(target=time.sleep, args=[1000], daemon=True).start()",
    "thread-without-end": "import threading, time\nthreading.Thread(target=time.sleep, args=[1000]).start()",
    "signals-ignored": (
        (
            "import signal\nfor number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):\n"
            "    signal.signal(number, signal.SIG_IGN)"
        ),
        "x = 1",
    ),
    "stdout-replaced": (
        "import io, sys\nsys.stdout = sys.stderr = io.StringIO()",
        "print('x')\nassert sys.stdout.getvalue()",
    ),
    "builtins-patched": (
        "import builtins\nbuiltins.print = builtins.sum = lambda *_: 5",
        "assert print('x') == sum([]) == 5",
    ),
    "strict-warnings": ("import warnings\nwarnings.simplefilter('error')", "x = 1"),
    "transforms-code": (
        (
            "import ast\nclass Seven(ast.NodeTransformer):\n    def visit_Constant(self, node):\n"
            "        return ast.copy_location(ast.Constant(7), node)\nget_ipython().ast_transformers.append(Seven())"
        ),
        "assert 1 == 7",
    ),
    "works-at-its-end": "import atexit, time\natexit.register(time.sleep, 1000)",
    "pool-forked": POOL.format(how="fork"),
    "pool-spawned": POOL.format(how="spawn"),
    "pool-of-a-server": POOL.format(how="forkserver"),
    "pool-left": "import multiprocessing\npool = multiprocessing.get_context('fork').Pool(2)",
    "joblib": "from joblib import Parallel, delayed\nassert Parallel(2)(delayed(abs)(x) for x in (-1, 2)) == [1, 2]",
    "blas": "import numpy\na = numpy.ones((300, 300))\nassert (a @ a)[0, 0] == 300",
    "openmp": (
        "from sklearn.ensemble import HistGradientBoostingClassifier as Model\nimport numpy\n"
        "Model(max_iter=2).fit(numpy.arange(100.0).reshape(-1, 1), numpy.arange(100) % 2)"
    ),
    "loop-in-a-thread": (
        "import asyncio, threading\n"
        "thread = threading.Thread(target=lambda: asyncio.run(asyncio.sleep(0)))\nthread.start()\nthread.join()"
    ),
    "loop-entered-again": (
        "import asyncio\ntry:\n    import nest_asyncio2 as nest\nexcept ImportError:\n    import nest_asyncio as nest",
        "nest.apply()\nassert asyncio.run(asyncio.sleep(0, 3)) == 3",
        "x = 1",
    ),
    "reset": ("x = 1\n%reset -f", "assert 'x' not in dir()"),
    "builtins-deleted": ("del __builtins__", "assert abs(-1) == 1"),
    "shell-redefined": ("get_ipython = display = None", "x = 1"),
    "trace-functions": ("import sys\nsys.settrace(lambda *_: None)\nsys.setprofile(lambda *_: None)", "x = 1"),
    "hooks-replaced": ("import sys\nsys.excepthook = sys.unraisablehook = None", "x = 1"),
    "half-a-character-printed": "print('a\\ud800b')\n'a\\ud800b'",
    "binary-output": "import os\nos.write(1, bytes(range(256)))\nbytes(range(256))",
    "none": "None",
    "display-of-none": "display(None)",
    "clear-output": (
        "from IPython.display import clear_output",
        "print(1)\nclear_output()\nclear_output(wait=True)\nprint(2)",
    ),
    "update-display": (
        "from IPython.display import display, update_display\n"
        "display(1, display_id='a')\nupdate_display(2, display_id='a')\nupdate_display(3, display_id='none-such')"
    ),
    "widgets": (
        "import ipywidgets\nout = ipywidgets.Output()\n"
        "display(ipywidgets.VBox([ipywidgets.IntSlider(3), out]))\nwith out:\n    print(1)"
    ),
    "reads-standard-input": (
        "import sys, subprocess\nassert sys.stdin.read() == ''",
        "subprocess.run(['cat'], check=True)",
    ),
    "path-emptied": ("import sys\nsys.path.clear()", "x = 1"),
    "no-time-for-sockets": ("import socket\nsocket.setdefaulttimeout(0.001)", "x = 1"),
    "environment-emptied": ("import os\nos.environ.clear()", "x = 1"),
    "no-permissions": ("import os\nos.umask(0o777)", "x = 1"),
    "no-garbage-collection": ("import gc\ngc.disable()\ngc.freeze()", "x = 1"),
}

COLD = [
    "segfault",
    "kills-itself",
    "kills-its-parent",
    "leaves",
    "stops-itself",
    "closes-all-files",
    "forks-and-raises",
    "message-raises",
    "half-a-character",
    "exit",
    "input",
    "forks-and-falls-through",
    "daemonises",
    "closes-standard-files",
    "thread-without-end",
    "works-at-its-end",
    "pool-left",
]
"""What is looked at once more with kernels that are started."""

FRESH = """
import ast, asyncio, atexit, builtins, gc, os, signal, socket, sys, threading, warnings
assert os.getcwd() == os.path.dirname(os.path.realpath("control.md")) and os.path.exists("control.md")
assert len(In) == 2 and "PATH" in os.environ
assert signal.getsignal(signal.SIGINT) is not signal.SIG_IGN and signal.getsignal(signal.SIGCHLD) != signal.SIG_IGN
assert callable(print) and callable(open) and sum([1]) == 1
assert not warnings.filters or warnings.filters[0][0] != "error"
assert not get_ipython().ast_transformers and gc.isenabled() and socket.getdefaulttimeout() is None
assert sys.gettrace() is None and sys.getprofile() is None and sys.path and sys.stdout.write
mask = os.umask(0o022)
assert mask != 0o777
os.fstat(0), os.fstat(1), os.fstat(2)
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Told]:
    """What one run of pytest reports of all pages, each followed by one that looks whether all is as it should be."""

    @cache
    def run(kernels: str) -> Told:
        folder = tmp_path_factory.mktemp("pages")
        for name, cells in {**PASSING, **{name: cells for name, (cells, _, _) in FAILING.items()}}.items():
            if kernels == "fork" or name in COLD:
                write_pages(folder, {name: cells, f"{name}-after": FRESH} if kernels == "fork" else {name: cells})
        write_pages(folder, {"control": "x = 1"})
        found = run_pages(folder, "--celltask-kernels", kernels, "-o", "celltask_timeout=30")
        for left in folder.glob("daemon-*"):
            assert not Path("/proc", left.name.partition("-")[2]).exists(), "the daemon lives on"
        return found

    return run


@pytest.mark.parametrize(("name", "kernels"), both_kernels(FAILING, COLD))
def test_a_harmful_cell_fails_at_its_line(told: Callable[[str], Told], name: str, kernels: str) -> None:
    """With the line and what happened, be it that the process is gone."""
    _, line, what = FAILING[name]
    assert told(kernels).failures[name] == [f"{name}.md:{line}: {what}"]


@pytest.mark.parametrize(("name", "kernels"), both_kernels(PASSING, COLD))
def test_an_odd_cell_passes_and_those_below_it_run(told: Callable[[str], Told], name: str, kernels: str) -> None:
    """As they do at the reader's."""
    assert told(kernels).failures[name] == []


@pytest.mark.parametrize("name", [*FAILING, *PASSING])
def test_the_document_after_it_meets_a_fresh_kernel(told: Callable[[str], Told], name: str) -> None:
    """In its own folder, with nothing of what was done before."""
    assert told("fork").failures[f"{name}-after"] == []
