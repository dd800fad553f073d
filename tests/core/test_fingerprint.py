"""What changes the digest of a function, what does not, and how a change is told."""

from __future__ import annotations

import itertools
import json
import linecache
import os
import pickle
import subprocess
import sys
import textwrap
from types import FunctionType
from typing import TYPE_CHECKING, NamedTuple

import pytest

from celltask.core.fingerprint import Fingerprint, explain, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CELL = '''\
import enum
import functools
import math
from dataclasses import dataclass, field

import lib
from lib import doubled as scaled, logged

RATE = 0.5
WORDS = ("a", "b")
LEVELS = {"low": 1, "high": 2}
UNRELATED = 1
square = lambda x: x ** 2


class Color(enum.Enum):
    RED = 1
    BLUE = 2


class Base:
    def start(self) -> int:
        return 1


class Model(Base):
    rate = 3

    def __init__(self, depth: int = 2) -> None:
        self.depth = depth

    def fit(self, x):
        return self.start() + x * self.rate

    @property
    def size(self):
        return self.depth + 1

    @classmethod
    def made(cls):
        return cls(4)


@dataclass
class Config:
    lr: float = 0.1
    names: list = field(default_factory=list)


def make_adder(amount):
    def add(x):
        return x + amount

    return add


add_five = make_adder(5)
third = functools.partial(scaled, factor=3)


def count_calls(function):
    @functools.wraps(function)
    def counted(*args):
        return function(*args)

    return counted


def deepest(x):
    return x - 1


@count_calls
def helper(x):
    return deepest(x) + 1


def train(config: Config, x: int = 3, *, lr: float = 0.1) -> float:
    """Train it."""
    # a comment
    def inner(y):
        return y * 2

    model = Model.made()
    total = sum(inner(each) for each in range(x)) + len(WORDS) + LEVELS["low"] + RATE
    label = 'plain "text"'
    total += helper(x) + square(x) + add_five(x) + third(x) + Color.RED.value
    total += model.fit(x) + model.size + lib.halved(x) + math.floor(lr) + scaled(x) + logged(x)
    chosen = [each for each in (1, 2) if each > 1]
    return total + lr + len(label) + len(chosen) + config.lr


def unrelated(x):
    return x
'''

LIB = '''\
OFFSET = 7
UNUSED = 0
weights = {"a": 1}


def shifted(x):
    return x + OFFSET + weights["a"]


def halved(x):
    """Half of x."""
    return shifted(x) / 2


def doubled(x, factor=2):
    return x * factor


def tripled(x, factor=3):
    return x * factor


def tracer(function):
    def traced(x):
        return function(x)

    return traced


@tracer
def logged(x):
    return x


def unused(x):
    return x
'''


class Edit(NamedTuple):
    """One change of the cell or of the module beside it, and what `explain` says about it."""

    name: str
    old: str
    new: str
    told: tuple[str, ...] = ()
    in_module: bool = False


