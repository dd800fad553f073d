"""The command `celltask`: which subcommands there are, and what becomes of their errors.

Each subcommand is a module of this room with a `command`, imported when it is asked for, so that running a task
loads nothing that only help or pictures need.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, cast

import click

from celltask import __version__
from celltask.cli.exit_codes import DONE, FAILED, INTERRUPTED, REFUSED, TOLD
from celltask.errors import CelltaskError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_COMMANDS = {
    "run": "celltask.cli.run",
    "tasks": "celltask.cli.tasks",
    "graph": "celltask.cli.graph",
    "show": "celltask.cli.show",
    "outline": "celltask.cli.outline",
    "lint": "celltask.cli.lint",
    "test": "celltask.cli.test",
    "execute": "celltask.cli.execute",
    "audit": "celltask.cli.audit",
    "watch": "celltask.cli.watch",
    "cache": "celltask.cli.cache",
    "runs": "celltask.cli.runs",
}


class _Commands(click.Group):
    """The subcommands, each imported when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every name, in the order of the help."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """The command of that name.

        Raises:
            CelltaskError: If there is none.
        """
        del ctx
        if cmd_name in _COMMANDS:
            return cast("click.Command", import_module(_COMMANDS[cmd_name]).command)
        from celltask.cli.wording import near  # noqa: PLC0415 - only for a mistake

        told = near(cmd_name, _COMMANDS)
        if cmd_name.lower().endswith((".md", ".ipynb", ".py")):
            told = f"to run it: celltask run {cmd_name}"
        raise CelltaskError(f"there is no command {cmd_name!r}", "celltask", told)


def _show_version(ctx: click.Context, _: click.Parameter, given: bool) -> None:  # noqa: FBT001 - click's callback
    if given:
        click.echo(f"celltask {__version__}")
        ctx.exit()


_group = _Commands(
    "celltask",
    help="Run the tasks and workflows of a document: a MyST page (.md), a notebook (.ipynb) or a Python file (.py).",
    epilog=TOLD,
    params=[
        click.Option(
            ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=_show_version,
            help="Show the version and exit.",
        )
    ],
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
    callback=lambda: None,
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """What `celltask` does with these arguments; errors are told on standard error.

    Args:
        arguments: Those of the command line by default; then an interruption also ends the process, since the
            interpreter would otherwise wait for every thread that still runs a task.

    Returns:
        The exit code: 0, 1 (a task failed), 2 (something given is wrong) or 130 (interrupted).

    >>> main(["--version"])  # doctest: +ELLIPSIS
    celltask ...
    0
    """
    code = _carried_out(list(sys.argv[1:] if arguments is None else arguments))
    if code == INTERRUPTED and arguments is None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    if arguments is None:
        import gc  # noqa: PLC0415 - built in

        # The interpreter ends now: without this it searches all objects for cycles first, three times, which after
        # an import of scikit-learn takes 0.2 s. What is not in a cycle is released as ever.
        gc.freeze()
    return code


def _carried_out(arguments: list[str]) -> int:
    try:
        code = _group.main(arguments or ["--help"], prog_name="celltask", standalone_mode=False)
        sys.stdout.flush()
    except (click.ClickException, CelltaskError) as error:
        from celltask.cli.wording import refusal  # noqa: PLC0415 - only for a mistake

        print(refusal(error), file=sys.stderr)  # noqa: T201 - the command line speaks here
        return REFUSED
    except (click.Abort, KeyboardInterrupt):
        print("interrupted", file=sys.stderr)  # noqa: T201 - as above
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; without this the interpreter complains once more when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return FAILED
    return code if isinstance(code, int) else DONE
