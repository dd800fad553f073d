"""Cells as items: their names, their order, and what runs when some of them are chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import MakePage

pytest_plugins = ["pytester"]

COUNTING = ("count = 1", "def double(x):\n    return 2 * x", "count = double(count) + 1", "assert count == 3")


def ids_in(result: pytest.RunResult) -> list[str]:
    """Ids that a quiet collection lists."""
    return [line for line in result.outlines if "::" in line]


def test_a_cell_is_named_after_its_task_or_first_name(pytester: pytest.Pytester, page: MakePage) -> None:
    """A cell that defines nothing has its number; a name that comes again has a number, too."""
    page(
        "%load_ext celltask",
        "import os\nX, (y, _) = 1, (2, 3)",
        "%%task train --retries 2\nx: int\nreturn x + 1 >> int",
        "%%task\nclass Unit: ...\ndef measure(x: int) -> int:\n    return x",
        "@staticmethod\ndef train(): ...",
        "class Model: ...",
        "os.environ['A'] = 'b'",
        "for odd in range(3): pass",
        "text: str = 'x'",
        "no python =",
    )
    found = ids_in(pytester.runpytest("--celltask", "--collect-only", "-q"))
    names = ["cell-1", "X", "train", "measure", "train-2", "Model", "cell-7", "cell-8", "text", "cell-10"]
    assert found == [f"page.md::{name}" for name in names]


def test_names_stay_when_lines_move(pytester: pytest.Pytester, page: MakePage) -> None:
    """Prose above a cell changes its line, and not its id."""
    path = page(*COUNTING)
    before = ids_in(pytester.runpytest("--celltask", "--collect-only", "-q"))
    path.write_text("\n\nAn introduction.\n\n" + path.read_text())
    assert ids_in(pytester.runpytest("--celltask", "--collect-only", "-q")) == before


def test_cells_run_in_order_in_one_kernel(pytester: pytest.Pytester, page: MakePage) -> None:
    """Each finds what those above it left."""
    page(*COUNTING)
    pytester.runpytest("--celltask").assert_outcomes(passed=4)


@pytest.mark.parametrize("chosen", [("page.md::cell-4",), ("page.md", "-k", "cell-4")], ids=["node-id", "keyword"])
def test_a_chosen_cell_has_the_cells_above_it_run(
    pytester: pytest.Pytester, page: MakePage, chosen: tuple[str, ...]
) -> None:
    """Each of them once, as set-up; the cells below it do not run."""
    page(*COUNTING, "open('ran', 'w')")
    pytester.runpytest("--celltask", *chosen).assert_outcomes(passed=1, deselected=4 if "-k" in chosen else 0)
    assert not (pytester.path / "ran").exists()


def test_a_failure_in_the_set_up_of_a_chosen_cell_names_the_cell(pytester: pytest.Pytester, page: MakePage) -> None:
    """It is told once; further chosen cells are skipped."""
    page("alpha = 1", "beta = 1 / 0", "gamma = 1", "delta = 1")
    result = pytester.runpytest("--celltask", "-k", "gamma or delta")
    result.assert_outcomes(errors=1, skipped=1, deselected=2)
    assert "ERROR page.md::gamma - set-up cell beta (page.md:9) failed: " in str(result.stdout)
    assert "page.md:10: ZeroDivisionError: division by zero" in result.outlines


def test_cells_below_a_failed_one_are_skipped_and_name_it(pytester: pytest.Pytester, page: MakePage) -> None:
    """The cells above it and other documents keep their results."""
    page("a = 1", "b = 1 / 0", "c = 1", "d = 1", name="one.md")
    page("a = 1", name="two.md")
    result = pytester.runpytest("--celltask", "-rs")
    result.assert_outcomes(passed=2, failed=1, skipped=2)
    result.stdout.fnmatch_lines(["SKIPPED [[]1[]] one.md:15: cell b above failed (one.md:9)"])


def test_an_announced_exception_stops_nothing(pytester: pytest.Pytester, page: MakePage) -> None:
    """The cells below a cell that must raise run as ever."""
    page("a = 1", ":tags: [raises-exception]\na = 2\n1 / 0", "assert a == 2")
    pytester.runpytest("--celltask").assert_outcomes(passed=3)


def test_the_last_failed_cell_runs_again_with_its_set_up(pytester: pytest.Pytester, page: MakePage) -> None:
    """After the mending of the document, --lf runs that cell alone, and it passes."""
    path = page("a = 1", "b = a / 0", "c = 1")
    pytester.runpytest("--celltask").assert_outcomes(passed=1, failed=1, skipped=1)
    path.write_text(path.read_text().replace("a / 0", "a / 1"))
    pytester.runpytest("--celltask", "--lf").assert_outcomes(passed=1)


def test_the_first_failure_ends_the_run_when_asked(pytester: pytest.Pytester, page: MakePage) -> None:
    """With -x no other document is begun."""
    page("1 / 0", name="a.md")
    page("open('ran', 'w')", name="b.md")
    pytester.runpytest("--celltask", "-x").assert_outcomes(failed=1)
    assert not (pytester.path / "ran").exists()


def test_another_order_gives_the_same_verdicts(pytester: pytest.Pytester, page: MakePage) -> None:
    """A plugin that shuffles items cannot make a cell run before those above it, nor twice."""
    pytester.makeconftest("def pytest_collection_modifyitems(items): items.reverse()")
    page("count = 0", "count += 1", "assert count == 1\n1 / 0", "d = 1", "e = 1")
    result = pytester.runpytest("--celltask")
    result.assert_outcomes(passed=2, failed=1, errors=1, skipped=1)


@pytest.mark.parametrize("how", ["load", "worksteal"])
def test_workers_share_the_documents(pytester: pytest.Pytester, page: MakePage, how: str) -> None:
    """With pytest-xdist the verdicts are the same, whichever worker has a cell; some are split, and run set-up anew."""
    page(*COUNTING, name="a.md")
    page("x = 1", "1 / 0", "y = 1", name="b.md")
    result = pytester.runpytest_subprocess("--celltask", "-n", "2", "--dist", how)
    outcomes = result.parseoutcomes()
    assert outcomes["passed"] == 5
    assert outcomes["failed"] == 1
    assert outcomes.get("skipped", 0) + outcomes.get("errors", 0) == 1


def test_a_document_stays_with_one_worker(pytester: pytest.Pytester, page: MakePage) -> None:
    """So that its kernel starts once, and no cell runs twice."""
    cells = ["import os\nopen(f'kernel-{os.getpid()}', 'w')", *(f"name_{number} = 1" for number in range(8))]
    page(*cells, name="a.md")
    (pytester.path / "script.py").write_text("".join(f"# %%\n{cell}\n" for cell in cells))
    pytester.makepyfile("import pytest\n@pytest.mark.parametrize('x', range(9))\ndef test_plain(x): ...")
    result = pytester.runpytest_subprocess("--celltask", "-n", "2")
    result.assert_outcomes(passed=27)
    assert len(list(pytester.path.glob("kernel-*"))) == 2
