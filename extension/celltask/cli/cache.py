"""`celltask cache`: the results that are kept."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from celltask.cli import report
from celltask.cli.amounts import age, read_age, read_size, size
from celltask.cli.exit_codes import DONE
from celltask.errors import CelltaskError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from celltask.core.stores.base import Listed, Store

__all__ = ["command"]

_DIGITS = 12  # of a key, as shown


def _store() -> Store:
    """The store of this process.

    Raises:
        CelltaskError: If it cannot be used.
    """
    from celltask.core.stores.base import StoreProblem  # noqa: PLC0415 - help needs none
    from celltask.core.stores.choice import opened, where  # noqa: PLC0415 - as above

    try:
        return opened(where())
    except StoreProblem as problem:
        raise CelltaskError(problem.what, "CELLTASK_STORE", problem.mend) from None


def _ls(task: str | None, *, limit: int, as_json: bool) -> int:
    store = _store()
    found = [one for one in store.entries() if task in (None, one.task)]
    if as_json:
        report.write(report.json_text([_told(one) for one in found]))
        return DONE
    now = time.time()
    rows = [(one.key[:_DIGITS], one.task, size(one.size), age(now - one.made)) for one in found[:limit]]
    lines = [report.table([("key", "task", "size", "made"), *rows])] if rows else []
    more = f", the newest {limit} of them above" if len(found) > limit else ""
    count = f"{len(found)} result{'' if len(found) == 1 else 's'}"
    lines.append(f"{count}{more}, {size(sum(one.size for one in found))}, in {store.place}")
    report.write("\n".join(lines))
    return DONE


def _show(key: str, *, as_json: bool) -> int:
    from celltask.core.stores.base import StoreProblem  # noqa: PLC0415 - as above

    store = _store()
    one = _the_entry(store.entries(), key)
    if as_json:
        report.write(report.json_text(_told(one)))
        return DONE
    try:
        is_whole = store.get(one.key) is not None
    except StoreProblem:
        is_whole = False
    made = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one.made))
    rows = [
        ("key", one.key), ("task", one.task), ("made", made), ("size", size(one.size)),
        ("state", "whole" if is_whole else "damaged, will be computed anew"),
    ]  # fmt: skip
    for name, value in one.facts.items():
        if isinstance(value, dict):
            rows += [(f"{name} {inner}", str(told)) for inner, told in value.items()]
        elif isinstance(value, list):
            rows += [(f"{name} {place}", str(told) or "(not told)") for place, told in enumerate(value)]
        elif name != "signature":
            rows.append((name, str(value)))
    report.write(report.table(rows))
    return DONE


def _rm(names: tuple[str, ...]) -> int:
    store = _store()
    found = list(store.entries())
    keys: list[str] = []
    for name in names:
        of_task = [one.key for one in found if one.task == name]
        keys += of_task or [_the_entry(found, name).key]
    return _removed(store, keys)


def _gc(older_than: str | None, max_size: str | None) -> int:
    from celltask.core.history import oldest_running  # noqa: PLC0415 - as above

    store = _store()
    found = list(store.entries())
    now = time.time()
    running = oldest_running()
    safe = [one for one in found if running is None or max(one.made, one.used) < running]
    gone = set()
    if older_than is not None:
        limit = now - read_age(older_than, "celltask cache gc --older-than")
        gone |= {one.key for one in safe if one.used < limit}
    if max_size is not None:
        room = read_size(max_size, "celltask cache gc --max-size")
        left = sum(one.size for one in found if one.key not in gone)
        for one in sorted(safe, key=lambda one: (one.used, one.made)):
            if left <= room:
                break
            if one.key not in gone:
                gone.add(one.key)
                left -= one.size
    return _removed(store, [one.key for one in found if one.key in gone])


def _removed(store: Store, keys: list[str]) -> int:
    freed = store.remove(keys)
    report.write(f"removed {len(keys)} result{'' if len(keys) == 1 else 's'}, {size(freed)}, from {store.place}")
    return DONE


def _the_entry(entries: Iterable[Listed], key: str) -> Listed:
    """The entry whose key begins so.

    Raises:
        CelltaskError: If there is none, or several.
    """
    found = [one for one in entries if one.key.startswith(key)]
    if not found:
        mend = "celltask cache ls tells them"
        raise CelltaskError(
            f"no result has a key that begins with {key!r}, and no task that name", "celltask cache", mend
        )
    if len(found) > 1:
        raise CelltaskError(f"{len(found)} keys begin with {key!r}", "celltask cache", "write more of the key")
    return found[0]


def _told(one: Listed) -> dict[str, object]:
    return {
        "key": one.key, "task": one.task, "made": one.made, "used": one.used, "size": one.size,
        **{name: value for name, value in one.facts.items() if name != "signature"},
    }  # fmt: skip


command = click.Group(
    "cache",
    short_help="List, show or remove kept results.",
    help="The results of cached tasks in the store of this folder (see CELLTASK_STORE).",
    commands=[
        click.Command(
            "ls",
            callback=_ls,
            params=[
                click.Argument(["task"], required=False, metavar="[TASK]"),
                click.Option(["--limit"], type=click.IntRange(1), default=20, metavar="N", help="At most so many; 20."),
                report.json_option(),
            ],
            help="List results, newest first; with TASK those of that task.",
        ),
        click.Command(
            "show",
            callback=_show,
            params=[click.Argument(["key"], metavar="KEY"), report.json_option()],
            help="Show what is known of a result; KEY is the beginning of its key.",
        ),
        click.Command(
            "rm",
            callback=_rm,
            params=[click.Argument(["names"], nargs=-1, required=True, metavar="KEY|TASK...")],
            help="Remove results: one by the beginning of its key, or all of a task.",
        ),
        click.Command(
            "gc",
            callback=_gc,
            params=[
                click.Option(["--older-than"], metavar="AGE", help="What was not used for so long: 12h, 30d, 4w."),
                click.Option(["--max-size"], metavar="SIZE", help="The longest unused, until at most SIZE is left."),
            ],
            help="Remove what is no longer needed: results by age or size, and files that belong to no result. What a "
            "run that goes on has made or used stays.",
        ),
    ],
)
