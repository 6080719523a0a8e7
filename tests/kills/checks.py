"""What must be true of a workspace after a kill."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from core.errors import SensorloomError
from core.storage import history, history_files, store
from core.storage.atomic import digest
from core.storage.step_log import UNREADABLE, History, Step
from core.storage.thread_files import path_of, read_bytes, stems
from core.workspace import Workspace, open_workspace


class Ledger:
    """What the workspace held, and what of it is gone or contradicts itself now."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._workspace: Workspace = open_workspace(str(root), environ={})
        self._seen = self._digests()
        self._stems: set[str] = set(self._seen)
        self._begun = self._only_begun()
        self._copy_was_there = False
        self._whole: dict[str, tuple[bytes, str]] = {}
        """The logs of which every state was there, with the digests of the states."""

    def problems(self) -> list[str]:
        """One sentence for each thing that is wrong; the present state is the one to compare with next."""
        looks = (self._threads, self._histories, self._originals, self._exports, self._datasets, self._books)
        problems = [problem for look in looks for problem in look()]
        self._seen = self._digests()
        self._stems |= set(self._seen)
        with suppress(ValueError):  # a thread that is none was told
            self._begun = self._only_begun() | (self._begun - self._seen.keys())
        return problems

    def _digests(self) -> dict[str, str]:
        return {stem: digest(data) for stem, data in self._contents()}

    def _contents(self) -> Iterator[tuple[str, bytes]]:
        """Stem and bytes of every thread, packed or not; none stands twice."""
        for stem in stems(self._workspace.threads):
            yield stem, read_bytes(path_of(self._workspace.threads, stem))

    def _past(self, stem: str) -> History:
        return history.read(self._workspace, stem)

    def _steps(self, stem: str) -> tuple[Step, ...]:
        return self._past(stem).steps

    def _threads(self) -> Iterator[str]:
        now = self._digests()
        for stem in self._stems:
            steps = self._steps(stem)
            if "_v3_" in stem or (not steps and stem in self._begun):
                continue
            if stem not in now and not (steps and None in (steps[-1].after, steps[-1].before)):
                yield f"{stem} is gone, and no step says so"
            if stem in now and now[stem] != self._seen.get(stem) and steps and now[stem] not in _ends(steps[-1]):
                yield f"{stem} changed into what no step says"
        for stem in now:
            try:
                store.read(self._workspace.threads, stem)
            except SensorloomError as error:
                if "older v3" not in str(error):
                    yield str(error)

    def _histories(self) -> Iterator[str]:
        known = set(history_files.reserved(self._workspace))
        if lost := sorted(stem for stem in self._whole.keys() - known if stem not in self._begun):
            yield f"the histories of {lost} are gone"
        for stem in sorted(known):
            steps = self._steps(stem)
            if steps and (steps[0].number != 1 or any(step.what == UNREADABLE for step in steps)):
                yield f"{stem}: lines of the history cannot be read"
            present = store.present(self._workspace.threads, stem)
            if steps and (present and present.digest) not in _ends(steps[-1]):
                yield f"{stem}: the file is in a state that the history does not end with"
            yield from self._states(stem, steps)

    def _only_begun(self) -> set[str]:
        """The threads that hold nothing but their question, and have nothing to redo: the next run takes away those of
        a killed batch."""
        messages = {stem: json.loads(data).get("messages", []) for stem, data in self._contents()}
        return {stem for stem, of in messages.items() if len(of) == 1 and not self._past(stem).undone}

    def _states(self, stem: str, steps: Sequence[Step]) -> Iterator[str]:
        """Whether the steps that were there still are, and every state of a history that changed."""
        now, seen = self._history(stem), self._whole.get(stem, (b"", ""))
        if not now[0].startswith(seen[0][: seen[0].rfind(b"\n") + 1]):
            yield f"{stem}: steps of the history are gone"
        self._whole[stem] = now
        for step in () if now == seen else steps:
            for state in {step.before, step.after} - {None}:
                try:
                    history.content(self._workspace, stem, str(state))
                except SensorloomError as error:
                    if step is not steps[-1]:
                        yield f"{stem}, step {step.number}: {error}"

    def _history(self, stem: str) -> tuple[bytes, str]:
        log, states = history_files.read_log(self._workspace, stem), b""
        with suppress(OSError), history_files.open_states(self._workspace, stem) as file:
            states = file.read()
        return log, digest(states)

    def _originals(self) -> Iterator[str]:
        threads, backup = self._workspace.threads, self._root / "threads_v3_backup"
        converted: dict[str, list[str]] = {}
        for stem, data in self._contents():
            with suppress(ValueError):
                original = json.loads(data).get("metadata", {}).get("migrated_sha256")
                converted.setdefault(original, []).append(stem)
        for path in (self._root / "originals").glob("*.json"):
            wanted = digest(path.read_bytes())
            places = [folder for folder in (threads, backup) if (folder / path.name).exists()]
            if not any(digest((folder / path.name).read_bytes()) == wanted for folder in places):
                yield f"the original {path.name} is nowhere"
            conversions = len(converted.get(wanted, ()))
            deleted = any(wanted.encode() in trashed.read_bytes() for trashed in self._trash())
            if conversions > 1 or (conversions == 0 and threads not in places and not deleted):
                yield f"{path.name} was converted {conversions} times, and is in {[folder.name for folder in places]}"

    def _trash(self) -> list[Path]:
        return list((self._workspace.private / "trash").glob("*.json"))

    def _exports(self) -> Iterator[str]:
        folder = self._workspace.exports
        named: set[str] = set()
        for path in folder.glob("*.manifest.json"):
            manifest: dict[str, Any] = json.loads(path.read_bytes())
            for file in manifest["files"]:
                named.add(file["path"])
                data = (folder / file["path"]).read_bytes() if (folder / file["path"]).exists() else None
                if data is None or hashlib.sha256(data).hexdigest() != file["sha256"]:
                    yield f"{path.name} names {file['path']}, which is {'not there' if data is None else 'another'}"
        for path in folder.glob("*.jsonl"):
            if path.name not in named and not path.name.endswith(".lines.jsonl"):
                yield f"{path.name} stands without a manifest"

    def _datasets(self) -> Iterator[str]:
        from core.datasets.standard import open_dataset

        for name in ("demo", "copy"):
            folder = self._workspace.data / name
            if not folder.exists():
                if name == "demo" or self._copy_was_there:
                    yield f"the dataset {name} is gone"
                continue
            self._copy_was_there |= name == "copy"
            try:
                dataset = open_dataset(self._workspace, name)
                absent = [session for session in dataset.labels if not (folder / "sessions" / session).exists()]
            except SensorloomError as error:
                yield str(error)
            else:
                if absent:
                    yield f"the dataset {name} has lost {len(absent)} sessions"

    def _books(self) -> Iterator[str]:
        for path in (self._root / "splits.json", self._workspace.private / "memory.json"):
            if path.exists():
                try:
                    json.loads(path.read_bytes())
                except ValueError:
                    yield f"{path.name} is damaged"


def _ends(step: Step) -> tuple[str | None, str | None]:
    return step.before, step.after
