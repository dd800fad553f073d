"""Documents with something broken in them: the rest can be used, and what cannot is told."""

from __future__ import annotations

import inspect
import json
import os
from typing import TYPE_CHECKING

import pytest
from document_pages import TASKS, function_of, page

from celltask import load_document
from celltask.cli.main import main
from celltask.documents.failed import Failed
from celltask.documents.outline import Cell
from celltask.documents.reader import read_document
from celltask.documents.unreadable import unreadable
from celltask.errors import BodyError, CelltaskError, DocumentError, InterfaceError, PurityError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GOOD = "%%task\ndef good(x: int) -> int:\n    return x + 1"

BROKEN = [
    pytest.param("y = = 2", SyntaxError, "invalid syntax: y = = 2", "", id="syntax"),
    pytest.param("the other table too", SyntaxError, "invalid syntax: the other table too", "", id="note"),
    pytest.param("%%task\nx = 1", BodyError, "no def stands below %%task", "", id="no-def"),
    pytest.param("%%task --cach\ndef f() -> int: return 1", CelltaskError, "--cach", "f", id="header"),
    pytest.param("%%task\ndef f() -> int:\n    y = = 2", SyntaxError, "invalid syntax: y = = 2", "f", id="task"),
]


def as_notebook(tmp_path: Path, *cells: str) -> Path:
    """A notebook with these code cells."""
    path = tmp_path / "broken_notebook.ipynb"
    found = [{"cell_type": "code", "metadata": {}, "source": cell} for cell in cells]
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": found}))
    return path


@pytest.mark.parametrize(("text", "kind", "reason", "name"), BROKEN)
@pytest.mark.parametrize("make", [page, as_notebook], ids=["page", "notebook"])
def test_a_task_can_be_had_from_a_document_with_a_broken_cell(  # noqa: PLR0913, PLR0917 - a table
    tmp_path: Path, make: Callable[..., Path], text: str, kind: type[Exception], reason: str, name: str
) -> None:
    """A cell that cannot be read and is not needed is left out, with the reason in one line, and noticed."""
    del kind, name
    document = load_document(make(tmp_path, GOOD, text), ["good"])
    assert document.tasks["good"](x=1) == 2
    (left,) = document.left_out
    (notice,) = document.notices
    assert (left.cell, left.text) == (2, text.partition("\n")[0])
    assert left.reason.startswith("could not be read: ")
    assert reason in left.reason
    assert notice.what == f"cell 2 {left.reason}"
    assert document.failed == ()


@pytest.mark.parametrize(("text", "kind", "reason", "name"), BROKEN)
def test_what_is_broken_is_collected_where_all_is_asked_for(
    tmp_path: Path, text: str, kind: type[Exception], reason: str, name: str
) -> None:
    """The good tasks load, and the cell stands in `failed` with its place, its name and its error."""
    document = load_document(page(tmp_path, GOOD, text))
    assert list(document.tasks) == ["good"]
    (failed,) = document.failed
    assert (failed.cell, failed.name) == (2, name)
    assert 10 <= failed.line <= 12
    assert isinstance(failed.error, kind)
    assert reason in str(failed.error) or reason.startswith(str(failed.error.msg))  # type: ignore[attr-defined]  # a SyntaxError has it
    if name:
        with pytest.raises(kind) as caught:
            document.tasks[name]
        assert caught.value is failed.error


REFUSED = [
    pytest.param("%%task\ndef bad(x) -> int: return 1", InterfaceError, id="no-type"),
    pytest.param("rows = []\n%task\ndef bad() -> int: return len(rows)", PurityError, id="impure"),
    pytest.param("from celltask import task\nbad = task(lambda x: x)", InterfaceError, id="assigned"),
    pytest.param("%%task\ndef bad() -> int:\n    x = 1\n    global x\n    return 1", SyntaxError, id="compiler"),
]


