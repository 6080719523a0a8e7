"""The statistics board as rows in so many columns: tables with bars, each row with the threads it stands for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len

from core.filters.values import term
from core.listing.statistics import Answered, Count, DatasetStatistics, Statistics, interval
from core.text import one_line
from tui.widgets.count_table import NAME_WIDTH, Column, Row, Rows, digits, named, percent, table
from tui.widgets.lines import Kind, Span, cells, fit

TIGHT_NAMES = 16
"""Columns of the names where all else would not fit."""
OTHERS = "…"
"""What heads the answers that are no label of the dataset."""
MOST_WRONG = 15
MOST_ANSWERS = 30
MOST_PATHS = 12
MOST_BINS = 12
"""Rows of the longer tables; the rest is summed up in one more."""


def lay_out(found: Statistics, width: int, *, blind: bool) -> tuple[Row, ...]:
    """All tables. With `blind`, nothing tells the label of a thread, nor whether an answer is right."""
    rows = [*_summary(found, blind, width)]
    if found.total.threads:
        several = len(found.datasets) > 1
        for dataset in found.datasets:
            scope = (term("dataset", dataset.name),) if several else ()
            if blind:
                rows += _answered(dataset, scope, width)
            else:
                rows += [*_balance(dataset, scope, width), *_confusion(dataset, scope, width)]
                rows += _wrong(dataset, scope, width)
        rows += _shares("confidence", found.confidence, _stated, "not stated", width, blind)
        rows += _shares("turns", _binned(found.turns), lambda one: _number("turns", one.name), "", width, blind)
        rows += _shares("tool calls", _binned(found.calls), lambda one: _number("calls", one.name), "", width, blind)
        rows += _shares("different tools", _binned(found.kinds), lambda _: (), "", width, blind)
        rows += _shares("tools", found.tools, lambda one: (term("tools", one.name),), "", width, blind)
        rows += _paths(found, width, blind)
    return tuple(row if cells(row.line) <= width else Row(fit(row.line, width), row.terms, row.about) for row in rows)


def _summary(found: Statistics, blind: bool, width: int) -> Rows:
    one = found.total
    line: list[Span] = [(f"{one.threads:,} threads", "text"), (f" · {one.finished:,} finished", "text")]
    if not blind:
        share = f" ({percent(one.right, one.right + one.wrong)} %)" if one.right + one.wrong else ""
        line.extend(((f" · {one.right:,} right{share}", "good"), (f" · {one.wrong:,} wrong", "bad")))
    judged: list[Span] = [(f" · {one.accepted:,} accepted", "text"), (f" · {one.rejected:,} rejected", "text")]
    if found.unreadable:
        judged.append((f" · {found.unreadable:,} not readable", "warn"))
    if cells(line) + cells(judged) <= width:
        yield Row((*line, *judged))
    else:
        yield Row(tuple(line))
        yield Row(((judged[0][0].removeprefix(" · "), "text"), *judged[1:]))
    if blind:
        yield Row((("the truth is hidden, and what would tell it; w in the list shows it", "dim"),))


# What is counted

_BALANCE = (
    Column("threads", lambda one: digits(one.threads)),
    Column("finished", lambda one: digits(one.finished), wide=True),
    Column("right", lambda one: digits(one.right), "good"),
    Column("wrong", lambda one: digits(one.wrong), "bad"),
    Column("right %", lambda one: percent(one.right, one.right + one.wrong), wide=True),
    Column("accepted", lambda one: digits(one.accepted)),
    Column("rejected", lambda one: digits(one.rejected)),
    Column("ready", lambda one: digits(one.ready)),
    Column("needs", lambda one: f"{one.missing:,}" if one.missing else "", "warn"),
)


def _share(one: Count) -> str:
    """Where between it lies with 95 % confidence."""
    low, high = interval(one.right, one.right + one.wrong)
    return f"{100 * low:.0f}–{100 * high:.0f}" if one.right + one.wrong else ""


_SHARES = (
    Column("threads", lambda one: digits(one.threads)),
    Column("right", lambda one: digits(one.right), "good"),
    Column("wrong", lambda one: digits(one.wrong), "bad"),
    Column("right %", lambda one: percent(one.right, one.right + one.wrong)),
    Column("95 %", _share),
)
_BLIND = (Column("threads", lambda one: digits(one.threads)),)


# The parts


def _balance(dataset: DatasetStatistics, scope: tuple[str, ...], width: int) -> Rows:
    most = max(dataset.labels, key=lambda one: (bool(one.name), one.ready))

    def about(one: Count) -> str:
        name = one_line(one.name, 60)
        if one.missing:
            return f"needs {one.missing:,} more to match {one_line(most.name, 60)} ({most.ready:,} ready)"
        return f"{one.ready:,} {name} ready: finished and not rejected"

    yield from table(
        one_line(dataset.name, 60) or "no dataset", dataset.labels, _BALANCE, width, unnamed="no label", about=about,
        terms=lambda one: (*scope, term("truth", one.name)) if one.threads else (),
    )  # fmt: skip


def _answered(dataset: DatasetStatistics, scope: tuple[str, ...], width: int) -> Rows:
    """What was answered, whatever was true."""
    yield from table(
        f"{one_line(dataset.name, 60) or 'no dataset'}: answers", dataset.by_answer[:MOST_ANSWERS], _BLIND, width,
        unnamed="no answer", blind=True, terms=lambda one: (*scope, "status:finished", term("answer", one.name)),
    )  # fmt: skip
    yield from _left("answers", [one.threads for one in dataset.by_answer[MOST_ANSWERS:]])


def _confusion(dataset: DatasetStatistics, scope: tuple[str, ...], width: int) -> Rows:
    """Labels against answers; nothing where they do not fit side by side: the list of wrong answers has them too."""
    found = {(one.truth, one.answer): one.threads for one in dataset.answers}
    truths = [one.name for one in dataset.labels]
    labels = [name for name in truths if name]
    other = dict.fromkeys(truths, 0)
    for (truth, answer), number in found.items():
        other[truth] += number if answer not in labels else 0
    truths = [name for name in truths if name or other[name] or any((name, label) in found for label in labels)]
    if not found:
        return
    answers = [*labels, ""] if any(other.values()) else labels
    numbered = [f"{place} {one_line(name, 40) or 'no label'}" for place, name in enumerate(truths, 1)]
    room, heads, sizes = _columns(numbered, answers, max((*found.values(), *other.values())), width)
    yield Row()
    title = f"{one_line(dataset.name, 60) or 'no dataset'}: rows are labels, columns answers"
    yield Row(((title, "mark"), (f"   {OTHERS} other answers" if "" in answers else "", "dim")))
    if not sizes:
        yield Row((("  too many labels for this width; the wrong answers follow", "dim"),))
        return
    top: list[Span] = [(head.rjust(wide), "dim") for head, wide in zip(heads, sizes, strict=True)]
    yield Row(((" " * (room + 2), "text"), *top))
    for name, called in zip(truths, numbered, strict=True):
        line: list[Span] = [("  ", "text"), named(called, room, "text")]
        for answer, wide in zip(answers, sizes, strict=True):
            number = found.get((name, answer), 0) if answer else other[name]
            kind: Kind = "dim" if not number else "good" if name == answer else "bad" if name else "text"
            line.append((digits(number).rjust(wide), kind))
        terms = (*scope, "status:finished", term("truth", name))
        yield Row(tuple(line), terms if any(one.truth == name for one in dataset.answers) else ())


def _columns(
    numbered: Sequence[str], answers: Sequence[str], most: int, width: int
) -> tuple[int, Sequence[str], Sequence[int]]:
    """The width of the rows' names, the columns' heads and widths: names where they fit, else the rows' numbers; no
    columns where not even those fit."""
    digits = len(f"{most:,}")
    names = [one_line(name, 40) or OTHERS for name in answers]
    places = [str(place) if name else OTHERS for place, name in enumerate(answers, 1)]
    room = min(max(map(cell_len, numbered)), NAME_WIDTH[1])
    for least, heads, size in ((room, names, digits + 2), (room, places, max(5, digits + 2)),
                               (min(room, TIGHT_NAMES), places, max(3, digits + 1))):  # fmt: skip
        sizes = [max(size, cell_len(head) + (2 if heads is names else 1)) for head in heads]
        if 2 + least + sum(sizes) <= width:
            return least, heads, sizes
    return room, (), ()


def _wrong(dataset: DatasetStatistics, scope: tuple[str, ...], width: int) -> Rows:
    wrong = [one for one in dataset.answers if one.truth and not one.right]
    if not wrong:
        return
    shown = wrong[:MOST_WRONG]
    pairs = {f"{one_line(one.truth, 60)} → {one_line(one.answer, 60)}": one for one in shown}

    def terms(one: Count) -> tuple[str, ...]:
        pair: Answered = pairs[one.name]
        return (*scope, term("truth", pair.truth), term("answer", pair.answer))

    finished = {one.name: one.finished for one in dataset.labels}
    columns = (*_BLIND, Column("% of label", lambda one: percent(one.threads, finished[pairs[one.name].truth])))
    title = f"{one_line(dataset.name, 60) or 'no dataset'}: wrong answers"
    counts = [Count(name, one.threads, wrong=one.threads) for name, one in pairs.items()]
    yield from table(title, counts, columns, width, terms=terms, unnamed="", legend="")
    yield from _left("kinds", [one.threads for one in wrong[MOST_WRONG:]])


def _shares(
    title: str, counts: Sequence[Count], terms: Callable[[Count], tuple[str, ...]], unnamed: str, width: int,
    blind: bool,
) -> Rows:  # fmt: skip
    if counts:
        columns = _BLIND if blind else _SHARES
        yield from table(title, counts, columns, width, terms=terms, unnamed=unnamed, blind=blind)


def _paths(found: Statistics, width: int, blind: bool) -> Rows:
    paths = [one for one in found.paths if one.tools]
    if not paths:
        return
    shown = {one.count.name: one for one in paths[:MOST_PATHS]}
    share = percent(paths[0].count.threads, sum(one.count.threads for one in paths))
    title = f"ways · {len(paths):,} different, the first {share} %"
    yield from table(
        title, [one.count for one in shown.values()], _BLIND if blind else _SHARES, width, unnamed="", blind=blind,
        terms=lambda one: tuple(term("tools", tool) for tool in shown[one.name].tools),
        about=lambda one: f"{one_line(one.name, 300)}; the filter takes these tools in any order",
    )  # fmt: skip
    yield from _left("ways", [one.count.threads for one in paths[MOST_PATHS:]])


def _left(noun: str, numbers: Sequence[int]) -> Rows:
    """What a table leaves out."""
    if numbers:
        yield Row(((f"  … and {len(numbers):,} more {noun}, {sum(numbers):,} threads", "dim"),))


def _stated(one: Count) -> tuple[str, ...]:
    return "status:finished", term("confidence", one.name)


def _binned(counts: Sequence[Count]) -> Sequence[Count]:
    """Counts by a number, the highest numbers summed up where there are many."""
    if len(counts) <= MOST_BINS + 1:
        return counts
    rest = counts[MOST_BINS:]
    fields = ("threads", "finished", "right", "wrong", "accepted", "rejected", "ready")
    sums = {name: sum(getattr(one, name) for one in rest) for name in fields}
    return [*counts[:MOST_BINS], Count(f"{rest[0].name} or more", **sums)]


def _number(name: str, value: str) -> tuple[str, ...]:
    least = value.removesuffix(" or more")
    return (f"{name}:{least}",) if least == value else (f"{name}>={least}",)
