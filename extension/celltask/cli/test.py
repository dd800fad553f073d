"""`celltask test PATH…`: the documents there as tests, by pytest."""

from __future__ import annotations

import click

__all__ = ["command"]


def _test(arguments: tuple[str, ...]) -> int:
    import pytest  # noqa: PLC0415 - slow, and only for this command

    # pytest would like to rewrite the asserts of a plugin's package, and warns that this one is loaded already.
    quiet = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
    return int(pytest.main(["-p", "celltask", "--celltask", "-W", quiet, *arguments]))


command = click.Command(
    "test",
    callback=_test,
    params=[click.Argument(["arguments"], metavar="PATH... [PYTEST OPTIONS]", nargs=-1, type=click.UNPROCESSED)],
    context_settings={"ignore_unknown_options": True},
    options_metavar="",
    short_help="Run the cells of documents as tests.",
    help="""Run the code cells of documents as tests: those named, and those in the folders named.

    The same as pytest --celltask; every option of pytest can follow, for example -x, -v or -k. The exit code is
    pytest's: 0 if all cells pass, 1 if one fails, 5 if there is none.
    """,
)
