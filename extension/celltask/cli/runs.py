"""`celltask runs`: what was recorded of earlier runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from celltask.cli import report
from celltask.cli.amounts import age, read_age
from celltask.cli.exit_codes import DONE
from celltask.errors import CelltaskError

if TYPE_CHECKING:
    from celltask.core.history import RunRecord

__all__ = ["command"]


def _ls(name: str | None, *, limit: int, as_json: bool) -> int:
    from celltask.core.history import runs  # noqa: PLC0415 - help needs none

    found = runs(name, limit=limit)
    if as_json:
        report.write(report.json_text([_brief(one) for one in found]))
        return DONE
    if not found:
        report.write("no run is recorded" + (f" of {name}" if name else ""))
        return DONE
    now = time.time()
    rows = [
        (one.id, one.name, one.state, report.seconds(one.duration_s) if one.duration_s else "-", age(now - one.started))
        for one in found
    ]
    report.write(report.table([("run", "name", "state", "time", "started"), *rows]))
    return DONE


def _show(run: str, *, as_json: bool) -> int:
    from dataclasses import asdict  # noqa: PLC0415 - as above

    from celltask.core.calls import more_told  # noqa: PLC0415 - as above
    from celltask.core.reasons import why_they_ran  # noqa: PLC0415 - as above
    from celltask.core.stores.choice import current_store  # noqa: PLC0415 - as above

    one = _the_run(run)
    why = why_they_ran(one, one.nodes, current_store())
    if as_json:
        nodes = [asdict(node) | {"because": because} for node, because in zip(one.nodes, why, strict=True)]
        more = {
            "error": one.error,
            "code": one.code,
            "digests": one.digests,
            "missed": one.missed,
            "log": one.log,
            "nodes": nodes,
        }
        report.write(report.json_text(_brief(one) | more))
        return DONE
    head = [f"{one.kind} {one.name}, run {one.id}: {one.state}"]
    started = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one.started))
    took = f", {report.seconds(one.duration_s)}" if one.duration_s else ""
    head.append(f"started {started}{took}, on {one.host} (process {one.pid}), engine {one.engine}")
    head.append(", ".join(f"{name} {version}" for name, version in one.versions.items()))
    if one.within:
        head.append(f"started by node {one.within[1]} of run {one.within[0]}")
    if one.error:
        head.append(f"error: {one.error}")
    rows = [
        (node.id, node.label, report.state_of(node), report.seconds(node.duration_s), because)
        for node, because in zip(one.nodes, why, strict=True)
    ]
    if rows:
        head += ["", report.table([("node", "name", "state", "time", "why"), *rows])]
    head += [f"{node.id}: {more_told(node.more_calls)}" for node in one.nodes if node.more_calls]
    head += [f"{node}: {line}" for node, text in one.log for line in text.splitlines()]
    report.write("\n".join(head))
    return DONE


def _rm(older_than: str) -> int:
    from celltask.core.history import remove_runs  # noqa: PLC0415 - as above

    count = remove_runs(time.time() - read_age(older_than, "celltask runs rm --older-than"))
    report.write(f"removed the records of {count} process{'' if count == 1 else 'es'}")
    return DONE


def _the_run(run: str) -> RunRecord:
    """The run whose id begins so, or the newest one of the workflow or task of that name.

    Raises:
        CelltaskError: If there is none, or several ids begin so.
    """
    from celltask.core.history import runs  # noqa: PLC0415 - as above

    found = runs(limit=None)
    begun = [one for one in found if one.id.startswith(run)]
    named = [one for one in found if one.name == run]
    if len(begun) > 1 and not named:
        several = ", ".join(one.id for one in begun[:5])
        raise CelltaskError(f"{len(begun)} runs begin with {run!r}", "celltask runs show", f"write one of: {several}")
    if not begun and not named:
        raise CelltaskError(f"no run {run!r} is recorded", "celltask runs show", "celltask runs ls tells them")
    return (begun or named)[0] if not named else named[0]


def _brief(one: RunRecord) -> dict[str, object]:
    return {
        "run": one.id, "name": one.name, "kind": one.kind, "state": one.state, "started": one.started,
        "duration_s": one.duration_s, "engine": one.engine, "host": one.host, "pid": one.pid, **one.versions,
    }  # fmt: skip


command = click.Group(
    "runs",
    short_help="List, show or remove the records of runs.",
    help="What was recorded of earlier runs in the store of this folder (see CELLTASK_STORE).",
    commands=[
        click.Command(
            "ls",
            callback=_ls,
            params=[
                click.Argument(["name"], required=False, metavar="[NAME]"),
                click.Option(["--limit"], type=click.IntRange(1), default=20, metavar="N", help="At most so many; 20."),
                report.json_option(),
            ],
            help="List runs, newest first; with NAME those of that workflow or task. A run is lost if its process "
            "ended before it did.",
        ),
        click.Command(
            "show",
            callback=_show,
            params=[click.Argument(["run"], metavar="RUN"), report.json_option()],
            help="Show one run: its nodes and what their bodies called, states, times, and why cached ones ran. RUN "
            "is its id, the beginning of it, or the name of a workflow or task, whose newest run is meant.",
        ),
        click.Command(
            "rm",
            callback=_rm,
            params=[
                click.Option(
                    ["--older-than"], default="30d", metavar="AGE", help="Such as 12h, 30d or 4w; 30d by default."
                )
            ],
            help="Remove the records of processes that ended longer ago than AGE.",
        ),
    ],
)
