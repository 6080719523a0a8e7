"""Labelled stretches of a recording, as a value: marking, taking away, undo and redo. No file.

Stretches never overlap: what is marked later takes the place of what it covers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.errors import UsageError

MAX_STEPS = 200
"""So many steps can be undone."""


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A stretch of one label, in seconds of the recording's clock."""

    start_sec: float
    end_sec: float
    label: str


Stretches = tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Marks:
    """The stretches of a recording in rising time, and the ones there were before each step."""

    stretches: Stretches = ()
    undo: tuple[Stretches, ...] = ()
    redo: tuple[Stretches, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """Its labels, sorted."""
        return tuple(sorted({mark.label for mark in self.stretches}))

    def at(self, second: float) -> Mark | None:
        """The stretch that a moment lies in."""
        return next((mark for mark in self.stretches if mark.start_sec <= second < mark.end_sec), None)

    @property
    def marked_sec(self) -> float:
        """How long all of them are together."""
        return sum(mark.end_sec - mark.start_sec for mark in self.stretches)


def marked(marks: Marks, start: float, end: float, label: str) -> Marks:
    """With one more stretch; others give way, and one of the same label that it touches or overlaps grows.

    Raises:
        UsageError: the stretch is empty or has no label.
    """
    label = " ".join(label.split())
    if not label:
        raise UsageError("a stretch needs a label; to take one away, clear it")
    _check(start, end)
    same = [m for m in marks.stretches if m.label == label and m.start_sec <= end and m.end_sec >= start]
    start, end = min([start, *(m.start_sec for m in same)]), max([end, *(m.end_sec for m in same)])
    return _step(marks, [*_without(marks.stretches, start, end), Mark(start, end, label)])


def cleared(marks: Marks, start: float, end: float) -> Marks:
    """Without labels from `start` to `end`. Raises UsageError when none is there."""
    _check(start, end)
    rest = _without(marks.stretches, start, end)
    if tuple(sorted(rest)) == marks.stretches:
        raise UsageError(f"nothing is marked from {start:g} to {end:g} s")
    return _step(marks, rest)


def undone(marks: Marks) -> Marks:
    """As before the last step. Raises UsageError when there is none."""
    if not marks.undo:
        raise UsageError("there is no marking to undo")
    *earlier, before = marks.undo
    return Marks(before, tuple(earlier), (*marks.redo, marks.stretches))


def redone(marks: Marks) -> Marks:
    """As after the step that was undone last. Raises UsageError when there is none."""
    if not marks.redo:
        raise UsageError("there is no marking to redo")
    *later, after = marks.redo
    return replace(marks, stretches=after, undo=(*marks.undo, marks.stretches), redo=tuple(later))


def snapped(second: float, edges: Sequence[float], within: float) -> float:
    """The nearest of these edges that is at most `within` seconds away, else the moment itself."""
    near = min(edges, key=lambda edge: abs(edge - second), default=second)
    return near if abs(near - second) <= within else second


def _check(start: float, end: float) -> None:
    if not end > start:
        raise UsageError(f"a stretch from {start:g} to {end:g} s is empty: it must end after it begins")


def _without(stretches: Stretches, start: float, end: float) -> list[Mark]:
    rest: list[Mark] = []
    for mark in stretches:
        if mark.start_sec < min(start, mark.end_sec):
            rest.append(replace(mark, end_sec=min(mark.end_sec, start)))
        if mark.end_sec > max(end, mark.start_sec):
            rest.append(replace(mark, start_sec=max(mark.start_sec, end)))
    return list(dict.fromkeys(rest))


def _step(marks: Marks, stretches: Sequence[Mark]) -> Marks:
    return Marks(tuple(sorted(stretches)), (*marks.undo, marks.stretches)[-MAX_STEPS:])
