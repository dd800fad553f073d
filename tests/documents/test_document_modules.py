"""The module that a document becomes, and modules that are documents."""

# ruff: noqa: E501 - a document on one line reads best
from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from document_pages import TASKS, function_of, page

from celltask import load_document

if TYPE_CHECKING:
    from pathlib import Path


def test_instances_of_a_documents_classes_can_be_pickled(tmp_path: Path) -> None:
    """The document is a module among the imported ones, named like its file."""
    path = page(
        tmp_path,
        "%%task\nclass Point:\n    def __init__(self, x: int) -> None:\n        self.x = x\n\ndef f() -> int:\n    return Point(1).x",
    )
    document = load_document(path)
    point = document.namespace["Point"](4)  # type: ignore[operator]  # a class
    assert pickle.loads(pickle.dumps(point)).x == 4  # noqa: S301 - made one line above
    assert document.namespace["__name__"] == "tutorial_page"
    assert document.namespace["__file__"] == str(path)


NAMES = [
    pytest.param("json.md", "document_json", id="standard-library"),
    pytest.param("pytest.md", "document_pytest", id="imported"),
    pytest.param("01-first steps.md", "document_01_first_steps", id="no-identifier"),
    pytest.param("class.md", "document_class", id="keyword"),
    pytest.param("größe.md", "größe", id="letters"),
]


@pytest.mark.parametrize(("name", "module"), NAMES)
def test_a_document_does_not_stand_in_for_another_module(tmp_path: Path, name: str, module: str) -> None:
    """A name that means something to an import is left to it."""
    document = load_document(page(tmp_path, "%%task\ndef f() -> int: return 1", name=name))
    assert document.namespace["__name__"] == module


def test_a_document_beside_a_module_of_its_name_leaves_the_name_to_it(tmp_path: Path) -> None:
    """A page can import the module beside it that is called like it."""
    (tmp_path / "paired_page.py").write_text("x = 5\n")
    document = load_document(
        page(tmp_path, "import paired_page\n%%task\ndef f() -> int: return paired_page.x", name="paired_page.md")
    )
    assert document.tasks["f"]() == 5
    del sys.modules["paired_page"]


def test_two_documents_of_one_name_are_two_modules(tmp_path: Path) -> None:
    """Loading a second page of the same name does not replace the first."""
    (tmp_path / "other").mkdir()
    text = "%%task\ndef f() -> int: return {}"
    one = load_document(page(tmp_path, text.format(1)))
    two = load_document(page(tmp_path / "other", text.format(2)))
    assert one.namespace["__name__"] == "tutorial_page"
    assert two.namespace["__name__"] == "document_tutorial_page"
    assert (one.tasks["f"](), two.tasks["f"]()) == (1, 2)


def test_a_failed_load_leaves_nothing_behind(tmp_path: Path) -> None:
    """Neither the module nor the folder on the path outlives a document that raises."""
    path = page(tmp_path, "import sys\nsys.path.insert(0, 1 / 0)")
    before = list(sys.path)
    with pytest.raises(ZeroDivisionError):
        load_document(path)
    assert sys.path == before
    assert "tutorial_page" not in sys.modules


