"""Figures, and the table they are printed as."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    what: str
    measured: str
    goal: str = ""
    met: bool | None = None
    """None where there is no goal."""


def median(values: Sequence[float]) -> float:
    """The middle value; not a number when there is none."""
    return statistics.median(values) if values else float("nan")


def p95(values: Sequence[float]) -> float:
    """The value that 95 of 100 do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, -(-len(ordered) * 95 // 100) - 1)] if ordered else float("nan")


def table(figures: Sequence[Figure]) -> str:
    """The figures in Markdown."""
    signs = {True: "✓", False: "missed", None: ""}
    lines = [f"| {figure.what} | {figure.measured} | {figure.goal} | {signs[figure.met]} |" for figure in figures]
    return "\n".join(["| what | measured | goal | |", "|---|---|---|---|", *lines])
