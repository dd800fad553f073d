"""Shell examples as tests of pytest."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

pytest_plugins = ["pytester"]

PAGE = "---\ncelltask: {shell: run}\n---\n\n```bash\nexport A=1\n```\n\n```console\n$ echo $A\n1\n```\n"


def test_each_example_is_a_test_with_its_line(pytester: pytest.Pytester) -> None:
    """Also of a page without cells; the examples above one that is chosen are run first."""
    (pytester.path / "page.md").write_text(PAGE)
    result = pytester.runpytest("--celltask", "-v", "-k", "shell-2")
    result.assert_outcomes(passed=1, deselected=1)
    result.stdout.fnmatch_lines(["page.md::shell-2 PASSED (line 10) *"])


def test_the_option_decides_for_all_documents(pytester: pytest.Pytester) -> None:
    """`skip` leaves out what documents ask for, `run` runs what none asks for, but for what is switched off."""
    (pytester.path / "page.md").write_text(PAGE)
    (pytester.path / "other.md").write_text("```sh\ntrue\n```\n\n```{code-block} sh\n:skip:\n\nfalse\n```\n")
    pytester.runpytest("--celltask", "--celltask-shell=skip").assert_outcomes()
    result = pytester.runpytest("--celltask", "--celltask-shell=run", "-rs")
    result.assert_outcomes(passed=3, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED * other.md:8: the example is not run: the document says so"])


def test_a_failure_skips_the_examples_below_and_tells_its_line(pytester: pytest.Pytester) -> None:
    """Nothing can be said of what follows a command that failed."""
    (pytester.path / "page.md").write_text(PAGE.replace("export A=1", "export A=1\nfalse"))
    result = pytester.runpytest("--celltask", "-rs")
    result.assert_outcomes(failed=1, skipped=1)
    result.stdout.fnmatch_lines(
        ["page.md:7: exit code 1: false", "SKIPPED * page.md:11: shell-1 above failed (page.md:6)"]
    )


def test_a_page_can_test_itself(pytester: pytest.Pytester) -> None:
    """Its shell examples are not run once more within one of them."""
    (pytester.path / "page.md").write_text(
        PAGE.replace("echo $A\n1", "pytest --celltask page.md -q\n...\n2 skipped in ...")
    )
    pytester.runpytest("--celltask").assert_outcomes(passed=2)
