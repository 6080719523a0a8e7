"""What stays of a dataset whose windows are cut anew: all beside its sessions, and sessions that must not be lost."""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from core.datasets.staging import PROVENANCE, provenance_of
from core.datasets.standard import (
    DATA,
    LABELS,
    MANIFEST,
    SESSIONS,
    SUBJECTS,
    StandardDataset,
    is_safe_name,
)
from core.datasets.whole.recording import RECORDINGS, recording_of_session, recordings_of
from core.storage.atomic import write_json

_HOW_CUT = re.compile(r"(Windows of [\d.e+-]+ s of one activity|Each session is a whole recording)(?=\.)")
"""What the description of an import says of its windows."""


def staying_sessions(dataset: StandardDataset, used: Collection[str], cut: Collection[str]) -> list[str]:
    """The sessions that stay as they are: those that threads are about, windows of a recording under way among them,
    and those that come from none of the recordings, so that nothing could cut them again.

    Args:
        dataset: as it is.
        used: the sessions that threads are about.
        cut: the sessions that there are anew.
    """
    recordings = set(recordings_of(dataset))
    others = {session for session in dataset.labels if session not in recordings
              and recording_of_session(dataset, session) == session}  # fmt: skip
    return sorted(still_there(dataset.folder, {*used, *others} - {*cut}))


def still_there(dataset: Path, sessions: Iterable[str]) -> set[str]:
    """Those of these sessions that are in a dataset's folder: what is kept of the ones that threads are about."""
    return {name for name in sessions if is_safe_name(name) and (dataset / SESSIONS / name / DATA).is_file()}


def write_around(
    dataset: StandardDataset,
    partial: Path,
    labels: dict[str, str],
    people: dict[str, str],
    settings: dict[str, float],
    dropped: Counter[str],
    staying: Sequence[str] = (),
) -> None:
    """All that a dataset has beside the sessions that were cut; recordings and sessions that stay are linked.

    Args:
        dataset: as it is.
        partial: the folder that takes its place.
        labels: those of the sessions that were cut.
        people: the subjects of those, and of recordings.
        settings: how they were cut.
        dropped: what was left out, by reason.
        staying: the sessions that stay as they are.
    """
    for session in staying:
        shutil.copytree(dataset.sessions_folder / session, partial / SESSIONS / session, copy_function=_linked)
    for entry in dataset.folder.iterdir():
        if entry.name == RECORDINGS:
            shutil.copytree(entry, partial / RECORDINGS, copy_function=_linked)
        elif entry.is_file() and not entry.name.startswith(".") and entry.name not in (LABELS, SUBJECTS, MANIFEST):
            shutil.copy2(entry, partial / entry.name)
    stated = {session: dataset.labels[session] for session in staying if session in dataset.labels}
    own = {session: [label] for session, label in labels.items()}
    own |= {session: list(held) for session, held in stated.items()}
    here = {label for held in own.values() for label in held}
    told = _HOW_CUT.sub(f"Windows of {settings['length_sec']:g} s of one activity", dataset.description)
    activities = [label for label in dataset.activities if label in here]
    manifest = dict(dataset.manifest) | {"activities": [*activities, *sorted(here - set(activities))]}
    write_json(partial / MANIFEST, manifest | ({"description": told} if told else {}))
    write_json(partial / LABELS, {session: own[session] for session in sorted(own)})
    others = {*recordings_of(dataset), *staying}
    whose = {name: who for name, who in dataset.subjects.items() if name in others} | people
    write_json(partial / SUBJECTS, dict(sorted(whose.items())))
    left_out = {reason: count for reason, count in dropped.most_common() if count}
    write_json(partial / PROVENANCE, provenance_of(partial) | settings | {"dropped": left_out})


def _linked(source: str, target: str) -> str:
    """The same file under another name, where the file system can; samples only, for marks are written anew."""
    if Path(source).name == DATA:
        try:
            os.link(source, target)
            return target
        except OSError:
            pass
    return shutil.copy2(source, target)
