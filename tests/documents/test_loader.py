"""Loading documents: what is executed, and what comes of it."""

# ruff: noqa: E501 - a document on one line reads best
from __future__ import annotations

import asyncio
import inspect
import sys
from typing import TYPE_CHECKING

import pytest
from document_pages import DATA, FORMS, TASKS, function_of, in_form, page

from celltask import load_document
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from pathlib import Path

    from celltask.documents.loader import Document


def test_the_tutorial_page_loads_its_tasks_and_workflows() -> None:
    """The page's definitions are there, and only the main guard was left out."""
    pytest.importorskip("sklearn", reason="the iris page needs scikit-learn")
    document = load_document(DATA / "iris.md")
    assert list(document.tasks) == ["train_model"]
    assert list(document.workflows) == ["train_model_wf", "train_model_wf_with_partial"]
    assert [(left.cell, left.line, left.text) for left in document.left_out] == [(4, 87, 'if __name__ == "__main__":')]
    model = document.workflows["train_model_wf"](test_size=0.3)
    assert type(model).__name__ == "LogisticRegression"


def test_loading_one_task_executes_only_what_it_needs() -> None:
    """The other cells' imports and definitions are left out, each with its place and reason."""
    pytest.importorskip("sklearn", reason="the iris page needs scikit-learn")
    document = load_document(DATA / "iris.md", ["train_model"])
    assert (list(document.tasks), list(document.workflows)) == (["train_model"], [])
    assert [(left.cell, left.line) for left in document.left_out] == [(4, 87), (5, 96), (5, 99), (6, 118), (6, 121)]
    assert "functools" not in document.namespace


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_document_gives_the_same(tmp_path: Path, form: str) -> None:
    """Page, percent script and notebook hold the same tasks, which do the same."""
    document = load_document(in_form(tmp_path, form))
    assert list(document.tasks) == ["area", "one", "two", "volume"]
    assert list(document.workflows) == ["wf"]
    assert document.tasks["two"](x=5) == 2
    assert document.tasks["volume"](r=1.0, height=2.0) == document.workflows["wf"](r=1.0) * 2
    assert document.tasks["area"].options.cache
    assert [left.text for left in document.left_out] == ["%matplotlib inline", "print(wf())"]


def test_every_form_of_a_document_has_the_same_digests(tmp_path: Path) -> None:
    """The identity of a task's code does not depend on the kind of document it is written in."""
    digests = [
        {name: found.digest for name, found in [*document.tasks.items(), *document.workflows.items()]}
        for document in (load_document(in_form(tmp_path, form)) for form in FORMS)
    ]
    assert digests[0] == digests[1] == digests[2]


def test_loading_twice_gives_equal_digests_and_new_objects(tmp_path: Path) -> None:
    """A document can be loaded again, and nothing of its identity changes."""
    path = in_form(tmp_path, "md")
    first, second = load_document(path), load_document(path)
    assert {name: item.digest for name, item in first.tasks.items()} == {
        name: item.digest for name, item in second.tasks.items()
    }
    assert first.tasks["area"] is not second.tasks["area"]
    assert first.tasks["area"].module == second.tasks["area"].module


def test_loading_an_edited_document_gives_the_edited_task(tmp_path: Path) -> None:
    """Nothing of the earlier text stays, in code or in source."""
    path = page(tmp_path, TASKS + "@task\ndef f() -> int: return 1")
    old = load_document(path).tasks["f"]
    page(tmp_path, "# moved", TASKS + "@task\ndef f() -> int: return 2")
    new = load_document(path).tasks["f"]
    assert (old(), new()) == (1, 2)
    assert old.digest != new.digest
    assert inspect.getsource(function_of(new)) == "@task\ndef f() -> int: return 2\n"


def test_demonstrations_do_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Loading prints nothing, calls no task, and does not need what only the demonstration needs."""
    document = load_document(
        page(
            tmp_path,
            TASKS + "@task\ndef f() -> int:\n    print('called')\n    return 1",
            "import no_such_package_anywhere as plt\nplt.plot(f())\nprint(f())\nresult = f()",
        )
    )
    assert capsys.readouterr().out == ""
    assert [left.reason for left in document.left_out] == [
        "is not needed by what is loaded",
        "runs f to show its result",
        "runs f to show its result",
        "runs f to show its result",
    ]


def test_execute_all_runs_the_demonstrations_but_not_the_main_guard(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On request every statement is executed, as a notebook would, though not as a script."""
    path = page(
        tmp_path,
        TASKS + "@task\ndef f() -> int: return 1",
        "print(f())\nif __name__ == '__main__':\n    print('script')",
    )
    document = load_document(path, execute_all=True)
    assert (capsys.readouterr().out, document.left_out) == ("1\n", ())


def test_imported_tasks_stand_in_where_a_document_defines_none(tmp_path: Path) -> None:
    """A page that only imports its tasks offers those; one that defines some offers its own."""
    (tmp_path / "stages_of_mine.py").write_text(TASKS + "@task\ndef clean() -> int: return 1\n")
    only = load_document(page(tmp_path, "from stages_of_mine import clean\nprint(clean())", name="only_imports.md"))
    assert list(only.tasks) == ["clean"]
    both = load_document(
        page(tmp_path, f"{TASKS}from stages_of_mine import clean\n@workflow\ndef wf() -> int: return clean()\n"
             "@task\ndef own() -> int: return 2", name="has_own.md")
    )  # fmt: skip
    assert (list(both.tasks), list(both.workflows)) == (["own"], ["wf"])
    assert both.workflows["wf"]() == 1
    del sys.modules["stages_of_mine"]


