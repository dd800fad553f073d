"""Examples executed one by one in the kernel of their document, and judged."""

from __future__ import annotations

import doctest
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from celltask.documents.expected.compare import compare
from celltask.documents.expected.failure import output_failure
from celltask.documents.expected.promote import Replaced
from celltask.documents.expected.rules import Rules, Tolerance, rules_of
from celltask.documents.report import relative
from celltask.documents.verdict import Failure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence

    from celltask.documents.expected.doctests import DoctestBlock, Example

    Outputs = Sequence[Mapping[str, object]]
    Accept = Callable[[Replaced], bool]

__all__ = ["run_examples", "run_examples_async"]

_TEXT = Path(__file__).with_name("example_in_kernel.py")
_TYPE = "application/vnd.celltask.doctest+json"
_DETAIL = re.compile(r"^(?:[^:\s]*\.)?(\w+)(?::.*)?$", re.DOTALL)


def run_examples(block: DoctestBlock, execute: Callable[[str], Outputs], rules: Rules | None = None) -> Failure | None:
    """Why the examples of `block` fail, at the line of the first that does; None if none does.

    Args:
        block: Its cells above were executed.
        execute: Executes code in the kernel, outside of its history, and gives the outputs as a notebook holds them.
        rules: Of the project; options of the fence go before them.
    """
    steps = _steps(block, rules or Rules(), _accept_nothing)
    try:
        code = next(steps)
        while True:
            code = steps.send(execute(code))
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]  # what `_steps` returns


async def run_examples_async(
    block: DoctestBlock,
    execute: Callable[[str], Awaitable[Outputs]],
    rules: Rules | None = None,
    *,
    accept: Accept | None = None,
) -> Failure | None:
    """As `run_examples`, for a kernel that is asked from an event loop.

    `accept` is asked where an example prints something else than the prose says; if it does, that is no failure.
    """
    steps = _steps(block, rules or Rules(), accept or _accept_nothing)
    try:
        code = next(steps)
        while True:
            code = steps.send(await execute(code))
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]  # as above


def _accept_nothing(replaced: Replaced) -> bool:
    del replaced
    return False


def _steps(block: DoctestBlock, rules: Rules, accept: Accept) -> Generator[str, Outputs, Failure | None]:
    """Yields what to execute, is sent what that shows, returns the verdict."""
    rules = rules_of(block.options, rules, where=f"{relative(block.cell.filename)}:{block.line}")
    for place, example in enumerate(block.examples):
        outputs = yield _code(block, example, is_first=not place)
        told = next(
            (data[_TYPE] for data in (one.get("data") for one in outputs) if isinstance(data, dict) and _TYPE in data),
            None,
        )
        if not isinstance(told, dict):
            return Failure("the example was not finished", line=example.line)
        printed, error = str(told["printed"]), told["error"]
        failure = _judge(block, example, printed, error, rules)
        if failure is not None:
            is_output = error is None and example.exception is None and not block.is_docstring
            if not is_output or not accept(_replaced(block, example, printed, rules)):
                return failure
    return None


def _code(block: DoctestBlock, example: Example, *, is_first: bool) -> str:
    text = _TEXT.read_text(encoding="utf-8")
    copy_name = block.name if block.is_docstring else ""
    arguments = (example.source, block.cell.filename, example.line, copy_name, is_first)
    return (
        f"(lambda names: (exec({text!r}, names), names['run'](*{arguments!r}), None)[-1])({{'__name__': '_celltask'}})"
    )


def _judge(block: DoctestBlock, example: Example, printed: str, error: str | None, rules: Rules) -> Failure | None:
    if error is not None:
        return _judge_error(example, error, rules)
    if example.exception is not None:
        return Failure(f"the example must raise {example.exception.strip()}, and raised nothing", line=example.line)
    if doctest.OutputChecker().check_output(example.want, printed, example.flags):
        return None
    want = example.want.replace("<BLANKLINE>", "")
    difference = compare(want, printed, _rules_for(example, rules))
    if difference is None:
        return None
    name, last = relative(block.cell.filename), example.want_line + example.want.count("\n")
    failure = output_failure(difference, name=name, first_line=example.want_line, last_line=last)
    lines = failure.lines[:-1] if block.is_docstring else failure.lines  # what stands in a cell is not promoted
    return replace(failure, line=example.line, lines=lines)


def _replaced(block: DoctestBlock, example: Example, printed: str, rules: Rules) -> Replaced:
    """The lines that the example shows, and what it printed in their place."""
    difference = compare(example.want.replace("<BLANKLINE>", ""), printed, _rules_for(example, rules))
    line = block.cell.source.split("\n")[example.line - block.cell.first_line]
    indent = line[: len(line) - len(line.lstrip())]
    lines = difference.accepted if difference else ()
    stop = example.want_line + example.want.count("\n")
    return Replaced(example.want_line, stop, tuple(f"{indent}{text or '<BLANKLINE>'}" for text in lines))


def _rules_for(example: Example, rules: Rules) -> Rules:
    if example.flags & doctest.OPTIONFLAGS_BY_NAME["NUMBER"]:
        return rules._replace(tolerance=Tolerance(as_written=True))
    return rules


def _judge_error(example: Example, error: str, rules: Rules) -> Failure | None:
    if example.exception is None:
        return Failure(error.strip(), line=example.line)
    if doctest.OutputChecker().check_output(example.exception, error, example.flags):
        return None
    if compare(example.exception, error, rules) is None:
        return None
    if example.flags & doctest.IGNORE_EXCEPTION_DETAIL and _kind(example.exception) == _kind(error):
        return None
    return Failure(f"the example must raise {example.exception.strip()}, and raised {error.strip()}", line=example.line)


def _kind(told: str) -> str:
    """The class of an exception, without its module."""
    found = _DETAIL.match(told.strip())
    return found[1] if found else told