BODY = ("body changed",)
CHANGES = [
    Edit("body", "return total + lr", "return total - lr", BODY),
    Edit("operator", "x * self.rate", "x ** self.rate", ("method Model.fit changed",)),
    Edit("constant in the body", "Color.RED.value\n", "Color.RED.value + 1\n", BODY),
    Edit("default", "x: int = 3", "x: int = 4", ("default of x 3 → 4",)),
    Edit("keyword-only default", "lr: float = 0.1) ->", "lr: float = 0.2) ->", ("default of lr 0.1 → 0.2",)),
    Edit("default gone", "x: int = 3", "x: int", ("default 3 of x is gone",)),
    Edit("type of an input", "x: int = 3", "x: float = 3", ("type of x: int → float",)),
    Edit("return type", "lr: float = 0.1) -> float", "lr: float = 0.1) -> int", ("return type: float → int",)),
    Edit(
        "parameter kind",
        "x: int = 3, *,",
        "x: int = 3,",
        ("parameters (config, x, *, lr) → (config, x, lr)",),
    ),
    Edit(
        "new input",
        "x: int = 3, *,",
        "x: int = 3, new: int = 1, *,",
        ("parameters (config, x, *, lr) → (config, x, new, *, lr)",),
    ),
    Edit("async", "def train", "async def train", ("parameters (config, x, *, lr) → async (config, x, *, lr)",)),
    Edit("constant", "RATE = 0.5", "RATE = 0.6", ("constant RATE 0.5 → 0.6",)),
    Edit("type of a constant", "RATE = 0.5", "RATE = 5", ("constant RATE 0.5 → 5",)),
    Edit("tuple constant", '("a", "b")', '("a", "c")', ("constant WORDS ('a', 'b') → ('a', 'c')",)),
    Edit(
        "upper-case dict",
        '"high": 2',
        '"high": 3',
        ("constant LEVELS {'low': 1, 'high': 2} → {'low': 1, 'high': 3}",),
    ),
    Edit("enum member", "    RED = 1", "    RED = 3", ("attribute Color.RED 1 → 3",)),
    Edit("helper", "deepest(x) + 1", "deepest(x) + 2", ("helper `helper` changed",)),
    Edit("helper's helper", "return x - 1", "return x - 2", ("helper `deepest` changed",)),
    Edit("method", "self.start() + x", "self.start() - x", ("method Model.fit changed",)),
    Edit("property", "self.depth + 1", "self.depth + 2", ("method Model.size changed",)),
    Edit("class method", "return cls(4)", "return cls(5)", ("method Model.made changed",)),
    Edit("constructor's default", "depth: int = 2", "depth: int = 3", ("method Model.__init__ changed",)),
    Edit("class attribute", "    rate = 3", "    rate = 4", ("attribute Model.rate 3 → 4",)),
    Edit("base class's method", "        return 1\n", "        return 2\n", ("method Base.start changed",)),
    Edit("base class", "class Model(Base):", "class Model(Base, list):", ("class Model changed",)),
    Edit(
        "field of a typed input",
        "lr: float = 0.1\n",
        "lr: float = 0.3\n",
        ("class Config changed", "attribute Config.lr 0.1 → 0.3"),
    ),
    Edit("options of a class's decorator", "@dataclass\n", "@dataclass(frozen=True)\n", ("class Config changed",)),
    Edit("default factory", "default_factory=list", "default_factory=tuple", ("class Config changed",)),
    Edit("nested function", "return y * 2", "return y * 3", BODY),
    Edit("lambda", "lambda x: x ** 2", "lambda x: x ** 3", ("helper `square` changed",)),
    Edit("comprehension", "if each > 1", "if each > 0", BODY),
    Edit("closure value", "make_adder(5)", "make_adder(6)", ("helper `make_adder.add` (as `add_five`) changed",)),
    Edit(
        "closure's code", "return x + amount", "return x - amount", ("helper `make_adder.add` (as `add_five`) changed",)
    ),
    Edit(
        "partial's value",
        "factor=3)\n\n\ndef count",
        "factor=4)\n\n\ndef count",
        ("`third` means partial(function lib.doubled, factor=4), not partial(function lib.doubled, factor=3)",),
    ),
    Edit("helper's decorator", "@count_calls\n", "@functools.cache\n@count_calls\n", ()),
    Edit("decorator gone", "@count_calls\n", "", ()),
    Edit(
        "decorator's own code",
        "return function(*args)",
        "return function(*args) or 0",
        ("helper `count_calls` changed", "helper `count_calls.counted` (as `helper`) changed"),
    ),
    Edit(
        "name bound to another function",
        "doubled as scaled",
        "tripled as scaled",
        (
            "`scaled` means function lib.tripled, not function lib.doubled",
            "`third` means partial(function lib.tripled, factor=3), not partial(function lib.doubled, factor=3)",
            "helper `lib.doubled` is gone",
            "helper `lib.tripled` is new",
        ),
    ),
    Edit(
        "helper gone",
        "def deepest(x):",
        "def shallow(x):",
        ("helper `deepest` is gone", "helper `helper` changed", "`deepest` is not defined"),
    ),
    Edit("local name", "total", "whole", BODY),
    Edit(
        "parameter name",
        "def deepest(x):\n    return x",
        "def deepest(z):\n    return z",
        ("helper `deepest` changed",),
    ),
    Edit("local import", "    model = Model", "    import json\n    model = Model", BODY),
    Edit("module's function", "shifted(x) / 2", "shifted(x) / 3", ("helper `lib.halved` changed",), in_module=True),
    Edit(
        "module's helper", "return x + OFFSET", "return x - OFFSET", ("helper `lib.shifted` changed",), in_module=True
    ),
    Edit("module's constant", "OFFSET = 7", "OFFSET = 8", ("constant lib.OFFSET 7 → 8",), in_module=True),
    Edit("module's data", '{"a": 1}', '{"a": 2}', ("data lib.weights is made in another way",), in_module=True),
    Edit("module's decorator", "return function(x)", "return function(x) + 1", (), in_module=True),
    Edit(
        "module's decorated function",
        "def logged(x):\n    return x",
        "def logged(x):\n    return +x",
        (),
        in_module=True,
    ),
]

