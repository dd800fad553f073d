"""`celltask run FILE [NAME] [INPUTS]`: one task or workflow of a document, from the shell.

celltask's own options stand anywhere. Where an input has the name of one of them, the option is celltask's before
NAME (before FILE if no NAME is given), and the input's after it.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, NamedTuple, cast

import click

from celltask.cli import report
from celltask.cli.exit_codes import DONE, FAILED, INTERRUPTED
from celltask.cli.inputs import options_of, sorted_out
from celltask.cli.opening import choices_in, entity_in, open_document
from celltask.cli.values import Reader, check_complete
from celltask.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from celltask.cli.opening import Entity
    from celltask.cli.progress import Progress
    from celltask.cli.save import Target
    from celltask.core.run import Run

__all__ = ["OWN_FLAGS", "command"]

_HELP_FLAGS = ("--help", "-h")


class Settings(NamedTuple):
    """celltask's own options, as given."""

    engine: str = "threads"
    as_json: bool = False
    inputs_file: str = ""
    execute_all: bool = False
    quiet: bool = False
    refresh: bool = False
    dry_run: bool = False
    save: tuple[str, ...] = ()
    answer: tuple[str, ...] = ()

    def with_given(self, params: Mapping[str, object]) -> Settings:
        """The same with the options in `params` that were given."""
        given = {key: value for key, value in params.items() if key in self._fields and value}
        for key in ("save", "answer"):
            if key in given:
                given[key] = (*getattr(self, key), *cast("tuple[str, ...]", given[key]))
        return self._replace(**given)  # type: ignore[arg-type]  # click made them


def _own_options() -> list[click.Option]:
    return [
        click.Option(
            ["--engine"], metavar="NAME", help="Where nodes run: threads (the default), processes, inline, dask.",
        ),
        report.json_option("the run as one JSON object"),
        click.Option(
            ["--save"], metavar="FILE", multiple=True,
            help="Keep the output in this file, as its suffix says: .pkl, .json, .txt; tables also .csv, .parquet. "
            "NAME=FILE for one of several outputs. May repeat.",
        ),
        click.Option(
            ["--answer"], metavar="NAME=VALUE", multiple=True,
            help="The answer to a gate of a workflow, instead of asking for it. May repeat.",
        ),
        click.Option(["--inputs-file"], metavar="FILE", help="Inputs as a JSON object; - reads standard input."),
        click.Option(["--execute-all"], is_flag=True, help="Execute the document's demonstrations too."),
        click.Option(["--refresh"], is_flag=True, help="Compute cached results anew, and replace them."),
        click.Option(["--dry-run"], is_flag=True, help="Tell what would run and what be reused, and why; run nothing."),
        click.Option(["--quiet"], is_flag=True, help="Do not tell nodes and times."),
    ]  # fmt: skip


OWN_FLAGS = {option.opts[0]: not option.is_flag for option in _own_options()}
"""celltask's own flags, each with whether it takes a value."""


def _run(file: str, rest: tuple[str, ...], **params: object) -> int:
    settings = Settings().with_given(params)
    own, name, tokens = _split(rest)
    settings = settings.with_given(_parsed(_own_options(), [one for one in own if one not in _HELP_FLAGS]))
    wants_help = any(one in _HELP_FLAGS for one in own)
    keep_clean = report.stdout_kept_clean() if settings.as_json or "--json" in tokens else nullcontext()
    if name is None and (wants_help or any(token in _HELP_FLAGS for token in tokens)):
        with keep_clean:
            text = _choices(file, execute_all=settings.execute_all)
        report.write(text)
        return DONE
    with keep_clean:
        entity = entity_in(open_document(file, name, execute_all=settings.execute_all), name, file)
        wants_all = "--execute-all" in tokens and not settings.execute_all
        if wants_all and not any(port.name == "execute_all" for port in entity.interface.inputs):
            entity = entity_in(open_document(file, name, execute_all=True), name, file)
    command_line = f"celltask run {file}" + (f" {entity.name}" if name else "")
    return _Invocation(entity, command_line, settings).carry_out(tokens, wants_help=wants_help)


