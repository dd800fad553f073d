"""The body form: a cell that is the body of one task."""

# ruff: noqa: E501 - the text of a cell reads best on one line
from __future__ import annotations

import ast
import inspect
import linecache

import pytest

from celltask.core.cell import decorate_tree, rewrite_source
from celltask.errors import BodyError, CallError, CellError, HeaderError


def python(cell: str, *, run: bool = True) -> str:
    """The Python that `cell` becomes."""
    return ast.unparse(decorate_tree(ast.parse(rewrite_source(cell)), run=run))


def same(text: str) -> str:
    """`text` as `python` writes it."""
    return ast.unparse(ast.parse(text))


def test_leading_annotated_names_are_the_inputs() -> None:
    """Inputs with their defaults, the docstring, the body and the outputs each come to their place."""
    cell = (
        "%%task evaluate -> accuracy: float, report: dict --cache\n'Score a model.'\nmodel: Model\n\nshare: float = 0.2\n"
        "rest = split(share)\naccuracy = model.score(rest)\nreport = {}\n"
    )
    assert python(cell) == same(
        "@__celltask__.task(cache=True, outputs=('accuracy', 'report'))\n"
        "def evaluate(model: Model, share: float = 0.2) -> tuple[float, dict]:\n"
        "    'Score a model.'\n    rest = split(share)\n    accuracy = model.score(rest)\n    report = {}\n"
        "    return (accuracy, report)\n"
    )


def test_imports_at_the_top_stay_in_the_body_and_serve_the_annotations() -> None:
    """The body is whole by itself, and the types of inputs and outputs are known before it."""
    cell = "%%task f -> y: Decimal\nfrom decimal import Decimal\nx: Decimal\ny = Decimal(1) + x\n"
    space = _run(cell)
    assert space["f"](2) == 3  # type: ignore[operator]  # the function just defined
    assert inspect.signature(space["f"]).parameters["x"].annotation is space["Decimal"]  # type: ignore[arg-type]  # as above
    assert "Decimal" in space["f"].__code__.co_varnames  # type: ignore[attr-defined]  # as above


class _Runtime:
    """Stands for celltask, with a decorator that changes nothing."""

    @staticmethod
    def task(function: object = None, **_: object) -> object:
        return function or (lambda function: function)


def _run(cell: str, **names: object) -> dict[str, object]:
    """The namespace after `cell`, with a decorator that changes nothing."""
    space: dict[str, object] = {"__celltask__": _Runtime, **names}
    exec(compile(decorate_tree(ast.parse(rewrite_source(cell))), "cell", "exec", dont_inherit=True), space)  # noqa: S102 - our own text
    return space


@pytest.mark.parametrize(
    ("head", "signature"),
    [
        ("a: int\nb: int = 1\nc: int = 2\n", "(a: int, b: int = 1, c: int = 2) -> None"),
        ("a: int = 1\nb: int\nc: int = 2\n", "(*, a: int = 1, b: int, c: int = 2) -> None"),
        ("a: int\nb: int = 1\nc: int\n", "(a: int, *, b: int = 1, c: int) -> None"),
        ("", "() -> None"),
    ],
)
def test_an_input_may_stand_below_one_with_a_default(head: str, signature: str) -> None:
    """Any order of inputs is allowed; where Python's order would be broken they are taken by keyword."""
    assert str(inspect.signature(_run(f"%%task f\n{head}print()\n")["f"])) == signature  # type: ignore[arg-type]  # a function


def test_a_value_worked_out_from_an_input_begins_the_body() -> None:
    """An annotated assignment that reads an input is a step, not an input with a default."""
    assert python("%%task f -> z: float\nx: float\ny: float = x / 2\nz = y\n") == same(
        "@__celltask__.task(outputs=('z',))\ndef f(x: float) -> float:\n    y: float = x / 2\n    z = y\n    return z\n"
    )


@pytest.mark.parametrize(
    "line",
    [
        "y = await x",
        "y = [await x for x in z]",
        "y = [x async for x in z]",
        "async with x as y: pass",
        "async for y in x: pass",
        "if x:\n    y = await x",
    ],
)
def test_a_body_that_waits_becomes_async(line: str) -> None:
    """`await` in the cell makes the task an async one."""
    assert "async def f(" in python(f"%%task f -> y: int\nx: int\n{line}\n")


def test_a_nested_async_function_does_not_make_the_task_async() -> None:
    """What waits inside a function of the body is that function's business."""
    assert "async def f(" not in python("%%task f -> y: int\nasync def g():\n    await h()\ny = 1\n")


