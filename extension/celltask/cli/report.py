"""What commands print: a run's result on standard output, its nodes and times on standard error, or all as JSON."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

import click

from celltask.core.types.base import Mismatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from celltask.core.history import RecordedNode
    from celltask.core.interface import Input, Interface, Output
    from celltask.core.plan import Plan
    from celltask.core.run import NodeRecord, Run

__all__ = [
    "json_of", "json_of_plan", "json_option", "json_text", "json_value", "nodes_table", "plan_table", "result_text",
    "seconds", "shown", "state_of", "stdout_kept_clean", "table", "write",
]  # fmt: skip

_MOST_ROWS = 1000
"""Larger tables are told in one line."""


def result_text(interface: Interface, outputs: Mapping[str, object]) -> str:
    """The outputs as text: the value alone where there is one, else one ``name: value`` a line; ``""`` if none.

    A value of several lines begins on the line below its name. A single text is printed as it is, so that it can be
    piped on; everything else as its repr.
    """
    if not interface.outputs:
        return ""
    outputs = {port.name: port.handler.masked(outputs[port.name]) for port in interface.outputs}
    if interface.result == "single":
        value = outputs[interface.outputs[0].name]
        return value if isinstance(value, str) else shown(value)
    return "\n".join(_named(port.name, shown(outputs[port.name])) for port in interface.outputs)


def _named(name: str, text: str) -> str:
    """`text` after its name; below it if it has several lines, which are often aligned."""
    return f"{name}:\n{text}" if "\n" in text else f"{name}: {text}"


def shown(value: object) -> str:
    """The repr of `value`; of a value whose repr fails, its class and why."""
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001 - border: the repr is the user's code
        return f"<{type(value).__name__} whose repr raises {type(error).__name__}>"


def seconds(duration_s: float) -> str:
    """A duration for people: ``"12 ms"``, ``"3.41 s"``, ``"2 min 05 s"``.

    >>> seconds(0.0123), seconds(3.412), seconds(125)
    ('12 ms', '3.41 s', '2 min 05 s')
    """
    if duration_s < 0.9995:  # noqa: PLR2004 - shown as 1000 ms above it
        return f"{duration_s * 1000:.1f} ms" if duration_s < 0.00995 else f"{duration_s * 1000:.0f} ms"  # noqa: PLR2004 - below, one decimal is shown
    if duration_s < 59.995:  # noqa: PLR2004 - as above
        return f"{duration_s:.2f} s"
    minutes, rest = divmod(round(duration_s), 60)
    return f"{minutes} min {rest:02d} s"


def nodes_table(run: Run) -> str:
    """One line for each node, and one for the whole run; what bodies called is told by ``celltask runs show``."""
    rows = [("node", "name", "state", "time")]
    rows += [(node.id, _label(node), state_of(node), _time(node)) for node in run.nodes if not node.is_call]
    times = max(len(row[3]) for row in rows)
    told = table([(*row[:3], row[3].rjust(times)) for row in rows])
    return f"{told}\n{run.name} {run.state} in {seconds(run.duration_s)}"


def _label(node: NodeRecord) -> str:
    indent = "  " * node.id.count("/")
    return f"{indent}{node.label}" if node.label == node.task else f"{indent}{node.label} ({node.task})"


def state_of(node: NodeRecord | RecordedNode) -> str:
    """The state of a node, and its attempts where there were several."""
    return f"{node.state}, attempt {node.attempts}" if node.attempts > 1 else node.state


def _time(node: NodeRecord) -> str:
    return seconds(node.duration_s) if node.started else "-"


def plan_table(plan: Plan) -> str:
    """One line for each node: what a run would do with it, and why."""
    return table([("node", "name", "action", "why"), *plan.nodes])


def json_of_plan(plan: Plan) -> str:
    """The plan as one JSON object on one line: ``name`` and ``nodes`` (``id``, ``label``, ``action``, ``because``)."""
    return json_text({"name": plan.name, "nodes": [node._asdict() for node in plan.nodes]})


def table(rows: Sequence[Sequence[str]]) -> str:
    """`rows` in columns as wide as need be, two blanks apart.

    >>> print(table([("node", "name"), ("n0", "load")]))
    node  name
    n0    load
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def json_of(run: Run, interface: Interface) -> str:
    """The run as one JSON object on one line.

    Its keys are ``run``, ``name``, ``state``, ``outputs`` (by name; see `json_value`),
    ``error``, ``duration_s`` and ``nodes`` (``id``, ``label``, ``task``, ``state``, ``attempts``, ``duration_s`` in
    seconds, ``error``). An error is ``null`` or has ``type``, ``message`` and ``at``, the user's own line it came from.
    """
    by_name = {port.name: port for port in interface.outputs}
    told = {
        "run": run.id,
        "name": run.name,
        "state": run.state,
        "outputs": {name: json_value(by_name[name], value) for name, value in run.outputs.items()},
        "error": _error(run.error),
        "duration_s": run.duration_s,
        "nodes": [
            {
                "id": node.id,
                "label": node.label,
                "task": node.task,
                "state": node.state,
                "attempts": node.attempts,
                "duration_s": node.duration_s,
                "error": _error(node.error),
            }
            for node in run.nodes
            if not node.is_call
        ],
    }
    return json_text(told)


def json_option(what: str = "JSON") -> click.Option:
    """The option ``--json`` of a command that then prints `what`, and nothing else."""
    return click.Option(["--json", "as_json"], is_flag=True, help=f"Print {what}, and nothing else.")


def json_text(data: object) -> str:
    """`data` as JSON on one line."""
    import json  # noqa: PLC0415 - loaded by whoever prints JSON

    return json.dumps(data)


def json_value(port: Input | Output, value: object) -> object:
    """`value` as JSON has it: a table as its rows, up to 1000; what has no JSON form as its preview."""
    import json  # noqa: PLC0415 - as above

    from celltask.cli.tables import is_table_value, records, rows_in  # noqa: PLC0415 - only for JSON

    try:
        if port.handler.masked(value) is not value:
            return port.handler.preview(value)
        if not is_table_value(value):
            made = port.handler.to_json(value)
        elif rows_in(value) <= _MOST_ROWS:
            made = records(value)
        else:
            return port.handler.preview(value)
        json.dumps(made, allow_nan=False)
    except (Mismatch, TypeError, ValueError, RecursionError):
        try:
            return port.handler.preview(value)
        except Exception:  # noqa: BLE001 - border: the preview calls the user's repr
            return shown(port.handler.masked(value))
    return made


def _error(error: BaseException | None) -> dict[str, str] | None:
    if error is None:
        return None
    from celltask.cli.failure import user_frames  # noqa: PLC0415 - only for a failure

    frames = user_frames(error)
    return {"type": type(error).__name__, "message": str(error), "at": frames[-1].place if frames else ""}


def write(text: str, stream: TextIO | None = None) -> None:
    """`text` and a line end on `stream` (standard output by default), whatever characters its encoding lacks."""
    out = stream or sys.stdout
    line = f"{text}\n"
    try:
        out.write(line)
    except UnicodeEncodeError as error:
        out.write(line.encode(error.encoding, "backslashreplace").decode(error.encoding))
    out.flush()


@contextmanager
def stdout_kept_clean() -> Iterator[None]:
    """Send all that is printed meanwhile, by Python or by programs it starts, to standard error."""
    sys.stdout.flush()
    stdout, kept = sys.stdout, os.dup(1)
    sys.stdout = sys.stderr
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout = stdout
        os.dup2(kept, 1)
        os.close(kept)
