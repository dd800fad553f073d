"""What the reader of a document does not see: fixtures, hidden code, stand-ins, parameters, limits, folders."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import MakePage

pytest_plugins = ["pytester"]

CONFTEST = """
import pytest

@pytest.fixture(scope="module")
def celltask_setup(celltask_document):
    {body}
"""


def test_a_fixture_sets_variables_and_hidden_names(pytester: pytest.Pytester, page: MakePage) -> None:
    """It is made before the kernel, once a document, and what it yields from is ended after the last cell."""
    body = """
    with open("told.txt", "a") as told:
        told.write(f"begin {celltask_document.path.name};")
    celltask_document.env["API"] = "test"
    celltask_document.execute("import math; answer = 42")
    yield
    with open("told.txt", "a") as told:
        told.write("end;")
    """
    pytester.makeconftest(CONFTEST.format(body=body))
    page("import os\nassert os.environ['API'] == 'test'", "assert (answer, math.floor(2.5)) == (42, 2)", name="a.md")
    page("assert answer == 42", name="b.md")
    pytester.runpytest_inprocess("--celltask").assert_outcomes(passed=3)
    assert (pytester.path / "told.txt").read_text() == "begin a.md;end;begin b.md;end;"


def test_other_fixtures_and_values_can_be_used(pytester: pytest.Pytester, page: MakePage) -> None:
    """The fixture may ask for any other of its scope or a broader one, and choose the folder of the cells."""
    body = """
    folder = request.getfixturevalue("tmp_path_factory").mktemp("work")
    (folder / "data.txt").write_text("seven")
    celltask_document.folder = folder
    """
    conftest = CONFTEST.format(body=body).replace("(celltask_document)", "(celltask_document, request)")
    pytester.makeconftest(conftest)
    page("assert open('data.txt').read() == 'seven'")
    pytester.runpytest("--celltask").assert_outcomes(passed=1)


def test_a_fixture_made_for_each_test_is_refused(pytester: pytest.Pytester, page: MakePage) -> None:
    """A document has one kernel, so its set-up is made once."""
    pytester.makeconftest(CONFTEST.format(body="pass").replace('(scope="module")', ""))
    page("x = 1")
    result = pytester.runpytest("--celltask")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(['*the fixture celltask_setup is made once a document: give it scope="module"'])


def test_hidden_code_that_fails_is_told(pytester: pytest.Pytester, page: MakePage) -> None:
    """As an error of the first cell, with what was raised."""
    pytester.makeconftest(CONFTEST.format(body="celltask_document.execute('1 / 0')"))
    page("x = 1")
    result = pytester.runpytest("--celltask")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["the set-up of the document failed: ZeroDivisionError: division by zero"])


FETCHING = """from celltask import task, workflow
@task
def fetch(url: str) -> int:
    raise ConnectionError(url)
