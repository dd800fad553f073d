"""What a document and the person who tests it say about shell examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from celltask.errors import DocumentError

if TYPE_CHECKING:
    from celltask.documents.outline import Block, DocumentText

__all__ = ["Choice", "ShellSettings", "block_choice", "exit_code_of", "shell_settings", "timeout_of"]

Choice = Literal["document", "run", "skip"]
"""``"document"``: as the document says."""

_YES, _NO = ("", "true", "yes", "on", "run"), ("false", "no", "off", "skip")
_LARGEST_CODE = 255


class ShellSettings(NamedTuple):
    """The header ``celltask: {shell: run, cwd: root}`` of a document."""

    runs: bool = False
    from_root: bool = False
    """Whether commands are run from the root of the project, and not from the document's folder."""


def shell_settings(document: DocumentText) -> ShellSettings:
    r"""What the header of `document` says about its shell examples.

    Raises:
        DocumentError: If it says something that is not known.

    >>> from celltask.documents.outline import DocumentText
    >>> shell_settings(DocumentText("page.md", "myst", (), "---\ncelltask: {shell: run}\n---\n"))
    ShellSettings(runs=True, from_root=False)
    """
    header = _header(document.text)
    if "celltask" not in header:
        return ShellSettings()
    import yaml  # type: ignore[import-untyped]  # noqa: PLC0415 - 18 ms, for documents with settings; it has no types

    where = f"{document.path}, line 1"
    try:
        found = yaml.safe_load(header)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problem = getattr(error, "problem", None) or error
        raise DocumentError(f"the header is not YAML: {problem}", where, "write `key: value`") from None
    given = found.get("celltask") if isinstance(found, dict) else None
    if not isinstance(given, dict):
        return ShellSettings()
    shell = _one_of("shell", given.get("shell", "skip"), ("run", "skip"), where)
    folder = _one_of("cwd", given.get("cwd", "document"), ("document", "root"), where)
    return ShellSettings(shell == "run", folder == "root")


def _one_of(name: str, value: object, choices: tuple[str, ...], where: str) -> str:
    if value not in choices:
        raise DocumentError(f"the header says `{name}: {value}`", where, f"write {' or '.join(choices)}")
    return cast("str", value)


def _header(text: str) -> str:
    """The YAML header of a page or, without its ``#``, of a percent script; empty if there is none."""
    lines = text.split("\n", 200)
    first = lines[0].rstrip()
    mark = "# " if first == "# ---" else ""
    if first != f"{mark}---":
        return ""
    for number, line in enumerate(lines[1:], 1):
        if line.rstrip() in {f"{mark}---", f"{mark}..."}:
            return "\n".join(line.removeprefix(mark) for line in lines[1:number])
    return ""


def block_choice(block: Block, where: str) -> Choice:
    """What the options ``run`` and ``skip`` of a block say.

    Raises:
        DocumentError: If an option is neither yes nor no.

    >>> from celltask.documents.outline import Block
    >>> block_choice(Block("code-block", "bash", "ls", 1, 3, 4, options={"run": "false"}), "page.md:1")
    'skip'
    """
    for name, meant in (("skip", "skip"), ("run", "run")):
        if name not in block.options:
            continue
        value = str(block.options[name] if block.options[name] is not None else "").strip().lower()
        if value not in (*_YES, *_NO):
            raise DocumentError(f"the option {name} cannot be {value!r}", where, f"write :{name}: or :{name}: false")
        if value in _YES:
            return cast("Choice", meant)
        if name == "run":
            return "skip"
    return "document"


def exit_code_of(block: Block, where: str) -> int:
    """The exit code that the option ``exit`` of a block says; 0 if it has none.

    Raises:
        DocumentError: If it is not a number from 0 to 255.
    """
    given = str(block.options.get("exit", 0)).strip()
    if not given.isdecimal() or int(given) > _LARGEST_CODE:
        raise DocumentError(f"the option exit cannot be {given!r}", where, "write a number, for example :exit: 2")
    return int(given)


def timeout_of(block: Block, where: str) -> float | None:
    """Seconds that the option ``timeout`` gives a block; None if it has none.

    Raises:
        DocumentError: If it is not a number above 0.
    """
    given = block.options.get("timeout")
    if given is None:
        return None
    try:
        seconds = float(str(given))
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        raise DocumentError(f"the option timeout cannot be {given!r}", where, "write seconds, for example :timeout: 60")
    return seconds
