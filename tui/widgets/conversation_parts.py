"""What there is to draw of a conversation: a thread and how it is looked at, as parts with their marks.

Pure functions of values. Equal parts have equal lines, so the lines of parts that did not change are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

from core.text import one_line
from core.thread.conclusion import final_answer
from core.thread.faithfulness import faithfulness_of
from core.thread.review import note_of, truth_hidden, verdict_of
from core.thread.scoring import is_right, kind_in
from core.thread.turn_labels import label_of
from core.thread.turns import calls_with_results, is_error
from core.thread.value import Message, Thread, call_name, calls_of, final_message, in_loss, is_assistant, text_of
from tui.keys import NO_KEYS, Keys
from tui.widgets.drafts import Draft, choices
from tui.widgets.judgement_lines import LABELS, judged
from tui.widgets.lines import Kind, Line, Span
from tui.widgets.turn_effort import duration, effort, maker

ReplayMark = Literal["same", "differs", "edited", "cannot"]
_REPLAY: Mapping[ReplayMark, Span] = {
    "same": ("≡ replays", "good"),
    "differs": ("≠ replays differently", "bad"),
    "edited": ("≠ differs, as edited", "warn"),
    "cannot": ("∅ no replay", "dim"),
}


@dataclass(frozen=True, slots=True)
class Look:
    """How a thread is looked at. Nothing in here is part of the thread."""

    blind: bool = False
    """Whether the truth is hidden until the thread has its verdict."""
    opened: frozenset[int] = frozenset()
    """Messages whose long parts are unfolded."""
    brief: frozenset[int] = frozenset()
    """Messages that were unfolded with all others: of a long part the beginning."""
    begun: int = -1
    """A message that was unfolded just now: only its first lines are laid out, so that they show at once."""
    seconds: Mapping[str, float] = field(default_factory=dict[str, float])
    """Call id to how long the call took, for the calls that ran while the program was open."""
    replays: Mapping[str, ReplayMark] = field(default_factory=dict[str, ReplayMark])
    """Call id to what a replay of it found."""
    forks: Mapping[int, tuple[int, int]] = field(default_factory=dict[int, tuple[int, int]])
    """Message to which of how many branches this thread is there, counted from 1."""
    drafts: tuple[Draft, ...] = ()
    """The proposals at the thread's end."""
    chosen: int = 0
    """Which of the drafts is shown."""
    question: str = ""
    """Stays in sight on the top line once the question's own lines are scrolled away; empty where it need not."""
    unsaved: int | None = None
    """The message with an edit that was typed and not saved."""
    keys: Keys = NO_KEYS


@dataclass(frozen=True, slots=True)
class Part:
    """One message with all that decides how it is drawn; equal parts have equal lines."""

    index: int
    message: Message
    label: str = ""
    marks: tuple[Span, ...] = ()
    opened: bool = False
    begun: bool = False
    """Whether only its first lines are wanted for now."""
    brief: bool = False
    """Whether only its first lines are wanted, until it is unfolded by itself."""
    calls: tuple[tuple[Span, ...], ...] = ()
    """Per tool call, what stands behind it."""
    verdict: tuple[Span, ...] = ()
    proposed: bool = False
    reasoning: str = ""
    gap: bool = True
    """Whether an empty line comes before it."""
    answers: str = ""
    """The tool that a result is from, where that is not plain from the line above it."""
    above: tuple[Line, ...] = ()
    """Lines over the message: the proposals there are to choose from."""
    judged: tuple[Line, ...] = ()
    """Below the last message: the verdict with its reasons, and the tags."""
    note: str = ""
    """Below that, what was noted at the verdict, or what a turn waits for to which nothing has come."""
    beneath: tuple[str, ...] = ()
    """What stands under the label: tokens read and written, and seconds."""
    keys: Keys = NO_KEYS

    def same(self, other: Part) -> bool:
        """Whether both are drawn alike; the message is compared by identity, since threads share theirs."""
        return self is other or (self.message is other.message and _rest(self) == _rest(other))


def _rest(part: Part) -> tuple[object, ...]:
    return (part.index, part.label, part.marks, part.opened, part.calls, part.verdict, part.proposed, part.reasoning,
            part.gap, part.answers, part.begun, part.brief, part.above, part.judged, part.note,
            part.beneath)  # fmt: skip


