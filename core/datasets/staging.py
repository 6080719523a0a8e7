"""The hidden folder in which a dataset is built up, so that an interrupted import can go on."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.datasets.facts import FACTS
from core.datasets.plan import NewRecording, NewSession, Plan, Unit
from core.datasets.standard import DATA, LABELS, MANIFEST, SESSIONS, SUBJECTS, is_safe_name, read_object
from core.datasets.whole.recording import RECORDINGS
from core.errors import DatasetError
from core.storage.atomic import digest, write_atomic, write_json
from core.text import reason_counted

GROUP_ROWS = 1 << 16
"""Rows of a recording that can be read alone: eleven minutes at 100 Hz."""
PROVENANCE = "import.json"
"""Beside the manifest: what a dataset was imported from, how, and what was dropped. No model is shown it."""


def provenance_of(folder: Path) -> dict[str, Any]:
    """What a dataset was imported from, and how; nothing where that is not known."""
    try:
        return read_object(folder / PROVENANCE)
    except DatasetError:
        return {}


class Staging:
    """The hidden folder of an import: what is in it so far, and how to add to it."""

    def __init__(self, folder: Path, job: dict[str, Any]) -> None:
        """Go on with what is there for the same job, or begin anew."""
        self._folder = folder
        self.labels: dict[str, str] = {}
        self.subjects: dict[str, str] = {}
        self.recordings: dict[str, str] = {}
        """Those that are kept whole, each with its subject."""
        self._facts: dict[str, Mapping[str, Any]] = {}
        self._ranges: dict[str, dict[str, tuple[float, float]]] = {}
        """The least and the greatest value of each channel of a session."""
        self._dropped: Counter[str] = Counter()
        self._done: set[str] = set()
        if not _same_job(folder, job):
            shutil.rmtree(folder, ignore_errors=True)
            (folder / "done").mkdir(parents=True)
            (folder / SESSIONS).mkdir()
            write_json(folder / "job.json", job)
        for half_written in folder.glob(".*.tmp"):
            half_written.unlink()
        for path in sorted((folder / "done").glob("*.json")):
            note = json.loads(path.read_bytes())
            written = [SESSIONS + "/" + session for session in note["sessions"]]
            written += [RECORDINGS + "/" + recording for recording in note["recordings"]]
            if all(_is_whole(folder / name) for name in written):
                self._count(note)

    @property
    def sessions(self) -> int:
        """How many sessions are written."""
        return len(self.labels)

    def add(self, unit: Unit) -> None:
        """Write a unit's sessions, unless an earlier run finished it."""
        if unit.name in self._done:
            return
        dropped: Counter[str] = Counter()
        written: dict[str, tuple[str, str]] = {}
        ranges: dict[str, dict[str, tuple[float, float]]] = {}
        facts: dict[str, Mapping[str, Any]] = {}
        recordings: dict[str, str] = {}
        for session in unit.sessions(dropped):
            if isinstance(session, NewRecording):
                write_recording(self._folder / RECORDINGS, session)
                recordings[session.recording] = session.subject
                continue
            if session.session in self.labels:
                raise DatasetError(f"{unit.name}: {session.session} is there already: two files hold one subject")
            write_session(self._folder / SESSIONS, session)
            written[session.session] = (session.label, session.subject)
            ranges[session.session] = _ranges(session)
            if session.facts:
                facts[session.session] = session.facts
        note: dict[str, Any] = {
            "unit": unit.name,
            "sessions": written,
            "ranges": ranges,
            "dropped": dropped,
            "facts": facts,
            "recordings": recordings,
        }
        write_json(self._folder / "done" / f"{digest(unit.name.encode())[:16]}.json", note)
        self._count(note)

    def finish(self, plan: Plan, path: Path | None) -> None:
        """Write what makes it a dataset. Raises DatasetError when there is no session, or a channel is the label."""
        if not self.labels and not self.recordings:
            reasons = _told(self.dropped_by_reason(plan))
            raise DatasetError(f"{path}: not one session could be made of it ({reasons or 'it holds no rows'})")
        self._refuse_label_channels(path)
        sessions = sorted(self.labels)
        write_json(self._folder / MANIFEST, plan.manifest())
        write_json(self._folder / LABELS, {session: [self.labels[session]] for session in sessions})
        known = {session: subject for session in sessions if (subject := self.subjects[session])}
        known |= {recording: subject for recording, subject in sorted(self.recordings.items()) if subject}
        write_json(self._folder / SUBJECTS, known)
        for name, text in plan.beside.items():
            write_atomic(self._folder / name, text.encode())
        if self._facts:
            write_json(self._folder / FACTS, dict(sorted(self._facts.items())))
        provenance = {
            "source": plan.source,
            "imported_from": path.name if path else None,
            **plan.settings,
            "dropped": self.dropped_by_reason(plan),
        }
        write_json(self._folder / PROVENANCE, provenance)
        (self._folder / "job.json").unlink()
        shutil.rmtree(self._folder / "done")
        os.sync()

    def discard(self) -> None:
        """Remove it: what it was read from is of no use."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def dropped_by_reason(self, plan: Plan) -> dict[str, int]:
        """What was left out, the most frequent reason first."""
        return {reason: count for reason, count in (plan.dropped + self._dropped).most_common() if count}

    def _refuse_label_channels(self, path: Path | None) -> None:
        import numpy as np

        from core.datasets.label_channels import REFUSAL, label_channels

        channels = sorted({channel for ranges in self._ranges.values() for channel in ranges})
        nothing = (math.nan, math.nan)
        limits = np.array([[ranges.get(name, nothing) for name in channels] for ranges in self._ranges.values()])
        labels = [self.labels[session] for session in self._ranges]
        limits = limits.reshape(len(labels), len(channels), 2)
        for channel in label_channels(channels, limits[..., 0], limits[..., 1], labels):
            raise DatasetError(f"{path}: the channel {channel} {REFUSAL}; take it out of the raw files")

    def _count(self, note: dict[str, Any]) -> None:
        self._done.add(note["unit"])
        self._dropped.update(note["dropped"])
        self._facts.update(note["facts"])
        self.recordings.update(note["recordings"])
        for session, (label, subject) in note["sessions"].items():
            self.labels[session], self.subjects[session] = label, subject
            self._ranges[session] = note["ranges"][session]


def write_session(folder: Path, session: NewSession) -> None:
    """One session's `data.parquet`: times as float64, values as float32, which holds more digits than any sensor.

    No dictionary and no statistics: a file is read as a whole, and they cost more than they hold.
    """
    import numpy as np
    import pyarrow as pa
    from pyarrow import parquet

    from core.datasets.session_file import TIME_COLUMN

    if not is_safe_name(session.session):
        raise DatasetError(f"{session.session!r} cannot be a session's name: the raw files name an odd subject")
    columns = [pa.array(session.time_sec), *(pa.array(row) for row in session.values.astype(np.float32))]
    table = pa.Table.from_arrays(columns, [TIME_COLUMN, *session.channels])
    home = folder / session.session
    home.mkdir(exist_ok=True)
    parquet.write_table(
        table,
        home / DATA,
        compression="lz4",
        use_dictionary=False,
        write_statistics=False,
        store_schema=False,
    )


def write_recording(folder: Path, recording: NewRecording) -> None:
    """A recording's `data.parquet`, in row groups so that parts of it can be read, and its `intervals.csv`."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import parquet

    from core.datasets.session_file import TIME_COLUMN
    from core.datasets.whole.marks_file import INTERVALS

    if not is_safe_name(recording.recording):
        raise DatasetError(f"{recording.recording!r} cannot be a recording's name: the raw files name an odd subject")
    home = folder / recording.recording
    home.mkdir(parents=True, exist_ok=True)
    fields = [(TIME_COLUMN, pa.float64()), *((name, pa.float32()) for name in recording.channels)]
    schema = pa.schema(fields)
    writer: Any = parquet.ParquetWriter(
        home / DATA, schema, compression="lz4", use_dictionary=False, store_schema=False
    )
    with writer:
        for at in range(0, len(recording.time_sec), GROUP_ROWS):
            rows = np.arange(at, min(at + GROUP_ROWS, len(recording.time_sec)))
            columns = [recording.time_sec[at : at + GROUP_ROWS], *recording.values(rows).astype(np.float32)]
            writer.write_table(pa.table(list(map(pa.array, columns)), schema=schema))
    write_atomic(home / INTERVALS, recording.intervals.encode())


def _ranges(session: NewSession) -> dict[str, tuple[float, float]]:
    """The least and the greatest value of each channel that has one."""
    import numpy as np

    known = ((name, row[np.isfinite(row)]) for name, row in zip(session.channels, session.values, strict=True))
    return {name: (float(values.min()), float(values.max())) for name, values in known if values.size}


def _is_whole(folder: Path) -> bool:
    """Whether a session that was noted as written reached the disk: it may not have when the power failed."""
    import pyarrow as pa

    from core.datasets.session_file import row_count

    try:
        return row_count(folder / DATA) > 0
    except (pa.ArrowException, OSError):
        return False


def _same_job(folder: Path, job: dict[str, Any]) -> bool:
    try:
        return read_object(folder / "job.json") == json.loads(json.dumps(job))
    except DatasetError:
        return False


def _told(dropped: Mapping[str, int]) -> str:
    return ", ".join(reason_counted(count, reason) for reason, count in dropped.items())
