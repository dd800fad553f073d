"""Notebooks into cells; lines count within each cell."""

from __future__ import annotations

import json
from typing import cast

from celltask.documents.cell_options import tags_in
from celltask.documents.outline import PYTHON_NAMES, Block, Cell, DocumentText
from celltask.errors import DocumentError

__all__ = ["cell_filename", "read_notebook"]

_NEWEST = 4


def cell_filename(path: str, number: int) -> str:
    """The file name that code of a notebook's cell is compiled under.

    >>> cell_filename("analysis.ipynb", 3)
    'analysis.ipynb:cell 3'
    """
    return f"{path}:cell {number}"


def read_notebook(text: str, path: str, *, any_language: bool = False) -> DocumentText:
    """The code cells of the notebook in `text`; `path` is for messages and for the cells' file names.

    Raises:
        DocumentError: If the text is no notebook, or a notebook of another language.
    """
    data = _parsed(text, path)
    version = data.get("nbformat")
    if not isinstance(version, int) or isinstance(version, bool):
        raise DocumentError("this is JSON but no notebook: it has no nbformat", path, "save it from Jupyter")
    if version < _NEWEST:
        data = _upgraded(text, path)
    elif version > _NEWEST:
        raise DocumentError(f"notebooks of nbformat {version} are not known", path, "save it as nbformat 4")
    language, kernel = _language_of(data)
    if language != "python" and not any_language:
        raise DocumentError(f"this is a notebook of {language}, not of Python", path, "choose a Python kernel for it")
    cells = data.get("cells")
    if not isinstance(cells, list):
        raise DocumentError("the notebook has no list of cells", path, "save it from Jupyter")
    metadata = data.get("metadata")
    settings = metadata.get("celltask") if isinstance(metadata, dict) else None
    found = [cell._replace(language=language.lower()) for cell in _code_cells(cells, path)]
    prose, blocks = _prose(text, path) if version == _NEWEST and _has_fences(cells) else ("", ())
    return DocumentText(
        path,
        "ipynb",
        tuple(found),
        blocks=blocks,
        prose=prose,
        settings=settings or {},
        language=language.lower(),
        kernel=kernel,
    )


def _has_fences(cells: list[object]) -> bool:
    """Whether a cell of Markdown may have one; few notebooks have, and to look for them takes time."""
    found = (cell for cell in cells if isinstance(cell, dict) and cell.get("cell_type") == "markdown")
    return any(mark in str(cell.get("source")) for cell in found for mark in ("```", "~~~", ":::"))


def _prose(text: str, path: str) -> tuple[str, tuple[Block, ...]]:
    """The Markdown at the lines of the file, and its fences."""
    from celltask.documents.json_spans import markdown_cells, prose_of  # noqa: PLC0415 - for notebooks with fences
    from celltask.documents.myst import blocks_in  # noqa: PLC0415 - loads markdown-it

    cells = list(markdown_cells(text))
    prose = prose_of(cells)
    page = prose.split("\n")
    blocks = [
        block._replace(after=cell.after)
        for cell in cells
        for block in blocks_in(cell.text, path, first_line=cell.first_line, page=page)
    ]
    return prose, tuple(blocks)


def _parsed(text: str, path: str) -> dict[str, object]:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"{path}, line {error.lineno}, column {error.colno}"
        mend = "resolve the merge conflict" if "<<<<<<<" in text else "restore the notebook, or save it from Jupyter"
        raise DocumentError(f"the notebook is not JSON: {error.msg}", where, mend) from None
    except (RecursionError, ValueError) as error:
        raise DocumentError(f"the notebook is not JSON: {error}", path, "restore the notebook") from None
    if not isinstance(data, dict):
        raise DocumentError("this is JSON but no notebook", path, "save it from Jupyter")
    return cast("dict[str, object]", data)


def _upgraded(text: str, path: str) -> dict[str, object]:
    import nbformat  # noqa: PLC0415 - slow, and only for notebooks from before 2014

    try:
        return cast("dict[str, object]", nbformat.reads(text, as_version=_NEWEST))  # type: ignore[no-untyped-call]  # its own lack
    except Exception as error:  # noqa: BLE001 - border: nbformat raises whatever its old readers run into
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise DocumentError(f"the old notebook cannot be read: {reason}", path, "save it from Jupyter") from None


def _language_of(data: dict[str, object]) -> tuple[str, str]:
    """The language of the notebook, as it says, and the name of its kernel; Python where it says nothing."""
    metadata = data.get("metadata")
    parts = metadata if isinstance(metadata, dict) else {}
    told = [
        found.get(key) if isinstance(found := parts.get(part), dict) else None
        for part, key in (("language_info", "name"), ("kernelspec", "language"), ("kernelspec", "name"))
    ]
    name, language, kernel = [part if isinstance(part, str) else "" for part in told]
    own = name or language
    return ("python" if own.lower() in PYTHON_NAMES else own), kernel


def _code_cells(cells: list[object], path: str) -> list[Cell]:
    found: list[Cell] = []
    for place, cell in enumerate(cells, 1):
        if not isinstance(cell, dict):
            raise DocumentError("this cell of the notebook is no object", f"{path}, item {place} of cells", "remove it")
        if cell.get("cell_type") != "code":
            continue
        number = len(found) + 1
        metadata = cell.get("metadata")
        options = {str(key): value for key, value in metadata.items()} if isinstance(metadata, dict) else {}
        source = _source(cell, f"{path}, cell {number}")
        blank = len(source) - len(source.lstrip("\n"))
        found.append(
            Cell(
                number=number,
                source=source[blank:].rstrip(),
                first_line=blank + 1,
                options=options,
                tags=tags_in(options),
                filename=cell_filename(path, number),
            )
        )
    return found


def _source(cell: dict[str, object], where: str) -> str:
    source = cell.get("source", "")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise DocumentError("the source of this cell is not text", where, "save the notebook from Jupyter")
    if "\0" in source:
        raise DocumentError("the source of this cell has a NUL character", where, "remove it")
    try:
        source.encode()
    except UnicodeEncodeError as error:
        raise DocumentError(
            f"the source of this cell is not text: {error.reason}", where, "remove the character"
        ) from None
    return source.replace("\r\n", "\n").replace("\r", "\n")
