"""Each rule of `celltask lint`: what it finds and where, and what it leaves alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from celltask.documents.lint.check import lint_documents
from celltask.documents.lint.fix import fix_documents
from celltask.documents.lint.resolve import exists
from celltask.documents.lint.rules import RULES
from celltask.errors import CelltaskError, DocumentError

ROOT = Path(__file__).parents[2]
CELL = "```{code-cell}\nx = 1\n```\n"


def found_in(tmp_path: Path, text: str, **options: list[str]) -> list[tuple[int, int, str]]:
    """Line, column and rule of each finding in a page with this text."""
    path = tmp_path / "page.md"
    path.write_text(text, encoding="utf-8", newline="")
    return [(finding.line, finding.column, finding.rule) for finding in lint_documents([str(path)], **options)]


FOUND = [
    pytest.param("---\na: b: c\n---\n", (2, 1, "unreadable"), id="unreadable"),
    pytest.param(f"````{{note}}\nn\n```\n\n{CELL}\n````\n", (3, 1, "swallowed-cell"), id="swallowed"),
    pytest.param(f"{CELL}\n```bash\nls\n", (5, 1, "unclosed-fence"), id="unclosed"),
    pytest.param("```{code-cell}\nx = 1\n", (1, 1, "unclosed-fence"), id="unclosed-cell"),
    pytest.param("```{note}\nn\n````\n", (3, 1, "fence-length"), id="length"),
    pytest.param("```{code-cell}\nx = 1\n````\n", (3, 1, "fence-length"), id="length-of-cell"),
    pytest.param("```{code-cel}\nx = 1\n```\n", (1, 1, "misspelt-cell"), id="misspelt"),
    pytest.param("``` {code-cell}\nx = 1\n```\n", (1, 1, "space-before-brace"), id="space"),
    pytest.param(":::{code-cell}\nx = 1\n:::\n", (1, 1, "colon-cell"), id="colons"),
    pytest.param(f"<!--\n{CELL}-->\n", (2, 1, "hidden-cell"), id="hidden"),
    pytest.param("- a\n\n  ```{code-cell}\n  x = 1\n  ```\n", (3, 3, "nested-cell"), id="nested"),
    pytest.param(f"{CELL}\nProse.\n\n```{{output}}\n1\n```\n", (7, 1, "stray-output"), id="output"),
    pytest.param(f"---\nkernelspec:\n  name: ir\n---\n{CELL}", (3, 3, "foreign-kernel"), id="kernel"),
    pytest.param(f"{CELL}\n```{{code-cell}} R\ny\n```\n", (5, 1, "two-languages"), id="languages"),
    pytest.param("```{code-cell}\n:tags: slow\nx = 1\n```\n", (2, 1, "tags-as-string"), id="string"),
    pytest.param("```{code-cell}\n:tags: [hide-inputs]\nx = 1\n```\n", (1, 1, "unknown-tag"), id="tag"),
    pytest.param("```{code-cell}\n:timeouts: 5\nx = 1\n```\n", (1, 1, "unknown-option"), id="option"),
    pytest.param("See {py:func}`functools.partail`.\n", (1, 5, "python-target"), id="python"),
    pytest.param("See {py:meth}`~textwrap.TextWrapper.wrpa`.\n", (1, 5, "python-target"), id="method"),
    pytest.param("See {ref}`there <nowhere>`.\n", (1, 5, "reference-target"), id="ref"),
    pytest.param("See {doc}`other`.\n", (1, 5, "reference-target"), id="doc"),
    pytest.param("```console\n$ celltask run nosuch.py train\n```\n", (2, 16, "missing-file"), id="shell"),
    pytest.param(f"{CELL}\nWe call the `square` task twice.\n", (5, 13, "stale-name"), id="task"),
    pytest.param(f"{CELL}\nIt is a function\ncalled `square`.\n", (6, 8, "stale-name"), id="function"),
    pytest.param(
        "```{code-cell}\nimport textwrap\n```\n\nCall `textwrap.dednet(text)`.\n", (5, 6, "stale-name"), id="dotted"
    ),
]


SCRIPT = "# ---\n# title: A script\n# ---\n\n# %% [markdown]\n{}\n\n# %%\nx = 1  # see {{ref}}`no-prose`\n"


@pytest.mark.parametrize(
    "cell",
    ["# We call the `square` task,\n# see {ref}`there`.", '"""\nWe call the `square` task,\nsee {ref}`there`.\n"""'],
    ids=["comment", "string"],
)
def test_prose_of_a_percent_script_is_looked_at(tmp_path: Path, cell: str) -> None:
    """In its Markdown cells, with the columns of the file; comments in its code are no prose."""
    path = tmp_path / "script.py"
    path.write_text(SCRIPT.format(cell))
    first, shift = (6, 2) if cell.startswith("#") else (7, 0)
    assert [(one.line, one.column, one.rule) for one in lint_documents([str(path)])] == [
        (first, 13 + shift, "stale-name"),
        (first + 1, 5 + shift, "reference-target"),
    ]


@pytest.mark.parametrize(("text", "found"), FOUND)
def test_a_rule_finds_its_mistake_with_line_and_column(tmp_path: Path, text: str, found: tuple[int, int, str]) -> None:
    """Each mistake is found once, where it stands, and by no other rule."""
    assert found_in(tmp_path, text) == [found]


def test_every_rule_is_tried() -> None:
    """The table above has a mistake for each rule there is."""
    assert {case.values[1][2] for case in FOUND} == set(RULES)


LEFT_ALONE = [
    pytest.param(f"{CELL}\nTied to the `git sha`; a `Python function task`, the ``x``.\n", id="words"),
    pytest.param(f"{CELL}\nMandatory for a ``PythonFunctionTask``, named like `out0`.\n", id="names-of-other-things"),
    pytest.param(f"{CELL}\nThe `print` function, the `pytest` task, the `x` variable.\n", id="known"),
    pytest.param("We call the `square` task twice.\n", id="no-code"),
    pytest.param("```{code-cell}\nfrom functools import partial\n```\n\nThe `partial` function.\n", id="imported"),
    pytest.param("```{code-cell}\nimport ast\n```\n\nThe `parse` function, `ast.parse(x)`.\n", id="attribute"),
    pytest.param("{py:func}`not_installed.thing`, {py:func}`functools.partial`, {py:func}`len`\n", id="roles"),
    pytest.param("{py:meth}`ast.NodeVisitor.visit`, {func}`os.path.join`, {mod}`os.path`\n", id="methods"),
    pytest.param("(here)=\n# Title\n\n{ref}`here`, {ref}`so <Here>`, {doc}`page`\n", id="labels"),
    pytest.param("```{figure} a.png\n:name: fig\n```\n\n{numref}`fig`\n", id="label-of-directive"),
    pytest.param(
        "```{code-cell}\ndef train(): ...\n```\n\n```bash\ncelltask run task.py train --x 1\n```\n", id="own-task"
    ),
    pytest.param("```console\n$ celltask graph page.md -o out.md\n$ ls nosuch.py\n```\n", id="commands"),
    pytest.param("```bash\ncat > made.py\npython made.py\n```\n", id="made-before"),
    pytest.param("```{code-cell}\n:lines_to_next_cell: 1\n\nx = 1\n```\n", id="foreign-option"),
    pytest.param("```{code-cell}\n---\ntags: [hide-input, skip-execution]\n---\nx = 1\n```\n", id="tags"),
    pytest.param("`````md\n``` {code-cell}\n```\nSee {ref}`nowhere`\n`````\n", id="shown"),
    pytest.param("{ref}`python:tut`, {doc}`there <other:page>`\n", id="other-project"),
    pytest.param("<!-- See {ref}`nowhere` -->\n", id="comment"),
]


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_what_is_right_is_left_alone(tmp_path: Path, text: str) -> None:
    """Nothing is found where a reader would find nothing wrong."""
    assert found_in(tmp_path, text) == []


TWO = "``` {code-cell}\n:tags: slow\nx = 1\n```\n"


def test_rules_are_chosen_by_name(tmp_path: Path) -> None:
    """On the command line, in the settings of the project, in a comment and in the header."""
    assert found_in(tmp_path, TWO) == [(1, 1, "space-before-brace"), (2, 1, "tags-as-string")]
    assert found_in(tmp_path, TWO, select=["tags-as-string"]) == [(2, 1, "tags-as-string")]
    assert found_in(tmp_path, TWO, ignore=["tags-as-string"]) == [(1, 1, "space-before-brace")]
    comment = "<!-- celltask: ignore space-before-brace, tags-as-string -->\n"
    assert found_in(tmp_path, f"{comment}{TWO}") == []
    header = "---\ncelltask: {lint: {ignore: [tags-as-string]}}\n---\n"
    assert found_in(tmp_path, f"{header}{TWO}") == [(4, 1, "space-before-brace")]
    (tmp_path / "pyproject.toml").write_text('[tool.celltask.lint]\nignore = ["tags-as-string"]\ntags = ["mine"]\n')
    assert found_in(tmp_path, TWO.replace("slow", "[mine]")) == [(1, 1, "space-before-brace")]
    assert found_in(tmp_path, TWO) == [(1, 1, "space-before-brace")]


def test_an_unknown_rule_is_refused(tmp_path: Path) -> None:
    """A name that no rule has is told with the rule that is meant."""
    with pytest.raises(CelltaskError) as caught:
        found_in(tmp_path, CELL, ignore=["nested-cells"])
    told = "no rule is called 'nested-cells'\n  at: the command line\n  mend: did you mean nested-cell?"
    assert str(caught.value) == told


FIXED = [
    pytest.param("``` {code-cell}\nx = 1\n```\n", "```{code-cell}\nx = 1\n```\n", id="space"),
    pytest.param(":::{code-cell}\nx = 1\n:::\n", "```{code-cell}\nx = 1\n```\n", id="colons"),
    pytest.param("```{note}\nn\n````\n", "```{note}\nn\n```\n", id="length"),
    pytest.param("```{code-cell}\n:tags: a, b\nx\n```\n", "```{code-cell}\n:tags: [a, b]\nx\n```\n", id="tags"),
]


@pytest.mark.parametrize("encode", ["plain", "windows"])
@pytest.mark.parametrize(("text", "mended"), FIXED)
def test_a_fix_changes_only_what_was_wrong(tmp_path: Path, text: str, mended: str, encode: str) -> None:
    """The mistake is gone, the file's mode, line ends, byte order mark and all its other bytes are as before."""
    around = "prose  \n\n{}\nl\u2028ast\x0c line without end"
    before, after = (around.format(part).encode() for part in (text, mended))
    if encode == "windows":
        before, after = (b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n") for data in (before, after))
    path = tmp_path / "page.md"
    path.write_bytes(before)
    path.chmod(0o640)
    rules = ["space-before-brace", "colon-cell", "fence-length", "tags-as-string"]
    assert fix_documents(lint_documents([str(path)], select=rules)) == []
    assert path.read_bytes() == after
    assert path.stat().st_mode & 0o777 == 0o640
    assert [entry.name for entry in tmp_path.iterdir()] == ["page.md"]


def test_a_document_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Here for want of a name for the part that is written first."""
    path = tmp_path / f"{'p' * 250}.md"
    path.write_text("``` {code-cell}\nx = 1\n```\n")
    with pytest.raises(DocumentError) as caught:
        fix_documents(lint_documents([str(path)], select=["space-before-brace"]))
    what = "the file cannot be written: File name too long"
    assert str(caught.value) == f"{what}\n  at: {path}\n  mend: check its permissions"
    assert path.read_text() == "``` {code-cell}\nx = 1\n```\n"


NAMES = [
    ("functools.partial", True),
    ("functools.partail", False),
    ("os.path.join", None),
    ("textwrap.TextWrapper.wrap", True),
    ("ast.NodeVisitor.vist", None),
    ("celltask.documents.reader.read_document", True),
    ("sys", True),
    ("nosuch.thing", None),
]


@pytest.mark.parametrize(("name", "found"), NAMES)
def test_names_are_looked_up_without_importing(name: str, found: bool | None) -> None:  # noqa: FBT001 - a table
    """A name exists, does not, or cannot be told."""
    assert exists(name) is found


def test_looking_a_name_up_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module with side effects is read and not executed."""
    (tmp_path / "loud.py").write_text("raise SystemExit(1)\ndef f(): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert (exists("loud.f"), exists("loud.g")) == (True, False)


def test_labels_of_other_documents_are_known(tmp_path: Path) -> None:
    """A label may stand in any document of the folder that is given."""
    for name, text in (
        ("a", "{ref}`in-b`, {numref}`fig`\n"),
        ("b", '(in-b)=\n# B\n\n```{figure} x\n:name: "fig"\n```\n'),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "page.md").write_text(text)
    assert lint_documents([str(tmp_path)]) == []
    assert [finding.line for finding in lint_documents([str(tmp_path / "a")])] == [1, 1]


def test_our_own_documents_are_clean() -> None:
    """Nothing is found in the documentation and the notebooks of this project."""
    assert lint_documents([str(ROOT / "docs"), str(ROOT / "notebooks"), str(ROOT / "README.md")]) == []


def test_the_guide_names_just_the_rules_that_exist() -> None:
    """The table of the guide has each rule once, in the order of the program."""
    text = (ROOT / "docs" / "guide" / "lint.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE) == list(RULES)
