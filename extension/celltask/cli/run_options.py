"""Options of every command that runs whole documents."""

from __future__ import annotations

import click

__all__ = ["run_options"]


def run_options() -> list[click.Option]:
    """How many documents at once, for how long a cell, in which kernels."""
    return [
        click.Option(
            ["-j", "--jobs"], type=click.IntRange(1), default=None, metavar="N",
            help="Documents at once; by default as many as there are cores.",
        ),
        click.Option(
            ["--timeout"], type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="That a cell may take."
        ),
        click.Option(
            ["--kernels"], type=click.Choice(["fork", "cold"]), default="fork",
            help="Fork kernels from a warmed server (the default, on Linux), or start each.",
        ),
    ]  # fmt: skip