@pytest.mark.parametrize(("text", "kind"), REFUSED)
def test_a_definition_that_is_refused_leaves_the_others(tmp_path: Path, text: str, kind: type[Exception]) -> None:
    """It stands in `failed`, its name raises its error, and it is in nobody's way if others are asked for by name."""
    path = page(tmp_path, GOOD, text)
    document = load_document(path)
    assert (list(document.tasks), list(document.workflows)) == (["good"], [])
    assert [(item.cell, item.name, type(item.error)) for item in document.failed] == [
        (2, "bad", type(document.failed[0].error))
    ]
    for found in (document.tasks, document.workflows):
        with pytest.raises(kind):
            found["bad"]
    assert "bad" not in document.tasks
    assert document.tasks.get("bad") is None
    assert load_document(path, ["good"]).failed == ()
    with pytest.raises(kind):
        load_document(path, ["bad"])


def test_what_needs_a_refused_definition_fails_for_that_reason(tmp_path: Path) -> None:
    """A workflow of a task that could not be loaded is not defined either, and its error tells why."""
    bad = "%%task\ndef bad(x) -> int: return 1"
    document = load_document(page(tmp_path, GOOD, bad, f"{TASKS}@workflow\ndef wf() -> int: return bad(x=1)"))
    assert [(item.cell, item.name) for item in document.failed] == [(2, "bad"), (3, "wf")]
    with pytest.raises(DocumentError) as caught:
        document.workflows["wf"]
    assert str(caught.value) == (
        "'wf' needs 'bad', which could not be loaded: input 'x' of task 'bad' has no type\n"
        "  at: tutorial_page.md, cell 3, line 16\n"
        "  mend: mend cell 2, line 10, first"
    )
    assert isinstance(caught.value.__cause__, NameError)


NEEDS = [
    pytest.param("def helper(x: int -> int:\n    return x", "return helper(x)", "helper", id="function"),
    pytest.param("FACTOR = (2", "return x * FACTOR", "FACTOR", id="constant"),
    pytest.param("import math as m, json\n1 +", "return int(m.pi)", "m", id="import"),
    pytest.param("from math import (\n", "return x", "", id="nothing"),
]


@pytest.mark.parametrize(("text", "body", "name"), NEEDS)
def test_a_task_that_needs_a_broken_cell_is_refused_with_the_cell(
    tmp_path: Path, text: str, body: str, name: str
) -> None:
    """What would only be noticed when the task runs is told before: the name, the cell, and what is wrong with it."""
    path = page(tmp_path, GOOD, text, f"%%task\ndef user(x: int) -> int: {body}")
    if not name:
        assert load_document(path, "user").tasks["user"](x=1) == 1
        return
    with pytest.raises(DocumentError, match=f"'{name}' is needed, but cell 2 could not be read: ") as caught:
        load_document(path, "user")
    assert caught.value.where.startswith("tutorial_page.md, cell 2, line 1")
    assert isinstance(caught.value.__cause__, SyntaxError)
    document = load_document(path)
    assert list(document.tasks) == ["good"]
    with pytest.raises(DocumentError, match=f"'user' needs '{name}'; cell 2 could not be read: "):
        document.tasks["user"]
    assert load_document(path, "good").tasks["good"](x=1) == 2


def test_a_statement_that_fails_for_want_of_a_broken_cell_tells_it(tmp_path: Path) -> None:
    """A name that is not bound while the document is executed is laid to the cell that could not be read."""
    path = page(
        tmp_path, "from math import *\nfor pi2 in [1:\n    pass", "%%task\ndef f(x: int = pi2) -> int: return x", GOOD
    )
    with pytest.raises(DocumentError) as caught:
        load_document(path, "f")
    assert caught.value.what.startswith("'f' needs 'pi2'; cell 1 could not be read: ")
    document = load_document(path)
    assert list(document.tasks) == ["good"]
    assert [(item.cell, item.name) for item in document.failed] == [(1, ""), (2, "f")]


