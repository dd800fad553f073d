"""Pictures of conditionals, maps, dynamic graphs and gates."""

from __future__ import annotations

from celltask import approve, conditional, dynamic, map_task, task, workflow
from celltask.core.graph import Graph
from celltask.render import html, mermaid, svg, text
from celltask.render.wording import way_told


@task
def double(x: int) -> int:
    """Twice."""
    return 2 * x


@task
def negative(x: int) -> int:
    """With the other sign."""
    return -x


@workflow
def choosing(x: int) -> int:
    """Three branches, one of which fails."""
    got = (
        conditional("size")
        .if_(x > 9).then(negative(x=double(x=x)))
        .elif_(x == 0).then(7)
        .else_().fail("too small")
    )  # fmt: skip
    return double(x=got)


DASH = "\N{EN DASH}"
STATES = {"n0": "done", "n0/n0": "done", "n0/n0/n0": "done", "n0/n0/n1": "done", "n0/n1": "skipped", "n0/n2": "skipped"}


def test_a_conditional_is_a_diamond_with_its_branches() -> None:
    """The picture has a diamond, a label for each branch, what the branches run, and lines to what uses the value."""
    drawn = svg(choosing.graph, states=STATES)
    assert 'class="node conditional done" data-id="n0"><title>size: done</title><polygon class="box"' in drawn
    for node, label in {"n0/n0": "x &gt; 9: done", "n0/n1": "x == 0 (gives 7): skipped"}.items():
        assert f'data-id="{node}"><title>{label}</title>' in drawn
    assert 'data-id="n0/n2"><title>else (fails: too small): skipped</title>' in drawn
    assert 'data-id="n0/n0/n1"><title>negative: done</title>' in drawn
    assert "<title>size \u2192 x == 0</title>" in drawn.replace("&#8594;", "\u2192")


def test_mermaid_draws_a_conditional() -> None:
    """A rhombus, round labels, and arrows from the ends of the branches."""
    told = mermaid(choosing.graph, states=STATES)
    assert '    b1{"size"}:::done' in told
    assert '    b2("x #62; 9"):::done' in told
    assert '    b5("x == 0<br/>gives 7"):::skipped' in told
    ends = {line.split(" --> ")[0].strip() for line in told.splitlines() if line.endswith("--> b7")}
    assert ends == {"b4", "b5"}


def test_text_tells_the_branches_below_the_conditional() -> None:
    """One line for each branch, with its mark and what it runs or gives."""
    assert text(choosing.graph, states=STATES).splitlines() == [
        "choosing(x: int) → o0: int",
        "✓  size    conditional · done  ← x",
        "│    ✓ x > 9: double, negative",
        f"│    {DASH} x == 0: gives 7",
        f"│    {DASH} else: fails: too small",
        "●  double                      ← size",
        "→ o0: int  ← double",
    ]


def test_a_page_tells_each_branch() -> None:
    """The fold-out of a conditional has one for each branch."""
    told = html(choosing.graph, states=STATES)
    assert "<code>x &gt; 9</code> &#183; branch &#183; done" in told
    assert "fails: too small" in told
    assert told.count("<img") == 1  # the picture has the branches in it


@task
def clean_up(x: int) -> None:
    """After a failure."""


@workflow(on_failure=clean_up)
def guarded(x: int) -> int:
    """With a handler."""
    return double(x=x)


def test_what_runs_after_a_failure_is_told() -> None:
    """In the text, in the description of the picture, and in what JSON carries."""
    assert text(guarded.graph).splitlines()[-1] == "on failure: clean_up"
    assert "On failure: clean_up." in svg(guarded.graph)
    assert Graph.from_json(guarded.graph.to_json()) == guarded.graph
    assert Graph.from_json(choosing.graph.to_json()) == choosing.graph


@dynamic
def repeated(x: int) -> int:
    """Two steps that are known only when it runs."""
    return double(x=double(x=x))


@workflow
def everything(xs: list[int]) -> int:
    """A map, a gate and a dynamic function."""
    doubled = map_task(double)(x=xs)
    return approve("publish", repeated(x=doubled[0]))


def test_maps_gates_and_dynamic_functions_have_shapes_of_their_own() -> None:
    """A map is a stack, a gate has points at its sides, a dynamic function a broken line inside its border."""
    run = everything.run(xs=[1], answers={"publish": True})
    assert run.graph is not None
    drawn = svg(run.graph, states={record.id: record.state for record in run.nodes})
    map_box = drawn[drawn.index('data-id="n0"') :].partition("</g>")[0]
    assert map_box.count('<rect class="fold"') == 2
    assert ">over xs<" not in map_box
    assert ">over x<" in map_box
    dynamic_box = drawn[drawn.index('data-id="n1"') :].partition("</g>")[0]
    assert '<rect class="inner open"' in dynamic_box
    assert ">dynamic · 2 steps<".encode("ascii", "xmlcharrefreplace").decode() in dynamic_box
    gate_box = drawn[drawn.index('data-id="n2"') :].partition("</g>")[0]
    assert '<polygon class="box"' in gate_box
    told = mermaid(everything.graph)
    assert '[/"map double<br/>over x"/]' in told
    assert '[["repeated<br/>dynamic"]]' in told
    assert '{{"publish<br/>waits for approval"}}' in told


def test_a_page_shows_what_a_dynamic_function_became() -> None:
    """Its fold-out holds the picture of the graph that it made."""
    run = everything.run(xs=[1], answers={"publish": True})
    assert run.graph is not None
    assert html(run.graph).count("<img") == html(everything.graph).count("<img") + 1


@workflow
def mapping(xs: list[int]) -> list[int]:
    """A map."""
    return map_task(double)(x=xs)


@workflow
def around(xs: list[int]) -> list[int]:
    """A map in a workflow under another name."""
    return mapping(xs=xs).with_overrides(name="all of them")


def test_the_way_to_a_node_is_told_by_labels() -> None:
    """Those of what it is in stand before its own; what is not known keeps its id."""
    assert way_told(around.graph, "n0/n0") == "all of them / map double"
    assert way_told(around.graph, "n0/n0[3]") == "all of them / map double[3]"
    assert way_told(around.graph, "n0/n7/n8") == "all of them / n7 / n8"
