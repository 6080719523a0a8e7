"""The export log: which threads have left, with which bytes. Rebuilt from the manifests when it is not there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from core.errors import SensorloomError, ThreadError
from core.files import read_regular_file
from core.storage.atomic import digest
from core.storage.export_log_file import Left, add_export, read_exports, write_exports
from core.storage.locks import locked
from core.storage.thread_files import path_of, read_bytes
from core.text import unicode_text
from core.thread.summary import Summary
from core.workspace import Workspace, private_folder

State = Literal["never", "exported", "changed"]
_FILE = "exported.cache"


class Logged(msgspec.Struct, frozen=True, gc=False):
    """A thread as it was when it left last."""

    sha256: str
    export: str
    """Name of the export without its ending."""
    size: int = 0
    mtime_ns: int = 0
    """Size and time of the file as it left; 0 when not known."""


Log = dict[str, dict[str, Logged]]
"""For each profile: stem, as UTF-8 can carry it, to what left."""


UNNAMED = ".training_data_*.whole"
"""Folders with files of exports that were killed before all of them had their names; the next export gives them."""


class _ManifestThread(msgspec.Struct):
    stem: str
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class _Manifest(msgspec.Struct):
    export: str
    profile: str
    created_at: str
    threads: list[_ManifestThread]


def read_log(workspace: Workspace) -> Log:
    """What has left this workspace."""
    every = read_exports(workspace.private / _FILE, workspace.exports)
    if every is None:
        return _from_manifests(workspace.exports)
    log: Log = {}
    for left in every:
        logged = map(Logged, _hashes(left), repeat(left.export), left.sizes, left.mtimes_ns)
        log.setdefault(left.profile, {}).update(zip(left.stems, logged, strict=True))
    return log


def log_stamp(workspace: Workspace) -> tuple[int, int]:
    """Size and time of the log, which tell whether it has to be read again; zeros when there is none."""
    try:
        status = (workspace.private / _FILE).stat()
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


def add_to_log(workspace: Workspace, left: Left) -> None:
    """Remember what left just now. A read-only workspace goes without."""
    path = workspace.private / _FILE
    try:
        private_folder(workspace)
        with locked(workspace.private):
            if not add_export(path, workspace.exports, left):
                write_exports(path, workspace.exports, [*_in_columns(read_log(workspace)), left])
    except (OSError, SensorloomError):
        pass


def _in_columns(log: Log) -> Iterator[Left]:
    for profile, mine in log.items():
        exports: dict[str, list[str]] = {}
        for stem, logged in mine.items():
            exports.setdefault(logged.export, []).append(stem)
        for export, stems in exports.items():
            threads = [mine[stem] for stem in stems]
            hashes = bytes.fromhex("".join([thread.sha256 for thread in threads]))
            sizes, times = [thread.size for thread in threads], [thread.mtime_ns for thread in threads]
            yield Left(profile, export, stems, hashes, sizes, times)


def _hashes(left: Left) -> Iterator[str]:
    joined = left.sha256s.hex()
    return (joined[start : start + 64] for start in range(0, len(joined), 64))


def export_state(folder: Path, summary: Summary, log: Log, profile: str | None = None) -> State:
    """Whether a thread has left as it is now, in one profile or in any. Reads the file only when its time changed."""
    logs: Iterable[Mapping[str, Logged]] = log.values() if profile is None else [log.get(profile, {})]
    stem = unicode_text(summary.stem)
    exports = [stems[stem] for stems in logs if stem in stems]
    if not exports:
        return "never"
    if any((logged.size, logged.mtime_ns) == (summary.size, summary.mtime_ns) for logged in exports):
        return "exported"
    try:
        now = digest(read_bytes(path_of(folder, summary.stem)))
    except ThreadError:
        return "changed"
    return "exported" if any(logged.sha256 == now for logged in exports) else "changed"


def export_states(
    workspace: Workspace, listing: Iterable[Summary], profile: str | None = None
) -> dict[State, list[str]]:
    """The stems of a listing by whether they have left as they are now; files that are no threads are left out."""
    log = read_log(workspace)
    states: dict[State, list[str]] = {"never": [], "exported": [], "changed": []}
    for summary in listing:
        if not summary.problem:
            states[export_state(workspace.threads, summary, log, profile)].append(summary.stem)
    return states


def _from_manifests(folder: Path) -> Log:
    """What the manifests tell; an export that was killed before its training files had their names has not left."""
    log: Log = {}
    unnamed = tuple(path.name for path in folder.glob(f"{UNNAMED}/*.jsonl"))
    manifests: list[_Manifest] = []
    for path in folder.glob("*.manifest.json"):
        try:
            manifests.append(msgspec.json.decode(read_regular_file(path), type=_Manifest))
        except (OSError, msgspec.MsgspecError):
            continue
    for manifest in sorted(manifests, key=lambda manifest: manifest.created_at):
        if any(name.startswith(manifest.export) for name in unnamed):
            continue
        mine = log.setdefault(manifest.profile, {})
        for thread in manifest.threads:
            mine[thread.stem] = Logged(thread.sha256, manifest.export)
    return log
