"""The statistics board as rows in so many columns: tables with bars, each row with the threads it stands for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len

from core.filters.terms import BETWEEN
from core.filters.values import term
from core.listing.statistics import Answered, Count, DatasetStatistics, Statistics, interval
from core.text import counted, one_line
from core.thread.cost import spent
from core.thread.scoring import ACTIVITY
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


def lay_out(statistics: Statistics, width: int, *, blind: bool) -> tuple[Row, ...]:
    """All tables. With `blind`, nothing tells the label of a thread, nor whether an answer is right."""
    rows = [*_summary(statistics, blind, width)]
    if statistics.total.threads:
        several = len(statistics.datasets) > 1
        for dataset in statistics.datasets:
            scope = (term("dataset", dataset.name),) if several else ()
            if blind:
                rows += _answered(dataset, scope, width)
            else:
                rows += [*_balance(dataset, scope, width), *_confusion(dataset, scope, width)]
                rows += _wrong(dataset, scope, width)
        if any(count.name != ACTIVITY for count in statistics.questions):
            rows += _shares(
                "kinds of question", statistics.questions, lambda count: (term("kind", count.name),), "", width, blind
            )
        rows += _shares("confidence", statistics.confidence, _stated, "not stated", width, blind)
        rows += _shares(
            "reasons of verdicts", statistics.reasons, lambda count: (term("reason", count.name),), "", width, blind
        )
        rows += _shares("tags", statistics.tags, lambda count: (term("tag", count.name),), "", width, blind)
        rows += _shares(
            "turns", _binned(statistics.turns), lambda count: _number("turns", count.name), "", width, blind
        )
        rows += _shares(
            "tool calls", _binned(statistics.calls), lambda count: _number("calls", count.name), "", width, blind
        )
        rows += _shares("different tools", _binned(statistics.kinds), lambda _: (), "", width, blind)
        rows += _shares("tools", statistics.tools, lambda count: (term("tools", count.name),), "", width, blind)
        rows += _paths(statistics, width, blind)
    return tuple(row if cells(row.line) <= width else Row(fit(row.line, width), row.terms, row.about) for row in rows)


def _summary(statistics: Statistics, blind: bool, width: int) -> Rows:
    count = statistics.total
    line: list[Span] = [(counted(count.threads, "thread"), "text"), (f" · {count.finished:,} finished", "text")]
    if not blind:
        share = f" ({percent(count.right, count.right + count.wrong)} %)" if count.right + count.wrong else ""
        line.extend(((f" · {count.right:,} right{share}", "good"), (f" · {count.wrong:,} wrong", "bad")))
    judged: list[Span] = [(f" · {count.accepted:,} accepted", "text"), (f" · {count.rejected:,} rejected", "text")]
    if statistics.unreadable:
        judged.append((f" · {statistics.unreadable:,} not readable", "warn"))
    if cells(line) + cells(judged) <= width:
        yield Row((*line, *judged))
    else:
        yield Row(tuple(line))
        yield Row(((judged[0][0].removeprefix(" · "), "text"), *judged[1:]))
    if told := spent(statistics.tokens_read, statistics.tokens, statistics.cost):
        yield Row(
            ((told, "text"),), (), "as the servers counted; what it cost, where prices are set or the server says"
        )
    if statistics.judge is not None:
        yield Row(((statistics.judge.in_words(), "text"),), (), "threads that a person and a judge model both judged")
    if blind:
        yield Row((("the truth is hidden, and what would tell it; w in the list shows it", "dim"),))


# What is counted

_BALANCE = (
    Column("threads", lambda count: digits(count.threads)),
    Column("finished", lambda count: digits(count.finished), wide=True),
    Column("right", lambda count: digits(count.right), "good"),
    Column("wrong", lambda count: digits(count.wrong), "bad"),
    Column("right %", lambda count: percent(count.right, count.right + count.wrong), wide=True),
    Column("accepted", lambda count: digits(count.accepted)),
    Column("rejected", lambda count: digits(count.rejected)),
    Column("ready", lambda count: digits(count.ready)),
    Column("needs", lambda count: f"{count.missing:,}" if count.missing else "", "warn"),
)


def _share(count: Count) -> str:
    """Where between it lies with 95 % confidence."""
    low, high = interval(count.right, count.right + count.wrong)
    return f"{100 * low:.0f}–{100 * high:.0f}" if count.right + count.wrong else ""


_SHARES = (
    Column("threads", lambda count: digits(count.threads)),
    Column("right", lambda count: digits(count.right), "good"),
    Column("wrong", lambda count: digits(count.wrong), "bad"),
    Column("right %", lambda count: percent(count.right, count.right + count.wrong)),
    Column("95 %", _share),
)
_BLIND = (Column("threads", lambda count: digits(count.threads)),)


# The parts


def _balance(dataset: DatasetStatistics, scope: tuple[str, ...], width: int) -> Rows:
    if not dataset.labels:  # all its threads ask for something else, and its labels are not known
        return
    most = max(dataset.labels, key=lambda count: (bool(count.name), count.ready))

    def about(count: Count) -> str:
        name = one_line(count.name, 60)
        if count.missing:
            return f"needs {count.missing:,} more to match {one_line(most.name, 60)} ({most.ready:,} ready)"
        return f"{count.ready:,} {name} ready: finished and not rejected"

    yield from table(
        one_line(dataset.name, 60) or "no dataset", dataset.labels, _BALANCE, width, unnamed="no label", about=about,
        terms=lambda count: (*scope, term("truth", count.name)) if count.threads else (),
    )  # fmt: skip


def _answered(dataset: DatasetStatistics, scope: tuple[str, ...], width: int) -> Rows:
    """What was answered, whatever was true."""
    yield from table(
        f"{one_line(dataset.name, 60) or 'no dataset'}: answers", dataset.by_answer[:MOST_ANSWERS], _BLIND, width,
        unnamed="no answer", blind=True, terms=lambda count: (*scope, "status:finished", term("answer", count.name)),
    )  # fmt: skip
    yield from _left("answers", [count.threads for count in dataset.by_answer[MOST_ANSWERS:]])


def _confusion(dataset: DatasetStatistics, scope: tuple[str, ...], width: int) -> Rows:
    """Labels against answers; nothing where they do not fit side by side: the list of wrong answers has them too."""
    threads = {(wrong_answer.truth, wrong_answer.answer): wrong_answer.threads for wrong_answer in dataset.answers}
    truths = [label.name for label in dataset.labels]
    labels = [name for name in truths if name]
    other = dict.fromkeys(truths, 0)
    for (truth, answer), number in threads.items():
        other[truth] += number if answer not in labels else 0
    truths = [name for name in truths if name or other[name] or any((name, label) in threads for label in labels)]
    if not threads:
        return
    answers = [*labels, ""] if any(other.values()) else labels
    numbered = [f"{number} {one_line(name, 40) or 'no label'}" for number, name in enumerate(truths, 1)]
    room, heads, sizes = _columns(numbered, answers, max((*threads.values(), *other.values())), width)
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
            number = threads.get((name, answer), 0) if answer else other[name]
            kind: Kind = "dim" if not number else "good" if name == answer else "bad" if name else "text"
            line.append((digits(number).rjust(wide), kind))
        terms = (*scope, "status:finished", term("truth", name))
        yield Row(tuple(line), terms if any(answer.truth == name for answer in dataset.answers) else ())


def _columns(
    numbered: Sequence[str], answers: Sequence[str], most: int, width: int
) -> tuple[int, Sequence[str], Sequence[int]]:
    """The width of the rows' names, the columns' heads and widths: names where they fit, else the rows' numbers; no
    columns where not even those fit."""
    digits = len(f"{most:,}")
    names = [one_line(name, 40) or OTHERS for name in answers]
    places = [str(number) if name else OTHERS for number, name in enumerate(answers, 1)]
    room = min(max(map(cell_len, numbered)), NAME_WIDTH[1])
    for least, heads, size in ((room, names, digits + 2), (room, places, max(5, digits + 2)),
                               (min(room, TIGHT_NAMES), places, max(3, digits + 1))):  # fmt: skip
        sizes = [max(size, cell_len(head) + (2 if heads is names else 1)) for head in heads]
        if 2 + least + sum(sizes) <= width:
            return least, heads, sizes
    return room, (), ()


def _wrong(dataset: DatasetStatistics, scope: tuple[str, ...], width: int) -> Rows:
    wrong = [answer for answer in dataset.answers if answer.truth and not answer.right]
    if not wrong:
        return
    shown = wrong[:MOST_WRONG]
    pairs = {f"{one_line(answer.truth, 60)} → {one_line(answer.answer, 60)}": answer for answer in shown}

    def terms(count: Count) -> tuple[str, ...]:
        pair: Answered = pairs[count.name]
        return (*scope, term("truth", pair.truth), term("answer", pair.answer))

    finished = {label.name: label.finished for label in dataset.labels}
    columns = (*_BLIND, Column("% of label", lambda count: percent(count.threads, finished[pairs[count.name].truth])))
    title = f"{one_line(dataset.name, 60) or 'no dataset'}: wrong answers"
    counts = [Count(name, count.threads, wrong=count.threads) for name, count in pairs.items()]
    yield from table(title, counts, columns, width, terms=terms, unnamed="", legend="")
    yield from _left("kinds", [count.threads for count in wrong[MOST_WRONG:]])


def _shares(
    title: str, counts: Sequence[Count], terms: Callable[[Count], tuple[str, ...]], unnamed: str, width: int,
    blind: bool,
) -> Rows:  # fmt: skip
    if counts:
        columns = _BLIND if blind else _SHARES
        yield from table(title, counts, columns, width, terms=terms, unnamed=unnamed, blind=blind)


def _paths(statistics: Statistics, width: int, blind: bool) -> Rows:
    paths = [path for path in statistics.paths if path.tools]
    if not paths:
        return
    shown = {path.count.name: path for path in paths[:MOST_PATHS]}
    share = percent(paths[0].count.threads, sum(path.count.threads for path in paths))
    title = f"ways · {len(paths):,} different, the first {share} %"
    yield from table(
        title, [path.count for path in shown.values()], _BLIND if blind else _SHARES, width, unnamed="", blind=blind,
        terms=lambda count: (term("path", BETWEEN.join(shown[count.name].tools)),),
        about=lambda count: one_line(count.name, 300),
    )  # fmt: skip
    yield from _left("ways", [path.count.threads for path in paths[MOST_PATHS:]])


def _left(noun: str, numbers: Sequence[int]) -> Rows:
    """What a table leaves out."""
    if numbers:
        yield Row(((f"  … and {len(numbers):,} more {noun}, {counted(sum(numbers), 'thread')}", "dim"),))


def _stated(count: Count) -> tuple[str, ...]:
    return "status:finished", term("confidence", count.name)


def _binned(counts: Sequence[Count]) -> Sequence[Count]:
    """Counts by a number, the highest numbers summed up where there are many."""
    if len(counts) <= MOST_BINS + 1:
        return counts
    rest = counts[MOST_BINS:]
    fields = ("threads", "finished", "right", "wrong", "accepted", "rejected", "ready")
    sums = {name: sum(getattr(count, name) for count in rest) for name in fields}
    return [*counts[:MOST_BINS], Count(f"{rest[0].name} or more", **sums)]


def _number(name: str, value: str) -> tuple[str, ...]:
    least = value.removesuffix(" or more")
    return (f"{name}:{least}",) if least == value else (f"{name}>={least}",)
