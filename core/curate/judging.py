"""Verdicts and tags, for one thread and for many."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal

from core.curate.bulk import Bulk, Progress, as_one_step
from core.curate.steps import commit
from core.storage import store
from core.thread.value import Thread, timestamp, with_metadata
from core.workspace import Workspace

Verdict = Literal["accept", "reject", "skip"]


def set_verdicts(
    workspace: Workspace,
    stems: Iterable[str],
    verdict: Verdict | None,
    note: str | None = None,
    *,
    progress: Progress | None = None,
) -> Bulk:
    """Judge several threads as one step."""

    def change(thread: Thread) -> Thread:
        return with_verdict(thread, verdict, note)

    return _change_each(workspace, stems, change, _verdict_in_words(verdict), progress)


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

    return _change_each(workspace, stems, change, "tags", progress)


def with_verdict(thread: Thread, verdict: Verdict | None, note: str | None = None) -> Thread:
    """The thread with a verdict; None takes it back. The same verdict again keeps its note unless there is another."""
    if verdict is None:
        return with_metadata(thread, review=...) if "review" in thread.metadata else thread
    review = thread.metadata.get("review")
    old: dict[str, Any] = review if isinstance(review, dict) else {}
    same = old.get("verdict") == verdict
    if same and note in (None, old.get("note", "")):
        return thread
    return with_metadata(thread, review={**old, "verdict": verdict, "note": note or "", "at": timestamp()})


def with_tags(thread: Thread, tags: Iterable[str]) -> Thread:
    """The thread with these tags, each once, in this order; blank ones don't count."""
    wanted = list(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
    if wanted == tags_of(thread):
        return thread
    return with_metadata(thread, tags=wanted or ...)


def tags_of(thread: Thread) -> list[str]:
    """The thread's tags."""
    tags = thread.metadata.get("tags")
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []


def _verdict_in_words(verdict: Verdict | None) -> str:
    return f"verdict {verdict}" if verdict else "verdict taken back"


def _change_each(
    workspace: Workspace,
    stems: Iterable[str],
    change: Callable[[Thread], Thread],
    what: str,
    progress: Progress | None,
) -> Bulk:
    def act(stem: str, group: str) -> bool:
        stored = store.read(workspace.threads, stem)
        return commit(workspace, stored, change(stored.thread), what, group) is not stored

    return as_one_step(workspace, stems, act, progress)
