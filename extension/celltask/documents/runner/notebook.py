"""A document as the notebook that it is after it was executed: its prose, its cells, what these showed."""

from __future__ import annotations

import re
from pathlib import Path
from platform import python_version
from typing import TYPE_CHECKING, Any

from celltask.documents.header import header_of
from celltask.documents.kernels.notebooks import nbformat, new_code_cell, new_markdown_cell, new_notebook, new_output
from celltask.documents.runner.parameters import INJECTED
from celltask.documents.verdict import skip_reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbformat import NotebookNode

    from celltask.documents.outline import DocumentText
    from celltask.documents.runner.outcome import CellOutcome, DocumentOutcome

__all__ = ["executed_notebook", "fill", "notebook_of"]

_FORMATS = {
    "myst": {"extension": ".md", "format_name": "myst"},
    "percent": {"extension": ".py", "format_name": "percent"},
    "light": {"extension": ".py", "format_name": "light"},
    "rmarkdown": {"extension": ".Rmd", "format_name": "rmarkdown"},
    "quarto": {"extension": ".Rmd", "format_name": "rmarkdown"},
}
_PAGES = frozenset({"myst", "rmarkdown", "quarto"})
"""Formats whose code cells are fences."""
_WITH_IDS = 5
"""Minor version of format 4 from which cells have ids."""
_EXPECTED = re.compile(r"\A\s*(`{3,})\{output\}.*?^\1`*[ \t]*$\s*", re.DOTALL | re.MULTILINE)


def executed_notebook(original: DocumentText, outcome: DocumentOutcome) -> NotebookNode:
    """The notebook of `original`, with what its cells showed and how often they were counted.

    The output of a cell that failed ends with an error. A first cell tells of it, and of what was not executed.

    Args:
        original: As it was read.
        outcome: Of that document; cells that only this one has are parameters, and are put in.
    """
    notebook = notebook_of(original)
    notebook.cells = list(_without_expected(_filled(notebook, outcome)))
    _leave_out_folder(notebook, outcome)
    _describe(notebook, outcome)
    failed = next((cell for cell in outcome.executed if cell.told is not None), None)
    if failed is not None:
        notebook.cells.insert(0, _banner(failed, outcome))
    if notebook.nbformat_minor < _WITH_IDS:
        for cell in notebook.cells:
            cell.pop("id", None)
    return notebook


def _shows_a_widget(notebook: NotebookNode) -> bool:
    """Whether an output is a widget. Those of runs are gone when the run has ended; their state is dead weight."""
    shown = (output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", ()))
    return any("application/vnd.jupyter.widget-view+json" in data for data in shown)


def fill(notebook: NotebookNode, outcome: DocumentOutcome) -> bool:
    """Give the cells of `notebook`, made by another reader, what they showed; False if it has other code cells.

    Args:
        notebook: Of the document whose outcome it is; it is changed.
        outcome: Of all cells; those in directives, lists and quotations are no cells of the notebook.
    """
    nodes, cells = _code_cells(notebook), [one for one in outcome.executed if not one.cell.nested]
    if len(nodes) != len(cells):
        return False
    for node, cell in zip(nodes, cells, strict=True):
        _with_outputs(node, cell)
    _leave_out_folder(notebook, outcome)
    _describe(notebook, outcome)
    return True


def notebook_of(document: DocumentText) -> NotebookNode:
    """The notebook that `document` is, its code cells in the order and number of ``document.cells``."""
    if document.format == "ipynb":
        text = Path(document.path).read_text(encoding="utf-8")
        return nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call, no-any-return]  # untyped in nbformat
    if document.format in _FORMATS:
        import jupytext  # type: ignore[import-untyped]  # noqa: PLC0415 - 0.5 s, and only for pages and scripts

        try:
            found = jupytext.reads(document.text, fmt=dict(_FORMATS[document.format]))
        except Exception:  # noqa: BLE001 - border: jupytext raises whatever its readers run into, where ours goes on
            found = new_notebook()  # type: ignore[no-untyped-call]  # untyped in nbformat
        if len(_code_cells(found)) == len(document.cells):
            return found  # type: ignore[no-any-return]  # jupytext has no types
    return _by_lines(document)


def _describe(notebook: NotebookNode, outcome: DocumentOutcome) -> None:
    """Have the metadata tell of the kernel that executed it, and of its widgets."""
    notebook.metadata.setdefault("kernelspec", _kernelspec())
    notebook.metadata["language_info"] = _language()
    notebook.metadata.pop("widgets", None)
    if outcome.widgets and _shows_a_widget(notebook):
        notebook.metadata["widgets"] = nbformat.from_dict(outcome.widgets)  # type: ignore[no-untyped-call]  # untyped there


