"""Checking a dataset in the standard form, ours or anyone's: what is wrong, where, in one sentence each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from core.datasets.session_file import TIME_COLUMN, read_table
from core.datasets.standard import (
    DATA,
    LABELS,
    MANIFEST,
    SESSIONS,
    SUBJECTS,
    channels_of,
    dataset_folder,
    is_safe_name,
    read_object,
    subject_in,
)
from core.errors import DatasetError, system_reason
from core.thread.labels import canonical
from core.workspace import Workspace

MAX_ALIKE = 5
"""Findings of one kind that are told one by one; the rest are counted."""

RATE_TOLERANCE = 0.1
"""How far a session's rate may be from the manifest's, as a share of it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong (an error: something will not work) or odd (a warning)."""

    level: Literal["error", "warning"]
    kind: str
    place: str
    """The file, and the session, key or column in it."""
    message: str

    @property
    def sentence(self) -> str:
        """Place and message."""
        return f"{self.place}: {self.message}"


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check found."""

    dataset: str
    sessions: int
    """How many session files were read."""
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Only the errors."""
        return tuple(one for one in self.findings if one.level == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Only the warnings."""
        return tuple(one for one in self.findings if one.level == "warning")


def check_dataset(
    workspace: Workspace, name: str, progress: Callable[[int, int, str], None] | None = None
) -> CheckReport:
    """Read everything a dataset holds and report what does not fit.

    Raises:
        DatasetError: there is no dataset of that name.
    """
    folder = dataset_folder(workspace, name)
    manifest, findings = _object(folder / MANIFEST)
    labels, more = _object(folder / LABELS)
    findings += more
    findings += [*_of_manifest(manifest), *_of_labels(labels, manifest), *_of_subjects(folder, labels)]
    there, more = _session_folders(folder, labels)
    findings += more
    described = _described(manifest)
    for number, session in enumerate(there):
        if progress:
            progress(number, len(there), session)
        findings += _of_session(folder, session, described)
    return CheckReport(name, len(there), tuple(_shortened(findings)))


def _object(path: Path) -> tuple[dict[str, Any], list[Finding]]:
    try:
        return read_object(path), []
    except DatasetError as error:
        message = str(error).removeprefix(f"{path}: ").removeprefix(f"{path} ")
        return {}, [Finding("error", "file", path.name, message)]


def _of_manifest(manifest: Mapping[str, Any]) -> Iterator[Finding]:
    if not manifest:
        return
    for key in ("dataset_name", "description"):
        if not isinstance(manifest.get(key), str) or not manifest[key].strip():
            yield Finding("warning", "manifest", f"{MANIFEST}, `{key}`", "is missing; a model reads it first")
    activities = manifest.get("activities")
    if not (isinstance(activities, list) and activities and all(isinstance(one, str) for one in activities)):
        yield Finding("warning", "manifest", f"{MANIFEST}, `activities`", "is no list of labels; those used are taken")
    elif len({canonical(one) for one in activities}) < len(activities):
        yield Finding("warning", "manifest", f"{MANIFEST}, `activities`", "names one activity twice")
    channels = manifest.get("channels")
    if not isinstance(channels, list) or not channels:
        yield Finding("error", "manifest", f"{MANIFEST}, `channels`", "is no list of channels")
        return
    seen: set[str] = set()
    for number, channel in enumerate(channels):
        yield from _of_channel(f"{MANIFEST}, `channels[{number}]`", channel, seen)


def _of_channel(place: str, channel: Any, seen: set[str]) -> Iterator[Finding]:
    name = channel.get("name") if isinstance(channel, dict) else None
    if not isinstance(name, str) or not name:
        yield Finding("error", "channel", place, "has no name")
        return
    if name in seen:
        yield Finding("error", "channel", place, f"{name} is described twice")
    seen.add(name)
    for key in ("description", "unit"):
        if not isinstance(channel.get(key), str):
            yield Finding("warning", f"channel {key}", place, f"{name} has no {key}")
    rate = channel.get("sampling_rate_hz")
    if not isinstance(rate, int | float) or not 0 < rate < float("inf"):
        yield Finding("warning", "channel rate", place, f"{name} has no sampling_rate_hz above 0")


def _of_labels(labels: Mapping[str, Any], manifest: Mapping[str, Any]) -> Iterator[Finding]:
    named = manifest.get("activities")
    known = {canonical(one) for one in named if isinstance(one, str)} if isinstance(named, list) else set[str]()
    if not labels:
        yield Finding("error", "labels", LABELS, "labels no session")
    for session, value in labels.items():
        place = f"{LABELS}, session {session!r}"
        if not is_safe_name(session):
            yield Finding("error", "session id", place, "the id is no plain folder name")
        found = [value] if isinstance(value, str) else value
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            yield Finding("error", "label", place, f"{value!r} is neither a label nor a list of labels")
            continue
        if not any(one.strip() for one in found):
            yield Finding("error", "label", place, "has no label")
        for label in found:
            if known and canonical(label) not in known:
                yield Finding("error", "unknown label", place, f"{label!r} is not among the manifest's activities")
        if _gives_away(session, found):
            yield Finding(
                "warning", "leak", place, "the id says which activity it is; a model that sees it need not look"
            )


def _gives_away(session: str, labels: list[str]) -> bool:
    plain = re.sub(r"[\s_\-]+", "", session.casefold())
    return any(len(label) > 2 and re.sub(r"[\s_\-]+", "", label.casefold()) in plain for label in labels)


