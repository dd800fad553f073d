"""What a task may read besides its inputs, what it may not, and how a refusal is told."""

from __future__ import annotations

import itertools
import linecache
import pickle
import subprocess
import sys
import time
import warnings
from types import FunctionType
from typing import NamedTuple

import pytest

from celltask.core.purity import Capture, FrozenConstantWarning, captured, check
from celltask.errors import PurityError

numbers = itertools.count()


def run_cell(text: str, namespace: dict[str, object] | None = None) -> dict[str, object]:
    """Run `text` as a notebook runs a cell: its lines in `linecache`, under a name of its own."""
    filename = f"/tmp/kernel_2/{next(numbers)}.py"  # noqa: S108 - only looks like a file
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    namespace = {"__name__": "__main__"} if namespace is None else namespace
    exec(compile(text, filename, "exec", dont_inherit=True), namespace)  # noqa: S102 - as a notebook does
    return namespace


WRAPPING = "def deco(h):\n    def w():\n        return h()\n    return w\n@deco\ndef f():\n    return rows\n"


def function_of(text: str, name: str = "f") -> FunctionType:
    """The function `name` of a cell."""
    found = run_cell(text)[name]
    assert isinstance(found, FunctionType)
    return found


def place(filename: str, line: int) -> str:
    """Places as a notebook tells them."""
    assert "/kernel_2/" in filename
    return f"tutorial.md, cell 4, line {line}"


ALLOWED = {
    "int": "x = 1",
    "float": "x = 0.5",
    "complex": "x = 1j",
    "bool": "x = True",
    "none": "x = None",
    "ellipsis": "x = ...",
    "string": "x = 'a'",
    "bytes": "x = b'a'",
    "tuple": "x = (1, ('a', None))",
    "frozenset": "x = frozenset({1, 2})",
    "range": "x = range(3)",
    "slice": "x = slice(1, None)",
    "named tuple": "import collections\nx = collections.namedtuple('P', 'a b')(1, 2)",
    "enum member": "import enum\nclass C(enum.Enum):\n    A = 1\nx = C.A",
    "flag": "import re\nx = re.I | re.M",
    "date": "import datetime\nx = datetime.date(2024, 1, 1)",
    "datetime": "import datetime\nx = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)",
    "timedelta": "import datetime\nx = datetime.timedelta(hours=1)",
    "time zone": "import zoneinfo\nx = zoneinfo.ZoneInfo('UTC')",
    "decimal": "import decimal\nx = decimal.Decimal('0.1')",
    "fraction": "import fractions\nx = fractions.Fraction(1, 3)",
    "uuid": "import uuid\nx = uuid.UUID(int=1)",
    "path": "import pathlib\nx = pathlib.Path('a')",
    "pure path": "import pathlib\nx = pathlib.PureWindowsPath('a')",
    "pattern": "import re\nx = re.compile('a')",
    "ip address": "import ipaddress\nx = ipaddress.ip_address('127.0.0.1')",
    "sentinel": "x = object()",
    "numpy scalar": "import numpy\nx = numpy.float32(1)",
    "numpy dtype": "import numpy\nx = numpy.dtype('f4')",
    "numpy ufunc": "from numpy import add as x",
    "numpy random function": "from numpy.random import rand\nx = rand\ndef g(): return rand()",
    "module": "import math as x",
    "function": "def x(): ...",
    "lambda": "x = lambda: 0",
    "class": "class x: ...",
    "builtin": "x = len",
    "builtin of a module": "from math import sqrt as x",
    "method of a class": "x = str.upper",
    "class method": "x = dict.fromkeys",
    "bound method the standard library offers": "from random import choice\ndef x(): return choice([1])",
    "cached function": "import functools\n@functools.cache\ndef x(): ...",
    "single dispatch": "import functools\n@functools.singledispatch\ndef x(a): ...",
    "partial of a function": "import functools\nx = functools.partial(print, 1, end='')",
    "item getter": "import operator\nx = operator.itemgetter(1)",
    "generic alias": "x = list[int]",
    "union": "x = int | None",
    "optional": "import typing\nx = typing.Optional[int]",
    "type variable": "import typing\nx = typing.TypeVar('T')",
    "new type": "import typing\nx = typing.NewType('N', int)",
    "annotated": "import typing\nx = typing.Annotated[int, 'words']",
    "any": "from typing import Any as x",
    "logger": "import logging\nx = logging.getLogger('a')",
    "logger adapter": "import logging\nx = logging.LoggerAdapter(logging.getLogger('a'), {})",
    "context variable": "import contextvars\nx = contextvars.ContextVar('x')",
    "tuple of exceptions": "x = (ValueError, KeyError)",
    "tuple of functions": "x = (len, print)",
    "task": "from celltask.core.defining import task\n@task\ndef x() -> int:\n    return 1",
    "workflow": "from celltask.core.workflow import workflow\n@workflow\ndef x(a: int) -> int:\n    return a",
    "module's own names": "def x(): return __name__, __file__",
    "notebook's own names": "def x(): return display, get_ipython",
}

