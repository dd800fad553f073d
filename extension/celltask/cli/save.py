"""``--save``: outputs of a run in files, written by their suffixes; what cannot work is refused before the run."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from celltask.cli.inputs import is_table
from celltask.cli.paths import expanded, looked_in
from celltask.core.types.base import Mismatch, TypeHandler
from celltask.errors import CelltaskError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from celltask.cli.opening import Entity
    from celltask.core.interface import Interface, Output

__all__ = ["Target", "keep", "targets_of"]

_SUFFIXES = (".pkl", ".json", ".txt", ".csv", ".parquet")
_FOR_TABLES = (".csv", ".parquet")


class Target(NamedTuple):
    """One output and the file that it goes to."""

    port: Output
    typed: str
    """The path as typed, for messages."""
    path: Path


def targets_of(wanted: Sequence[str], interface: Interface, command: str) -> tuple[Target, ...]:
    """What each ``--save FILE`` or ``--save NAME=FILE`` asks for.

    Args:
        wanted: The values of the options.
        interface: That of the task or workflow.
        command: The command so far, for messages.

    Raises:
        CelltaskError: If there is no such output, or it cannot be written to such a file.
    """
    targets = tuple(_target(one, interface, f"{command} --save {one}") for one in wanted)
    for number, target in enumerate(targets):
        if target.path in [other.path for other in targets[:number]]:
            raise CelltaskError(f"two outputs go to {target.typed}", command, "give each a file of its own")
    return targets


def _target(wanted: str, interface: Interface, at: str) -> Target:
    ports = {port.name: port for port in interface.outputs}
    names = ", ".join(ports)
    name, equals, typed = wanted.partition("=")
    if not ports:
        raise CelltaskError("there is no output to save", at, "leave out --save")
    if not (equals and (name in ports or name.isidentifier())):
        if len(ports) > 1:
            first = next(iter(ports))
            raise CelltaskError(
                f"there are {len(ports)} outputs, and {wanted} names none of them",
                at,
                f"write for example --save {first}={wanted}; the outputs are {names}",
            )
        name, typed = names, wanted
    if name not in ports:
        from celltask.cli.wording import near  # noqa: PLC0415 - only for a mistake

        raise CelltaskError(f"there is no output {name!r}", at, near(name, ports))
    target = Target(ports[name], typed, Path(expanded(typed)))
    _check(target, at)
    return target


def _check(target: Target, at: str) -> None:
    port, typed, path = target
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        told = f"{path.suffix!r} is" if path.suffix else f"{typed!r} has no suffix, so it is"
        more = ", .json, .csv, .parquet" if is_table(port.annotation) else _other_suffixes(port)
        mend = f"use .pkl{more} or .txt"
        raise CelltaskError(f"{told} no format to save in", at, mend)
    if suffix in _FOR_TABLES and not is_table(port.annotation):
        raise CelltaskError(
            f"only tables are saved as {suffix}, and {_told(port)}", at, f"use .pkl{_other_suffixes(port)} or .txt"
        )
    if suffix == ".json" and _has_no_json(port):
        raise CelltaskError(f"JSON cannot hold {port.name}, as {_told(port)}", at, "use .pkl")
    if path.is_dir():
        raise CelltaskError(f"{typed} is a folder", at, f"write {Path(typed) / f'{port.name}.pkl'}")
    if not path.parent.is_dir():
        raise CelltaskError(f"{typed} cannot be written", at, looked_in(typed))


def _has_no_json(port: Output) -> bool:
    """Whether it is certain before the run that JSON cannot hold the output."""
    from celltask.core.types.objects import ObjectHandler  # noqa: PLC0415 - only for --save

    if is_table(port.annotation):
        return False
    return isinstance(port.handler, ObjectHandler) or type(port.handler).to_json is TypeHandler.to_json


def _other_suffixes(port: Output) -> str:
    return "" if _has_no_json(port) else ", .json"


def _told(port: Output) -> str:
    return f"{port.name} is {port.handler.name}"


def keep(targets: Sequence[Target], outputs: Mapping[str, object], entity: Entity, *, quiet: bool) -> None:
    """Write each output to its file, whole or not at all, and tell so on standard error.

    Raises:
        CelltaskError: If one cannot be written.
    """
    from celltask.cli import report  # noqa: PLC0415 - loaded by whoever runs

    for target in targets:
        value = outputs[target.port.name]
        try:
            with _whole(target.path) as path:
                _write(value, target.port, path, entity)
        except Exception as error:  # border: a value's own code writes it, or one of the table libraries
            what = f"{target.port.name} cannot be saved: {_reason(error)}"
            raise CelltaskError(what, target.typed, "save it as .pkl, or elsewhere") from error
        if not quiet:
            report.write(f"saved {target.port.name} to {target.typed}", sys.stderr)


def _reason(error: Exception) -> str:
    if isinstance(error, Mismatch):
        return error.hint or f"it is no {error.expected}"
    told = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(told).splitlines()[0]


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A place beside `path` to write to, which becomes `path` when all is written."""
    path = path.resolve()  # a link stays a link
    part = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _write(value: object, port: Output, path: Path, entity: Entity) -> None:
    suffix = path.suffix.lower()
    if suffix == ".pkl":
        path.write_bytes(_pickled(value, entity))
    elif suffix == ".txt":
        path.write_text(f"{value}\n" if not str(value).endswith("\n") else str(value), encoding="utf-8")
    elif suffix == ".json":
        import json  # noqa: PLC0415 - only for this

        from celltask.cli.tables import is_table_value, records  # noqa: PLC0415 - only for this

        data = records(value) if is_table_value(value) else port.handler.to_json(value)
        path.write_text(f"{json.dumps(data, allow_nan=False)}\n", encoding="utf-8")
    else:
        from celltask.cli.tables import is_table_value, write_table  # noqa: PLC0415 - only for this

        if not is_table_value(value):
            raise Mismatch("a table", value, hint=f"it is {value!r}")
        write_table(value, path)


def _pickled(value: object, entity: Entity) -> bytes:
    """`value` as a pickle that needs no more than the packages it is of: classes of a page are in it whole."""
    import cloudpickle  # noqa: PLC0415 - 30 ms, and only for this

    module = sys.modules.get(entity.module)
    by_value = module is not None and getattr(module, "__spec__", None) is None and module.__name__ != "__main__"
    if by_value:
        cloudpickle.register_pickle_by_value(module)
    try:
        data: bytes = cloudpickle.dumps(value)
    finally:
        if by_value:
            cloudpickle.unregister_pickle_by_value(module)
    return data
