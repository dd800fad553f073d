"""The magics: `%%task` and `%%workflow` where no rewriting reached them, and the ones that look at what is defined."""

from __future__ import annotations

import ast
import platform
from typing import TYPE_CHECKING

import IPython
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class

import celltask
from celltask.core.cell import HELP, Header, parse_header, rewrite_source
from celltask.core.registry import registry
from celltask.core.task import Task
from celltask.core.workflow import Workflow
from celltask.errors import BodyError, CallError, HeaderError
from celltask.notebook.arguments import read_arguments
from celltask.notebook.display import bundle_of, show
from celltask.notebook.gates import answer
from celltask.notebook.listing import Listing

if TYPE_CHECKING:
    from contextlib import ExitStack

    from IPython.core.interactiveshell import InteractiveShell

    from celltask.core.run import Run
    from celltask.notebook.live import Viewer
    from celltask.notebook.session import Session

__all__ = ["CelltaskMagics", "install_magics"]

Member = Task[..., object] | Workflow[..., object]


def install_magics(shell: InteractiveShell, session: Session, viewer: Viewer, undo: ExitStack) -> None:
    """Register the magics with `shell`; closing `undo` brings back those of the same names."""
    manager = shell.magics_manager
    made = CelltaskMagics(shell, session, viewer)
    for kind, ours in made.magics.items():
        known = manager.magics[kind]
        for name in ours:
            undo.callback(_restore, known, name, known.get(name))
    undo.callback(_restore, manager.registry, CelltaskMagics.__name__, manager.registry.get(CelltaskMagics.__name__))
    shell.register_magics(made)


def _restore(known: dict[str, object], name: str, before: object) -> None:
    if before is None:
        known.pop(name, None)
    else:
        known[name] = before


