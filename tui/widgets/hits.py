"""Where a text stands in a conversation: in which messages and how often, and in which of the lines on the screen."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from core.thread.value import call_arguments, call_name, calls_of, text_of
from tui.widgets.conversation_lines import Block
from tui.widgets.conversation_parts import Part
from tui.widgets.lines import plain_text


def pattern_of(texts: Iterable[str]) -> re.Pattern[str] | None:
    """What finds these texts, in whatever case, and over the ends of lines; None where there is nothing to find."""
    words = ["\\s+".join(map(re.escape, text.split())) for text in texts]
    wanted = sorted({text for text in words if text}, key=len, reverse=True)
    return re.compile("|".join(wanted), re.IGNORECASE) if wanted else None


@dataclass(frozen=True, slots=True)
class SearchedTexts:
    """The texts of a conversation in lower case, kept from one letter that is typed to the next."""

    lowered: Mapping[int, tuple[Part, str]] = field(default_factory=dict[int, tuple[Part, str]])
    """A message's index to what was read of it: thinking, text and calls."""

    def of(self, parts: Sequence[Part]) -> SearchedTexts:
        """The texts of these messages; those that are the same are taken over."""
        texts: dict[int, tuple[Part, str]] = {}
        for part in parts:
            known = self.lowered.get(part.index)
            if known is None or known[0].message is not part.message:
                known = part, _searched_text(part).lower()
            texts[part.index] = known
        return SearchedTexts(texts)

    def are_of(self, parts: Sequence[Part]) -> bool:
        """Whether just these messages were read, as they are."""
        known = self.lowered
        return len(known) == len(parts) and all(
            part.index in known and known[part.index][0].message is part.message for part in parts
        )

    def hits(self, wanted: str) -> Hits:
        """How often a text stands in each message."""
        words = wanted.lower().split()
        if not words:
            return Hits()
        pattern = re.compile("\\s+".join(map(re.escape, words)))
        counts: list[tuple[int, int]] = []
        for index, (_, text) in self.lowered.items():
            if words[0] in text:
                count = text.count(words[0]) if len(words) == 1 else sum(1 for _ in pattern.finditer(text))
                if count:
                    counts.append((index, count))
        return Hits(tuple(counts))


def _searched_text(part: Part) -> str:
    calls = [f"{call_name(call)} {call_arguments(call)}" for call in calls_of(part.message)]
    return "\n".join([part.reasoning, text_of(part.message), *calls])


@dataclass(frozen=True, slots=True)
class Hits:
    """How often a text stands in which messages, in the conversation's order."""

    counts: tuple[tuple[int, int], ...] = ()
    """A message's index, and how often; never 0."""

    @property
    def total(self) -> int:
        """How many hits there are."""
        return sum(count for _, count in self.counts)

    def at(self, number: int) -> tuple[int, int]:
        """The message that hit `number` is in, and which of its hits that is; all counted from 0."""
        ends = list(accumulate(count for _, count in self.counts))
        position = bisect_right(ends, number)
        index, count = self.counts[position]
        return index, number - (ends[position] - count)

    def first_from(self, index: int) -> int:
        """The number of the first hit in message `index` or after it; the very first where there is none."""
        before = sum(count for message, count in self.counts if message < index)
        return before if before < self.total else 0


def rows_with(block: Block, pattern: re.Pattern[str]) -> list[int]:
    """The lines of a message in which what is searched for begins, a line once for each time."""
    texts = [plain_text(line) for line in block.lines]
    starts = list(accumulate((len(text) + 1 for text in texts), initial=0))
    return [bisect_right(starts, match.start()) - 1 for match in pattern.finditer("\n".join(texts))]
