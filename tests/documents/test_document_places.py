"""Where the code of a document is said to stand: tracebacks, sources, places and errors."""

from __future__ import annotations

import inspect
import json
import os
import sys
import traceback
from typing import TYPE_CHECKING

import pytest
from document_pages import FORMS, TASKS, function_of, in_form, page

from celltask import load_document
from celltask.errors import BodyError, DocumentError, HeaderError, InterfaceError

if TYPE_CHECKING:
    from pathlib import Path

FAILING = """\
# Page

Text.

```{code-cell}
import math
```

```{code-cell}
:tags: [a]

%%task --retries 0
def fail(x: int) -> int:
    y = x + 1

    return helper(y)
```

- In a list:

  ```{code-cell}
  def helper(x: int) -> int:
      return math.floor(x) // 0
  ```
"""


def test_a_traceback_names_the_lines_of_the_page(tmp_path: Path) -> None:
    """Frames of a task stand at the page's own lines, and show them."""
    path = tmp_path / "failing_page.md"
    path.write_text(FAILING)
    fail = load_document(path).tasks["fail"]
    with pytest.raises(ZeroDivisionError) as caught:
        fail(x=1)
    frames = [frame for frame in traceback.extract_tb(caught.tb) if frame.filename == str(path)]
    assert [(frame.lineno, frame.name, frame.line) for frame in frames] == [
        (16, "fail", "return helper(y)"),
        (23, "helper", "return math.floor(x) // 0"),
    ]


def test_a_traceback_names_the_lines_of_a_notebook_cell(tmp_path: Path) -> None:
    """Frames of a task of a notebook name the notebook, the cell and the line in it."""
    path = tmp_path / "analysis_book.ipynb"
    cells = [
        {"cell_type": "code", "metadata": {}, "source": text}
        for text in ("import math", "%%task\ndef fail() -> int:\n    return 1 // 0")
    ]
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}))
    fail = load_document(path).tasks["fail"]
    with pytest.raises(ZeroDivisionError) as caught:
        fail()
    last = traceback.extract_tb(caught.tb)[-1]
    assert (last.filename, last.lineno, last.line) == (f"{path}:cell 2", 3, "return 1 // 0")
    assert fail.place == "analysis_book.ipynb, cell 2, line 1"


PLACES = [("md", "cell 4, line 30"), ("py", "cell 4, line 36"), ("ipynb", "cell 4, line 1")]


@pytest.mark.parametrize(("form", "place"), PLACES)
def test_a_task_tells_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, place: str) -> None:
    """A place is told as document, cell and line, with the path from the working folder."""
    path = in_form(tmp_path, form)
    area = load_document(path).tasks["area"]
    assert area.place == f"some_forms.{form}, {place}"
    monkeypatch.chdir(tmp_path.parent)
    assert area.place == f"{tmp_path.name}{os.sep}some_forms.{form}, {place}"


@pytest.mark.parametrize("form", FORMS)
def test_the_source_of_a_task_can_be_had(tmp_path: Path, form: str) -> None:
    """`inspect.getsource` shows the function as it stands in the document."""
    document = load_document(in_form(tmp_path, form))
    shown = inspect.getsource(function_of(document.tasks["one"]))
    assert shown == "def one(x: int) -> int:\n    return x + 1\n"
    assert inspect.getsource(function_of(document.tasks["area"])).startswith(
        "@__celltask__.task(cache=True)\ndef area("
    )


def test_the_source_of_a_class_can_be_had(tmp_path: Path) -> None:
    """Classes are found too, though the page around them is no Python."""
    text = f"{TASKS}class Point:\n    x: int = 1\n\n@task\ndef f() -> int: return Point().x"
    point = load_document(page(tmp_path, text)).namespace["Point"]
    assert inspect.getsource(point) == "class Point:\n    x: int = 1\n"  # type: ignore[arg-type]  # a class


SYNTAX = [
    pytest.param("x = 1\ny = = 2", 5, id="line"),
    pytest.param("x = (1,\n\n", 4, id="bracket"),
    pytest.param("def f():\nreturn 1", 5, id="indent"),
    pytest.param("x = 1\n!ls\ny = = 2", 6, id="below-a-magic"),
    pytest.param("%%task\ndef f() -> int:\n    y = = 2", 6, id="in-a-task"),
    pytest.param("x = '''", 4, id="string"),
]


@pytest.mark.parametrize(("text", "line"), SYNTAX)
def test_a_syntax_error_keeps_its_place_in_the_page(tmp_path: Path, text: str, line: int) -> None:
    """The error names the page and the line in it; nothing was executed."""
    path = page(tmp_path, text, "import sys; sys.executed = True")
    with pytest.raises(SyntaxError) as caught:
        load_document(path)
    assert (caught.value.filename, caught.value.lineno) == (str(path), line)
    assert caught.value.__notes__ == ["in tutorial_page.md, cell 1"]
    assert not hasattr(sys, "executed")


def test_a_syntax_error_that_the_compiler_finds_has_its_line_too(tmp_path: Path) -> None:
    """`return` outside of a function is found late, and told at its line."""
    path = page(tmp_path, "import math", "\nreturn 1")
    with pytest.raises(SyntaxError) as caught:
        load_document(path, execute_all=True)
    assert (caught.value.filename, caught.value.lineno) == (str(path), 9)