SAME = [
    Edit("comment", "# a comment", "# another one, longer"),
    Edit("comment gone", "    # a comment\n", ""),
    Edit("blank lines", "    model = Model", "\n\n    model = Model"),
    Edit("docstring", '"""Train it."""', '"""Train it well."""'),
    Edit("docstring gone", '    """Train it."""\n', ""),
    Edit("helper's docstring", "def deepest(x):\n", "def deepest(x):\n    'Less.'\n"),
    Edit("method's docstring", "def fit(self, x):\n", "def fit(self, x):\n        'Fit.'\n"),
    Edit("class's docstring", "class Model(Base):\n", "class Model(Base):\n    'A model.'\n\n"),
    Edit("formatting", "return total + lr + len(label)", "return total+lr   +\\\n        len( label )"),
    Edit("quotes", "'plain \"text\"'", '"plain \\"text\\""'),
    Edit("prefix of a string", "'plain", "u'plain"),
    Edit(
        "parentheses",
        "    return total + lr + len(label) + len(chosen) + config.lr",
        "    return ((total) + lr + len(label) + len(chosen) + (config.lr))",
    ),
    Edit("trailing comma", "lr: float = 0.1) -> float", "lr: float = 0.1,) -> float"),
    Edit("underscores in a number", "RATE = 0.5", "RATE = 0.500"),
    Edit("type as a string", "x: int = 3", 'x: "int" = 3'),
    Edit("unrelated constant", "UNRELATED = 1", "UNRELATED = 2"),
    Edit("unrelated function", "def unrelated(x):\n    return x", "def unrelated(x):\n    return -x"),
    Edit("unrelated name", "UNRELATED = 1", "UNRELATED = 1\nanother = []"),
    Edit("alias of a module", "import math", "import math, json"),
    Edit("indentation", "    def inner(y):\n        return y * 2", "    def inner(y):\n            return y * 2"),
    Edit("semicolon", "    model = Model.made()\n    total", "    model = Model.made(); total"),
    Edit("module's unused function", "def unused(x):\n    return x", "def unused(x):\n    return -x", in_module=True),
    Edit("module's unused constant", "UNUSED = 0", "UNUSED = 1", in_module=True),
    Edit("module's docstring", '"""Half of x."""', '"""The half of x."""', in_module=True),
    Edit("module's comment", "OFFSET = 7", "# seven\nOFFSET = 7  # yes", in_module=True),
]
numbers = itertools.count()


def run_cell(text: str, namespace: dict[str, object] | None = None) -> dict[str, object]:
    """Run `text` as a notebook runs a cell: its lines in `linecache`, under a name of its own."""
    filename = f"/tmp/kernel_1/{next(numbers)}.py"  # noqa: S108 - only looks like a file
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    namespace = {"__name__": "__main__"} if namespace is None else namespace
    exec(compile(text, filename, "exec", dont_inherit=True), namespace)  # noqa: S102 - as a notebook does
    return namespace


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that modules can be imported from, with the module `lib` in it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "lib.py").write_text(LIB)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def defined(folder: Path, edit: Edit | None = None, name: str = "train") -> FunctionType:
    """The function `name` of the cell, after `edit` of the cell or of its module."""
    cell, module = edited(edit)
    sys.modules.pop("lib", None)
    (folder / "lib.py").write_text(module)
    linecache.checkcache()
    os.utime(folder / "lib.py", ns=(next(numbers) * 10**9,) * 2)
    found = run_cell(cell)[name]
    assert isinstance(found, FunctionType)
    return found


def edited(edit: Edit | None) -> tuple[str, str]:
    """Cell and module after `edit`, which must be possible."""
    if edit is None:
        return CELL, LIB
    text = LIB if edit.in_module else CELL
    assert edit.old in text
    new = text.replace(edit.old, edit.new)
    return (CELL, new) if edit.in_module else (new, LIB)


@pytest.mark.parametrize("edit", [pytest.param(edit, id=edit.name) for edit in CHANGES])
def test_digest_changes_with_what_the_function_does(folder: Path, edit: Edit) -> None:
    """Whatever changes what a function does, near or far, changes its digest, and is told."""
    old = fingerprint(defined(folder))
    new = fingerprint(defined(folder, edit))
    assert new.digest != old.digest
    told = explain(old, new)
    assert told
    if edit.told:
        assert tuple(told) == edit.told


