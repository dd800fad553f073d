"""What cells show: the card of a task, the graph of a workflow, and what became of its nodes in a run."""

from __future__ import annotations

import os
import re
from functools import partial
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from celltask.core.task import Task
from celltask.core.workflow import Workflow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import ExitStack
    from traceback import FrameSummary

    from IPython.core.interactiveshell import InteractiveShell

    from celltask.core.graph import Graph
    from celltask.core.run import NodeRecord, Run
    from celltask.notebook.live import Viewer
    from celltask.notebook.live_stale import Pictures
    from celltask.notebook.session import Session
    from celltask.render.composition import Composition
    from celltask.render.page import Values

__all__ = [
    "Seen", "bundle_of", "duration_told", "error_told", "frames_told", "install_formatters", "run_bundle", "show",
    "show_definitions", "trace_told",
]  # fmt: skip

_MOST_LOGGED, _MOST_FRAMES = 4000, 12


def bundle_of(item: Task[..., object] | Workflow[..., object]) -> dict[str, str]:
    """The card of a task, or the graph of a workflow, by MIME type."""
    if isinstance(item, Workflow):
        return _graph_bundle(item.graph, {})
    from celltask import render  # noqa: PLC0415 - drawing is needed only when something is shown
    from celltask.core.travel import captured_told  # noqa: PLC0415 - as above

    captured = captured_told(item)
    options = {**item.options.told(), **({"captured": captured} if captured else {})}
    return dict(render.card_bundle(item.entity(), version=item.version, options=options))


def run_bundle(run: Run, seen: Seen | None = None, states: Mapping[str, str] | None = None) -> dict[str, str] | None:
    """The graph that was run, with what became of each node, by MIME type; ``None`` for a task run by itself.

    Args:
        run: The run, which has ended.
        seen: What was seen of it while it went on.
        states: States of nodes that are shown instead of their own, where those ended well.
    """
    from celltask.render.page import mime_bundle  # noqa: PLC0415 - drawing is needed only when something is shown

    graph = run.graph
    if graph is None:
        return None
    nodes = seen.nodes if seen is not None else {}
    details = {record.id: _details(record, nodes.get(record.id, {})) for record in run.nodes}
    for node, state in (states or {}).items():
        if node in details and details[node]["state"] in ("done", "reused"):
            details[node]["state"] = state
    composition = seen.composition if seen is not None and seen.graph is graph else None
    bundle = mime_bundle(graph, details=details, values=seen.values if seen else None, composition=composition)
    head = f"run {run.id} of {run.name}: {run.state} in {duration_told(run.duration_s)}"
    bundle["text/html"] += f"<p><small>{escape(head)}</small></p>"
    bundle["text/plain"] = repr(run)
    return bundle


class Seen(NamedTuple):
    """What was seen of a run while it went on.

    Attributes:
        nodes: As a board has them.
        values: Values of inputs and outputs of nodes.
        graph: The graph before the run.
        composition: How that is drawn.
    """

    nodes: Mapping[str, Mapping[str, object]]
    values: Values
    graph: Graph | None
    composition: Composition | None


def _details(record: NodeRecord, known: Mapping[str, object]) -> dict[str, str]:
    """What pages tell of a node that has ended."""
    told = {"state": record.state}
    if record.started:
        told["duration"] = duration_told(record.duration_s)
    if record.attempts > 1:
        told["attempts"] = str(record.attempts)
    if known.get("why"):
        told["why"] = str(known["why"])
    progress = known.get("progress")
    if isinstance(progress, list):
        done, failed, total = progress
        told["items"] = f"{done} of {total} ended" + (f", {failed} failed" if failed else "")
    if record.error is not None:
        told["error"] = trace_told(record.error)
    if record.log:
        left = len(record.log) - _MOST_LOGGED
        told["log"] = (f"… {left} characters before\n" if left > 0 else "") + record.log[-_MOST_LOGGED:]
    return told


def trace_told(error: BaseException) -> str:
    """Class, message and notes of an error, and below the frames of the user's own code that it passed through."""
    return "\n\n".join(part for part in (error_told(error), frames_told(error)) if part)


def frames_told(error: BaseException) -> str:
    """The frames of the user's own code that an error passed through, two lines each.

    Of the libraries below the last of these, only the frame that raised it is told, by its path in the library.
    """
    import traceback  # noqa: PLC0415 - only for what failed

    from celltask.notebook.failures import is_own_file  # noqa: PLC0415 - as above

    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not is_own_file(frame.filename)]
    last = frames[-1:] if frames and _path_in_library(frames[-1].filename) else []
    users = [frame for frame in frames if not _path_in_library(frame.filename)]
    return "".join(map(_frame_told, [*users[-_MOST_FRAMES:], *last])).rstrip()


