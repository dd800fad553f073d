"""`celltask tasks FILE`: what the document defines, with its inputs and outputs."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from celltask.cli import report
from celltask.cli.exit_codes import DONE
from celltask.cli.help import listing
from celltask.cli.opening import open_document

if TYPE_CHECKING:
    from celltask.cli.opening import Entity
    from celltask.core.graph import Port

__all__ = ["command"]


def _tasks(file: str, *, as_json: bool) -> int:
    with report.stdout_kept_clean() if as_json else nullcontext():
        document = open_document(file)
        entities: list[Entity] = [*document.workflows.values(), *document.tasks.values()]
        text = _as_json(entities) if as_json else listing(entities)
    report.write(text or f"{file} defines no task or workflow")
    return DONE


def _as_json(entities: list[Entity]) -> str:
    import json  # noqa: PLC0415 - only for this

    return json.dumps([_told(entity) for entity in entities])


def _told(entity: Entity) -> dict[str, object]:
    inputs, outputs = entity.interface.ports()
    return {
        "name": entity.name,
        "kind": entity.kind,
        "doc": entity.doc,
        "place": entity.place,
        "inputs": [
            {**_port(port), "required": port.required, "default": None if port.required else port.default}
            for port in inputs
        ],
        "outputs": [_port(port) for port in outputs],
    }


def _port(port: Port) -> dict[str, object]:
    return {"name": port.name, "type": port.type, "description": port.description}


command = click.Command(
    "tasks",
    callback=_tasks,
    params=[
        click.Argument(["file"], metavar="FILE"),
        click.Option(["--json", "as_json"], is_flag=True, help="Print a JSON array, and nothing else."),
    ],
    short_help="List what a document defines.",
    help="List the tasks and workflows that the document FILE defines, with their inputs, outputs and places.",
)
