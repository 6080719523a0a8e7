"""Work under way that is no part of a thread yet, kept so that a crash does not lose it.

An edit being typed and proposals not decided on are written to `.sensorloom/drafts/` (the caller decides how often)
and offered again at the next start. They are cleared when they are saved or given up. What cannot be written, because
the disk is full, is kept while the program runs, and written with the next change.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from core.errors import SensorloomError, system_reason
from core.files import read_regular_file
from core.storage.atomic import write_atomic
from core.storage.locks import locked
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


_unwritten: dict[Path, Drafts] = {}
"""What could not be written, by the file it belongs in."""


def load_drafts(workspace: Workspace, stem: str) -> Drafts:
    """What was under way in a thread; nothing when it is not known or its file is damaged."""
    path = _path(workspace, stem)
    if path in _unwritten:
        return _unwritten[path]
    try:
        return _read(path)
    except (OSError, ValueError, RecursionError):
        return Drafts()


def all_drafts(workspace: Workspace) -> dict[str, Drafts]:
    """Every thread with something under way, by stem: what is offered at the start."""
    every = {stem: load_drafts(workspace, stem) for stem in stems(_folder(workspace))}
    return {stem: drafts for stem, drafts in every.items() if drafts != Drafts()}


def save_edit(workspace: Workspace, stem: str, edit: EditDraft) -> None:
    """Keep an edit under way, in place of the thread's earlier one.

    Raises:
        SensorloomError: it could not be written, and is kept only while the program runs.
    """
    _change(workspace, stem, lambda drafts: Drafts(edit, drafts.proposals))


def clear_edit(workspace: Workspace, stem: str) -> None:
    """Forget the edit under way: it was saved, or given up. Raises: as `save_edit`."""
    _change(workspace, stem, lambda drafts: Drafts(None, drafts.proposals))


def save_proposals(workspace: Workspace, stem: str, proposals: Sequence[Proposal]) -> None:
    """Keep the proposals that are not decided on, in place of the thread's earlier ones; none clears them.

    Raises: as `save_edit`.
    """
    _change(workspace, stem, lambda drafts: Drafts(drafts.edit, tuple(proposals)))


def _change(workspace: Workspace, stem: str, change: Callable[[Drafts], Drafts]) -> None:
    """Keep what `change` makes of a thread's drafts. The edit and the proposals change from different threads of the
    program, and from several programs, so both steps are one under a lock."""
    path = _path(workspace, stem)
    try:
        present = _unwritten.get(path) or _read(path)
    except (OSError, ValueError, RecursionError):
        present = Drafts()
    if present == Drafts() == change(present) and not path.exists():
        return
    try:
        private_folder(workspace, *names_for_threads(workspace, "drafts"))
        with locked(path.parent):
            drafts = change(_unwritten.get(path) or _present(path))
            _write(path, drafts)
    except SensorloomError as error:
        _unwritten[path] = change(present)
        raise SensorloomError(f"{error}; what is under way in {stem} is kept until sensorloom ends") from error
    _unwritten.pop(path, None)


def _present(path: Path) -> Drafts:
    """What the file holds. A damaged one is set aside before anything is written in its place."""
    try:
        return _read(path)
    except FileNotFoundError:
        return Drafts()
    except OSError as error:
        raise SensorloomError(f"cannot read {path}: {system_reason(error)}") from error
    except (ValueError, RecursionError):
        with suppress(OSError):
            path.replace(path.with_suffix(".damaged"))
        return Drafts()


def _read(path: Path) -> Drafts:
    return msgspec.convert(json.loads(read_regular_file(path)), Drafts)


def _write(path: Path, drafts: Drafts) -> None:
    if drafts == Drafts():
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise SensorloomError(f"cannot remove {path}: {system_reason(error)}") from error
        return
    # plain json keeps a lone surrogate as an escape, where msgspec refuses it
    write_atomic(path, json.dumps(msgspec.to_builtins(drafts)).encode())


def _path(workspace: Workspace, stem: str) -> Path:
    return path_of(_folder(workspace), stem)


def _folder(workspace: Workspace) -> Path:
    return workspace.private.joinpath(*names_for_threads(workspace, "drafts"))
