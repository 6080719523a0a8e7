"""Work under way that is no part of a thread yet, kept so that a crash does not lose it.

An edit being typed and proposals not decided on are written to `.sensorloom/drafts/` (the caller decides how often)
and offered again at the next start. They are cleared when they are saved or given up.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec

from core.storage.atomic import write_atomic
from core.storage.thread_files import path_of, stems
from core.thread.proposal import Proposal
from core.thread.value import timestamp
from core.workspace import Workspace, names_for_threads, private_folder


class EditDraft(msgspec.Struct, frozen=True):
    """A message being edited, as its fields stand on the screen, valid or not."""

    index: int
    """Which message."""
    digest: str
    """Of the thread's file when the edit began (`Stored.digest`): tells whether it still is what was edited."""
    fields: dict[str, str]
    """The text of each field by the name the editor gives it: `text`, `name`, `arguments` …"""
    at: str = msgspec.field(default_factory=timestamp)
    """When it was last typed in; ISO 8601."""


class Drafts(msgspec.Struct, frozen=True):
    """What is under way in one thread."""

    edit: EditDraft | None = None
    proposals: tuple[Proposal, ...] = ()


def load_drafts(workspace: Workspace, stem: str) -> Drafts:
    """What was under way in a thread; nothing when it is not known or its file is damaged."""
    try:
        return msgspec.convert(json.loads(_path(workspace, stem).read_bytes()), Drafts)
    except (OSError, ValueError, RecursionError):
        return Drafts()


def all_drafts(workspace: Workspace) -> dict[str, Drafts]:
    """Every thread with something under way, by stem: what is offered at the start."""
    found = {stem: load_drafts(workspace, stem) for stem in stems(_folder(workspace))}
    return {stem: drafts for stem, drafts in found.items() if drafts != Drafts()}


def save_edit(workspace: Workspace, stem: str, edit: EditDraft) -> None:
    """Keep an edit under way, in place of the thread's earlier one. Raises SensorloomError when it cannot be kept."""
    _save(workspace, stem, Drafts(edit, load_drafts(workspace, stem).proposals))


def clear_edit(workspace: Workspace, stem: str) -> None:
    """Forget the edit under way: it was saved, or given up."""
    _save(workspace, stem, Drafts(None, load_drafts(workspace, stem).proposals))


def save_proposals(workspace: Workspace, stem: str, proposals: Sequence[Proposal]) -> None:
    """Keep the proposals that are not decided on, in place of the thread's earlier ones; none clears them."""
    _save(workspace, stem, Drafts(load_drafts(workspace, stem).edit, tuple(proposals)))


def _save(workspace: Workspace, stem: str, drafts: Drafts) -> None:
    path = _path(workspace, stem)
    if drafts == Drafts():
        path.unlink(missing_ok=True)
        return
    private_folder(workspace, *names_for_threads(workspace, "drafts"))
    # plain json keeps a lone surrogate as an escape, where msgspec refuses it
    write_atomic(path, json.dumps(msgspec.to_builtins(drafts)).encode())


def _path(workspace: Workspace, stem: str) -> Path:
    return path_of(_folder(workspace), stem)


def _folder(workspace: Workspace) -> Path:
    return workspace.private.joinpath(*names_for_threads(workspace, "drafts"))
