"""Each document meets an interpreter that no other has used: no state, options, randomness or place is shared."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import MakePage

pytest_plugins = ["pytester"]

KERNELS = pytest.mark.parametrize("kernels", ["fork", "cold"])

LEAK = """
import ast, builtins, decimal, gc, json, locale, logging, os, random, resource, signal, sys, threading, time, warnings
import numpy, pandas
pandas.set_option("display.max_rows", 3)
numpy.seterr(all="raise")
numpy.set_printoptions(precision=2)
decimal.getcontext().prec = 3
json.odd = random.odd = builtins.odd = 5
logging.basicConfig(level=10)
os.chdir("/")
os.environ.update(ODD="1", TZ="Asia/Tokyo")
time.tzset()
os.umask(0o777)
sys.path.insert(0, "/odd")
sys.argv.append("odd")
sys.setrecursionlimit(5000)
signal.signal(signal.SIGUSR1, lambda *_: None)
resource.setrlimit(resource.RLIMIT_NOFILE, (333, 333))
warnings.simplefilter("error")
get_ipython().ast_transformers.append(ast.NodeTransformer())
get_ipython().display_formatter.formatters["text/plain"].for_type(int, lambda *_: None)
%config InteractiveShell.ast_node_interactivity = "all"
%alias odd echo odd
"""
LOOK = """
import builtins, decimal, gc, json, locale, logging, os, random, resource, signal, sys, threading, time, warnings
import numpy, pandas
assert pandas.get_option("display.max_rows") == 60
assert numpy.geterr()["divide"] == "warn" and numpy.get_printoptions()["precision"] == 8
assert decimal.getcontext().prec == 28
assert not hasattr(json, "odd") and not hasattr(random, "odd") and not hasattr(builtins, "odd")
assert not logging.root.handlers and logging.root.level == logging.WARNING
assert os.path.exists("look.md")
assert "ODD" not in os.environ and time.tzname[0] != "JST"
assert os.umask(0o022) != 0o777
assert "/odd" not in sys.path and "odd" not in sys.argv
assert sys.getrecursionlimit() == 3000 or sys.getrecursionlimit() == 1000
assert signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL
assert resource.getrlimit(resource.RLIMIT_NOFILE) != (333, 333)
assert not warnings.filters or warnings.filters[0][0] != "error"
assert not get_ipython().ast_transformers
assert get_ipython().ast_node_interactivity == "last_expr"
assert "odd" not in dict(get_ipython().alias_manager.aliases)
assert get_ipython().display_formatter.format(5)[0] == {"text/plain": "5"}
assert not {"LEAK", "odd"} & set(globals())
assert len(In) == 2 and not Out
"""


@pytest.mark.skipif(os.name != "posix", reason="some of what is looked at is of Unix")
@KERNELS
def test_a_document_cannot_tell_what_another_did(pytester: pytest.Pytester, page: MakePage, kernels: str) -> None:
    """Options of packages that both import, the shell's own, the process's, and the environment are as at first."""
    page(LEAK.strip(), name="a.md")
    page(LOOK.strip(), name="look.md")
    pytester.runpytest("--celltask", f"--celltask-kernels={kernels}").assert_outcomes(passed=2)


@KERNELS
def test_randomness_is_not_shared(pytester: pytest.Pytester, page: MakePage, kernels: str) -> None:
    """Where a document sets no seed it draws other numbers than the next, also by numpy's older generator."""
    draw = (
        "import json, os, random, tempfile, uuid\nimport numpy\n"
        "drawn = [random.random(), numpy.random.rand(), numpy.random.default_rng().random(), uuid.uuid4().hex]\n"
        "open(os.path.basename(tempfile.mktemp('.drawn')), 'w').write(json.dumps(drawn))"
    )
    for name in ("a.md", "b.md", "c.md"):
        page(draw, name=name)
    pytester.runpytest("--celltask", f"--celltask-kernels={kernels}").assert_outcomes(passed=3)
    drawn = [path.read_text() for path in pytester.path.glob("*.drawn")]
    assert len(drawn) == 3
    numbers = [number for text in drawn for number in text.strip("[]").split(", ")]
    assert len(set(numbers)) == 12


HASHES = "import os\nopen(f'hash-{hash(\"a\")}', 'a').write('x')\nassert 'PYTHONHASHSEED' not in os.environ"


@KERNELS
def test_the_hash_seed_is_told_and_can_be_given(
    pytester: pytest.Pytester, page: MakePage, monkeypatch: pytest.MonkeyPatch, kernels: str
) -> None:
    """All documents of a run have one, so that the order of a set that made one fail can be had again."""
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)
    page(HASHES, name="a.md")
    page(HASHES, name="b.md")
    result = pytester.runpytest_subprocess("--celltask", f"--celltask-kernels={kernels}")
    result.assert_outcomes(passed=2)
    header = next(line for line in result.outlines if line.startswith("celltask: "))
    how = "forked" if kernels == "fork" and hasattr(os, "pidfd_open") else "started"
    found = re.fullmatch(rf"celltask: kernels {how}, hash seed (\d+) \(PYTHONHASHSEED\)", header)
    assert found, header
    assert [path.read_text() for path in pytester.path.glob("hash-*")] == ["xx"]
    monkeypatch.setenv("PYTHONHASHSEED", found[1])
    page("assert hash('a') == " + next(pytester.path.glob("hash-*")).name.removeprefix("hash-"), name="a.md")
    page("import os\nassert os.environ['PYTHONHASHSEED']", name="b.md")
    result = pytester.runpytest_subprocess("--celltask", f"--celltask-kernels={kernels}")
    result.assert_outcomes(passed=2)
    assert header in result.outlines


def test_workers_have_the_seed_that_is_told(
    pytester: pytest.Pytester, page: MakePage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With pytest-xdist the controller tells one seed, and all workers have it."""
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)
    for name in ("a.md", "b.md", "c.md", "d.md"):
        page(HASHES, name=name)
    pytester.runpytest_subprocess("--celltask", "-n", "2").assert_outcomes(passed=4)
    assert [path.read_text() for path in pytester.path.glob("hash-*")] == ["xxxx"]


def test_a_run_without_documents_tells_no_seed(pytester: pytest.Pytester) -> None:
    """Nor one that only collects."""
    pytester.makepyfile("def test_it(): ...")
    assert "hash seed" not in pytester.runpytest().stdout.str()
    assert "hash seed" not in pytester.runpytest("--celltask", "--collect-only").stdout.str()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing ends what left its session")
def test_no_cell_meets_what_another_document_left(pytester: pytest.Pytester, page: MakePage) -> None:
    """Its processes have ended before the first cell of the next, and files of its tasks go with the run."""
    leaves = """from celltask import current_context, task
import subprocess
child = subprocess.Popen(['sleep', '100'], start_new_session=True)
@task
def write() -> str:
    file = current_context().working_directory / 'a.txt'
    file.write_text('a')
    return str(file)
open('left', 'w').write(f'{child.pid} {write()}')"""
    page(leaves, name="a.md")
    page("from pathlib import Path\nassert not Path('/proc', open('left').read().split()[0]).exists()", name="b.md")
    pytester.runpytest_subprocess("--celltask").assert_outcomes(passed=2)
    assert not Path((pytester.path / "left").read_text().split()[1]).exists()
