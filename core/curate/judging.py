"""Verdicts and tags, for one thread and for many, and labels of single turns."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from core.curate.bulk import Bulk, Progress, as_one_step
from core.curate.steps import commit
from core.errors import UsageError
from core.storage import store
from core.storage.store import Stored
from core.text import one_line
from core.thread.review import reasons_of, review_of, tags_of, verdict_of
from core.thread.turn_labels import TurnLabel, with_label
from core.thread.turns import turn_at
from core.thread.updates import with_metadata
from core.thread.value import Thread, timestamp
from core.workspace import Workspace

Verdict = Literal["accept", "reject", "skip"]


def set_verdicts(
    workspace: Workspace,
    stems: Iterable[str],
    verdict: Verdict | None,
    note: str | None = None,
    reasons: Iterable[str] | None = None,
    *,
    add: Iterable[str] = (),
    remove: Iterable[str] = (),
    progress: Progress | None = None,
) -> Bulk:
    """Judge several threads as one step. Who judged is kept with the verdict, and with the step.

    Args:
        workspace: where the threads are.
        stems: which threads.
        verdict: None takes verdicts back.
        note: why, in words; None leaves the note of a verdict that stays the same.
        reasons: why, in words from the workspace's list (`reason_named`); None leaves those of a verdict that stays.
        add: reasons that each thread gets besides its own, where `reasons` is None.
        remove: reasons that each thread loses, where `reasons` is None.
        progress: told how many are done.
    """
    chosen = None if reasons is None else tuple(dict.fromkeys(reasons))
    added, removed = tuple(add), frozenset(remove)

    def change(thread: Thread) -> Thread:
        own = chosen
        if own is None and (added or removed):
            stated = reasons_of(thread) if verdict_of(thread) == verdict else ()
            own = tuple(reason for reason in dict.fromkeys((*stated, *added)) if reason not in removed)
        return with_verdict(thread, verdict, note, own, workspace.person)

    def what(thread: Thread) -> str:
        before = "" if verdict else verdict_of(thread)
        return f"verdict {before} taken back" if before else verdict_in_words(verdict, note, chosen or added)

    return _change_each(workspace, stems, change, what, progress)


def reason_named(reasons: Mapping[str, str], word: str) -> str:
    """The reason of a workspace's list (`Settings.reasons`) that a key, or its words in any case of letters, names.

    Raises:
        UsageError: there is none; the message says what there is, and how another is added.
    """
    if word in reasons:
        return reasons[word]
    plain = {reason.casefold(): reason for reason in reasons.values()}
    if word.casefold() in plain:
        return plain[word.casefold()]
    near = difflib.get_close_matches(word.casefold(), plain, 1)
    hint = f"did you mean `{plain[near[0]]}`?" if near else f"there are: {', '.join(reasons.values()) or 'none'}"
    raise UsageError(f"there is no reason `{word}`; {hint} (`[reasons]` in sensorloom.toml lists them, a key each)")


def change_tags(
    workspace: Workspace,
    stems: Iterable[str],
    add: Iterable[str] = (),
    remove: Iterable[str] = (),
    *,
    progress: Progress | None = None,
) -> Bulk:
    """Add and remove tags of several threads as one step."""
    added, removed = list(add), set(remove)

    def change(thread: Thread) -> Thread:
        return with_tags(thread, [tag for tag in [*tags_of(thread), *added] if tag not in removed])

    what = " ".join(["tags", *(f"+{tag}" for tag in added), *(f"-{tag}" for tag in sorted(removed))])
    return _change_each(workspace, stems, change, lambda _: what, progress)


def label_turn(workspace: Workspace, stored: Stored, index: int, label: TurnLabel | None) -> Stored:
    """Label the assistant turn of message `index`, or take its label off; one step.

    `bad` labels the turns after it, too: `core.thread.turn_labels.with_label`.

    Raises:
        UsageError: the message belongs to no assistant turn.
        ConflictError: the file is no longer what was read.
    """
    thread = with_label(stored.thread, index, label)
    number = turn_at(stored.thread, index).number
    what = f"label of turn {number} taken off" if label is None else f"turn {number} labelled {label}"
    return commit(workspace, stored, thread, what)


def with_verdict(
    thread: Thread,
    verdict: Verdict | None,
    note: str | None = None,
    reasons: tuple[str, ...] | None = None,
    by: str = "",
) -> Thread:
    """The thread with a verdict; None takes it back. The same verdict again keeps its note and its reasons unless there
    are others."""
    if verdict is None:
        return with_metadata(thread, review=...) if "review" in thread.metadata else thread
    old = review_of(thread)
    if old.get("verdict") == verdict:
        note = old.get("note", "") if note is None else note
        reasons = reasons_of(thread) if reasons is None else reasons
        if (note, reasons) == (old.get("note", ""), reasons_of(thread)):
            return thread
    why: dict[str, Any] = {"note": note or "", "reasons": list(reasons or ()), "by": by}
    stated = {key: value for key, value in why.items() if value or key == "note"}
    unknown = {key: value for key, value in old.items() if key not in ("verdict", *why, "at")}
    return with_metadata(thread, review={"verdict": verdict, **stated, "at": timestamp(), **unknown})


def with_tags(thread: Thread, tags: Iterable[str]) -> Thread:
    """The thread with these tags, each once, in this order; blank ones don't count."""
    wanted = list(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
    if tuple(wanted) == tags_of(thread):
        return thread
    return with_metadata(thread, tags=wanted or ...)


def verdict_in_words(verdict: Verdict | None, note: str | None = None, reasons: Iterable[str] | None = None) -> str:
    """A verdict as a step calls it: `verdict reject (wrong answer; never looked at the gyroscope)`."""
    if not verdict:
        return "verdict taken back"
    why = "; ".join(part for part in (", ".join(reasons or ()), one_line(note or "", 80)) if part)
    return f"verdict {verdict} ({why})" if why else f"verdict {verdict}"


def _change_each(
    workspace: Workspace,
    stems: Iterable[str],
    change: Callable[[Thread], Thread],
    what: Callable[[Thread], str],
    progress: Progress | None,
) -> Bulk:
    """Change several threads as one step; `what` names it, told each thread as it was."""

    def act(stem: str, group: str) -> bool:
        stored = store.read(workspace.threads, stem)
        return commit(workspace, stored, change(stored.thread), what(stored.thread), group) is not stored

    return as_one_step(workspace, stems, act, progress)
