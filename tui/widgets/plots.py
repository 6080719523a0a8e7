"""Charts as rows of text: curves as dots of braille or quarter blocks, round ticks, and frames below each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tools.session import Samples
from tui.widgets.dots import cell_bits, codes_of, dots_a_cell
from tui.widgets.joined_curve import joined_dots
from tui.widgets.lines import KINDS, Kind, Line, Span
from tui.widgets.plot_scale import round_ticks, tick_texts

LEFT = 10
"""Columns before a chart: its ticks and its frame."""
RIGHT = 2
"""Columns after it, for the letters of curves."""
_SHADES = np.array([ord(char) for char in " ░▒▓█"], dtype=np.uint32)
_NUMBER = {kind: number for number, kind in enumerate(KINDS)}
Mark = tuple[str, Kind]


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One curve: its least and greatest value in each column of dots."""

    low: Samples
    high: Samples
    """Shape (columns,), two of them a cell; NaN where there is none."""
    kind: Kind = "lane"
    letter: str = ""
    """What is written at its end, where several share a chart."""
    dashed: bool = False
    """Whether every third cell of it is left out, so that it is told from another without colours."""


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """One curve of few points, which are joined by lines."""

    x: Samples
    """Shape (n,), rising."""
    y: Samples
    """Shape (n,)."""
    span: tuple[float, float]
    """What the chart shows from left to right."""
    kind: Kind = "lane"
    letter: str = ""
    """What is written at its end, where several share a chart."""

    @property
    def high(self) -> Samples:
        """Its values."""
        return self.y


def chart(
    curves: Sequence[Curve | Joined],
    scale: tuple[float, float],
    width: int,
    height: int,
    *,
    braille: bool,
    uprights: Mapping[int, Mark],
    levels: Mapping[float, Mark] | None = None,
) -> list[Line]:
    """Curves as `height` rows, `LEFT` columns of ticks and frame before `width` of chart and `RIGHT` after it.

    Args:
        curves: later ones are drawn over earlier ones.
        scale: the values at the bottom and the top.
        width: cells of the chart itself.
        height: cells.
        braille: whether the terminal has braille.
        uprights: by column a line from top to bottom, such as the cursor; curves go before all but a `bar`.
        levels: by value a line from side to side.
    """
    codes = np.full((height, width), ord(" "), dtype=np.uint32)
    kinds = np.full((height, width), _NUMBER["text"], dtype=np.uint8)
    for value, (sign, kind) in (levels or {}).items():
        row = _row_of(value, scale, height)
        if row is not None:
            codes[row], kinds[row] = ord(sign), _NUMBER[kind]
    for column, (sign, kind) in uprights.items():
        codes[:, column], kinds[:, column] = ord(sign), _NUMBER[kind]
    dots = np.zeros((height, width), dtype=np.uint32)
    for curve in curves:
        drawn = _cells(curve, scale, width, height, braille)
        dots |= drawn
        kinds[drawn > 0] = _NUMBER[curve.kind]
    inked = dots > 0
    codes[inked] = codes_of(dots, braille=braille)[inked]
    for column, (_, kind) in uprights.items():
        if kind == "bar":
            kinds[:, column] = _NUMBER[kind]
    return _framed(codes, kinds, scale, height, _letters(curves, scale, height))


def shaded(power: Samples, scale: tuple[float, float], *, uprights: Mapping[int, Mark]) -> list[Line]:
    """A map of numbers from 0 to 1, shape (rows, columns), the lowest row first, as shades under the same frame."""
    height, width = power.shape
    shades = np.clip(np.nan_to_num(power) * len(_SHADES), 0, len(_SHADES) - 1).astype(np.intp)[::-1]
    codes, kinds = _SHADES[shades], np.full((height, width), _NUMBER["lane"], dtype=np.uint8)
    for column, (sign, kind) in uprights.items():
        codes[:, column], kinds[:, column] = ord(sign), _NUMBER[kind]
    return _framed(codes, kinds, scale, height, {})


