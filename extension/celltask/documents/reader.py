"""Files into documents: `read_document` finds the format, checks the text and hands it to that format's reader.

Nothing of the document is run, and a plain module is read without loading any of the other readers.
"""

# ruff: noqa: PTH100, PTH112, PTH116, PTH119, PTH122, PTH123, PTH208 - pathlib costs more than all of a plain module's reading
from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from celltask.documents.outline import Cell, DocumentText
from celltask.errors import DocumentError

if TYPE_CHECKING:
    from celltask.documents.outline import DocumentFormat, Nested

__all__ = ["document_from", "read_document"]

MYST_SUFFIXES = (".md", ".markdown", ".myst", ".mystnb", ".mnb")
R_SUFFIXES = (".rmd", ".qmd")
SUFFIXES = (*MYST_SUFFIXES, *R_SUFFIXES, ".ipynb", ".py")


def read_document(path: str | os.PathLike[str], *, nested: Nested = "run", any_language: bool = False) -> DocumentText:
    r"""The code cells of the document at `path`, each with its exact lines; nothing is run.

    The format follows from the suffix: MyST for ``.md`` (with or without a header), R Markdown for ``.Rmd``, Quarto for
    ``.qmd``, a notebook for ``.ipynb``, and for ``.py`` the percent format if it has ``# %%`` markers or commented
    ``# %task`` lines, jupytext's light format if it has ``# +`` markers or its header says so, else a plain module of
    one cell.

    Args:
        path: Of the document.
        nested: What becomes of code cells inside directives, lists and quotations: they are cells like others
            (``"run"``), are left out with a notice (``"report"``), or are an error (``"refuse"``).
        any_language: Whether documents of other languages than Python are read, too.

    Raises:
        DocumentError: If the file is missing, is no document, or cannot be read as what its suffix says.

    >>> import pathlib, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> page = pathlib.Path(folder.name, "page.md")
    >>> _ = page.write_text("# Title\n\n```{code-cell}\nx = 1\n```\n")
    >>> [(cell.number, cell.first_line, cell.source) for cell in read_document(page).cells]
    [(1, 4, 'x = 1')]
    >>> folder.cleanup()
    """
    given = os.fspath(path)
    full = os.path.abspath(given)
    suffix = os.path.splitext(full)[1].lower()
    return document_from(_bytes_of(given, suffix), full, nested=nested, any_language=any_language)


def document_from(data: bytes, path: str, *, nested: Nested = "run", any_language: bool = False) -> DocumentText:
    """The document in `data`, read as a file at the absolute `path` would be.

    Raises:
        DocumentError: If it cannot be read as what the suffix of `path` says.
    """
    suffix = os.path.splitext(path)[1].lower()
    if suffix == ".ipynb":
        from celltask.documents.ipynb import read_notebook  # noqa: PLC0415 - loads json

        return read_notebook(_decoded(data, path), path, any_language=any_language)
    if suffix == ".py":
        return _read_python(data, path)
    if suffix in R_SUFFIXES:
        from celltask.documents.rmarkdown import read_rmarkdown  # noqa: PLC0415 - loads markdown-it

        form: DocumentFormat = "quarto" if suffix == ".qmd" else "rmarkdown"
        return read_rmarkdown(_decoded(data, path), path, form, nested=nested)
    from celltask.documents.myst import read_myst  # noqa: PLC0415 - loads markdown-it

    return read_myst(_decoded(data, path), path, nested=nested, any_language=any_language)


