"""`celltask execute`: documents with what their cells show, as notebooks, pages and HTML."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli, MakePage

LIGHT = "# ---\n# jupyter:\n#   jupytext:\n#     text_representation:\n#       format_name: light\n# ---\n\n"


def read(path: Path) -> Any:  # noqa: ANN401 - untyped in nbformat
    """A valid notebook."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def test_a_page_becomes_a_notebook_with_its_outputs(cli: Cli, folder: Path, page: MakePage) -> None:
    """Prose, tags and counts are there, and what Jupyter needs to open it."""
    page("x = 1", ":tags: [hide-input]\n\nprint('shown')\nx + 1")
    assert cli("execute", "page.md", "-o", "out/page.ipynb").code == 0
    found = read(folder / "out/page.ipynb")
    assert [(cell.cell_type, cell.source) for cell in found.cells] == [
        ("markdown", "# A page"),
        ("code", "x = 1"),
        ("markdown", "Prose."),
        ("code", "print('shown')\nx + 1"),
    ]
    last = found.cells[-1]
    assert (last.execution_count, last.metadata.tags) == (2, ["hide-input"])
    assert [output.output_type for output in last.outputs] == ["stream", "execute_result"]
    assert last.outputs[1].data["text/plain"] == "2"
    assert (found.metadata.language_info.name, found.metadata.kernelspec.name) == ("python", "python3")


def test_errors_and_warnings_name_the_document_without_the_folders_of_the_machine(
    cli: Cli, folder: Path, page: MakePage
) -> None:
    """What is saved is the same wherever it was executed; what a cell prints itself is left as it is."""
    code = "import os, warnings\nwarnings.warn('careful')\nprint(os.path.abspath('page.md'))\n1 / 0"
    page(f":tags: [raises-exception]\n\n{code}")
    assert cli("execute", "page.md", "-o", "out.ipynb").code == 0
    outputs = read(folder / "out.ipynb").cells[-1].outputs
    told = {output.get("name", "error"): output.get("text") or "\n".join(output.traceback) for output in outputs}
    assert told["stderr"].startswith("page.md:7: UserWarning: careful\n")
    assert str(folder) not in told["error"]
    assert "page.md:9" in told["error"]
    assert told["stdout"] == f"{folder / 'page.md'}\n"


def test_the_state_of_widgets_is_kept(cli: Cli, folder: Path, page: MakePage) -> None:
    """So that they are shown without a kernel."""
    page("import ipywidgets\nipywidgets.IntSlider(value=7)")
    assert cli("execute", "page.md", "-o", "out.ipynb").code == 0
    state = read(folder / "out.ipynb").metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    assert 7 in [model["state"].get("value") for model in state.values()]


def test_the_state_of_widgets_that_are_gone_is_not_kept(cli: Cli, folder: Path, page: MakePage) -> None:
    """A notebook whose outputs hold no widget is not made heavier by those that came and went."""
    page("import ipywidgets\nipywidgets.IntSlider(value=7).close()")
    assert cli("execute", "page.md", "-o", "out.ipynb").code == 0
    assert "widgets" not in read(folder / "out.ipynb").metadata


@pytest.mark.parametrize("kernels", ["fork", "cold"])
def test_figures_are_shown(
    cli: Cli, folder: Path, page: MakePage, monkeypatch: pytest.MonkeyPatch, kernels: str
) -> None:
    """At the end of the cell that drew them; also where the kernel met matplotlib imported, for pages that share it."""
    pytest.importorskip("matplotlib")
    monkeypatch.delenv("MPLBACKEND", raising=False)
    for name in ("a.md", "b.md"):
        page("import matplotlib.pyplot as plt", "plt.plot([1, 2]); None", name=name)
    assert cli("execute", "a.md", "b.md", "-o", "out/", "--kernels", kernels).code == 0
    for name in ("a", "b"):
        outputs = read(folder / f"out/{name}.ipynb").cells[-1].outputs
        assert [sorted(output.data) for output in outputs] == [["image/png", "text/plain"]]


