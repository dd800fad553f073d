"""The backward slice: what is executed for a task, and what is left out."""

# ruff: noqa: E501 - in the tables one case stands on one line
from __future__ import annotations

import ast

import pytest

from celltask.documents.outline import Cell
from celltask.documents.scopes import names_of
from celltask.documents.slice import slice_program
from celltask.documents.statements import Program

TASK = "@task\ndef f(x: int) -> int:\n    return {}\n"


def kept_of(text: str, *wanted: str) -> str:
    """The kept statements of a document with one cell, each as its first line, joined by semicolons."""
    text = f"from celltask import task, workflow\n{text}"
    program = Program.of([(Cell(1, text, first_line=1), ast.parse(text))])
    kept = slice_program(program, wanted or None).kept
    return "; ".join(statement.text for statement in kept[1:])


def body(code: str, *before: str, after: str = "") -> str:
    """A document with statements, a task `f` whose body returns `code`, and statements."""
    return "\n".join(before) + "\n" + TASK.format(code) + after


NEEDED = [
    pytest.param(body("helper(x)", "def helper(x): return x"), "def helper(x): return x; @task", id="helper"),
    pytest.param(body("a(x)", "def b(x): return x", "def a(x): return b(x)"), "def b(x): return x; def a(x): return b(x); @task", id="helper-of-a-helper"),
    pytest.param(body("late(x)", after="def late(x): return x"), "@task; def late(x): return x", id="defined-later"),
    pytest.param(body("K", "K = 3"), "K = 3; @task", id="constant"),
    pytest.param(body("np.sum(x)", "import numpy as np"), "import numpy as np; @task", id="import"),
    pytest.param(body("os.path.join(x)", "import os", "import os.path"), "import os; import os.path; @task", id="submodule-import"),
    pytest.param(body("A().go(x)", "class A:\n    def go(self, x): return step(x)", "def step(x): return x"), "class A:; def step(x): return x; @task", id="class-and-its-methods"),
    pytest.param(body("B()", "class A: pass", "class B(A): pass"), "class A: pass; class B(A): pass; @task", id="base-class"),
    pytest.param("K = 2\n@task\ndef f(x: int = K) -> int: return x", "K = 2; @task", id="default"),
    pytest.param("T = int\n@task\ndef f(x: T) -> int: return x", "T = int; @task", id="annotation"),
    pytest.param("class T: pass\n@task\ndef f(x: 'list[T]') -> 'T': return x", "class T: pass; @task", id="annotation-in-quotes"),
    pytest.param("from functools import wraps\ndef deco(f): return wraps(f)(f)\n@task\n@deco\ndef f(x: int) -> int: return x", "from functools import wraps; def deco(f): return wraps(f)(f); @task", id="decorator"),
    pytest.param("R = 2\n@task(retries=R)\ndef f(x: int) -> int: return x", "R = 2; @task(retries=R)", id="decorator-argument"),
    pytest.param(body("[g(i) for i in R]", "R = range(3)", "def g(i): return i"), "R = range(3); def g(i): return i; @task", id="comprehension"),
    pytest.param(body("(lambda y: g(y))(x)", "def g(y): return y"), "def g(y): return y; @task", id="lambda"),
    pytest.param(body("f'{K}'", "K = 1"), "K = 1; @task", id="f-string"),
    pytest.param(body("K", "import json", "try:\n    import orjson as K\nexcept ImportError:\n    K = json"), "import json; try:; @task", id="try-import"),
    pytest.param(body("K", "import sys", "if sys.platform == 'win32':\n    K = 1\nelse:\n    K = 2"), "import sys; if sys.platform == 'win32':; @task", id="if"),
    pytest.param(body("T", "T = {}", "for i in range(3):\n    T[i] = i"), "T = {}; for i in range(3):; @task", id="loop-that-fills"),
    pytest.param(body("K", "with open('k') as file:\n    K = file.read()"), "with open('k') as file:; @task", id="with"),
    pytest.param(body("K", "(K := 3)"), "(K := 3); @task", id="walrus"),
    pytest.param(body("a", "a, *b = 1, 2"), "a, *b = 1, 2; @task", id="unpacking"),
    pytest.param(body("K", "match 3:\n    case K: pass"), "match 3:; @task", id="match"),
    pytest.param(body("x", "from math import *"), "from math import *; @task", id="star-import"),
    pytest.param(body("x", "import readline"), "import readline; @task", id="import-that-nobody-reads"),
    pytest.param(body("K", "K = 1", "K = K + 1"), "K = 1; K = K + 1; @task", id="rebinding-that-reads"),
    pytest.param("from __future__ import annotations\n" + TASK.format("x"), "from __future__ import annotations; @task", id="future"),
    pytest.param(body("len(A)", "A = [1]", "B = A", "B.append(2)"), "A = [1]; B = A; B.append(2); @task", id="change-by-another-name"),
    pytest.param(body("decimal.Decimal(x)", "import decimal", "decimal.getcontext().prec = 3"), "import decimal; decimal.getcontext().prec = 3; @task", id="assignment-through-a-call"),
    pytest.param("job = task(abs)\n", "job = task(abs)", id="task-called-on-a-function"),
    pytest.param("cached = task(cache=True)\n@cached\ndef f() -> int: return 1", "cached = task(cache=True); @cached", id="own-name-for-the-decorator"),
    pytest.param("def cached(g): return task(cache=True)(g)\n@cached\ndef f() -> int: return 1", "def cached(g): return task(cache=True)(g); @cached", id="own-decorator"),
    pytest.param("from project import stage\n@stage\ndef f() -> int: return 1", "from project import stage; @stage", id="decorator-of-the-project"),
    pytest.param("if True:\n    @task\n    def f() -> int: return 1", "if True:", id="task-in-a-block"),
    pytest.param("from celltask import ShellTask\njob = ShellTask('x')", "from celltask import ShellTask; job = ShellTask('x')", id="shell-task"),
    pytest.param("from celltask import ImperativeWorkflow as W\nw = W('w')\nx = w.add_input('x', int)\nw.add_output('o', x, int)", "from celltask import ImperativeWorkflow as W; w = W('w'); x = w.add_input('x', int); w.add_output('o', x, int)", id="workflow-by-hand"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kept"), NEEDED)
def test_what_a_task_needs_is_kept(text: str, kept: str) -> None:
    """Everything that the definition of a task reads, near or far, is executed, in the document's order."""
    assert kept_of(text) == kept


CHANGES = [
    pytest.param(body("T", "T = []", "T.append(1)"), "T = []; T.append(1); @task", id="method"),
    pytest.param(body("T", "T = {}", "T['a'] = 1"), "T = {}; T['a'] = 1; @task", id="item"),
    pytest.param(body("T", "T = C()", "T.a = 1", "class C: pass"), "T = C(); T.a = 1; class C: pass; @task", id="attribute"),
    pytest.param(body("T", "T = {}", "T['a']['b'].append(1)"), "T = {}; T['a']['b'].append(1); @task", id="deep"),
    pytest.param(body("T", "T = []", "T += [1]"), "T = []; T += [1]; @task", id="augmented"),
    pytest.param(body("T", "T = {1: 1}", "del T[1]"), "T = {1: 1}; del T[1]; @task", id="delete-item"),
    pytest.param(body("T", "T = []", after="T.append(1)"), "T = []; @task; T.append(1)", id="after-the-task"),
    pytest.param(body("T", "T = []", "N = 3", "T.append(N)"), "T = []; N = 3; T.append(N); @task", id="what-the-change-reads"),
    pytest.param(body("T", "T = []", "for i in range(3):\n    T.append(i)"), "T = []; for i in range(3):; @task", id="in-a-loop"),
    pytest.param(body("T", "T = C()", "class C: pass", "setattr(T, 'a', 1)"), "T = C(); class C: pass; setattr(T, 'a', 1); @task", id="setattr"),
    pytest.param(body("T", "import heapq", "T = []", "heapq.heappush(T, 1)"), "import heapq; T = []; heapq.heappush(T, 1); @task", id="heap"),
    pytest.param(body("T", "T = {}", "def add(g):\n    T[g] = 1\n    return g", "@add\ndef one(): pass", "add(2)"), "T = {}; def add(g):; @add; add(2); @task", id="registering-function"),
    pytest.param(body("N", "N = 0", "def bump():\n    global N\n    N += 1", "bump()"), "N = 0; def bump():; bump(); @task", id="global-statement"),
    pytest.param(body("plt.gcf()", "import matplotlib", "matplotlib.use('Agg')", "import matplotlib.pyplot as plt"), "import matplotlib; matplotlib.use('Agg'); import matplotlib.pyplot as plt; @task", id="backend"),
    pytest.param(body("np.sum(x)", "import numpy as np", "SEED = 1", "np.random.seed(SEED)"), "import numpy as np; SEED = 1; np.random.seed(SEED); @task", id="seed"),
    pytest.param(body("pd.DataFrame()", "import pandas as pd", "pd.set_option('x', 1)"), "import pandas as pd; pd.set_option('x', 1); @task", id="setting"),
    pytest.param(body("x", "import sys", "from pathlib import Path", "HERE = Path('.')", "sys.path.insert(0, str(HERE))"), "import sys; from pathlib import Path; HERE = Path('.'); sys.path.insert(0, str(HERE)); @task", id="sys-path"),
    pytest.param(body("x", "from sys import path as p", "p.append('lib')"), "from sys import path as p; p.append('lib'); @task", id="sys-path-by-another-name"),
    pytest.param(body("x", "import sys", "sys.path += ['lib']"), "import sys; sys.path += ['lib']; @task", id="sys-path-augmented"),
    pytest.param(body("x", "import os", "os.environ['A'] = '1'"), "import os; os.environ['A'] = '1'; @task", id="environment"),
    pytest.param(body("x", "import os", "os.environ.setdefault('A', '1')"), "import os; os.environ.setdefault('A', '1'); @task", id="environment-default"),
    pytest.param(body("x", "from os import environ", "del environ['A']"), "from os import environ; del environ['A']; @task", id="environment-deleted"),
    pytest.param(body("x", "import os", "if 'A' not in os.environ:\n    os.environ['A'] = '1'"), "import os; if 'A' not in os.environ:; @task", id="environment-in-a-block"),
    pytest.param(body("x", "from celltask import register_type", "class H: pass", "register_type(H)"), "from celltask import register_type; class H: pass; register_type(H); @task", id="type-handler"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kept"), CHANGES)
def test_what_changes_a_needed_name_is_kept(text: str, kept: str) -> None:
    """A statement that changes what a kept one reads, `sys.path` or `os.environ`, is executed too."""
    assert kept_of(text) == kept


DEMONSTRATIONS = [
    pytest.param("print(f(1))", id="print-of-a-call"),
    pytest.param("f(1)", id="call"),
    pytest.param("result = f(1)", id="result"),
    pytest.param("result = f(1)\nprint(result.score)", id="result-shown"),
    pytest.param("result = f(1)\nresult.fit(2)", id="result-used"),
    pytest.param("f.run(x=1)", id="run"),
    pytest.param("assert f(1) == 1", id="assert"),
    pytest.param("for i in range(3):\n    print(f(i))", id="loop"),
    pytest.param("x = [f(i) for i in range(3)]", id="comprehension"),
    pytest.param("if __name__ == '__main__':\n    f(1)", id="main-guard"),
    pytest.param("if '__main__' == __name__:\n    f(1)", id="main-guard-turned"),
    pytest.param("import matplotlib.pyplot as plt\nplt.plot([1])\nplt.show()", id="plot"),
    pytest.param("def show(): print(f(1))\nshow()", id="function-that-shows"),
    pytest.param("from functools import partial\ng = partial(f, x=1)\ng()", id="partial-called"),
    pytest.param("import pandas as pd\ndf = pd.read_csv('x.csv')\ndf.head()\ndf", id="table"),
    pytest.param("f.__doc__", id="expression"),
    pytest.param("'text'", id="text"),
    pytest.param("import os\nprint(os.environ['A'], os.environ.get('B'))", id="environment-shown"),
    pytest.param("from celltask import run_task\nrun = run_task(f, {'x': 1})", id="run-task"),
    pytest.param("from celltask import mock_task\nwith mock_task(f) as mock:\n    f(1)", id="mock"),
    pytest.param("@workflow\ndef w() -> int: return f(1)\nr = w()", id="workflow-run"),
    pytest.param("del_me = 3\ndel del_me", id="delete"),
    pytest.param("class Demo:\n    value = f(1)", id="class-that-calls"),
]


@pytest.mark.parametrize("text", DEMONSTRATIONS)
def test_demonstrations_are_left_out(text: str) -> None:
    """What only shows a task at work is not executed to define it."""
    assert kept_of(body("x", after=text), "f") == "@task"


def test_plots_do_not_run_though_the_task_plots_too() -> None:
    """A task that needs a plotting library keeps its import, not the page's own plots."""
    text = body(
        "plt.gcf()", "import matplotlib.pyplot as plt", "v = [1]", "plt.plot(v)", "plt.title('x')", "plt.show()"
    )
    assert kept_of(text) == "import matplotlib.pyplot as plt; @task"


def test_a_result_that_a_definition_reads_is_computed() -> None:
    """A task called at the top level runs if a wanted definition reads what it gave."""
    text = body("x", after="best = f(1)\ndef g(x): return best\n@task\ndef h(x: int) -> int: return g(x)")
    assert kept_of(text, "h") == "@task; best = f(1); def g(x): return best; @task"


def test_a_name_with_another_value_is_not_computed_by_a_demonstration() -> None:
    """Where a needed name has a plain value, a demonstration that reuses the name is left out."""
    text = body("K", "K = 3", after="K = f(1)\nK += f(2)")
    assert kept_of(text) == "K = 3; @task"


def test_only_what_the_named_task_needs_is_kept() -> None:
    """Loading one task does not execute the others, nor their imports."""
    text = "import math\nimport json\n@task\ndef f() -> float: return math.pi\n@task\ndef g() -> str: return json.dumps(1)\n"
    assert kept_of(text, "f") == "import math; @task"
    assert kept_of(text) == "import math; import json; @task; @task"


def test_a_task_is_found_by_the_name_it_is_given() -> None:
    """The name option of a task can be asked for, like the name of its function."""
    text = "@task(name='iris')\ndef f() -> int: return 1\n@task\ndef g() -> int: return 2\n"
    assert kept_of(text, "iris") == kept_of(text, "f") == "@task(name='iris')"


def test_a_document_without_tasks_of_its_own_keeps_imports_and_definitions() -> None:
    """Where nothing is seen to be a task, all that may be one is executed."""
    assert (
        kept_of("from project import train\ndef g(): pass\nprint(train(1))")
        == "from project import train; def g(): pass"
    )


REASONS = [
    pytest.param("print(f(1))", "runs f to show its result", id="call"),
    pytest.param("if __name__ == '__main__':\n    f(1)", "is for running the document as a script", id="guard"),
    pytest.param("import math\nmath.pi", "is not needed by what is loaded", id="import"),
    pytest.param("print('hello')", "defines nothing that is needed", id="print"),
]


@pytest.mark.parametrize(("text", "reason"), REASONS)
def test_each_statement_left_out_has_a_reason(text: str, reason: str) -> None:
    """People are told why a statement was not executed."""
    full = "from celltask import task\n" + body("x", after=text)
    program = Program.of([(Cell(3, full, first_line=11), ast.parse("\n" * 10 + full))])
    first = slice_program(program).left_out[0]
    assert (first.cell, first.line, first.text, first.reason) == (3, 16, text.partition("\n")[0], reason)


READS = [
    pytest.param("def f(a, *b, c=1, **d):\n    e = a; return b, c, d, e, g", "g", id="parameters-and-locals"),
    pytest.param("def f():\n    def h(): return x\n    x = 1\n    return h", "", id="closure"),
    pytest.param("def f():\n    global x\n    x = 1\n    return x", "x", id="global"),
    pytest.param("def f():\n    x = 1\n    def g():\n        nonlocal x\n        x += 1\n    return g", "", id="nonlocal"),
    pytest.param("class A:\n    a = 1\n    b = a\n    def m(self): return a", "a", id="class-names-are-not-seen-in-methods"),
    pytest.param("class A:\n    a = a", "a", id="class-name-from-outside"),
    pytest.param("y = [a for a in b for c in a if c]", "b", id="comprehension"),
    pytest.param("y = {k: (v, w) for k, v in z}", "w z", id="dict-comprehension"),
    pytest.param("def f():\n    return [y := x for x in range(3)], y", "range", id="walrus-in-a-function"),
    pytest.param("try: a\nexcept E as e: e", "E a e", id="except"),
    pytest.param("def f():\n    try: pass\n    except E as e: return e", "E", id="except-in-a-function"),
    pytest.param("def f():\n    import a.b, c as d\n    from e import g\n    return a, d, g", "", id="imports-in-a-function"),
    pytest.param("def f(x):\n    match x:\n        case {'k': v, **r}: return v, r\n        case [p, *q] as w: return p, q, w\n        case K.A: pass", "K", id="match-in-a-function"),
    pytest.param("def f():\n    with a as b, c() as (d, e): return b, d, e", "a c", id="with-in-a-function"),
    pytest.param("lambda a, b=c: a + b + d", "c d", id="lambda"),
    pytest.param("def f(x: 'A[B]') -> 'C': ...", "A B C", id="quoted-annotations"),
    pytest.param("def f(x: Literal['not a type']): ...", "Literal", id="words-that-are-no-types"),
    pytest.param("x: int = y", "int y", id="annotated-assignment"),
    pytest.param("async def f():\n    async with a as b:\n        async for c in b: await d(c)", "a d", id="async"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "reads"), READS)
def test_only_names_of_the_document_count_as_read(text: str, reads: str) -> None:
    """Locals of functions, classes and comprehensions are told from the document's names."""
    assert " ".join(sorted(names_of(ast.parse(text).body[0]).reads)) == reads


def test_a_very_long_expression_is_sliced_all_the_same() -> None:
    """A statement too deep to walk is read coarsely, not refused."""
    names = names_of(ast.parse("y = " + " + ".join(["x"] * 900)).body[0])
    assert "x" in names.reads
    assert "y" in names.binds
