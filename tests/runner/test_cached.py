"""`celltask test --cached`: documents that passed run again only when something has changed for them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli, MakePage


def state(cli: Cli, name: str = "page.md") -> object:
    """Whether the document was left out, or why it was run; all cells pass."""
    said = cli("test", name, "--cached", "--json")
    told = json.loads(said.out)["documents"][0]
    assert said.code == 0, said.out
    return "unchanged" if told["unchanged"] else told["why"]


def test_a_document_that_passed_is_left_out(cli: Cli, folder: Path, page: MakePage) -> None:
    """It is told so, and prose may change."""
    path = page("x = 1")
    assert state(cli) == ""
    path.write_text(path.read_text().replace("# A page", "# The page\n\nMore."))
    said = cli("test", "page.md", "--cached")
    assert said.lines[:3] == ["page.md  unchanged since it passed", "", said.lines[2]]
    assert said.lines[2].startswith("1 unchanged in 1 document, ")
    assert (folder / ".celltask/.gitignore").read_text() == "*\n"


def test_a_changed_cell_forces_a_run(cli: Cli, page: MakePage) -> None:
    """And so does a changed tag."""
    page("x = 1")
    state(cli)
    page("x = 2")
    assert state(cli) == "its cells or settings changed"
    page(":tags: [slow]\n\nx = 2")
    assert state(cli) == "its cells or settings changed"
    assert state(cli) == "unchanged"


def test_a_file_that_was_read_forces_a_run(cli: Cli, folder: Path, page: MakePage) -> None:
    """It is named; the same content under another time is no change."""
    (folder / "data").mkdir()
    file = folder / "data/prices.csv"
    file.write_text("1")
    page("import pathlib\nx = pathlib.Path('data', 'prices.csv').read_text()")
    assert state(cli) == ""
    file.write_text("1")
    assert state(cli) == "unchanged"
    file.write_text("2")
    said = cli("test", "page.md", "--cached")
    assert said.lines[0].startswith("page.md  1 passed in ")
    assert said.lines[0].endswith(" (data/prices.csv changed)")
    assert state(cli) == "unchanged"


def test_a_file_that_appears_or_goes_forces_a_run(cli: Cli, folder: Path, page: MakePage) -> None:
    """Where the document had looked for it."""
    page("try:\n    x = open('maybe.' + 'txt').read()\nexcept FileNotFoundError:\n    x = ''")
    state(cli)
    (folder / "maybe.txt").write_text("a")
    assert state(cli) == "maybe.txt is new"
    (folder / "maybe.txt").unlink()
    assert state(cli) == "maybe.txt is gone"


def test_a_listed_folder_forces_a_run(cli: Cli, folder: Path, page: MakePage) -> None:
    """When it holds other files."""
    (folder / "data").mkdir()
    (folder / "data/a.txt").touch()
    page("import os\nnames = os.listdir('da' + 'ta')")
    state(cli)
    (folder / "elsewhere.txt").touch()
    assert state(cli) == "unchanged"
    (folder / "data/b.txt").touch()
    assert state(cli) == "other files are in data"


def test_a_local_module_forces_a_run(cli: Cli, folder: Path, page: MakePage) -> None:
    """Also one that is imported by another."""
    (folder / "outer.py").write_text("import inner\n")
    (folder / "inner.py").write_text("x = 1\n")
    page("import outer")
    state(cli)
    assert state(cli) == "unchanged"
    (folder / "inner.py").write_text("x = 22\n")
    assert state(cli) == "inner.py changed"


def test_a_file_that_only_another_language_opens_counts_by_its_name(cli: Cli, folder: Path, page: MakePage) -> None:
    """Polars reads without Python's knowledge, but a cell names what it reads: a file, a pattern or a folder."""
    for name in ("a.csv", "data/b.csv"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("n\n1\n")
    page("import polars\nx = polars.read_csv('a.csv')", "y = polars.read_csv('data/*.csv')")
    state(cli)
    assert state(cli) == "unchanged"
    (folder / "a.csv").write_text("n\n2\n")
    assert state(cli) == "a.csv changed"
    (folder / "data/b.csv").write_text("n\n2\n")
    assert state(cli) == "data/b.csv changed"


def test_another_version_of_a_package_forces_a_run(cli: Cli, folder: Path, page: MakePage) -> None:
    """And another Python."""
    page("import yaml")
    state(cli)
    record = folder / ".celltask/passed/page.md.json"
    told = json.loads(record.read_text())
    version = told["inputs"]["packages"]["PyYAML"]
    told["inputs"]["packages"]["PyYAML"] = "1.0"
    record.write_text(json.dumps(told))
    assert state(cli) == f"PyYAML is {version}, and was 1.0"
    told["inputs"]["python"] = "2.7"
    record.write_text(json.dumps(told))
    assert str(state(cli)).startswith(f"Python is {sys.version_info[0]}.")


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("!true", "it starts other programs"),
        ("import subprocess\nsubprocess.run(['true'])", "it starts other programs"),
        (
            "import socket\ns = socket.create_server(('127.0.0.1', 0))\nc = socket.create_connection(s.getsockname())",
            "it connects to 127.0.0.1",
        ),
        (
            "import multiprocessing as m\np = m.get_context('spawn').Process(target=print)\np.start(); p.join()",
            "it works in other processes",
        ),
        (
            "p = 'inp' + 'ut.txt'\nx = open(p).read()\nopen(p, 'a').write('1')",
            "it changes input.txt, which it reads",
        ),
    ],
    ids=["command", "subprocess", "network", "processes", "own-input"],
)
def test_a_document_whose_inputs_are_not_known_runs_always(
    cli: Cli, folder: Path, page: MakePage, cell: str, why: str
) -> None:
    """And tells why."""
    (folder / "input.txt").write_text("1")
    page(cell)
    assert state(cli) == ""
    assert state(cli) == why


def test_what_a_document_writes_is_no_input(cli: Cli, folder: Path, page: MakePage) -> None:
    """Also if it reads it afterwards."""
    page("import pathlib, time\np = pathlib.Path('out.txt')\np.write_text(str(time.time()))\nx = p.read_text()")
    state(cli)
    (folder / "out.txt").write_text("other")
    assert state(cli) == "unchanged"


def test_failures_are_never_kept(cli: Cli, folder: Path, page: MakePage) -> None:
    """Nor does an earlier success outlive one."""
    (folder / "n.txt").write_text("1")
    page("assert open('n.txt').read() == '1'")
    state(cli)
    (folder / "n.txt").write_text("2")
    assert cli("test", "page.md", "--cached").code == 1
    assert cli("test", "page.md", "--cached").code == 1
    (folder / "n.txt").write_text("1")
    assert state(cli) == ""


def test_a_part_of_a_document_is_always_run(cli: Cli, page: MakePage) -> None:
    """It leaves no record, and none makes up for it."""
    page("x = 1", "y = 2")
    assert state(cli, "page.md::y") == ""
    assert state(cli) == ""
    assert state(cli, "page.md::y") == ""
    assert state(cli) == "unchanged"


def test_a_spoilt_record_counts_for_nothing(cli: Cli, folder: Path, page: MakePage) -> None:
    """The document is run as if it never was."""
    page("x = 1")
    state(cli)
    (folder / ".celltask/passed/page.md.json").write_text("{")
    assert state(cli) == ""


def test_other_settings_force_a_run(cli: Cli, folder: Path, page: MakePage) -> None:
    """A document may fail where warnings are errors."""
    page("x = 1")
    (folder / "pytest.ini").write_text("[pytest]\n")
    state(cli)
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    assert state(cli) == "its cells or settings changed"