@pytest.mark.parametrize(
    "line",
    [
        "(y := 1)",
        "for y in x: pass",
        "with a as y: pass",
        "import y",
        "import y.z",
        "from a import b as y",
        "def y(): pass",
        "class y: pass",
        "a, (b, *y) = x",
        "if x:\n    y = 1\nelse:\n    z = 2",
        "match x:\n    case [*y]: pass",
        "match x:\n    case {'a': 1, **y}: pass",
        "match x:\n    case int() as y: pass",
        "try:\n    pass\nexcept E as y: pass",
        "y += 1",
        "print([y := 1 for _ in x])",
    ],
)
def test_an_output_may_be_bound_in_any_way(line: str) -> None:
    """Whatever binds a name in a function assigns the output."""
    assert "return y" in python(f"%%task f -> y: int\nx: int\nprint()\n{line}\n")


def test_an_input_can_be_an_output() -> None:
    """An input that the body changes in place may be handed on without an assignment."""
    assert "def f(model: M) -> M" in python("%%task f -> model: M\nmodel: M\nmodel.fit()\n")


@pytest.mark.parametrize(
    ("cell", "what", "line", "mend"),
    [
        ("%%task f -> y: int\nreturn 1\n", "`return` stands in a cell that is a body", 2, "assign to the outputs on the line (y)"),
        ("%%task f\nif 1:\n    return 1\n", "`return` stands in a cell that is a body", 3, "name the output on the line: -> OUTPUT: TYPE"),
        ("%%task f -> y: int\ny = 1\nyield y\n", "`yield` stands in a cell that is a body", 3, "collect the values in a list"),
        ("%%task f -> yes: int\nx: int\nyea = 1\n", "output 'yes' is never assigned", 1, "did you mean 'yea'?"),
        ("%%task f -> yes: int\nx: int\nprint()\n", "output 'yes' is never assigned", 1, "assign it (yes = …), or take `yes: int` off the line"),
        ("%%task f -> y: int\nprint()\ny: int\n", "input 'y' stands below the first statement", 3, "move it to the top of the cell"),
        ("%%task f -> y: int\ny: int = 0\n", "'y' has a value at the top, where the inputs stand, and is an output too", 2, None),
        ("%%task f\nx: int\nx: str\n", "input 'x' is annotated twice", 3, "keep one of the two lines"),
        ("%%task f\nfrom a import *\n", "`from a import *` cannot stand in a function", 2, "import the names that the body uses"),
        ("%%task f\nprint()\nglobal x\n", "`global x` reaches out of the task", 3, "name it as an output on the line"),
        ("%%task f\nget_ipython().system('ls')\n", "a notebook command (`!` or `%`) stands in the body", 2, "move it to a cell of its own"),
        ("%%task f\n", "the body of 'f' is empty", 1, "write the cell's code below the line"),
        ("%%task f\nimport a\ndef g(): pass\n", "the line names 'f', and a def follows", 3, "write %%task without the name (--name f renames)"),
        ("%%task\nx = 1\n", "no def stands below %%task", 1, "write a def below the line, or %%task NAME -> OUTPUT: TYPE above a body"),
        ("%%task\n", "no def stands below %%task", 1, None),
        ("%%workflow\nx = 1\n", "no def stands below %%workflow", 1, "write a def below the line"),
        ("%%task\ndef _f(): pass\n", "only '_f' stands below %%task, and names with an underscore stay helpers", 2, "rename it to 'f'"),
        ("%%task\n@task\ndef f(): pass\n", "'f' has a decorator of its own that makes it a task", 3, "keep the decorator, or the %%task line"),
        ("%%task --run\ndef f(): pass\ndef g(): pass\n", "--run wants one task, and there are f, g", 3, "use a cell each"),
        ("%%task --name n\ndef f(): pass\ndef g(): pass\n", "--name would give 'f' and 'g' the same name", 3, None),
    ],
)  # fmt: skip
def test_what_cannot_be_a_body_is_refused(cell: str, what: str, line: int, mend: str | None) -> None:
    """Every refusal names the fault, the line of the cell, and a mend."""
    with pytest.raises(BodyError) as caught:
        decorate_tree(ast.parse(rewrite_source(cell)), where="cell 4")
    assert (caught.value.what, caught.value.where) == (what, f"cell 4, line {line}")
    assert caught.value.mend == mend if mend else caught.value.mend