def test_what_a_document_does_to_the_path_stays(tmp_path: Path) -> None:
    """Only the document's folder is taken off the path again; a folder that the document adds stays."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "beside_the_page.py").write_text("x = 1\n")
    (tmp_path / "lib" / "in_the_lib.py").write_text("y = 2\n")
    before = list(sys.path)
    try:
        document = load_document(
            page(
                tmp_path,
                f"import sys\nsys.path.insert(0, {str(tmp_path / 'lib')!r})",
                "import beside_the_page, in_the_lib",
                "%%task\ndef f() -> int: return beside_the_page.x + in_the_lib.y",
            )
        )
        assert document.tasks["f"]() == 3
        assert sys.path == [str(tmp_path / "lib"), *before]
    finally:
        sys.path[:] = before
        del sys.modules["beside_the_page"], sys.modules["in_the_lib"]


def test_a_plain_module_is_imported_whole(tmp_path: Path) -> None:
    """A Python file without cells is a module: all of it is executed, but for its main guard."""
    path = tmp_path / "plain_stages.py"
    path.write_text(
        f"{TASKS}seen = []\nseen.append(__name__)\n@task\ndef f() -> int: return 1\nif __name__ == '__main__':\n    1 / 0\n"
    )
    document = load_document(path)
    assert (document.format, list(document.tasks), document.left_out) == ("python", ["f"], ())
    assert document.namespace["seen"] == ["plain_stages"]
    assert sys.modules["plain_stages"].__dict__ is document.namespace
    assert load_document(path).tasks["f"].digest == document.tasks["f"].digest


def test_a_quick_edit_of_a_plain_module_is_seen(tmp_path: Path) -> None:
    """An edit within a second, of the same length, is loaded."""
    path = tmp_path / "plain_stages.py"
    path.write_text(TASKS + "@task\ndef f() -> int: return 1\n")
    assert load_document(path).tasks["f"]() == 1
    path.write_text(TASKS + "@task\ndef f() -> int: return 2\n")
    new = load_document(path).tasks["f"]
    assert new() == 2
    assert inspect.getsource(function_of(new)).endswith("return 2\n")


def test_a_script_that_loses_its_markers_becomes_a_module(tmp_path: Path) -> None:
    """Places and sources follow the file as it is now."""
    path = tmp_path / "plain_stages.py"
    path.write_text(f"# %%\n{TASKS}\n# %%\n@task\ndef f() -> int: return 1\n")
    assert load_document(path).tasks["f"].place == "plain_stages.py, cell 2, line 5"
    path.write_text(f"{TASKS}@task\ndef f() -> int: return 2\n")
    found = load_document(path).tasks["f"]
    assert (found.place, found()) == ("plain_stages.py, line 2", 2)
    assert inspect.getsource(function_of(found)) == "@task\ndef f() -> int: return 2\n"


def test_a_module_in_a_package_may_import_from_it(tmp_path: Path) -> None:
    """Relative imports work, and the module has its dotted name."""
    package = tmp_path / "stages_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "numbers.py").write_text("K = 7\n")
    (package / "main.py").write_text(f"{TASKS}from .numbers import K\n@task\ndef f() -> int: return K\n")
    document = load_document(package / "main.py")
    assert (document.tasks["f"](), document.namespace["__name__"]) == (7, "stages_package.main")
    for name in ("stages_package", "stages_package.numbers", "stages_package.main"):
        del sys.modules[name]


def test_an_exception_in_a_plain_module_is_told_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's exception comes out as it is, with the place."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "plain_stages.py"
    path.write_text("x = 1\ny = x / 0\n")
    with pytest.raises(ZeroDivisionError) as caught:
        load_document(path)
    assert caught.value.__notes__ == ["while loading plain_stages.py, line 2"]
    assert "plain_stages" not in sys.modules


def loaded_by(code: str) -> set[str]:
    """Names of the modules that a fresh interpreter has after `code`."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_loading_a_plain_module_loads_no_reader(tmp_path: Path) -> None:
    """The way of a plain module is short: no Markdown, JSON, slicing or event loop."""
    path = tmp_path / "plain_stages.py"
    path.write_text(TASKS + "@task\ndef f() -> int: return 1\n")
    loaded = loaded_by(f"from celltask import load_document; load_document({str(path)!r}).tasks['f']()")
    heavy = {"markdown_it", "json", "yaml", "asyncio", "nbformat", "jupytext", "pathlib", "tokenize"}
    assert loaded & (heavy - loaded_by("from celltask import task, workflow")) == set()
    assert not {name for name in loaded if name in {"celltask.documents.slice", "celltask.documents.execution"}}


def test_loading_a_page_loads_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    """A page without YAML options needs markdown-it, and no YAML, notebooks, kernels or event loop."""
    path = page(tmp_path, "%%task\ndef f() -> int: return 1")
    loaded = loaded_by(f"from celltask import load_document; load_document({str(path)!r}).tasks['f']()")
    assert "markdown_it" in loaded
    assert loaded & {"yaml", "asyncio", "nbformat", "jupytext", "IPython", "pydantic", "difflib"} == set()