@pytest.mark.parametrize("edit", [pytest.param(edit, id=edit.name) for edit in SAME])
def test_digest_stays_when_the_function_does_the_same(folder: Path, edit: Edit) -> None:
    """Comments, formatting and whatever is not reached leave the digest as it is."""
    old = fingerprint(defined(folder))
    new = fingerprint(defined(folder, edit))
    assert new.parts == old.parts
    assert new.digest == old.digest
    assert explain(old, new) == []


PROGRAM = """\
import json, linecache, sys
from celltask.core.fingerprint import fingerprint

digests = {}
for name, cell, module in json.load(sys.stdin):
    sys.modules.pop("lib", None)
    folder = sys.argv[1] + "/" + str(len(digests))
    import os
    os.mkdir(folder)
    with open(folder + "/lib.py", "w") as file:
        file.write(module)
    sys.path[0] = folder
    sys.path_importer_cache.clear()
    filename = f"/tmp/ipykernel_7/{len(digests)}.py"
    linecache.cache[filename] = (len(cell), None, cell.splitlines(keepends=True), filename)
    namespace = {"__name__": sys.argv[2]}
    exec(compile(cell, filename, "exec"), namespace)  # noqa: S102 - as a notebook does
    digests[name] = fingerprint(namespace["train"]).digest
print(json.dumps(digests))
"""


def test_digests_are_the_same_in_fresh_processes_and_under_any_hash_seed(folder: Path) -> None:
    """Each of all edits has one digest, in this process and in others with other hash seeds and module names."""
    edits = [None, *CHANGES, *SAME]
    texts = json.dumps([(edit.name if edit else "", *edited(edit)) for edit in edits])
    expected = {edit.name if edit else "": fingerprint(defined(folder, edit)).digest for edit in edits}
    for seed, module in (("1", "__main__"), ("2", "tutorial")):
        place = folder / seed
        place.mkdir()
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(place), module],
            input=texts,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == expected
    assert len({expected[edit.name] for edit in CHANGES} | {expected[""]}) == len(CHANGES) + 1


def test_digest_does_not_depend_on_the_order_of_definitions(folder: Path) -> None:
    """Helpers may stand in any order, in one cell or in several, in a notebook or in a module."""
    old = fingerprint(defined(folder))
    head, *rest = CELL.split("\n\n\n")
    train = next(part for part in rest if part.startswith("def train"))
    namespace: dict[str, object] = {"__name__": "__main__"}
    for part in (head, *(part for part in rest if part != train), train):
        run_cell(part + "\n", namespace)
    assert fingerprint(namespace["train"]) == old
    defs = [part for part in rest if part.startswith(("def ", "@count"))]
    others = [part for part in rest if part not in defs]
    ready = [part for part in defs if part.startswith(("def make_adder", "def count_calls"))]
    late = [part for part in defs if part not in ready]
    assert fingerprint(run_cell("\n\n".join([head, *ready, *others, *reversed(late)]))["train"]) == old
    (folder / "pipeline.py").write_text(CELL)
    import pipeline  # noqa: PLC0415 - written just now

    assert fingerprint(pipeline.train) == old


CELLS = (
    "import math\nfrom lib import halved\nRATE = 0.5\n\ndef _clean(x):\n    return halved(x) + RATE\n",
    "{}def half(x: int) -> float:\n    return _clean(x) / 2 + math.floor(x)\n",
    (
        "%%task\nimport json\n\ndef _text(x):\n    return json.dumps(x)\n\n"
        "def first(x: int) -> str:\n    return _text(x)\n\n"
        "async def second(x: int) -> str:\n    return _text(x) + 'a'\n"
    ),
    "%%task root -> y: float\nx: int = 3\n\ny = math.sqrt(x) + _clean(x)\n",
    "%%workflow\ndef both(x: int) -> tuple[float, str]:\n    return half(x=x), first(x=x)\n",
)
SPELLINGS = ("%%task --cache --retries 2\n", "%task --cache\n", "@task(cache=True)\n", "@task\n")

FORMS_PROGRAM = """\
import json, sys
import celltask
from celltask.core.registry import registry

if sys.argv[1] == "shell":
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "celltask")
    for cell in json.load(sys.stdin):
        assert shell.run_cell(cell, store_history=True).success
    found = {**registry.tasks(), **registry.workflows()}
else:
    document = celltask.load_document(sys.argv[1])
    found = {**document.tasks, **document.workflows}
print("DIGESTS", json.dumps({name: each.digest for name, each in sorted(found.items())}))
"""