REFUSED = {
    "list": ("x = [1]", "make it an input: x: list[int]"),
    "empty list": ("x = []", "make it an input: x: list"),
    "mixed list": ("x = [1, 'a']", "make it an input: x: list"),
    "dict": ("x = {'a': 0.5}", "make it an input: x: dict[str, float]"),
    "set": ("x = {'a'}", "make it an input: x: set[str]"),
    "byte array": ("x = bytearray(b'a')", "make it an input: x: bytearray"),
    "tuple with a list": ("x = (1, [2])", "make it an input: x: tuple"),
    "tuple of lists": ("x = ([2],)", "make it an input: x: tuple"),
    "namespace": ("import types\nx = types.SimpleNamespace(a=1)", "make it an input: x: types.SimpleNamespace"),
    "instance": ("class C: ...\nx = C()", "make it an input: x: C"),
    "dataclass": (
        "import dataclasses\n@dataclasses.dataclass\nclass C:\n    a: int\nx = C(1)",
        "make it an input: x: C",
    ),
    "callable instance": ("class C:\n    def __call__(self): ...\nx = C()", "make it an input: x: C"),
    "numpy array": ("import numpy as np\nx = np.ones(3)", "make it an input: x: np.ndarray"),
    "frame": ("import pandas as pd\nx = pd.DataFrame({'a': [1]})", "make it an input: x: pd.DataFrame"),
    "series": ("import pandas\nx = pandas.Series([1])", "make it an input: x: pandas.Series"),
    "frame of a module not imported here": (
        "from pandas import DataFrame as D\nx = D({'a': [1]})\ndel D",
        "make it an input: x: pandas.DataFrame",
    ),
    "estimator": (
        "from sklearn.linear_model import LogisticRegression\nx = LogisticRegression()",
        "make it an input: x: LogisticRegression",
    ),
    "counter": ("import itertools\nx = itertools.count()", "make it an input: x: itertools.count"),
    "generator of numbers": (
        "import numpy as np\nx = np.random.default_rng(0)",
        "make it inside the task, from a seed that is an input",
    ),
    "random": ("import random\nx = random.Random(0)", "make it inside the task, from a seed that is an input"),
    "open file": ("import io\nx = io.StringIO('a')", "open it inside the task"),
    "generator": ("x = (i for i in 'ab')", "make it inside the task"),
    "lock": ("import threading\nx = threading.Lock()", "make it inside the task"),
    "bound method of data": ("x = [].append", "make the object it belongs to an input"),
    "bound method of an instance": (
        "class C:\n    def m(self): ...\nx = C().m",
        "make the object it belongs to an input",
    ),
    "partial of data": ("import functools\nx = functools.partial(print, [1])", "make what it holds an input"),
    "list that holds itself": ("x = []\nx.append(x)", "make it an input: x: list"),
    "upper-case data": ("class C: ...\nX = C()\nx = X", "make it an input: x: C"),
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in ALLOWED.items()])
def test_what_is_no_data_may_be_read(text: str) -> None:
    """Modules, functions, classes, tasks and constants may be read by a task."""
    assert check(function_of(text + "\ndef f():\n    return x\n")) == ()


