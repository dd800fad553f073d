"""One site with all that the extension adds to pages, built once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from sites import Site, anchored, links, new_site

if TYPE_CHECKING:
    from pathlib import Path

TASKS = """
    # Weights

    Before: [here](#task-scale), {ref}`task-mean-of`, {ref}`that <workflow-both>`, and {ref}`one:task-scale`.

    ```{code-cell} ipython3
    %load_ext celltask
    %celltask live off
    ```

    ```{code-cell} ipython3
    %%task --cache \\
        --retries 2  # twice
    def scale(weights: list[float]) -> list[float]:
        return [weight / 10 for weight in weights]


    def mean_of(weights: list[float]) -> float:
        return sum(weights) / len(weights)
    ```

    ```{code-cell} ipython3
    %%workflow
    def both(weights: list[float]) -> float:
        return mean_of(weights=scale(weights=weights).with_overrides(name="first <scaling>"))
    ```

    ```{code-cell} ipython3
    %%task scale -> scaled: list[float]
    weights: list[float]

    scaled = [weight / 100 for weight in weights]
    ```

    ```{code-cell} ipython3
    :tags: [remove-input]

    from celltask import workflow

    @workflow
    def anew(weights: list[float]) -> list[float]:
        return scale(weights=weights)
    anew
    ```

    ```{code-cell} ipython3
    print("twice", both(weights=[10.0, 20.0]))
    ```
    ```{output}
    twice 0.15
    ```

    ```{code-cell} ipython3
    both.run(weights=[10.0, 20.0])
    ```

    ```{code-cell} ipython3
    :tags: [raises-exception]

    scale(weights=["≤"])
    ```

    ```python
    %%task --cache
    def shown(x: int) -> int: ...
    ```

    ```{code-block} text
    an example
    ```
    ```{output}
    of something else
    ```
"""
OTHER = """
    # Others

    From here: {ref}`task-mean-of`, [as well](#workflow-both), [by file](one.md#task-scale),
    and here: [own](#task-scale).

    ```{code-cell} ipython3
    %load_ext celltask
    from celltask import task
    from celltask import workflow as flow

    @task(name="given-name")
    def scale(x: int) -> int:
        return x

    @flow
    def wf(x: int = 1) -> int:
        return scale(x=x)
    ```

    ```{code-cell} ipython3
    wf
    ```
"""
PLAIN = "# Plain\n\nNo cell; `%%task` is a word here.\n\n```python\nx = 1\n```\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Three pages, built without a warning."""
    site = new_site(tmp_path_factory.mktemp("site"), one=TASKS, two=OTHER, plain=PLAIN)
    built = site.build("-j2")
    assert built.code == 0, built.told
    return site


def test_each_task_and_workflow_has_an_anchor_at_its_cell(site: Site) -> None:
    """The anchor is made of the kind and the name; a second definition has a number."""
    found = {anchor: code.split("\n")[0].rstrip(" \\") for anchor, code in anchored(site.body("one")).items()}
    assert found == {
        "task-scale": "%%task --cache",
        "task-mean-of": "%%task --cache",
        "workflow-both": "%%workflow",
        "task-scale-2": "%%task scale -&gt; scaled: list[float]",
        "workflow-anew": 'print("twice", both(weights=[10.0, 20.0]))',  # its own code is not shown
    }


def test_the_list_below_a_graph_leads_to_the_cells_of_its_nodes(site: Site) -> None:
    """Also where a node has a name of its own; of a task that is defined anew, to the cell that the graph means."""
    assert links(site.body("one")) == [
        *[("first &lt;scaling&gt;", "#task-scale"), ("mean_of", "#task-mean-of")],
        ("scale", "#task-scale-2"),
        *[("first &lt;scaling&gt;", "#task-scale-2"), ("mean_of", "#task-mean-of")],  # the run takes the present one
    ]


def test_a_task_of_another_name_than_its_function_is_linked(site: Site) -> None:
    """It has anchors under both names, and the graph leads to the cell."""
    assert set(anchored(site.body("two"))) == {"task-scale", "task-given-name", "workflow-wf"}
    assert links(site.body("two")) == [("given-name", "#task-given-name")]


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        pytest.param(
            "one",
            [
                ("#task-scale", "here"),
                ("#task-mean-of", "mean_of"),
                ("#workflow-both", "that"),
                ("#task-scale", "scale"),
            ],
            id="same-page",
        ),
        pytest.param(
            "two",
            [
                ("one.html#task-mean-of", "mean_of"),
                ("one.html#workflow-both", "as well"),
                ("one.html#task-scale", "by file"),
                ("#task-scale", "own"),
            ],
            id="other-page",
        ),
    ],
)
def test_anchors_are_labels(site: Site, page: str, expected: list[tuple[str, str]]) -> None:
    """`{ref}` and MyST's links find a task by its label, which has the page before it where several pages have it."""
    first = re.search(r"<p>(?:Before|From here).*?</p>", site.body(page), re.DOTALL)
    assert first is not None
    found = re.findall(r'<a class="[^"]*" href="([^"]*)">(?:<span[^>]*>)?([^<]*)', first[0])
    assert found == expected


def test_cells_are_coloured_without_a_mistake(site: Site) -> None:
    """The header has its own colours, the body those of Python, and nothing is marked as an error."""
    body = site.body("one")
    assert (
        '<span class="o">%%</span><span class="k">task</span><span class="w"> </span><span class="na">--cache</span>'
        in body
    )
    assert '<span class="k">def</span><span class="w"> </span><span class="nf">scale</span>' in body
    assert '<span class="k">def</span><span class="w"> </span><span class="nf">shown</span>' in body
    assert 'class="err"' not in body


def test_expected_output_is_shown_once(site: Site) -> None:
    """Where the cell shows its output; an `{output}` elsewhere is shown as it stands."""
    assert site.body("one").count("twice 0.15") == 1
    assert site.body("one").count("of something else") == 1


def test_a_page_without_cells_stays_as_it_is(site: Site, tmp_path: Path) -> None:
    """It is what Sphinx makes of it with MyST-NB alone."""
    alone = new_site(
        tmp_path, 'extensions = ["myst_nb"]\ncelltask_execute = None', plain=PLAIN, one="# Weights", two="# Others"
    )
    built = alone.build()
    assert built.code == 0, built.told
    assert alone.body("plain") == site.body("plain")
