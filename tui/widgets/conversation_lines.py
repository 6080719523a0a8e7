"""What a conversation looks like: a thread and how it is looked at, laid out as blocks of lines.

Pure functions of values. The widget draws the lines and keeps blocks that did not change from one layout to
the next, so that a layout after a key press or a batch of streamed text costs only what changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

from core.labels import same_label
from core.proposal import Proposal
from core.text import one_line, printable
from core.thread import (
    Message,
    Thread,
    call_arguments,
    call_name,
    calls_of,
    final_answer,
    final_message,
    is_assistant,
    stated_confidence,
    text_of,
)
from tui.widgets.json_lines import is_json, json_flat, json_flow, json_lines, looks_json
from tui.widgets.lines import Kind, Line, Span, cells, fit, size_text, spread, wrapped

SHORT_RESULT_LINES = 8
"""Lines up to which a tool result is laid out whole."""
FOLDED_RESULT_LINES = 3
"""Lines of a longer one that show while it is folded."""
FOLDED_TEXT = 6_000
"""Characters of a message that show while it is folded; turns are rarely longer."""
OPEN_LIMIT = 400_000
"""Characters of one message that are ever laid out; more is for an editor."""
EXACT_CHECK = 20_000
"""Characters up to which a folded result is parsed to see whether it is JSON; a longer one is judged by its ends."""
HANGING_LABEL = 9
"""Columns of the label column, where there is room for one."""
HANGING_WIDTH = 64
"""Columns from which labels stand beside the text instead of above it."""

ReplayMark = Literal["same", "differs", "cannot"]
_REPLAY: Mapping[ReplayMark, Span] = {
    "same": ("≡ replays", "good"),
    "differs": ("≠ replays differently", "bad"),
    "cannot": ("∅ no replay", "dim"),
}
_STEP: Span = ("  ", "text")
_EMPTY: Line = (("(empty)", "dim"),)
_MANIFEST = "Dataset Information:"
_QUERY = "\n\nUser Query: "


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposed turn as it stands now: still coming, whole, or broken off."""

    proposal: Proposal
    running: bool = False
    note: str = ""
    """What there is to say of it: tokens, rate, seconds, what it waits for."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a thread is looked at. Nothing in here is part of the thread."""

    blind: bool = False
    """Whether the truth is hidden."""
    opened: frozenset[int] = frozenset()
    """Messages whose long parts are unfolded."""
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


@dataclass(frozen=True, slots=True)
class Part:
    """One message with all that decides how it is drawn; equal parts have equal lines."""

    index: int
    message: Message
    label: str = ""
    marks: tuple[Span, ...] = ()
    opened: bool = False
    calls: tuple[tuple[Span, ...], ...] = ()
    """Per tool call, what stands behind it."""
    verdict: tuple[Span, ...] = ()
    proposed: bool = False
    reasoning: str = ""
    gap: bool = True
    """Whether an empty line comes before it."""

    def same(self, other: Part) -> bool:
        """Whether both are drawn alike; the message is compared by identity, since threads share theirs."""
        return self is other or (self.message is other.message and _rest(self) == _rest(other))


def _rest(part: Part) -> tuple[object, ...]:
    return (part.index, part.label, part.marks, part.opened, part.calls, part.verdict, part.proposed, part.reasoning,
            part.gap)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Block:
    """A message's lines."""

    part: Part
    lines: tuple[Line, ...]
    folds: bool
    """Whether something in it can be folded or unfolded."""
    unfocused: tuple[Line, ...] = ()
    """The lines with their gutter while the focus is elsewhere."""
    focused: tuple[Line, ...] = ()
    """The lines with their gutter while the focus is here."""


def parts_of(thread: Thread, look: Look) -> list[Part]:
    """The thread's messages and the proposal that is shown, each with what is said about it."""
    messages = list(thread.messages)
    answers = {str(one.get("tool_call_id")): one for one in messages if one.get("role") == "tool"}
    alternatives = _alternatives_at(thread)
    parts: list[Part] = []
    turn = 0
    for index, message in enumerate(messages):
        turn += is_assistant(message)
        marks = _marks(message, alternatives.get(index, 0), look.forks.get(index))
        verdict = _verdict(thread, message, look) if index == len(messages) - 1 else ()
        parts.append(_part(index, message, turn, look, answers, marks, verdict))
    if look.forks.get(len(messages)) or alternatives.get(len(messages)):
        extra = _marks({}, alternatives.get(len(messages), 0), look.forks.get(len(messages)))
        parts.append(Part(len(messages), _END, "", extra))
    return parts + _draft_parts(len(messages), turn + 1, look)