@pytest.mark.parametrize(("text", "mend"), [pytest.param(*case, id=name) for name, case in REFUSED.items()])
def test_data_is_refused_with_what_to_do(text: str, mend: str) -> None:
    """Everything else is data: refused, with what to do about it, unless it is let in by name."""
    function = function_of(text + "\ndef f():\n    return x\n")
    with pytest.raises(PurityError) as caught:
        check(function)
    assert caught.value.what == "'f' reads data that is not one of its inputs: x"
    assert caught.value.mend.endswith(mend)
    assert check(function, allow=("x",)) == ()


def test_refusal_tells_what_where_and_how_to_mend() -> None:
    """The whole message: one line what, the place, the mend, and a table."""
    text = """\
import pandas as pd
df = pd.DataFrame({"a": range(2_000_000)}, dtype="int64")
labels = ["a", "b"]
rng = __import__("random").Random(1)
def helper(x):
    return len(labels) + x
def train(rate: float) -> float:
    model = helper(rate)
    return model + len(df) + rng.random()
"""
    function = function_of(text, "train")
    with pytest.raises(PurityError) as caught:
        check(function, where=place)
    assert (
        str(caught.value)
        == """\
'train' reads data that is not one of its inputs: df, rng, labels
  at: tutorial.md, cell 4, line 9
  mend: make them inputs: def train(…, df: pd.DataFrame, labels: list[str]), or let them pass: \
allow_globals=("df", "rng", "labels") (on a magic line: --allow-globals df,rng,labels)

  name    type              size     line  what to do
  df      pandas.DataFrame  16.0 MB  9     make it an input: df: pd.DataFrame
  rng     random.Random              9     make it inside the task, from a seed that is an input
  labels  list              72 B     6     make it an input: labels: list[str]"""
    )


def test_refusal_of_one_name_is_short() -> None:
    """One name, no parameters: the mend can be typed as it stands."""
    function = function_of("rows = [1, 2]\ndef total():\n    return sum(rows)\n", "total")
    with pytest.raises(PurityError) as caught:
        check(function, where=place)
    passes = 'allow_globals=("rows",) (on a magic line: --allow-globals rows)'
    assert str(caught.value).splitlines()[:3] == [
        "'total' reads data that is not one of its inputs: rows",
        "  at: tutorial.md, cell 4, line 3",
        f"  mend: make it an input: def total(rows: list[int]), or let it pass: {passes}",
    ]
    back = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - made right here
    assert back.mend == caught.value.mend


def test_helper_of_another_cell_is_named_with_its_place() -> None:
    """Data that a helper of another cell reads is refused, and the table says in which cell."""
    namespace = run_cell("rows = [1]\ndef helper():\n    return rows\n")
    run_cell("other = [2]\ndef f():\n    return other, helper()\n", namespace)
    function = namespace["f"]
    assert isinstance(function, FunctionType)
    with pytest.raises(PurityError) as caught:
        check(
            function,
            where=lambda filename, line: (
                f"{'here' if filename == function.__code__.co_filename else 'there'}, line {line}"
            ),
        )
    assert [line.split("  ")[1] for line in caught.value.mend.splitlines()[2:]] == ["name", "other", "rows"]
    assert "there, line 3" in caught.value.mend


