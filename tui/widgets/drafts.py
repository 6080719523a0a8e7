"""Proposed turns as they are drawn: one that is shown, and a line for each where there are several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.text import one_line
from core.thread.proposal import Proposal
from core.thread.value import call_arguments, call_name, calls_of, is_assistant, text_of
from tui.widgets.lines import Line, Span

MIN_COMMON = 24
"""Characters that several proposals must have in common at least to be left out."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposed turn as it stands now: still coming, whole, or broken off."""

    proposal: Proposal
    running: bool = False
    note: str = ""
    """What there is to say of it: tokens, rate, seconds, what it waits for."""

    @property
    def silent(self) -> bool:
        """Whether nothing has come of it yet: what it waits for is then said below it, where there is room for that."""
        spoken = next((message for message in self.proposal.messages if is_assistant(message)), {})
        return self.running and not (text_of(spoken) or calls_of(spoken))


def choices(drafts: Sequence[Draft], chosen: int) -> tuple[Line, ...]:
    """A line for each proposal with the key that takes it: how it begins, or where it parts from the first."""
    texts = [_in_one_line(draft.proposal) for draft in drafts]
    common = _common_words(list(dict.fromkeys(text for text in texts if text)))
    lines: list[Line] = []
    for number, (draft, text) in enumerate(zip(drafts, texts, strict=True), 1):
        shown = f"… {text[common:]}" if common and text else text
        if not text:
            shown = "…"
        elif not draft.running and text in texts[: number - 1]:
            shown = f"the same as {texts.index(text) + 1}"
        at = number == chosen + 1
        spans: list[Span] = [("▸" if at else " ", "mark"), (f"{number} ", "label")]
        if not draft.proposal.complete and not draft.running:
            spans.append(("incomplete ", "warn"))
        lines.append((*spans, (shown, "text" if at else "dim")))
    lines.append(((f"1-{len(drafts)} take  [ ] show  v compare any two", "dim"),))
    return tuple(lines)


def _in_one_line(proposal: Proposal) -> str:
    """What a proposal says and calls."""
    spoken = [message for message in proposal.messages if is_assistant(message)]
    calls = [f"▸ {call_name(call)} {call_arguments(call)}" for message in spoken for call in calls_of(message)]
    return one_line(" ".join([*(text_of(message) for message in spoken), *calls]), 2_000)


def _common_words(texts: Sequence[str]) -> int:
    """How many characters all begin with, in whole words; none where that is too little to be left out."""
    if len(texts) < 2:
        return 0
    common = next((index for index, letters in enumerate(zip(*texts, strict=False)) if len(set(letters)) > 1), 0)
    whole = texts[0].rfind(" ", 0, common) + 1
    return whole if whole > MIN_COMMON else 0
