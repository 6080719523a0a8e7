"""The filter language: what selects threads in the list, in exports and on the command line.

Terms are joined by spaces and must all hold; `OR` between two asks for either, and parentheses group them: a space
binds more closely than `OR`. `name:value` takes words (`a,b` for either, `*` for any letters, `none`, `any`), `name>=2`
compares numbers and dates, a word or a "quoted phrase" alone is looked for in the texts, and `-` before any of them,
or before a parenthesis, negates it. What stands in `call(...)` must hold of one and the same tool call.

    status:finished (correct:false OR confidence:low) tools>=2 -verdict:reject call(compute_spectrum error) "a peak"
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import ThreadError
from core.filters.conditions import Condition, Group, asks_workspace, condition_of
from core.filters.grammar import read_line
from core.thread.summary import summary_of
from core.thread.value import Thread

if TYPE_CHECKING:
    from core.filters.workspace_terms import OfFolder
    from core.listing.similar import Likeness
    from core.thread.summary import Summary
    from core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter that was read; an empty one selects every thread."""

    text: str
    conditions: tuple[Condition | Group, ...] = ()
    """What must all hold."""

    @property
    def needs_file(self) -> bool:
        """Whether summaries alone cannot decide."""
        return any(leaf.on_summary is None for leaf in self._leaves)

    @property
    def slow(self) -> bool:
        """Whether deciding may read files, the tests of summaries included."""
        return any(leaf.on_summary is None or leaf.slow for leaf in self._leaves)

    @property
    def words(self) -> list[str]:
        """The texts that threads are looked through for, where it wants them there."""
        return [leaf.needle for leaf in self._leaves if leaf.needle and not leaf.negated]

    @property
    def places(self) -> dict[str, int]:
        """The place of each thread where it names several by their ids, in the order they are written: a queue."""
        ids = dict.fromkeys(name for leaf in self._leaves for name in leaf.ids)
        return {name: number for number, name in enumerate(ids)} if len(ids) > 1 else {}

    @property
    def needs_folder(self) -> bool:
        """Whether `prepare` has something to find out."""
        return bool(self._tests_of_folder)

    @property
    def likeness(self) -> Mapping[str, Likeness]:
        """How much each thread is like the one that similar ones are wanted of, by stem; empty for none, and before
        `prepare`."""
        tests = (getattr(leaf.of_folder, "likeness", {}) for leaf in self._leaves if not leaf.negated)
        return next(filter(None, tests), {})

    @property
    def _leaves(self) -> Iterator[Condition]:
        return (leaf for condition in self.conditions for leaf in condition.leaves())

    @property
    def _tests_of_folder(self) -> list[OfFolder]:
        return [leaf.of_folder for leaf in self._leaves if leaf.of_folder]

    def decide(self, summary: Summary) -> bool | None:
        """Whether everything holds; None where the summary cannot say, and nothing it says speaks against it."""
        undecided = False
        for condition in self.conditions:
            answer = condition.decide(summary)
            if answer is False:
                return False
            undecided = undecided or answer is None
        return None if undecided else True

    def on_summary(self, summary: Summary) -> bool:
        """Whether nothing that a summary can decide speaks against it."""
        return self.decide(summary) is not False

    def possible(self, some: Sequence[Summary]) -> list[int]:
        """The places of those of which `on_summary` holds: of many at once in a fraction of the time."""
        places = list(range(len(some)))
        for condition in self.conditions:
            answers = list(condition.possible(some))
            some, places = list(compress(some, answers)), list(compress(places, answers))
        return places

    def without_folder(self) -> Filter:
        """The same without what must hold by itself and `prepare` is for."""
        return Filter(
            self.text,
            tuple(each for each in self.conditions if not (isinstance(each, Condition) and each.of_folder)),
        )

    def prepare(
        self,
        every: Sequence[Summary],
        progress: Callable[[int, int], object] = lambda _done, _total: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Find out of the whole folder what the tests of summaries need, if anything; False when it was cancelled.

        Who does not call it waits in `on_summary`, without being told how far it is.
        """
        return all(test.prepare(every, progress, cancelled) for test in self._tests_of_folder)

    def on_thread(self, thread: Thread, summary: Summary | None = None) -> bool:
        """Whether everything holds that takes the thread to decide; its summary is counted where it is not given."""
        known = summary
        for condition in self.conditions:
            if all(leaf.on_thread is None for leaf in condition.leaves()):
                continue
            known = known or summary_of(thread, thread.id)
            if not condition.holds(known, thread):
                return False
        return True

    def on_file(self, path: Path, summary: Summary | None = None) -> bool:
        """`on_thread` of a file; what is no thread holds no text."""
        from core.storage.thread_files import read_bytes
        from core.thread.json_form import decode

        try:
            data = read_bytes(path)
            if self._lacks(data):
                return False
            return self.on_thread(decode(data, path.name), summary)
        except ThreadError:
            return False

    def _lacks(self, data: bytes) -> bool:
        """Whether the bytes show that a text is missing: only where they are plain enough to be sure."""
        needles = [
            condition.needle
            for condition in self.conditions
            if isinstance(condition, Condition) and condition.needle and not condition.negated
        ]
        if not needles or not data.isascii() or b"\\u" in data or b'"text"' in data:
            return False  # escapes, letters that fold into ASCII, or a content in parts
        lowered = data.lower()
        return any(needle.encode() not in lowered for needle in needles)


def parse(text: str, workspace: Workspace | None = None) -> Filter:
    """Read a filter.

    Args:
        text: the filter as written.
        workspace: whose threads are chosen from; `exported`, `heldout`, `lint`, `similar` and `subject` cannot be
            asked without one. What it has exported is read when the filter first asks for it, and not again.

    Raises:
        FilterError: a term or a value is not known, or a quote or a parenthesis is open; the message has the place, and
            the nearest right word.
        WorkspaceError: what is held out is asked for, and cannot be read.
    """
    line = read_line(text)
    parts = (line,) if line.either else line.parts
    return Filter(text, tuple(condition_of(part, workspace) for part in parts))


def reads_files(text: str) -> bool:
    """Whether `parse` may read files of the workspace, which no screen waits for. Raises FilterError."""
    return asks_workspace(read_line(text))


def narrowed(text: str, *terms: str) -> str:
    """A filter with terms that must hold besides."""
    line = read_line(text)
    return " ".join((f"({text.strip()})" if line.either and terms else text.strip(), *terms)).strip()


def without(text: str, name: str) -> str:
    """A filter without the terms of this name that stand in it as they are."""
    words = re.compile(r'(?:"[^"]*"|[^\s"])+\s*')
    return words.sub(lambda word: "" if word[0].startswith(f"{name}:") else word[0], text).strip()


def select(
    folder: Path,
    listing: Iterable[Summary],
    wanted: Filter,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Summary]:
    """The summaries that a filter selects; files are read only for what summaries do not hold."""
    for summary in listing:
        if cancelled():
            return
        answer = wanted.decide(summary)
        if answer or (answer is None and wanted.on_file(folder / f"{summary.stem}.json", summary)):
            yield summary