def test_a_failure_is_marked_and_what_follows_is_not_executed(cli: Cli, folder: Path, page: MakePage) -> None:
    """A first cell tells it, the error stands in its cell; the failure is told as by `celltask test`."""
    page("x = 1", "1 / 0", "y = 1")
    said = cli("execute", "page.md", "-o", "out.ipynb", "-q")
    assert said.code == 1
    assert said.lines[2:] == [
        "page.md:10", "    1 / 0", "    ^^^^^", "ZeroDivisionError: division by zero", "",
        "page.md:10: ZeroDivisionError: division by zero",
    ]  # fmt: skip
    first, *_, bad, _, last = read(folder / "out.ipynb").cells
    assert first.source == (
        "> **A cell failed**: `cell-2`, page.md:10: ZeroDivisionError: division by zero. "
        "Of the cells below it 1 was not executed."
    )
    assert [output.ename for output in bad.outputs] == ["ZeroDivisionError"]
    assert (last.source, last.execution_count, last.outputs) == ("y = 1", None, [])


def test_a_failure_that_shows_no_error_is_marked_as_well(cli: Cli, folder: Path, page: MakePage) -> None:
    """A command that fails, say, leaves no error of Python."""
    page("!false")
    assert cli("execute", "page.md", "-o", "out.ipynb").code == 1
    output = read(folder / "out.ipynb").cells[-1].outputs[-1]
    assert (output.output_type, output.traceback[-1]) == (
        "error",
        "page.md:4: the shell command ended with exit code 1: false",
    )


def test_cells_below_a_failure_are_executed_on_demand(cli: Cli, folder: Path, page: MakePage) -> None:
    """The exit code still tells of it."""
    page("1 / 0", "y = 1\ny")
    assert cli("execute", "page.md", "-o", "out.ipynb", "--allow-errors").code == 1
    assert read(folder / "out.ipynb").cells[-1].execution_count == 2


def test_a_page_gets_an_output_below_each_cell(cli: Cli, folder: Path, page: MakePage) -> None:
    """In the place of the one that stood there; a result of many backticks does not end it."""
    path = page("x = 1", "print('new')\n", "print('```')")
    path.write_text(
        path.read_text().replace(
            "\n```\n\nProse.\n\n```{code-cell}\nprint('```",
            "\n```\n\n```{output}\nold\n```\n\nProse.\n\n```{code-cell}\nprint('```",
        )
    )
    assert "old" in path.read_text()
    assert cli("execute", "page.md", "-o", "out.md").code == 0
    body = (folder / "out.md").read_text().partition("# A page")[2]
    assert body == (
        "\n\n```{code-cell} ipython3\nx = 1\n```\n\nProse.\n\n"
        "```{code-cell} ipython3\nprint('new')\n```\n\n```{output}\nnew\n```\n\nProse.\n\n"
        "```{code-cell} ipython3\nprint('```')\n```\n\n````{output}\n```\n````\n"
    )


def test_cells_that_other_readers_do_not_see_have_their_outputs(cli: Cli, folder: Path, page: MakePage) -> None:
    """Those inside of a directive, for example."""
    path = page("x = 1", "x + 1")
    path.write_text(path.read_text().replace("Prose.", "````{tab-item} One\n```{code-cell}\nx + 40\n```\n````"))
    assert cli("execute", "page.md", "-o", "out.ipynb").code == 0
    cells = read(folder / "out.ipynb").cells
    assert [cell.outputs[0].data["text/plain"] for cell in cells if cell.cell_type == "code" and cell.outputs] == [
        "41",
        "2",
    ]