def parts_of(thread: Thread, look: Look) -> list[Part]:
    """The thread's messages and the proposal that is shown, each with what is said about it."""
    messages = list(thread.messages)
    answers = _answers(messages)
    named = _named_answers(messages)
    alternatives = _alternatives_at(thread)
    stale = next((index for index, message in enumerate(messages) if message.get("stale")), -1)
    ways_out: Span = (f"⚠ stale: {look.keys['turn.settle']} re-run, accept, branch", "warn")
    unsaved: Span = (f"✎ an edit is not saved: {look.keys['turn.edit']} opens it", "warn")
    parts: list[Part] = []
    turn = 0
    for index, message in enumerate(messages):
        turn += is_assistant(message)
        role = str(message.get("role"))
        reasoning = message.get("reasoning_content")
        parts.append(
            Part(
                index,
                message,
                label=f"TURN {turn}" if is_assistant(message) else "" if role == "tool" else one_line(role.upper(), 8),
                marks=(
                    *((ways_out,) if index == stale else ()),
                    *_marks(message, alternatives.get(index, 0), look.forks.get(index), first_stale=index == stale),
                    *((unsaved,) if index == look.unsaved else ()),
                    *maker(thread, message, turn),
                ),
                **_unfolded(index, look),
                keys=look.keys,
                calls=tuple(_call_marks(call, answers, look) for call in calls_of(message)),
                verdict=_conclusion(thread, message, look) if index == len(messages) - 1 else (),
                reasoning=reasoning if isinstance(reasoning, str) else "",
                gap=bool(index) and role != "tool",
                answers=named.get(index, ""),
                judged=judged(thread) if index == len(messages) - 1 else (),
                note=note_of(thread) if index == len(messages) - 1 else "",
                beneath=effort(message),
            )
        )
    end = len(messages)
    marks = _marks({}, alternatives.get(end, 0), look.forks.get(end))
    if look.drafts:
        parts += _draft_parts(end, turn + 1, look, marks)
    elif marks:
        parts.append(Part(end, _END, "", marks))
    return parts


_END: Message = {"role": "end"}
"""Stands after the last message where there is something to say of that place."""


class _Unfolded(TypedDict):
    opened: bool
    begun: bool
    brief: bool


def _unfolded(index: int, look: Look) -> _Unfolded:
    """How far a message is unfolded."""
    alone = index in look.opened
    return {
        "opened": alone or index in look.brief,
        "begun": index == look.begun,
        "brief": index in look.brief and not alone,
    }


def _answered(messages: Sequence[Message]) -> list[tuple[int, Mapping[str, Any], bool]]:
    """The results that answer a call: where they are, the call, and whether its message makes several."""
    every = (calls_with_results(messages, index) for index, message in enumerate(messages) if message.get("tool_calls"))
    return [(answer, call, len(pairs) > 1) for pairs in every for call, answer in pairs if answer is not None]


def _answers(messages: Sequence[Message]) -> dict[str, Message]:
    return {str(call.get("id")): messages[answer] for answer, call, _ in _answered(messages)}


def _named_answers(messages: Sequence[Message]) -> dict[int, str]:
    """Results that need their tool's name said: those of a turn with several calls, and those of no call."""
    names = {at: call_name(call) if several else "" for at, call, several in _answered(messages)}
    for index, message in enumerate(messages):
        if message.get("role") == "tool" and index not in names:
            names[index] = f"{message.get('name') or 'a result'}, which answers no call here"
    return names


def _alternatives_at(thread: Thread) -> dict[int, int]:
    counts: dict[int, int] = {}
    for alternative in thread.alternatives:
        position = alternative.get("position")
        if isinstance(position, int):
            counts[position] = counts.get(position, 0) + 1
    return counts