def test_every_spelling_and_form_of_a_document_has_the_same_digests(folder: Path) -> None:
    """MyST, notebook and percent script, all spellings, a kernel or a loaded document: one digest for each task."""
    import jupytext  # noqa: PLC0415 - only this test writes documents
    import nbformat  # noqa: PLC0415 - as above

    found = {}
    forms = ["shell", "tutorial.md", "tutorial.ipynb", "tutorial.py"]
    for number, spelling in enumerate(SPELLINGS):
        cells = [cell.replace("{}", spelling) for cell in CELLS]
        cells[0] += "from celltask import task\n" if "@" in spelling else ""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        place = folder / f"form{number}"
        place.mkdir()
        (place / "lib.py").write_text(LIB)
        nbformat.write(notebook, place / "tutorial.ipynb")
        jupytext.write(notebook, place / "tutorial.md", fmt="md:myst")
        jupytext.write(notebook, place / "tutorial.py", fmt="py:percent")
        for form in [forms[number], forms[number - 1]] if number else forms:
            done = subprocess.run(
                [sys.executable, "-c", FORMS_PROGRAM, form],
                input=json.dumps(cells),
                cwd=place,
                env={**os.environ, "PYTHONHASHSEED": str(number), "IPYTHONDIR": str(folder)},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            found[spelling, form] = done.stdout.rpartition("DIGESTS")[2]
    assert len(found) == 10
    assert set(json.loads(found[SPELLINGS[0], "shell"])) == {"both", "first", "half", "root", "second"}
    assert len(set(found.values())) == 1, found


def test_own_decorators_and_their_options_do_not_count() -> None:
    """However celltask's decorator is spelt, and whatever its options, the function has one digest."""
    plain = "{}def area(width: float) -> float:\n    return width * 2\n"
    spellings = [
        "",
        "@task\n",
        "@task(cache=True, retries=2)\n",
        "@celltask.task(cache=True)\n",
        "@__celltask__.task(retries=1)\n",
        "@stored\n",
        "@stored_too\n",
    ]
    start = (
        "import functools\nimport celltask, celltask as __celltask__\nfrom celltask.core.defining import task\n"
        "stored = task(cache=True)\nstored_too = functools.partial(task, retries=1)()\n"
    )
    found = set()
    for spelling in spellings:
        area = run_cell(plain.format(spelling), run_cell(start))["area"]
        found.add(fingerprint(getattr(area, "function", area)).digest)
    assert len(found) == 1


def test_tasks_that_are_called_count_with_their_code() -> None:
    """A task that calls another changes with the other's code, and not with its options."""
    text = (
        "from celltask.core.defining import task\n"
        "@task{}\ndef inner(x: int) -> int:\n    return x + {}\n"
        "@task\ndef outer(x: int) -> int:\n    return inner(x=x)\n"
    )
    first, options, code = (run_cell(text.format(*given))["outer"] for given in (("", 1), ("(retries=2)", 1), ("", 2)))
    assert options.digest == first.digest  # type: ignore[attr-defined]  # a task
    assert code.digest != first.digest  # type: ignore[attr-defined]  # a task
    assert first.diff(code) == ["helper `inner` changed"]  # type: ignore[attr-defined]  # a task


def test_task_that_calls_itself_has_the_digest_of_its_code() -> None:
    """Recursion is no obstacle, and an older definition of the same name does not count."""
    text = (
        "from celltask.core.defining import task\n"
        "@task\ndef down(x: int) -> int:\n    return down(x=x - 1) if x > {} else 0\n"
    )
    fresh = run_cell(text.format(0))["down"].digest  # type: ignore[attr-defined]  # a task
    namespace = run_cell(text.format(1))
    run_cell(text.format(0), namespace)
    assert namespace["down"].digest == fresh  # type: ignore[attr-defined]  # a task


def test_functions_that_call_each_other_are_both_taken_in() -> None:
    """Mutual recursion ends, and a change of either changes the digest of either."""
    text = "def even(n):\n    return n == 0 or odd(n - 1)\ndef odd(n):\n    return n != {} and even(n - 1)\n"
    first, second = run_cell(text.format(0)), run_cell(text.format(1))
    assert fingerprint(first["even"]) != fingerprint(second["even"])
    assert fingerprint(first["odd"]) != fingerprint(second["odd"])


def test_swapped_helpers_change_the_digest() -> None:
    """Two names that change what they mean with each other are noticed, though the same code is reached."""
    text = "def one(x): return 1\ndef two(x): return 2\n{}, {} = one, two\ndef f(x): return a(x) - b(x)\n"
    assert explain(
        fingerprint(run_cell(text.format("a", "b"))["f"]), fingerprint(run_cell(text.format("b", "a"))["f"])
    ) == [
        "`a` means function two, not function one",
        "`b` means function one, not function two",
    ]


def test_two_helpers_of_one_name_are_told_apart() -> None:
    """An older definition that a closure keeps counts beside the newer one of the same name."""
    text = "def step(x): return {}\nold = (step,)\ndef step(x): return {}\ndef f(x): return old[0](x) + step(x)\n"
    found = {fingerprint(run_cell(text.format(*pair))["f"]).digest for pair in ((1, 2), (2, 1), (1, 1), (2, 2))}
    assert len(found) == 4


def test_data_let_in_counts_by_its_class_only() -> None:
    """Data that a task may read by `allow_globals` does not change its digest when it changes."""
    text = "rows = {}\ndef f(): return len(rows)\n"
    one, two, other = (fingerprint(run_cell(text.format(value))["f"]) for value in ("[1]", "[1, 2]", "{}"))
    assert one == two
    assert explain(one, other) == ["rows is of class dict, not list"]


def test_names_not_bound_yet_are_told() -> None:
    """A helper that is defined later changes the digest when it comes."""
    namespace = run_cell("def f(x):\n    return later(x)\n")
    old = fingerprint(namespace["f"])
    run_cell("def later(x):\n    return x\n", namespace)
    assert explain(old, fingerprint(namespace["f"])) == [
        "`later` means function later, not unbound",
        "helper `later` is new",
        "`later` is defined now",
    ]


def test_names_that_only_a_notebook_has_do_not_count() -> None:
    """`display` is a builtin in a notebook and missing elsewhere; the digest is the same."""
    text = "def f(x):\n    display(x)\n    return __name__, get_ipython()\n"
    plain = run_cell(text)
    notebook = run_cell(text, {"__name__": "tutorial", "display": print, "get_ipython": lambda: None})
    assert fingerprint(plain["f"]) == fingerprint(notebook["f"])


def test_versions_of_installed_packages_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """An upgrade of a package that is used changes the digest, and is told with both versions."""
    from celltask.core import closure, modules  # noqa: PLC0415 - to reinstall a package for this test

    function = run_cell("import pytest\ndef f(x):\n    return pytest.approx(x)\n")["f"]
    old = fingerprint(function)
    assert old.parts["package pytest"] == modules.distributions_of("pytest")[0][1] == pytest.__version__
    monkeypatch.setattr(closure, "distributions_of", lambda top: ((top, "99.0"),))
    assert explain(old, fingerprint(function)) == [f"package pytest {pytest.__version__} → 99.0"]


def test_modules_imported_by_the_body_count_as_whole_files(folder: Path) -> None:
    """A project module that the body imports counts with all it imports, before and after it was loaded."""
    (folder / "outer.py").write_text("from inner import y\n\ndef x():\n    return y()\n")
    (folder / "inner.py").write_text("import pytest\n\ndef y():\n    return 1\n")
    function = run_cell("def f():\n    from outer import x\n    return x()\n")["f"]
    assert isinstance(function, FunctionType)
    old = fingerprint(function)
    assert set(old.parts) > {"module outer", "module inner", "package pytest"}
    assert function() == 1
    assert fingerprint(function) == old
    for name in ("outer", "inner"):
        del sys.modules[name]
    (folder / "inner.py").write_text("import pytest\n\ndef y():\n    return 2\n# longer now\n")
    assert explain(old, fingerprint(function)) == ["module inner changed"]


def test_function_whose_file_was_edited_after_import_is_told_by_what_it_runs(folder: Path) -> None:
    """The digest is that of the code in memory, not of a file that has changed since."""
    (folder / "steps.py").write_text("def f(x):\n    return x + 1\n")
    import steps  # noqa: PLC0415 - written just now

    (folder / "steps.py").write_text("def f(x):\n    return x + 22\n")
    linecache.checkcache()
    stale = fingerprint(steps.f)
    del sys.modules["steps"]
    import steps  # noqa: PLC0415 - loaded anew

    assert fingerprint(steps.f) != stale


def test_function_without_source_has_a_digest_of_its_instructions() -> None:
    """Where no text is known the instructions count, so that docstrings still do not."""
    texts = [
        "def f(x, y=1):\n    return x + K",
        "def f(x, y=1):\n    'Doc.'\n    return x + K",
        "def f(x, y=1):\n    return x - K",
        "def f(x, y=2):\n    return x + K",
    ]
    found = []
    for text in texts:
        namespace: dict[str, object] = {"K": 3}
        exec(text, namespace)  # noqa: S102 - code without a text
        found.append(fingerprint(namespace["f"]).digest)
    assert found[0] == found[1]
    assert len(set(found)) == 3


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1", "True"),
        ("1", "1.0"),
        ("0.0", "-0.0"),
        ("'a'", "b'a'"),
        ("(1, 2)", "(2, 1)"),
        ("frozenset({1})", "frozenset({2})"),
        ("{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}"),
        ("None", "..."),
        ("range(3)", "range(4)"),
        ("slice(1)", "slice(2)"),
        ("datetime.date(2024, 1, 1)", "datetime.date(2024, 1, 2)"),
        ("datetime.timedelta(1)", "datetime.timedelta(2)"),
        ("decimal.Decimal('1.0')", "decimal.Decimal('1.00')"),
        ("fractions.Fraction(1, 2)", "fractions.Fraction(1, 3)"),
        ("pathlib.Path('a')", "pathlib.Path('b')"),
        ("re.compile('a')", "re.compile('a', re.I)"),
        ("re.compile('a' * 500 + 'b')", "re.compile('a' * 500 + 'c')"),
        ("uuid.UUID(int=1)", "uuid.UUID(int=2)"),
        ("numpy.float64(1)", "numpy.float32(1)"),
        ("numpy.dtype('f4')", "numpy.dtype('f8')"),
        ("list[int]", "list[float]"),
        ("int | None", "int | str"),
        ("1 << 20000", "1 << 20001"),
        ("'x' * 1000 + 'a'", "'x' * 1000 + 'b'"),
        ("logging.INFO", "logging.DEBUG"),
        ("(len, int)", "(len, str)"),
        ("Pair(1, 2)", "Pair(1, 3)"),
        ("math.floor", "math.ceil"),
        ("numpy.add", "numpy.subtract"),
        ("operator.itemgetter", "operator.attrgetter"),
        ("str.upper", "str.lower"),
        ("typing.TypeVar('T', bound=int)", "typing.TypeVar('T', bound=str)"),
        ("typing.NewType('Name', int)", "typing.NewType('Name', str)"),
        ("typing.Annotated[int, 1]", "typing.Annotated[int, 2]"),
        ("typing.Literal['a']", "typing.Literal['b']"),
        ("Pair", "list[Pair]"),
    ],
)
def test_constants_of_every_kind_count_by_content(old: str, new: str) -> None:
    """Two constants that differ have different digests; a constant made anew has the same."""
    text = (
        "import datetime, decimal, fractions, logging, math, operator, pathlib, re, typing, uuid, numpy\n"
        "class Pair(typing.NamedTuple):\n    a: int\n    b: int\n"
        "K = {}\ndef f():\n    return K\n"
    )
    first, again, other = (fingerprint(run_cell(text.format(value))["f"]) for value in (old, old, new))
    assert first == again
    assert first.digest != other.digest
    assert explain(first, other)


