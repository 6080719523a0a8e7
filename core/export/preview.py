"""What an export would hold, before it is written: a row, its text as a template renders it, what is trained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.datasets.held_out import held_out_in
from core.errors import ThreadError
from core.export.profiles import profile_of
from core.export.profiles.hf import messages as template_messages
from core.export.profiles.profile import Making, RefusedError, Row
from core.export.report import ExportRequest, Skips
from core.export.schemas import Schemas
from core.export.selection import HELD_OUT, open_selection
from core.export.sent import as_wanted
from core.export.siblings import Siblings
from core.export.source import plain_row, read_source
from core.filters.language import parse
from core.thread.json_form import decode_object
from core.thread.summary import Summary
from core.thread.turns import broken_calls
from core.thread.updates import with_part
from core.thread.value import Thread, in_loss
from core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of rendered text."""

    text: str
    trained: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """What a profile makes of one thread."""

    rows: tuple[Row, ...]
    rendered: tuple[Piece, ...]
    """The conversation as a plain ChatML template renders it, in stretches that are trained or not. A model's own
    template differs in its marks; `sensorloom prove --model` shows what that one does."""
    changes: Mapping[str, int]
    """What the profile changes or leaves out."""
    refusal: str = ""
    """Why the thread would not leave; empty when it would."""


def preview(workspace: Workspace, summary: Summary, request: ExportRequest, listing: Sequence[Summary] = ()) -> Preview:
    """What `request` would make of one thread, whatever its filter says. Never raises for what the file holds.

    Args:
        workspace: whose threads folder.
        summary: which thread.
        request: the profile and its options.
        listing: the folder's summaries, where pairs are to be made of branches.
    """
    return _preview(workspace, summary, request, _siblings(workspace, request, listing))


def _siblings(workspace: Workspace, request: ExportRequest, listing: Sequence[Summary]) -> Siblings:
    """Families are only looked for where pairs are to be made."""
    return Siblings(workspace.threads, listing if profile_of(request.profile).pairs else ())


def _preview(workspace: Workspace, summary: Summary, request: ExportRequest, siblings: Siblings) -> Preview:
    making = Making(request.split_calls, request.template, request.mask_bad)
    if summary.problem:
        return Preview((), (), {}, summary.problem)
    try:
        source = read_source(workspace.threads, summary.stem)
        if problem := broken_calls(source.thread.messages):
            return Preview((), (), {}, problem)
        profile = profile_of(request.profile)
        source = as_wanted(workspace, source, request, profile, making)
        thread = Schemas(workspace).filled(source.thread, making)
        if profile.rows is None:
            rows = [decode_object(plain_row(source, request.call_ids), summary.stem)]
        else:
            making.siblings = siblings.of(summary.stem) if profile.pairs else ()
            rows = profile.rows(thread, making)
        told = with_part(thread, "messages", [*making.ahead, *thread.messages]) if making.ahead else thread
        pieces = rendered(told, request.split_calls, request.mask_bad)
        return Preview(tuple(rows), pieces, dict(making.changes), _stale(thread))
    except RefusedError as error:
        return Preview((), (), dict(making.changes), str(error))
    except ThreadError as error:
        return Preview((), (), {}, str(error))


@dataclass(frozen=True, slots=True)
class Candidates:
    """What an export would begin with, as far as summaries tell without reading a file."""

    chosen: tuple[Summary, ...]
    skipped: Mapping[str, int]
    """Why the others would not leave."""
    certain: bool
    """Whether nothing but the files themselves could take any more out; else the filter also looks into them."""
    held_out: int = 0
    """How many of the chosen are held out: those that go to the test side."""


def candidates(workspace: Workspace, request: ExportRequest, listing: Sequence[Summary]) -> Candidates:
    """The threads that `request` would take, before duplicates and caps.

    Raises:
        UsageError: the filter cannot be read.
        WorkspaceError: what is held out cannot be read.
    """
    skips = Skips()
    selection = open_selection(workspace, request, parse(request.filter, workspace))
    is_held_out = held_out_in(workspace)
    has_test = request.split is not None and request.split.has_test
    chosen: list[Summary] = []
    tested = 0
    for summary in listing:
        held_out = False
        if reason := selection.reason(summary):
            selection.pass_over(summary, reason, skips)
        elif (held_out := is_held_out(summary)) and not has_test:
            skips.passed_over(HELD_OUT)
        else:
            tested += held_out
            chosen.append(summary)
    return Candidates(tuple(chosen), skips.ordered(), not selection.wanted.needs_file, tested)