@workflow
def twice(url: str) -> int:
    return fetch(url=url)"""


def test_a_task_of_the_document_gets_a_stand_in(pytester: pytest.Pytester, page: MakePage) -> None:
    """Also inside of its workflows; the interface is still checked."""
    pytester.makeconftest(CONFTEST.format(body="celltask_document.mock_task('fetch', returns=7)"))
    page(FETCHING, "assert fetch(url='a') == 7", "assert twice(url='a') == 7", ":raises: TypeError\nfetch(url=3)")
    pytester.runpytest("--celltask").assert_outcomes(passed=4)


def test_names_of_modules_get_stand_ins_before_they_are_imported(pytester: pytest.Pytester, page: MakePage) -> None:
    """So a cell that imports a function by name gets the stand-in; an imported task likewise."""
    pytester.makepyfile(steps="from celltask import task\n@task\ndef load(n: int) -> int:\n    return 1 / 0\n")
    body = """
    celltask_document.mock("shutil.which", returns="/bin/x")
    celltask_document.mock("math.tau", value=6)
    celltask_document.mock_task("steps.load", raises=OSError("gone"))
    """
    pytester.makeconftest(CONFTEST.format(body=body))
    page(
        "from shutil import which\nfrom math import tau\nassert (which('?'), tau) == ('/bin/x', 6)",
        ':raises: OSError "gone"\nfrom steps import load\nload(n=1)',
    )
    pytester.runpytest("--celltask").assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("celltask_document.mock_task('fitch', returns=1)", "the document defines no task 'fitch'"),
        ("celltask_document.execute('x = 1', after='nowhere')", "the document has no cell 'nowhere'"),
        (
            "celltask_document.mock('math.tau', value=__import__('sys'))",
            "the stand-in for math.tau cannot be *",
        ),
    ],
    ids=["task", "cell", "value"],
)
def test_a_set_up_that_cannot_be_meant_is_told(pytester: pytest.Pytester, page: MakePage, body: str, told: str) -> None:
    """With the name that does not exist."""
    pytester.makeconftest(CONFTEST.format(body=body))
    page(FETCHING)
    result = pytester.runpytest("--celltask")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*{told}"])


def _with_header(path: object, header: str) -> None:
    path.write_text(f"---\ncelltask:\n  {header}\n---\n{path.read_text()}")  # type: ignore[attr-defined]  # a Path


def test_a_document_runs_once_under_each_set_of_parameters(pytester: pytest.Pytester, page: MakePage) -> None:
    """Each in a kernel of its own; the ids tell the values."""
    path = page("import os, pathlib\nn = 1\npathlib.Path(f'{n}-{os.getpid()}').touch()", "assert n < 3")
    _with_header(path, "parametrize: {n: [2, 3]}")
    path.write_text(path.read_text().replace("{code-cell}\nimport", "{code-cell}\n:tags: [parameters]\nimport"))
    result = pytester.runpytest("--celltask", "-v")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(
        ["page.md::n[[]n=2[]] PASSED*", "page.md::cell-2[[]n=2[]] PASSED*", "page.md::cell-2[[]n=3[]] FAILED*"]
    )
    assert len({path.name.partition("-")[2] for path in pytester.path.glob("1-*")}) == 2


def test_parameters_without_a_cell_for_them_come_first(pytester: pytest.Pytester, page: MakePage) -> None:
    """They are there before the first cell."""
    _with_header(page("assert C in (0.5, 'x')"), "parametrize: [{C: 0.5}, {C: x}]")
    pytester.runpytest("--celltask").assert_outcomes(passed=2)


def test_the_project_gives_parameters_too(pytester: pytest.Pytester, page: MakePage) -> None:
    """By path or pattern, to the documents that are named."""
    pytester.makeini("[pytest]\ncelltask_parametrize =\n    docs/*.md: {C: [1, 2]}\n    docs/a.md: [{C: 3}]")
    page("assert C", name="docs/a.md")
    page("C = 1", name="other.md")
    pytester.runpytest("--celltask").assert_outcomes(passed=4)


def test_a_notebook_has_its_settings_in_its_metadata(pytester: pytest.Pytester, notebook: MakePage) -> None:
    """Under the same name as in the header of a page."""
    path = notebook("assert C == 1")
    book = json.loads(path.read_text())
    book["metadata"]["celltask"] = {"parametrize": [{"C": 1}]}
    path.write_text(json.dumps(book))
    pytester.runpytest("--celltask").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("timeuot: 5", "the header has a setting 'timeuot' that is not known"),
        ("timeout: soon", "the setting timeout cannot be 'soon'"),
        ("cwd: elsewhere", "the header says `cwd: elsewhere`"),
        ("env: [A]", "the setting env is no mapping"),
        ("parametrize: 3", "the setting parametrize cannot be 3"),
        ("parametrize: [{a b: 1}]", "the parameter 'a b' is no name of Python"),
        ("[", "the header is not YAML: *"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_told(
    pytester: pytest.Pytester, page: MakePage, header: str, told: str
) -> None:
    """When the document is collected, with its place."""
    _with_header(page("x = 1"), header)
    result = pytester.runpytest("--celltask")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([told.replace("[", "[[]"), "  at: *page.md, line *"])


def test_all_cells_together_have_a_time(pytester: pytest.Pytester, page: MakePage) -> None:
    """The cell that is running when it is over fails, and says why."""
    path = page("import time\ntime.sleep(0.3)", "time.sleep(60)", "x = 1")
    _with_header(path, "document_timeout: 0.8")
    result = pytester.runpytest("--celltask")
    result.assert_outcomes(passed=1, failed=1, skipped=1)
    result.stdout.fnmatch_lines(["page.md:15: the document took longer than 0.8 s"])


def test_a_document_says_where_it_runs_and_with_which_variables(pytester: pytest.Pytester, page: MakePage) -> None:
    """From the folder of the project instead of its own."""
    (pytester.path / "data.txt").write_text("seven")
    path = page("import os\nassert open('data.txt').read() == os.environ['EXPECTED']", name="docs/page.md")
    _with_header(path, "cwd: root\n  env: {EXPECTED: seven}")
    pytester.runpytest("--celltask").assert_outcomes(passed=1)


def test_slow_cells_can_be_left_out(pytester: pytest.Pytester, page: MakePage) -> None:
    """By pytest's own markers; a cell below them still has them executed as its set-up."""
    page(":tags: [slow]\nx = 1", "assert x == 1")
    result = pytester.runpytest("--celltask", "-m", "not slow", "--strict-markers")
    result.assert_outcomes(passed=1, deselected=1)