def test_a_task_is_listed_by_its_name_option(tmp_path: Path) -> None:
    """The name given to a task is the one it is found by; that of its function may be asked for too."""
    path = page(tmp_path, TASKS + "@task(name='iris')\ndef f() -> int: return 1\n@task\ndef g() -> int: return 2")
    assert list(load_document(path, ["iris"]).tasks) == ["iris"]
    assert list(load_document(path, "f").tasks) == ["iris"]


UNKNOWN = [
    pytest.param("trian", "did you mean 'train'?", id="near"),
    pytest.param("zzz", "use one of: clean, train", id="far"),
]


@pytest.mark.parametrize(("name", "mend"), UNKNOWN)
@pytest.mark.parametrize("suffix", ["md", "py"])
def test_an_unknown_name_is_refused_with_the_known_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, name: str, mend: str
) -> None:
    """Asking for a task that is not there tells which are."""
    monkeypatch.chdir(tmp_path)
    code = TASKS + "@task\ndef train() -> int: return 1\n@task\ndef clean() -> int: return 2\n"
    path = page(tmp_path, code) if suffix == "md" else tmp_path / "tutorial_page.py"
    if suffix == "py":
        path.write_text(code)
        mend = mend.replace("clean, train", "train, clean")
    with pytest.raises(DocumentError) as caught:
        load_document(path, [name])
    assert str(caught.value) == f"no task or workflow is called {name!r}\n  at: tutorial_page.{suffix}\n  mend: {mend}"


def test_future_annotations_hold_for_later_cells(tmp_path: Path) -> None:
    """An import from `__future__` counts from its cell on, as in a notebook."""
    document = load_document(
        page(
            tmp_path,
            "from __future__ import annotations",
            "def helper(x: NoSuchType) -> NoSuchType: return x",
            "%%task\ndef f(x: int) -> int: return helper(x)",
        )
    )
    assert document.tasks["f"](x=3) == 3


def test_a_needed_await_is_awaited(tmp_path: Path) -> None:
    """A top-level await that a definition needs runs; others are not executed."""
    document = load_document(
        page(
            tmp_path,
            "import asyncio\nasync def number():\n    await asyncio.sleep(0)\n    return 7",
            "K = await number()\nunneeded = await no_such_name()",
            "%%task\ndef f(x: int = K) -> int: return x",
        )
    )
    assert document.tasks["f"]() == 7


def test_a_document_that_awaits_loads_inside_a_running_loop(tmp_path: Path) -> None:
    """Loading works in Jupyter, where a loop is running already."""
    path = page(
        tmp_path, "async def number(): return 7", "K = await number()", "%%task\ndef f(x: int = K) -> int: return x"
    )

    async def load() -> Document:
        return load_document(path)

    assert asyncio.run(load()).tasks["f"]() == 7


def test_magics_of_every_kind_are_left_out(tmp_path: Path) -> None:
    """Shell lines, assigned magics, help and cell magics neither run nor break the cell they stand in."""
    document = load_document(
        page(
            tmp_path,
            "%load_ext celltask",
            "%matplotlib inline\n!pip install 'x\nfiles = !ls\nmath?\n?math\nimport math\nif math:\n    !ls\n    %cd ..",
            "%%bash\nrm it's",
            "%%time\n%%task\ndef f() -> float: return math.pi",
            "%alias_magic a b \\\n  c\ns = '''\n%not a magic\n'''\n%task --retries 1\ndef g() -> str: return s",
            "%%task --help",
        )
    )
    assert list(document.tasks) == ["f", "g"]
    assert document.tasks["g"]() == "\n%not a magic\n"
    assert [left.text for left in document.left_out if "magic" in left.reason] == [
        "%matplotlib inline", "!pip install 'x", "files = !ls", "math?", "?math", "!ls", "%cd ..",
        "%%bash", "%%time", "%alias_magic a b \\",
    ]  # fmt: skip


def test_types_of_a_document_can_be_used_in_quotes(tmp_path: Path) -> None:
    """Annotations in quotes find the document's own classes."""
    document = load_document(
        page(
            tmp_path,
            "import dataclasses\n@dataclasses.dataclass\nclass Point:\n    x: int",
            "%%task\ndef f(p: 'Point') -> 'list[Point]': return [p]",
        )
    )
    point = document.namespace["Point"](1)  # type: ignore[operator]  # a class
    assert document.tasks["f"](p=point) == [point]


def test_a_cell_that_runs_itself_does_so_when_all_is_executed(tmp_path: Path) -> None:
    """With `execute_all` the header's --run is obeyed, and what reads its outputs finds them."""
    page = tmp_path / "page.md"
    page.write_text(
        "```{code-cell}\nx = 3\n```\n\n```{code-cell}\n%%task double -> twice: int --run\nx: int\ntwice = 2 * x\n```\n\n"
        "```{code-cell}\nshown = twice + 1\n```\n"
    )
    assert load_document(page, execute_all=True).namespace["shown"] == 7
    assert "shown" not in load_document(page).namespace


def test_an_import_of_a_missing_package_that_nothing_reads_is_left_out(tmp_path: Path) -> None:
    """A package that only a demonstration would need keeps no task from loading; one that a task reads does."""
    page = tmp_path / "page.md"
    task_cell = "```{code-cell}\n%%task\ndef f(x: int) -> int:\n    return x\n```\n"
    page.write_text(f"```{{code-cell}}\nimport no_such_package\n```\n\n{task_cell}")
    document = load_document(page, ["f"])
    assert document.tasks["f"](x=1) == 1
    assert [item.reason for item in document.left_out] == [
        "imports no_such_package, which is not installed and which nothing reads"
    ]
    page.write_text(page.read_text().replace("return x", "return no_such_package.g(x)"))
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        load_document(page, ["f"])