_END: Message = {"role": "end"}


def _alternatives_at(thread: Thread) -> dict[int, int]:
    found: dict[int, int] = {}
    for one in thread.alternatives:
        position = one.get("position")
        if isinstance(position, int):
            found[position] = found.get(position, 0) + 1
    return found


def _part(
    index: int,
    message: Message,
    turn: int,
    look: Look,
    answers: Mapping[str, Message],
    marks: tuple[Span, ...],
    verdict: tuple[Span, ...],
) -> Part:
    role = str(message.get("role"))
    label = f"TURN {turn}" if is_assistant(message) else "" if role == "tool" else role.upper()[:8]
    calls = tuple(_call_marks(call, answers, look) for call in calls_of(message))
    kept = message.get("reasoning_content")
    return Part(
        index,
        message,
        label,
        marks,
        index in look.opened,
        calls,
        verdict,
        reasoning=kept if isinstance(kept, str) else "",
        gap=bool(index) and role != "tool",
    )


def _draft_parts(first: int, turn: int, look: Look) -> list[Part]:
    if not look.drafts:
        return []
    chosen = min(look.chosen, len(look.drafts) - 1)
    draft = look.drafts[chosen]
    proposal = draft.proposal
    answers = {str(one.get("tool_call_id")): one for one in proposal.messages if one.get("role") == "tool"}
    spoken = next((place for place, one in enumerate(proposal.messages) if is_assistant(one)), 0)
    word = "proposal" if len(look.drafts) == 1 else f"proposal {chosen + 1}/{len(look.drafts)}"
    marks: list[Span] = [(word, "mark")]
    if not proposal.complete and not draft.running:
        marks.append(("incomplete: it was stopped or broke off", "warn"))
    if proposal.edited:
        marks.append(("✎ edited", "warn"))
    if draft.note:
        marks.append((draft.note, "dim"))
    parts: list[Part] = []
    for offset, message in enumerate(proposal.messages):
        index = first + offset
        head = offset == spoken
        parts.append(
            Part(
                index,
                message,
                f"TURN {turn}" if head else "",
                tuple(marks) if head else (),
                index in look.opened,
                tuple(_call_marks(call, answers, look) for call in calls_of(message)),
                proposed=True,
                reasoning=proposal.reasoning if head else "",
                gap=head,
            )
        )
    return parts


def _marks(message: Message, alternatives: int, fork: tuple[int, int] | None) -> tuple[Span, ...]:
    """What stands beside a message's label: only what is out of the ordinary."""
    found: list[Span] = []
    if message.get("stale"):
        found.append(("⚠ stale", "warn"))
    if message.get("edited"):
        found.append(("✎ edited", "warn"))
    if message.get("train") is False:
        found.append(("⊘ out of the loss", "warn"))
    if fork:
        found.append((f"⑂ branch {fork[0]}/{fork[1]}", "mark"))
    if alternatives:
        found.append((f"{alternatives} alternative{'s' * (alternatives > 1)}", "mark"))
    return tuple(found)


def _call_marks(call: Mapping[str, object], answers: Mapping[str, Message], look: Look) -> tuple[Span, ...]:
    call_id = str(call.get("id"))
    answer = answers.get(call_id)
    spans: list[Span] = []
    if answer is None:
        spans.append(("… no answer", "warn"))
    else:
        spans.append(("✗ error", "bad") if _failed(answer) else ("✓", "good"))
    if call_id in look.seconds:
        spans.append((f" {_duration(look.seconds[call_id])}", "dim"))
    if call_id in look.replays:
        text, kind = _REPLAY[look.replays[call_id]]
        spans.append((f"  {text}", kind))
    return tuple(spans)