def _of_subjects(folder: Path, labels: Mapping[str, Any]) -> Iterator[Finding]:
    if (folder / SUBJECTS).exists():
        subjects, problems = _object(folder / SUBJECTS)
        yield from problems
        for session, subject in subjects.items():
            if not isinstance(subject, str | int):
                yield Finding("error", "subject", f"{SUBJECTS}, session {session!r}", f"{subject!r} is no subject")
            elif session not in labels:
                yield Finding("warning", "stray subject", f"{SUBJECTS}, session {session!r}", "has no label")
        missing = [session for session in labels if session not in subjects]
    else:
        missing = [session for session in labels if not subject_in(session)]
    for session in missing:
        message = "its subject is not known; splits and references cannot keep subjects apart"
        yield Finding("warning", "unknown subject", f"{SUBJECTS}, session {session!r}", message)


def _session_folders(folder: Path, labels: Mapping[str, Any]) -> tuple[list[str], list[Finding]]:
    try:
        names = sorted(entry.name for entry in (folder / SESSIONS).iterdir() if not entry.name.startswith("."))
    except OSError as error:
        return [], [Finding("error", "sessions", f"{SESSIONS}/", f"cannot be listed: {system_reason(error)}")]
    found = [
        Finding("error", "no session", f"{LABELS}, session {session!r}", f"there is no {SESSIONS}/{session}/")
        for session in sorted(labels.keys() - set(names))
        if is_safe_name(session)
    ]
    found += [
        Finding("warning", "no label", f"{SESSIONS}/{name}", "has no label, so it is never used")
        for name in names
        if name not in labels
    ]
    return [name for name in names if is_safe_name(name)], found


def _described(manifest: Mapping[str, Any]) -> dict[str, float | None]:
    """Channel name to rate."""
    return {channel.name: channel.rate_hz for channel in channels_of(manifest)}


def _of_session(folder: Path, session: str, described: Mapping[str, float | None]) -> Iterator[Finding]:
    import pyarrow as pa

    path, place = folder / SESSIONS / session / DATA, f"{SESSIONS}/{session}/{DATA}"
    if not path.is_file():
        yield Finding("error", "no data", place, "is missing")
        return
    try:
        table = read_table(path)
    except (pa.ArrowException, OSError) as error:
        yield Finding("error", "damaged", place, f"is no whole Parquet file: {' '.join(str(error).split())[:160]}")
        return
    if not table.num_rows:
        yield Finding("error", "empty", place, "has no rows")
        return
    yield from _of_columns(place, table, described)
    yield from _of_times(place, table, described)


def _of_columns(place: str, table: Any, described: Mapping[str, float | None]) -> Iterator[Finding]:
    import numpy as np

    channels = [name for name in table.column_names if name != TIME_COLUMN]
    if described and not any(name in described for name in channels):
        yield Finding("error", "columns", place, f"has none of the manifest's channels, only {', '.join(channels[:5])}")
        return
    for name in channels:
        if described and name not in described:
            yield Finding(
                "warning", f"column {name}", place, f"column {name} is not in the manifest, so it is not read"
            )
            continue
        try:
            values = np.asarray(table.column(name).to_numpy(), dtype=np.float64)
        except (ValueError, TypeError):
            yield Finding("error", "not numbers", place, f"column {name} holds no numbers")
            continue
        if np.isinf(values).any():
            yield Finding("warning", "infinite", place, f"column {name} holds infinite values")
        if np.isnan(values).all():
            yield Finding("warning", f"missing {name}", place, f"column {name} is missing throughout (NaN)")


def _of_times(place: str, table: Any, described: Mapping[str, float | None]) -> Iterator[Finding]:
    import numpy as np

    rates = [rate for rate in described.values() if rate]
    if TIME_COLUMN not in table.column_names:
        level, message = ("warning", "the manifest's rate is used") if rates else ("error", "nor is a rate known")
        yield Finding(level, "no times", place, f"it has no column {TIME_COLUMN}; {message}")
        return
    try:
        times = np.asarray(table.column(TIME_COLUMN).to_numpy(), dtype=np.float64)
    except (ValueError, TypeError):
        yield Finding("error", "times", place, f"column {TIME_COLUMN} holds no numbers")
        return
    if not np.isfinite(times).all():
        yield Finding("error", "times", place, f"column {TIME_COLUMN} has missing times")
        return
    steps = np.diff(times)
    if (steps <= 0).any():
        row = int(np.flatnonzero(steps <= 0)[0]) + 1
        yield Finding("error", "times", place, f"time does not rise at row {row} ({times[row]:g} s)")
        return
    if rates and len(steps):
        rate = len(steps) / float(times[-1] - times[0])
        if abs(rate / max(rates) - 1) > RATE_TOLERANCE:
            yield Finding("warning", "rate", place, f"has {rate:.4g} rows a second, the manifest says {max(rates):.4g}")
    if abs(times[0]) > 1e-9:
        yield Finding("warning", "start", place, f"starts at {times[0]:g} s instead of 0; it is read as if from 0")


def _shortened(findings: list[Finding]) -> Iterator[Finding]:
    """Errors first; of each kind the first few and how many more there are."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for one in sorted(findings, key=lambda found: found.level):
        groups.setdefault((one.level, one.kind), []).append(one)
    for group in groups.values():
        yield from islice(group, MAX_ALIKE)
        if len(group) > MAX_ALIKE:
            places = Counter(one.place.split(",")[0].split("/")[0] for one in group)
            more = len(group) - MAX_ALIKE
            yield Finding(group[0].level, group[0].kind, next(iter(places)), f"{more} more like the last {MAX_ALIKE}")
