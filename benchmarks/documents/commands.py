"""Who runs the documents, and by which command."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PEERS", "ROWS", "Row", "Target", "arguments", "environment"]

PEERS = ("nbmake", "nbclient")
"""Whose times ours are divided by in the table."""
_PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest")
_OURS = (*_PYTEST, "-p", "no:nbmake", "-p", "no:nbval")
_THEIRS = (*_PYTEST, "-p", "no:celltask")
_SPHINX = ("-C", "-q", "-E", "-D", "extensions=myst_nb", "-D", "nb_execution_mode=force", "-D", "root_doc=page_000")
_HERE = Path(__file__).parent
_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "ours": (*_OURS, "--celltask", "md"),
    "ours-n2": (*_OURS, "--celltask", "-n", "2", "md"),
    "ours-cold": (*_OURS, "--celltask", "--celltask-kernels=cold", "md"),
    "ours-test": ("-m", "celltask", "test", "md"),
    "ours-1": (str(_HERE / "runner.py"), "1", "md"),
    "ours-2": (str(_HERE / "runner.py"), "2", "md"),
    "collect": (*_OURS, "--collect-only", "--celltask", "-q", "md"),
    "nbmake": (*_THEIRS, "-p", "no:nbval", "--nbmake", "ipynb"),
    "nbmake-n2": (*_THEIRS, "-p", "no:nbval", "--nbmake", "-n", "2", "ipynb"),
    "nbmake-collect": (*_THEIRS, "-p", "no:nbval", "--nbmake", "--collect-only", "-q", "ipynb"),
    "nbval": (*_THEIRS, "-p", "no:nbmake", "--nbval-lax", "ipynb"),
    "nbclient": (str(_HERE / "stock.py"), "ipynb"),
    "nbconvert": ("-m", "nbconvert", "--to", "notebook", "--execute", "--output-dir", "executed", "ipynb/*.ipynb"),
    "jupytext": ("-m", "jupytext", "--quiet", "--to", "ipynb", "--execute", "copies/*.md"),
    "mystnb": ("-m", "sphinx", *_SPHINX, "md", "site"),
}


class Target(NamedTuple):
    """A promise about our own figure.

    Attributes:
        limit: The most it may be: seconds, or a part of the time of `peer`.
        peer: Whose time it is compared to; empty if seconds are meant.
        is_each: Whether seconds are those of one document.
    """

    limit: float
    peer: str = ""
    is_each: bool = False


class Row(NamedTuple):
    """A command that is timed on the documents of one folder.

    Attributes:
        folder: Which documents: ``"small"``, ``"heavy"`` or ``"many"``.
        key: Of the command; our own begin with ``ours`` or are ``collect``.
        title: What is done, in words.
        target: What celltask promises, if it does.
    """

    folder: str
    key: str
    title: str
    target: Target | None = None


ROWS = (
    Row("small", "ours", "small: pytest --celltask", Target(1 / 6, "nbmake")),
    Row("small", "ours-n2", "small: pytest --celltask -n 2"),
    Row("small", "ours-cold", "small: pytest --celltask --celltask-kernels=cold"),
    Row("small", "ours-test", "small: celltask test"),
    Row("small", "ours-1", "small: no pytest, one document at a time"),
    Row("small", "ours-2", "small: no pytest, two documents at once", Target(0.080, is_each=True)),
    Row("small", "nbmake", "small: nbmake"),
    Row("small", "nbmake-n2", "small: nbmake -n 2"),
    Row("small", "nbval", "small: nbval"),
    Row("small", "nbclient", "small: nbclient in a loop"),
    Row("small", "nbconvert", "small: nbconvert --execute"),
    Row("small", "jupytext", "small: jupytext --execute"),
    Row("small", "mystnb", "small: sphinx-build with MyST-NB"),
    Row("heavy", "ours", "heavy: pytest --celltask"),
    Row("heavy", "ours-n2", "heavy: pytest --celltask -n 2"),
    Row("heavy", "ours-test", "heavy: celltask test"),
    Row("heavy", "ours-2", "heavy: no pytest, two documents at once"),
    Row("heavy", "nbmake", "heavy: nbmake"),
    Row("heavy", "nbclient", "heavy: nbclient in a loop"),
    Row("many", "collect", "1,000 documents: pytest --celltask --collect-only", Target(5.0)),
    Row("many", "nbmake-collect", "1,000 notebooks: pytest --nbmake --collect-only"),
)


def arguments(key: str, folder: Path, python: str = sys.executable) -> list[str]:
    """The whole command, patterns resolved in `folder`."""
    found: list[str] = []
    for word in _COMMANDS[key]:
        matches = sorted(folder.glob(word)) if "*" in word else ()
        found += [str(path.relative_to(folder)) for path in matches] if matches else [word]
    return [python, *found]


def environment() -> dict[str, str]:
    """That of everything measured: bytecode is kept, linear algebra does not spin on several processors."""
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}, **single}
