"""Functions that every system gets as they are; each system makes its own task of them. And the smallest listener."""

from __future__ import annotations

__all__ = ["add", "count", "hear", "same"]


def add(a: int, b: int) -> int:
    """Sum of two numbers: next to no work, so that the cost of the call is what shows."""
    return a + b


def same(number: int) -> int:
    """The number itself: the smallest node of a chain."""
    return number


def count(values: list[int]) -> int:
    """Length of a list."""
    return len(values)


def hear(event: object) -> None:
    """Do nothing about an event: what a run costs that has a listener."""
