"""The documentation is true: its pages load, its commands do what they show, its links and names exist."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import nbformat
import pytest
from pages import NOTEBOOKS, PAGES, ROOT, Fence, examples_of, fences, has_cells, name_of, prose

import celltask
from celltask import errors, load_document
from celltask.core import events, options
from celltask.documents.reader import read_document
from celltask.documents.shell.asking import document_runs
from celltask.documents.shell.blocks import shell_blocks
from celltask.documents.shell.session import ShellSession

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

TUTORIAL = ROOT / "docs" / "tutorials" / "tasks.md"
TWIN = ROOT / "notebooks" / "tasks.ipynb"
WITH_CELLS = [*(page for page in PAGES if has_cells(page)), *NOTEBOOKS]
READ = [*PAGES, *NOTEBOOKS]
PYTHON = ("python", "py", "{code-block} python")


def is_test_file(fence: Fence) -> bool:
    """Whether a block of a page is a file for pytest."""
    return fence.info in PYTHON and "def test_" in fence.text


def named(pages: Iterable[Path]) -> list[object]:
    """The pages as parameters of a test, each under its own name."""
    return [pytest.param(page, id=name_of(page)) for page in pages]


def test_every_page_with_cells_is_run_as_a_test(pytestconfig: pytest.Config) -> None:
    """The settings name the folders of all of them, so that plain `pytest` executes each cell in a fresh kernel."""
    folders = pytestconfig.getini("celltask_documents")
    assert set(folders) <= set(pytestconfig.getini("testpaths"))
    assert {page.relative_to(ROOT).parts[0] for page in WITH_CELLS} == set(folders)


@pytest.mark.parametrize("page", named(WITH_CELLS))
def test_every_page_loads_as_a_document(page: Path) -> None:
    """A page of the documentation is a document that `celltask run` can take tasks from."""
    assert load_document(page).path == str(page)


WITHOUT_HEADER = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]


@pytest.mark.parametrize(
    ("page", "line"),
    [(name_of(page), block.line) for page in WITHOUT_HEADER for block in examples_of(page)[1]],
)
def test_the_examples_of_a_page_without_a_header_are_true(page: str, line: int) -> None:
    """They end and print as shown; those of all other pages are items of pytest by the header of the page."""
    document, blocks = examples_of(ROOT / page)
    with ShellSession(document, ROOT) as session:
        failure = session.run(next(block for block in blocks if block.line == line)).failure
    assert failure is None, failure.text


def test_the_readme_shows_how_to_run_a_task() -> None:
    """Its main job is among its examples."""
    _, blocks = examples_of(ROOT / "README.md")
    assert any("train_model_wf" in block.commands[0].text for block in blocks)


@pytest.mark.parametrize("page", named(page for page in READ if page not in WITHOUT_HEADER))
def test_a_page_with_shell_examples_has_them_run(page: Path) -> None:
    """By its header, so that plain `pytest` and `celltask test` run them."""
    document = read_document(page)
    assert not shell_blocks(document, choice="run") or document_runs(document)


WITH_TESTS = [page for page in READ if any(is_test_file(fence) for fence in fences(page))]


@pytest.mark.parametrize("page", named(READ))
def test_python_blocks_are_python(page: Path) -> None:
    """What a page shows as Python can be read by Python, magics aside."""
    for fence in fences(page):
        if fence.info in PYTHON and not fence.text.startswith(">>> "):
            text = re.sub(r"^%.*$", "pass", fence.text, flags=re.MULTILINE)
            ast.parse(text, f"{page}, line {fence.line}")


def targets(page: Path) -> list[str]:
    """Where the links of `page` lead that stay within the repository."""
    found = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


@pytest.mark.parametrize("page", named(WITH_TESTS))
def test_test_files_that_a_page_shows_pass(page: Path, tmp_path: Path) -> None:
    """A reader who copies the tests of a page into a file has passing tests."""
    shown = [fence.text for fence in fences(page) if is_test_file(fence)]
    files = [tmp_path / f"test_shown_{number}.py" for number in range(len(shown))]
    for file, text in zip(files, shown, strict=True):
        file.write_text(text, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        *map(str, files),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("page", named(READ))
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page leads to a file, and its fragment to a heading or a label there."""
    for link in targets(page):
        path, _, fragment = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not fragment or fragment in anchors(target), link


def anchors(page: Path) -> set[str]:
    """What fragments may name in a page: labels, and headings the way GitHub writes them."""
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    labels = re.findall(r"^\(([\w-]+)\)=$", text, flags=re.MULTILINE)
    return {*labels, *(re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings)}


