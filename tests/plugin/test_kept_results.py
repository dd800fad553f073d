"""Results of cached tasks do not go from one test run, or one document, to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import MakePage

pytest_plugins = ["pytester"]

IMPURE = """from celltask import task

@task(cache=True)
def answer(x: int) -> str:
    return open("answer.txt").read()"""


@pytest.fixture(autouse=True)
def _project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CELLTASK_STORE")
    pytester.makeini("[pytest]\n")
    (pytester.path / "answer.txt").write_text("right", encoding="utf-8")


def test_a_document_is_not_green_by_what_an_earlier_run_has_computed(pytester: pytest.Pytester, page: MakePage) -> None:
    """A task that reads what is no input fails as soon as that is wrong, though its code and inputs are the same."""
    page(IMPURE, "assert answer(x=1) == 'right'")
    assert pytester.runpytest_subprocess("--celltask").ret == 0
    (pytester.path / "answer.txt").write_text("wrong", encoding="utf-8")
    assert pytester.runpytest_subprocess("--celltask").ret == 1
    assert not (pytester.path / ".celltask" / "store").exists()


def test_a_document_does_not_see_the_results_of_another(pytester: pytest.Pytester, page: MakePage) -> None:
    """Within a document results are reused; another document computes its own."""
    told = "open('ran.txt', 'a').write('ran ')"
    body = f"from celltask import task\n\n@task(cache=True)\ndef noted(x: int) -> int:\n    return {told}"
    for name in ("one.md", "two.md"):
        page(body, "noted(x=1)", "noted(x=1)", name=name)
    assert pytester.runpytest_subprocess("--celltask").ret == 0
    assert (pytester.path / "ran.txt").read_text(encoding="utf-8") == "ran ran "


def test_a_store_that_the_environment_names_is_used(
    pytester: pytest.Pytester, page: MakePage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who sets `CELLTASK_STORE` wants it so."""
    monkeypatch.setenv("CELLTASK_STORE", str(pytester.path / "kept"))
    page(IMPURE, "assert answer(x=1) == 'right'")
    for _ in range(2):
        assert pytester.runpytest_subprocess("--celltask").ret == 0
        (pytester.path / "answer.txt").write_text("wrong", encoding="utf-8")
    assert (pytester.path / "kept" / "index.sqlite").exists()