def _bytes_of(path: str, suffix: str) -> bytes:
    """The content of the file at `path`, which is told as it was given."""
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise DocumentError("this is a folder, not a document", path, _choices_in(path))
        if suffix not in SUFFIXES:
            raise _unknown_suffix(path, suffix)
        if not stat.S_ISREG(mode):
            raise DocumentError("this is no regular file", path, "name a .md, .ipynb or .py file")
        with open(path, "rb") as file:
            data = file.read()
    except (FileNotFoundError, NotADirectoryError):
        raise DocumentError("there is no such document", path, _near_names(path)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DocumentError(f"the document cannot be read: {reason}", path, "check its name and permissions") from None
    if not data.strip():
        raise DocumentError("the document is empty", path, "write a task in it")
    return data


def _unknown_suffix(path: str, suffix: str) -> DocumentError:
    known = "a document is a MyST page (.md), a notebook (.ipynb) or a Python file (.py)"
    if suffix in {".r", ".jl"}:
        return DocumentError(
            f"documents of type {suffix} are not read", path, f"convert it: jupytext --to md:myst {_name(path)}"
        )
    return DocumentError(f"the name ends in {suffix or 'no suffix'}, which says no known format", path, known)


def _choices_in(folder: str) -> str:
    found = sorted(name for name in os.listdir(folder) if name.lower().endswith(SUFFIXES))
    shown = ", ".join(found[:5]) + (", …" if len(found) > 5 else "")  # noqa: PLR2004 - as many as fit in a line
    return f"name one document in it: {shown}" if found else "name a .md, .ipynb or .py file"


def _near_names(path: str) -> str:
    folder, name = os.path.split(path)
    if not os.path.isdir(folder or os.curdir):
        return f"the folder {folder} does not exist either; check the path"
    try:
        found = [entry for entry in os.listdir(folder or os.curdir) if entry.lower().endswith(SUFFIXES)]
    except OSError:
        found = []
    from difflib import get_close_matches  # noqa: PLC0415 - only on a miss

    near = get_close_matches(name, found, n=3, cutoff=0.6)
    stem = os.path.splitext(name)[0]
    near += [entry for entry in found if entry.startswith(f"{stem}.") and entry not in near]
    return f"did you mean {' or '.join(near)}?" if near else "check the path"


def _name(path: str) -> str:
    return os.path.basename(path)


def _decoded(data: bytes, path: str, encoding: str = "utf-8-sig") -> str:
    if b"\0" in data:
        if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            raise DocumentError("the document is UTF-16, not UTF-8", f"{path}, line 1", "save it as UTF-8")
        line = data[: data.index(b"\0")].count(b"\n") + 1
        raise DocumentError("this is binary data, not text", f"{path}, line {line}", "name a text document")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DocumentError(
            f"byte {data[error.start]:#04x} is not {'UTF-8' if encoding == 'utf-8-sig' else encoding}",
            f"{path}, line {line}",
            "save the document as UTF-8",
        ) from None
    except (LookupError, ValueError):
        raise DocumentError(
            f"{encoding} is no encoding of text", f"{path}, line 1", "save the document as UTF-8"
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _read_python(data: bytes, path: str) -> DocumentText:
    text = _decoded(data, path, _declared_encoding(data, path))
    # One of these is in every percent script; the test spares plain modules the import of its reader.
    if "%%" in text or "%task" in text or "%workflow" in text:
        from celltask.documents.percent import is_percent, read_percent  # noqa: PLC0415 - loads re

        if is_percent(text):
            return read_percent(text, path)
    if "# +" in text or "format_name: light" in text:
        from celltask.documents.light import is_light, read_light  # noqa: PLC0415 - loads re

        if is_light(text):
            return read_light(text, path)
    cell = Cell(1, text, first_line=1, filename=path)
    return DocumentText(path, "python", (cell,), text)


def _declared_encoding(data: bytes, path: str) -> str:
    head = data.split(b"\n", 2)[:2]
    if not any(b"coding" in line for line in head):
        return "utf-8-sig"
    import tokenize  # noqa: PLC0415 - only for a file that declares its encoding

    lines = iter([line + b"\n" for line in head])
    try:
        found = tokenize.detect_encoding(lambda: next(lines, b""))[0]
    except SyntaxError as error:
        raise DocumentError(str(error), f"{path}, line 1", "save the document as UTF-8") from None
    return "utf-8-sig" if found == "utf-8" else found