def _failed(answer: Message) -> bool:
    content = answer.get("content")
    if isinstance(content, Mapping):
        return "error" in content
    return isinstance(content, str) and content.lstrip()[:200].replace(" ", "").startswith('{"error":')


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _verdict(thread: Thread, message: Message, look: Look) -> tuple[Span, ...]:
    """How the final answer compares with the session's label, unless the reader is blind to it."""
    answer = final_answer(text_of(message)) if final_message(thread.messages) is not None else None
    if answer is None:
        return ()
    confidence = stated_confidence(text_of(message))
    said: tuple[Span, ...] = ((f"answer: {one_line(answer, 60)}", "text"),)
    sure: tuple[Span, ...] = ((f"  {confidence} confidence", "dim"),) if confidence else ()
    if look.blind:
        return (("● ", "mark"), *said, ("  truth hidden", "dim"), *sure)
    if not thread.truth:
        return (("● ", "mark"), *said, ("  no truth known", "dim"), *sure)
    if same_label(answer, thread.truth):
        return (("✓ correct", "good"), ("  ", "text"), *said, *sure)
    return (("✗ wrong", "bad"), ("  ", "text"), *said, (f"  truth: {one_line(thread.truth, 60)}", "good"), *sure)


def lay_out(parts: Sequence[Part], width: int, before: Mapping[int, Block]) -> list[Block]:
    """Blocks for the parts, reusing those of `before` (by index, laid out at the same width) that are alike."""
    blocks: list[Block] = []
    for part in parts:
        old = before.get(part.index)
        blocks.append(old if old is not None and old.part.same(part) else block_of(part, width))
    return blocks


def block_of(part: Part, width: int) -> Block:
    """One message's lines, at most `width` columns each."""
    hanging = width >= HANGING_WIDTH
    margin = HANGING_LABEL if hanging else 2
    body = width - margin
    lines, folds = _body(part, body)
    kind: Kind = "user" if part.message.get("role") == "user" else "label"
    head = _head(part, width - margin if hanging else width - len(part.label) - 2)
    rows: list[Line] = []
    if hanging:
        indented: Span = (" " * margin, "text")
        content: list[Line] = [*([head] if head else []), *lines]
        for row, line in enumerate(content or [()]):
            label: Span = (part.label.ljust(margin), kind)
            rows.append((label if row == 0 and part.label else indented, *line))
    else:
        if part.label or head:
            rows.append(((part.label, kind), ("  " if part.label else "", "text"), *head))
        rows += [(_STEP, *line) for line in lines]
    if part.gap:
        rows.insert(0, ())
    at_rest, in_focus = ("┊ ", "┃ ") if part.proposed else ("  ", "▌ ")
    return Block(
        part, tuple(rows), folds, _with_gutter(rows, at_rest, part.gap), _with_gutter(rows, in_focus, part.gap)
    )


def _with_gutter(rows: Sequence[Line], sign: str, gap: bool) -> tuple[Line, ...]:
    """The lines behind a bar, but for the empty one above."""
    bar: Span = (sign, "bar")
    return tuple(row if gap and place == 0 else (bar, *row) for place, row in enumerate(rows))


def _head(part: Part, width: int) -> Line:
    spans: list[Span] = []
    for mark in part.marks:
        spans.extend([_STEP, mark] if spans else [mark])
    return fit(spans, width)


def _body(part: Part, width: int) -> tuple[list[Line], bool]:
    role = part.message.get("role")
    if role == "tool":
        return _result_lines(part, width)
    if role == "user":
        return _user_lines(part, width)
    if role == "end":
        return [], False
    lines, folds = _reasoning_lines(part, width)
    text_lines, text_folds = _text_lines(text_of(part.message).rstrip(), part.opened, width)
    lines += text_lines
    for call, marks in zip(calls_of(part.message), part.calls, strict=False):
        call_lines, call_folds = _call_lines(call_name(call), call_arguments(call), marks, part.opened, width)
        lines += call_lines
        folds = folds or call_folds
    if part.verdict:
        lines += [fit(part.verdict, width)]
    return lines, folds or text_folds


def _reasoning_lines(part: Part, width: int) -> tuple[list[Line], bool]:
    text = part.reasoning.strip()
    if not text:
        return [], False
    if not part.opened:
        return [fit([("▸ thinking  ", "dim"), (one_line(text, width * 2), "dim")], width)], True
    head: Line = (("▾ thinking", "dim"),)
    return [head, *((("  ", "dim"), *line) for line in wrapped(text[:OPEN_LIMIT], width - 2, "dim"))], True


def _text_lines(text: str, opened: bool, width: int) -> tuple[list[Line], bool]:
    if not text:
        return [], False
    limit = OPEN_LIMIT if opened else FOLDED_TEXT
    lines = list(wrapped(text[:limit], width))
    if len(text) > limit:
        lines.append(_more(len(text) - limit, opened))
    return lines, len(text) > FOLDED_TEXT


