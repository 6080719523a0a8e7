"""An evaluation as rows in so many columns: contestants with their intervals, differences, labels, confusion and
calibration, each cell with the threads it stands for."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from core.evaluation.figures import Figures, Standing
from core.evaluation.scores import CONFIDENCES, NO_ANSWER, STATED, Share, confusion, per_dataset, per_label
from core.filters.values import term
from core.text import counted, one_line
from core.thread.cost import cost_shown
from tui.widgets.cell_board import Cell, CellRow
from tui.widgets.count_table import Row, Rows, named
from tui.widgets.lines import Kind, Line, Span, cells, fit
from tui.widgets.short_labels import both, shortened

NAME_WIDTH = 26
"""Columns of a contestant's or a label's name, at most."""
BAR_WIDTH = (12, 40)
"""Columns of a drawn interval: at least, and at most."""
SURE = 0.05
"""A difference has a colour where its interval leaves zero out and McNemar's p is below: with few sessions the interval
alone says too much."""
SHORT = 6
"""Columns of a cell where the heads are numbers."""


def evaluation_rows(figures: Figures, width: int) -> tuple[Row, ...]:
    """All tables."""
    rows = [*_contestants(figures, width), *_differences(figures, width), *_datasets(figures, width)]
    rows += _labels(figures, width)
    for standing in figures.standings:
        rows += _confusion(standing, figures.labels, width)
    rows += _calibration(figures, width)
    return tuple(_fitted(row, width) for row in rows)


def _fitted(row: Row, width: int) -> Row:
    if cells(row.line) <= width:
        return row
    if isinstance(row, CellRow):
        return CellRow(fit(row.line, width), row.terms, row.about, row.cells[:1], row.first)
    return Row(fit(row.line, width), row.terms, row.about)


def interval_drawn(share: Share, width: int) -> Line:
    """`   ├──●───┤  ` from 0 to 100 %."""
    low, high = share.interval
    start, middle, end = (round(part * (width - 1)) for part in (low, share.value, high))
    drawn = [" "] * width
    drawn[start : end + 1] = ["─"] * (end + 1 - start)
    drawn[start], drawn[end], drawn[middle] = "├", "┤", "●"
    text = "".join(drawn)
    return ((text[:middle], "dim"), (text[middle], "mark"), (text[middle + 1 :], "dim"))


def _room(names: Sequence[str], width: int) -> int:
    return min(max(map(cell_len, names), default=8), NAME_WIDTH, max(10, width // 3))


def _contestants(figures: Figures, width: int) -> Rows:
    """Shares with their intervals, and what a thread takes."""
    standings = figures.standings
    numbered = _numbered(standings)
    room = _room(numbered, width)
    priced = any(standing.cost is not None for standing in standings)
    heads = ["right, 95 %", "finished"]
    table = [[str(standing.share), f"{standing.finished}/{len(standing.outcomes)}"] for standing in standings]
    optional: list[tuple[str, list[str]]] = [
        ("macro F1, 95 %", [_f1(standing) for standing in standings]),
        ("calls", [_mean(standing, "calls", 1) for standing in standings]),
        ("failed", [_mean(standing, "failures", 1) for standing in standings]),
        ("tokens", [_mean(standing, "tokens", 0) for standing in standings]),
        ("s", [_mean(standing, "seconds", 1) for standing in standings]),
    ]
    if any(standing.effort.get("tokens_read") for standing in standings):
        optional.insert(4, ("read", [_mean(standing, "tokens_read", 0) for standing in standings]))
    if priced:
        costs = [standing.cost for standing in standings]
        optional.insert(1, ("cost", ["–" if cost is None else cost_shown(cost) for cost in costs]))
    sizes = [max(len(head), *(len(row[at]) for row in table)) + 2 for at, head in enumerate(heads)]
    for head, values in optional:
        size = max(len(head), *map(len, values)) + 2
        if 2 + room + sum(sizes) + size + BAR_WIDTH[0] + 2 <= width:
            heads.append(head)
            sizes.append(size)
            for row, value in zip(table, values, strict=True):
                row.append(value)
    bar = min(width - 4 - room - sum(sizes), BAR_WIDTH[1])
    yield Row()
    top: list[Span] = [(head.rjust(size), "dim") for head, size in zip(heads, sizes, strict=True)]
    scale = f"  0 %{'100 %'.rjust(bar - 3)}" if bar >= BAR_WIDTH[0] else ""
    yield Row((named("who", room + 2, "mark"), *top, (scale, "dim")))
    every = frozenset(numbered)
    for standing, name, row in zip(standings, numbered, table, strict=True):
        numbers: list[Span] = [(text.rjust(size), "text") for text, size in zip(row, sizes, strict=True)]
        drawn: Line = (("  ", "text"), *interval_drawn(standing.share, bar)) if bar >= BAR_WIDTH[0] else ()
        about = f"{one_line(standing.contestant.key, 60)}: all of its {counted(len(standing.outcomes), 'thread')}"
        whole = Cell(standing.contestant.key, (), about)
        called = named(shortened(name, room, every), room, "text")
        yield CellRow((("  ", "text"), called, *numbers, *drawn), (), about, (whole,))


def _differences(figures: Figures, width: int) -> Rows:
    """Each against each, on the same sessions."""
    if not figures.differences:
        return
    pairs = [f"{one_line(a.contestant.key)} − {one_line(b.contestant.key)}" for a, b, _ in figures.differences]
    room = min(max(map(cell_len, pairs)), max(24, width - 50))
    keys_of_all = frozenset(one_line(standing.contestant.key) for standing in figures.standings)
    yield Row()
    heads = f"{'points, 95 %'.rjust(25)}{'right alone'.rjust(14)}{'p'.rjust(9)}"
    yield Row((named("differences", room + 2, "mark"), (heads, "dim")))
    for (first, second, apart), name in zip(figures.differences, pairs, strict=True):
        low, high = (100 * side for side in apart.interval)
        sure = (low > 0 or high < 0) and apart.p < SURE
        points = f"{100 * apart.value:+.1f} ({low:+.1f} to {high:+.1f})"
        alone = f"{apart.only_first} and {apart.only_second}"
        kind: Kind = ("good" if apart.value > 0 else "bad") if sure else "text"
        told = "" if sure else ": it may be chance"
        about = f"the sessions at which {one_line(name, 80).replace(' − ', ' and ')} differ, side by side{told}"
        keys = (first.contestant.key, second.contestant.key)
        called = name if cell_len(name) <= room else " − ".join(both(keys[0], keys[1], room - 3, keys_of_all))
        numbers: Line = ((points.rjust(25), kind), (alone.rjust(14), "text"), (f"{apart.p:.2g}".rjust(9), "text"))
        whole = Cell("", (), about, keys)
        yield CellRow((("  ", "text"), named(called, room, "text"), *numbers), (), about, (whole,))


def _datasets(figures: Figures, width: int) -> Rows:
    """How often each was right, dataset by dataset, where there are several."""
    shares = [per_dataset(standing.outcomes) for standing in figures.standings]
    names = figures.evaluation.datasets
    if len(names) > 1:
        rows = [(name, (term("dataset", name),), [share.get(name) for share in shares]) for name in names]
        yield from _shares_table("right for each dataset", rows, figures, width)


def _labels(figures: Figures, width: int) -> Rows:
    """How often each was right, label by label."""
    shares = [per_label(standing.outcomes) for standing in figures.standings]
    yield from _shares_table(
        "right for each label",
        [(label, (term("truth", label),), [share.get(label) for share in shares]) for label in figures.labels],
        figures,
        width,
    )


def _calibration(figures: Figures, width: int) -> Rows:
    """How often answers of each stated confidence were right."""
    levels = [level for level in (*CONFIDENCES, "none") if any(level in s.reliability for s in figures.standings)]
    rows = [
        (
            level if level != "none" else "not stated",
            ("status:finished", term("confidence", level if level != "none" else "")),
            [standing.reliability.get(level) for standing in figures.standings],
        )
        for level in levels
    ]
    yield from _shares_table("right by stated confidence", rows, figures, width)
    errors = [
        f"{number}: {standing.calibration_error:.2f}"
        for number, standing in enumerate(figures.standings, 1)
        if standing.calibration_error is not None
    ]
    if errors:
        promised = ", ".join(f"{level} {100 * share:.0f} %" for level, share in STATED.items())
        yield Row(((f"  calibration error: {', '.join(errors)} (of {promised})", "dim"),))


def _shares_table(
    title: str,
    rows: Sequence[tuple[str, tuple[str, ...], Sequence[Share | None]]],
    figures: Figures,
    width: int,
) -> Rows:
    """A row for each name, a cell for each contestant."""
    room = _room([name for name, _, _ in rows] + [title], width)
    each = max(SHORT, min(22, (width - room - 2) // max(1, len(figures.standings))))
    wide = each >= 21
    numbers = [str(number) for number in range(1, len(figures.standings) + 1)]
    names = [one_line(standing.contestant.key, 40) for standing in figures.standings]
    heads = names if max(map(len, names)) + 2 <= each else numbers
    yield Row()
    yield Row((named(title, room + 2, "mark"), *((head.rjust(each), "dim") for head in heads)))
    for name, terms, shares in rows:
        line: list[Span] = [("  ", "text"), named(one_line(name, 60), room, "text")]
        row_cells: list[Cell] = []
        for standing, share in zip(figures.standings, shares, strict=True):
            counts = f"{share.right}/{share.of}" if share else "·"
            text = _with_interval(share) if share and wide else counts
            line.append((text.rjust(each), "dim" if not share else "text"))
            about = f"{one_line(standing.contestant.key, 60)}: {' '.join(terms)}, {counts.replace('/', ' of ')} right"
            row_cells.append(Cell(standing.contestant.key, terms, about))
        yield CellRow(tuple(line), (), title, tuple(row_cells), 2)


def _confusion(standing: Standing, labels: Sequence[str], width: int) -> Rows:
    """Labels against answers; answers that are no label stand as others, no answer as such."""
    counts = confusion(standing.outcomes)
    answers: list[str] = [*labels, *sorted({a for _, a in counts} - {*labels, NO_ANSWER})]
    answers += [NO_ANSWER] if any(answer == NO_ANSWER for _, answer in counts) else []
    numbered = [f"{number} {one_line(label, 40)}" for number, label in enumerate(labels, 1)]
    room = _room(numbered, width)
    heads = [one_line(name, 24) for name in answers]
    if 2 + room + sum(max(len(head) + 2, SHORT - 1) for head in heads) > width:
        heads = [str(at) if at <= len(labels) else one_line(name, 14) for at, name in enumerate(answers, 1)]
    sizes = [max(len(head) + 2, SHORT - 1) for head in heads]
    while 2 + room + sum(sizes) > width and len(answers) > len(labels):
        answers, heads, sizes = answers[:-1], heads[:-1], sizes[:-1]
    yield Row()
    title = f"{one_line(standing.contestant.key, 60)}: rows are labels, columns answers"
    yield Row(((title, "mark"),))
    if 2 + room + sum(sizes) > width:
        yield Row((("  too many labels for this width", "dim"),))
        return
    top: list[Span] = [(head.rjust(size), "dim") for head, size in zip(heads, sizes, strict=True)]
    yield Row(((" " * (room + 2), "text"), *top))
    for label, called in zip(labels, numbered, strict=True):
        line: list[Span] = [("  ", "text"), named(called, room, "text")]
        row_cells: list[Cell] = []
        for answer, size in zip(answers, sizes, strict=True):
            number = counts.get((label, answer), 0)
            kind: Kind = "dim" if not number else "good" if answer == label else "bad"
            line.append(((str(number) if number else "·").rjust(size), kind))
            terms = (term("truth", label), "-status:finished" if answer == NO_ANSWER else term("answer", answer))
            about = f"{counted(number, 'try')}: {one_line(label, 40)} answered as "
            row_cells.append(Cell(standing.contestant.key, terms, about + one_line(answer, 40)))
        yield CellRow(tuple(line), (), title, tuple(row_cells), 2)


def _numbered(standings: Sequence[Standing]) -> list[str]:
    return [f"{number} {one_line(standing.contestant.key, 60)}" for number, standing in enumerate(standings, 1)]


def _with_interval(share: Share) -> str:
    low, high = share.interval
    return f"{share.right}/{share.of} ({100 * low:.0f}–{100 * high:.0f} %)"


def _f1(standing: Standing) -> str:
    low, high = standing.macro_f1_interval
    return f"{standing.macro_f1:.2f} ({low:.2f}–{high:.2f})"


def _mean(standing: Standing, name: str, places: int) -> str:
    mean = standing.effort.get(name)
    return "–" if mean is None or (name.startswith("tokens") and not mean) else f"{mean:,.{places}f}"
