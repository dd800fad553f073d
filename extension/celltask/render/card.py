"""The card of a task: its name, version, inputs and outputs, as a notebook shows it under the cell.

Nothing but tables and plain tags, in the colours of the page around them: the card looks at home in light and dark
notebooks, in untrusted ones and on GitHub.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from celltask.render.lettering import clean, escape
from celltask.render.markup import code, table
from celltask.render.wording import port_told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from celltask.core.graph import Entity, Port

__all__ = ["card_bundle", "card_html", "card_text"]

_CLOSE = ' style="margin:.3em 0"'


def card_bundle(entity: Entity, *, version: str = "", options: Mapping[str, str] | None = None) -> dict[str, str]:
    """The card by MIME type: ``text/html`` and ``text/plain``.

    Args:
        entity: The task or workflow.
        version: Its version as people read it.
        options: Options that differ from their defaults, as text: ``{"retries": "3"}``.

    >>> from celltask.core.graph import Entity
    >>> card_bundle(Entity("half", "python"))["text/plain"]
    'half · python task'
    """
    return {
        "text/html": card_html(entity, version=version, options=options),
        "text/plain": card_text(entity, version=version, options=options),
    }


def card_html(entity: Entity, *, version: str = "", options: Mapping[str, str] | None = None) -> str:
    """The card as a piece of HTML in ASCII; for the arguments see `card_bundle`.

    >>> from celltask.core.graph import Entity
    >>> "<code>half</code>" in card_html(Entity("half", "python"))
    True
    """
    head = [f"<strong>{code(entity.name)}</strong>", escape(_kind(entity))]
    if version:
        head.append(f"version {code(version)}")
    lines = [f"<p{_CLOSE}>{' &#183; '.join(head)}</p>"]
    if entity.doc:
        lines.append(f"<p{_CLOSE}>{escape(clean(entity.doc))}</p>")
    rows = [
        *(("input", *_cells(port), _default(port)) for port in entity.inputs),
        *(("output", *_cells(port), "") for port in entity.outputs),
    ]
    ordered = [(role, name, kind, default, description) for role, name, kind, description, default in rows]
    lines.append(table(("", "name", "type", "default", "description"), ordered))
    small = [f"{escape(clean(name))}={escape(clean(told))}" for name, told in (options or {}).items()]
    small += [escape(clean(entity.place))] if entity.place else []
    if small:
        lines.append(f"<p{_CLOSE}><small>{' &#183; '.join(small)}</small></p>")
    return f"<div>{''.join(lines)}</div>"


def card_text(entity: Entity, *, version: str = "", options: Mapping[str, str] | None = None) -> str:
    """The card as plain text; for the arguments see `card_bundle`.

    >>> from celltask.core.graph import Entity, Port
    >>> print(card_text(Entity("half", "python", (Port("x", "int"),), (Port("o0", "float"),)), version="1"))
    half · python task · version 1
      in   x: int
      out  o0: float
    """
    head = [clean(entity.name), _kind(entity)] + ([f"version {clean(version)}"] if version else [])
    lines = [" · ".join(head)]
    if entity.doc:
        lines.append(f"  {clean(entity.doc)}")
    ports = [("in ", port) for port in entity.inputs] + [("out", port) for port in entity.outputs]
    told = [port_told(port) for _, port in ports]
    width = max(map(len, told), default=0)
    for (way, port), text in zip(ports, told, strict=True):
        description = f"  {clean(port.description)}" if port.description else ""
        lines.append(f"  {way}  {text.ljust(width) if description else text}{description}")
    small = [f"{clean(name)}={clean(value)}" for name, value in (options or {}).items()]
    small += [clean(entity.place)] if entity.place else []
    if small:
        lines.append(f"  {' · '.join(small)}")
    return "\n".join(lines)


def _kind(entity: Entity) -> str:
    if entity.kind == "workflow":
        return "workflow"
    return f"{clean(entity.kind)} task" if entity.kind else "task"


def _cells(port: Port) -> tuple[str, str, str]:
    return code(port.name), code(port.type), escape(clean(port.description))


def _default(port: Port) -> str:
    if port.default:
        return code(port.default)
    return "required" if port.required else ""