def _split(rest: Sequence[str]) -> tuple[list[str], str | None, list[str]]:
    """What follows FILE: celltask's own options before NAME, NAME or None, and what is left for the inputs."""
    place = 0
    while place < len(rest):
        word = rest[place]
        flag, equals, _ = word.partition("=")
        if not word.startswith("-"):
            return list(rest[:place]), word, list(rest[place + 1 :])
        if flag not in OWN_FLAGS and word not in _HELP_FLAGS:
            break
        place += 2 if OWN_FLAGS.get(flag) and not equals else 1
    return [], None, list(rest)


def _parsed(params: Sequence[click.Parameter], tokens: list[str], path: str = "celltask run") -> dict[str, object]:
    command = click.Command(path, params=list(params), add_help_option=False)
    with command.make_context(path, tokens) as ctx:
        return dict(ctx.params)


def _choices(file: str, *, execute_all: bool) -> str:
    from celltask.cli.help import listing  # noqa: PLC0415 - only for help

    document = open_document(file, execute_all=execute_all)
    entities: list[Entity] = [*document.workflows.values(), *document.tasks.values()]
    if not entities:
        return "\n".join(filter(None, choices_in(document, file)))
    more = f"celltask run {file} NAME --help tells the inputs of one"
    return f"Usage: celltask run {file} NAME [INPUTS] [OPTIONS]\n\n{listing(entities)}\n\n{more}"


class _Invocation:
    """One task or workflow about to be run with what the command line gives."""

    def __init__(self, entity: Entity, command_line: str, settings: Settings) -> None:
        self.entity, self.command_line, self.settings = entity, command_line, settings
        self.options = options_of(entity.interface)
        self.taken = {flag for option in self.options for flag in (*option.flags, *option.off_flags)}

    def carry_out(self, tokens: Sequence[str], *, wants_help: bool) -> int:
        """Run it, and give the exit code."""
        own = {flag: takes for flag, takes in OWN_FLAGS.items() if flag not in self.taken}
        if wants_help or any(word in _HELP_FLAGS and word not in self.taken for word in tokens):
            return self._help(own)
        given, ours = sorted_out(tokens, self.options, own, self.command_line)
        self.settings = self.settings.with_given(_parsed(self._own(own), ours))
        self._check_engine()
        targets = self._targets()
        inputs = self._values(given)
        if self.settings.dry_run:
            return self._dry_run(inputs)
        try:
            run = self._told_run(inputs)
        except (KeyboardInterrupt, SystemExit) as stop:
            from celltask.cli.failure import error_text  # noqa: PLC0415 - only for a failure

            report.write(error_text(stop, self.entity.name), sys.stderr)
            return INTERRUPTED if isinstance(stop, KeyboardInterrupt) else FAILED
        if run.state != "done":
            return FAILED
        if targets:
            from celltask.cli.save import keep  # noqa: PLC0415 - only for --save

            with report.stdout_kept_clean():
                keep(targets, run.outputs, self.entity, quiet=self.settings.quiet)
        return DONE

    def _dry_run(self, inputs: dict[str, object]) -> int:
        from celltask.core.plan import plan  # noqa: PLC0415 - only for --dry-run

        with report.stdout_kept_clean():
            planned = plan(self.entity, inputs, refresh=self.settings.refresh)
        report.write(report.json_of_plan(planned) if self.settings.as_json else report.plan_table(planned))
        return DONE

    def _targets(self) -> tuple[Target, ...]:
        if not self.settings.save:
            return ()
        from celltask.cli.save import targets_of  # noqa: PLC0415 - only for --save

        return targets_of(self.settings.save, self.entity.interface, self.command_line)

    def _told_run(self, inputs: dict[str, object]) -> Run:
        if not self.settings.as_json:
            run = self._run(inputs)
            self._tell(run)
            return run
        with report.stdout_kept_clean():
            run = self._run(inputs)
            text = report.json_of(run, self.entity.interface)
        self._tell_failure(run)
        report.write(text)
        return run

    def _own(self, own: Mapping[str, bool]) -> list[click.Option]:
        return [option for option in _own_options() if option.opts[0] in own]

    def _help(self, own: Mapping[str, bool]) -> int:
        from celltask.cli.help import entity_help  # noqa: PLC0415 - only for help

        report.write(entity_help(self.entity, self.options, self._own(own), self.command_line))
        return DONE

    def _check_engine(self) -> None:
        from celltask.core.engines import engine_of  # noqa: PLC0415 - help needs no engine

        try:
            engine_of(self.settings.engine)
        except PluginError as error:
            where = f"{self.command_line} --engine {self.settings.engine}"
            raise PluginError(f"there is no engine {self.settings.engine!r}", where, error.mend) from error

    def _values(self, given: Mapping[str, Sequence[str]]) -> dict[str, object]:
        reader, inputs = Reader(self.command_line), self.entity.interface.inputs
        values: dict[str, object] = {}
        if self.settings.inputs_file:
            values = reader.from_file(self.settings.inputs_file, inputs)
        by_name = {option.port.name: option for option in self.options}
        for name, texts in given.items():
            values[name] = reader.from_options(by_name[name], texts)
        check_complete(self.entity, by_name, values, self.command_line)
        return values

    def _run(self, inputs: dict[str, object]) -> Run:
        from celltask.cli.answers import answers_of, asking  # noqa: PLC0415 - a run is about to begin

        answers = answers_of(self.settings.answer, self.entity, self.command_line)
        with self._listener() as listener, asking(listener):
            return self.entity.run(
                inputs, engine=self.settings.engine, on_event=listener, refresh=self.settings.refresh, **answers
            )

    def _listener(self) -> AbstractContextManager[None] | Progress:
        if self.settings.quiet or not sys.stderr.isatty():
            return nullcontext()
        from celltask.cli.progress import Progress  # noqa: PLC0415 - only on a terminal

        return Progress(_labels(self.entity))

    def _tell(self, run: Run) -> None:
        if run.state == "done":
            text = report.result_text(self.entity.interface, run.outputs)
            if text or self.entity.interface.outputs:
                report.write(text)
        if not self.settings.quiet:
            report.write(report.nodes_table(run), sys.stderr)
        self._tell_failure(run)

    def _tell_failure(self, run: Run) -> None:
        if run.state != "done":
            from celltask.cli.failure import failure_text  # noqa: PLC0415 - only for a failure

            report.write(failure_text(run), sys.stderr)


