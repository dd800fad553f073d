"""Header lines become Python, line for line, and nothing else changes."""

from __future__ import annotations

import ast
import io
import tokenize

import pytest

from celltask.core.cell import decorate_tree, rewrite_source

DEF = "def f(x: int) -> int:\n    return x\n"


def decorated(text: str) -> str:
    """The Python that the cell `text` becomes in the end, without its line numbers."""
    return ast.unparse(decorate_tree(ast.parse(rewrite_source(text))))


@pytest.mark.parametrize("spelling", ["%%task --cache", "%task --cache", "@__celltask__.task(cache=True)"])
@pytest.mark.parametrize(
    "between", ["", "\n", "\n\n\n", "# note\n", "\n  # note\n\n", "@other\n", "@other(\n  1\n)\n\n"]
)
def test_the_three_spellings_are_one(spelling: str, between: str) -> None:
    """Where one def follows, the header is its decorator, whatever blank lines and decorators stand between."""
    expected = f"@__celltask__.task(cache=True)\n{between}{DEF}"
    assert rewrite_source(f"{spelling}\n{between}{DEF}") == expected


@pytest.mark.parametrize("magic", ["%%task", "%task"])
def test_every_public_def_of_the_cell_becomes_a_task(magic: str) -> None:
    """Imports, constants and `_helpers` stay what they are; all other defs are decorated, async ones too."""
    cell = (
        f"{magic} --retries 2\nimport math\nK = 3\ndef _helper(): pass\n"
        "async def a(): pass\n@other\ndef b(): pass\nclass C:\n    def method(self): pass\n"
    )
    assert decorated(cell) == ast.unparse(
        ast.parse(
            "import math\nK = 3\ndef _helper(): pass\n@__celltask__.task(retries=2)\nasync def a(): pass\n"
            "@__celltask__.task(retries=2)\n@other\ndef b(): pass\nclass C:\n    def method(self): pass\n"
        )
    )


def test_a_helper_below_the_one_def_changes_nothing() -> None:
    """One public def that follows the header is decorated in the text, though helpers and statements come after."""
    cell = f"%%task\n{DEF}\ndef _g(): pass\nprint(f(1))\n"
    assert rewrite_source(cell).splitlines()[0] == "@__celltask__.task"


def test_each_header_applies_up_to_the_next() -> None:
    """Several headers in one cell each make their own defs tasks or workflows."""
    cell = "%task --cache\ndef a(): pass\n%task\nX = 1\ndef b(): pass\ndef c(): pass\n%workflow\ndef w(): pass\n"
    tree = decorate_tree(ast.parse(rewrite_source(cell)))
    found = {item.name: ast.unparse(item.decorator_list[0]) for item in tree.body if isinstance(item, ast.FunctionDef)}
    assert found == {
        "a": "__celltask__.task(cache=True)",
        "b": "__celltask__.task",
        "c": "__celltask__.task",
        "w": "__celltask__.workflow",
    }


def test_a_def_that_is_a_task_already_keeps_its_own_decorator() -> None:
    """In a cell of several defs, `@task(…)` and `@workflow` are not decorated twice."""
    cell = "%%task --cache\ndef a(): pass\n@celltask.task(retries=1)\ndef b(): pass\n@workflow\ndef w(): pass\n"
    assert decorated(cell).count("__celltask__") == 1


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param("x = '''\n%task --cache\n'''\ndef f(): pass\n", id="triple-single"),
        pytest.param('x = f"""{1}\n%task --cache\ndef f(): pass\n"""\n', id="f-string"),
        pytest.param('x = rb"""\\\n%task\ndef f(): pass\n"""\n', id="raw-bytes"),
        pytest.param("task = 2\nx = (7\n%task\n)\n", id="modulo"),
        pytest.param("x = [1, # (\n%task\n]\n", id="bracket-in-comment"),
        pytest.param("x = 7 \\\n%task\n", id="backslash"),
        pytest.param("x = 'a\\\n%task\\\n'\n", id="continued-string"),
        pytest.param("if True:\n    %task --cache\n    def f(): pass\n", id="indented"),
        pytest.param("%%writefile a.py\n%%task\ndef f(): pass\n", id="writefile"),
        pytest.param("%%bash\n%task\ndef f(): pass\n", id="bash"),
        pytest.param("%tasks\n%task_diff f\n%task?\n%%task?\n", id="other-magics"),
        pytest.param("# %%task --cache\ndef f(): pass\n", id="comment"),
        pytest.param("%%task --help\ndef f(): pass\n", id="help"),
        pytest.param("print('%task')\n", id="in-a-line"),
    ],
)
def test_what_is_no_header_stays(cell: str) -> None:
    """Text in strings, in brackets, of other magics, in comments and in blocks is left alone."""
    assert rewrite_source(cell) == cell