def _frame_told(frame: FrameSummary) -> str:
    from celltask.core.origin import place_of  # noqa: PLC0415 - only for what failed

    library = _path_in_library(frame.filename)
    place = f"{library}, line {frame.lineno}" if library else place_of(frame.filename, frame.lineno or 0)
    return f"{place}, in {frame.name}\n    {frame.line}\n"


def _path_in_library(filename: str) -> str:
    """The path of a file from where packages are installed, or from the standard library; empty for all others.

    >>> _path_in_library(os.__file__), _path_in_library("/usr/lib/site-packages/a/b.py"), _path_in_library("c.py")
    ('os.py', 'a/b.py', '')
    >>> _path_in_library("/home/me/my-packages/c.py")
    ''
    """
    _, *installed = re.split(r"/(?:site|dist)-packages/", filename.replace("\\", "/"))
    if installed:
        return installed[-1]
    library = os.path.dirname(os.__file__) + os.sep  # noqa: PTH120 - a text to compare with
    return filename.removeprefix(library) if filename.startswith(library) else ""


def error_told(error: BaseException) -> str:
    """Class, message and notes of an error, as the last lines of a traceback have them."""
    import traceback  # noqa: PLC0415 - only for what failed

    lines = traceback.format_exception_only(error)
    return "".join(lines).removeprefix(f"{type(error).__module__}.").rstrip()


def duration_told(seconds: float) -> str:
    """A duration as people read it.

    >>> duration_told(0.0004), duration_told(0.0517), duration_told(12.34), duration_told(4000)
    ('400 µs', '52 ms', '12.3 s', '1:06:40')
    """
    if seconds < 0.001:  # noqa: PLR2004 - a thousandth
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 0.01:  # noqa: PLR2004 - below it a whole number of milliseconds says too little
        return f"{seconds * 1000:.1f} ms"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 100:  # noqa: PLR2004 - three figures
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02} min"


def show(
    shell: InteractiveShell,
    bundle: Mapping[str, object],
    *,
    key: str = "",
    update: bool = False,
    about: Mapping[str, object] | None = None,
) -> None:
    """Show `bundle` under the cell that runs now.

    Args:
        shell: The shell.
        bundle: What is shown, by MIME type.
        key: A name under which it can be replaced.
        update: Whether to put it in the place of what is shown under that name.
        about: What front ends are told of it, by MIME type.
    """
    if key:
        shell.display_pub.publish(bundle, about, transient={"display_id": key}, update=update)
    else:
        shell.display_pub.publish(bundle, about)


def show_definitions(
    shell: InteractiveShell, items: Iterable[Task[..., object] | Workflow[..., object]], pictures: Pictures
) -> None:
    """Show each item under the cell that runs now; a task that asked for no card is left out.

    Args:
        shell: The shell.
        items: Tasks and workflows.
        pictures: Where graphs are noted that are shown.
    """
    for item in items:
        if isinstance(item, Workflow):
            key, graph = f"celltask-graph-{os.urandom(6).hex()}", item.graph
            show(shell, bundle_of(item), key=key)
            pictures.note("graph", key, graph, item.trace, partial(_graph_bundle, graph))
        elif item.options.card:
            show(shell, bundle_of(item))


def _graph_bundle(graph: Graph, states: Mapping[str, str]) -> dict[str, str]:
    from celltask import render  # noqa: PLC0415 - as above

    return dict(render.mime_bundle(graph, states=states))


def install_formatters(shell: InteractiveShell, session: Session, viewer: Viewer, undo: ExitStack) -> None:
    """Let a task, workflow or run that is the value of a cell show itself, until `undo` is closed."""
    if shell.display_formatter is None:
        return
    formatter = shell.display_formatter.mimebundle_formatter

    def drawn(item: Task[..., object] | Workflow[..., object]) -> dict[str, str] | None:
        return bundle_of(item) if session.cards else None

    def drawn_run(run: Run) -> dict[str, str] | None:
        return viewer.bundle_of(run) if session.cards else None

    kinds = {Task: drawn, Workflow: drawn, "celltask.core.run.Run": drawn_run}  # by name: only runs need the runner
    for kind, way in kinds.items():
        before: Callable[[object], object] | None = formatter.for_type(kind, way)
        undo.callback(formatter.for_type, kind, before) if before else undo.callback(formatter.pop, kind, None)
