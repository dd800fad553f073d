"""The colours of a cell that defines tasks: its header line, and Python below it."""

from __future__ import annotations

from typing import ClassVar

from pygments.lexer import bygroups, inherit  # type: ignore[import-untyped]  # it has no types
from pygments.lexers.python import PythonLexer  # type: ignore[import-untyped]  # as above
from pygments.token import (  # type: ignore[import-untyped]  # as above
    Comment,
    Keyword,
    Name,
    Operator,
    Punctuation,
    String,
    Whitespace,
)

__all__ = ["TaskLexer"]


class TaskLexer(PythonLexer):  # type: ignore[misc]  # as above
    r"""Python with `%%task` and `%%workflow` lines, and IPython's other lines.

    >>> from pygments.lexers import get_lexer_by_name
    >>> [text for _, text in TaskLexer().get_tokens("%%task --retries 2\n")]
    ['%%', 'task', ' ', '--retries', ' ', '2', '\n']
    """

    name = "celltask"
    aliases: ClassVar = ["celltask"]
    filenames: ClassVar[list[str]] = []
    mimetypes: ClassVar[list[str]] = []
    url = ""

    tokens: ClassVar = {
        "root": [
            (r"(?m)^(#[ \t]?)?(%%?)(task|workflow)(?=\s|$)", bygroups(Comment, Operator, Keyword), "header"),
            (r"(?m)^([ \t]*)(%%?)(\w+)([^\n]*)", bygroups(Whitespace, Operator, Keyword, String)),
            (r"(?m)^([ \t]*)([!?])([^\n]*)", bygroups(Whitespace, Operator, String)),
            (r"(?<==)([ \t]*)([!%])(?=[\w/.])([^\n]*)", bygroups(Whitespace, Operator, String)),
            (r"\?{1,2}$", Operator),
            inherit,
        ],
        "header": [
            (r"\n", Whitespace, "#pop"),
            (r"\\\n", Punctuation),
            (r"[ \t\r]+", Whitespace),
            (r"->", Operator),
            (r"--?[\w-]+", Name.Attribute),
            (r"#[^\n]*", Comment),
            (r"(\w+)(:)", bygroups(Name.Variable, Punctuation)),
            (r"\d[\w.]*", String),
            (r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", String),
            (r"\w+", Name),
            (r"[\[\](),.:={}|]", Punctuation),
            (r"[^\n]", String),
        ],
    }
