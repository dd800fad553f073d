"""The header line: what it says, and how it is refused."""

from __future__ import annotations

import inspect

import pytest

from celltask.core.cell import HELP, OPTIONS, decorator_source, flags, parse_header
from celltask.core.defining import task
from celltask.core.workflow import workflow
from celltask.errors import HeaderError


@pytest.mark.parametrize(
    ("line", "options"),
    [
        pytest.param("%%task", {}, id="bare"),
        pytest.param("%task --cache", {"cache": True}, id="line-magic"),
        pytest.param("%%task --no-cache", {"cache": False}, id="negative"),
        pytest.param("%%task --cache-version v1", {"cache_version": "v1"}, id="cache-version"),
        pytest.param("%%task --retries 2", {"retries": 2}, id="number"),
        pytest.param("%%task --retries=2", {"retries": 2}, id="equals"),
        pytest.param("%%task --timeout 30", {"timeout": 30}, id="seconds"),
        pytest.param("%%task --timeout 0.5", {"timeout": 0.5}, id="part-of-a-second"),
        pytest.param(
            "%%task --environment A=1 --environment B=x=y", {"environment": {"A": "1", "B": "x=y"}}, id="repeat"
        ),
        pytest.param(
            "%%task --resources cpu=0.5,memory=8GiB --resources gpu=1",
            {"resources": {"cpu": 0.5, "memory": "8GiB", "gpu": 1}},
            id="resources",
        ),
        pytest.param("%%task --docs 'two words'", {"docs": "two words"}, id="quotes"),
        pytest.param('%%task --docs "a \\" b"', {"docs": 'a " b'}, id="escaped-quote"),
        pytest.param("%%task --docs two\\ words", {"docs": "two words"}, id="backslash"),
        pytest.param("%%task --docs '--cache'", {"docs": "--cache"}, id="quoted-dashes"),
        pytest.param("%%task --share a --share b", {"share": ("a", "b")}, id="share"),
        pytest.param("%%task --allow-globals a,b --allow-globals c", {"allow_globals": ("a", "b", "c")}, id="commas"),
        pytest.param("%%task --no-card", {"card": False}, id="card"),
        pytest.param("%%task --cache  # reuse it --retries 3", {"cache": True}, id="comment"),
        pytest.param("%%task --cache \\\n   --retries 2", {"cache": True, "retries": 2}, id="continued"),
        pytest.param("%%task --cache \\\r\n --retries 2", {"cache": True, "retries": 2}, id="continued-windows"),
        pytest.param("%workflow --name w --docs d", {"name": "w", "docs": "d"}, id="workflow"),
        pytest.param("%%workflow --failure-policy finish", {"failure_policy": "finish"}, id="policy"),
    ],
)
def test_options_are_the_keywords_of_the_decorator(line: str, options: dict[str, object]) -> None:
    """Every spelling of an option gives the keyword of the decorator, with its value."""
    assert parse_header(line).options == options


@pytest.mark.parametrize(
    ("line", "name", "outputs"),
    [
        pytest.param("%%task measure", "measure", (), id="no-outputs"),
        pytest.param("%%task measure -> area: float", "measure", (("area", "float"),), id="one"),
        pytest.param(
            "%%task m -> a: dict[str, int], b: Literal['x, y', \"z\"] --cache",
            "m",
            (("a", "dict[str, int]"), ("b", "Literal['x, y', \"z\"]")),
            id="commas-in-brackets",
        ),
        pytest.param("%%task --cache m ->a: int", "m", (("a", "int"),), id="options-first"),
        pytest.param("%%task m -> a: int | None  # note", "m", (("a", "int | None"),), id="comment"),
        pytest.param("%%task m -> \\\n  a: int, \\\n  b: int", "m", (("a", "int"), ("b", "int")), id="continued"),
    ],
)
def test_the_body_form_has_a_name_and_outputs(line: str, name: str, outputs: tuple[tuple[str, str], ...]) -> None:
    """The word before the arrow is the name, and what follows are outputs with their types, to the next option."""
    header = parse_header(line)
    assert (header.name, header.outputs) == (name, outputs)


