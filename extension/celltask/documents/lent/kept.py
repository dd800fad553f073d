"""What a kept state depends on, as data that another process can compare: where all of it is the same, the state is.

Beside the cells themselves that is what surrounds them, what they have read, and what they have left in files.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from celltask import __version__
from celltask.documents.runner.inputs import Inputs, changed, file_state, inputs_of, named_files
from celltask.documents.stages import LIMITS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from celltask.documents.outline import Cell
    from celltask.documents.session import Stage

__all__ = ["Kept", "digest_of", "surroundings", "why_other"]

_OF_PROCESSES = {
    *("COLUMNS", "IPYTHONDIR", "JPY_PARENT_PID", "LINES", "OLDPWD", "PWD", "PYTHONWARNINGS"),
    *("GPG_TTY", "SHLVL", "STY", "WINDOW", "WINDOWID"),
}
"""Variables that each process or window has otherwise, and that kernels are not given or do not look at."""
_OF_WINDOWS = ("_", "GNOME_TERMINAL_", "ITERM_", "KITTY_", "KONSOLE_", "PYTEST_", "TERM_SESSION", "TMUX", "VSCODE_")


class Kept(NamedTuple):
    """The state after a cell."""

    after: int
    """Number of that cell."""
    process: int
    """Number of the process that is the state."""
    cells: str
    """Digest of the cells up to that one; see `digest_of`."""
    seconds: float
    """That the cells took."""
    root: str
    """Folder from which paths are told."""
    inputs: Inputs | str
    """What the cells have read; why that is not known, if it is not."""
    left: Mapping[str, Sequence[object]]
    """Files and folders that they have written, as they left them."""

    @classmethod
    def of(cls, plain: Mapping[str, object]) -> Self:
        """From what `_asdict` and JSON have made of it.

        Raises:
            KeyError, TypeError, ValueError: If it is something else.
        """
        fields = dict(plain)
        inputs = fields["inputs"]
        fields["inputs"] = inputs if isinstance(inputs, str) else Inputs(*inputs)  # type: ignore[misc]  # a list
        return cls(**fields)  # type: ignore[arg-type]  # checked by its user, who catches what this raises

    def why_not(self) -> str:
        """Why the cells would not come to this state again, in words: ``"data.csv changed"``; empty if they would."""
        if isinstance(self.inputs, str):
            return self.inputs
        root = Path(self.root)
        for path, before in self.left.items():
            if _left(path, before)[-1:] != [*before][-1:]:
                return f"{path} is not as they left it"
        return changed(self.inputs, root)

    def next(
        self, cells: Sequence[Cell], *, process: int, seconds: float, told: Mapping[str, object], started_ns: int
    ) -> Kept:
        """The state after one more cell.

        Args:
            cells: Up to that one.
            process: Number of the process that is the state.
            seconds: That the cell took.
            told: By `recorder.tell`.
            started_ns: When the first of the cells began.
        """
        root, inputs = Path(self.root), self.inputs
        if isinstance(inputs, Inputs):
            named = named_files(cells, Path(cells[-1].filename).parent)
            inputs = inputs_of(told, named, root=root, started_ns=started_ns, before=inputs)
        written: list[str] = told["written"]  # type: ignore[assignment]  # as it is told
        left = {path: _left(path, self.left.get(path, ())) for path in written}
        return Kept(cells[-1].number, process, digest_of(cells), self.seconds + seconds, self.root, inputs, left)


def digest_of(cells: Sequence[Cell]) -> str:
    """Of all that the execution of `cells` depends on, and their places, which later failures may tell."""
    plain = [
        (*cell._replace(options={}), sorted((name, repr(value)) for name, value in cell.options.items()))
        for cell in cells
    ]
    return hashlib.sha256(repr(plain).encode(errors="surrogateescape")).hexdigest()


def surroundings(stage: Stage) -> dict[str, object]:
    """What is around the cells of a document, by what it is called in messages."""
    scene = stage.scene
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in _OF_PROCESSES and not name.startswith(_OF_WINDOWS)
    }
    return {
        "celltask": __version__,
        "interpreter": [os.path.realpath(sys.executable), sys.prefix, sys.version],
        "working folder": scene.folder if stage.copied_from is None else "copies",
        "environment": {**environment, **{name: scene.environment[name] for name in scene.environment.keys() - LIMITS}},
        "warning filters": [[*one] for one in scene.filters],
        "limits": [scene.most_output, scene.memory_mib, stage.timeout_s, stage.document_timeout_s],
        "coverage": scene.coverage,
        "set-up": {str(number): [*codes] for number, codes in stage.hidden.items() if codes},
    }


def why_other(ours: Mapping[str, object], theirs: Mapping[str, object]) -> str:
    """The first that differs of two `surroundings`, in words; empty if none does.

    >>> why_other({"environment": {"A": "1"}}, {"environment": {"A": "1", "B": "2"}})
    'the environment variable B differs'
    """
    for name, value in ours.items():
        other = theirs.get(name)
        if value == other:
            continue
        if name == "environment" and isinstance(value, dict) and isinstance(other, dict):
            different = min(key for key in {*value, *other} if value.get(key) != other.get(key))
            return f"the environment variable {different} differs"
        return f"{name}: not the same"
    return ""


def _left(path: str, before: Sequence[object]) -> list[object]:
    is_folder = os.path.isdir(path)  # noqa: PTH112 - Path's raises where one may not look
    return ["folder"] if is_folder else file_state(path, before)
