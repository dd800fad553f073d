"""`celltask show FILE NAME`: all there is to know of one task or workflow, without running it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from celltask.cli import report
from celltask.cli.exit_codes import DONE
from celltask.cli.help import plain
from celltask.cli.opening import entity_in, open_document
from celltask.cli.tasks import ports_told
from celltask.core.task import Task
from celltask.core.travel import captured_told

if TYPE_CHECKING:
    from collections.abc import Iterable

    from celltask.cli.opening import Entity
    from celltask.core.graph import Port
    from celltask.documents.loader import Document
    from celltask.documents.outline import Cell
    from celltask.documents.slice import LeftOut

__all__ = ["command"]


def _show(file: str, name: str | None, *, as_json: bool, show_all: bool) -> int:
    with report.stdout_kept_clean():
        document = open_document(file, name)
        entity = entity_in(document, name, file)
        text = _as_json(entity, document) if as_json else _as_text(entity, document, show_all=show_all)
    report.write(text)
    return DONE


def _as_text(entity: Entity, document: Document, *, show_all: bool) -> str:
    inputs, outputs = entity.interface.ports()
    kind = entity.kind if entity.kind in ("workflow", "dynamic", "preset") else "task"
    lines = [f"{kind} {entity.name}{entity.interface}"]
    facts = {
        "about": plain(entity.doc),
        "defined": entity.place,
        "kind": "" if entity.kind in ("python", kind) else entity.kind,
        "version": entity.version,
        "digest": entity.digest,
        **_options_of(entity),
        "captured": captured_told(entity) if isinstance(entity, Task) else "",
    }
    width = max(len(key) for key, fact in facts.items() if fact)
    lines += [f"  {key.ljust(width)}  {fact}" for key, fact in facts.items() if fact]
    lines += _table("Inputs", inputs) + _table("Outputs", outputs)
    source = source_of(entity, document)
    if source:
        lines += ["", "Source", *(f"  {line}".rstrip() for line in source.splitlines())]
    return "\n".join([*lines, *_noticed(document), *_left_out(document, show_all=show_all)])


def _noticed(document: Document) -> list[str]:
    rows = [f"  line {line}: {what}{mend and f'  ({mend})'}" for line, what, mend, _ in document.notices]
    return ["", "To notice", *rows] if rows else []


def _left_out(document: Document, *, show_all: bool) -> list[str]:
    count = len(document.left_out)
    if not count:
        return []
    if not show_all:
        told = "1 statement was" if count == 1 else f"{count} statements were"
        return ["", f"{told} not executed to load it; --all lists {'it' if count == 1 else 'them'}"]
    rows = [f"  {_place_of(left)}: {_what_of(left, document.cells)}  ({left.reason})" for left in document.left_out]
    return ["", "Not executed to load it", *rows]


def _what_of(left: LeftOut, cells: Iterable[Cell]) -> str:
    """The text of a statement; of a definition below a magic or a decorator, its own first line."""
    if not left.text.lstrip("# ").startswith(("%", "@")):
        return left.text
    for cell in cells:
        if cell.number == left.cell and cell.first_line <= left.line <= cell.last_line:
            below = cell.source.split("\n")[left.line - cell.first_line :]
            for line in below:
                if line.startswith(("def ", "async def ", "class ")):
                    return line.strip()
    return left.text


def _options_of(entity: Entity) -> dict[str, str]:
    options = getattr(entity, "options", None)
    if options is not None:
        return dict(options.told())
    policy = getattr(entity, "failure_policy", "stop")
    return {} if policy == "stop" else {"failure_policy": policy}


def _table(title: str, ports: Iterable[Port]) -> list[str]:
    rows = [
        (f"{port.name}: {port.type}{f' = {port.default}' if port.default else ''}", plain(port.description))
        for port in ports
    ]
    width = max((len(first) for first, _ in rows), default=0)
    return ["", title, *(f"  {first.ljust(width)}  {second}".rstrip() for first, second in rows)] if rows else []


def _place_of(left: object) -> str:
    cell, line = getattr(left, "cell", 0), getattr(left, "line", 0)
    return f"cell {cell}, line {line}" if cell else f"line {line}"


def source_of(entity: Entity, document: Document) -> str:
    """The text of the function as its document has it, magic line included; ``""`` for a task without one."""
    if entity.function is None:
        return ""
    import inspect  # noqa: PLC0415 - only for this
    import textwrap  # noqa: PLC0415 - only for this

    try:
        lines, start = inspect.getsourcelines(entity.function)
    except (OSError, TypeError, SyntaxError):
        return ""
    filename = getattr(getattr(entity.function, "__code__", None), "co_filename", "")
    for cell in document.cells:
        if cell.filename == filename and cell.first_line <= start <= cell.last_line:
            written = cell.source.split("\n")[start - cell.first_line :][: len(lines)]
            return textwrap.dedent("\n".join(written)).rstrip()
    return textwrap.dedent("".join(lines)).rstrip()


def _as_json(entity: Entity, document: Document) -> str:
    told = {
        "name": entity.name,
        "kind": entity.kind,
        "doc": entity.doc,
        "place": entity.place,
        "version": entity.version,
        "digest": entity.digest,
        "options": _options_of(entity),
        "captured": entity.captured if isinstance(entity, Task) else {},
        **ports_told(entity.interface),
        "source": source_of(entity, document),
        "left_out": [
            {"cell": left.cell, "line": left.line, "text": left.text, "reason": left.reason}
            for left in document.left_out
        ],
    }
    return report.json_text(told)


command = click.Command(
    "show",
    callback=_show,
    params=[
        click.Argument(["file"], metavar="FILE"),
        click.Argument(["name"], metavar="[NAME]", required=False),
        report.json_option("a JSON object"),
        click.Option(["--all", "show_all"], is_flag=True, help="List what was not executed to load it."),
    ],
    short_help="Show all about one task or workflow.",
    help="Show the task or workflow NAME of the document FILE: its interface, version, options and source, and what of "
    "the document was not executed to load it. Nothing of it is run.",
)
