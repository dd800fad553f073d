"""Promotion writes what cells show into their fences, and not one byte else."""

from __future__ import annotations

import itertools
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from celltask.documents.expected.compare import compare
from celltask.documents.expected.fences import expected_of, stray_fences
from celltask.documents.expected.promote import promoted, write
from celltask.documents.reader import read_document
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from celltask.documents.outline import DocumentText

FOLDER = Path(tempfile.mkdtemp(prefix="tests-"))
_numbers = itertools.count()
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def document(data: bytes | str, suffix: str = ".md") -> DocumentText:
    """A document of these bytes."""
    path = FOLDER / f"page_{next(_numbers)}{suffix}"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_document(path)


def after(data: bytes | str, *shown: str, suffix: str = ".md") -> bytes:
    """The bytes of a document once this was promoted, cell by cell."""
    return promoted(document(data, suffix), dict(enumerate(shown, 1))).after


CELL = "```{code-cell}\nx\n```\n"
CASES = {
    "changed": (f"{CELL}\n```{{output}}\n1\n```\n", "2\n", f"{CELL}\n```{{output}}\n2\n```\n"),
    "empty": (f"{CELL}\n```{{output}}\n```\ntext", "2\n3", f"{CELL}\n```{{output}}\n2\n3\n```\ntext"),
    "emptied": (f"{CELL}\n```{{output}}\n1\n```\n", "", f"{CELL}\n```{{output}}\n```\n"),
    "options": (
        f"{CELL}```{{output}}\n:rtol: 0.1\n\n1.0\n```\n",
        "2.0",
        f"{CELL}```{{output}}\n:rtol: 0.1\n\n2.0\n```\n",
    ),
    "near": (
        f"{CELL}```{{output}}\n:rtol: 0.1\n\n1.0\n```\n",
        "1.05",
        f"{CELL}```{{output}}\n:rtol: 0.1\n\n1.0\n```\n",
    ),
    "ellipsis": (f"{CELL}```{{output}}\na\n...\ny\n```\n", "a\nb\nc\nz", f"{CELL}```{{output}}\na\n...\nz\n```\n"),
    "in-line": (
        f"{CELL}```{{output}}\nloss ... at 3\n```\n",
        "loss 0.25 at 4",
        f"{CELL}```{{output}}\nloss ... at 4\n```\n",
    ),
    "quotation": (
        "> ```{code-cell}\n> x\n> ```\n>\n> ```{output}\n> 1\n> ```\n",
        "2\n\n3",
        "> ```{code-cell}\n> x\n> ```\n>\n> ```{output}\n> 2\n>\n> 3\n> ```\n",
    ),
    "list": (
        "- ```{code-cell}\n  x\n  ```\n\n  ```{output}\n  1\n  ```\n",
        "2\n  3",
        "- ```{code-cell}\n  x\n  ```\n\n  ```{output}\n  2\n    3\n  ```\n",
    ),
    "longer": (f"{CELL}```{{output}}\n1\n```\n", "```\nx\n```", f"{CELL}````{{output}}\n```\nx\n```\n````\n"),
    "like-option": (f"{CELL}```{{output}}\n1\n```\n", ":a: b", f"{CELL}```{{output}}\n\n:a: b\n```\n"),
    "like-yaml": (f"{CELL}```{{output}}\n1\n```\n", "---\na\n---", f"{CELL}```{{output}}\n\n---\na\n---\n```\n"),
    "crlf": (
        f"{CELL}```{{output}}\n1\n```\n".replace("\n", "\r\n"),
        "2\n3\n",
        f"{CELL}```{{output}}\n2\n3\n```\n".replace("\n", "\r\n"),
    ),
    "mark": (f"\ufeff{CELL}```{{output}}\n1\n```", "2", f"\ufeff{CELL}```{{output}}\n2\n```"),
    "other-folder": (f"{CELL}```{{output}}\n1\n```", str(Path.home() / "a"), f"{CELL}```{{output}}\n<home>/a\n```"),
    "no-fence": (f"{CELL}\ntext\n", "2", f"{CELL}\ntext\n"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_fence_holds_what_is_shown(name: str) -> None:
    """In its place, with its prefix and line ends; what still fits stays as the author wrote it."""
    before, shown, expected = CASES[name]
    assert after(before, shown).decode() == expected


def test_a_percent_script_is_promoted_too() -> None:
    """Its fences stand in comments, and its encoding stays."""
    text = "# coding: latin-1\n# é\n# %%\nx\n\n# %% [markdown]\n# ```{output}\n# 1\n# ```\n"
    assert after(text.encode("latin-1"), "é\n\n2", suffix=".py") == text.replace("# 1\n", "# é\n#\n# 2\n").encode(
        "latin-1"
    )


def test_several_fences_are_promoted_at_once() -> None:
    """Also where the first grows."""
    page = f"{CELL}```{{output}}\n1\n```\n"
    assert after(page * 2, "a\nb", "c").decode() == page.replace("1", "a\nb") + page.replace("1", "c")


def test_a_document_that_changed_is_refused() -> None:
    """Nothing is written over what an editor has saved meanwhile."""
    found = document(f"{CELL}```{{output}}\n1\n```\n")
    Path(found.path).write_text("other")
    with pytest.raises(DocumentError, match="the document was changed while its cells were executed"):
        promoted(found, {1: "2"})
    found = document(f"{CELL}```{{output}}\n1\n```\n")
    change = promoted(found, {1: "2"})
    Path(found.path).write_text("other")
    with pytest.raises(DocumentError, match="the document was changed while its cells were executed"):
        write(change)
    assert Path(found.path).read_text() == "other"


def test_text_that_cannot_be_written_is_refused() -> None:
    """A character that the encoding of the script does not have."""
    text = "# coding: latin-1\n# %%\nx\n\n# %% [markdown]\n# ```{output}\n# 1\n# ```\n"
    with pytest.raises(DocumentError, match="the document is iso-8859-1, which has no '→'"):
        after(text, "→", suffix=".py")


def test_text_that_would_end_another_fence_is_refused() -> None:
    """The page would read otherwise afterwards."""
    with pytest.raises(DocumentError, match="what is shown cannot stand in this fence"):
        after(f"````{{note}}\n{CELL}```{{output}}\n1\n```\n````\n\n{CELL}", "```\n````\n```")


def test_writing_keeps_permissions_and_links(tmp_path: Path) -> None:
    """The file is replaced as a whole, and nothing else is left beside it."""
    found = document(f"{CELL}```{{output}}\n1\n```\n")
    path = Path(found.path)
    path.chmod(0o640)
    link = tmp_path / "link.md"
    link.symlink_to(path)
    change = promoted(read_document(link), {1: "2"})
    assert write(change)
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert path.read_bytes() == change.after
    assert list(tmp_path.iterdir()) == [link]
    assert not write(promoted(read_document(link), {1: "2"}))


def test_the_change_is_shown_as_a_diff() -> None:
    """In lines of the file, without writing it."""
    found = document(f"{CELL}```{{output}}\n1\n```\n")
    assert promoted(found, {1: "2"}).diff("page.md").splitlines() == [
        *(
            "--- page.md",
            "+++ page.md (promoted)",
            "@@ -2,6 +2,6 @@",
            " x",
            " ```",
            " ```{output}",
            "-1",
            "+2",
            " ```",
            " ",
        ),
    ]
    assert Path(found.path).read_text() == found.text


STRAY = {
    "above": ("```{output}\n1\n```\n\n" + CELL, 1, "stands above the first code cell"),
    "prose": (f"{CELL}\ntext\n\n```{{output}}\n1\n```\n", 7, "does not follow cell 1 directly"),
    "second": (
        f"{CELL}```{{output}}\n1\n```\n```{{output}}\n1\n```\n",
        7,
        "is a second one after cell 1, whose first is at line 4",
    ),
}


@pytest.mark.parametrize("name", STRAY)
def test_a_fence_of_no_cell_is_told(name: str) -> None:
    """With its line: nothing would be compared with it."""
    text, line, why = STRAY[name]
    notice = stray_fences(document(text))[0]
    assert notice[:3] == (line, f"this {{output}} fence {why}, so it is not compared", "put it right below its cell")


@pytest.mark.parametrize("between", ["", "\n\n", "\n+++\n\n", "\n% comment\n\n", "\n<!-- comment -->\n\n"])
def test_a_fence_right_below_its_cell_is_found(between: str) -> None:
    """Blank lines, block breaks and comments may stand between the two."""
    found = document(f"{CELL}{between}```{{output}}\n1\n```\n")
    assert expected_of(found)[1].source == "1"
    assert stray_fences(found) == []


LINES = st.sampled_from(
    ["", "a", "  b", "...", "x ... y", "1.5", "{1, 2}", "{2, 1}", "```", "````", "~~~", ":a: b", "---", "+++", "> q",
     "- l",
     "# %%",
     "```{code-cell}", "é\u2028ü", "0x7fffabcd", "2024-01-01", "    deep", "\tt", "   a  b", "0  1  2", "<!--", ":::"]
)  # fmt: skip
TEXTS = st.lists(LINES, max_size=6).map("\n".join)
PROSE = st.lists(st.sampled_from(["text", "", "# Title", "- item", "> quote", "$$", "é"]), max_size=4).map("\n".join)
PREFIXES = st.sampled_from(["", "> ", "- "])


def block(prefix: str, marks: str, info: str, text: str) -> str:
    """A fence in a quotation, a list or neither."""
    lines = [f"{marks}{info}", *(text.split("\n") if text else []), marks]
    rest = "  " if prefix == "- " else prefix
    return "".join(f"{prefix if not at else rest}{line}".rstrip() + "\n" for at, line in enumerate(lines))


@QUICK
@given(PROSE, PROSE, TEXTS, TEXTS, PREFIXES, st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", "\ufeff"]))
def test_no_byte_outside_of_the_fence_changes(  # noqa: PLR0913, PLR0917 - what documents are made of
    above: str, below: str, old: str, new: str, prefix: str, end: str, mark: str
) -> None:
    """What was promoted compares equal, and is not changed by promoting it again."""
    rest = "  " if prefix == "- " else prefix
    cell = block(prefix, "```", "{code-cell}", "x = 1")
    fence = block(rest, "``````", "{output}", old)
    head, tail = f"{mark}{above}\n\n{cell}", f"\n{below}"
    data = f"{head}{fence}{tail}".replace("\n", end).encode()
    found = document(data)
    assume(set(expected_of(found)) == {1})  # prose can turn it into something else
    result = promoted(found, {1: new}).after
    first, last = f"{head}{rest}``````{{output}}\n".replace("\n", end), f"{rest}``````\n{tail}".replace("\n", end)
    assert result.startswith(first.encode())
    assert result.endswith(last.encode())
    again = document(result)
    assert compare(expected_of(again)[1].source, new) is None
    assert promoted(again, {1: new}).after == result
