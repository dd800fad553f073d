"""`celltask tasks FILE`: what the document defines, with its inputs and outputs."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from celltask.cli import report
from celltask.cli.exit_codes import DONE, REFUSED
from celltask.cli.help import listing
from celltask.cli.opening import failures_in, open_document

if TYPE_CHECKING:
    from celltask.cli.opening import Entity
    from celltask.core.interface import Input, Interface, Output

__all__ = ["command", "ports_told"]


def _tasks(file: str, *, as_json: bool) -> int:
    with report.stdout_kept_clean() if as_json else nullcontext():
        document = open_document(file)
        entities: list[Entity] = [*document.workflows.values(), *document.tasks.values()]
        text = _as_json(entities) if as_json else listing(entities)
    report.write(text or f"{file} defines no task or workflow")
    for error in failures_in(document, file):
        report.write(str(error), sys.stderr)
    return REFUSED if document.failed else DONE


def _as_json(entities: list[Entity]) -> str:
    return report.json_text([_told(entity) for entity in entities])


def _told(entity: Entity) -> dict[str, object]:
    return {
        "name": entity.name,
        "kind": entity.kind,
        "doc": entity.doc,
        "place": entity.place,
        **ports_told(entity.interface),
    }


def ports_told(interface: Interface) -> dict[str, object]:
    """``inputs`` and ``outputs`` for JSON.

    A default stands there as JSON, or as its preview where JSON cannot say it; without one it is null, and
    ``required`` true.
    """

    def told(port: Input | Output) -> dict[str, object]:
        description = interface.description_of(port.name)
        return {"name": port.name, "type": port.handler.name, "description": description}

    return {
        "inputs": [
            {
                **told(port),
                "required": port.required,
                "default": None if port.required else report.json_value(port, port.default),
            }
            for port in interface.inputs
        ],
        "outputs": [told(port) for port in interface.outputs],
    }


command = click.Command(
    "tasks",
    callback=_tasks,
    params=[
        click.Argument(["file"], metavar="FILE"),
        report.json_option("a JSON array"),
    ],
    short_help="List what a document defines.",
    help="List the tasks and workflows that the document FILE defines, with their inputs, outputs and places. "
    "Definitions that cannot be loaded are told on standard error, and the exit code is 2.",
)