def _code_cells(notebook: Any) -> list[NotebookNode]:  # noqa: ANN401 - untyped in nbformat
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _by_lines(document: DocumentText) -> NotebookNode:
    """The document cut at its code cells, some of which stand where other readers do not see them."""
    cells: list[Any] = []
    lines = document.text.split("\n")
    is_page = document.format in _PAGES
    at = header_of(lines, document.path).length if is_page else 0
    for cell in document.cells:
        opening = (cell.marker_line or cell.first_line) - 1
        cells += _prose(lines[at:opening])
        metadata = {"tags": list(cell.tags)} if cell.tags else {}
        cells.append(new_code_cell(cell.source, metadata=metadata))  # type: ignore[no-untyped-call]  # untyped there
        at = cell.last_line
        if is_page:  # blank lines and the closing fence
            at = next((n + 1 for n, line in enumerate(lines[at:], at) if line.strip(" >")), at)
    cells += _prose(lines[at:])
    return new_notebook(cells=cells)  # type: ignore[no-untyped-call, no-any-return]  # as above


def _prose(lines: list[str]) -> Iterator[NotebookNode]:
    text = "\n".join(lines).strip()
    if text:
        yield new_markdown_cell(text)  # type: ignore[no-untyped-call]  # untyped in nbformat


def _filled(notebook: NotebookNode, outcome: DocumentOutcome) -> Iterator[NotebookNode]:
    found = {one.cell.number: one for one in outcome.executed}
    nodes = iter(notebook.cells)
    for cell in outcome.chosen.document.cells if outcome.chosen.document else ():
        if cell.filename == INJECTED:
            metadata = {"tags": ["injected-parameters"]}
            yield _with_outputs(new_code_cell(cell.source, metadata=metadata), found.get(cell.number))  # type: ignore[no-untyped-call]  # untyped there
            continue
        for node in nodes:
            if node.cell_type == "code":
                yield _with_outputs(node, found.get(cell.number))
                break
            yield node
    yield from nodes


def _leave_out_folder(notebook: NotebookNode, outcome: DocumentOutcome) -> None:
    """Let errors and warnings name the document as messages do: its folder is that of one machine."""
    path, shown = str(outcome.chosen.path.absolute()), outcome.chosen.shown
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                output.traceback = [line.replace(path, shown) for line in output.traceback]
            elif output.get("name") == "stderr":
                output.text = output.text.replace(path, shown)


def _without_expected(nodes: Iterator[NotebookNode]) -> Iterator[NotebookNode]:
    """The cells without the fences below code that tell what it shows, where that is now known."""
    below_code = False
    for node in nodes:
        if below_code and node.cell_type == "markdown":
            node.source = _EXPECTED.sub("", node.source)
        if node.source or node.cell_type != "markdown":
            yield node
        below_code = node.cell_type == "code" and node.execution_count is not None


def _with_outputs(node: NotebookNode, outcome: CellOutcome | None) -> NotebookNode:
    """The cell with what it showed; one that is never executed keeps what it has."""
    if outcome is not None and skip_reason(outcome.cell):
        return node
    node.outputs, node.execution_count = [], None
    if outcome is None:
        return node
    if outcome.reply is not None:
        node.outputs = [nbformat.from_dict(output) for output in outcome.reply.outputs]  # type: ignore[no-untyped-call]  # untyped there
        node.execution_count = outcome.reply.execution_count
    if outcome.told is not None and not any(output.output_type == "error" for output in node.outputs):
        name, _, message = outcome.told.what.rpartition(": ")
        lines = outcome.told.text.rstrip().split("\n")
        node.outputs.append(new_output("error", ename=name or "failed", evalue=message, traceback=lines))  # type: ignore[no-untyped-call]  # as above
    return node


def _banner(failed: CellOutcome, outcome: DocumentOutcome) -> NotebookNode:
    what = failed.told.what if failed.told else ""
    rest = sum(cell.verdict == "skipped" and not skip_reason(cell.cell) for cell in outcome.executed)
    more = f" Of the cells below it {rest} {'was' if rest == 1 else 'were'} not executed." if rest else ""
    text = f"> **A cell failed**: `{failed.name}`, {failed.where}: {what}.{more}"
    return new_markdown_cell(text, metadata={"tags": ["celltask-failed"]})  # type: ignore[no-untyped-call, no-any-return]  # untyped there


def _kernelspec() -> dict[str, str]:
    return {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def _language() -> dict[str, object]:
    """What a kernel of this Python says of its language; the documents are run by no other."""
    return {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
        "version": python_version(),
    }
