"""The pytest plugin: documents as tests, one item a code cell.

Every pytest run with celltask installed imports this module, so it imports nothing that pytest has not; the rest is
loaded when the first document is met.
"""

from __future__ import annotations

import fnmatch
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from celltask.documents.items import DocumentFile
    from celltask.documents.set_up import DocumentSetUp

__all__ = [
    "celltask_document",
    "pytest_addoption",
    "pytest_collect_file",
    "pytest_configure",
    "pytest_pycollect_makemodule",
]

_NESTED, _FOLDERS = ("run", "report", "refuse"), ("document", "root", "scratch")
_TIMEOUT_S = "300"
_OUTPUT_LIMIT_MB = "20"
_LINE, _CACHED, _WHY = "celltask_line", "celltask_cached", "celltask_why"
_SEED = pytest.StashKey[str]()
_REMARKS = pytest.StashKey[list[str]]()
DIFFS = pytest.StashKey[list[str]]()
"""What ``--promote`` has changed, or would, for the summary."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--celltask`` and the other options, and the ini options."""
    group = parser.getgroup("celltask", "documents as tests")
    _add_choice(parser, group)
    _add_kernels(parser, group)
    _add_expected_output(parser, group)


def _add_choice(parser: pytest.Parser, group: pytest.OptionGroup) -> None:
    """Which documents are tests, and what of them is run."""
    group.addoption(
        "--celltask",
        action="store_true",
        help="run the code cells of documents (.md, .ipynb, .py, .Rmd, .qmd) as tests",
    )
    group.addoption(
        "--celltask-shell",
        choices=("document", "run", "skip"),
        default="document",
        help="shell examples of documents: run those of documents that ask for it (the default), run all, or skip all",
    )
    group.addoption(
        "--celltask-cached",
        action="store_true",
        help="do not run documents that passed, if nothing has changed for them since: their cells pass",
    )
    parser.addini("celltask_cached", "as --celltask-cached", type="bool", default=False)
    parser.addini(
        "celltask_documents",
        "folders, files or patterns, from the root folder, whose documents are tests",
        type="args",
        default=[],
    )
    parser.addini(
        "celltask_parametrize",
        "sets of values to run a document under: docs/page.md: {C: [0.1, 1.0]}",
        type="linelist",
        default=[],
    )
    parser.addini(
        "celltask_nested", "code cells inside directives, lists and quotations: run, report or refuse", default="run"
    )


def _add_kernels(parser: pytest.Parser, group: pytest.OptionGroup) -> None:
    """Where cells are executed, and what they may take."""
    group.addoption(
        "--celltask-kernels",
        choices=("fork", "fresh", "cold"),
        default="fork",
        help="fork kernels from a warmed server or from states that celltask watch keeps (the default, on Linux), "
        "from the server alone, or start each",
    )
    group.addoption(
        "--celltask-memory",
        metavar="MIB",
        help="MiB that a document may take beside what its kernel has from the start, on Linux (default: no limit)",
    )
    parser.addini("celltask_memory", "as --celltask-memory", default="")
    parser.addini("celltask_cwd", "folder that documents run in: document, root or scratch", default="document")
    parser.addini("celltask_timeout", "seconds that a cell may take", default=_TIMEOUT_S)
    parser.addini("celltask_document_timeout", "seconds that all cells of a document may take", default="")
    parser.addini("celltask_output_limit", "megabytes that a cell may show", default=_OUTPUT_LIMIT_MB)


