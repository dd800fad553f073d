"""Small sites for the tests of the extension for Sphinx, built by Sphinx itself in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

CONF = """
extensions = ["celltask.documents.sphinx"]
celltask_execute = True
html_theme = "alabaster"
nb_ipywidgets_js = {}
"""
HEAD = """\
---
jupytext:
  text_representation:
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---
"""


class Built(NamedTuple):
    """What came of a build."""

    code: int
    told: str
    """All that Sphinx printed."""


class Site(NamedTuple):
    """A folder with pages, and one beside it for what is made of them."""

    folder: Path

    def write(self, **pages: str) -> None:
        """Write pages; one that has code cells gets the header of a notebook."""
        for name, text in pages.items():
            head = HEAD if "{code-cell}" in text else ""
            (self.folder / f"{name}.md").write_text(head + dedent(text), encoding="utf-8")

    def configure(self, more: str = "") -> None:
        """Write conf.py."""
        (self.folder / "conf.py").write_text(CONF + dedent(more), encoding="utf-8")

    def build(self, *options: str, builder: str = "html") -> Built:
        """Build it, with warnings as errors."""
        out = self.folder.parent / "out"
        command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "--no-color", "-b", builder, *options]
        done = subprocess.run(
            [*command, self.folder, out / builder],
            capture_output=True,
            text=True,
            check=False,
            timeout=110,
            cwd=self.folder.parent,
        )
        return Built(done.returncode, done.stdout + done.stderr)

    def page(self, name: str) -> str:
        """The HTML made of a page."""
        return (self.folder.parent / "out" / "html" / f"{name}.html").read_text(encoding="utf-8")

    def body(self, name: str) -> str:
        """The HTML of a page without what is around it."""
        return self.page(name).partition('<div class="body" role="main">')[2].partition('<div class="sphinxsidebar')[0]


def new_site(folder: Path, more: str = "", **pages: str) -> Site:
    """A site below `folder` with these pages; its front page has them all below it."""
    site = Site(folder / "pages")
    site.folder.mkdir(parents=True)
    site.configure(more)
    listed = "\n".join(sorted(pages))
    site.write(index=f"# Site\n\n```{{toctree}}\n{listed}\n```\n", **pages)
    return site


def anchored(html: str) -> dict[str, str]:
    """The text of the cell that each anchor of a task leads to."""
    found = {}
    for match in re.finditer(r'id="((?:task|workflow)-[\w-]+)"', html):
        code = html[match.start() :].partition("<pre>")[2].partition("</pre>")[0]
        found[match[1]] = re.sub(r"<[^>]*>", "", code).strip()
    return found


def links(html: str) -> list[tuple[str, str]]:
    """The links of the lists below graphs: name, and address."""
    return [(name, to) for to, name in re.findall(r'<summary><a href="([^"]*)"><code>(.*?)</code></a>', html)]
