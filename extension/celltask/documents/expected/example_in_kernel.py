"""What runs inside the kernel for one example of a doctest. Its text is sent; it leaves no name behind."""

from __future__ import annotations

import ast
import io
import sys
import traceback
from contextlib import redirect_stdout
from typing import Any

__all__ = ["run"]

_TYPE = "application/vnd.celltask.doctest+json"


def run(source: str, filename: str, line: int, copy_name: str, is_first: int) -> None:
    """Execute one example as the Python prompt does, and publish what it printed and raised.

    Args:
        source: The statement.
        filename: That it is compiled under.
        line: Its line in that file, from 1.
        copy_name: Of the copy of the kernel's names in which it runs, so that none leaks; empty for those themselves.
        is_first: Whether that copy is to be made anew.
    """
    shell: Any = __import__("IPython").get_ipython()
    names = shell.user_ns
    if copy_name:
        copies = shell.compile.__dict__.setdefault("celltask_doctests", {})
        if is_first:
            copies.clear()  # of the block before
            copies[copy_name] = dict(names)
        names = copies.setdefault(copy_name, dict(names))
    printed, error, shown = io.StringIO(), None, sys.displayhook
    try:
        with redirect_stdout(printed):
            sys.displayhook = _show
            tree = ast.increment_lineno(ast.parse(source, filename, "single"), line - 1)
            exec(compile(tree, filename, "single"), names)  # noqa: S102 - that is what an example is for
    except KeyboardInterrupt:  # the time is over
        raise
    except BaseException as raised:  # noqa: BLE001 - border: the example is the user's code
        error = "".join(traceback.format_exception_only(raised))
    finally:
        sys.displayhook = shown
    shell.display_pub.publish({_TYPE: {"printed": printed.getvalue(), "error": error}})


def _show(value: object) -> None:
    if value is not None:
        print(repr(value))  # noqa: T201 - the prompt prints, too