@pytest.mark.parametrize(
    "above", ["%%time\n", "%%capture out\n", "%%capture\n%%time -n 1\n", "# note\n\n", "import a\n"]
)
def test_magics_that_run_the_cell_may_stand_above(above: str) -> None:
    """`%%time` and the like, comments and code stay above the header."""
    assert rewrite_source(f"{above}%%task\n{DEF}") == f"{above}@__celltask__.task\n{DEF}"


def test_strings_with_quotes_and_shell_lines_do_not_confuse() -> None:
    """Open quotes in shell lines and magics end with their line."""
    cell = f"!echo it's (\n%config x = '''\nx = 'it''s' # don't (\n%task\n{DEF}"
    assert rewrite_source(cell).splitlines()[3] == "@__celltask__.task"


def test_a_notebook_command_between_keeps_the_def_whole() -> None:
    """A header over a `%magic` line is not put above that line as a decorator."""
    assert rewrite_source(f"%%task\n%matplotlib inline\n{DEF}").startswith("__celltask__: '%%task'\n%matplotlib")


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_endings_and_their_number_stay(ending: str) -> None:
    """Whatever ends the lines, each stays where it is, also below a header that goes on over several lines."""
    cell = f"import a{ending}%%task --cache \\{ending}  --retries 2{ending}def f(): pass{ending}# end"
    expected = f"import a{ending}@__celltask__.task(cache=True, retries=2){ending}{ending}def f(): pass{ending}# end"
    assert rewrite_source(cell) == expected


def test_percent_scripts_have_their_headers_in_comments() -> None:
    """With `commented`, `# %%task` is a header, continuation lines included; `# %%` alone is a cell marker."""
    cell = f"# %% task\n# %%task --cache \\\n#   --retries 2\n{DEF}"
    expected = f"# %% task\n@__celltask__.task(cache=True, retries=2)\n\n{DEF}"
    assert rewrite_source(cell, commented=True) == expected
    assert rewrite_source(f"# %task\n{DEF}", commented=True) == f"@__celltask__.task\n{DEF}"


def test_decorating_keeps_every_line() -> None:
    """A def that the tree pass decorates begins on its own line, with its first decorator if it has one."""
    cell = "%%task\nimport a\n\ndef f(): pass\n\n@other\ndef g(): pass\n"
    tree = decorate_tree(ast.parse(rewrite_source(cell)))
    compiled = compile(tree, "cell", "exec")
    lines = {code.co_name: code.co_firstlineno for code in compiled.co_consts if hasattr(code, "co_firstlineno")}
    assert lines == {"f": 4, "g": 6}


def test_decorating_twice_changes_nothing() -> None:
    """The tree pass leaves its own result alone."""
    tree = decorate_tree(ast.parse(rewrite_source(f"%%task\nimport a\n{DEF}def g(): pass\n")))
    once = ast.dump(tree)
    assert ast.dump(decorate_tree(tree)) == once


def test_a_future_import_below_the_header_compiles() -> None:
    """`from __future__` may follow the header, as it may open any cell."""
    tree = decorate_tree(ast.parse(rewrite_source(f"%%task\nfrom __future__ import annotations\n{DEF}")))
    assert compile(tree, "cell", "exec").co_flags & 0x1000000  # CO_FUTURE_ANNOTATIONS


def test_without_the_tree_pass_a_marker_does_nothing() -> None:
    """A cell whose header became a marker still runs as plain Python, its functions undecorated."""
    space: dict[str, object] = {}
    exec(rewrite_source("%%task --cache\nK = 1\ndef f() -> int:\n    return K\n"), space)  # noqa: S102 - our own text
    assert space["f"]() == 1  # type: ignore[operator]  # the function above


def test_lines_are_found_as_the_tokenizer_finds_them() -> None:
    """On a text full of strings, the lines that begin a statement are those that `tokenize` tells."""
    text = (
        'a = """x\n%task\n""" + f"{1}"\nb = \'\'\'q"""\n%task\n\'\'\'\nc = {"k": "(",\n%task\n}\nd = "\\"" # "\n%task\n'
    )
    plain = text.rpartition("%task")[0] + "pass\n"
    starts = {token.start[0] for token in tokenize.generate_tokens(io.StringIO(plain).readline) if token.start[1] == 0}
    rewritten = rewrite_source(text + DEF).splitlines()
    changed = {number for number, line in enumerate(rewritten, 1) if line.startswith("@__celltask__")}
    assert changed == {11}
    assert 11 in starts
