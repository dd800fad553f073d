"""The errors, from broad to narrow.

* CelltaskError                    anything celltask raises on purpose
  + CellError                      the text of a cell cannot become a task
    - HeaderError                  ... because of its `%%task` line
    - BodyError                    ... because of what stands below that line
  + InterfaceError                 inputs or outputs are not fully and rightly typed
  + PurityError                    a task reads notebook data that is not one of its inputs
  + CallError (TypeError)          a call's arguments do not fit the task's names
  + ValueMismatchError (TypeError) a value does not fit the type declared for it
  + GraphError                     tasks cannot be joined as asked
    - BindingError (TypeError)     ... because an output does not fit the input it is wired to
    - CycleError                   ... because each waits for the other
    - RefError (TypeError)         ... because the future value of a node was used as a value
  + RunError                       a run could not do what was asked
    - RunCancelledError            ... because it was cancelled
    - TaskTimeoutError (TimeoutError)  ... because a task ran longer than its `timeout`
    - WorkerDiedError              ... because the process that a task ran in ended in the middle
    - TaskExitError                ... because a program that a task started reported failure
  + DocumentError                  a document cannot be read, or does not hold what was asked of it
    - UnknownNameError (KeyError)  ... because no task or workflow in it has the name
  + PluginError                    an implementation named by its entry point is missing or unfit

An exception raised by the body of a task is none of these: it keeps its class and its object, and only gains
notes (`BaseException.add_note`) that name the node, the task and the place.
"""

from __future__ import annotations

__all__ = [
    "BindingError",
    "BodyError",
    "CallError",
    "CellError",
    "CelltaskError",
    "CycleError",
    "DocumentError",
    "GraphError",
    "HeaderError",
    "InterfaceError",
    "PluginError",
    "PurityError",
    "RefError",
    "RunCancelledError",
    "RunError",
    "TaskExitError",
    "TaskTimeoutError",
    "UnknownNameError",
    "ValueMismatchError",
    "WorkerDiedError",
]


class CelltaskError(Exception):
    """What happened, where, and how to mend it: the base of every error celltask raises on purpose.

    Args:
        what: The fault, in one sentence without a full stop.
        where: The place in the user's own text, for example ``"tutorial.md, cell 4, line 2"``; ``""`` if unknown.
        mend: What the reader can type or change to mend it; ``""`` if there is nothing to say.

    >>> print(CelltaskError("no task is called 'trian'", where="tutorial.md", mend="use one of: train"))
    no task is called 'trian'
      at: tutorial.md
      mend: use one of: train
    """

    def __init__(self, what: str, where: str = "", mend: str = "") -> None:
        Exception.__init__(self, what, where, mend)  # not super(): OSError would read them as its own
        self.what, self.where, self.mend = what, where, mend

    def __str__(self) -> str:
        told = [self.what, self.where and f"  at: {self.where}", self.mend and f"  mend: {self.mend}"]
        return "\n".join(line for line in told if line)


class CellError(CelltaskError):
    """The text of a cell cannot become a task or workflow."""


class HeaderError(CellError):
    """The `%%task` or `%%workflow` line cannot be read."""


class BodyError(CellError):
    """The lines below a `%%task` or `%%workflow` line cannot become its body."""


class InterfaceError(CelltaskError):
    """An input or output has no type, a type that cannot be used, or a default that does not fit it."""


class PurityError(CelltaskError):
    """A task reads notebook data that is not one of its inputs."""


class CallError(CelltaskError, TypeError):
    """A task or workflow was called with a name it does not have, or without one that it needs."""


class ValueMismatchError(CelltaskError, TypeError):
    """A value does not fit the type that an input or output declares."""


class GraphError(CelltaskError):
    """Tasks cannot be joined as asked."""


class BindingError(GraphError, TypeError):
    """An output is wired to an input whose type it can never fit."""


class CycleError(GraphError):
    """Each of some nodes waits for another of them."""


class RefError(GraphError, TypeError):
    """The future value of a node was used where a workflow needs a value now."""


class RunError(CelltaskError):
    """A run could not do what was asked of it."""


class RunCancelledError(RunError):
    """The run was cancelled before it could end."""


class TaskTimeoutError(RunError, TimeoutError):
    """A task ran longer than its `timeout` (seconds)."""


class WorkerDiedError(RunError):
    """The process that a task ran in ended in the middle: it was killed, it crashed, or the body ended it."""


class TaskExitError(RunError):
    """A program that a task started ended with an exit code that means failure."""


class DocumentError(CelltaskError):
    """A document cannot be read, or does not hold what was asked of it."""


class UnknownNameError(DocumentError, KeyError):
    """A document has no task or workflow of the name asked for."""


class PluginError(CelltaskError):
    """An implementation named by an entry point is missing, or does not do what its room asks."""
