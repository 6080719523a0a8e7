"""Reading the standard form: `manifest.json`, `labels.json`, `subjects.json`, `sessions/<id>/data.parquet`.

Anyone's dataset is read as it stands: what a manifest leaves out is worked out where that is certain, and said
in one sentence where it is not. Nothing here writes into a dataset.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

from core.datasets.feature_table import feature_table, measurement_table
from core.datasets.manifest_channels import as_text, channels_of
from core.datasets.reference_cache import cached_arrays
from core.errors import DatasetError, system_reason
from core.files import read_regular_file
from core.workspace import Workspace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.datasets.table_rows import Elsewhere
    from tools.features import Table
    from tools.session import Channel, FeatureTable, Window

MANIFEST, LABELS, SUBJECTS, SESSIONS, DATA = "manifest.json", "labels.json", "subjects.json", "sessions", "data.parquet"
"""The names of the standard form."""

_SUBJECT_IN_ID = re.compile(
    r"(?:train|test|val|valid|validation|dev)_(?P<number>\d+)_\d+"
    r"|(?P<name>(?:subject|subj|user|participant|person|s|p)[_-]?\d+)(?:[_-].*)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """One line of the list of datasets."""

    name: str
    description: str = ""
    sessions: int = 0
    subjects: int = 0
    activities: tuple[str, ...] = ()
    synthetic: bool = False
    problem: str = ""
    """Why it cannot be opened; empty when it can."""


@dataclass(frozen=True, eq=False)
class StandardDataset:
    """A dataset folder in the standard form; satisfies `tools.session.Dataset`."""

    name: str
    folder: Path
    manifest: Mapping[str, Any]
    """`manifest.json` as it stands: what a thread's first message shows."""
    labels: Mapping[str, tuple[str, ...]]
    """Session id to labels, in the file's order."""
    subjects: Mapping[str, str]
    """Session id to subject, from `subjects.json`, else from ids of a plain form such as `train_16_3157`."""
    activities: tuple[str, ...]
    """The label set: the manifest's, else every label that occurs."""
    cache: Path
    """Where the feature table is kept."""

    @property
    def title(self) -> str:
        """The name its manifest gives it; the folder's name where it gives none."""
        return as_text(self.manifest.get("dataset_name")) or self.name

    @property
    def description(self) -> str:
        """What the manifest says of it."""
        return as_text(self.manifest.get("description"))

    @property
    def synthetic(self) -> bool:
        """Whether the manifest says that no person was recorded."""
        return self.manifest.get("synthetic") is True

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels the manifest describes; the columns of the first session where it describes none."""
        return self.described_channels or self._channels_of_first

    @property
    def described_channels(self) -> tuple[Channel, ...]:
        """The channels as the manifest has them; empty when it has none."""
        return self._described_channels

    @cached_property
    def _described_channels(self) -> tuple[Channel, ...]:
        return channels_of(self.manifest)

    @property
    def sessions_folder(self) -> Path:
        """Where its sessions are."""
        return self.folder / SESSIONS

    @property
    def sessions(self) -> tuple[str, ...]:
        """The ids of the labelled sessions that have a folder, in the order of `labels.json`."""
        return self._sessions

    @cached_property
    def _sessions(self) -> tuple[str, ...]:
        try:
            there = {entry.name for entry in self.sessions_folder.iterdir()}
        except OSError as error:
            raise DatasetError(f"{self.sessions_folder}: {system_reason(error)}") from error
        return tuple(session for session, labels in self.labels.items() if labels and session in there)

    def path_of(self, session: str) -> Path:
        """Where a session's samples are. Raises DatasetError for an id that would leave the folder."""
        if not is_safe_name(session):
            raise DatasetError(f"{session!r} cannot be a session of {self.name}: it is no plain file name")
        return self.sessions_folder / session / DATA

    def load(self, session: str) -> Window:
        """Read one session's samples, as float64 and read-only; a channel its file lacks is left out.

        Raises:
            DatasetError: there is no such session, or its file is damaged; the message names the file.
        """
        from core.datasets.session_file import read_session

        path = self.path_of(session)
        if not path.exists():
            raise DatasetError(f"{self.name} has no session {session!r}: there is no {SESSIONS}/{session}/{DATA}")
        return read_session(path, self.described_channels)

    def features(
        self, progress: Callable[[int, int, str], None] | None = None, elsewhere: Elsewhere | None = None
    ) -> Table:
        """The feature table of all sessions, from the cache where it is fresh. Raises DatasetError."""
        return feature_table(self, progress, elsewhere)

    def measurements(self, elsewhere: Elsewhere | None = None) -> FeatureTable:
        """What the measuring tools print of many sessions, from the cache where it is fresh. Raises DatasetError."""
        return measurement_table(self, elsewhere=elsewhere)

    def cached(
        self, table: FeatureTable, about: str, make: Callable[[], Mapping[str, NDArray[Any]]]
    ) -> Mapping[str, NDArray[Any]]:
        """What `make` gives of a feature table of this dataset, from where it is kept if it was made before."""
        return cached_arrays(self, table, about, make)

    @cached_property
    def _channels_of_first(self) -> tuple[Channel, ...]:
        for session in self.sessions[:1]:
            return self.load(session).channels
        return ()


