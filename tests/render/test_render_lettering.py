"""Text that fits its box and is safe in XML."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from celltask.render.lettering import break_label, clean, clusters, elide, escape, is_measured, text_width


@given(st.text(max_size=80), st.floats(20, 300))
def test_elided_text_fits(text: str, room: float) -> None:
    """However little room there is, what is left of a text fits it, or is the sign for left-out text alone."""
    short = elide(text, room, 13.0)
    assert short == "…" or text_width(short, 13.0) <= room + 1e-6


@given(st.text(max_size=80), st.floats(20, 300))
def test_broken_text_fits(text: str, room: float) -> None:
    """A label becomes one line or two, each of which fits."""
    lines = break_label(text, room, 13.0)
    assert len(lines) in (1, 2)
    assert all(line == "…" or text_width(line, 13.0) <= room + 1e-6 for line in lines)


@given(st.text(max_size=60))
def test_clusters_lose_nothing(text: str) -> None:
    """The pieces of a text make up the text."""
    assert "".join(clusters(text)) == text


@given(st.text(max_size=60))
def test_escaped_text_is_ascii_and_well_formed(text: str) -> None:
    """Any text at all, NUL and lone surrogates included, can stand in an element and in an attribute."""
    safe = escape(text)
    assert safe.isascii()
    element = ET.fromstring(f'<a b="{safe}">{safe}</a>')  # noqa: S314 - our own text
    assert element.tag == "a"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        pytest.param("a\n  b", "a b", id="lines"),
        pytest.param("a\x00b", "a\ufffdb", id="control character"),
        pytest.param("abc\u202exe.txt", "abcxe.txt", id="turned reading direction"),
        pytest.param("größe 漢字 👩‍👩‍👧", "größe 漢字 👩‍👩‍👧", id="what is allowed"),
    ],
)
def test_clean_keeps_what_can_be_shown(text: str, kept: str) -> None:
    """A name is shown on one line, without characters that would break or turn it."""
    assert clean(text) == kept


@pytest.mark.parametrize(
    ("text", "at_least"),
    [
        pytest.param("漢字", 20.0, id="wide letters count double"),
        pytest.param("👩‍👩‍👧", 12.0, id="a joined emoji counts once"),
        pytest.param("e\u0301", 6.0, id="an accent counts nothing"),
    ],
)
def test_width_knows_more_than_ascii(text: str, at_least: float) -> None:
    """Widths at 10 px of texts outside the table are near what fonts give."""
    assert at_least <= text_width(text, 10.0) < at_least * 1.4
    assert not is_measured(text)


def test_labels_break_at_separators() -> None:
    """A long name becomes two lines of about the same length, broken after an underscore."""
    assert break_label("validate_schema_of_orders", 120.0, 13.0) == ("validate_schema_", "of_orders")


def test_elision_keeps_both_ends() -> None:
    """Names that differ in their last letters stay different."""
    shown = {elide(f"measure_everything_in_the_laboratory_{number}", 120.0, 13.0) for number in range(9)}
    assert len(shown) == 9
