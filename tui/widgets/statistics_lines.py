"""The statistics board as rows in so many columns: tables with bars, each row with the threads it stands for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

from core.statistics import Answered, Count, DatasetStatistics, Statistics, interval, term
from core.text import counted, one_line
from tui.widgets.lines import Kind, Line, Span, cells, fit

NAME_WIDTH = (10, 30)
"""Columns of the names: at least, and at most."""
WIDE = 120
"""From so many columns on there is room for all that is counted."""
MOST_WRONG = 15
MOST_ANSWERS = 30
MOST_PATHS = 12
MOST_BINS = 12
"""Rows of the longer tables; the rest is summed up in one more."""
BAR_WIDTH = (8, 60)


@dataclass(frozen=True, slots=True)
class Row:
    """One row."""

    line: Line = ()
    terms: tuple[str, ...] = ()
    """The filter terms that select its threads; none where it stands for no threads."""
    about: str = ""
    """What is said of it when the cursor is there."""


Rows = Iterator[Row]


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
    line: list[Span] = [(counted(one.threads, "thread"), "text"), (f" · {one.finished:,} finished", "text")]
    if not blind:
        share = f" ({_percent(one.right, one.right + one.wrong)} %)" if one.right + one.wrong else ""
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


# Tables of counts


@dataclass(frozen=True, slots=True)
class _Column:
    """A number of each row."""

    title: str
    value: Callable[[Count], str]
    kind: Kind = "text"
    wide: bool = False
    """Whether it is left out where there is little room."""


def _percent(part: int, of: int) -> str:
    return f"{100 * part / of:.0f}" if of else ""


def _digits(number: int) -> str:
    return f"{number:,}" if number else "·"


_BALANCE = (
    _Column("threads", lambda one: _digits(one.threads)),
    _Column("finished", lambda one: _digits(one.finished), wide=True),
    _Column("right", lambda one: _digits(one.right), "good"),
    _Column("wrong", lambda one: _digits(one.wrong), "bad"),
    _Column("right %", lambda one: _percent(one.right, one.right + one.wrong), wide=True),
    _Column("accepted", lambda one: _digits(one.accepted)),
    _Column("rejected", lambda one: _digits(one.rejected)),
    _Column("ready", lambda one: _digits(one.ready)),
    _Column("needs", lambda one: f"{one.missing:,}" if one.missing else "", "warn"),
)


def _share(one: Count) -> str:
    """Where between it lies with 95 % confidence."""
    low, high = interval(one.right, one.right + one.wrong)
    return f"{100 * low:.0f}–{100 * high:.0f}" if one.right + one.wrong else ""


_SHARES = (
    _Column("threads", lambda one: _digits(one.threads)),
    _Column("right", lambda one: _digits(one.right), "good"),
    _Column("wrong", lambda one: _digits(one.wrong), "bad"),
    _Column("right %", lambda one: _percent(one.right, one.right + one.wrong)),
    _Column("95 %", _share),
)
_BLIND = (_Column("threads", lambda one: _digits(one.threads)),)


def _table(
    title: str, counts: Sequence[Count], columns: Sequence[_Column], width: int, *,
    terms: Callable[[Count], tuple[str, ...]], unnamed: str, about: Callable[[Count], str] = lambda _: "",
    blind: bool = False, legend: str = "  █ right ▒ wrong ░ neither",
) -> Rows:  # fmt: skip
    """A heading, then a row for each count: its name, its numbers, and a bar where there is room for one."""
    shown = [one for one in columns if not one.wide or width >= WIDE]
    texts = [[one.title, *(one.value(count) for count in counts)] for one in shown]
    names = [one_line(count.name, 200) or unnamed for count in counts]
    wanted = min(max(map(cell_len, (*names, title))), max(NAME_WIDTH[1], width // 3))
    widths = [max(map(len, some)) + 2 for some in texts]
    if wanted + 4 + sum(widths) > width:
        widths = [one - 1 for one in widths]
    room = max(min(wanted, width - 4 - sum(widths)), NAME_WIDTH[0])
    bar = min(width - 2 - room - sum(widths) - 2, BAR_WIDTH[1])
    most = max((one.threads for one in counts), default=0)
    legend = "" if blind else legend
    heads: list[Span] = [(some[0].rjust(size), "dim") for some, size in zip(texts, widths, strict=True)]
    yield Row()
    yield Row((_name(title, room + 2, "mark"), *heads, (legend if bar >= len(legend) else "", "dim")))
    for place, count in enumerate(counts, 1):
        numbers: list[Span] = [
            (some[place].rjust(size), "dim" if some[place] == "·" else column.kind)
            for some, size, column in zip(texts, widths, shown, strict=True)
        ]
        drawn: Line = (("  ", "text"), *_bar(count, bar, most, blind)) if bar >= BAR_WIDTH[0] else ()
        head: Line = (("  ", "text"), _name(names[place - 1], room, "text"))
        yield Row((*head, *numbers, *drawn), terms(count), about(count))


def _name(text: str, width: int, kind: Kind) -> Span:
    """The text in exactly so many columns."""
    made = set_cell_size(text, width)
    return (made if cell_len(text) <= width else f"{set_cell_size(text, width - 1)}…", kind)


def _bar(one: Count, width: int, most: int, blind: bool) -> Line:
    """Right, wrong and other threads, each as long as there are many; what there is of shows at least a cell."""
    if not most:
        return ()
    if blind:
        return (("█" * _cells(one.threads, most, width), "dim"),)
    parts: tuple[tuple[int, str, Kind], ...] = (
        (one.right, "█", "good"), (one.wrong, "▒", "bad"), (one.threads - one.right - one.wrong, "░", "dim")
    )  # fmt: skip
    drawn: list[Span] = []
    sum_, end = 0, 0
    for number, sign, kind in parts:
        sum_ += number
        size = max(_cells(sum_, most, width) - end, 1 if number else 0)
        drawn.append((sign * min(size, width - end), kind))
        end += size
    return tuple(drawn)


def _cells(number: int, most: int, width: int) -> int:
    return max(1, round(width * number / most)) if number else 0


# The parts


def _balance(dataset: DatasetStatistics, scope: tuple[str, ...], width: int) -> Rows:
    most = max(dataset.labels, key=lambda one: one.ready)

    def about(one: Count) -> str:
        name = one_line(one.name, 60)
        if one.missing:
            return f"needs {one.missing:,} more to match {one_line(most.name, 60)} ({most.ready:,} ready)"
        return f"{one.ready:,} {name} ready: finished and not rejected"

    yield from _table(
        one_line(dataset.name, 60) or "no dataset", dataset.labels, _BALANCE, width, unnamed="no label", about=about,
        terms=lambda one: (*scope, term("truth", one.name)) if one.threads else (),
    )  # fmt: skip


def _answered(dataset: DatasetStatistics, scope: tuple[str, ...], width: int) -> Rows:
    """What was answered, whatever was true."""
    yield from _table(
        f"{one_line(dataset.name, 60) or 'no dataset'}: answers", dataset.given[:MOST_ANSWERS], _BLIND, width,
        unnamed="no answer", blind=True, terms=lambda one: (*scope, "status:finished", term("answer", one.name)),
    )  # fmt: skip
    yield from _left("answers", [one.threads for one in dataset.given[MOST_ANSWERS:]])


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
    heads = [one_line(name, 40) or "other" for name in answers]
    size = max(4, *(len(f"{number:,}") for number in (*found.values(), *other.values()))) + 1
    numbered = [f"{place} {one_line(name, 40) or 'no label'}" for place, name in enumerate(truths, 1)]
    room = min(max(map(cell_len, numbered)), NAME_WIDTH[1])
    if room + 2 + sum(max(size, cell_len(head) + 2) for head in heads) <= width:
        sizes = [max(size, cell_len(head) + 2) for head in heads]
    else:
        heads = [str(place) if head != "other" else "oth." for place, head in enumerate(heads, 1)]
        sizes = [size] * len(heads)
    yield Row()
    title = f"{one_line(dataset.name, 60) or 'no dataset'}: rows are labels, columns answers"
    yield Row(((title, "mark"),))
    if room + 2 + sum(sizes) > width:
        yield Row((("  too many labels for this width; the wrong answers follow", "dim"),))
        return
    top: list[Span] = [(head.rjust(wide), "dim") for head, wide in zip(heads, sizes, strict=True)]
    yield Row(((" " * (room + 2), "text"), *top))
    for name, called in zip(truths, numbered, strict=True):
        line: list[Span] = [("  ", "text"), _name(called, room, "text")]
        for answer, wide in zip(answers, sizes, strict=True):
            number = found.get((name, answer), 0) if answer else other[name]
            kind: Kind = "dim" if not number else "good" if name == answer else "bad" if name else "text"
            line.append((_digits(number).rjust(wide), kind))
        terms = (*scope, "status:finished", term("truth", name))
        yield Row(tuple(line), terms if any(one.truth == name for one in dataset.answers) else ())


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
    columns = (*_BLIND, _Column("% of label", lambda one: _percent(one.threads, finished[pairs[one.name].truth])))
    title = f"{one_line(dataset.name, 60) or 'no dataset'}: wrong answers"
    counts = [Count(name, one.threads, wrong=one.threads) for name, one in pairs.items()]
    yield from _table(title, counts, columns, width, terms=terms, unnamed="", legend="")
    yield from _left("kinds", [one.threads for one in wrong[MOST_WRONG:]])


def _shares(
    title: str, counts: Sequence[Count], terms: Callable[[Count], tuple[str, ...]], unnamed: str, width: int,
    blind: bool,
) -> Rows:  # fmt: skip
    if counts:
        columns = _BLIND if blind else _SHARES
        yield from _table(title, counts, columns, width, terms=terms, unnamed=unnamed, blind=blind)


def _paths(found: Statistics, width: int, blind: bool) -> Rows:
    paths = [one for one in found.paths if one.tools]
    if not paths:
        return
    shown = {one.count.name: one for one in paths[:MOST_PATHS]}
    share = _percent(paths[0].count.threads, sum(one.count.threads for one in paths))
    title = f"ways · {len(paths):,} different, the first {share} %"
    yield from _table(
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
