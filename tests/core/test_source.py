"""The tree of a function is found wherever its text is known, and is never that of another text."""

from __future__ import annotations

import ast
import importlib
import itertools
import linecache
import sys
from types import FunctionType
from typing import TYPE_CHECKING

import pytest

from celltask.core.cell import decorate_tree, rewrite_source
from celltask.core.source import class_node, function_tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

numbers = itertools.count()


def run_cell(text: str, change: Callable[[ast.Module], ast.Module] = lambda tree: tree) -> dict[str, object]:
    """Run `text` as a notebook runs a cell, its tree after `change`: the lines in `linecache` are those of `text`."""
    filename = f"/tmp/kernel_3/{next(numbers)}.py"  # noqa: S108 - only looks like a file
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    import celltask  # noqa: PLC0415 - what rewritten cells name

    namespace: dict[str, object] = {"__name__": "__main__", "__celltask__": celltask}
    tree = change(ast.parse(text))
    exec(compile(tree, filename, "exec", dont_inherit=True), namespace)  # noqa: S102 - as a notebook does
    return namespace


def tree_text(function: object) -> str | None:
    """The source of the found tree, or ``None``."""
    assert isinstance(function, FunctionType)
    tree = function_tree(function)
    return ast.unparse(tree) if tree is not None else None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(x):\n    return x", "def f(x):\n    return x"),
        ("async def f(x):\n    return x", "async def f(x):\n    return x"),
        ("\n\n# words\ndef f(x): return x", "def f(x):\n    return x"),
        ("def d(g): return g\n@d\n\n@d\ndef f(x):\n    return x", "@d\n@d\ndef f(x):\n    return x"),
        ("if True:\n    def f(x):\n        return x", "def f(x):\n    return x"),
        ("def f(x): return 1\ndef f(x): return 2", "def f(x):\n    return 2"),
        ("def f(x): return 1; \nf, f2 = f, 0", "def f(x):\n    return 1"),
        ("def make():\n    def f(x): return 1\n    return f\nf = make()", "def f(x):\n    return 1"),
        ("f = lambda x: x + 1", "lambda x: x + 1"),
        ("f, g = lambda x: x + 1, lambda x: x + 2", "lambda x: x + 1"),
        ("g, f = lambda x: x + 1, lambda x: x + 2", "lambda x: x + 2"),
        ("f = (lambda y: lambda x: x + y)(1)", "lambda x: x + y"),
        ("f = (lambda x:\n    x +\n    1)", "lambda x: x + 1"),
        ("é = 1; f = lambda x: 'é'; g = lambda x: 'è'", "lambda x: 'é'"),
        (
            "from __future__ import annotations\ndef f(x: int):\n    def g(y: int): ...\n    return g",
            "def f(x: int):\n\n    def g(y: int):\n        ...\n    return g",
        ),
        ("class C:\n    def f(self): return super().f\nf = C.f", "def f(self):\n    return super().f"),
        ("class C:\n    def __f(self): return self.__f\nf = C._C__f", "def __f(self):\n    return self.__f"),
        ("f = [lambda x: x for _ in 'ab'][0]", "lambda x: x"),
    ],
)
def test_tree_is_found_in_a_cell(text: str, expected: str) -> None:
    """Functions, methods and lambdas are found by line and position."""
    assert tree_text(run_cell(text)["f"]) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("%%task --cache\ndef f(x: int) -> int:\n    return x\n", "return x"),
        ("%task\ndef f(x: int) -> int:\n    return x\n", "return x"),
        (
            (
                "%%task\nimport math\n\ndef _h(x):\n    return x\n\n"
                "def g(x: int) -> int:\n    return 1\n\ndef f(x: int) -> int:\n    return _h(x)\n"
            ),
            "return _h(x)",
        ),
        ("%%task f -> y: int\nx: int\n\ny = x + 1\n", "y = x + 1"),
    ],
    ids=["cell magic", "line magic", "several functions", "body form"],
)
def test_tree_is_found_in_a_task_cell(cell: str, expected: str) -> None:
    """What a `%%task` line makes of a cell is found, the body form too."""
    made = run_cell(rewrite_source(cell), decorate_tree)["f"]
    found = tree_text(made.function)  # type: ignore[attr-defined]  # a task
    assert found is not None
    assert f"    {expected}" in found
    assert "def f(x: int) -> int:" in found


