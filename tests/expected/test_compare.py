"""What counts as the same output, and what does not."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from celltask.documents.expected.compare import compare
from celltask.documents.expected.rules import Rules, rules_of
from celltask.documents.expected.sanitise import built_in, own
from celltask.documents.expected.shown import shown_text
from celltask.errors import DocumentError

TEMPORARY = Path(tempfile.gettempdir())
FRAME = pd.DataFrame({"a": [1.5, 2.25], "b": ["x", "New York"]})
WIDE = pd.DataFrame({"a": [1.5, 2.25], "b": ["x", "New York and more"]})

SAME: dict[str, tuple[str, str, dict[str, object]]] = {
    "line-ends": ("a  \r\nb\r\n\r\n", "a\nb\t\n", {}),
    "empty-lines-at-the-ends": ("\n\na\n", "a", {}),
    "ellipsis-in-line": ("loss ... of 3", "loss 0.25 of 3", {}),
    "ellipsis-of-nothing": ("a...b", "ab", {}),
    "ellipsis-of-lines": ("a\n...\nz", "a\nb\nc\nz", {}),
    "ellipsis-of-no-lines": ("a\n...\nz", "a\nz", {}),
    "ellipsis-at-the-ends": ("...\nb\n...", "a\nb\nc", {}),
    "ellipsis-alone": ("...", "", {}),
    "ellipsis-itself": ("[0 ... 9]\n...", "[0 ... 9]\n...", {}),
    "near": ("loss 0.412", "loss 0.4121", {"rtol": "1e-3"}),
    "near-of-zero": ("0.0", "1e-9", {"atol": "1e-6"}),
    "near-in-array": ("array([1., 2.])", "array([1.0001, 2.])", {"rtol": "0.01"}),
    "near-and-ellipsis": ("a ... 0.50", "a b 0.501", {"rtol": "0.01"}),
    "as-written": ("3.14", "3.14159", {"rtol": "written"}),
    "address": ("<A at 0x7f0011223344>", "<A at 0x7fffffffffff>", {}),
    "duration": ("1.23 s ± 4 ms per loop", "980 ms ± 12 µs per loop", {}),
    "took": ("took 0.3s", "took 12.05s", {}),
    "wall": ("Wall time: 1min 3s", "Wall time: 12.5 ms", {}),
    "date": ("at 2024-01-01 12:00:01.5", "at 2025-12-31T00:00:00Z", {}),
    "temporary-path": (str(TEMPORARY / "a1" / "x.csv"), str(TEMPORARY / "b2" / "x.csv"), {}),
    "set": ("{1, 2}", "{2, 1}", {}),
    "set-of-near": ("{1.0, 2.0}", "{2.001, 1.001}", {"rtol": "0.01"}),
    "nested-sets": ("[{'a': frozenset({1, 2})}]", "[{'a': frozenset({2, 1})}]", {}),
    "set-over-lines": ("{'a',\n 'b'}", "{'b',\n 'a'}", {}),
    "set-after-text": ("rows\n{1, 2}", "rows\n{2, 1}", {}),
    "quotes": ('["a"]', "['a']", {}),
    "object": ("Point(x=1.0, y={1, 2})", "Point(x=1.0, y={2, 1})", {}),
    "pandas-widths": ("   a  b\n0  1  x", "      a  b\n0     1  x", {}),
    "pandas-near": (repr(FRAME), repr(FRAME.assign(a=[1.5001, 2.25])), {"rtol": "0.01"}),
    "polars-widths": (repr(pl.DataFrame({"a": [1.5]})), repr(pl.DataFrame({"a": [1.50001]})), {"rtol": "0.01"}),
}  # fmt: skip

OTHER: dict[str, tuple[str, str, dict[str, object], int, str]] = {
    "text": ("a\nb", "a\nc", {}, 1, "expected 'b', shown is 'c'"),
    "more": ("a", "a\nb", {}, 1, "'b' is shown and not expected"),
    "less": ("a\nb", "a", {}, 1, "'b' is expected and not shown"),
    "nothing": ("a", "", {}, 0, "nothing is shown"),
    "empty-fence": ("", "a", {}, 0, "nothing is expected here yet"),
    "behind-an-empty-line": ("\na", "b", {}, 1, "expected 'a', shown is 'b'"),
    "blanks-within": ("a b", "a  b", {}, 0, "expected 'a b', shown is 'a  b'"),
    "ellipsis": ("a\n...\nz", "a\nb\ny", {}, 2, "expected 'z', shown is 'y'"),
    "fewer-digits": ("3.14", "3.14159", {}, 0, "expected '3.14', shown is '3.14159'"),
    "far": ("3.1", "3.2", {"rtol": "0.01"}, 0, "expected '3.1', shown is '3.2'"),
    "whole-numbers": ("1000 rows", "1001 rows", {"rtol": "0.1"}, 0, "expected '1000 rows', shown is '1001 rows'"),
    "as-written": ("3.14", "3.15", {"rtol": "written"}, 0, "expected '3.14', shown is '3.15'"),
    "types": ("[1]", "[1.0]", {}, 0, "expected '[1]', shown is '[1.0]'"),
    "not-sanitised": (
        "2024-01-01", "2024-01-02", {"sanitize": "-dates"}, 0, "expected '2024-01-01', shown is '2024-01-02'",
    ),
    "unlike-sets": ("{1, 2}", "{1, 3}", {}, 0, "expected '{1, 2}', shown is '{1, 3}'"),
    "lists-have-order": ("[1, 2]", "[2, 1]", {}, 0, "expected '[1, 2]', shown is '[2, 1]'"),
    "dict-order": (
        "{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}", {}, 0,
        "expected \"{'a': 1, 'b': 2}\", shown is \"{'b': 2, 'a': 1}\": the same items, in other order",
    ),
    "comments": ("[1]  # a", "[1]  # b", {}, 0, "expected '[1]  # a', shown is '[1]  # b'"),
    "pandas": (
        repr(FRAME), repr(FRAME.assign(a=[1.5, 2.5])), {}, 2,
        "row 2, column 2: expected '2.25', shown is '2.5'",
    ),
    "polars": (
        repr(pl.DataFrame({"a": [1, 2], "b": ["x", "y"]})), repr(pl.DataFrame({"a": [1, 2], "b": ["x", "long one"]})),
        {}, 7, "row 2, column b: expected 'y', shown is 'long one'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_the_same_output(name: str) -> None:
    """What differs without meaning anything does not count."""
    expected, shown, options = SAME[name]
    assert compare(expected, shown, rules_of(options, Rules())) is None


@pytest.mark.parametrize("name", OTHER)
def test_other_output(name: str) -> None:
    """The first line that differs is told, and how."""
    expected, shown, options, line, what = OTHER[name]
    found = compare(expected, shown, rules_of(options, Rules()))
    assert found is not None
    assert (found.line, found.what) == (line, what)
    assert compare("\n".join(found.accepted), shown, rules_of(options, Rules())) is None


def test_a_changed_table_is_accepted_as_a_whole() -> None:
    """The widths of its columns fit its cells."""
    found = compare(repr(FRAME), repr(WIDE))
    assert found is not None
    assert "\n".join(found.accepted) == "\n".join(line.rstrip() for line in repr(WIDE).split("\n"))


def test_the_diff_has_the_lines_of_the_document() -> None:
    """And names the document."""
    found = compare("a\n...\nloss ... at 3\nz", "a\nb\nc\nloss 0.25 at 4\nz")
    assert found is not None
    assert found.diff(31, name="docs/page.md") == [
        *("--- docs/page.md", "+++ shown", "@@ -31,4 +31,4 @@"),
        *(" a", " ...", "-loss ... at 3", "+loss ... at 4", " z"),
    ]


def test_sanitisers_that_changed_a_differing_line_are_told() -> None:
    """So that nobody looks for the difference there."""
    found = compare("a 0x7f0011223344", "b 0x7f0011223355")
    assert found is not None
    assert found.notes == ("not compared: addresses",)


def test_a_thousand_lines_are_compared_at_once() -> None:
    """A long output that differs everywhere is told like any other."""
    found = compare("\n".join(f"a {at}" for at in range(3000)), "\n".join(f"b {at}" for at in range(3000)))
    assert found is not None
    assert (found.line, found.what) == (0, "expected 'a 0', shown is 'b 0'")


def test_a_project_has_sanitisers_of_its_own() -> None:
    """By a pattern with a name."""
    rules = Rules(sanitisers=(own("run", "run-[0-9a-f]+"), *built_in()))
    assert compare("run-1a", "run-2b", rules) is None
    assert compare("run-1a", "run-2b", rules_of({"sanitize": "-run"}, rules)) is not None


def test_the_folder_of_the_document_is_not_compared() -> None:
    """The page was written on another machine."""
    rules = Rules(sanitisers=built_in("/srv/docs"))
    assert compare("<folder>/a.csv", "/srv/docs/a.csv", rules) is None


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"rtol": "small"}, "the option rtol cannot be 'small'"),
        ({"atol": "-1"}, "the option atol cannot be '-1'"),
        ({"sanitize": "[dates, colours]"}, "no sanitiser is called colours"),
        ({"sanitize": "dates, -paths"}, "sanitisers are named with and without -"),
    ],
    ids=["rtol", "atol", "unknown", "mixed"],
)
def test_an_option_that_cannot_be_read_is_told(options: dict[str, object], told: str) -> None:
    """With its place."""
    with pytest.raises(DocumentError) as raised:
        rules_of(options, Rules(), where="page.md, line 4")
    assert (raised.value.what, raised.value.where) == (told, "page.md, line 4")


def stream(text: str, name: str = "stdout") -> dict[str, object]:
    """Printed text."""
    return {"output_type": "stream", "name": name, "text": text}


def result(**data: object) -> dict[str, object]:
    """A result of these types, their names with ``_`` for ``/``."""
    return {"output_type": "execute_result", "data": {name.replace("_", "/"): value for name, value in data.items()}}


CLEAR: dict[str, object] = {"output_type": "clear_output", "wait": False}
SHOWN: dict[str, tuple[list[dict[str, object]], str]] = {
    "nothing": ([], ""),
    "printed-and-result": ([stream("a\n"), result(text_plain="1")], "a\n1\n"),
    "errors-after-output": ([stream("e\n", "stderr"), stream("a\n"), stream("f", "stderr")], "a\ne\nf\n"),
    "results-keep-their-place": ([result(text_plain="1"), stream("a"), result(text_plain="2")], "1\na\n2\n"),
    "lines-of-a-file": ([{**stream(""), "text": ["a\n", "b"]}], "a\nb\n"),
    "carriage-return": ([stream("10 %\r"), stream("100 %\rx\n")], "x00 %\n"),
    "windows": ([stream("a\r\nb\r\n")], "a\nb\n"),
    "backspace": ([stream("ab\b\bc")], "c\n"),
    "colours": ([stream("\x1b[31mred\x1b[0m \x1b]8;;x\x1b\\link\x1b]8;;\x1b\\")], "red link\n"),
    "control": ([stream("a\x00b\x07")], "a\\x00b\\x07\n"),
    "html-only": ([result(text_html="<b>1</b>")], "<text/html>\n"),
    "html-and-text": ([result(text_html="<b>1</b>", text_plain="1")], "1\n"),
    "figure": ([result(image_png="…", text_plain="<Figure of 640x480>")], "<Figure of 640x480>\n"),
    "exception": ([{"output_type": "error", "ename": "KeyError", "evalue": "'a'"}], "KeyError: 'a'\n"),
    "cleared": ([stream("a\n"), CLEAR, stream("b\n")], "b\n"),
    "cleared-at-last": ([stream("a\n"), CLEAR], ""),
    "cleared-when-there-is-more": ([stream("a\n"), {**CLEAR, "wait": True}], "a\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", SHOWN)
def test_what_a_cell_shows(name: str) -> None:
    """Its outputs as a reader sees them."""
    outputs, text = SHOWN[name]
    assert shown_text(outputs) == text