def test_a_wrong_header_is_refused_at_its_line() -> None:
    """A header that cannot be read is told when the tree is made, with its line."""
    with pytest.raises(HeaderError) as caught:
        decorate_tree(ast.parse(rewrite_source("x = 1\n%%task --chache\ndef f(): pass\n")), where="tutorial.md, cell 2")
    assert caught.value.where == "tutorial.md, cell 2, line 2"


def test_lines_of_the_body_are_those_of_the_cell() -> None:
    """An error in the body points at its own line, and the function begins at the header."""
    space = _run("%%task f -> y: int\n\nx: int\n\ny = x / 0\n")
    function = space["f"]
    with pytest.raises(ZeroDivisionError) as caught:
        function(1)  # type: ignore[operator]  # the function just defined
    assert caught.value.__traceback__.tb_next.tb_lineno == 5  # type: ignore[union-attr]  # raised in the function
    assert function.__code__.co_firstlineno == 1  # type: ignore[attr-defined]  # as above


def test_text_in_strings_is_not_indented() -> None:
    """Lines inside a string keep their beginning, whatever quotes it has."""
    cell = "%%task f -> y: str\ny = '''a\nb\n  c''' + 'd\\\ne' + f\"\"\"\ng{1}\n\"\"\"\n"
    assert _run(cell)["f"]() == "a\nb\n  cde\ng1\n"  # type: ignore[operator]  # the function just defined


def test_the_source_of_a_body_is_the_cell() -> None:
    """The function's source is the whole cell as it ran, nested functions and lambdas included."""
    cell = "%%task f -> y: int\nx: int\n\ndef g(z):\n    return z\n\nh = lambda z: z\ny = g(x) + h(x)\n"
    text = rewrite_source(cell + "\n%%task\ndef other(): pass\n")
    filename = "<cell of a test>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    space: dict[str, object] = {"__celltask__": _Runtime}
    exec(compile(decorate_tree(ast.parse(text)), filename, "exec", dont_inherit=True), space)  # noqa: S102 - our own text
    source = inspect.getsource(space["f"])  # type: ignore[arg-type]  # the function just defined
    assert source.splitlines()[0].startswith("def f(")
    assert source.splitlines()[-1] == "    y = g(x) + h(x)"


class _Task:
    """What `run_in` needs of a task."""

    def __init__(self, function: object) -> None:
        self.function, self.name, self.place = function, "f", "cell 1, line 1"
        parameters = inspect.signature(function).parameters.values()  # type: ignore[arg-type]  # a function
        ports = [
            type("Port", (), {"name": item.name, "required": item.default is inspect.Parameter.empty})
            for item in parameters
        ]
        self.interface = type("Interface", (), {"inputs": ports})

    def __call__(self, **inputs: object) -> object:
        return self.function(**inputs)  # type: ignore[operator]  # a function


def _run_with_tasks(cell: str, **names: object) -> dict[str, object]:
    class Decorator:
        @staticmethod
        def task(function: object = None, **_: object) -> object:
            return _Task if function is None else _Task(function)

    space: dict[str, object] = {"__celltask__": Decorator, **names}
    exec(compile(decorate_tree(ast.parse(rewrite_source(cell))), "cell", "exec", dont_inherit=True), space)  # noqa: S102 - our own text
    return space


def test_run_takes_variables_and_binds_outputs() -> None:
    """With `--run` the task runs with variables of its inputs' names, and its outputs are variables after it."""
    cell = "%%task f -> a: int, b: int --run\nx: int\ny: int = 5\na = x + y\nb = x - y\n"
    assert _names(_run_with_tasks(cell, x=1)) == (6, -4)
    assert _names(_run_with_tasks(cell, x=1, y=2)) == (3, -1)


def _names(space: dict[str, object]) -> tuple[object, object]:
    return space["a"], space["b"]


def test_run_without_a_variable_names_it() -> None:
    """An input without default and without variable is named, and nothing is bound."""
    with pytest.raises(CallError, match="--run found no variable for input 'x' of 'f'"):
        _run_with_tasks("%%task f -> a: int --run\nx: int\na = x\n")


def test_run_is_left_out_for_a_document() -> None:
    """A document that is only loaded runs nothing."""
    cell = "%%task --run\nasync def f(x: int) -> int:\n    return x\n"
    assert python(cell, run=False) == same("@__celltask__.task\nasync def f(x: int) -> int:\n    return x\n")
    assert "await __import__" in python(cell)


def test_refusals_are_cell_errors() -> None:
    """One class catches all that is wrong with a cell's text."""
    assert issubclass(BodyError, CellError)
    assert issubclass(HeaderError, CellError)