def test_an_exception_at_the_top_level_is_the_users_own_with_a_note(tmp_path: Path) -> None:
    """What a kept statement raises comes out as it is, told with its place; our frames end at the page."""
    path = page(
        tmp_path,
        "import math",
        f"{TASKS}\ndef check(x):\n    raise KeyError(x)\n\n@task\ndef f(x: int = check(3)) -> int: return x",
    )
    with pytest.raises(KeyError) as caught:
        load_document(path)
    assert caught.value.__notes__ == ["while loading tutorial_page.md, cell 2, line 11"]
    names = [frame.name for frame in traceback.extract_tb(caught.tb) if frame.filename == str(path)]
    assert names == ["<module>", "check"]
    hidden = [
        frame
        for frame, _ in traceback.walk_tb(caught.tb)
        if "celltask" in frame.f_code.co_filename
        and frame.f_code.co_filename != __file__
        and "data" not in frame.f_code.co_filename
    ]
    assert all("__tracebackhide__" in frame.f_locals for frame in hidden if "extension" in frame.f_code.co_filename)


REFUSED = [
    pytest.param(
        "%%task --cach\ndef f() -> int: return 1", HeaderError, "tutorial_page.md, cell 2, line 8", id="header"
    ),
    pytest.param("%%task\nx = 1", BodyError, "tutorial_page.md, cell 2, line 8", id="no-def"),
    pytest.param("%%task\ndef f(x) -> int: return 1", InterfaceError, "tutorial_page.md, cell 2, line 8", id="no-type"),
]


@pytest.mark.parametrize(("text", "error", "where"), REFUSED)
def test_a_cell_that_is_no_task_is_refused_at_its_place(
    tmp_path: Path, text: str, error: type[Exception], where: str
) -> None:
    """Our own refusals name the page, the cell and the line, and bear no second note."""
    with pytest.raises(error) as caught:
        load_document(page(tmp_path, "import math", text))
    assert caught.value.where == where  # type: ignore[attr-defined]  # errors of celltask have it
    assert not hasattr(caught.value, "__notes__")


def test_a_cell_tagged_to_raise_may_raise(tmp_path: Path) -> None:
    """As in a notebook, the rest of that cell is skipped, and the document goes on."""
    document = load_document(
        page(
            tmp_path,
            TASKS + "@task\ndef f() -> int: return 1",
            ":tags: [raises-exception]\n\n@task\ndef bad(x) -> int: return x\n\n@task\ndef never() -> int: return 1",
            ":tags: [raises-exception]\n\nx = = 1",
            "@task\ndef g() -> int: return 2",
        )
    )
    assert list(document.tasks) == ["f", "g"]
    assert [(left.line, left.reason) for left in document.left_out] == [
        (12, "raises InterfaceError, as its tag says"),
        (15, "stands below an exception, as the tag of its cell says"),
        (22, "raises an exception, as its tag says"),
    ]


def test_a_cell_tagged_to_be_skipped_is_skipped(tmp_path: Path) -> None:
    """What notebooks do not execute is not executed here, even if it is no Python."""
    document = load_document(
        page(tmp_path, TASKS + "@task\ndef f() -> int: return 1", ":tags: skip-execution\n\n@task\ndef ...")
    )
    assert list(document.tasks) == ["f"]
    assert [(left.line, left.text, left.reason) for left in document.left_out] == [
        (12, "@task", "is tagged skip-execution")
    ]


def test_cells_of_other_languages_are_left_out(tmp_path: Path) -> None:
    """A page may hold other languages beside Python."""
    path = tmp_path / "mixed_page.md"
    path.write_text("```{code-cell}\n%%task\ndef f() -> int: return 1\n```\n\n```{code-cell} bash\nls\n```\n")
    assert [left.reason for left in load_document(path).left_out] == ["is bash, not Python"]


EMPTY = [
    pytest.param("# Title\n\nText.\n", "open its code cells with ```{code-cell}", id="prose"),
    pytest.param("```{code-cel}\nx = 1\n```\n", "see line 1: write {code-cell}", id="typo"),
]


@pytest.mark.parametrize(("text", "mend"), EMPTY)
def test_a_page_without_code_cells_is_told(tmp_path: Path, text: str, mend: str) -> None:
    """A page of prose holds nothing to load, and the likely reason is told."""
    path = tmp_path / "prose_page.md"
    path.write_text(text)
    with pytest.raises(DocumentError) as caught:
        load_document(path)
    assert (caught.value.what, caught.value.mend) == ("the document has no Python cell", mend)


@pytest.mark.parametrize("suffix", ["md", "py"])
def test_a_document_that_exits_is_an_error(tmp_path: Path, suffix: str) -> None:
    """A document does not end the process that loads it."""
    path = tmp_path / f"exiting_page.{suffix}"
    code = "import sys\nsys.path.append(sys.exit(3))\n"
    path.write_text(f"```{{code-cell}}\n{code}```\n" if suffix == "md" else code)
    with pytest.raises(DocumentError, match=r"ends the process \(SystemExit\(3\)\)"):
        load_document(path)
