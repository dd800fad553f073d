"""Expected lines beside shown ones: which belong together, and what a `...` stands for."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Same = Callable[[int, int], bool]
    """Whether an expected and a shown part are the same, by their places."""

__all__ = ["ELLIPSIS", "Step", "align", "fit"]

ELLIPSIS = "..."
_MOST_PAIRS = 60_000
"""Pairs to weigh; beyond that only equal parts are put beside each other."""
_SAME, _CHANGED = 4, 1


class Step(NamedTuple):
    """One expected part, or one shown part that none is expected for."""

    kind: Literal["same", "rest", "changed", "gone", "new"]
    """``rest``: the expected part is a `...`, which stands for the shown parts from `start` to `stop`."""
    expected: int
    """Place of the expected part; -1 for a new one."""
    start: int
    stop: int
    """Places of the shown parts from `start` up to `stop`; equal if there are none."""


def fit(expected: Sequence[str], shown: Sequence[str], same: Same) -> list[Step] | None:
    """How `shown` does what `expected` says, if it does.

    >>> texts, shown = ["a", "...", "z"], ["a", "b", "c", "z"]
    >>> [step.kind for step in fit(texts, shown, lambda one, other: texts[one] == shown[other])]
    ['same', 'rest', 'same']
    """
    steps: list[Step] = []
    at = 0
    runs = _runs(expected)
    for place, (start, stop) in enumerate(runs):
        length, is_last = stop - start, place == len(runs) - 1
        # A run has a fixed number of lines, so the first place where it fits leaves most to those that follow.
        starts = range(at, len(shown) - length + 1) if place else range(at, min(at, len(shown) - length) + 1)
        if is_last:
            starts = range(len(shown) - length, len(shown) - length + 1) if len(shown) - length >= at else range(0)
            if place == 0 and len(shown) != length:
                return None
        found = next((one for one in starts if _run_fits(start, stop, one, same)), None)
        if found is None:
            return None
        if place:
            steps.append(Step("rest", start - 1, at, found))
        steps += [Step("same", start + step, found + step, found + step + 1) for step in range(length)]
        at = found + length
    return steps


def _runs(expected: Sequence[str]) -> list[tuple[int, int]]:
    """The parts between one `...` and the next, as places; some are empty."""
    breaks = [place for place, part in enumerate(expected) if part.strip() == ELLIPSIS]
    return list(zip([0, *(place + 1 for place in breaks)], [*breaks, len(expected)], strict=True))


def _run_fits(start: int, stop: int, at: int, same: Same) -> bool:
    return all(same(place, at + place - start) for place in range(start, stop))


def align(expected: Sequence[str], shown: Sequence[str], same: Same) -> list[Step]:
    """What became of each expected part: the most that can be the same, in order.

    >>> texts, shown = ["a", "...", "y"], ["a", "b", "c", "z"]
    >>> [step[:2] for step in align(texts, shown, lambda one, other: texts[one] == shown[other])]
    [('same', 0), ('rest', 1), ('changed', 2)]
    """
    first = 0
    while first < min(len(expected), len(shown)) and expected[first].strip() != ELLIPSIS and same(first, first):
        first += 1
    last = 0
    most = min(len(expected), len(shown)) - first
    while (
        last < most
        and expected[-last - 1].strip() != ELLIPSIS
        and same(len(expected) - last - 1, len(shown) - last - 1)
    ):
        last += 1
    places, others = range(first, len(expected) - last), range(first, len(shown) - last)
    weigh = _weighed if len(places) * len(others) <= _MOST_PAIRS else _only_equal
    ends = [(len(expected) - step, len(shown) - step) for step in range(last, 0, -1)]
    return [
        *(Step("same", place, place, place + 1) for place in range(first)),
        *weigh(expected, shown, places, others, same),
        *(Step("same", place, other, other + 1) for place, other in ends),
    ]


def _weighed(expected: Sequence[str], shown: Sequence[str], places: range, others: range, same: Same) -> list[Step]:
    """The best of all ways, from a table of what can still be won behind each pair."""
    del shown
    rest = [expected[place].strip() == ELLIPSIS for place in places]
    rows, columns = len(places), len(others)
    pair = [[_worth(rest[row], places[row], other, same) for other in others] for row in range(rows)]
    won = [[0] * (columns + 1) for _ in range(rows)] + [[-left for left in range(columns, -1, -1)]]
    for row in range(rows - 1, -1, -1):
        for column in range(columns, -1, -1):
            best = won[row + 1][column]
            if column < columns:
                best = max(best, won[row][column + 1] - (not rest[row]))
                best = best if rest[row] else max(best, won[row + 1][column + 1] + pair[row][column])
            won[row][column] = best
    return list(_walk(won, pair, rest, places, others))


def _worth(is_rest: bool, place: int, other: int, same: Same) -> int:  # noqa: FBT001 - read by its only caller
    if is_rest:
        return 0
    return _SAME if same(place, other) else _CHANGED


def _walk(won: list[list[int]], pair: list[list[int]], rest: list[bool], places: range, others: range) -> list[Step]:
    steps: list[Step] = []
    row = column = 0
    rows, columns = len(places), len(others)
    while row < rows or column < columns:
        at = others.start + column
        if row < rows and rest[row]:
            start = column
            while column < columns and won[row + 1][column] < won[row][column]:
                column += 1
            steps.append(Step("rest", places[row], others.start + start, others.start + column))
            row += 1
        elif row < rows and column < columns and won[row][column] == won[row + 1][column + 1] + pair[row][column]:
            kind: Literal["same", "changed"] = "same" if pair[row][column] == _SAME else "changed"
            steps.append(Step(kind, places[row], at, at + 1))
            row, column = row + 1, column + 1
        elif row < rows and (column == columns or won[row][column] == won[row + 1][column]):
            steps.append(Step("gone", places[row], at, at))
            row += 1
        else:
            steps.append(Step("new", -1, at, at + 1))
            column += 1
    return steps


def _only_equal(expected: Sequence[str], shown: Sequence[str], places: range, others: range, same: Same) -> list[Step]:
    del same
    wanted, got = [expected[place] for place in places], [shown[other] for other in others]
    steps: list[Step] = []
    for tag, start, stop, first, last in SequenceMatcher(None, wanted, got, autojunk=False).get_opcodes():
        ahead = min(stop - start, last - first)
        for step in range(max(stop - start, last - first)):
            place, other = places.start + start + step, others.start + first + min(step, last - first)
            if step < ahead:
                steps.append(Step("same" if tag == "equal" else "changed", place, other, other + 1))
            elif step < stop - start:
                steps.append(Step("gone", place, other, other))
            else:
                steps.append(Step("new", -1, other, other + 1))
    return steps