def test_every_page_is_on_the_map() -> None:
    """From the front page of the documentation every other page can be reached."""
    index = ROOT / "docs" / "index.md"
    seen, todo = {index}, [index]
    while todo:
        page = todo.pop()
        for link in targets(page):
            target = (page.parent / link.partition("#")[0]).resolve()
            if target.suffix == ".md" and target not in seen:
                seen.add(target)
                todo.append(target)
    assert {page for page in PAGES if "docs" in page.parts} <= seen


def test_the_tutorial_and_its_notebook_define_the_same() -> None:
    """The `%task` lines of the notebook and the `%%task` cells of the page give tasks of equal digests."""
    page, twin = load_document(TUTORIAL), load_document(TWIN)
    for kind in ("tasks", "workflows"):
        there, here = getattr(page, kind), getattr(twin, kind)
        assert list(there) == list(here)
        assert {name: made.digest for name, made in there.items()} == {name: made.digest for name, made in here.items()}


@pytest.mark.parametrize("path", named(NOTEBOOKS))
def test_notebooks_are_stored_clean(path: Path) -> None:
    """A stored notebook is valid, of format 4.5, never run or run once from top to end, and has line magics alone."""
    made = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # nbformat gives it no types
    nbformat.validate(made)
    assert (made.nbformat, made.nbformat_minor) == (4, 5)
    ids = [cell.id for cell in made.cells]
    assert len(set(ids)) == len(ids)
    code = [cell for cell in made.cells if cell.cell_type == "code"]
    assert not [cell.id for cell in code if cell.source.startswith("%%")]
    counts = [cell.execution_count for cell in code]
    assert counts in ([None] * len(code), [*range(1, len(code) + 1)])
    assert counts[0] == 1 or not any(cell.outputs for cell in code)


def reference(name: str) -> str:
    """The text of a page of the reference."""
    return (ROOT / "docs" / "reference" / f"{name}.md").read_text(encoding="utf-8")


def test_the_reference_lists_the_public_names() -> None:
    """The page has one heading for each name in `celltask.__all__`, and no other."""
    headings = re.findall(r"^### `(\w+)`", reference("python"), flags=re.MULTILINE)
    assert sorted(headings) == sorted(celltask.__all__)


CLASSES = ("MultiLine", "Run", "Secret", "Task", "TypeHandler", "Workflow", "WorkflowFailurePolicy")
"""Classes that users do not call: the page shows their members instead of parameters."""


@pytest.mark.parametrize("name", sorted({*celltask.__all__} - {*CLASSES}))
def test_the_reference_shows_the_parameters(name: str) -> None:
    """The parameters that the page shows for a name are those that it has, in their order."""
    section = reference("python").partition(f"### `{name}`")[2].partition("\n### ")[0]
    shown = re.search(r"```python\n(.*?)```", section, flags=re.DOTALL)
    assert shown is not None
    found = getattr(celltask, name)
    definition = ast.parse(shown[1]).body[0]
    assert isinstance(definition, ast.FunctionDef)
    arguments = definition.args
    parts = [*arguments.posonlyargs, *arguments.args, arguments.vararg, *arguments.kwonlyargs, arguments.kwarg]
    assert [part.arg for part in parts if part] == list(inspect.signature(found).parameters)


@pytest.mark.parametrize("name", CLASSES)
def test_the_reference_shows_members_that_exist(name: str) -> None:
    """Every member that the page tells of a class can be found on it."""
    section = reference("python").partition(f"### `{name}`")[2].partition("\n### ")[0]
    cls = getattr(celltask, name)
    known = {
        *dir(cls),
        *getattr(cls, "__annotations__", {}),
        *re.findall(r"^ {4,8}(\w+):", cls.__doc__ or "", flags=re.MULTILINE),
    }
    shown = re.findall(r"^\| `\.(\w+)", section, flags=re.MULTILINE)
    assert shown
    assert set(shown) <= known


def test_the_reference_lists_the_options() -> None:
    """The page has one row for each option of the magic line, spelled as there."""
    shown = re.findall(r"^\| `(--[\w-]+)", reference("options"), flags=re.MULTILINE)
    assert set(shown) == {option.flag for option in options.OPTIONS}


def test_the_reference_lists_the_errors() -> None:
    """The page tells of every class of error."""
    assert set(re.findall(r"^\| `(\w+Error)`", reference("errors"), flags=re.MULTILINE)) == set(errors.__all__)


def test_the_reference_lists_the_events() -> None:
    """The page has a row for each event, with its fields in order."""
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*) \|", reference("events"), flags=re.MULTILINE))
    kinds = [getattr(events, name) for name in events.__all__ if name != "Event"]
    assert {kind.__name__: list(kind._fields) for kind in kinds} == {
        name: re.findall(r"`(\w+)`", told) for name, told in rows.items()
    }
