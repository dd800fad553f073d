"""Whatever is typed: an exit code, and one message; never a traceback."""

from __future__ import annotations

import contextlib
import io
import tempfile
from pathlib import Path

from command_line import ADD, KINDS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from celltask.cli.inputs import InputOption, options_of, sorted_out
from celltask.cli.main import main
from celltask.cli.values import Reader
from celltask.documents.loader import load_document
from celltask.errors import CelltaskError

FOLDER = Path(tempfile.mkdtemp(prefix="tests-"))
(FOLDER / "fuzz_adding.py").write_text(ADD)
(FOLDER / "fuzz_kinds.py").write_text(KINDS)
ADDING, KINDS_FILE = str(FOLDER / "fuzz_adding.py"), str(FOLDER / "fuzz_kinds.py")
TASK = load_document(KINDS_FILE).tasks["kinds"]
OPTIONS = options_of(TASK.interface)

texts = (
    st.text(max_size=12)
    | st.sampled_from(["", "-", "--", "@", "@@", "@none", "none", "null", "true"])
    | st.sampled_from(["[", "[]", "{}", '{"a":1}', "[1,[2]]", "NaN", "1e999"])
    | st.from_regex(r"[\[\]{}\",:0-9a-z -]{0,12}", fullmatch=True)
)  # fmt: skip
words = texts | st.sampled_from(
    ["run", "tasks", "show", ADDING, "add", "half_sum", "halve", "--a", "--b", "--a=1", "--b=-2", "--help", "-h",
     "--json", "--quiet", "--engine", "inline", "--engine=threads", "--inputs-file", "--execute-all", "--save",
     "--save=x.csv", "--number", "3"]
)  # fmt: skip


def said(arguments: list[str]) -> tuple[int, str]:
    """The exit code, and what came on standard error."""
    err = io.StringIO()
    with contextlib.redirect_stderr(err), contextlib.redirect_stdout(io.StringIO()):
        code = main(arguments)
    return code, err.getvalue()


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(words, max_size=7))
def test_any_words_are_carried_out_or_refused(arguments: list[str]) -> None:
    """The exit code is 0 or 2, and with 2 there is a message of at most three lines."""
    here = set(Path.cwd().iterdir())
    if "-" in arguments or "@-" in arguments or any(word.endswith("@-") for word in arguments):
        return  # would read the tests' own standard input
    code, err = said(arguments)
    assert code in (0, 2)
    if code == 2:
        assert err.strip()
        assert "Traceback" not in err
    assert set(Path.cwd().iterdir()) == here


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(words, max_size=5))
def test_any_words_after_a_task_are_carried_out_or_refused(arguments: list[str]) -> None:
    """The same below a name, where the words are inputs."""
    if any(word == "-" or word.endswith("@-") for word in arguments):
        return
    code, err = said(["run", ADDING, "add", *arguments])
    assert code in (0, 2)
    assert (code == 2) >= err.startswith(("'", '"', "there", "add needs"))


@settings(deadline=None, max_examples=400)
@given(st.sampled_from(OPTIONS), st.lists(texts, min_size=1, max_size=3))
def test_any_value_of_any_kind_is_read_or_refused(option: InputOption, values: list[str]) -> None:
    """A value either fits the declared type or is refused by a message that begins with its option."""
    if "@-" in values:
        return
    reader = Reader("celltask run x.py kinds")
    try:
        value = reader.from_options(option, values)
    except CelltaskError as error:
        message = str(error)
    else:
        message = option.flag
        option.port.handler.validate(value)
    assert message.startswith((option.flag, "the file"))


@given(st.lists(st.sampled_from(OPTIONS).flatmap(lambda one: st.tuples(st.just(one), texts)), max_size=6))
def test_every_value_arrives_as_it_was_written(pairs: list[tuple[InputOption, str]]) -> None:
    """Joined by ``=``, any text at all reaches its own option, in order."""
    tokens = [f"{option.flag}={text}" for option, text in pairs]
    given_values, ours = sorted_out(tokens, OPTIONS, {"--json": False}, "celltask")
    assert ours == []
    wanted: dict[str, list[str]] = {}
    for option, text in pairs:
        wanted.setdefault(option.port.name, []).append(text)
    assert given_values == wanted