def _more(characters: int, opened: bool) -> Line:
    way = "E opens all of it in your editor" if opened else "→ unfolds"
    return ((f"… {size_text(characters)} more, {way}", "dim"),)


def _call_lines(name: str, arguments: str, marks: Line, opened: bool, width: int) -> tuple[list[Line], bool]:
    json_shaped = is_json(arguments)
    flat: Line = json_flat(arguments, width * 2) if json_shaped else ((one_line(arguments, width * 2), "bad"),)
    head: list[Span] = [("▸ ", "tool"), (one_line(name, 60) or "(no name)", "tool"), (" ", "text")]
    behind: list[Span] = [_STEP, *marks]
    whole = [*head, *flat]
    fits = cells(whole) + cells(behind) <= width
    if fits:
        return [(*whole, *behind)], False
    if not opened:
        return [spread(tuple(whole), tuple(behind), width)], True
    shown = json_lines(arguments, width - 2) if json_shaped else wrapped(arguments[:OPEN_LIMIT], width - 2, "bad")
    return [fit([*head, *behind], width), *((_STEP, *line) for line in shown)], True


def _result_lines(part: Part, width: int) -> tuple[list[Line], bool]:
    text = text_of(part.message)
    lines, folds = _json_or_text(text, part.opened, width - 2)
    sign: Span = ("◂ ", "bad" if _failed(part.message) else "tool")
    first, *rest = lines or [_EMPTY]
    rows: list[Line] = [(sign, *first)]
    rows += [(_STEP, *line) for line in rest]
    return rows, folds


def _json_or_text(text: str, opened: bool, width: int) -> tuple[list[Line], bool]:
    """A result: whole where it is short or unfolded, else its beginning, run together if it is JSON."""
    json_shaped = is_json(text) if opened or len(text) <= EXACT_CHECK else looks_json(text)
    shown = text[: OPEN_LIMIT if opened else FOLDED_TEXT]
    laid = json_lines(text, width) if json_shaped and len(text) <= OPEN_LIMIT else wrapped(shown, width)
    lines = list(islice(laid, None if opened else SHORT_RESULT_LINES + 1))
    if opened:
        if len(text) > OPEN_LIMIT:
            lines.append(_more(len(text) - OPEN_LIMIT, opened))
        return lines, len(lines) > SHORT_RESULT_LINES
    if len(lines) <= SHORT_RESULT_LINES and len(shown) == len(text):
        return lines, False
    if json_shaped:
        lines = list(islice(json_flow(text, width), FOLDED_RESULT_LINES))
    return [*lines[:FOLDED_RESULT_LINES], ((f"… {size_text(len(text))} in all, → unfolds", "dim"),)], True


def _user_lines(part: Part, width: int) -> tuple[list[Line], bool]:
    text = text_of(part.message)
    if text.startswith(_MANIFEST):
        manifest, _, query = text[len(_MANIFEST) :].partition(_QUERY)
        return [*_manifest_lines(manifest.strip(), part.opened, width), *wrapped(query, width, "user")], True
    if is_json(text):
        return _json_or_text(text, part.opened, width)
    lines, folds = _text_lines(text, part.opened, width)
    return [tuple((one, "user") for one, _ in line) for line in lines], folds


def _manifest_lines(manifest: str, opened: bool, width: int) -> Iterator[Line]:
    yield fit([("▾ " if opened else "▸ ", "dim"), (_manifest_summary(manifest), "dim")], width)
    if opened:
        body = json_lines(manifest, width - 2) if is_json(manifest) else wrapped(manifest[:OPEN_LIMIT], width - 2)
        for line in body:
            yield (_STEP, *line)
    yield ()


def _manifest_summary(manifest: str) -> str:
    import msgspec

    try:
        found = msgspec.json.decode(manifest)
    except (msgspec.DecodeError, RecursionError):
        return f"dataset information, {size_text(len(manifest))}"
    if not isinstance(found, dict):
        return f"dataset information, {size_text(len(manifest))}"
    name = printable(str(found.get("dataset_name", "?")))
    channels, activities = found.get("channels"), found.get("activities")
    counted = [
        f"{len(items)} {word}"
        for items, word in ((channels, "channels"), (activities, "activities"))
        if isinstance(items, list)
    ]
    return one_line(", ".join([f"dataset {name}", *counted]))
