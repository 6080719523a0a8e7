"""Converting the v3 threads of a folder, as one step that undo takes back.

The originals are kept in `threads_v3_backup/` beside it, byte for byte. Each file is converted whole or stays where it
is, with the reason; none is counted as converted for another's sake.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.curate.steps import recorder
from core.curate.v3_conversion import converted
from core.errors import SensorloomError, ThreadError, system_reason
from core.files import read_regular_file
from core.storage import history, history_files, store, thread_files
from core.storage.atomic import digest, write_atomic
from core.storage.locks import locked
from core.thread.json_form import decode_object, shape_of
from core.thread.updates import with_metadata
from core.thread.value import Thread
from core.workspace import Workspace

BACKUP_FOLDER = "threads_v3_backup"
CONVERSION = "conversion from v3"
"""What the step is called in the history."""
_ORIGINAL = "migrated_sha256"
"""In the metadata of a converted thread: the SHA-256 of the original's bytes, by which a migration that was interrupted
knows what it has done."""


@dataclass(frozen=True, slots=True)
class Migrated:
    """What became of one v3 file."""

    stem: str
    id: str = ""
    """The new thread's id; empty when it could not be converted."""
    backup: str = ""
    """Where the original went, or would go."""
    problem: str = ""


def backup_folder(workspace: Workspace) -> Path:
    """Where originals go: beside the threads folder."""
    return workspace.threads.parent / BACKUP_FOLDER


def migrate(
    workspace: Workspace,
    stems: Sequence[str],
    *,
    dry_run: bool = False,
    progress: Callable[[int, int], object] = lambda _done, _total: None,
) -> list[Migrated]:
    """Convert v3 threads as one step. A file that cannot be converted stays where it is, with the reason, and stops no
    other.

    Args:
        workspace: whose threads folder.
        stems: which files; those that a listing shows as v3.
        dry_run: only say what would be done.
        progress: called with how many were looked at, and of how many.
    """
    outcomes: list[Migrated] = []
    if not stems:
        return outcomes
    group = "" if dry_run else history.new_group()
    if group:
        history.keep_group(workspace, group, stems)  # a kill on the way leaves at least the originals one step
    try:
        for number, stem in enumerate(stems, 1):
            promised = [outcome.id for outcome in outcomes] if dry_run else []
            try:
                with locked(workspace.threads):
                    outcomes.append(_migrate(workspace, stem, promised, group))
            except SensorloomError as error:
                outcomes.append(Migrated(stem, problem=str(error)))
            except RecursionError:
                outcomes.append(Migrated(stem, problem=f"{stem}.json: nested too deeply to be a thread"))
            progress(number, len(stems))
    finally:
        if group:
            new_ids = [outcome.id for outcome in outcomes if outcome.id]  # one for several files of the same bytes
            history.keep_group(workspace, group, dict.fromkeys([*stems, *new_ids]))
    return outcomes


def _migrate(workspace: Workspace, stem: str, promised: Sequence[str], group: str) -> Migrated:
    """Convert one file as part of a step; without a group only say what would become of it."""
    path = thread_files.path_of(workspace.threads, stem)
    data = thread_files.read_bytes(path)
    document = decode_object(data, path.name)
    if shape_of(document) != "v3":
        raise ThreadError(f"{path.name}: no longer a v3 thread")
    manifest = _manifest(workspace, document)
    backup = _backup(backup_folder(workspace), path.name, data)

    def thread_of(stem: str) -> Thread:
        try:
            return with_metadata(converted(document, stem, manifest), **{_ORIGINAL: digest(data)})
        except ThreadError as error:
            raise ThreadError(f"{path.name}: {error}") from error

    before = _converted_before(workspace, document, digest(data))
    undone = _undone_before(workspace, document, stem, digest(data)) if not before else ""
    new_id = before or undone or _new_id(workspace, document, stem, promised)
    thread = thread_of(new_id)
    if not group:
        return Migrated(stem, new_id, str(backup))
    record = recorder(workspace, CONVERSION, group)
    if not before:
        store.create(workspace.threads, thread, record)
    _keep(backup, data)
    store.replace(workspace.threads, stem, None, digest(data), record)
    return Migrated(stem, new_id, str(backup))


