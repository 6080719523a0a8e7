"""The dataset that recordings go into, between one recording and the next: its manifest, labels and subjects."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.datasets.importing import alone
from core.datasets.manifest_channels import channels_of
from core.datasets.standard import LABELS, MANIFEST, SESSIONS, SUBJECTS, is_safe_name, read_object
from core.datasets.whole.recording import RECORDINGS
from core.errors import DatasetError, UsageError, system_reason
from core.storage.atomic import write_json
from tools.sensors import sensors_of

if TYPE_CHECKING:
    from core.workspace import Workspace
    from tools.session import Channel

_PATIENCE_SEC = 10.0


def check_name(workspace: Workspace, dataset: str) -> None:
    """Raise UsageError where nothing can be recorded under this name: it is none, or another kind of dataset's."""
    if not is_safe_name(dataset):
        raise UsageError(f"{dataset!r} cannot be a dataset's name: it is no plain folder name")
    folder = workspace.data / dataset
    if (folder / MANIFEST).exists() and not (folder / RECORDINGS).is_dir():
        raise UsageError(f"{dataset} is a dataset without recordings of its own; record under another name")


@contextmanager
def changing(workspace: Workspace, dataset: str) -> Generator[Path]:
    """Let nobody else change the dataset meanwhile; yields its folder. Raises DatasetError: the disk is full or the
    folder cannot be written. UsageError: another program does not finish with it."""
    deadline = time.monotonic() + _PATIENCE_SEC
    while True:
        try:
            workspace.data.mkdir(parents=True, exist_ok=True)
            with alone(workspace.data, dataset):
                (workspace.data / dataset).mkdir(exist_ok=True)
                yield workspace.data / dataset
                return
        except UsageError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        except OSError as error:
            raise DatasetError(f"cannot write {workspace.data / dataset}: {system_reason(error)}") from error


def known_units(workspace: Workspace, dataset: str) -> dict[str, str]:
    """The units of the sensors that the dataset has by now; empty where there is none yet."""
    try:
        channels = channels_of(read_object(workspace.data / dataset / MANIFEST))
    except DatasetError:
        return {}
    return {sensor.name: sensor.unit for sensor in sensors_of(channels) if sensor.unit}


def known_activities(workspace: Workspace, dataset: str) -> tuple[str, ...]:
    """The labels that the dataset has by now."""
    try:
        return tuple(str(label) for label in read_object(workspace.data / dataset / MANIFEST).get("activities") or ())
    except DatasetError:
        return ()


def add_to_manifest(folder: Path, channels: Sequence[Channel], activities: Sequence[str]) -> None:
    """Let the manifest describe these channels and labels too. What it says already stays."""
    path = folder / MANIFEST
    manifest: dict[str, Any] = read_object(path) if path.exists() else {
        "dataset_name": folder.name,
        "description": "Recordings of one's own, as they came from the sensor.",
        "activities": [],
        "channels": [],
    }  # fmt: skip
    before = json.dumps(manifest)
    described = {channel.name: channel for channel in channels_of(manifest)}
    manifest["channels"] = [
        *(_with_unit(entry, channels) for entry in manifest.get("channels") or ()),
        *(_entry(channel) for channel in channels if channel.name not in described),
    ]
    manifest["activities"] = list(dict.fromkeys((*(manifest.get("activities") or ()), *activities)))
    if json.dumps(manifest) != before or not path.exists():
        write_json(path, manifest)


def _with_unit(entry: Any, channels: Sequence[Channel]) -> Any:
    """A channel's description with the unit, where that was not known before."""
    if not isinstance(entry, dict) or entry.get("unit"):
        return entry
    unit = next((channel.unit for channel in channels if channel.name == entry.get("name")), "")
    return {**entry, "unit": unit}


def _entry(channel: Channel) -> dict[str, Any]:
    return {
        "name": channel.name,
        "description": channel.description,
        "unit": channel.unit,
        "sampling_rate_hz": channel.rate_hz,
    }


def add_labels(folder: Path, labels: Mapping[str, str], subject: str, recording: str = "") -> None:
    """Note the labels of new sessions, and whose they, and the recording, are where that is known. A session without a
    label is noted among no labels."""
    (folder / SESSIONS).mkdir(exist_ok=True)
    own = {session: [label] for session, label in labels.items() if label}
    _add(folder / LABELS, own)
    if subject or (folder / SUBJECTS).exists():
        _add(folder / SUBJECTS, dict.fromkeys((*labels, *filter(None, [recording])), subject) if subject else {})


def _add(path: Path, entries: Mapping[str, Any]) -> None:
    known = read_object(path) if path.exists() else {}
    if not path.exists() or any(known.get(key) != value for key, value in entries.items()):
        write_json(path, {**known, **entries})
