"""Checking a dataset in the standard form, ours or anyone's: what is wrong, where, in one sentence each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Any

from core.datasets.copies import Copies
from core.datasets.finding import Finding
from core.datasets.label_channels import REFUSAL, label_channels_in
from core.datasets.manifest_channels import channels_of
from core.datasets.session_check import session_findings
from core.datasets.standard import (
    DATA,
    LABELS,
    MANIFEST,
    SESSIONS,
    SUBJECTS,
    StandardDataset,
    dataset_folder,
    is_safe_name,
    open_dataset,
    read_object,
    subject_in,
)
from core.datasets.whole.recording import names_of_recordings
from core.errors import DatasetError, system_reason
from core.thread.labels import canonical
from core.workspace import Workspace
from tools.features import Table
from tools.session import Channel

_NOT_CUT = "labels no session yet: mark the recordings with `datasets mark`, and cut them with `datasets cut`"
MAX_ALIKE = 5
"""Findings of one kind that are told one by one; the rest are counted."""


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
        return tuple(finding for finding in self.findings if finding.level == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Only the warnings."""
        return tuple(finding for finding in self.findings if finding.level == "warning")


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
    recordings = names_of_recordings(folder)
    if recordings and not labels:
        labelled = [Finding("warning", "labels", LABELS, _NOT_CUT)]
        findings = [*findings, *(each for each in _of_manifest(manifest) if "activities" not in each.location)]
    else:
        labelled = list(_of_labels(labels, manifest))
        findings += _of_manifest(manifest)
    findings += [*labelled, *_of_subjects(folder, labels, recordings)]
    there, more = _session_folders(folder, labels)
    findings += more
    described, copies = channels_of(manifest), Copies()
    for number, session in enumerate(there):
        if progress:
            progress(number, len(there), session)
        location = f"{SESSIONS}/{session}/{DATA}"
        heard = partial(copies.hear, session)
        findings += session_findings(folder / SESSIONS / session / DATA, location, described, heard)
    try:
        dataset = open_dataset(workspace, name)
        findings += copies.findings(SESSIONS, dataset.labels, dataset.subjects)
        findings += _of_label_channels(dataset)
    except DatasetError:
        pass  # what keeps it from being opened is among the findings
    return CheckReport(name, len(there), tuple(_shortened(findings)))


def look_at_session(workspace: Workspace, name: str, session: str) -> None:
    """Make sure, before a thread rests on it, that nothing is wrong with a session which the check calls an error.

    Raises:
        DatasetError: the check's own sentence, with the command that mends it where there is one.
    """
    dataset = open_dataset(workspace, name)
    raw = {session: list(dataset.labels[session])} if session in dataset.labels else {}
    location = f"{SESSIONS}/{session}/{DATA}"
    for findings in (
        _of_manifest(dataset.manifest),
        _of_labels(raw, dataset.manifest) if raw else (),
        _known_findings(dataset.path_of(session), location, dataset.described_channels),
        _of_label_channels(dataset),
    ):
        for finding in findings:
            if finding.level == "error":
                raise DatasetError(f"{name}: {finding.with_mend(name)}")


def _known_findings(path: Path, location: str, described: tuple[Channel, ...]) -> tuple[Finding, ...]:
    """What is wrong with a session's file, looked at once while it stays as it is: each thread about it asks twice."""
    try:
        status = path.stat()
    except OSError:
        return tuple(session_findings(path, location, described))
    return _findings_of(path, (status.st_size, status.st_mtime_ns, status.st_ctime_ns), location, described)


@lru_cache(maxsize=512)
def _findings_of(
    path: Path, stamp: tuple[int, int, int], location: str, described: tuple[Channel, ...]
) -> tuple[Finding, ...]:
    return tuple(session_findings(path, location, described))


def _of_label_channels(dataset: StandardDataset) -> Iterator[Finding]:
    for channel in _label_channels(dataset, dataset.features()):
        location = f"{MANIFEST}, channel {channel}"
        yield Finding("error", f"label channel {channel}", location, REFUSAL, f"--drop {channel}")


@lru_cache(maxsize=4)
def _label_channels(dataset: StandardDataset, table: Table) -> tuple[str, ...]:
    """Looked for once in a table: it takes all of its rows, and every thread that is begun asks."""
    return label_channels_in(table, dataset.labels)


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
    if not (isinstance(activities, list) and activities and all(isinstance(label, str) for label in activities)):
        yield Finding("warning", "manifest", f"{MANIFEST}, `activities`", "is no list of labels; those used are taken")
    elif len({canonical(label) for label in activities}) < len(activities):
        yield Finding("warning", "manifest", f"{MANIFEST}, `activities`", "names one activity twice")
    channels = manifest.get("channels")
    if isinstance(channels, dict):  # name to description, as other programs write it
        channels = [{"name": name, **(about if isinstance(about, dict) else {})} for name, about in channels.items()]
    if not isinstance(channels, list) or not channels:
        yield Finding("error", "manifest", f"{MANIFEST}, `channels`", "is no list of channels")
        return
    seen: set[str] = set()
    for number, channel in enumerate(channels):
        yield from _of_channel(f"{MANIFEST}, `channels[{number}]`", channel, seen)