def _draft_parts(first: int, turn: int, look: Look, extra: tuple[Span, ...]) -> list[Part]:
    chosen = min(look.chosen, len(look.drafts) - 1)
    draft = look.drafts[chosen]
    answers, named = _answers((proposal := draft.proposal).messages), _named_answers(proposal.messages)
    spoken = next((offset for offset, message in enumerate(proposal.messages) if is_assistant(message)), 0)
    word = "proposal" if len(look.drafts) == 1 else f"proposal {chosen + 1}/{len(look.drafts)}"
    marks: list[Span] = [(word, "mark")]
    if not proposal.complete and not draft.running:
        marks.append(("incomplete: it was stopped or broke off", "warn"))
    if proposal.edited:
        marks.append(("✎ edited", "warn"))
    marks += extra
    if draft.note and not draft.silent:
        marks.append((draft.note, "dim"))
    return [
        Part(
            first + offset,
            message,
            label=f"TURN {turn}" if offset == spoken else "",
            marks=tuple(marks) if offset == spoken else (),
            **_unfolded(first + offset, look),
            keys=look.keys,
            calls=tuple(_call_marks(call, answers, look, running=draft.running) for call in calls_of(message)),
            proposed=True,
            reasoning=proposal.reasoning if offset == spoken else "",
            gap=offset == spoken,
            answers=named.get(offset, "") if offset > spoken else "",
            above=choices(look.drafts, chosen) if offset == 0 and len(look.drafts) > 1 else (),
            note=draft.note if draft.silent and offset == spoken else "",
        )
        for offset, message in enumerate(proposal.messages)
    ]


def _marks(
    message: Message, alternatives: int, fork: tuple[int, int] | None, *, first_stale: bool = False
) -> tuple[Span, ...]:
    """What stands beside a message's label: only what is out of the ordinary."""
    marks: list[Span] = []
    if message.get("stale") and not first_stale:
        marks.append(("⚠ stale", "warn"))
    if message.get("edited"):
        marks.append(("✎ edited", "warn"))
    if label := label_of(message):
        marks.append(LABELS[label])
    if not in_loss(message):
        marks.append(("⊘ out of the loss", "warn"))
    if fork:
        marks.append((f"└ branch {fork[0]}/{fork[1]}", "mark"))
    if alternatives:
        marks.append((f"{alternatives} alternative{'s' * (alternatives > 1)}", "mark"))
    return tuple(marks)


def _call_marks(
    call: Mapping[str, object], answers: Mapping[str, Message], look: Look, *, running: bool = False
) -> tuple[Span, ...]:
    call_id = str(call.get("id"))
    if (answer := answers.get(call_id)) is None:
        spans: list[Span] = [("… running", "dim") if running else ("… no answer", "warn")]
    else:
        spans = [("✗ error", "bad") if failed(answer) else ("✓", "good")]
    if call_id in look.seconds:
        spans.append((f" {duration(look.seconds[call_id])}", "dim"))
    if call_id in look.replays:
        text, kind = _REPLAY[look.replays[call_id]]
        spans.append((f"  {text}", kind))
    return tuple(spans)


def failed(answer: Message) -> bool:
    """Whether a result says that its call could not be carried out."""
    return is_error(text_of(answer))


def _conclusion(thread: Thread, message: Message, look: Look) -> tuple[Span, ...]:
    """Whether the answer is right, and whether it moved when what it cites was taken away."""
    faithfulness = faithfulness_of(thread)
    kinds: dict[str, Kind] = {"faithful": "good", "unfaithful": "bad"}
    checked: tuple[Span, ...] = ((f"  · {faithfulness}", kinds.get(faithfulness, "dim")),) if faithfulness else ()
    verdict = _verdict(thread, message, look)
    return (*verdict, *checked) if verdict else ()


def _verdict(thread: Thread, message: Message, look: Look) -> tuple[Span, ...]:
    """How the final answer compares with the truth, unless the reader is blind to it."""
    answer = final_answer(text_of(message)) if final_message(thread.messages) is not None else None
    if answer is None:
        return ()
    if truth_hidden(verdict_of(thread), blind=look.blind):
        hidden = f"  the truth is hidden until your verdict: {look.keys['list.blind']} shows it"
        return (("● answered", "mark"), (hidden, "dim"))
    if not thread.truth:
        return (("● answered", "mark"), ("  no truth is known", "dim"))
    right = is_right(kind_in(thread.metadata), answer, thread.truth)
    if right:
        return (("✓ correct", "good"),)
    sign: Span = ("● left open", "mark") if right is None else ("✗ wrong", "bad")
    return (sign, ("  the truth is ", "dim"), (one_line(thread.truth, 60), "good"))
