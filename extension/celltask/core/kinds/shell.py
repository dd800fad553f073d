"""Shell: a task whose body is a script for ``/bin/sh``.

The form of the script (``{inputs.x}``, ``{outputs.y}``) and of `OutputLocation` follow Flyte's ShellTask
(docs.flyte.org, "Shell tasks"); values are quoted here, so that no value can become a command.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from celltask.core.context import current_context
from celltask.core.interface import interface_from_types
from celltask.core.origin import place_of
from celltask.core.registry import registry
from celltask.core.task import Task
from celltask.core.task_options import Options, normal_options
from celltask.core.types.files import Columns
from celltask.errors import InterfaceError, TaskExitError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from celltask.core.fingerprint import Fingerprint

__all__ = ["OutputLocation", "ShellTask"]

_FIELD = re.compile(r"\{\{|\}\}|\{(inputs|outputs|ctx)\.(\w+)\}")


@dataclass(frozen=True, slots=True)
class OutputLocation:
    """Where a script leaves one output.

    Args:
        var: Name of the output.
        var_type: `File`, `Directory` or `pathlib.Path`.
        location: Path, relative to the folder the script runs in; may hold ``{inputs.x}``.
    """

    var: str
    var_type: type
    location: str


class ShellTask(Task[..., object]):
    """A task that runs a shell script.

    Args:
        name: Name to register it under.
        script: The script. ``{inputs.x}`` becomes the value of input x, quoted for the shell; ``{outputs.y}`` the
            path of output y; ``{ctx.working_directory}`` a scratch folder; ``{{`` and ``}}`` are literal braces.
        inputs: Input names and types: ``kwtypes(x=int)``, or a mapping.
        output_locs: The files or folders it leaves.
        debug: Print the script before it runs.
        **options: The options of `task`.

    Raises:
        InterfaceError: If the script names an input or output that is not declared.

    A script that ends with another exit code than 0 raises `TaskExitError` with the last lines of its standard error;
    so does one that leaves an output out. A script that runs longer than its `timeout` goes on until it ends by itself.

    >>> from celltask import ShellTask, kwtypes
    >>> greet = ShellTask("greet", script="test {inputs.who} = 'you; me'", inputs=kwtypes(who=str))
    >>> greet(who="you; me")
    """

    kind = "shell"

    def __init__(
        self,
        name: str,
        script: str,
        *,
        inputs: Columns | Mapping[str, object] | None = None,
        output_locs: Sequence[OutputLocation] = (),
        debug: bool = False,
        **options: object,
    ) -> None:
        frame = sys._getframe(1)  # noqa: SLF001 - the only way to the place of the definition
        where = place_of(frame.f_code.co_filename, frame.f_lineno)
        outputs = {location.var: location.var_type for location in output_locs}
        declared = dict(inputs.types) if isinstance(inputs, Columns) else dict(inputs or {})
        interface = interface_from_types(declared, outputs, docstring=str(options.get("docs") or ""), where=where)
        self.script, self.locations, self.debug = script, tuple(output_locs), debug
        names = tuple(port.name for port in interface.inputs)
        for text in (script, *(location.location for location in output_locs)):
            _check_fields(text, names, tuple(outputs), name, where)
        super().__init__(
            _body(self, names), interface, Options(**normal_options(options)),  # type: ignore[arg-type]  # checked by normal_options
            name=name, module=frame.f_globals.get("__name__", "__main__"), place=where,
        )  # fmt: skip
        registry.add(self)

    @property
    def fingerprint(self) -> Fingerprint:
        """The parts that its digest is made of: the script, and where its outputs lie."""
        from hashlib import sha256  # noqa: PLC0415 - only digests need it

        from celltask.core.fingerprint import Fingerprint  # noqa: PLC0415 - only digests need it

        parts = {"script": self.script, "interface": str(self.interface)}
        parts |= {f"location {location.var}": location.location for location in self.locations}
        return Fingerprint(parts, sha256(repr(sorted(parts.items())).encode()).hexdigest())


def _check_fields(text: str, inputs: tuple[str, ...], outputs: tuple[str, ...], name: str, where: str) -> None:
    known = {"inputs": inputs, "outputs": outputs, "ctx": ("working_directory",)}
    for match in _FIELD.finditer(text):
        if match[1] and match[2] not in known[match[1]]:
            raise InterfaceError(
                f"the script of task {name!r} names {match[0]}, which is not declared",
                where,
                f"use one of: {', '.join(known[match[1]]) or f'(no {match[1]} are declared)'}",
            )


def _body(task: ShellTask, names: tuple[str, ...]) -> Callable[..., object]:
    def run(*values: object) -> object:
        __tracebackhide__ = True
        return _run(task, dict(zip(names, values, strict=True)))

    return run


def _filled(text: str, inputs: Mapping[str, object], paths: Mapping[str, str], quote: Callable[[str], str]) -> str:
    """`text` with the value of each field in its place; `paths` are those of the outputs."""

    def value(match: re.Match[str]) -> str:
        if not match[1]:
            return match[0][0]
        if match[1] == "ctx":
            return quote(str(current_context().working_directory))
        if match[1] == "outputs":
            return quote(paths[match[2]])
        given = inputs[match[2]]
        return quote(os.fspath(given) if isinstance(given, os.PathLike) else str(given))

    return _FIELD.sub(value, text)


def _run(task: ShellTask, inputs: Mapping[str, object]) -> object:
    __tracebackhide__ = True
    import subprocess  # noqa: PLC0415 - only shell tasks start programs

    paths = {location.var: _filled(location.location, inputs, {}, str) for location in task.locations}
    script = _filled(task.script, inputs, paths, shlex.quote)
    if task.debug:
        print(script)  # noqa: T201 - asked for
    command = ["/bin/sh", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603 - the task's own script, values quoted
    sys.stdout.write(done.stdout)
    if done.returncode:
        told = done.stderr.strip().splitlines()[-3:]
        raise TaskExitError(
            f"the script of task {task.name!r} ended with exit code {done.returncode}"
            + "".join(f"\n    {line}" for line in told),
            task.place,
            "run it by hand to see what fails",
        )
    sys.stderr.write(done.stderr)
    missing = [f"{name} ({path})" for name, path in paths.items() if not os.path.exists(path)]  # noqa: PTH110 - a text
    if missing:
        raise TaskExitError(
            f"the script of task {task.name!r} did not leave {', '.join(missing)}",
            task.place,
            "write it where output_locs says, or correct the location",
        )
    found = tuple(location.var_type(paths[location.var]) for location in task.locations)
    return None if not found else found[0] if len(found) == 1 else found
