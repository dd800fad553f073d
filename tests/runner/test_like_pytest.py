"""What `celltask test` does as pytest does it: shell examples and promotion."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli, MakePage

HEADER = "---\ncelltask: {shell: run}\n---\n\n"
EXAMPLES = """
```console
$ echo one > file.txt
$ cat file.txt
two
```

```bash
grep -q one file.txt
exit 3
```

```bash
true
```
"""


def outcomes(cli: Cli, *words: str) -> list[tuple[object, ...]]:
    """Name, line, verdict, and why, of each cell and example."""
    told = json.loads(cli("test", *words, "--json").out)["documents"]
    cells = [cell for document in told for cell in document["cells"]]
    return [
        (cell["name"], cell["line"], cell["verdict"], cell["reason"] or (cell["failure"] or {"what": ""})["what"])
        for cell in cells
    ]


@pytest.fixture
def with_examples(page: MakePage) -> Path:
    """A page with one cell and three shell examples, the first of which prints something else than it shows."""
    path = page("x = 1")
    path.write_text(HEADER + path.read_text() + EXAMPLES)
    return path


@pytest.mark.usefixtures("with_examples")
def test_shell_examples_are_run_after_the_cells(cli: Cli) -> None:
    """In one shell; one that prints something else fails alone, one that does not end well stops those below."""
    assert outcomes(cli, "page.md") == [
        ("x", 8, "passed", ""),
        ("shell-1", 12, "failed", "expected 'two', shown is 'one'"),
        ("shell-2", 18, "failed", "exit code 3: exit 3"),
        ("shell-3", 23, "skipped", "shell-2 above failed (page.md:18)"),
    ]


@pytest.mark.usefixtures("with_examples")
def test_a_shell_example_can_be_chosen(cli: Cli) -> None:
    """Those above it are run as its set-up, and what they print does not matter then."""
    assert outcomes(cli, "page.md::shell-2") == [("shell-2", 18, "failed", "exit code 3: exit 3")]
    assert outcomes(cli, "page.md", "-k", "shell-3") == [("shell-3", 23, "failed", "exit code 3: exit 3")]
    said = cli("test", "page.md::shell-3", "-q")
    assert said.lines[2] == "shell-3 needs the shell examples above it, and shell-2 failed"


def test_all_or_no_shell_examples_can_be_run(cli: Cli, page: MakePage) -> None:
    """Also those of a page that has no cell; only a block that is switched off stays so."""
    off = "```{code-block} bash\n:run: false\n\nfalse\n```\n"
    page(name="page.md").write_text(f"# Page\n\n```bash\ntrue\n```\n\n{off}")
    assert outcomes(cli, ".", "--shell", "run") == [
        ("shell-1", 4, "passed", ""),
        ("shell-2", 10, "skipped", "the example is not run: the document says so"),
    ]
    assert cli("test", ".").code == 2
    page("x = 1", name="page.md").write_text(HEADER + "```{code-cell}\nx = 1\n```\n\n```bash\nfalse\n```\n")
    assert outcomes(cli, ".", "--shell", "skip") == [("x", 6, "passed", "")]


@pytest.mark.parametrize(
    ("options", "verdict"),
    [
        pytest.param("", "failed", id="as-written"),
        pytest.param(":rtol: 0.1\n\n", "passed", id="rtol"),
        pytest.param(":sanitize: durations\n\n", "passed", id="sanitize"),
    ],
)
def test_a_fence_says_how_the_output_of_a_script_is_compared(
    cli: Cli, folder: Path, page: MakePage, options: str, verdict: str
) -> None:
    """As that of a cell does, where the project says otherwise; so does a console."""
    (folder / "pytest.ini").write_text("[pytest]\ncelltask_sanitize = none\n")
    script = f"```bash\necho in 3.14 s\n```\n\n```{{output}}\n{options}in 3.2 s\n```\n"
    console = f"```{{code-block}} console\n{options}$ echo in 3.14 s\nin 3.2 s\n```\n"
    path = page("x = 1")
    path.write_text(f"{HEADER}{path.read_text()}\n{script}\n{console}")
    assert [row[2] for row in outcomes(cli, "page.md")] == ["passed", verdict, verdict]


def test_a_page_with_shell_examples_is_never_unchanged(cli: Cli, with_examples: Path) -> None:
    """What they read is not known."""
    with_examples.write_text(with_examples.read_text().replace("two", "one").replace("exit 3", "true"))
    said = [cli("test", "--cached", "page.md").lines[0] for _ in range(2)]
    assert [line.partition(" in ")[0] for line in said] == ["page.md  4 passed"] * 2


def test_an_interruption_ends_a_shell_example(folder: Path, page: MakePage) -> None:
    """With what it has started."""
    path = page("x = 1")
    path.write_text(f"{HEADER}{path.read_text()}\n```bash\necho $$ > {folder}/told.txt\nsleep 100\n```\n")
    command = [sys.executable, "-m", "celltask", "test", "page.md"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        deadline = time.monotonic() + 60
        while not (folder / "told.txt").exists() or not (folder / "told.txt").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        assert running.wait(20) != 0
    with pytest.raises(ProcessLookupError):
        os.kill(int((folder / "told.txt").read_text()), 0)


PAGE = "```{code-cell}\nprint('new')\n```\n\n```{output}\nold\n```\n"
DIFF = [
    "--- page.md",
    "+++ page.md (promoted)",
    "@@ -3,6 +3,6 @@",
    " ```",
    " ",
    " ```{output}",
    "-old",
    "+new",
    " ```",
    " ",
]


def test_outputs_are_promoted(cli: Cli, folder: Path) -> None:
    """The change is shown, the document is written, and passes from then on."""
    path = folder / "page.md"
    path.write_text(PAGE)
    said = cli("test", "--promote", "page.md")
    assert (said.code, said.lines[1:-2]) == (0, ["", "promoted", *DIFF])
    assert path.read_text() == PAGE.replace("old", "new")
    assert cli("test", "page.md").code == 0


def test_promotion_can_be_looked_at_first(cli: Cli, folder: Path) -> None:
    """Then nothing is written, and nothing is kept as passed."""
    path = folder / "page.md"
    path.write_text(PAGE)
    said = cli("test", "page.md", "--promote=diff", "--cached")
    assert (said.code, said.lines[1:-2]) == (0, ["", "to be promoted by --promote", *DIFF])
    assert path.read_text() == PAGE
    assert cli("test", "page.md", "--cached").code == 1


def test_a_document_that_changes_meanwhile_is_not_promoted(cli: Cli, folder: Path) -> None:
    """It is left as it is then, and the other documents have their outcome."""
    (folder / "a.md").write_text(PAGE.replace("print", "open('a.md', 'a').write('more\\n'); print"))
    (folder / "b.md").write_text(PAGE)
    said = cli("test", ".", "--promote", "-q")
    assert said.code == 1
    assert "the document was changed while its cells were executed" in said.lines
    assert re.fullmatch(r"2 passed, 1 unreadable in 2 documents, .*", said.lines[-1])
    assert (folder / "b.md").read_text() == PAGE.replace("old", "new")
    assert (folder / "a.md").read_text().endswith("old\n```\nmore\n")