def is_safe_name(name: str) -> bool:
    """Whether a dataset's or session's name is a plain name inside its folder."""
    return bool(name) and not name.startswith(".") and not any(bad in name for bad in "/\\\0") and len(name) <= 200


def open_dataset(workspace: Workspace, name: str) -> StandardDataset:
    """Open a dataset of the workspace. Cheap when its files have not changed since the last time.

    Raises:
        DatasetError: there is none of that name, or its manifest or labels cannot be read; one sentence.
    """
    folder = dataset_folder(workspace, name)
    stamps = tuple(_stamp(folder / part) for part in (MANIFEST, LABELS, SUBJECTS))
    return _opened(folder, stamps, workspace.private / "features")


def dataset_folder(workspace: Workspace, name: str) -> Path:
    """Where a dataset is. Raises DatasetError when there is none of that name, or it would leave the data folder."""
    if not is_safe_name(name):
        raise DatasetError(f"{name!r} cannot be a dataset's name: it is no plain folder name")
    folder = workspace.data / name
    if not folder.is_dir():
        known = dataset_names(workspace)
        hint = f"there are: {', '.join(known)}" if known else "make one with `sensorloom datasets import demo`"
        raise DatasetError(f"there is no dataset {name!r} in {workspace.shown(workspace.data)}; {hint}")
    return folder


def dataset_names(workspace: Workspace) -> list[str]:
    """The names of the data folder's datasets, sorted, without opening any: folders with a manifest or labels."""
    try:
        folders = [entry for entry in workspace.data.iterdir() if is_safe_name(entry.name)]
    except OSError:
        return []
    return sorted(folder.name for folder in folders if (folder / MANIFEST).is_file() or (folder / LABELS).is_file())


def list_datasets(workspace: Workspace) -> list[DatasetInfo]:
    """Every dataset of the data folder, the ones that cannot be opened with their reason."""
    return [_info(workspace, name) for name in dataset_names(workspace)]


def _info(workspace: Workspace, name: str) -> DatasetInfo:
    try:
        opened = open_dataset(workspace, name)
        return DatasetInfo(
            name,
            opened.description,
            len(opened.labels),
            len(set(opened.subjects.values())),
            opened.activities,
            opened.synthetic,
        )
    except DatasetError as error:
        return DatasetInfo(name, problem=str(error))


@lru_cache(maxsize=16)
def _opened(folder: Path, stamps: tuple[tuple[int, int], ...], cache: Path) -> StandardDataset:
    manifest = read_object(folder / MANIFEST)
    raw = read_object(folder / LABELS)
    labels = {session: _labels_of(folder, session, value) for session, value in raw.items()}
    return StandardDataset(
        folder.name,
        folder,
        MappingProxyType(manifest),
        MappingProxyType(labels),
        MappingProxyType(_subjects(folder, labels, has_file=stamps[2] != (0, 0))),
        _activities(manifest, labels),
        cache,
    )


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object from a file. Raises DatasetError naming the file and the place."""
    try:
        value = msgspec.json.decode(read_regular_file(path).removeprefix(b"\xef\xbb\xbf"))
    except FileNotFoundError as error:
        raise DatasetError(f"{path} is missing: a dataset has {MANIFEST}, {LABELS} and {SESSIONS}/") from error
    except OSError as error:
        raise DatasetError(f"{path}: {system_reason(error)}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise DatasetError(f"{path}: a JSON object is needed, this is a {type(value).__name__}")
    return value


def _labels_of(folder: Path, session: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(label, str) for label in value):
        return tuple(value)
    raise DatasetError(f"{folder / LABELS}: session {session!r}: a label or a list of labels is needed, not {value!r}")


def _subjects(folder: Path, labels: Mapping[str, Sequence[str]], *, has_file: bool) -> dict[str, str]:
    if has_file:
        read = read_object(folder / SUBJECTS)
        return {session: str(subject) for session, subject in read.items() if isinstance(subject, str | int)}
    return {session: subject for session in labels if (subject := subject_in(session))}


def subject_in(session: str) -> str:
    """The subject a session id plainly names (`train_16_3157` → 16, `subject101_004` → subject101), else empty."""
    match = _SUBJECT_IN_ID.fullmatch(session)
    if match is None:
        return ""
    return match["number"].lstrip("0") or "0" if match["number"] else match["name"].lower()


def _activities(manifest: Mapping[str, Any], labels: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    named = manifest.get("activities")
    listed: Any = list(named.values()) if isinstance(named, dict) else named
    activities = [label for label in (listed if isinstance(listed, list) else ()) if isinstance(label, str)]
    return tuple(activities or sorted({label for held in labels.values() for label in held}))


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)