def test_logger_counts_without_its_name() -> None:
    """A logger named after the module leaves the digest the same in every module."""
    text = "import logging\nlog = logging.getLogger(__name__)\ndef f():\n    log.info('x')\n"
    assert fingerprint(run_cell(text)["f"]) == fingerprint(run_cell(text, {"__name__": "tutorial"})["f"])


@pytest.mark.parametrize(
    ("old", "new"),
    [("x: int = 1", "x: int = 2"), ("x: int = 1", "x: float = 1"), ("y: str = 'a'", "z: str = 'a'")],
)
@pytest.mark.parametrize(
    "head",
    [
        "import dataclasses\n@dataclasses.dataclass\nclass C:",
        "import pydantic\nclass C(pydantic.BaseModel):",
        "import typing\nclass C(typing.NamedTuple):",
        "class C:",
    ],
    ids=["dataclass", "pydantic", "namedtuple", "class"],
)
def test_fields_of_records_count(head: str, old: str, new: str) -> None:
    """Names, types and defaults of the fields of a record class count, though it has no method."""
    text = head + "\n    x: int = 1\n    y: str = 'a'\ndef f():\n    return C()\n"
    first, again, other = (fingerprint(run_cell(given)["f"]) for given in (text, text, text.replace(old, new)))
    assert first == again
    assert first.digest != other.digest


