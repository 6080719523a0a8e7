"""How varied a selection of threads is in what it says and does, and what its answers rest on.

Counted from the threads' files, so it takes a few milliseconds each and belongs in a worker; no list waits for it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import SensorloomError
from core.lint import grounding
from core.listing.skeletons import as_object, skeletons_of
from core.storage import store
from core.thread.conclusion import CONCLUDING, final_answer
from core.thread.labels import same_label
from core.thread.scoring import asks_for_a_label, kind_in
from core.thread.turns import calls_with_results, is_error
from core.thread.value import Thread, call_name, final_message, text_of

if TYPE_CHECKING:
    from core.settings import VarietySettings

ABOUT_OTHERS = frozenset(("show_session_stats", "compare_to_reference", "nearest_examples", "look_up_ranges"))
"""Tools whose numbers tell of other people's sessions or of the dataset: quoting them cites no measurement."""
PART = 100
"""Threads between two reports of progress, and what a process is given at a time."""
MANY = 2000
"""Threads from which processes are worth starting."""


@dataclass(frozen=True, slots=True)
class ThreadFacts:
    """What one thread adds to the variety of many."""

    skeletons: tuple[str, ...]
    """Each sentence of the assistant with numbers, names, labels and channels taken out."""
    path: tuple[str, ...]
    """The tools it called, in order, repeats included."""
    first_line: bool | None
    """Whether the answer is the first label of the first comparison; None without a comparison or an answer."""
    cites: bool | None
    """Whether the final message quotes a number that measured this session; None without a final message."""
    errors: int
    """Calls that failed."""
    mended: int
    """Those of them after which the same tool was called again and answered."""


@dataclass(frozen=True, slots=True)
class Variety:
    """The variety of a selection. A share is None where there is nothing it could be a share of."""

    threads: int = 0
    sentences: int = 0
    skeletons: int = 0
    """Different ones."""
    skeletons_per_1000: float | None = None
    """Per 1,000 sentences. It falls as a selection grows: compare selections of about one size."""
    paths: int = 0
    """Different sequences of tool calls."""
    path_bits: float | None = None
    """Their entropy in bits: 0 when all threads call the same tools in the same order."""
    compared: int = 0
    """Threads with an answer and a comparison that ranks labels."""
    first_line: float | None = None
    """Share of those whose answer is the first label of the first comparison."""
    answered: int = 0
    """Threads with a final message."""
    cited: float | None = None
    """Share of those whose final message quotes a number that a tool measured in this session."""
    errors: int = 0
    """Calls that failed."""
    mended: int = 0
    """Failed calls after which the same tool was called again and answered."""
    mended_share: float | None = None
    """Share of the threads that mended an error."""


@dataclass(slots=True)
class Tally:
    """Threads' facts, added up."""

    threads: int = 0
    skeletons: Counter[str] = field(default_factory=Counter[str])
    paths: Counter[tuple[str, ...]] = field(default_factory=Counter[tuple[str, ...]])
    first_line: Counter[bool] = field(default_factory=Counter[bool])
    cites: Counter[bool] = field(default_factory=Counter[bool])
    errors: int = 0
    mended: int = 0
    mending: int = 0

    def add(self, facts: ThreadFacts) -> None:
        """One thread more."""
        self.threads += 1
        self.skeletons.update(facts.skeletons)
        if facts.path:
            self.paths[facts.path] += 1
        if facts.first_line is not None:
            self.first_line[facts.first_line] += 1
        if facts.cites is not None:
            self.cites[facts.cites] += 1
        self.errors += facts.errors
        self.mended += facts.mended
        self.mending += facts.mended > 0

    def variety(self) -> Variety:
        """What they amount to."""
        sentences, compared, answered = self.skeletons.total(), self.first_line.total(), self.cites.total()
        return Variety(
            self.threads, sentences, len(self.skeletons), _share(1000 * len(self.skeletons), sentences),
            len(self.paths), entropy(self.paths.values()) if self.paths else None,
            compared, _share(self.first_line[True], compared), answered, _share(self.cites[True], answered),
            self.errors, self.mended, _share(self.mending, self.threads),
        )  # fmt: skip


def entropy(counts: Iterable[int]) -> float:
    """Bits of a distribution given by its counts (Shannon, 1948)."""
    every = [count for count in counts if count]
    total = sum(every)
    return abs(sum(count / total * math.log2(total / count) for count in every))


