"""One run of pytest over many pages, of which each shows what becomes of one cell."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

Cells = Mapping[str, "str | tuple[str, ...]"]

USED = re.compile(r" \(CPU \d+\.\d s, at most \d+ MiB\)")
ANY_NUMBER = re.compile(r"(?<=Task-)\d+|(?<=Thread-)\d+( \(\w+\))?|(?<=position )\d+|(?<=at )0x[0-9a-f]+")


class Told(NamedTuple):
    """What a run of pytest reported."""

    failures: dict[str, list[str]]
    """By page: the last line of each of its failures, without the numbers that vary."""
    output: str
    status: int


def both_kernels(names: Iterable[str], cold: Collection[str]) -> list[tuple[str, str]]:
    """Each name with the kernels that it is tried with: forked ones, and started ones if it is in `cold`."""
    listed = list(names)
    return [*((name, "fork") for name in listed), *((name, "cold") for name in listed if name in cold)]


def write_pages(folder: Path, pages: Cells) -> None:
    """A MyST page of each cell, or of several; the first cell's code begins in line 4, unless it has options."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, cells in pages.items():
        fences = [f"```{{code-cell}}\n{cell}\n```\n" for cell in ([cells] if isinstance(cells, str) else cells)]
        (folder / f"{name}.md").write_text("# A page\n\n" + "\nProse.\n\n".join(fences), encoding="utf-8")


def run_pages(folder: Path, *options: str, within_s: float = 150) -> Told:
    """Run pytest in `folder` with --celltask; it must end within some seconds."""
    command = [sys.executable, "-m", "pytest", "--celltask", "-p", "no:cacheprovider", "--junit-xml=told.xml", *options]
    done = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=within_s,
        check=False,
    )
    output = done.stdout.decode(errors="replace")
    assert (folder / "told.xml").exists(), f"pytest ended with {done.returncode}: {output[-3000:]}"
    failures: dict[str, list[str]] = {}
    for case in ET.parse(folder / "told.xml").iter("testcase"):  # noqa: S314 - our own file
        found = failures.setdefault(str(case.get("classname")).removesuffix(".md"), [])
        for part in case:
            if part.tag in {"failure", "error"}:
                last = (part.text or "").strip().splitlines()[-1]
                found.append(ANY_NUMBER.sub("…", USED.sub("", last)))
    return Told(failures, output, done.returncode)