WANTED = [
    pytest.param("f", "'f' is needed, but cell 2 could not be read: ", id="defined-in-it"),
    pytest.param("iris", "'iris' is needed, but cell 2 could not be read: ", id="named-in-it"),
    pytest.param("zzz", "no task or workflow is called 'zzz'; cell 2 could not be read: ", id="unknown"),
]


@pytest.mark.parametrize(("name", "what"), WANTED)
def test_a_name_that_is_not_found_is_laid_to_the_broken_cell(tmp_path: Path, name: str, what: str) -> None:
    """Whoever asks for a task that stands in a broken cell, or may stand there, is told of the cell."""
    text = "%%task --name iris\ndef f(x: int -> int:\n    return 1"
    with pytest.raises(DocumentError) as caught:
        load_document(page(tmp_path, GOOD, text), name)
    assert caught.value.what.startswith(what)


def test_a_broken_new_definition_is_not_replaced_by_the_old_one(tmp_path: Path) -> None:
    """The last definition counts, also if it cannot be read; a good one below a broken one counts as ever."""
    old, broken = "%%task\ndef f() -> int: return 1", "%%task\ndef f() -> int: return ("
    path = page(tmp_path, old, GOOD, broken)
    with pytest.raises(DocumentError, match="'f' is needed, but cell 3 could not be read"):
        load_document(path, "f")
    document = load_document(path)
    assert list(document.tasks) == ["good"]
    with pytest.raises(SyntaxError):
        document.tasks["f"]
    path = page(tmp_path, broken, GOOD, old)
    assert load_document(path, "f").tasks["f"]() == 1
    document = load_document(path)
    assert document.tasks["f"]() == 1
    assert [item.cell for item in document.failed] == [1]


def test_a_refused_definition_that_is_written_again_below_does_not_count(tmp_path: Path) -> None:
    """The later one is loaded, by name too; where the later one is refused, the earlier one is not taken."""
    old, refused = "%%task\ndef f() -> int: return 1", "%%task\ndef f(x) -> int: return 1"
    path = page(tmp_path, refused, old)
    by_name = load_document(path, "f")
    assert by_name.tasks["f"]() == 1
    assert [left.reason for left in by_name.left_out] == ["raises InterfaceError, and is defined again below"]
    document = load_document(path)
    assert document.tasks["f"]() == 1
    assert [item.name for item in document.failed] == ["f"]
    path = page(tmp_path, old, GOOD, refused)
    with pytest.raises(InterfaceError):
        load_document(path, "f")
    assert list(load_document(path).tasks) == ["good"]


@pytest.mark.parametrize("make", [page, as_notebook], ids=["page", "notebook"])
def test_the_last_definition_of_a_task_counts(tmp_path: Path, make: Callable[..., Path]) -> None:
    """It is what is loaded, its source is shown, and the document tells of the others."""
    old, new = "%%task\ndef f() -> int: return 1", "%%task\ndef f() -> int: return 2"
    document = load_document(make(tmp_path, GOOD, old, new), "f")
    assert document.tasks["f"]() == 2
    assert "return 2" in inspect.getsource(function_of(document.tasks["f"]))  # type: ignore[arg-type]  # a function
    assert ", cell 3, line " in document.tasks["f"].place
    (notice,) = document.notices
    assert notice.what == "'f' is defined 2 times, in cells 2, 3; the last definition counts"
    assert load_document(tmp_path / os.path.basename(document.path), "good").notices == ()  # noqa: PTH119 - a name


def test_nothing_but_broken_things_is_an_error(tmp_path: Path) -> None:
    """A document of which nothing can be loaded raises the first of its errors."""
    refused = "%%task\ndef f(x) -> int: return 1"
    with pytest.raises(InterfaceError):
        load_document(page(tmp_path, "import math", refused, "y = = 2"))
    with pytest.raises(SyntaxError):
        load_document(page(tmp_path, "import math", "y = = 2", refused))