def test_parameters_stand_below_their_defaults(cli: Cli, folder: Path, page: MakePage) -> None:
    """As a cell of their own, which the notebook shows."""
    page(":tags: [parameters]\n\nrate = 1.0\nname = 'a'", "(rate, name)")
    assert cli("execute", "page.md", "-o", "out.ipynb", "-p", "rate", "0.5", "-p", "name", "b c").code == 0
    cells = [cell for cell in read(folder / "out.ipynb").cells if cell.cell_type == "code"]
    assert [cell.source for cell in cells] == ["rate = 1.0\nname = 'a'", "rate = 0.5\nname = 'b c'", "(rate, name)"]
    assert cells[1].metadata.tags == ["injected-parameters"]
    assert cells[2].outputs[0].data["text/plain"] == "(0.5, 'b c')"


def test_parameters_without_a_cell_for_them_stand_first(cli: Cli, folder: Path, notebook: MakePage) -> None:
    """Before anything else runs."""
    notebook("rate * 2")
    assert cli("execute", "book.ipynb", "-o", "out.ipynb", "-p", "rate", "3").code == 0
    cells = read(folder / "out.ipynb").cells
    assert [cell.source for cell in cells] == ["rate = 3", "# Title", "rate * 2"]
    assert cells[-1].outputs[0].data["text/plain"] == "6"


def test_a_notebook_can_keep_its_own_outputs(cli: Cli, notebook: MakePage) -> None:
    """With --in-place, and only if no cell fails; the permissions of the file stay."""
    good, bad = notebook("1 + 1"), notebook("1 / 0", name="bad.ipynb")
    good.chmod(0o640)
    before = bad.read_bytes()
    assert cli("execute", "book.ipynb", "bad.ipynb", "--in-place").code == 1
    assert json.loads(good.read_text())["cells"][1]["outputs"][0]["data"] == {"text/plain": ["2"]}
    assert good.stat().st_mode & 0o777 == 0o640
    assert bad.read_bytes() == before


def test_several_documents_go_to_a_folder(cli: Cli, folder: Path, page: MakePage) -> None:
    """Each under its own name."""
    page("x = 1", name="a.md")
    page("x = 1", name="docs/b.md")
    assert cli("execute", "a.md", "docs/b.md", "-o", "out/", "--to", "html").code == 0
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["a.html", "b.html"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["page.md"],
            "nothing tells where to write\n  at: celltask execute\n  mend: write -o out.ipynb, out.md or out.html; or a folder\n",  # noqa: E501 - a whole message
        ),
        (["page.md", "-o", "out.pdf"], "nothing is written as .pdf\n  at: out.pdf\n  mend: use .ipynb, .md or .html\n"),
        (
            ["page.md", "-o", "page.md"],
            "this would take the place of the document\n  at: page.md\n  mend: write -o with another name\n",
        ),
        (
            ["page.md", "--in-place"],
            "page.md is no notebook, and holds no outputs\n  at: celltask execute\n  mend: write -o instead of --in-place\n",  # noqa: E501 - as above
        ),
        (
            ["page.md", "other.md", "-o", "out.ipynb"],
            "two documents would be written to out.ipynb\n  at: out.ipynb\n  mend: give each an -o of its own, in turn\n",  # noqa: E501 - as above
        ),
        (
            ["page.md", "-o", "out.ipynb", "-p", "rat", "1"],
            "the document has no parameter 'rat'\n  at: page.md\n  mend: did you mean 'rate'?\n",
        ),
        (
            ["page.md", "-o", "out.ipynb", "-p", "1x", "1"],
            "'1x' is no name of a variable\n  at: page.md\n  mend: write -p NAME VALUE\n",
        ),
    ],
    ids=["no-output", "format", "source", "page-in-place", "same-file", "parameter", "no-name"],
)
def test_what_cannot_be_written_is_refused(cli: Cli, page: MakePage, words: list[str], message: str) -> None:
    """Before anything is executed, and nothing is changed."""
    before = page(":tags: [parameters]\n\nrate = 1").read_bytes()
    page("x = 1", name="other.md")
    assert cli("execute", *words) == (2, "", message)
    assert page(":tags: [parameters]\n\nrate = 1").read_bytes() == before