@pytest.mark.parametrize(
    ("line", "what", "mend"),
    [
        ("%%task --retry 2", "there is no option '--retry'", "did you mean --retry-on or --retries or --retry-delay?"),
        ("%%task --cache_version x", "there is no option '--cache_version'", "did you mean --cache-version?"),
        ("%%task -cache", "there is no option '-cache'", "did you mean --cache?"),
        ("%%task --retries", "--retries needs a value", "write --retries N"),
        ("%%task --retries --cache", "--retries needs a value", "write --retries N"),
        ("%%task --retries two", "--retries takes a whole number, not 'two'", "write for example --retries 2"),
        ("%%task --retries -1", "--retries takes a whole number, not '-1'", "write for example --retries 2"),
        ("%%task --timeout 0", "--timeout takes seconds above 0, not '0'", "write for example --timeout 30"),
        ("%%task --timeout nan", "--timeout takes seconds above 0, not 'nan'", "write for example --timeout 30"),
        ("%%task --cache=yes", "--cache takes no value", "write only --cache or --no-cache"),
        ("%%task --cache --no-cache", "--no-cache is given after --cache", "keep one of the two"),
        ("%%task --retries 1 --retries 2", "--retries is given after --retries", "keep one of the two"),
        ("%%task --docs ''", "--docs is empty", "write --docs TEXT, or leave it out"),
        ("%%task --docs 'open", 'the quote in "\'open" is never closed', "add ' at the end"),
        ("%%task cache=True", "'cache=True' cannot be the name of a task", "write --cache"),
        ("%%task cache=False", "'cache=False' cannot be the name of a task", "write --no-cache"),
        ("%%task retries=2", "'retries=2' cannot be the name of a task", "write --retries 2"),
        ("%%task f(x: int)", "'f(x:' cannot be the name of a task", "write the signature as a def below the line"),
        ("%%task a b", "'b' is one word too many", None),
        (
            "%%task m->a: int",
            "'m->a:' cannot be the name of a task",
            "put a space on both sides of the arrow: %%task m -> a:",
        ),
        ("%%task -> a: int", "the outputs belong to no name", "write %%task NAME -> OUTPUT: TYPE"),
        ("%%task m -> a", "output 'a' has no type", "write for example -> a: float"),
        ("%%task m ->", "an output is missing after `->`", None),
        ("%%task m -> a: int,", "an output is missing after a comma", None),
        ("%%task m -> a: int, a: str", "two outputs are called 'a'", "give each its own name"),
        ("%%task m -> class: int", "'class' cannot be the name of an output", None),
        ("%%task m -> a: int]", "the type 'int]' of output 'a' is not Python", "write it as in a def"),
        ("%%task m -> a: (yield)", "'(yield)' is not a type (output 'a')", "write it as in a def"),
        ("%%task m -> a: int -> b: int", "two `->` stand on the line", None),
        ("%%task class -> a: int", "'class' cannot be the name of a task", None),
        ("%%task a -> a: int", "the task and its output are both called 'a'", "give the task another name"),
        ("%%task --resources cpus=2", "--resources takes cpu, memory, gpu with amounts, not 'cpus=2'", None),
        ("%%task --resources memory=lots", "'lots' is no amount of memory", None),
        ("%%task --resources cpu=0", "'0' is no amount of cpu", None),
        ("%%task --environment MODE", "--environment takes KEY=VALUE, not 'MODE'", None),
        ("%%task --share 1a", "--share takes names, not '1a'", "write for example --share settings"),
        ("%%workflow --retries 2", "%%workflow has no option --retries", None),
        ("%%workflow --failure-policy wait", "--failure-policy takes stop or finish, not 'wait'", None),
        ("%%workflow w", "a workflow is written as a def, and 'w' stands on the line", None),
        ("%time x", "'%time x' is not a task line", None),
    ],
)
def test_a_wrong_line_is_told_with_a_mend(line: str, what: str, mend: str | None) -> None:
    """A line that cannot be read is refused with the fault, the place, and something to type."""
    with pytest.raises(HeaderError) as caught:
        parse_header(line, where="cell 4, line 1")
    error = caught.value
    assert (error.what, error.where) == (what, "cell 4, line 1")
    assert error.mend == mend if mend else error.mend


def test_every_option_is_a_keyword_of_its_decorator() -> None:
    """The table of options and the signatures of `task` and `workflow` name the same things."""
    for kind, decorator in (("task", task), ("workflow", workflow)):
        ours = {option.keyword for option in OPTIONS if kind in option.kinds} - {"run", "help"}
        theirs = set(inspect.signature(decorator).parameters) - {"function", "outputs"}
        assert ours == theirs


def test_help_names_every_option() -> None:
    """The help of each magic lists every option that its line may have, and asking for it reads nothing else."""
    for kind, text in HELP.items():
        assert all(flag in text for flag in flags(kind))
        assert parse_header(f"%%{kind} --help whatever else").help


@pytest.mark.parametrize(
    ("line", "source"),
    [
        ("%%task", "task"),
        ("%%task --cache --retries 2", "task(cache=True, retries=2)"),
        ("%%task --resources cpu=2", "task(resources=celltask.Resources(cpu=2))"),
        ('%%task --docs "it\'s" --environment A=1', "task(docs=\"it's\", environment={'A': '1'})"),
        ("%%task m -> a: int, b: int", "task(outputs=('a', 'b'))"),
    ],
)
def test_the_decorator_says_the_same_as_the_line(line: str, source: str) -> None:
    """A header can be written as the decorator it stands for."""
    assert decorator_source(parse_header(line), runtime="celltask") == f"celltask.{source}"