DEFAULTS = {
    "instance": ("class C:\n    def __init__(self, n): self.n = n\n", "C({})"),
    "instance with slots": ("class C:\n    __slots__ = ('n',)\n    def __init__(self, n): self.n = n\n", "C({})"),
    "instance of a list": ("class C(list): ...\n", "C([{}])"),
    "instance of a number": ("class C(int): ...\n", "C({})"),
    "list of instances": ("class C:\n    def __init__(self, n): self.n = n\n", "[C({})]"),
    "array": ("import numpy\n", "numpy.full(3, {})"),
    "frame": ("import pandas\n", "pandas.DataFrame({{'a': [{}]}})"),
    "function": ("", "lambda x: x + {}"),
    "partial": ("import functools\n", "functools.partial(print, {})"),
    "dict of functions": ("", "{{'a': lambda x: x + {}}}"),
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults_and_closures_count_by_content(name: str) -> None:
    """What a function was made with counts by its content, whatever it is, in every module alike."""
    start, value = DEFAULTS[name]
    as_default = start + f"def f(x={value}):\n    return x\n"
    as_closure = start + f"def make(x):\n    def f():\n        return x\n    return f\nf = make({value})\n"
    for text in (as_default, as_closure):
        one, elsewhere, two = (
            fingerprint(run_cell(text.format(number), {"__name__": module})["f"])
            for number, module in ((1, "__main__"), (1, "tutorial"), (2, "__main__"))
        )
        assert one.parts == elsewhere.parts
        assert one.digest != two.digest


STRANGE = {
    "raising attributes": "class W:\n    def __getattr__(self, n): raise RuntimeError(n)\nw = W()",
    "raising attributes of a callable": (
        "class W:\n    def __getattr__(self, n): raise RuntimeError(n)\n    def __call__(self): ...\nw = W()"
    ),
    "raising class": "class W:\n    @property\n    def __class__(self): raise RuntimeError\nw = W()",
    "raising metaclass": (
        "class M(type):\n    def __getattr__(cls, n): raise RuntimeError(n)\nclass w(metaclass=M): ..."
    ),
    "raising module": (
        "import types\nclass P(types.ModuleType):\n    def __getattr__(self, n): raise RuntimeError(n)\nw = P('m')"
    ),
    "mock": "from unittest import mock\nw = mock.MagicMock()",
    "list that holds itself": "w = []\nw.append(w)",
    "object that holds itself": "class W: ...\nw = W()\nw.w = w",
    "huge number": "w = 1 << 100_000",
    "lone surrogate": "w = '\\ud800'",
    "deep tuple": "w = ()\nfor _ in range(500): w = (w,)",
    "generator": "w = (i for i in 'a')",
}


@pytest.mark.parametrize("text", STRANGE.values(), ids=list(STRANGE))
def test_strange_objects_are_no_obstacle(text: str) -> None:
    """Whatever a name, a default or a closure holds, there is a digest, the same each time."""
    text += "\ndef make(y):\n    def f(x=w):\n        return w.x.y, x, y\n    return f\nf = make(w)\n"
    assert fingerprint(run_cell(text)["f"]) == fingerprint(run_cell(text)["f"])


def test_long_expressions_have_a_digest() -> None:
    """A sum of a thousand terms is a tree a thousand levels deep."""
    text = "def f(x):\n    return " + " + ".join(["x"] * 900) + "\n"
    assert fingerprint(run_cell(text)["f"]) != fingerprint(run_cell(text.replace("x + x", "x - x", 1))["f"])


def test_fingerprint_survives_pickling() -> None:
    """A fingerprint can be kept with a run and compared later."""
    found = fingerprint(run_cell("K = 1\ndef f(x):\n    return x + K\n")["f"])
    back = pickle.loads(pickle.dumps(found))  # noqa: S301 - made right here
    assert back == found
    assert hash(back) == hash(found)
    assert isinstance(back, Fingerprint)


def test_parts_are_sorted_and_readable() -> None:
    """Parts are few, in order, and short enough to show."""
    text = "K = 'x' * 500\ndef f(x: int = 1) -> int:\n    return x + len(K)\n"
    parts = fingerprint(run_cell(text)["f"]).parts
    assert list(parts) == sorted(parts)
    assert textwrap.shorten(parts["constant K"], 45, placeholder="").startswith("'xxx")
    assert all(len(text) <= 60 for text in parts.values())


def test_callable_without_a_function_has_a_digest_of_its_content() -> None:
    """Objects with a `__call__` and partials count by code and content."""
    text = (
        "import functools\nclass Add:\n"
        "    def __init__(self, n): self.n = n\n    def __call__(self, x): return x + self.n\n"
        "add = Add({})\ndef f(x, y): return x\npart = functools.partial(f, {})\n"
    )
    one, again, two = (run_cell(text.format(n, n)) for n in (1, 1, 2))
    for name in ("add", "part"):
        assert fingerprint(one[name]) == fingerprint(again[name])
        assert fingerprint(one[name]) != fingerprint(two[name])