def axis(span: tuple[float, float], width: int, unit: str, signs: Mapping[int, Mark]) -> list[Line]:
    """The axis that charts of this width share: a line with ticks and signs on it, and the numbers below."""
    ticks = round_ticks(*span, max(2, width // 12))
    line: list[Mark] = [("─", "dim")] * width
    numbers = [" "] * (LEFT + width + RIGHT)
    for tick, text in zip(ticks, tick_texts(ticks), strict=True):
        column = min(width - 1, round((tick - span[0]) / (span[1] - span[0]) * width))
        line[column] = ("┬", "dim")
        first = min(max(0, LEFT + column - len(text) // 2), len(numbers) - len(text))
        numbers[first : first + len(text)] = text
    for column, sign in signs.items():
        line[column] = sign
    text = "".join(numbers)
    text = text[: -len(unit) - 1] + " " + unit if not text[-len(unit) - 1 :].strip() else text
    return [((" " * (LEFT - 1) + "└", "dim"), *_merged(line), (" " * RIGHT, "dim")), ((text, "dim"),)]


def _cells(curve: Curve | Joined, scale: tuple[float, float], width: int, height: int, braille: bool) -> np.ndarray:
    """The bits of a curve's dots in each cell, shape (height, width)."""
    if isinstance(curve, Joined):
        return joined_dots(curve.x, curve.y, curve.span, scale, width, height, braille=braille)
    tall, wide = dots_a_cell(braille)
    levels = tall * height
    bottom, top = scale
    part = (levels - 1) / (top - bottom) if top > bottom else 0.0
    there = ~np.isnan(curve.low)
    with np.errstate(invalid="ignore"):
        first = np.nan_to_num((curve.low - bottom) * part).round()
        last = np.nan_to_num((curve.high - bottom) * part).round()
    there &= (last >= 0) & (first < levels)
    level = np.arange(levels - 1, -1, -1)[:, None]
    dots = (level >= first) & (level <= last) & there
    if curve.dashed:
        dots &= np.arange(dots.shape[1]) // wide % 3 < 2
    return cell_bits(dots, braille=braille)


def _row_of(value: float, scale: tuple[float, float], height: int) -> int | None:
    if not scale[0] <= value <= scale[1] or scale[1] <= scale[0]:
        return None
    return min(height - 1, int((scale[1] - value) / (scale[1] - scale[0]) * height))


def _letters(curves: Sequence[Curve | Joined], scale: tuple[float, float], height: int) -> dict[int, Mark]:
    """By row the letter of the curve that ends there; one that is taken gives way to the next row."""
    letters: dict[int, Mark] = {}
    for curve in curves:
        ends = curve.high[~np.isnan(curve.high)]
        if not curve.letter or not ends.size:
            continue
        row = _row_of(min(max(float(ends[-1]), scale[0]), scale[1]), scale, height) or 0
        free = [other for other in range(height) if other not in letters]
        if free:
            letters[min(free, key=lambda other: abs(other - row))] = (curve.letter, curve.kind)
    return letters


def _narrow_texts(ticks: Sequence[float]) -> list[str]:
    """The numbers of an axis in the columns that they have: those that have no room lose digits, as few as will do."""
    rounded = ([f"{tick:.{digits}g}" for tick in ticks] for digits in range(LEFT - 3, 1, -1))
    for texts in (tick_texts(ticks), *rounded):
        if all(len(text) <= LEFT - 2 for text in texts):
            return texts
    return [f"{tick:.0e}" for tick in ticks]


def _framed(
    codes: np.ndarray, kinds: np.ndarray, scale: tuple[float, float], height: int, letters: Mapping[int, Mark]
) -> list[Line]:
    ticks = round_ticks(*scale, max(3, height // 2))
    texts = _narrow_texts(ticks)
    at = {_row_of(tick, scale, height): text for tick, text in zip(ticks, texts, strict=True)}
    lines: list[Line] = []
    for row in range(height):
        frame = at.get(row, "").rjust(LEFT - 2) + (" ┤" if row in at else " │")
        end: tuple[Span, ...] = (("▕", "dim"), letters[row]) if row in letters else (("▕ ", "dim"),)
        lines.append(((frame, "dim"), *_spans(codes[row], kinds[row]), *end))
    return lines


def _spans(codes: np.ndarray, kinds: np.ndarray) -> list[Span]:
    """A row of cells as spans of one kind each."""
    text = codes.astype("<u4").tobytes().decode("utf-32-le")
    edges = [0, *(np.flatnonzero(np.diff(kinds)) + 1).tolist(), len(text)]
    return [(text[a:b], KINDS[kinds[a]]) for a, b in pairwise(edges)]


def _merged(cells: Sequence[Mark]) -> list[Span]:
    spans: list[Span] = []
    for text, kind in cells:
        if spans and spans[-1][1] == kind:
            spans[-1] = (spans[-1][0] + text, kind)
        else:
            spans.append((text, kind))
    return spans