def test_tree_is_found_in_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions of a module are found in its file, and in the new file after a reload."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    file = tmp_path / "steps_of_source.py"
    file.write_text("def f(x):\n    return x + 1\n")
    module = importlib.import_module("steps_of_source")
    old = module.f
    assert tree_text(old) == "def f(x):\n    return x + 1"
    file.write_text("# moved\ndef f(x):\n    return x + 22\n")
    importlib.reload(module)
    assert tree_text(module.f) == "def f(x):\n    return x + 22"
    assert tree_text(old) is None


def test_edited_file_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that was edited after its import is not the text of the function in memory."""
    monkeypatch.syspath_prepend(str(tmp_path))
    file = tmp_path / "edited_of_source.py"
    file.write_text("def f(x):\n    return x + 1\n")
    module = importlib.import_module("edited_of_source")
    file.write_text("def f(x):\n    return x + 234\n")
    assert tree_text(module.f) is None


def test_tree_is_found_where_the_statements_were_compiled_apart() -> None:
    """A document's loader compiles statement by statement, which gives other instructions for imported names."""
    body = (
        "    for each in (1, 2):\n        if each:\n            json.dumps(x, indent=json.loads('1'))\n"
        "    return json.dumps(x)"
    )
    text = f"import json\ndef f(x):\n{body}\n"
    filename = f"/tmp/kernel_3/{next(numbers)}.py"  # noqa: S108 - only looks like a file
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    namespace: dict[str, object] = {}
    for statement in ast.parse(text).body:
        code = compile(ast.Module([statement], []), filename, "exec", dont_inherit=True)
        exec(code, namespace)  # noqa: S102 - as a document's loader does
    assert tree_text(namespace["f"]) == f"def f(x):\n{body}"


def test_function_without_text_has_no_tree() -> None:
    """Code made from a string alone has no tree."""
    namespace: dict[str, object] = {}
    exec("def f(x):\n    return x\n", namespace)  # noqa: S102 - code without a text
    assert tree_text(namespace["f"]) is None


def test_replaced_text_is_not_believed() -> None:
    """A document loaded anew under the same name does not give its text to the functions of before."""
    text = "def f(x):\n    return x + 1\n"
    function = run_cell(text)["f"]
    assert isinstance(function, FunctionType)
    name = function.__code__.co_filename
    new = "def f(x):\n    return x - 1\n"
    linecache.cache[name] = (len(new), None, new.splitlines(keepends=True), name)
    assert tree_text(function) is None
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    assert tree_text(function) == text.strip()


def test_text_that_is_no_python_gives_no_tree() -> None:
    """A text that cannot be parsed is no obstacle."""
    function = run_cell("def f(x):\n    return x\n")["f"]
    assert isinstance(function, FunctionType)
    name = function.__code__.co_filename
    linecache.cache[name] = (8, None, ["def f(x\n", "\0"], name)
    assert tree_text(function) is None


def test_class_statement_is_found_by_a_method() -> None:
    """The class statement around a method is known, with its decorators."""
    text = (
        "import dataclasses\n@dataclasses.dataclass\nclass C:\n    x: int\n"
        "    class D:\n        def n(self): ...\n    def m(self): ...\n"
    )
    kind = run_cell(text)["C"]
    assert isinstance(kind, type)
    outer, inner = class_node(kind.m), class_node(kind.D.n)
    assert outer is not None
    assert inner is not None
    assert (outer.name, len(outer.decorator_list), inner.name) == ("C", 1, "D")
    assert class_node(tree_text) is None  # type: ignore[arg-type]  # a function has the attributes that are read
