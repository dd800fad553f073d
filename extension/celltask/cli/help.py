"""Help for one task or workflow, made from its types, its defaults and its docstring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celltask.cli.inputs import is_table
from celltask.cli.wording import shell_word
from celltask.core.interface import MISSING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import click

    from celltask.cli.inputs import InputOption
    from celltask.cli.opening import Entity
    from celltask.core.interface import Input
    from celltask.core.types.base import TypeHandler

__all__ = ["entity_help", "example_of", "json_sample", "listing", "metavar_of", "plain"]

_BY_TYPE = {"integer": "INT", "number": "FLOAT", "array": "JSON", "object": "JSON", "null": "none"}
_BY_FORMAT = {"date": "DATE", "date-time": "DATETIME", "time": "TIME", "duration": "DURATION"}
_SAMPLES: dict[str, object] = {"integer": 3, "number": 0.5, "string": "text", "boolean": True}
_SAMPLES_BY_FORMAT = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T09:30:00",
    "time": "09:30:00",
    "duration": "10m",
}
_LONGEST = 60
_DEEPEST = 5
_TABLE_FILES = "table: path to .csv, .json, .parquet, .arrow, or JSON"


def metavar_of(option: InputOption) -> str:
    """What stands for the value in help: ``"INT"``, ``"JSON"``, ``"[red|green]"``; nothing for a bool."""
    if option.is_bool:
        return ""
    handler = option.item or option.port.handler
    if option.is_table:
        return "FILE"
    return "PATH" if option.names_a_file else _metavar(handler.describe())


def _metavar(described: dict[str, object]) -> str:
    choices = described.get("enum")
    if isinstance(choices, list):
        names = "|".join(map(str, choices))
        return f"[{names}]" if len(names) <= _LONGEST else "NAME"
    variants = described.get("anyOf")
    if isinstance(variants, list):
        told = dict.fromkeys(_metavar(one) for one in variants if one.get("type") != "null")
        return "|".join(told) if 0 < len(told) <= 3 else "VALUE"  # noqa: PLR2004 - more cannot be read at a glance
    kind = str(described.get("type", ""))
    if kind == "boolean":
        return "true|false"
    if kind == "string":
        return _BY_FORMAT.get(str(described.get("format", "")), "TEXT")
    return _BY_TYPE.get(kind, "VALUE")


def example_of(option: InputOption) -> str:
    """A way of giving the option that its type can be read from: ``"--xs 3 --xs 3"``."""
    if option.is_bool:
        return f"{option.flag} or {option.off_flags[0] if option.off_flags else option.flag + ' false'}"
    if option.names_a_file:
        return f"{option.flag} file.csv"
    if option.is_table:
        return " ".join([f"{option.flag} table.csv"] * (2 if option.item else 1))
    sample = _sample((option.item or option.port.handler).describe(), 0)
    word = shell_word(sample if isinstance(sample, str) else _as_json(sample))
    return f"{option.flag} {word} {option.flag} {word}" if option.item else f"{option.flag} {word}"


def json_sample(handlers: Mapping[str, TypeHandler]) -> str:
    """A JSON object with a small value for each name, as an inputs file has it."""
    return _as_json(
        {
            name: [{"column": 3}] if is_table(handler.annotation) else _sample(handler.describe(), 0)
            for name, handler in handlers.items()
        }
    )


def _sample(described: object, depth: int) -> object:  # noqa: PLR0911 - one return per kind of value
    """A small value that the JSON Schema `described` allows, as far as its types go."""
    if not isinstance(described, dict) or depth > _DEEPEST:
        return None
    for key in ("enum", "anyOf", "oneOf"):
        choices = described.get(key)
        if isinstance(choices, list) and choices:
            return choices[0] if key == "enum" else _sample(choices[0], depth + 1)
    kind = described.get("type")
    if kind == "array":
        places = described.get("prefixItems") or [described.get("items")]
        return [_sample(item, depth + 1) for item in places if isinstance(item, dict)]
    if kind == "object":
        fields = described.get("properties")
        if isinstance(fields, dict):
            return {name: _sample(item, depth + 1) for name, item in fields.items()}
        return {"key": _sample(described.get("additionalProperties"), depth + 1)}
    if kind == "string":
        return _SAMPLES_BY_FORMAT.get(str(described.get("format")), "text")
    return _SAMPLES.get(str(kind))


def _as_json(value: object) -> str:
    import json  # noqa: PLC0415 - only for help and mistakes

    return json.dumps(value, ensure_ascii=False)


def entity_help(entity: Entity, options: Sequence[InputOption], own: Sequence[click.Parameter], command: str) -> str:
    """The help page of `entity`.

    Args:
        entity: Task or workflow.
        options: Those of its inputs.
        own: celltask's own options.
        command: How it is run: ``"celltask run page.md train"``.
    """
    import click  # noqa: PLC0415 - loaded by whoever asks for help on a command line

    formatter = click.HelpFormatter(max_width=_width())
    formatter.write_usage(command, "[INPUTS] [OPTIONS]")
    for paragraph in _paragraphs(entity):
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(plain(paragraph))
    if options:
        with formatter.section("Inputs"):
            formatter.write_dl([(_usage(option), _told(entity, option)) for option in options])
    outputs = entity.interface.outputs
    if outputs:
        with formatter.section("Outputs"):
            rows = [
                (port.name, _sentence(port.handler.name, entity.interface.description_of(port.name)))
                for port in outputs
            ]
            formatter.write_dl(rows)
    with formatter.section("Options"):
        ctx = click.Context(click.Command("run"))
        records = [param.get_help_record(ctx) for param in own]
        taken = {flag for option in options for flag in (*option.flags, *option.off_flags)}
        flags = ", ".join(flag for flag in ("-h", "--help") if flag not in taken)
        formatter.write_dl([*filter(None, records), (flags, "Show this and exit.")])
    for note in _notes(entity, taken):
        formatter.write_paragraph()
        formatter.write_text(note)
    return formatter.getvalue().rstrip("\n")


def _notes(entity: Entity, taken: set[str]) -> list[str]:
    from celltask.cli.run import OWN_FLAGS  # noqa: PLC0415 - run.py imports this module late, too

    hidden = [flag for flag in OWN_FLAGS if flag in taken]
    notes = []
    if hidden:
        notes.append(f"Here {', '.join(hidden)} name inputs; celltask's own options of these names go before NAME.")
    if entity.place:
        notes.append(f"Defined at {entity.place}")
    return notes


def _width() -> int:
    from shutil import get_terminal_size  # noqa: PLC0415 - only for help

    return max(60, min(get_terminal_size().columns, 110))


def _usage(option: InputOption) -> str:
    if option.is_bool:
        return " / ".join((option.flag, *option.off_flags[:1]))
    return f"{option.flag} {metavar_of(option)}"


def _told(entity: Entity, option: InputOption) -> str:
    port = option.port
    name = f"{port.handler.name} ({_TABLE_FILES})" if option.is_table else port.handler.name
    told = _sentence(name, entity.interface.description_of(port.name))
    if option.item:
        told += " May repeat."
    return f"{told} [{'required' if port.default is MISSING else f'default: {_typed(port)}'}]"


def _typed(port: Input) -> str:
    """The default as one would type it."""
    try:
        is_open = port.handler.masked(port.default) is port.default
        data = port.handler.to_json(port.default) if is_open else port.handler.preview(port.default)
        text = data if isinstance(data, str) and data.strip() == data != "" else _as_json(data)
    except Exception:  # noqa: BLE001 - border: handlers may be code of users
        text = port.handler.preview(port.default)
    if text == "null":
        return "none"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _sentence(type_name: str, description: str) -> str:
    text = plain(description.strip())
    if text and text[-1] not in ".!?":
        text += "."
    return f"{type_name}. {text}".rstrip()


def _paragraphs(entity: Entity) -> list[str]:
    """What the docstring says before it comes to the inputs."""
    if entity.interface.docstring:
        from docstring_parser import parse  # noqa: PLC0415 - third party, needed only where people read

        told = parse(entity.interface.docstring)
        parts = [part for part in (told.short_description, told.long_description) if part]
        return [piece for part in parts for piece in part.split("\n\n")]
    return [entity.doc] if entity.doc else []


def plain(text: str) -> str:
    """`text` of a docstring without what only typesetting needs: single backticks for double ones.

    >>> plain("either ``a`` or b")
    'either `a` or b'
    """
    return text.replace("``", "`")


def listing(entities: Sequence[Entity]) -> str:
    """Tasks and workflows with what they take and give, one paragraph each."""
    lines = []
    for entity in entities:
        kind = entity.kind if entity.kind in ("workflow", "dynamic", "preset") else "task"
        lines.append(f"{kind} {entity.name}{entity.interface}")
        lines += [f"    {line}" for line in (plain(entity.doc), entity.place) if line]
    return "\n".join(lines)
