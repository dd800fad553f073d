"""Loading twice changes nothing, and unloading leaves no trace."""

# ruff: noqa: E501 - the text of a cell reads best on one line
from __future__ import annotations

from typing import TYPE_CHECKING

from celltask.core import origin

if TYPE_CHECKING:
    from conftest import Notebook


def traces(notebook: Notebook) -> dict[str, object]:
    """All that loading may touch."""
    shell = notebook.shell
    return {
        "cleanup": list(shell.input_transformers_cleanup),
        "lines": list(shell.input_transformers_post),
        "trees": list(shell.ast_transformers),
        # Names only: IPython 9 imports its own magics at their first use.
        "magics": {kind: set(known) for kind, known in shell.magics_manager.magics.items()},
        "registry": set(shell.magics_manager.registry) - {"ExtensionMagics"},
        "events": {name: list(known) for name, known in shell.events.callbacks.items()},
        "matchers": list(shell.Completer.custom_matchers),
        "hooks": {
            name: {key: list(chain.chain) for key, chain in known.strs.items()}
            for name, known in shell.strdispatchers.items()
        },
        "formatters": dict(shell.display_formatter.mimebundle_formatter.type_printers),
        "names": {name for name in shell.user_ns if not name.startswith("_i") and name.strip("_")},
        "hidden": {name for name in shell.user_ns_hidden if not name.startswith("_i")},
        "attributes": {name for name in vars(shell) if not name.startswith("_")},
        "resolvers": list(origin._resolvers),
    }


def test_unloading_restores_everything(plain_notebook: Notebook) -> None:
    """After load, use and unload the shell is as it was before, and defined tasks go on working."""
    plain_notebook("import celltask")
    before = traces(plain_notebook)
    plain_notebook("%load_ext celltask")
    assert traces(plain_notebook) != before
    plain_notebook("%%task --no-card\ndef f(x: int) -> int:\n    return x\n")
    plain_notebook.run("%%task --wrong\ndef g(): pass")
    plain_notebook("%unload_ext celltask")
    after = traces(plain_notebook)
    assert after.pop("names") == before.pop("names") | {"f"}
    assert after == before
    assert plain_notebook("f(x=3)") == 3
    assert plain_notebook.run("%%task\ndef g(): pass").error is not None


def test_loading_twice_changes_nothing(notebook: Notebook) -> None:
    """A second load, also by the function itself, adds nothing."""
    from celltask import load_ipython_extension  # noqa: PLC0415 - the front door is what is tested

    once = traces(notebook)
    load_ipython_extension(notebook.shell)
    notebook("%load_ext celltask")
    assert traces(notebook) == once


def test_reloading_works(notebook: Notebook) -> None:
    """`%reload_ext` gives working magics."""
    notebook("%reload_ext celltask")
    notebook("%%task\ndef f(x: int) -> int:\n    return x\n")
    assert notebook("f(x=1)") == 1


def test_unloading_twice_is_harmless(notebook: Notebook) -> None:
    """A shell that does not have celltask is left alone."""
    from celltask import unload_ipython_extension  # noqa: PLC0415 - the front door is what is tested

    unload_ipython_extension(notebook.shell)
    unload_ipython_extension(notebook.shell)


def test_magics_of_the_same_name_come_back(plain_notebook: Notebook) -> None:
    """Another package's `%task` works again after unloading."""
    plain_notebook(
        "from IPython.core.magic import register_line_magic\n@register_line_magic\ndef tasks(line):\n    return 'theirs'\n"
    )
    plain_notebook("%load_ext celltask")
    assert plain_notebook("%tasks") != "theirs"
    plain_notebook("%unload_ext celltask")
    assert plain_notebook("%tasks") == "theirs"


def test_the_runtime_name_is_hidden(notebook: Notebook) -> None:
    """`%who` does not show what celltask put into the namespace."""
    assert "__celltask__" not in notebook.run("%who").text
    assert "__celltask__" in notebook.shell.user_ns