@pytest.mark.parametrize(
    "text",
    [
        "def g():\n    return rows\ndef f():\n    return g()\n",
        "def h():\n    return rows\ndef g():\n    return h()\ndef f():\n    return g()\n",
        "class C:\n    def m(self):\n        return rows\ndef f():\n    return C().m()\n",
        "class C:\n    @property\n    def m(self):\n        return rows\ndef f():\n    return C().m\n",
        "class C:\n    @classmethod\n    def m(cls):\n        return rows\ndef f():\n    return C.m()\n",
        "def f():\n    def g():\n        return rows\n    return g()\n",
        "def f():\n    return (lambda: rows)()\n",
        "def f():\n    return [rows for _ in 'ab']\n",
        "def f():\n    return (rows for _ in 'ab')\n",
        "def f():\n    class C:\n        x = rows\n    return C\n",
        "async def f():\n    return rows\n",
        "def f():\n    rows.append(1)\n",
        "def f():\n    global rows\n    rows += [1]\n",
        "import functools\n@functools.cache\ndef g():\n    return rows\ndef f():\n    return g()\n",
        "import functools\n" + WRAPPING.replace("    def w", "    @functools.wraps(h)\n    def w"),
        WRAPPING,
        "def even(n):\n    return odd(n)\ndef odd(n):\n    return even(n), rows\ndef f():\n    return even(1)\n",
        "x0 = 0\ndef f():\n    " + "; ".join(f"x{n} = a{n} if 0 else 0" for n in range(300)) + "\n    return rows\n",
    ],
)
def test_data_is_found_wherever_it_is_read(text: str) -> None:
    """Helpers, methods, nested code and decorated functions are looked into."""
    text = "rows = [1]\n" + text
    text += "".join(f"a{n} = 0\n" for n in range(300)) if "a299" in text else ""
    with pytest.raises(PurityError, match="inputs: rows"):
        check(function_of(text))


@pytest.mark.parametrize(
    "text",
    [
        "def f(rows):\n    return rows\n",
        "def f():\n    rows = 1\n    return rows\n",
        "def f(x):\n    return x.rows\n",
        "def f():\n    return [rows for rows in 'ab']\n",
        "def f():\n    class C:\n        rows = 1\n        both = rows\n    return C\n",
        "def f():\n    import math as rows\n    return rows\n",
        "def f():\n    global rows\n    rows = 1\n",
        "def f(x: rows = 1):\n    return x\n",
    ],
)
def test_own_names_are_no_data(text: str) -> None:
    """A parameter, a local or an attribute that is called like data of the notebook is not that data."""
    assert check(function_of("rows = [1]\n" + text)) == ()


def test_values_that_a_closure_holds_may_be_used() -> None:
    """What a function was made with is fixed, and no notebook variable."""
    assert check(function_of("def make(rows):\n    def f():\n        return rows\n    return f\nf = make([1])\n")) == ()


def test_modules_of_other_files_are_not_looked_into() -> None:
    """Functions of another module may read that module's data."""
    other = run_cell("cache = {}\ndef helper():\n    return cache\n", {"__name__": "other"})
    namespace = {"__name__": "__main__", "helper": other["helper"]}
    function = run_cell("def f():\n    return helper()\n", namespace)["f"]
    assert isinstance(function, FunctionType)
    assert check(function) == ()


def test_names_not_bound_yet_are_returned() -> None:
    """Names bound by no one yet are told, sorted; builtins, the function itself and allowed names are not."""
    function = function_of("def f(x):\n    return later(x) + len(x) + f(x) + early.y + missing\n")
    assert check(function, allow=("missing",)) == ("early", "later")
    function.__globals__.update(later=len, early=[1])
    with pytest.raises(PurityError, match="inputs: early"):
        check(function, allow=("missing",))


@pytest.mark.parametrize("value", ["[1, 'a']", "{'a': (1, 2), 'b': [None]}", "{1, 2}", "{'lr': int, 'f': len}"])
def test_upper_case_collections_are_frozen_with_a_warning(value: str) -> None:
    """An upper-case list, dict or set literal may be read; the user is told that it counts in the version."""
    function = function_of(f"_LEVELS2 = {value}\ndef f():\n    return _LEVELS2\n")
    kind = type(function.__globals__["_LEVELS2"]).__name__
    with pytest.warns(FrozenConstantWarning) as caught:
        assert check(function) == ()
    (warning,) = caught
    assert str(warning.message) == (
        f"_LEVELS2 is a {kind} that 'f' reads as a constant: its content counts in the version of the task, "
        "so do not change it in place"
    )
    assert (warning.filename, warning.lineno) == (function.__code__.co_filename, 3)