def _labels(entity: Entity, prefix: str = "") -> dict[str, str]:
    """Names of the nodes that a run of `entity` goes through, by id."""
    trace = getattr(entity, "trace", None)
    if trace is None:
        return {f"{prefix}n0": entity.name}
    found = {}
    for node, member in zip(trace.nodes, trace.members, strict=True):
        found[f"{prefix}{node.id}"] = node.label
        if hasattr(member, "trace"):
            found |= _labels(member, f"{prefix}{node.id}/")
    return found


_VALUES = """\b
Values:
  --size 3, --size=-3   a value that begins with -- needs the =
  --on, --no-on, --on false   a bool
  --xs 1 --xs 2, --xs '[1, 2]'   a list
  --settings '{"C": 0.1}'   anything structured, as JSON
  --settings @file.json   the content of a file; @@ stands for an @
  --settings -   what standard input holds
  --sales table.csv   a table, by its path; - reads CSV or JSON

The options above stand anywhere. Where an input has the name of one of them, the option is meant before NAME (or before
FILE, if no NAME is given), and the input after it."""

command = click.Command(
    "run",
    callback=_run,
    params=[
        *_own_options(),
        click.Argument(["file"], metavar="FILE"),
        click.Argument(["rest"], nargs=-1, type=click.UNPROCESSED, metavar="[NAME] [INPUTS]"),
    ],
    short_help="Run a task or workflow of a document.",
    help="Run the task or workflow NAME of the document FILE; without NAME its only workflow, else its only task. "
    "Each input is an option made from its type: `celltask run FILE NAME --help` tells them, "
    "`celltask run FILE --help` what can be run.",
    epilog=_VALUES,
    context_settings={"allow_interspersed_args": False},
)  # fmt: skip