def _manifest(workspace: Workspace, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The dataset's manifest: from the workspace, else from the thread, else only its name."""
    from core.datasets.standard import open_dataset

    name = str(document.get("dataset_name") or "")
    try:
        return open_dataset(workspace, name).manifest
    except SensorloomError:
        context = document.get("initial_context")
        parts = context if isinstance(context, Mapping) else {}
        manifests = (parts.get(key) for key in ("manifest", "dataset_manifest", "dataset_info"))
        return next((part for part in manifests if isinstance(part, Mapping)), {"dataset_name": name})


def _renamed(document: Mapping[str, Any], stem: str) -> str:
    """The id that a v3 thread has in the present form, where that is free."""
    return re.sub(r"_v3(?=_|$)", "_v4", str(document.get("thread_id") or stem))


def _new_id(workspace: Workspace, document: Mapping[str, Any], stem: str, promised: Iterable[str]) -> str:
    renamed = _renamed(document, stem)
    named = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,180}", renamed) is not None
    if named and renamed not in (*promised, stem) and not history_files.is_there(workspace, renamed):
        if not thread_files.exists(workspace.threads, renamed):
            return renamed
    names = str(document.get("dataset_name")), str(document.get("session_id"))
    return store.new_id(workspace.threads, *names, lambda: [*history_files.reserved(workspace), *promised, stem])


def _converted_before(workspace: Workspace, document: Mapping[str, Any], original: str) -> str:
    """The id of the thread that an earlier, interrupted migration made of this very file; empty when there is none."""
    for stem in _candidates(workspace, document):
        try:
            metadata = store.read(workspace.threads, stem).thread.metadata
        except SensorloomError:
            continue
        if metadata.get(_ORIGINAL) == original and metadata.get("migrated_from") == document.get("thread_id"):
            return stem
    return ""


def _undone_before(workspace: Workspace, document: Mapping[str, Any], stem: str, original: str) -> str:
    """The id that this very file had when it was converted before and that was taken back; empty when there is none.
    Converted again it has the same one, so that no redo brings a second copy."""
    step = history.read(workspace, stem).next_redo
    if step is None or step.what != CONVERSION or not step.group:
        return ""
    base = store.id_base(str(document.get("dataset_name")), str(document.get("session_id")))
    names = [_renamed(document, ""), *history.stems_of_group(workspace, step.group)]
    for name in dict.fromkeys(name for name in names if name == names[0] or name.startswith(f"{base}_v4_")):
        if not thread_files.is_stem(name) or thread_files.exists(workspace.threads, name):
            continue
        past = history.read(workspace, name)
        conversion = past.next_redo
        if past.done or conversion is None or conversion.group != step.group or conversion.after is None:
            continue
        document_then = decode_object(history.content(workspace, name, conversion.after), name)
        if document_then.get("metadata", {}).get(_ORIGINAL) == original:
            return name
    return ""


def _candidates(workspace: Workspace, document: Mapping[str, Any]) -> Iterator[str]:
    """The threads that may have been made of a document: that of its id, and where another has it, its session's."""
    renamed = _renamed(document, "")
    if not thread_files.is_stem(renamed) or not thread_files.exists(workspace.threads, renamed):
        return
    yield renamed
    base = store.id_base(str(document.get("dataset_name")), str(document.get("session_id")))
    yield from (stem for stem in thread_files.stems(workspace.threads) if stem.startswith(f"{base}_v4_"))


def _keep(target: Path, data: bytes) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SensorloomError(f"cannot make {target.parent}: {system_reason(error)}") from error
    write_atomic(target, data)


def _backup(folder: Path, name: str, data: bytes) -> Path:
    """A name in the backup folder that no other original has."""
    path = folder / name
    number = 1
    while path.exists() and not _holds(path, data):
        number += 1
        path = folder / f"{Path(name).stem}.{number}.json"
    return path


def _holds(path: Path, data: bytes) -> bool:
    try:
        return read_regular_file(path) == data
    except OSError:
        return False