def test_imports_that_only_a_broken_cell_reads_are_not_executed(tmp_path: Path) -> None:
    """They were not imported for what they do."""
    document = load_document(page(tmp_path, "import no_such_module_at_all", GOOD, "no_such_module_at_all.go("), "good")
    assert [left.cell for left in document.left_out] == [1, 3]


def test_other_errors_of_the_document_are_as_ever(tmp_path: Path) -> None:
    """An exception of the document's own statements is raised; only what celltask refuses is collected."""
    path = page(tmp_path, GOOD, "%%task\ndef f(x: int = 1 // 0) -> int: return x")
    with pytest.raises(ZeroDivisionError):
        load_document(path)
    path = page(
        tmp_path, GOOD, "%%task\ndef f(x: int = misspelt) -> int: return x", "%%task\ndef g(x) -> int: return x"
    )
    with pytest.raises(NameError):
        load_document(path)


def test_executing_all_collects_definitions_but_no_demonstrations(tmp_path: Path) -> None:
    """A refused definition does not keep the others, by name or not; a call that is refused is an error."""
    refused = "%%task\ndef f(x) -> int: return 1"
    path = page(tmp_path, GOOD, refused, "print(good(x=1))")
    assert [item.name for item in load_document(path, execute_all=True).failed] == ["f"]
    assert list(load_document(path, "good", execute_all=True).tasks) == ["good"]
    with pytest.raises(InterfaceError):
        load_document(path, "f", execute_all=True)
    with pytest.raises(CelltaskError):
        load_document(page(tmp_path, GOOD, "good(y=1)"), execute_all=True)


def test_an_unknown_task_is_a_key_error_with_near_names(tmp_path: Path) -> None:
    """A document's tasks and workflows answer a wrong name as they answer a broken one: in words."""
    document = load_document(
        page(tmp_path, f"{TASKS}@task\ndef train() -> int: return 1\n@workflow\ndef wf() -> int: return train()")
    )
    with pytest.raises(KeyError) as caught:
        document.tasks["trian"]
    assert isinstance(caught.value, UnknownNameError)
    assert str(caught.value) == "no task is called 'trian'\n  at: tutorial_page.md\n  mend: did you mean 'train'?"
    with pytest.raises(UnknownNameError, match="it is a workflow: take it from workflows"):
        document.tasks["wf"]
    with pytest.raises(UnknownNameError, match="use one of: wf"):
        document.workflows["zzz"]
    with pytest.raises(UnknownNameError):
        load_document(document.path, "trian")
    assert document.tasks == dict(document.tasks)


def test_a_plain_module_is_loaded_whole_or_not_at_all(tmp_path: Path) -> None:
    """Python stops at what it cannot define."""
    path = tmp_path / "broken_module.py"
    path.write_text(f"{TASKS}@task\ndef good() -> int: return 1\n@task\ndef bad(x) -> int: return 1\n")
    with pytest.raises(InterfaceError):
        load_document(path, "good")


def test_cells_tagged_to_raise_or_be_skipped_are_not_failures(tmp_path: Path) -> None:
    """Their authors know; they are left out as ever, and nothing is noticed."""
    document = load_document(
        page(
            tmp_path,
            GOOD,
            ":tags: [raises-exception]\n\ny = = 2",
            ":tags: [raises-exception]\n\n%%task\ndef bad(x) -> int: return x",
            ":tags: [skip-execution]\n\ny = = 2",
        )
    )
    assert (document.failed, document.notices) == ((), ())
    assert [left.reason for left in document.left_out] == [
        "raises an exception, as its tag says",
        "raises InterfaceError, as its tag says",
        "is tagged skip-execution",
    ]