def variety(
    folder: Path,
    stems: Sequence[str],
    progress: Callable[[int, int], object] = lambda _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
    known: dict[str, ThreadFacts] | None = None,
) -> Variety | None:
    """The variety of these threads of a folder; None when it was cancelled. Files that are no threads count nowhere.

    Blocks; belongs in a worker. Raises SensorloomError when a process ended early.

    Args:
        folder: where they are.
        stems: which.
        progress: told how many are done, and of how many.
        cancelled: asked between parts.
        known: what is known of some by their stems, whose files are not read; what is read is added.
    """
    facts_by_stem = {} if known is None else known
    fresh = [stem for stem in stems if stem not in facts_by_stem]
    parts = [fresh[start : start + PART] for start in range(0, len(fresh), PART)]
    done = len(stems) - len(fresh)
    with closing(_facts(folder, parts, many=len(fresh) >= MANY)) as results:
        for part, of_part in zip(parts, results, strict=False):
            if cancelled():
                return None
            facts_by_stem.update(of_part)
            done += len(part)
            progress(done, len(stems))
    tally = Tally()
    for stem in stems:
        if stem in facts_by_stem:
            tally.add(facts_by_stem[stem])
    return tally.variety()


def _facts(folder: Path, parts: Sequence[Sequence[str]], *, many: bool) -> Generator[list[tuple[str, ThreadFacts]]]:
    from core.processes.pool import each_here, in_order

    return in_order(part_maker, (folder,), parts) if many else each_here(part_maker, (folder,), parts)


def part_maker(folder: Path) -> Callable[[Sequence[str]], list[tuple[str, ThreadFacts]]]:
    """The job of a process: stems in, the facts of those that are threads out."""

    def read(stems: Sequence[str]) -> Iterator[tuple[str, ThreadFacts]]:
        for stem in stems:
            try:
                yield stem, facts_of(store.read(folder, stem).thread)
            except SensorloomError:
                continue  # it went or changed since it was listed

    return lambda stems: list(read(stems))


def facts_of(thread: Thread) -> ThreadFacts:
    """What one thread adds."""
    pairs = [pair for index in range(len(thread.messages)) for pair in calls_with_results(thread.messages, index)]
    names = {answer: call_name(call) for call, answer in pairs}
    results = [
        (names.get(index, ""), text_of(message))
        for index, message in enumerate(thread.messages)
        if message.get("role") == "tool"
    ]
    final = final_message(thread.messages)
    failed = [(at, name) for at, (name, text) in enumerate(results) if is_error(text)]
    wrong = {at for at, _ in failed}
    mended = sum(
        any(later == name and at not in wrong for at, (later, _) in enumerate(results[start + 1 :], start + 1))
        for start, name in failed
    )
    return ThreadFacts(
        tuple(skeletons_of(thread, results)),
        tuple(call_name(call) for call, _ in pairs),
        _is_first_line(text_of(final), results)
        if final is not None and asks_for_a_label(kind_in(thread.metadata))
        else None,
        None if final is None else _cites(text_of(final), results),
        len(failed),
        mended,
    )


def _is_first_line(final: str, results: Iterable[tuple[str, str]]) -> bool | None:
    answer = final_answer(final)
    for name, text in results:
        if name == "compare_to_reference" and answer and not is_error(text):
            distances = as_object(text).get("distances")
            if isinstance(distances, dict) and distances:
                return same_label(answer, str(next(iter(distances))))
    return None


def _cites(final: str, results: Iterable[tuple[str, str]]) -> bool:
    held = sorted({n for name, text in results if name not in ABOUT_OTHERS for n in grounding.numbers_in(text)})
    return grounding.quotes_any(CONCLUDING.sub("", final), held)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def described(counted: Variety) -> list[tuple[str, str]]:
    """What was counted as a person reads it: a name and its figure, one for each measure."""
    return [
        ("sentence skeletons", f"{counted.skeletons:,} in {counted.sentences:,} sentences: "
         f"{_figure(counted.skeletons_per_1000)} per 1,000"),
        ("tool paths", f"{counted.paths:,} different, {_figure(counted.path_bits)} bits"),
        ("answer is a comparison's first line", f"{_percent(counted.first_line)} of {counted.compared:,} that compare"),
        ("final message cites a measurement", f"{_percent(counted.cited)} of {counted.answered:,}"),
        ("tool errors", f"{counted.errors:,}, {counted.mended:,} mended, in {_percent(counted.mended_share)} of "
         f"{counted.threads:,} threads"),
    ]  # fmt: skip


def shortfalls(counted: Variety, wanted: VarietySettings) -> tuple[str, ...]:
    """One sentence for each threshold that a person set and the threads miss."""
    rules = (
        ("least_skeletons", counted.skeletons_per_1000, "sentence skeletons per 1,000 sentences", _figure),
        ("least_path_bits", counted.path_bits, "bits of variety in the tool paths", _figure),
        ("most_first_line", counted.first_line, "of the answers are the first line of a comparison", _percent),
        ("least_cited", counted.cited, "of the final messages cite a measurement", _percent),
        ("least_mended", counted.mended_share, "of the threads mend an error", _percent),
        ("most_mended", counted.mended_share, "of the threads mend an error", _percent),
    )
    sentences: list[str] = []
    for name, figure, about, write in rules:
        limit: float | None = getattr(wanted, name)
        most = name.startswith("most")
        if limit is not None and figure is not None and (figure > limit if most else figure < limit):
            sentences.append(f"{write(figure)} {about}; {name} is {write(limit)}")
    return tuple(sentences)


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"
