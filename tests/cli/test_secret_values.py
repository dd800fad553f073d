"""Secrets on the command line: in no help, no result, and no message about a value that does not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from command_line import Cli

_PAGE = """# Log in

```{code-cell} ipython3
from typing import Annotated
from celltask import Secret
Token = Annotated[str, Secret]
Pin = Annotated[int, Secret]
```

```{code-cell} ipython3
from dataclasses import dataclass
from pydantic import BaseModel

class Account(BaseModel):
    name: str
    user: str
    token: Token

class Server(BaseModel):
    account: Account

@dataclass
class Login:
    token: Token = "s3cr3t"

    def __repr__(self):
        return f"Login({self.token.upper()})"
```

```{code-cell} ipython3
%%task
def visit(account: Account, server: Server, login: Login = Login()) -> int:
    return 1
```

```{code-cell} ipython3
%%task
def log_in(pins: dict[str, Pin], token: Token = "s3cr3t", spare: list[Token] = ["s3cr3t"]) -> dict[str, Token]:
    return {"a": token}
```
"""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("log_in --help", "default: ••••••••"),
        ("log_in --help", "default: [••••••••]"),
        ("log_in --pins {}", "{'a': ••••••••}"),
        ("log_in --pins {} --token s3cr3t --json", "{'a': ••••••••}"),
        ("""log_in --pins {"a":"s3cr3t"}""", "--pins['a'] takes int, not ••••••••"),
        ("visit --help", "default: a Login without a repr"),
        ("""visit --account {"token":"s3cr3t"}""", "--account takes Account with 'name', 'user', not ••••••••"),
        (
            """visit --server {"account":{"token":"s3cr3t","user":3}}""",
            "--server.account takes an object with 'name', not ••••••••",
        ),
        ("log_in --pins s3cr3t", "--pins takes dict[str, int] as JSON, not ••••••••"),
    ],
)
def test_a_secret_is_in_nothing_that_is_printed(folder: Path, cli: Cli, words: str, told: str) -> None:
    """Whatever is said shows dots in its place, or leaves the value out."""
    (folder / "page.md").write_text(_PAGE)
    said = cli("run", "page.md", *words.split())
    printed = (said.out + said.err).replace("\\u2022", "•")
    assert told in " ".join(printed.split())
    assert "s3cr3t" not in printed
