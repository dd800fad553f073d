"""`celltask cache`, `celltask runs`, and what `celltask run` says of reuse."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from command_line import Cli

pytestmark = pytest.mark.usefixtures("own_store")

PAGE = """
from celltask import task, workflow

RATE = 3

@task(cache=True)
def load(n: int) -> list[float]:
    return [float(i) for i in range(n)]

@task(cache=True)
def total(xs: list[float]) -> float:
    return sum(xs) * RATE

@workflow
def wf(n: int = 4) -> float:
    return total(load(n))
"""


@pytest.fixture
def page(folder: Path) -> Path:
    """A document in the working directory."""
    file = folder / "cached.py"
    file.write_text(PAGE, encoding="utf-8")
    return file


def columns(text: str) -> list[list[str]]:
    """The cells of a table, without keys and ages."""
    return [re.split(r"  +", line.strip()) for line in text.splitlines()]


def test_a_dry_run_tells_what_would_run_and_why(cli: Cli, page: Path) -> None:
    """Nothing runs; after a run, what changed is named."""
    assert columns(cli("run", "cached.py", "wf", "--dry-run").out) == [
        ["node", "name", "action", "why"],
        ["n0", "load", "run", "no earlier run"],
        ["n1", "total", "run", "a node before it runs"],
    ]
    assert cli("run", "cached.py", "wf").out == "18.0\n"
    page.write_text(PAGE.replace("RATE = 3", "RATE = 4"), encoding="utf-8")
    assert columns(cli("run", "cached.py", "wf", "--dry-run").out)[1:] == [
        ["n0", "load", "reuse", "same code, same inputs"],
        ["n1", "total", "run", "constant RATE 3 → 4"],
    ]
    told = json.loads(cli("run", "cached.py", "wf", "--dry-run", "--refresh", "--json").out)
    assert told["nodes"][0] == {"id": "n0", "label": "load", "action": "run", "because": "refresh asked for"}


@pytest.mark.usefixtures("page")
def test_a_refreshed_run_computes_anew(cli: Cli) -> None:
    """Without the option the second run reuses; with it, it does not."""
    states = []
    for options in ([], [], ["--refresh"]):
        run = json.loads(cli("run", "cached.py", "wf", "--json", *options).out)
        states.append([node["state"] for node in run["nodes"]])
    assert states == [["done"] * 2, ["reused"] * 2, ["done"] * 2]


@pytest.mark.usefixtures("page")
def test_kept_results_are_listed_shown_and_removed(cli: Cli, own_store: Path) -> None:
    """By task, by the beginning of a key, as a table or as JSON."""
    cli("run", "cached.py", "wf")
    cli("run", "cached.py", "wf", "--n", "5")
    listed = cli("cache", "ls").out.splitlines()
    assert listed[0].split() == ["key", "task", "size", "made"]
    assert listed[-1] == f"4 results, 50 B, in {own_store}"
    entries: list[dict[str, Any]] = json.loads(cli("cache", "ls", "load", "--json").out)
    assert [entry["task"] for entry in entries] == ["load", "load"]
    shown = cli("cache", "show", entries[0]["key"][:8]).out
    assert [line.split()[0] for line in shown.splitlines()][:4] == ["key", "task", "made", "size"]
    assert "state      whole" in shown
    assert cli("cache", "rm", entries[0]["key"][:8], "total").out == f"removed 3 results, 32 B, from {own_store}\n"
    assert len(json.loads(cli("cache", "ls", "--json").out)) == 1


@pytest.mark.usefixtures("page")
def test_results_are_collected_by_size_and_age(cli: Cli, own_store: Path) -> None:
    """The longest unused go first; what is younger than the age given stays."""
    for n in ("4", "5", "6"):
        cli("run", "cached.py", "load", "--n", n)
    assert cli("cache", "gc", "--older-than", "1d").out == f"removed 0 results, 0 B, from {own_store}\n"
    cli("cache", "gc", "--max-size", "30B")
    assert json.loads(cli("run", "cached.py", "load", "--n", "6", "--json").out)["nodes"][0]["state"] == "reused"
    assert len(json.loads(cli("cache", "ls", "--json").out)) == 1


@pytest.mark.usefixtures("page")
def test_runs_are_listed_and_shown(cli: Cli) -> None:
    """With states, times, and why each cached node ran."""
    assert cli("runs", "ls").out == "no run is recorded\n"
    cli("run", "cached.py", "wf")
    cli("run", "cached.py", "wf", "--n", "5")
    assert [row[1:3] for row in columns(cli("runs", "ls").out)] == [["name", "state"], ["wf", "done"], ["wf", "done"]]
    (newest, _) = json.loads(cli("runs", "ls", "wf", "--json").out)
    shown = json.loads(cli("runs", "show", newest["run"], "--json").out)
    assert [(node["label"], node["state"], node["because"]) for node in shown["nodes"]] == [
        ("load", "done", "input `n` changed"),
        ("total", "done", "input `xs` changed"),
    ]
    assert cli("runs", "show", "wf").out.splitlines()[0] == f"workflow wf, run {newest['run']}: done"
    assert cli("runs", "rm", "--older-than", "1d").out == "removed the records of 0 processes\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["cache", "show", "abc"],
            "no result has a key that begins with 'abc', and no task that name\n  at: celltask cache\n"  # noqa: ISC004 - one message
            "  mend: celltask cache ls tells them\n",
        ),
        (
            ["cache", "gc", "--older-than", "soon"],
            "'soon' is no age\n  at: celltask cache gc --older-than\n  mend: write for example 12h, 30d or 4w\n",
        ),
        (
            ["cache", "gc", "--max-size", "many"],
            "'many' is no size\n  at: celltask cache gc --max-size\n  mend: write for example 500MB or 2GiB\n",
        ),
        (
            ["runs", "show", "abc"],
            "no run 'abc' is recorded\n  at: celltask runs show\n  mend: celltask runs ls tells them\n",
        ),
    ],
)
def test_what_does_not_fit_is_told_with_its_mend(cli: Cli, words: list[str], said: str) -> None:
    """A key, a run, an age or a size that makes no sense."""
    answer = cli(*words)
    assert (answer.code, answer.err) == (2, said)


def test_a_store_that_cannot_be_used_is_told(cli: Cli, own_store: Path) -> None:
    """The commands on results say what is wrong with the folder, and what to do."""
    own_store.write_text("no folder", encoding="utf-8")
    answer = cli("cache", "ls")
    what = f"the folder {own_store} cannot be used ([Errno 17] File exists: '{own_store}')"
    where, mend = "  at: CELLTASK_STORE", "  mend: set CELLTASK_STORE to another folder"
    assert (answer.code, answer.err) == (2, f"{what}\n{where}\n{mend}\n")


@pytest.mark.usefixtures("page")
def test_what_a_running_run_has_made_is_left_alone(cli: Cli, own_store: Path, folder: Path) -> None:
    """Collecting takes results from before the oldest run that goes on, and no others."""
    cli("run", "cached.py", "load", "--n", "4")
    code = "import cached, time\n@cached.task\ndef wait(xs: list[float]) -> int:\n    print('there', flush=True)\n"
    code += "    time.sleep(600)\n    return 1\n\n@cached.workflow\ndef long(n: int) -> int:\n"
    code += "    return wait(cached.load(n))\n\nlong(n=5)\n"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        assert cli("cache", "gc", "--max-size", "0B").out == f"removed 1 result, 18 B, from {own_store}\n"
    finally:
        process.kill()
        process.communicate()
    assert cli("cache", "gc", "--max-size", "0B").out.startswith("removed 1 result")
