"""Outputs are put into a notebook's own JSON, and nothing else of it changes."""

from __future__ import annotations

import json

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celltask.documents.expected.notebooks import stored_outputs, with_outputs

NEW = [
    {"output_type": "stream", "name": "stdout", "text": "é\nb\n"},
    {"output_type": "execute_result", "data": {"text/plain": "1"}, "metadata": {}, "execution_count": 9},
    {"output_type": "display_data", "data": {"text/plain": "x", "application/json": {"a": 1}}, "metadata": {}},
    {"output_type": "error", "ename": "KeyError", "evalue": "'a'", "traceback": ["KeyError"]},
]


def notebook(sources: list[str]) -> dict[str, object]:
    """A notebook of these cells."""
    cells: list[dict[str, object]] = [{"cell_type": "markdown", "metadata": {}, "source": '"outputs": []', "id": "m"}]
    for number, source in enumerate(sources):
        cell: dict[str, object] = {"outputs": [], "source": source, "cell_type": "code", "metadata": {"outputs": [1]}}
        cells.append(cell | {"execution_count": 4, "id": f"c{number}"})
    return {"nbformat_minor": 5, "nbformat": 4, "cells": cells, "metadata": {"a": {"cells": []}}}


LAYOUTS: dict[str, dict[str, object]] = {
    "jupyter": {"indent": 1, "ensure_ascii": False},
    "wide": {"indent": 4},
    "tabs": {"indent": "\t"},
    "dense": {"separators": (",", ":")},
    "one-line": {},
}


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=20, deadline=None)
@given(sources=st.lists(st.text(max_size=12), min_size=1, max_size=3), data=st.data())
def test_only_the_outputs_of_the_cell_change(layout: str, sources: list[str], data: st.DataObject) -> None:
    """In any layout; the rest is kept byte for byte, and the notebook is valid."""
    before = json.dumps(notebook(sources), **LAYOUTS[layout])  # type: ignore[arg-type]  # options of dumps
    number = data.draw(st.integers(1, len(sources)))
    after = with_outputs(before, {number: NEW})
    nbformat.validate(nbformat.reads(after, as_version=4))
    assert with_outputs(after, {number: NEW}) == after
    assert with_outputs(after, {number: []}) == before
    assert {key for key, outputs in stored_outputs(after).items() if outputs} == {number}


def test_the_layout_is_that_of_jupyter() -> None:
    """Saved again by nbformat, the notebook stays as it is."""
    saved = nbformat.writes(nbformat.reads(json.dumps(notebook(["x"])), as_version=4))
    after = with_outputs(saved, {1: NEW})
    assert nbformat.writes(nbformat.reads(after, as_version=4)) == after


def test_line_ends_stay() -> None:
    """Of a notebook that was saved on Windows."""
    before = json.dumps(notebook(["x"]), indent=1).replace("\n", "\r\n")
    assert "\n" not in with_outputs(before, {1: NEW}).replace("\r\n", "")