def test_a_module_that_exits_tells_the_line(tmp_path: Path) -> None:
    """So does a package around it."""
    path = tmp_path / "exiting_module.py"
    path.write_text("import sys\n\nsys.exit('no')\n")
    with pytest.raises(DocumentError) as caught:
        load_document(path)
    assert (caught.value.what, caught.value.where) == (
        "the module ends the process (SystemExit('no'))",
        "exiting_module.py, line 3",
    )
    package = tmp_path / "exiting_package"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit(3)\n")
    (package / "stages.py").write_text(f"{TASKS}@task\ndef f() -> int: return 1\n")
    with pytest.raises(
        DocumentError, match="the package exiting_package, which the document stands in, ends the process"
    ):
        load_document(package / "stages.py")


@pytest.mark.parametrize("path", ["none.md", "./none.md", "docs/none.md", "../none.md"])
def test_a_missing_document_is_told_as_it_was_given(tmp_path: Path, path: str) -> None:
    """The reader knows what they typed."""
    (tmp_path / "nine.md").write_text("x")
    with pytest.raises(DocumentError, match="there is no such document") as caught:
        read_document(path)
    assert caught.value.where == path
    if path == "none.md":
        assert caught.value.mend == "did you mean nine.md?"


def test_the_command_line_lists_what_loads_and_tells_what_failed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The good ones on standard output, each mistake in three lines on standard error, and exit code 2."""
    page(tmp_path, GOOD, "y = = 2", "%%task\ndef bad(x) -> int: return 1")
    assert main(["tasks", "tutorial_page.md"]) == 2
    told = capsys.readouterr()
    assert told.out == "task good(x: int) -> (o0: int)\n    tutorial_page.md, cell 1, line 4\n"
    assert [line.split(": ")[0] for line in told.err.splitlines()] == [
        "this is not Python",
        "  at",
        "  mend",
        "input 'x' of task 'bad' has no type",
        "  at",
        "  mend",
    ]
    assert main(["run", "tutorial_page.md", "good", "--x", "1", "--quiet"]) == 0
    assert capsys.readouterr() == ("2\n", "")
    for command in ("run", "show", "graph"):
        assert main([command, "tutorial_page.md"]) == 2
        assert capsys.readouterr().err.startswith("input 'x' of task 'bad' has no type\n")


def test_the_command_line_shows_the_last_definition(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With its place and source, and how many there are."""
    page(tmp_path, "%%task\ndef f() -> int: return 1", "%%task\ndef f() -> int: return 2")
    assert main(["show", "tutorial_page.md", "f"]) == 0
    told = capsys.readouterr().out
    assert "  defined  tutorial_page.md, cell 2, line 9\n" in told
    assert "\nSource\n  %%task\n  def f() -> int: return 2\n" in told
    assert "\nTo notice\n  line 9: 'f' is defined 2 times, in cells 1, 2; the last definition counts" in told


BINDS = [
    ("import a.b, c as d", "a d"),
    ("from a import b as c, d", "c d"),
    ("a, b = 1, 2\nc: int = 3\nd == 4\ne.f = 5", "a b c"),
    ("def f(x=1):\n    y = 2\nclass A: pass\nasync def g(): pass", "A f g"),
    ("  def f(:\n    x = 1", "f"),
    ("%%task clean -> rows: list\nx: int", "clean"),
    ("# %task --cache\ndef f(", "f"),
    ("@task(retries=1, name='iris')\ndef f(", "f iris"),
    ("see the notes below", ""),
]


@pytest.mark.parametrize(("text", "names"), BINDS, ids=[text.split("\n")[0] for text, _ in BINDS])
def test_the_names_of_a_broken_cell_are_read_off_its_lines(text: str, names: str) -> None:
    """What stands at the left edge counts, and nothing inside a function does."""
    assert " ".join(sorted(unreadable(Cell(1, text, first_line=1), SyntaxError("no")).binds)) == names


def test_a_failed_definition_is_plain_data() -> None:
    """It can be made and compared like any tuple."""
    error = SyntaxError("no")
    assert Failed(1, 2, "f", error) == (1, 2, "f", error)
