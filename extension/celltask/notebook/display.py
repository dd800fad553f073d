"""What cells show: the card of a task, the graph of a workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celltask.core.task import Task
from celltask.core.workflow import Workflow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import ExitStack

    from IPython.core.interactiveshell import InteractiveShell

    from celltask.core.run import Run
    from celltask.notebook.session import Session

__all__ = ["bundle_of", "install_formatters", "run_bundle", "show", "show_definitions"]


def bundle_of(item: Task[..., object] | Workflow[..., object]) -> dict[str, str]:
    """The card of a task, or the graph of a workflow, by MIME type."""
    from celltask import render  # noqa: PLC0415 - drawing is needed only when something is shown

    if isinstance(item, Workflow):
        return dict(render.mime_bundle(item.graph))
    return dict(render.card_bundle(item.entity(), version=item.version, options=item.options.told()))


def run_bundle(workflow: Workflow[..., object], run: Run) -> dict[str, str]:
    """The graph of `workflow` with the states that its nodes ended in, by MIME type."""
    from celltask import render  # noqa: PLC0415 - as above

    states: Mapping[str, str] = {record.id: record.state for record in run.nodes}
    return dict(render.mime_bundle(workflow.graph, states=states))


def show(shell: InteractiveShell, bundle: dict[str, str]) -> None:
    """Show `bundle` under the cell that runs now."""
    shell.display_pub.publish(bundle)


def show_definitions(shell: InteractiveShell, items: Iterable[Task[..., object] | Workflow[..., object]]) -> None:
    """Show each item under the cell that runs now; a task that asked for no card is left out."""
    for item in items:
        if isinstance(item, Workflow) or item.options.card:
            show(shell, bundle_of(item))


def install_formatters(shell: InteractiveShell, session: Session, undo: ExitStack) -> None:
    """Let a task or workflow that is the value of a cell show itself, until `undo` is closed."""
    if shell.display_formatter is None:
        return
    formatter = shell.display_formatter.mimebundle_formatter

    def drawn(item: Task[..., object] | Workflow[..., object]) -> dict[str, str] | None:
        return bundle_of(item) if session.cards else None

    for kind in (Task, Workflow):
        before: Callable[[object], object] | None = formatter.for_type(kind, drawn)
        undo.callback(formatter.for_type, kind, before) if before else undo.callback(formatter.pop, kind, None)
