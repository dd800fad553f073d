"""What a build does when a cell fails, when pages change, and when others execute the pages."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

import pytest
from sites import Built, Site, anchored, links, new_site

if TYPE_CHECKING:
    from pathlib import Path

FAILING = """
    # Failing

    ```{code-cell} ipython3
    :tags: [raises-exception]

    days = [1, 0]
    days[2]
    ```

    ```{code-cell} ipython3
    rates = [1 / day
             for day in days]
    ```

    ```{code-cell} ipython3
    print("not " + "reached")
    ```
"""
COUNTED = """
    # Counted

    ```{code-cell} ipython3
    with open("count.txt", "a") as file:  # beside the page
        print("once", file=file)
    ```
"""
DEFINING = """
    # Defining

    ```{code-cell} ipython3
    %load_ext celltask
    from celltask import task, workflow

    @task
    def double(x: int) -> int:
        return 2 * x

    @workflow
    def four(x: int = 2) -> int:
        return double(x=x)
    four
    ```
"""


BOOK = {
    "cells": [
        {"cell_type": "markdown", "id": "title", "metadata": {}, "source": "# Book"},
        {
            "cell_type": "code",
            "id": "code",
            "metadata": {},
            "outputs": [],
            "execution_count": None,
            "source": "x = 1\n1 / 0",
        },
    ],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


class Faulty(NamedTuple):
    """A site with mistakes, and what its build said of them."""

    site: Site
    built: Built

    def told_of(self, page: str) -> str:
        """The warning about a page, from its place on."""
        begin = f"{self.site.folder / page}:"
        found = [part for part in self.built.told.split("\n/") if f"/{part}".startswith(begin)]
        assert len(found) == 1, self.built.told
        return f"/{found[0]}".removeprefix(begin)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Faulty:
    """Pages with a cell that fails and with a label that means two things, and a notebook with a cell that fails."""
    three = "# Three\n\nSee {ref}`task-double`.\n"
    site = new_site(tmp_path_factory.mktemp("site"), failing=FAILING, book="", one=DEFINING, two=DEFINING, three=three)
    (site.folder / "book.md").rename(site.folder / "book.ipynb").write_text(json.dumps(BOOK), encoding="utf-8")
    return Faulty(site, site.build())


def test_a_failing_cell_fails_the_build_at_its_line(faulty: Faulty) -> None:
    """The warning has the place in the page and the lines that lead there."""
    page = faulty.site.folder / "failing.md"
    line = page.read_text(encoding="utf-8").split("\n").index("rates = [1 / day") + 1
    assert faulty.built.code == 1
    told = faulty.told_of("failing.md")
    assert told.startswith(f"{line}: WARNING: cell rates failed: ZeroDivisionError: division by zero\n")
    assert "\n      rates = [1 / day\n" in told
    assert "\n  ZeroDivisionError: division by zero [celltask.cell]" in told


def test_a_page_with_a_failing_cell_shows_how_far_it_came(faulty: Faulty) -> None:
    """The error is in the page, and the cells below have no output."""
    assert "ZeroDivisionError" in faulty.site.body("failing")
    assert "not reached" not in faulty.site.body("failing")


def test_the_site_does_not_tell_the_folder_of_its_pages(faulty: Faulty) -> None:
    """An error that a page shows names the page as messages do: the site is read elsewhere."""
    text = re.sub(r"<[^>]*>", "", faulty.site.body("failing"))
    assert "File pages/failing.md:" in text
    assert str(faulty.site.folder) not in text


def test_a_failing_cell_of_a_notebook_is_told_with_its_line(faulty: Faulty) -> None:
    """The line is that within the cell, as the file has none."""
    assert faulty.told_of("book.ipynb").startswith(
        " WARNING: cell x, line 2, failed: ZeroDivisionError: division by zero"
    )


def test_a_label_that_two_pages_have_is_known_to_none(faulty: Faulty) -> None:
    """A reference by it is a warning; it names the page and the line."""
    assert faulty.told_of("three.md").startswith("3: WARNING: undefined label: 'task-double'")


def test_errors_that_are_allowed_are_shown(tmp_path: Path) -> None:
    """With MyST-NB's own setting the cells below are executed, and the build does not fail."""
    site = new_site(tmp_path, "nb_execution_allow_errors = True", failing=FAILING)
    built = site.build()
    assert built.code == 0, built.told
    assert "not reached" in site.body("failing")


def test_only_pages_that_changed_are_executed_again(tmp_path: Path) -> None:
    """And what other pages have defined stays known."""
    site = new_site(tmp_path, first=COUNTED, second=COUNTED, defining=DEFINING)
    count = site.folder / "count.txt"
    assert site.build().code == 0
    assert count.read_text(encoding="utf-8") == "once\n" * 2
    site.write(first=f"{COUNTED}\n    See {{ref}}`task-double`.\n")
    built = site.build()
    assert built.code == 0, built.told
    assert count.read_text(encoding="utf-8") == "once\n" * 3
    assert 'href="defining.html#task-double"' in site.body("first")


def test_pages_that_are_not_to_be_executed_are_not(tmp_path: Path) -> None:
    """As MyST-NB's settings say it, or as they have all outputs; the anchors of tasks are there all the same."""
    more = 'nb_execution_excludepatterns = ["count*"]'
    site = new_site(tmp_path, more, counted=COUNTED, defining=DEFINING, book="")
    output = {"output_type": "stream", "name": "stdout", "text": "from before"}
    title, code = BOOK["cells"]
    book = {**BOOK, "cells": [title, {**code, "outputs": [output]}]}
    (site.folder / "book.md").rename(site.folder / "book.ipynb").write_text(json.dumps(book), encoding="utf-8")
    page = site.folder / "defining.md"
    text = page.read_text(encoding="utf-8").replace("kernelspec:", "mystnb:\n  execution_mode: 'off'\nkernelspec:", 1)
    page.write_text(text, encoding="utf-8")
    built = site.build()
    assert built.code == 0, built.told
    assert not (site.folder / "count.txt").exists()
    assert list(anchored(site.body("defining"))) == ["task-double", "workflow-four"]
    assert links(site.body("defining")) == []
    assert "from before" in site.body("book")


def test_pages_that_myst_nb_executes_are_linked(tmp_path: Path) -> None:
    """Without `celltask_execute` a page shows the same."""
    site = new_site(tmp_path, "celltask_execute = False", defining=DEFINING)
    built = site.build()
    assert built.code == 0, built.told
    assert links(site.body("defining")) == [("double", "#task-double")]


def test_settings_that_cannot_be_meant_end_the_build(tmp_path: Path) -> None:
    """The message names the setting and what it can be."""
    site = new_site(tmp_path, counted=COUNTED)
    (site.folder.parent / "pytest.ini").write_text("[pytest]\ncelltask_cwd = moon\n", encoding="utf-8")
    built = site.build()
    assert built.code == 2
    assert "celltask_cwd is 'moon', not document, root or scratch" in built.told


def test_another_builder_is_not_disturbed(tmp_path: Path) -> None:
    """Text has no links in its lists, and no warnings."""
    site = new_site(tmp_path, defining=DEFINING)
    built = site.build(builder="text")
    assert built.code == 0, built.told
    assert "double" in (tmp_path / "out" / "text" / "defining.txt").read_text(encoding="utf-8")
