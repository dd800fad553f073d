"""Which row a box stands in: no line goes up, and lines are short.

Vertices are numbered from 0; a line is a pair of them. All functions are deterministic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Line",
    "RankedPart",
    "backward_lines",
    "components",
    "ranked_parts",
    "ranks_of",
    "sides",
    "topological_order",
]

Line = tuple[int, int]
_WORK = 400_000  # steps of the simplex times size of the graph
_MOST_EXACT = 4000
"""Graphs with more vertices are not given the shortest lines, only short ones."""
_LOYALTY = 5
"""A vertex changes to another row at no cost only if that has more than so many vertices fewer."""


def sides(count: int, lines: Sequence[Line]) -> tuple[list[list[int]], list[list[int]]]:
    """For each vertex those that point to it, and those it points to, in the order of `lines`.

    >>> sides(3, [(0, 1), (0, 2)])
    ([[], [0], [0]], [[1, 2], [], []])
    """
    above: list[list[int]] = [[] for _ in range(count)]
    below: list[list[int]] = [[] for _ in range(count)]
    for source, target in lines:
        below[source].append(target)
        above[target].append(source)
    return above, below


def _outgoing(count: int, lines: Sequence[Line]) -> list[list[int]]:
    near: list[list[int]] = [[] for _ in range(count)]
    for source, target in lines:
        near[source].append(target)
    return near


def backward_lines(count: int, lines: Sequence[Line]) -> set[Line]:
    """Lines that must be turned around so that no cycle is left; empty if there was none.

    >>> backward_lines(3, [(0, 1), (1, 2), (2, 0)])
    {(2, 0)}
    """
    near = _outgoing(count, lines)
    state = [0] * count  # 0 not seen, 1 on the way from the start, 2 done
    found: set[Line] = set()
    for start in range(count):
        if state[start]:
            continue
        state[start] = 1
        stack = [(start, iter(near[start]))]
        while stack:
            vertex, left = stack[-1]
            for target in left:
                if not state[target]:
                    state[target] = 1
                    stack.append((target, iter(near[target])))
                    break
                if state[target] == 1:
                    found.add((vertex, target))
            else:
                state[vertex] = 2
                stack.pop()
    return found


def components(count: int, lines: Sequence[Line]) -> list[list[int]]:
    """The vertices in groups without a line between them, each group and the groups in ascending order.

    >>> components(4, [(0, 2)])
    [[0, 2], [1], [3]]
    """
    parent = list(range(count))

    def root(vertex: int) -> int:
        while parent[vertex] != vertex:
            parent[vertex] = parent[parent[vertex]]
            vertex = parent[vertex]
        return vertex

    for source, target in lines:
        one, other = root(source), root(target)
        if one != other:
            parent[max(one, other)] = min(one, other)
    groups: dict[int, list[int]] = {}
    for vertex in range(count):
        groups.setdefault(root(vertex), []).append(vertex)
    return list(groups.values())


def topological_order(count: int, lines: Sequence[Line]) -> list[int]:
    """The vertices, each after all that point to it; `lines` must hold no cycle."""
    near = _outgoing(count, lines)
    left = [0] * count
    for _, target in lines:
        left[target] += 1
    ordered = [vertex for vertex in range(count) if not left[vertex]]
    for vertex in ordered:  # grows while it is read
        for target in near[vertex]:
            left[target] -= 1
            if not left[target]:
                ordered.append(target)
    return ordered


def ranks_of(count: int, lines: Sequence[Line]) -> list[int]:
    """The row of each vertex, from 0, so that all lines go down and their lengths have the least sum.

    Network simplex after Gansner, Koutsofios, North and Vo, "A Technique for Drawing Directed Graphs" (1993); the
    number of its steps is bounded, so that very large graphs get good rows rather than the best.

    Args:
        count: Number of vertices, all joined by `lines`.
        lines: Lines without a cycle.

    >>> ranks_of(4, [(0, 1), (1, 2), (3, 2)])
    [0, 1, 2, 1]
    """
    if count <= 1:
        return [0] * count
    above, below = sides(count, lines)
    ordered = topological_order(count, lines)
    rank = [0] * count
    for vertex in ordered:
        rank[vertex] = max((rank[near] + 1 for near in above[vertex]), default=0)
    for vertex in reversed(ordered):
        if len(below[vertex]) > len(above[vertex]):
            rank[vertex] = min(rank[near] for near in below[vertex]) - 1
    if count <= _MOST_EXACT:
        _Simplex(rank, lines).run(steps=_WORK // (count + len(lines)))
    first = min(rank)
    rank[:] = [row - first for row in rank]
    _balance(rank, ordered, above, below)
    return rank


def _balance(rank: list[int], ordered: list[int], above: list[list[int]], below: list[list[int]]) -> None:
    """Move vertices that could stand in several rows at no cost to the emptiest of them."""
    crowd = [0] * (max(rank) + 1)
    for row in rank:
        crowd[row] += 1
    for vertex in ordered:
        if above[vertex] and len(above[vertex]) == len(below[vertex]):
            low = max(rank[near] for near in above[vertex]) + 1
            high = min(rank[near] for near in below[vertex]) - 1
            row = min(range(low, high + 1), key=lambda row: (crowd[row] + _LOYALTY * (row != rank[vertex]), row))
            crowd[rank[vertex]] -= 1
            crowd[row] += 1
            rank[vertex] = row


class _Simplex:
    """A spanning tree of lines of length 1 that is improved line by line; `rank` is changed in place."""

    def __init__(self, rank: list[int], lines: Sequence[Line]) -> None:
        self.rank, self.lines = rank, lines
        count = len(rank)
        self.touching: list[list[int]] = [[] for _ in range(count)]
        self.surplus = [0] * count
        for number, (source, target) in enumerate(lines):
            self.touching[source].append(number)
            self.touching[target].append(number)
            self.surplus[source] += 1
            self.surplus[target] -= 1
        self.tree: set[int] = set()

    def slack(self, number: int) -> int:
        source, target = self.lines[number]
        return self.rank[target] - self.rank[source] - 1

    def run(self, steps: int) -> None:
        """At most `steps` exchanges of a tree line for another that shortens the whole."""
        self._grow_tree()
        for _ in range(steps):
            if not self._exchange():
                break

    def _grow_tree(self) -> None:
        """Join all vertices by tight lines, pulling those nearest to the tree up to it."""
        inside = [False] * len(self.rank)
        members: list[int] = []
        stack = [0]
        inside[0] = True
        while True:
            while stack:
                vertex = stack.pop()
                members.append(vertex)
                for number in self.touching[vertex]:
                    other = self._other_end(number, vertex)
                    if not inside[other] and not self.slack(number):
                        inside[other] = True
                        self.tree.add(number)
                        stack.append(other)
            if len(members) == len(self.rank):
                return
            border = [number for number, (source, target) in enumerate(self.lines) if inside[source] != inside[target]]
            nearest = min(border, key=self.slack)
            source, target = self.lines[nearest]
            step = self.slack(nearest) if inside[source] else -self.slack(nearest)
            for vertex in range(len(self.rank)):
                if not inside[vertex]:
                    self.rank[vertex] -= step
            newcomer = target if inside[source] else source
            inside[newcomer] = True
            self.tree.add(nearest)
            stack.append(newcomer)

    def _other_end(self, number: int, vertex: int) -> int:
        source, target = self.lines[number]
        return target if vertex == source else source

    def _walk(self) -> tuple[list[int], list[int]]:
        """Vertices of the tree from the root outwards, and the tree line that leads to each."""
        via = [-1] * len(self.rank)
        seen = [False] * len(self.rank)
        seen[0] = True
        order = [0]
        for vertex in order:  # grows while it is read
            for number in self.touching[vertex]:
                if number in self.tree:
                    other = self._other_end(number, vertex)
                    if not seen[other]:
                        seen[other] = True
                        via[other] = number
                        order.append(other)
        return order, via

    def _exchange(self) -> bool:
        """Replace the tree line whose lengthening helps most; whether there was one."""
        order, via = self._walk()
        # Lines inside a subtree cancel out in the sum of its surpluses, so the sum is the value of the cut
        # between the subtree and the rest.
        total = list(self.surplus)
        worst, leaving, top = 0, -1, -1
        for vertex in reversed(order):
            number = via[vertex]
            if number < 0:
                continue
            source, target = self.lines[number]
            value = total[vertex] if source == vertex else -total[vertex]
            if value < worst:
                worst, leaving, top = value, number, vertex
            total[target if source == vertex else source] += total[vertex]
        if leaving < 0:
            return False
        below = [False] * len(self.rank)
        below[top] = True
        for vertex in order:
            number = via[vertex]
            if number >= 0 and below[self._other_end(number, vertex)] and vertex != top:
                below[vertex] = True
        self._enter(leaving, below, downwards=self.lines[leaving][0] == top)
        return True

    def _enter(self, leaving: int, below: list[bool], *, downwards: bool) -> None:
        """Let the shortest line across the cut, against the direction of `leaving`, take its place."""
        crossing = [
            number
            for number, (source, target) in enumerate(self.lines)
            if below[source] != below[target] and below[target] == downwards
        ]
        entering = min(crossing, key=self.slack)
        step = self.slack(entering)
        if step:
            shift = -step if downwards else step
            for vertex, moves in enumerate(below):
                if moves:
                    self.rank[vertex] += shift
        self.tree.remove(leaving)
        self.tree.add(entering)


class RankedPart(NamedTuple):
    """One joined part of a graph, whose rows are chosen."""

    members: list[int]
    lines: list[Line]
    """Those between its members, all falling."""
    inner: list[Line]
    """The same by the numbers of vertices among the members."""
    row_of: list[int]
    """For each member."""


def ranked_parts(count: int, lines: Sequence[Line]) -> tuple[set[Line], list[RankedPart]]:
    """The lines that had to be turned around, and the joined parts of the graph with their rows.

    >>> ranked_parts(3, [(0, 1), (1, 0)])[1][0]
    RankedPart(members=[0, 1], lines=[(0, 1)], inner=[(0, 1)], row_of=[0, 1])
    """
    turned = backward_lines(count, lines)
    falling = list(dict.fromkeys(line[::-1] if line in turned else line for line in lines))
    groups = components(count, falling)
    group_of = {vertex: number for number, group in enumerate(groups) for vertex in group}
    inside: list[list[Line]] = [[] for _ in groups]
    for line in falling:
        inside[group_of[line[0]]].append(line)
    return turned, [_ranked(group, within) for group, within in zip(groups, inside, strict=True)]


def _ranked(members: list[int], lines: list[Line]) -> RankedPart:
    local = {vertex: number for number, vertex in enumerate(members)}
    inner = [(local[source], local[target]) for source, target in lines]
    return RankedPart(members, lines, inner, ranks_of(len(members), inner))