def _add_expected_output(parser: pytest.Parser, group: pytest.OptionGroup) -> None:
    """How what cells show is compared with what documents say."""
    group.addoption(
        "--promote",
        dest="celltask_promote",
        nargs="?",
        const="write",
        choices=("write", "diff"),
        help="write what cells show into their {output} fences, and show the change; --promote=diff only shows it",
    )
    parser.addini(
        "celltask_expected_rtol", "relative tolerance of numbers in expected output, or `written`", default=""
    )
    parser.addini(
        "celltask_notebook_outputs",
        "compare cells of notebooks with the outputs stored there",
        type="bool",
        default=False,
    )
    parser.addini(
        "celltask_sanitize", "sanitisers of expected output: none, names, -name; or name = pattern", type="linelist"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse settings that cannot be meant; keep results of cached tasks from one test run out of the next."""
    if "CELLTASK_STORE" not in os.environ:
        # Kernels inherit it, each with a memory of its own: no test is green by what an earlier run has computed.
        os.environ["CELLTASK_STORE"] = "memory"
        config.add_cleanup(_forget_store)
    for chosen in config.getini("celltask_documents"):
        if not any(sign in chosen for sign in "*?[") and not (config.rootpath / chosen).exists():
            raise pytest.UsageError(f"celltask_documents names {chosen}, which does not exist in {config.rootpath}")
    for name, given, unit in (
        ("celltask_timeout", config.getini("celltask_timeout"), "seconds"),
        ("celltask_document_timeout", config.getini("celltask_document_timeout") or "1", "seconds"),
        ("celltask_output_limit", config.getini("celltask_output_limit"), "megabytes"),
        ("celltask_memory", config.getini("celltask_memory") or "1", "MiB"),
        ("--celltask-memory", config.getoption("celltask_memory") or "1", "MiB"),
    ):
        try:
            is_fit = 0 < float(given) < float("inf")
        except ValueError:
            is_fit = False
        if not is_fit:
            raise pytest.UsageError(f"{name} is {given!r}, not a number of {unit} above 0")
    for name, known in (("celltask_nested", _NESTED), ("celltask_cwd", _FOLDERS)):
        if config.getini(name) not in known:
            raise pytest.UsageError(f"{name} is {config.getini(name)!r}, not {', '.join(known[:-1])} or {known[-1]}")
    config.addinivalue_line("markers", "slow: a cell that is tagged slow")


def _forget_store() -> None:
    os.environ.pop("CELLTASK_STORE", None)


def memory_of(config: pytest.Config) -> float | None:
    """MiB that a document may take; None without a limit."""
    given = config.getoption("celltask_memory") or config.getini("celltask_memory")
    return float(given) if given else None


def is_cached(config: pytest.Config) -> bool:
    """Whether documents are not run that passed, and that nothing has changed for."""
    return bool(config.getoption("celltask_cached") or config.getini("celltask_cached"))


def hash_seed(config: pytest.Config) -> str:
    """The ``PYTHONHASHSEED`` of all kernels of this run: that of the environment, else one by chance."""
    if _SEED not in config.stash:
        given = os.environ.get("PYTHONHASHSEED", "random")
        chosen = str(int.from_bytes(os.urandom(4), "little")) if given in {"random", ""} else given
        config.stash[_SEED] = getattr(config, "workerinput", {}).get("celltask_hash_seed", chosen)
    return config.stash[_SEED]


def pytest_report_header(config: pytest.Config) -> str | None:
    """What must be known to repeat a run that fails by the order of a set."""
    if config.getoption("collectonly") or not (config.getoption("celltask") or config.getini("celltask_documents")):
        return None
    forks = config.getoption("celltask_kernels") != "cold" and hasattr(os, "pidfd_open")
    return f"celltask: kernels {'forked' if forks else 'started'}, hash seed {hash_seed(config)} (PYTHONHASHSEED)"


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:  # noqa: ANN401 - of pytest-xdist, which may be missing
    """Give a worker of pytest-xdist the seed of its controller."""
    node.workerinput["celltask_hash_seed"] = hash_seed(node.config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> DocumentFile | None:
    """The document at `file_path`, if documents there are tests and it is one."""
    if not _is_chosen(file_path, parent.config):
        return None
    from celltask.documents.signs import SUFFIXES  # noqa: PLC0415 - only where documents are tests

    suffix = file_path.suffix.lower()
    if suffix not in SUFFIXES:
        return None
    if suffix == ".py" and (_is_test_module(file_path, parent) or parent.session.isinitpath(file_path)):
        return None  # pytest asks pytest_pycollect_makemodule for these
    return _document(file_path, parent)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> DocumentFile | None:
    """A percent script that is named on the command line is a document, and no module of tests."""
    if _is_test_module(module_path, parent) or not _is_chosen(module_path, parent.config):
        return None
    return _document(module_path, parent)


@pytest.fixture(scope="module")
def celltask_document(request: pytest.FixtureRequest) -> DocumentSetUp:
    """How the document is run that is tested: for the fixture ``celltask_setup``, in a conftest.py."""
    set_up: DocumentSetUp | None = getattr(request.node, "set_up", None)
    if set_up is None:
        raise pytest.UsageError("celltask_document is for documents: use it in the fixture celltask_setup")
    return set_up


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start what kernels are forked from, as soon as it is known that there are documents to test."""
    items = sys.modules.get("celltask.documents.items")
    if items is None or session.config.getoption("collectonly"):
        return
    documents = {item.parent: None for item in session.items if isinstance(item, items.CellItem)}
    if documents:
        from celltask.documents.engine import engine_of  # noqa: PLC0415 - loaded already

        engine_of(session.config).expect(list(documents))
        if session.config.getoption("usepdb"):
            from celltask.documents.debugging import debug_cells  # noqa: PLC0415 - only who asks

            debug_cells(session.config)


def pytest_report_teststatus(report: pytest.TestReport, config: pytest.Config) -> tuple[str, str, str] | None:
    """With ``-v``, the line of a cell that passes beside the word; of one that fails, its report tells."""
    told = dict(getattr(report, "user_properties", ()))
    if _LINE not in told or report.when != "call" or not report.passed or config.get_verbosity() <= 0:
        return None
    return "passed", ".", f"PASSED ({'cached, ' if _CACHED in told else ''}line {told[_LINE]})"


def remark(config: pytest.Config, text: str) -> None:
    """Have a line told at the end of the run."""
    config.stash.setdefault(_REMARKS, []).append(text)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Where documents did not begin at their first cell, what ``--promote`` changes, and what was not run."""
    for text in config.stash.get(_REMARKS, []):
        terminalreporter.write_line(f"celltask: {text}")
    diffs = config.stash.get(DIFFS, [])
    for number, diff in enumerate(diffs):
        if not number:
            written = config.getoption("celltask_promote") == "write"
            terminalreporter.section("promoted" if written else "to be promoted by --promote")
        terminalreporter.write_line(diff)
    if is_cached(config):
        _tell_cached(terminalreporter)


def _tell_cached(terminalreporter: pytest.TerminalReporter) -> None:
    """How many documents were not run, and why others were that may have passed before."""
    reports = [report for found in terminalreporter.stats.values() for report in found]
    cached: dict[str, int] = {}
    why: dict[str, str] = {}
    for report in reports:
        told = dict(getattr(report, "user_properties", ()))
        document = str(getattr(report, "nodeid", "")).partition("::")[0]
        if _CACHED in told and report.when == "call":
            cached[document] = cached.get(document, 0) + 1
        if _WHY in told:
            why[document] = str(told[_WHY])
    if cached or why:
        terminalreporter.section("documents that passed before")
        number, cells = len(cached), sum(cached.values())
        terminalreporter.write_line(
            f"{number} unchanged, not run: {cells} cell{'' if cells == 1 else 's'} passed from the cache"
        )
    for document, reason in sorted(why.items()):
        terminalreporter.write_line(f"{document} ran: {reason}")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Where xdist would hand out test by test, keep the cells of a document together."""
    if config.getvalue("dist") != "load" or not (config.getoption("celltask") or config.getini("celltask_documents")):
        return None
    from celltask.documents.scheduling import DocumentScheduling  # noqa: PLC0415 - xdist is there only now

    return DocumentScheduling(config, log)


def _is_chosen(path: Path, config: pytest.Config) -> bool:
    if config.getoption("celltask"):
        return True
    chosen = config.getini("celltask_documents")
    if not chosen or not path.is_relative_to(config.rootpath):
        return False
    name = path.relative_to(config.rootpath).as_posix()
    for entry in chosen:
        folder = entry.replace("\\", "/").removeprefix("./").rstrip("/")
        if folder in {".", name} or name.startswith(f"{folder}/") or fnmatch.fnmatchcase(name, folder):
            return True
    return False


def _is_test_module(path: Path, parent: pytest.Collector) -> bool:
    return any(fnmatch.fnmatch(path.name, pattern) for pattern in parent.config.getini("python_files"))


def _document(path: Path, parent: pytest.Collector) -> DocumentFile | None:
    """The document, or None for a file without cells: most Markdown and Python is that."""
    from celltask.documents.signs import NOTEBOOKS, may_be_document  # noqa: PLC0415 - as above

    suffix = path.suffix.lower()
    try:
        data = b"" if suffix in NOTEBOOKS else path.read_bytes()
        is_likely = may_be_document(suffix, data, all_shell=parent.config.getoption("celltask_shell") == "run")
    except OSError:  # told when it is collected
        is_likely = True
    if not is_likely:
        return None
    from celltask.documents.engine import engine_of  # noqa: PLC0415 - see above

    if suffix != ".py" and not parent.config.getoption("collectonly") and not is_cached(parent.config):
        engine_of(parent.config).kernels.warm()  # the server starts while documents are read
    from celltask.documents.items import DocumentFile  # noqa: PLC0415 - as above

    document: DocumentFile = DocumentFile.from_parent(parent, path=path)
    return None if suffix == ".py" and document.is_plain else document
