"""Whatever stands in a cell, only errors of celltask come out, and quickly."""

# ruff: noqa: E501 - the text of a cell reads best on one line
from __future__ import annotations

import ast
import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from celltask.core.cell import OPTIONS, Header, decorate_tree, flags, parse_header, rewrite_source
from celltask.errors import CellError, HeaderError

WORDS = st.one_of(
    st.sampled_from(
        [
            *flags("task"),
            *flags("workflow"),
            "->",
            "name",
            "a: int",
            "a: int,",
            "x=1",
            "cpu=2",
            "A=b",
            "2",
            "'",
            '"',
            "\\",
            "#",
        ]
    ),
    st.text(max_size=8),
    st.text(alphabet="-=:,'\"[](){}\\ \n\r#>%\0", max_size=6),
)
LINES = st.sampled_from(
    [
        "%%task", "%task --cache", "%%task f -> y: int", "%workflow", "%%task --run", "%%task f --run", "def f(x: int) -> int:",
        "    return x", "def _g(): pass", "async def h(): pass", "@task", "@other", "x: int", "y: int = 1", "y = x + 1",
        "import os", "from __future__ import annotations", "from a import *", "return 1", "yield 2", "await x", "global y",
        "'''", '"""', "(", ")", "# note", "%%time", "%%bash", "!ls 'x", "", "if x:", "    pass", "class C: pass", "\\",
        "%%task \\", "  --retries 2", "'doc'", "nonlocal z", "lambda: (yield)", "x = '''%task'''", "\x0c", "%%task --retry",
    ]
)  # fmt: skip


def read(line: str) -> Header | HeaderError:
    """What `line` says, or why it is refused."""
    try:
        return parse_header(line, where="cell 1")
    except HeaderError as error:
        return error


def decorated_or_refused(tree: ast.Module) -> ast.Module | CellError:
    """The tree decorated, or why it is refused."""
    try:
        return decorate_tree(tree, where="cell 1")
    except CellError as error:
        return error


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(["%%task ", "%task ", "%%workflow ", "%%task f -> ", ""]), st.lists(WORDS, max_size=8))
@example("%%task f -> ", ["(" * 500])
@example("%%task f -> ", ["a: " + "[" * 5000])
@example("%%task ", ["\ud800"])
@example("%%task ", ["'", "\n", "->", "'"])
@example("%%task ", ["'retries=\n", "1'"])
@example("%%task ", ["f", "\\"])
@example("%%task f -> ", ["a: \ud800"])
@example("%%task f -> ", ["a: int\0"])
@example("%%task ", ["--retries", "٣"])
def test_any_line_is_read_or_refused(start: str, words: list[str]) -> None:
    """A header line gives a `Header` or raises a `HeaderError` with all three parts, never anything else."""
    found = read(start + " ".join(words))
    if isinstance(found, HeaderError):
        assert found.what
        assert found.where == "cell 1"
        assert found.mend
        assert "\n" not in found.what + found.mend


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(["docs", "cache_version", "name"]), st.text(min_size=1), max_size=3))
def test_any_text_survives_quoting(options: dict[str, str]) -> None:
    """A text quoted as for a shell reaches the keyword unchanged."""
    given_options = {
        key: value for key, value in options.items() if value.strip() and not re.search(r"\\[\r\n]", value)
    }
    words = [f"--{key.replace('_', '-')} {_quoted(value)}" for key, value in given_options.items()]
    assert parse_header(f"%%task {' '.join(words)} --card").options == {**given_options, "card": True}


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\"'\"'") + "'"


@settings(max_examples=600, deadline=None)
@given(st.lists(LINES, max_size=12))
@example(["%%task f -> y: int", "y = " + "+".join("x" * 900)])
def test_any_cell_keeps_its_lines_and_is_decorated_or_refused(lines: list[str]) -> None:
    """Rewriting keeps the number of lines; the tree pass refuses or gives a tree that Python takes or refuses cleanly."""
    cell = "\n".join(lines)
    text = rewrite_source(cell)
    assert text.count("\n") == cell.count("\n")
    assert rewrite_source(text) == text
    try:
        tree = ast.parse(text)
    except (SyntaxError, RecursionError):
        return
    decorated = decorated_or_refused(tree)
    if isinstance(decorated, CellError):
        assert decorated.where.startswith("cell 1, line ")
        assert 1 <= int(decorated.where.rpartition(" ")[2]) <= len(lines)
        return
    try:
        compile(decorated, "cell", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except (SyntaxError, RecursionError):  # Python's own refusal is as good
        return


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="%task workflow\n\r'\"()#\\\x0c\x1c def:@f_", max_size=60))
def test_any_text_keeps_its_lines(text: str) -> None:
    """Rewriting never changes how many lines there are, and leaves its own result alone."""
    rewritten = rewrite_source(text)
    assert len(re.findall(r"\r\n|\r|\n", rewritten)) == len(re.findall(r"\r\n|\r|\n", text))
    assert rewrite_source(rewritten) == rewritten


def test_the_table_of_options_is_consistent() -> None:
    """Flags are the keywords in kebab case, each only once."""
    assert all(option.flag == f"--{option.keyword.replace('_', '-')}" for option in OPTIONS)
    assert len({option.flag for option in OPTIONS}) == len(OPTIONS)
