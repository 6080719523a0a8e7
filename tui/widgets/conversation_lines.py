"""What a conversation looks like: its parts, laid out as blocks of lines.

Pure functions of values. The widget draws the lines and keeps blocks that did not change from one layout to
the next, so that a layout after a key press or a batch of streamed text costs only what changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from core.text import counted, one_line, printable
from core.thread.opening import opening_of
from core.thread.value import call_arguments, call_name, calls_of, text_of
from tui.widgets.conversation_parts import Part, failed
from tui.widgets.json_lines import is_json, json_flat, json_flow, json_lines, looks_json
from tui.widgets.lines import Kind, Line, Span, cells, fit, size_text, spread, wrapped
from tui.widgets.result_text import telling_first

SHORT_RESULT_LINES = 8
"""Lines up to which a tool result is laid out whole."""
FOLDED_RESULT_LINES = 3
"""Lines of a longer one that show while it is folded."""
BEGUN_LINES = 80
"""Lines of an unfolded result that are laid out first; the rest follows when these are on the screen."""
FOLDED_TEXT = 6_000
"""Characters of a message that show while it is folded; turns are rarely longer."""
OPEN_LIMIT = 400_000
"""Characters of one message that are ever laid out; more is for an editor."""
EXACT_CHECK = 20_000
"""Characters up to which a folded result is parsed to see whether it is JSON; a longer one is judged by its ends."""
HANGING_LABEL = 9
"""Columns of the label column, where there is room for one."""
HANGING_WIDTH = 60
"""Columns from which labels stand beside the text instead of above it."""

_STEP: Span = ("  ", "text")
_EMPTY: Line = (("(empty)", "dim"),)


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
    if part.beneath and not hanging and not head:
        head = fit([("  ".join(part.beneath), "dim")], width - len(part.label) - 2)
    rows: list[Line] = []
    if hanging:
        indented: Span = (" " * margin, "text")
        content: list[Line] = [*([head] if head else []), *lines]
        beneath: dict[int, Span] = {
            row: (text[: margin - 1].ljust(margin), "dim") for row, text in enumerate(part.beneath, 1)
        }
        for row, line in enumerate(content or [()]):
            label: Span = (part.label.ljust(margin), kind)
            rows.append((label if row == 0 and part.label else beneath.get(row, indented), *line))
    else:
        if part.label or head:
            rows.append(((part.label, kind), ("  " if part.label else "", "text"), *head))
        rows += [(_STEP, *line) for line in lines]
    if part.above:
        step: Span = (" " * margin, "text")
        rows = [*(fit([step, *line], width) for line in part.above), (), *rows]
    if part.judged or part.note:
        below: Span = (" " * margin, "text")
        note = wrapped(part.note, width - margin, "dim") if part.note else ()
        rows += [(), *((below, *fit(line, width - margin)) for line in (*part.judged, *note))]
    if part.gap:
        rows.insert(0, ())
    at_rest, in_focus = ("┊ ", "┃ ") if part.proposed else ("  ", "▌ ")
    return Block(
        part, tuple(rows), folds, _with_gutter(rows, at_rest, part.gap), _with_gutter(rows, in_focus, part.gap)
    )


def _with_gutter(rows: Sequence[Line], sign: str, gap: bool) -> tuple[Line, ...]:
    """The lines behind a bar, but for the empty one above."""
    bar: Span = (sign, "bar")
    return tuple(row if gap and index == 0 else (bar, *row) for index, row in enumerate(rows))


def _head(part: Part, width: int) -> Line:
    spans: list[Span] = []
    for mark in part.marks:
        if spans and mark[1] == "dim" and cells([*spans, _STEP, mark]) > width:
            continue  # what matters less takes no room from the rest
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
    text_lines, text_folds = _text_lines(text_of(part.message).rstrip(), part, width)
    lines += text_lines
    for call, marks in zip(calls_of(part.message), part.calls, strict=False):
        call_lines, call_folds = _call_lines(call_name(call), call_arguments(call), marks, part.opened, width)
        lines += call_lines
        folds = folds or call_folds
    if part.verdict:
        lines.append(fit(part.verdict, width))
    return lines, folds or text_folds


def _reasoning_lines(part: Part, width: int) -> tuple[list[Line], bool]:
    text = part.reasoning.strip()
    if not text:
        return [], False
    if not part.opened:
        return [fit([("▸ thinking  ", "dim"), (one_line(text, width * 2), "dim")], width)], True
    head: Line = (("▾ thinking", "dim"),)
    return [head, *((("  ", "dim"), *line) for line in wrapped(text[:OPEN_LIMIT], width - 2, "dim"))], True


def _text_lines(text: str, part: Part, width: int) -> tuple[list[Line], bool]:
    if not text:
        return [], False
    limit = OPEN_LIMIT if part.opened else FOLDED_TEXT
    lines = list(wrapped(text[:limit], width))
    if len(text) > limit:
        lines.append(_more(len(text) - limit, part, width))
    return lines, len(text) > FOLDED_TEXT


def _more(characters: int, part: Part, width: int) -> Line:
    if not part.opened:
        return _beginning(f"{size_text(characters)} more", part, width)
    way = f"{part.keys['turn.edit_external']} opens all of it in your editor"
    return fit([(f"… {size_text(characters)} more, {way}", "dim")], width)


def _beginning(size: str, part: Part, width: int) -> Line:
    """Below what is shown of something long."""
    return fit([(f"… {size}, {part.keys['conversation.unfold']} unfolds", "dim")], width)


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
    lines, folds = _json_or_text(telling_first(text_of(part.message)), part, width - 2)
    if part.answers:
        lines.insert(0, ((one_line(part.answers, width - 2), "dim"),))
    sign: Span = ("◂ ", "bad" if failed(part.message) else "tool")
    first, *rest = lines or [_EMPTY]
    rows: list[Line] = [(sign, *first)]
    rows += [(_STEP, *line) for line in rest]
    return rows, folds


def _json_or_text(text: str, part: Part, width: int) -> tuple[list[Line], bool]:
    """A result: whole where it is short or unfolded, else its beginning, run together if it is JSON."""
    opened = part.opened
    whole = opened and not part.brief
    json_shaped = is_json(text) if whole or len(text) <= EXACT_CHECK else looks_json(text)
    shown = text[: OPEN_LIMIT if opened else FOLDED_TEXT]
    laid = json_lines(text, width) if json_shaped and len(text) <= OPEN_LIMIT else wrapped(shown, width)
    begun = part.begun or part.brief
    wanted = SHORT_RESULT_LINES + 1 if not opened else BEGUN_LINES if begun else None
    lines = list(islice(laid, wanted))
    if opened:
        if part.brief and next(laid, None) is not None:
            lines.append(_beginning(f"{size_text(len(text))} in all", part, width))
            return lines, True
        if len(text) > OPEN_LIMIT:
            lines.append(_more(len(text) - OPEN_LIMIT, part, width))
        return lines, len(lines) > SHORT_RESULT_LINES
    if len(lines) <= SHORT_RESULT_LINES and len(shown) == len(text):
        return lines, False
    if json_shaped:
        lines = list(islice(json_flow(text, width), FOLDED_RESULT_LINES))
    return [*lines[:FOLDED_RESULT_LINES], _beginning(f"{size_text(len(text))} in all", part, width)], True


def _user_lines(part: Part, width: int) -> tuple[list[Line], bool]:
    text = text_of(part.message)
    opening = opening_of(text)
    if opening.manifest is not None:
        question = "" if opening.question_at is None else text[opening.question_at :]
        return [*_manifest_lines(opening.manifest, part.opened, width), *wrapped(question, width, "user")], True
    if is_json(text):
        return _json_or_text(text, part, width)
    lines, folds = _text_lines(text, part, width)
    return [tuple((piece, "user") for piece, _ in line) for line in lines], folds


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
        information = msgspec.json.decode(manifest)
    except (msgspec.DecodeError, RecursionError):
        return f"dataset information, {size_text(len(manifest))}"
    if not isinstance(information, dict):
        return f"dataset information, {size_text(len(manifest))}"
    name = printable(str(information.get("dataset_name", "?")))
    channels, activities = information.get("channels"), information.get("activities")
    counts = [counted(len(channels), "channel")] if isinstance(channels, list) else []
    if isinstance(activities, list):
        counts.append("1 activity" if len(activities) == 1 else f"{len(activities)} activities")
    return one_line(", ".join([f"dataset {name}", *counts]))