@magics_class
class CelltaskMagics(Magics):
    """The magics of one shell."""

    def __init__(self, shell: InteractiveShell, session: Session, viewer: Viewer) -> None:
        super().__init__(shell)
        self._shell, self._session, self._viewer = shell, session, viewer

    @line_cell_magic
    def task(self, line: str, cell: str | None = None) -> None:  # noqa: D102 - its text is set below
        self._define("task", line, cell)

    @line_cell_magic
    def workflow(self, line: str, cell: str | None = None) -> None:  # noqa: D102 - as above
        self._define("workflow", line, cell)

    task.__doc__, workflow.__doc__ = HELP["task"], HELP["workflow"]

    def _define(self, kind: str, line: str, cell: str | None) -> None:
        """Do what the rewriting does, for text that came here by a call of the magic."""
        header = self._header(kind, line)
        if header.help:
            print(HELP[kind])  # noqa: T201 - the answer to the user
            return
        if cell is None:
            raise BodyError(
                f"%{kind} stands where it cannot be put above a def",
                self._session.places.current_cell(),
                f"write it at the left edge of the cell, on the line above the def, or use @{kind}",
            )
        shell = self._shell
        text = rewrite_source(f"%%{kind} {line}\n{cell}")
        plain = shell.transform_cell(text)  # type: ignore[no-untyped-call]  # as above
        name = shell.compile.cache(plain, shell.execution_count)
        tree = shell.transform_ast(ast.parse(plain, filename=name))  # type: ignore[no-untyped-call]  # IPython gives it no types
        exec(compile(tree, name, "exec"), shell.user_ns)  # noqa: S102 - the user's own cell

    def _header(self, kind: str, line: str) -> Header:
        return parse_header(f"%%{kind} {line}", where=self._session.places.current_cell())

    @line_magic
    def tasks(self, line: str) -> Listing:
        """Show every task and workflow that is defined, with its interface, version and place.

        %tasks
        """
        self._no_more(line, "%tasks")
        return Listing([*registry.tasks().values(), *registry.workflows().values()])

    @line_magic
    def dag(self, line: str) -> None:
        """Show the graph of a workflow.

        %dag NAME
        """
        name = self._one_name(line, "%dag")
        member = self._member(name)
        if not isinstance(member, Workflow):
            raise CallError(
                f"{name!r} is a task, and only a workflow has a graph", member.place, f"write {name} to see its card"
            )
        show(self._shell, bundle_of(member))

    @line_magic
    def answer(self, line: str) -> None:
        """Answer a gate of a run that is under way, begun by `start`.

        %answer NAME VALUE

            %answer payment yes
        """
        name, _, text = line.strip().partition(" ")
        answer(self._one_name(name, "%answer"), text.strip(), self._session.places.current_cell())

    @line_magic
    def form(self, line: str) -> None:
        """Show a form for the inputs of a task or workflow, with buttons that run and cancel it.

        %form NAME
        %form NAME --code      put the call that the form makes now into the next cell
        """
        name, _, rest = line.strip().partition(" ")
        member = self._member(self._one_name(name, "%form"))
        if not rest.strip():
            self._session.forms.show(member)
            return
        where = self._session.places.current_cell()
        if rest.strip() != "--code":
            raise HeaderError(f"%form does not know {rest.strip()!r}", where, f"write %form {name} --code, or no more")
        code = self._session.forms.code(member.name)
        if code is None:
            raise CallError(f"there is no form of {name!r}", where, f"write %form {name}, and fill it in")
        self._shell.set_next_input(code)

    @line_magic
    def run_task(self, line: str) -> Run:
        """Run a task or workflow, and give the run, which shows what became of its nodes.

        %run_task NAME INPUT=VALUE …

        A value is a Python expression over the notebook's names; blanks may stand in brackets and quotes.

            %run_task train_model hyperparameters={"C": 0.1} test_size=0.2
            run = %run_task train_model_wf
        """
        name, _, rest = line.strip().partition(" ")
        member = self._member(self._one_name(name, "%run_task"))
        inputs = read_arguments(rest, self._shell.user_ns, name=name, where=self._session.places.current_cell())
        if isinstance(member, Workflow):
            run = member.run(inputs)
            if run.error is not None and self._session.cards and not self._viewer.has_shown(run):
                show(self._shell, self._viewer.bundle_of(run) or {})
        else:
            from celltask.core.run import run_task  # noqa: PLC0415 - only runs need the runner

            run = run_task(member, inputs)
        run.result()
        return run

    @line_magic
    def why(self, line: str) -> None:
        """Tell why nodes would run, or why they ran.

        %why NAME INPUT=VALUE …     what a run of a workflow or task would do with each node, and why
        %why NODE                   why the node of that id or name ran, or failed, in the newest run that had it

        A value is a Python expression over the notebook's names, as in %run_task.
        """
        name, _, rest = line.strip().partition(" ")
        known = {**registry.tasks(), **registry.workflows()}
        if "=" in rest or (rest and name in known) or isinstance(known.get(name), Workflow):
            from celltask.core.plan import plan  # noqa: PLC0415 - only asked for by people

            member = self._member(self._one_name(name, "%why"))
            inputs = read_arguments(rest, self._shell.user_ns, name=name, where=self._session.places.current_cell())
            print(plan(member, inputs))  # noqa: T201 - the answer to the user
            return
        from celltask.core.reasons import why_the_last  # noqa: PLC0415 - as above

        node = line.strip() or self._one_name(line, "%why")  # a label may have blanks: map fit
        print(why_the_last(node) or f"no run in which {node} ran is recorded")  # noqa: T201 - as above

    @line_magic
    def task_diff(self, line: str) -> None:
        """Tell what changed in a task since it was defined before, in words.

        %task_diff NAME
        """
        from celltask.core.fingerprint import explain  # noqa: PLC0415 - only asked for by people

        name = self._one_name(line, "%task_diff")
        member = self._member(name)
        if not isinstance(member, Task):
            raise CallError(f"{name!r} is a workflow", member.place, "name one of its tasks")
        known = self._session.history.get(name, [])
        if not known or known[0].fingerprint is None:
            print(f"nothing earlier of {name} is known in this session")  # noqa: T201 - the answer to the user
            return
        changes = explain(known[0].fingerprint, member.fingerprint)
        print(f"{name}, since {known[0].place}:")  # noqa: T201 - as above
        print("\n".join(f"  {change}" for change in changes) or "  nothing that counts")  # noqa: T201 - as above

    @line_magic
    def celltask(self, line: str) -> None:
        """Tell how celltask is set up in this notebook, or set it.

        %celltask status
        %celltask cards on|off          show cards and graphs under the cells that define them, or not
        %celltask live on|static|off    show runs while they last: in a widget, as a picture now and then, or not
        """
        match line.split():
            case [] | ["status"]:
                print(self._status())  # noqa: T201 - the answer to the user
            case ["cards", "on" | "off" as wanted]:
                self._session.cards = wanted == "on"
            case ["live", "on" | "static" | "off" as wanted]:
                self._session.live = wanted
            case _:
                raise HeaderError(
                    f"%celltask does not know {line.strip()!r}",
                    self._session.places.current_cell(),
                    "write %celltask status, %celltask cards on|off, or %celltask live on|static|off",
                )

    def _status(self) -> str:
        cards = "on" if self._session.cards else "off"
        return "\n".join(
            (
                f"celltask {celltask.__version__}, IPython {IPython.__version__}, Python {platform.python_version()}",
                f"cards: {cards}, live: {self._session.live}",
                f"tasks: {', '.join(registry.tasks()) or 'none'}",
                f"workflows: {', '.join(registry.workflows()) or 'none'}",
            )
        )

    def _one_name(self, line: str, magic: str) -> str:
        words = line.split()
        if len(words) != 1:
            known = ", ".join([*registry.tasks(), *registry.workflows()])
            mend = f"write {magic} NAME" + (f", with one of: {known}" if known else "")
            raise HeaderError(f"{magic} takes one name", self._session.places.current_cell(), mend)
        return words[0]

    def _no_more(self, line: str, magic: str) -> None:
        if line.strip():
            raise HeaderError(
                f"{magic} takes nothing after it", self._session.places.current_cell(), f"write {magic} alone"
            )

    def _member(self, name: str) -> Member:
        """The task or workflow called `name`, in the registry or as a variable."""
        found = registry.get(name) or self._shell.user_ns.get(name)
        if isinstance(found, Task | Workflow):
            return found
        import difflib  # noqa: PLC0415 - only for a mistake

        known = [*registry.tasks(), *registry.workflows()]
        near = difflib.get_close_matches(name, known, 1)
        mend = f"did you mean {near[0]!r}?" if near else f"use one of: {', '.join(known) or '(nothing is defined yet)'}"
        raise CallError(f"no task or workflow is called {name!r}", self._session.places.current_cell(), mend)
