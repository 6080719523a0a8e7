"""What lies on the disk while a recording is under way: `data/.NAME.REC.live/`, beside the
dataset, so that nobody who replaces that moves it away.

SENSOR.arrow   the samples of each sensor, see `live_file`
marks.csv      time_ns,label: what was done from then on
state.json     who records what how, written anew each second
lock           held by the recorder, and let go by the system when it dies
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from core.datasets.tables.form import TableForm
from core.datasets.whole.recording import RECORDINGS
from core.errors import DatasetError
from core.recording.live_file import ENDING
from core.storage.atomic import write_atomic

if TYPE_CHECKING:
    from core.workspace import Workspace

STATE, MARKS, LOCK = "state.json", "marks.csv", "lock"


class SensorState(msgspec.Struct, frozen=True):
    """One sensor of a recording."""

    name: str
    """Empty where the source has only one."""
    file: str
    columns: tuple[str, ...]
    rows: int = 0
    rate_hz: float = 0.0
    checkpoint: int = 0
    """Where in the file a batch begins that is some time old."""


class LiveState(msgspec.Struct, frozen=True):
    """What `state.json` says."""

    dataset: str
    recording: str
    source: str
    started: str
    form: TableForm
    length_sec: float
    overlap: float
    subject: str = ""
    label: str = ""
    """What is being done now, as it was marked."""
    known_labels: tuple[str, ...] = ()
    sensors: tuple[SensorState, ...] = ()
    counts: dict[str, int] = {}
    ended: bool = False


TROUBLES = {"gaps": "gap", "jumps in time": "jump in time", "stalls": "stall"}
"""What is counted of the source's time, and one of it; everything else that is counted was left out."""


def troubles(counts: Mapping[str, int]) -> list[str]:
    """How often the source paused, jumped or stalled, as a person reads it: `1 gap`."""
    there = ((name, word, counts[name]) for name, word in TROUBLES.items() if counts.get(name))
    return [f"{count:,} {name if count > 1 else word}" for name, word, count in there]


@dataclass(frozen=True, slots=True)
class Live:
    """A recording under way, or one whose recorder died."""

    folder: Path
    state: LiveState

    @property
    def name(self) -> str:
        """As a person reads it."""
        return f"{self.state.dataset}/{self.state.recording}"


def live_folder(workspace: Workspace, dataset: str, recording: str) -> Path:
    """Where a recording's samples are while they come."""
    return workspace.data / f".{dataset}.{recording}.live"


def write_state(folder: Path, state: LiveState) -> None:
    """Replace the state. Raises SensorloomError: the disk is full."""
    write_atomic(folder / STATE, msgspec.json.format(msgspec.json.encode(state)) + b"\n", durable=False)


def read_live(folder: Path) -> Live:
    """What is in a live folder. Raises DatasetError: its state cannot be read."""
    try:
        return Live(folder, msgspec.json.decode((folder / STATE).read_bytes(), type=LiveState))
    except OSError as error:
        raise DatasetError(f"{folder}: there is no {STATE}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DatasetError(f"{folder / STATE}: {error}") from error


def lives(workspace: Workspace) -> Iterator[Live]:
    """Every recording that is under way or was left by a recorder that died; what cannot be read is passed over."""
    for folder in sorted(workspace.data.glob(".*.live")):
        try:
            live = read_live(folder)
        except DatasetError:
            continue
        if folder == live_folder(workspace, live.state.dataset, live.state.recording):
            yield live


def under_way(workspace: Workspace) -> list[Live]:
    """The recordings whose recorder lives, the one begun last first."""
    alive = [live for live in lives(workspace) if is_alive(live.folder)]
    return sorted(alive, key=lambda live: live.state.started, reverse=True)


def lock_of(folder: Path) -> Any:
    """The lock that a recorder holds."""
    from filelock import FileLock

    return FileLock(folder / LOCK, timeout=0)


def is_alive(folder: Path) -> bool:
    """Whether somebody records there."""
    from filelock import Timeout

    if not (folder / LOCK).exists():
        return False
    lock = lock_of(folder)
    try:
        lock.acquire()
    except (Timeout, OSError):
        return True
    lock.release()
    return False


def read_marks(folder: Path) -> list[tuple[int, str]]:
    """When each label began, ns since 1970, as far as whole lines go; an empty label ends one."""
    try:
        text = (folder / MARKS).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    lines = text.split("\n")[:-1]
    marks = (line.partition(",") for line in lines)
    return [(int(time), label) for time, _, label in marks if time.isdigit()]


def sensor_files(folder: Path) -> list[Path]:
    """The files of samples."""
    return sorted(folder.glob(f"*{ENDING}"))


def next_recording(workspace: Workspace, dataset: str, subject: str) -> str:
    """A name for the next recording, which tells nothing about what is done: `rec_r001`, or with the subject."""
    who = re.sub(r"\W+", "_", subject).strip("_") or "rec"
    home = workspace.data / dataset / RECORDINGS
    names = {path.name for path in home.iterdir()} if home.is_dir() else set[str]()
    names |= {live.state.recording for live in lives(workspace) if live.state.dataset == dataset}
    used = {match[1] for name in names if (match := re.fullmatch(rf"{re.escape(who)}_r(\d{{3,}})", name))}
    return f"{who}_r{max(map(int, used), default=0) + 1:03d}"