def test_warning_is_given_once_a_line_and_not_for_allowed_names() -> None:
    """A cell that runs again does not warn again; a name let in by the user does not warn at all."""
    function = function_of("LEVELS = [1]\ndef f():\n    return LEVELS\n")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        check(function, allow=("LEVELS",))
        assert caught == []
        check(function)
        check(function)
    assert len(caught) == 1


def test_upper_case_collection_that_is_no_literal_is_data() -> None:
    """Upper case does not make a constant of what holds data."""
    with pytest.raises(PurityError, match="inputs: LEVELS"):
        check(function_of("LEVELS = [bytearray()]\ndef f():\n    return LEVELS\n"))


def test_captured_tells_everything_that_is_read() -> None:
    """Each name comes with its class, the first line that reads it, and what becomes of it."""
    text = """\
import math
rate = 0.1
LEVELS = [1, 2]
rows = [1, 2]
class Model: ...
def helper(x):
    return math.floor(x) + len(rows)
def f(x):
    y = helper(x) + rate
    z = later(y), Model, LEVELS
    return z, rate, rows
"""
    function = function_of(text)
    file = function.__code__.co_filename
    size = sys.getsizeof([1, 2])
    assert captured(function) == [
        Capture("math", "module", None, 7, file, "module", "is imported where the task runs"),
        Capture("rows", "list", size, 7, file, "data", "make it an input: rows: list[int]"),
        Capture("helper", "function", None, 9, file, "function", "goes along; its code counts in the version"),
        Capture("rate", "float", None, 9, file, "constant", "counts in the version"),
        Capture("LEVELS", "list", size, 10, file, "frozen", "counts in the version; do not change it in place"),
        Capture("Model", "type", None, 10, file, "class", "goes along; its code counts in the version"),
        Capture("later", "", None, 10, file, "unbound", "is not bound yet"),
    ]


class Sized(NamedTuple):
    """A value that says its size in its own way."""

    text: str
    size_bytes: int | None


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(Sized("import numpy\nx = numpy.zeros(1000)", 8000), id="numpy"),
        pytest.param(Sized("import pandas\nx = pandas.Index([1.0] * 1000)", 8000), id="index"),
        pytest.param(Sized("import polars\nx = polars.DataFrame({'a': [1.0] * 1000})", 8000), id="polars"),
        pytest.param(Sized("class C: ...\nx = C()", None), id="instance"),
        pytest.param(
            Sized("class C:\n    @property\n    def nbytes(self): raise OSError\nx = C()", None), id="failing"
        ),
    ],
)
def test_size_of_data_is_told_where_it_is_cheap(case: Sized) -> None:
    """Arrays and tables tell their size; an object that cannot is told without one."""
    (found,) = captured(function_of(case.text + "\ndef f():\n    return x\n"))
    assert found.size_bytes == case.size_bytes


def test_check_is_cheap() -> None:
    """A usual function is looked at in far less than a millisecond."""
    text = "import math\nK = 1\ndef g(x):\n    return math.sqrt(x) + K\n"
    text += "def f(x):\n" + "".join(f"    x{n} = g(x) + math.floor(x) * K\n" for n in range(40)) + "    return x\n"
    function = function_of(text)
    best = min(_seconds(function) for _ in range(20))
    assert best < 0.002


def _seconds(function: FunctionType) -> float:
    start = time.perf_counter()
    check(function)
    return time.perf_counter() - start


def test_import_of_purity_loads_little() -> None:
    """It runs at every definition, so importing it loads no heavy module of the standard library."""
    code = (
        "import sys; before = set(sys.modules); import celltask.core.purity; print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    heavy = {"ast", "dis", "inspect", "linecache", "json", "hashlib", "subprocess", "pathlib", "logging", "dataclasses"}
    assert heavy.isdisjoint(done.stdout.split())
