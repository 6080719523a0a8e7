"""Tables of counts as rows in so many columns: names, numbers, and a bar where there is room for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

from core.listing.statistics import Count
from core.text import one_line
from tui.widgets.lines import Kind, Line, Span

NAME_WIDTH = (10, 30)
"""Columns of the names: at least, and at most where there is no more room."""
WIDE = 120
"""From so many columns on there is room for all that is counted."""
BAR_WIDTH = (8, 44)
"""Columns of a bar: at least, and at most."""
LEGEND = "  █ right ▒ wrong ░ neither"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a board of tables."""

    line: Line = ()
    terms: tuple[str, ...] = ()
    """The filter terms that select its threads; none where it stands for no threads."""
    about: str = ""
    """What is said of it when the cursor is there."""


Rows = Iterator[Row]


@dataclass(frozen=True, slots=True)
class Column:
    """A number of each row."""

    title: str
    value: Callable[[Count], str]
    kind: Kind = "text"
    wide: bool = False
    """Whether it is left out where there is little room."""


def percent(part: int, of: int) -> str:
    """A share in whole per cent; empty of nothing."""
    return f"{100 * part / of:.0f}" if of else ""


def digits(number: int) -> str:
    """A number, or a dot for none."""
    return f"{number:,}" if number else "·"


def table(
    title: str, counts: Sequence[Count], columns: Sequence[Column], width: int, *,
    terms: Callable[[Count], tuple[str, ...]], unnamed: str, about: Callable[[Count], str] = lambda _: "",
    blind: bool = False, legend: str = LEGEND,
) -> Rows:  # fmt: skip
    """A heading, then a row for each count: its name, its numbers, and a bar where there is room for one."""
    shown = [column for column in columns if not column.wide or width >= WIDE]
    texts = [[column.title, *(column.value(count) for count in counts)] for column in shown]
    names = [one_line(count.name, 200) or unnamed for count in counts]
    wanted = min(max(map(cell_len, (*names, title))), max(NAME_WIDTH[1], width // 3))
    widths = [max(map(len, some)) + 2 for some in texts]
    if wanted + 4 + sum(widths) > width:
        widths = [size - 1 for size in widths]
    room = max(min(wanted, width - 4 - sum(widths)), NAME_WIDTH[0])
    bar = min(width - 2 - room - sum(widths) - 2, BAR_WIDTH[1])
    most = max((count.threads for count in counts), default=0)
    legend = "" if blind else legend
    heads: list[Span] = [(some[0].rjust(size), "dim") for some, size in zip(texts, widths, strict=True)]
    yield Row()
    yield Row((named(title, room + 2, "mark"), *heads, (legend if bar >= len(legend) else "", "dim")))
    for number, count in enumerate(counts, 1):
        numbers: list[Span] = [
            (some[number].rjust(size), "dim" if some[number] == "·" else column.kind)
            for some, size, column in zip(texts, widths, shown, strict=True)
        ]
        drawn: Line = (("  ", "text"), *_bar(count, bar, most, blind)) if bar >= BAR_WIDTH[0] else ()
        head: Line = (("  ", "text"), named(names[number - 1], room, "text"))
        yield Row((*head, *numbers, *drawn), terms(count), about(count))


def named(text: str, width: int, kind: Kind) -> Span:
    """The text in exactly so many columns."""
    padded = set_cell_size(text, width)
    return (padded if cell_len(text) <= width else f"{set_cell_size(text, width - 1)}…", kind)


def _bar(count: Count, width: int, most: int, blind: bool) -> Line:
    """Right, wrong and other threads, each as long as there are many; what there is of shows at least a cell."""
    if not most:
        return ()
    if blind:
        return (("█" * _cells(count.threads, most, width), "dim"),)
    parts: tuple[tuple[int, str, Kind], ...] = (
        (count.right, "█", "good"), (count.wrong, "▒", "bad"), (count.threads - count.right - count.wrong, "░", "dim")
    )  # fmt: skip
    drawn: list[Span] = []
    so_far, end = 0, 0
    for number, sign, kind in parts:
        so_far += number
        size = max(_cells(so_far, most, width) - end, 1 if number else 0)
        drawn.append((sign * min(size, width - end), kind))
        end += size
    return tuple(drawn)


def _cells(number: int, most: int, width: int) -> int:
    return max(1, round(width * number / most)) if number else 0