def test_a_page_of_html_needs_no_network_and_runs_no_script(cli: Cli, folder: Path, page: MakePage) -> None:
    """What cells show as HTML is in frames that can do nothing, images are in the page."""
    page(
        "from IPython.display import HTML, SVG\nHTML('<b>bold</b><script>alert(1)</script>')",
        'SVG(\'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>\')',
        "print('<i>not italic</i>')",
        ":tags: [raises-exception]\n\n{}['key']",
    )
    assert cli("execute", "page.md", "-o", "out.html").code == 0
    text = (folder / "out.html").read_text()
    assert "<h1>A page</h1>" in text
    assert '&lt;b&gt;bold&lt;/b&gt;&lt;script&gt;alert(1)&lt;/script&gt;"></iframe>' in text
    assert '<iframe sandbox="" ' in text
    assert "default-src 'none'" in text
    assert '<img src="data:image/svg+xml;base64,' in text
    assert "&lt;i&gt;not italic&lt;/i&gt;" in text
    assert "KeyError: &#x27;key&#x27;" in text
    assert not re.findall(r"<script|(?:src|href)=.(?!data:|#)", text)


def test_images_of_the_prose_are_in_the_page(cli: Cli, folder: Path, page: MakePage) -> None:
    """Those that lie beside the document; others are left as they are, and not fetched."""
    path = page("x = 1")
    (folder / "a b.svg").write_text("<svg/>")
    path.write_text(f"{path.read_text()}\n![one](a%20b.svg) ![two](https://example.org/b.png) ![three](none.png)\n")
    assert cli("execute", "page.md", "-o", "out.html").code == 0
    assert re.findall(r'<img src="([^"]*)"', (folder / "out.html").read_text()) == [
        "data:image/svg+xml;base64,PHN2Zy8+",
        "https://example.org/b.png",
        "none.png",
    ]


def test_a_report_links_to_its_failures(cli: Cli, folder: Path, page: MakePage) -> None:
    """They stand first; documents that failed are open, the others closed."""
    page("x = 1", "1 / 0", name="bad.md")
    page("x = 1", name="good.md")
    (folder / "odd.ipynb").write_text("{")
    assert cli("test", ".", "--jobs", "1", "--html", "report.html").code == 1
    text = (folder / "report.html").read_text()
    assert '<li><a href="#d0c2">bad.md::cell-2</a> ZeroDivisionError: division by zero</li>' in text
    assert '<section id="d0c2" class="cell failed">' in text
    assert '<li><a href="#d2">odd.ipynb</a> the notebook is not JSON: Expecting' in text
    found = re.findall(r'<details id="d(\d)" class="document (\w+)"( open)?>', text)
    assert found == [("0", "failed", " open"), ("1", "passed", ""), ("2", "failed", " open")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("script.py", "# %% [markdown]\n# # Title\n\n# %%\nx = 1\nx\n"),
        (
            "light.py",
            f"{LIGHT}# # Title\n\nx = 1\nx\n",
        ),
        ("page.Rmd", "---\ntitle: T\n---\n\n# Title\n\n```{python}\nx = 1\nx\n```\n"),
        ("page.qmd", "---\ntitle: T\n---\n\n# Title\n\n```{python}\nx = 1\nx\n```\n"),
    ],
    ids=["percent", "light", "rmarkdown", "quarto"],
)
def test_documents_of_all_formats_are_executed(cli: Cli, folder: Path, name: str, text: str) -> None:
    """Their prose becomes Markdown cells."""
    (folder / name).write_text(text)
    assert cli("execute", name, "-o", "out.ipynb").code == 0
    title, code = read(folder / "out.ipynb").cells[-2:]
    assert (title.cell_type, title.source) == ("markdown", "# Title")
    assert (code.source, code.outputs[0].data["text/plain"]) == ("x = 1\nx", "1")