def _of_channel(location: str, channel: Any, seen: set[str]) -> Iterator[Finding]:
    about: dict[str, Any] = channel if isinstance(channel, dict) else {"name": channel}
    name = about.get("name")
    if not isinstance(name, str) or not name:
        yield Finding("error", "channel", location, "has no name")
        return
    if name in seen:
        yield Finding("error", "channel", location, f"{name} is described twice")
    seen.add(name)
    for key in ("description", "unit"):
        if not isinstance(about.get(key), str):
            yield Finding("warning", f"channel {key}", location, f"{name} has no {key}")
    rate = about.get("sampling_rate_hz")
    if not isinstance(rate, int | float) or not 0 < rate < float("inf"):
        yield Finding("warning", "channel rate", location, f"{name} has no sampling_rate_hz above 0")


def _of_labels(labels: Mapping[str, Any], manifest: Mapping[str, Any]) -> Iterator[Finding]:
    named = manifest.get("activities")
    known = {canonical(label) for label in named if isinstance(label, str)} if isinstance(named, list) else set[str]()
    if not labels:
        yield Finding("error", "labels", LABELS, "labels no session")
    for session, value in labels.items():
        location = f"{LABELS}, session {session!r}"
        if not is_safe_name(session):
            yield Finding("error", "session id", location, "the id is no plain folder name")
        own = [value] if isinstance(value, str) else value
        if not isinstance(own, list) or not all(isinstance(label, str) for label in own):
            yield Finding("error", "label", location, f"{value!r} is neither a label nor a list of labels")
            continue
        if not any(label.strip() for label in own):
            yield Finding("error", "label", location, "has no label")
        for label in own:
            if known and canonical(label) not in known:
                yield Finding("error", "unknown label", location, f"{label!r} is not among the manifest's activities")
        if _gives_away(session, own):
            yield Finding(
                "warning", "leak", location, "the id says which activity it is; a model that sees it need not look"
            )


def _gives_away(session: str, labels: list[str]) -> bool:
    plain = re.sub(r"[\s_\-]+", "", session.casefold())
    return any(len(label) > 2 and re.sub(r"[\s_\-]+", "", label.casefold()) in plain for label in labels)


def _of_subjects(folder: Path, labels: Mapping[str, Any], recordings: Sequence[str]) -> Iterator[Finding]:
    if (folder / SUBJECTS).exists():
        subjects, problems = _object(folder / SUBJECTS)
        yield from problems
        for session, subject in subjects.items():
            if not isinstance(subject, str | int):
                yield Finding("error", "subject", f"{SUBJECTS}, session {session!r}", f"{subject!r} is no subject")
            elif session not in labels and session not in recordings:
                yield Finding("warning", "stray subject", f"{SUBJECTS}, session {session!r}", "has no label")
        missing = [session for session in labels if session not in subjects]
    else:
        missing = [session for session in labels if not subject_in(session)]
    if missing:
        where = f"{SUBJECTS}, session {missing[0]!r}"
        others = f", nor that of {len(missing) - 1:,} more" if len(missing) > 1 else ""
        message = f"its subject is not known{others}; splits and references cannot keep subjects apart"
        yield Finding("warning", "unknown subject", where, message)


def _session_folders(folder: Path, labels: Mapping[str, Any]) -> tuple[list[str], list[Finding]]:
    try:
        names = sorted(entry.name for entry in (folder / SESSIONS).iterdir() if not entry.name.startswith("."))
    except OSError as error:
        return [], [Finding("error", "sessions", f"{SESSIONS}/", f"cannot be listed: {system_reason(error)}")]
    findings = [
        Finding("error", "no session", f"{LABELS}, session {session!r}", f"there is no {SESSIONS}/{session}/")
        for session in sorted(labels.keys() - set(names))
        if is_safe_name(session)
    ]
    findings += [
        Finding("warning", "no label", f"{SESSIONS}/{name}", "has no label, so it is never used")
        for name in names
        if name not in labels
    ]
    return [name for name in names if is_safe_name(name)], findings


def _shortened(findings: list[Finding]) -> Iterator[Finding]:
    """Errors first; of each kind the first few and how many more there are."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in sorted(findings, key=lambda finding: finding.level):
        groups.setdefault((finding.level, finding.kind), []).append(finding)
    for group in groups.values():
        yield from islice(group, MAX_ALIKE)
        if len(group) > MAX_ALIKE:
            files = Counter(finding.location.split(",")[0].split("/")[0] for finding in group)
            more = len(group) - MAX_ALIKE
            yield Finding(group[0].level, group[0].kind, next(iter(files)), f"{more} more like the last {MAX_ALIKE}")