@dataclass(frozen=True, slots=True)
class Losses:
    """What a profile would do to some threads."""

    looked_at: int
    changes: Mapping[str, int]
    """What would be changed or left out, and in how many places."""
    refused: Mapping[str, tuple[str, ...]]
    """Why threads would not leave: the sentence, and the stems."""


def losses(
    workspace: Workspace, some: Sequence[Summary], request: ExportRequest, listing: Sequence[Summary] = ()
) -> Losses:
    """What `request`'s profile would lose of these threads. A few milliseconds each."""
    changes: Counter[str] = Counter()
    refused: dict[str, tuple[str, ...]] = {}
    siblings = _siblings(workspace, request, listing)
    for summary in some:
        seen = _preview(workspace, summary, request, siblings)
        changes.update(seen.changes)
        if seen.refusal:
            refused[seen.refusal] = (*refused.get(seen.refusal, ()), summary.stem)
    return Losses(len(some), dict(changes.most_common()), refused)


def rendered(thread: Thread, split_calls: bool = False, mask_bad: bool = False) -> tuple[Piece, ...]:
    """A thread in ChatML, in stretches that a trainer trains or not: the assistant's turns, less those out of the loss.

    Raises:
        RefusedError: its calls cannot be rendered.
    """
    chat = template_messages(thread.messages, Making(split_calls=split_calls, mask_bad=mask_bad))
    pieces: list[Piece] = []
    for trained, text in _stretches(chat, thread.tools or ()):
        if pieces and pieces[-1].trained is trained:
            pieces[-1] = Piece(pieces[-1].text + text, trained)
        elif text:
            pieces.append(Piece(text, trained))
    return tuple(pieces)


def _stretches(chat: Sequence[Row], tools: Sequence[Mapping[str, Any]]) -> list[tuple[bool, str]]:
    """(trained, text) in order; the same text as `snippets/chatml.jinja` gives, which a test holds together."""
    from core.export.profiles.conversation import compact

    stretches: list[tuple[bool, str]] = []
    if tools:
        listed = "".join(f"\n{compact(tool)}" for tool in tools)
        stretches.append(
            (False, f"<|im_start|>system\nYou may call these tools.\n<tools>{listed}\n</tools><|im_end|>\n")
        )
    for position, message in enumerate(chat):
        role, content = message["role"], message["content"]
        if role == "tool":
            first = position == 0 or chat[position - 1]["role"] != "tool"
            last = position == len(chat) - 1 or chat[position + 1]["role"] != "tool"
            text = f"{'<|im_start|>user' if first else ''}\n<tool_response>\n{content}\n</tool_response>"
            stretches.append((False, text + ("<|im_end|>\n" if last else "")))
        elif role == "assistant":
            calls = "".join(
                f'\n<tool_call>\n{{"name": "{call["function"]["name"]}", '
                f'"arguments": {compact(call["function"]["arguments"])}}}\n</tool_call>'
                for call in message.get("tool_calls") or ()
            )
            reasoning = message.get("reasoning_content")
            thought = f"<think>\n{reasoning}\n</think>\n\n" if reasoning else ""
            stretches.append((False, "<|im_start|>assistant\n"))
            stretches.append((in_loss(message), f"{thought}{content}{calls}<|im_end|>"))
            stretches.append((False, "\n"))
        else:
            stretches.append((False, f"<|im_start|>{role}\n{content}<|im_end|>\n"))
    return stretches


def _stale(thread: Thread) -> str:
    stale = sum(message.get("stale") is True for message in thread.messages)
    return f"{stale} of its messages rest on something that changed since" if stale else ""


def thread_to_show(chosen: Sequence[Summary], current: Summary | None, offset: int) -> Summary | None:
    """The thread that is so many further than the open one, round the end; None where none would leave."""
    if not chosen:
        return None
    stem = current.stem if current is not None else ""
    start = next((number for number, summary in enumerate(chosen) if summary.stem == stem), 0)
    return chosen[(start + offset) % len(chosen)]
