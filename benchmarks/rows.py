"""Rows of the table: what is measured, and what celltask promises."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["OURS", "PEERS", "PLAIN", "SYSTEMS", "Result", "Row", "Target", "shown", "shown_ratio", "table"]

OURS, PLAIN = "celltask", "plain"
PEERS = ("flytekit", "hamilton")
SYSTEMS = (OURS, PLAIN, *PEERS)


class Target(NamedTuple):
    """A promise about our own figure.

    Attributes:
        limit: The most it may be.
        kind: ``"seconds"``, ``"number"`` (a count or an exponent), or ``"ratio"`` (times plain Python's).
    """

    limit: float
    kind: str = "seconds"

    def __str__(self) -> str:
        if self.kind == "ratio":
            return f"<= {self.limit:g} x plain"
        return f"<= {shown(self.limit, self.kind)}"


class Row(NamedTuple):
    """What is measured.

    Attributes:
        key: Name for ``--only``.
        title: What is done, in words.
        target: What celltask promises, if it does.
    """

    key: str
    title: str
    target: Target | None = None

    @property
    def is_process(self) -> bool:
        """Whether whole processes are compared, in pairs."""
        return self.key.startswith(("cli.", "iris."))

    @property
    def kind(self) -> str:
        """``"number"`` or ``"seconds"``: what its figures are."""
        return "number" if self.target is not None and self.target.kind == "number" else "seconds"


class Result(NamedTuple):
    """A row, measured.

    Attributes:
        row: What was measured.
        figures: Seconds (or numbers) by system; those that cannot do it, or were not asked, are left out.
        ratios: Our figure over a system's, where pairs were compared; elsewhere `figures` are divided.
    """

    row: Row
    figures: Mapping[str, float]
    ratios: Mapping[str, float]

    def ratio(self, system: str) -> float | None:
        """Our figure over that of `system`; None where there are not both, or they are no times."""
        if system in self.ratios:
            return self.ratios[system]
        ours, theirs = self.figures.get(OURS), self.figures.get(system)
        if ours is None or theirs is None or self.row.kind != "seconds":
            return None
        return ours / theirs if min(ours, theirs) > 0 else None  # a difference may drown in noise

    def over(self) -> float | None:
        """By what part our figure is above the target: 0.1 for 10 %, negative if below; None if not known."""
        target = self.row.target
        figure = self.figures.get(OURS)
        if target is not None and target.kind == "ratio":
            figure = self.ratio(PLAIN)
        if target is None or figure is None:
            return None
        return figure / target.limit - 1 if target.limit else figure

    def cells(self) -> list[str]:
        """The row as text: title, figures, ratios, target, and whether it holds."""
        figures = [
            "-" if system not in self.figures else shown(self.figures[system], self.row.kind) for system in SYSTEMS
        ]
        ratios = [self.ratio(system) for system in SYSTEMS[1:]]
        over = self.over()
        holds = "-" if over is None else "yes" if over <= 0 else f"no, {over:+.0%}"
        told = ["-" if ratio is None else shown_ratio(ratio) for ratio in ratios]
        return [self.row.title, *figures, *told, str(self.row.target or "-"), holds]


def shown(figure: float, kind: str = "seconds") -> str:
    """A figure in the unit that suits it.

    >>> shown(3.5e-7), shown(0.00002), shown(0.12), shown(7.0), shown(3.0, "number")
    ('0.35 µs', '20 µs', '120 ms', '7 s', '3')
    """
    if kind == "number":
        return f"{figure:.3g}"
    for factor, unit in ((1, "s"), (1000, "ms")):
        if abs(figure) * factor >= 1:
            return f"{figure * factor:.3g} {unit}"
    return f"{figure * 1_000_000:.3g} µs"


def shown_ratio(ratio: float) -> str:
    """A ratio as people say it.

    >>> shown_ratio(0.0004), shown_ratio(0.25), shown_ratio(0.91), shown_ratio(15.9), shown_ratio(35_400.0)
    ('1/2,500', '1/4.0', '0.91', '16', '35,400')
    """
    if ratio < 0.5:  # noqa: PLR2004 - where the text changes form
        return f"1/{1 / ratio:,.0f}" if ratio < 0.1 else f"1/{1 / ratio:.1f}"  # noqa: PLR2004 - where the text changes form
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:,.0f}"  # noqa: PLR2004 - where the text changes form


def table(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table with aligned columns, the figures to the right.

    >>> print(table(["", "ours"], [["call", "1 µs"]]))
    |      | ours |
    |:-----|-----:|
    | call | 1 µs |
    """
    widths = [max(len(cell) for cell in column) for column in zip(headings, *lines, strict=True)]
    rule = "|".join([":" + "-" * (widths[0] + 1), *("-" * (width + 1) + ":" for width in widths[1:])])
    told = [f"|{rule}|"]
    for cells in (headings, *lines):
        padded = [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]
        told.append(f"| {' | '.join([cells[0].ljust(widths[0]), *padded[1:]])} |")
    return "\n".join([told[1], told[0], *told[2:]])
