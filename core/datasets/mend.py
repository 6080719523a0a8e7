"""Mending a dataset whose times, units or columns can't be right. The dataset as it was stays beside it, hidden.

The check names the mend; it is never carried out unasked, since only a person knows how a recording was made.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.datasets.importing import alone, put_in_place
from core.datasets.manifest_channels import channels_of
from core.datasets.mend_sessions import cut_sessions, leave_out_copies
from core.datasets.session_check import LONGEST_SEC, UNIT_FACTORS
from core.datasets.session_file import MAX_NUMBERS, TIME_COLUMN, number_in, opened
from core.datasets.standard import DATA, MANIFEST, SESSIONS, dataset_folder, read_object
from core.errors import DatasetError, UsageError, system_reason
from core.storage.atomic import sync_folder, write_json
from core.storage.splits_file import read_book
from core.workspace import Workspace
from tools.sensors import sensors_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.session import Samples

Progress = Callable[[int, int, str], None]
TIME_UNITS = tuple(UNIT_FACTORS)
"""What times can count in instead of seconds."""
TIME_MENDS = ("sort", "append", "spread", "even")
"""`sort`: rows in the order of time. `append`: a stretch whose clock begins again follows the one before. `spread`:
rows with one stamp lie evenly until the next stamp. `even`: times are made from the manifest's rate."""


@dataclass(frozen=True, slots=True)
class Mends:
    """What is to be put right, in this order."""

    numbers: bool = False
    """Text that holds numbers becomes numbers, dates and times become seconds."""
    first_of_twins: bool = False
    """Of several columns with one name the first stays."""
    time_unit: str | None = None
    """One of `TIME_UNITS`: what the times count in."""
    times: str | None = None
    """One of `TIME_MENDS`."""
    units: Mapping[str, str] = field(default_factory=dict[str, str])
    """Sensor or channel to the unit that the manifest is to declare; samples stay as they are."""
    drop: Sequence[str] = ()
    """Channels that are taken out."""
    first_of_copies: bool = False
    """Of several sessions with the same samples, label and person the first stays."""
    cut_sec: float | None = None
    """Sessions that are longer become windows of so many seconds."""


def mends_in(text: str) -> Mends:
    """What is to be put right, as `datasets mend` takes it: `--time-unit ms --drop label`. Raises UsageError."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"`{text}` cannot be read: {error}") from error
    mends = Mends()
    while words:
        option, assigned, value = words.pop(0).partition("=")
        if option in ("--numbers", "--first-of-twins", "--first-of-copies"):
            mends = replace(mends, **{option[2:].replace("-", "_"): True})
            continue
        if option not in ("--time-unit", "--times", "--unit", "--drop", "--cut"):
            raise UsageError(f"`{option}` mends nothing; the check of the dataset names what does")
        value = value if assigned else words.pop(0) if words else ""
        known = {"--time-unit": TIME_UNITS, "--times": TIME_MENDS}.get(option, ())
        sensor, _, unit = value.partition("=")
        if not value or (known and value not in known) or (option == "--unit" and not unit):
            takes = ", ".join(known) or ("a channel" if option == "--drop" else "a sensor and its unit, as acc=g")
            raise UsageError(f"`{option} {value}`: it takes {takes}")
        match option:
            case "--cut":
                mends = replace(mends, cut_sec=_seconds(value))
            case "--drop":
                mends = replace(mends, drop=(*mends.drop, value))
            case "--unit":
                mends = replace(mends, units={**mends.units, sensor: unit})
            case _:
                mends = replace(mends, **{option[2:].replace("-", "_"): value})
    return mends


def mend_dataset(
    workspace: Workspace, name: str, mends: Mends, progress: Progress | None = None, used: Collection[str] = ()
) -> Path:
    """Put a mended dataset in the place of the one of that name. The sessions that threads are about, `used`, are not
    taken out of it.

    Returns:
        Where the dataset as it was is now, hidden beside the mended one; `unmend_dataset` takes it back.

    Raises:
        DatasetError: there is no such dataset, a session cannot be mended, or nothing can be written; nothing changed.
        UsageError: nothing is to be mended, or a channel is named that is not there.
    """
    if mends == Mends():
        raise UsageError(f"say what to mend: `sensorloom datasets check {name}` names it")
    if mends.cut_sec is not None and mends != Mends(cut_sec=mends.cut_sec):
        raise UsageError("--cut goes alone: mend the rest before it, or after")
    folder = dataset_folder(workspace, name)
    manifest = _mended_manifest(read_object(folder / MANIFEST), mends)
    rates = [channel.rate_hz for channel in channels_of(manifest) if channel.rate_hz]
    with alone(workspace.data, name):
        copy = workspace.data / f".{name}.mended"
        shutil.rmtree(copy, ignore_errors=True)
        try:
            shutil.copytree(folder, copy, ignore=partial(_but_sessions, folder))
            write_json(copy / MANIFEST, manifest)
            if mends.cut_sec is not None:
                cut_sessions(folder, copy, mends.cut_sec, read_book(workspace.root), used)
            else:
                _mend_sessions(folder, copy, mends, rates, progress)
            if mends.first_of_copies:
                leave_out_copies(copy, used)
            os.sync()
            original = put_in_place(copy, folder)
        except OSError as error:
            reason = system_reason(error)
            raise DatasetError(f"cannot write {workspace.shown(copy)}: {reason}; nothing was changed") from error
        finally:
            shutil.rmtree(copy, ignore_errors=True)
    assert original is not None
    return original


def _mend_sessions(folder: Path, copy: Path, mends: Mends, rates: Sequence[float], progress: Progress | None) -> None:
    sessions = sorted(path.name for path in (folder / SESSIONS).iterdir() if (path / DATA).is_file())
    for number, session in enumerate(sessions):
        if progress:
            progress(number, len(sessions), session)
        (copy / SESSIONS / session).mkdir()
        _mend_session(folder / SESSIONS / session / DATA, copy / SESSIONS / session / DATA, mends, rates)


def _seconds(text: str) -> float:
    seconds = number_in(text)
    if seconds is None or not 0 < seconds <= LONGEST_SEC:
        raise UsageError(f"`--cut {text}`: it takes a window's length in seconds, up to {LONGEST_SEC:g}")
    return seconds


def unmend_dataset(workspace: Workspace, name: str) -> Path:
    """Put the dataset as it was before the last mend, or the last replacing import, back under its name.

    Returns:
        Where the one that stood there is now; doing it again brings it back.

    Raises:
        DatasetError: there is no such dataset.
        UsageError: none was put aside.
    """
    folder = dataset_folder(workspace, name)
    with alone(workspace.data, name):
        aside = sorted(workspace.data.glob(f".{name}.replaced-*"))
        if not aside:
            raise UsageError(f"no earlier form of {name} is there: it was neither mended nor replaced")
        original = put_in_place(aside[-1], folder)
        sync_folder(folder.parent)
    assert original is not None
    return original


def _but_sessions(folder: Path, inside: str, names: list[str]) -> list[str]:
    """What of a folder's content is not copied: the sessions, which are written anew."""
    return names if Path(inside) == folder / SESSIONS else []


def _mended_manifest(manifest: Mapping[str, Any], mends: Mends) -> dict[str, Any]:
    """The manifest with the units declared and without the channels dropped."""
    channels = channels_of(manifest)
    sensor_of = {name: sensor.name for sensor in sensors_of(channels) for name in sensor.names}
    known = {*sensor_of, *sensor_of.values()}
    for wanted in (*mends.units, *mends.drop):
        if channels and wanted not in known:
            raise UsageError(f"the manifest has no channel or sensor {wanted!r}; there are {', '.join(sorted(known))}")
    listed = manifest.get("channels")
    if not isinstance(listed, list):
        if mends.units or mends.drop:
            raise UsageError(f"{MANIFEST} lists no channels whose units or presence could be mended")
        return dict(manifest)
    mended: list[Any] = []
    for channel in listed:
        name = str(channel.get("name") if isinstance(channel, dict) else channel)
        if {name, sensor_of.get(name)} & {*mends.drop}:
            continue
        unit = mends.units.get(name) or mends.units.get(sensor_of.get(name, ""))
        mended.append({**channel, "unit": unit} if unit and isinstance(channel, dict) else channel)
    return {**manifest, "channels": mended}


def _mend_session(source: Path, target: Path, mends: Mends, rates: Sequence[float]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    location = f"{SESSIONS}/{source.parent.name}/{DATA}"
    try:
        with opened(source) as file:
            if file.metadata.num_rows * file.metadata.num_columns > MAX_NUMBERS:
                raise DatasetError(f"{location}: too long to be mended at once; cut it into shorter sessions")
            table = file.read(use_threads=False)
        columns = _columns(table, mends)
        times, order = _mended_times(columns, table.num_rows, mends, rates)
    except (pa.ArrowException, ValueError) as error:
        reason = " ".join(str(error).split())[:160]
        raise DatasetError(f"{location}: cannot be mended: {reason}; nothing was changed") from error
    if times is not None:
        values = {name: column.take(pa.array(order)) for name, column in columns.items() if name != TIME_COLUMN}
        columns = {TIME_COLUMN: pa.array(times), **values}
    parquet.write_table(pa.table(columns), target, compression="lz4", store_schema=False)


def _columns(table: Any, mends: Mends) -> dict[str, Any]:
    """The table's columns by name, as numbers where that is asked."""
    names = table.column_names
    if len(set(names)) < len(names) and not mends.first_of_twins:
        raise ValueError("there are columns of one name; --first-of-twins takes the first of them")
    columns: dict[str, Any] = {}
    for column, name in enumerate(names):
        if name not in columns and name not in mends.drop:
            columns[name] = _as_numbers(table.column(column)) if mends.numbers else table.column(column)
    return columns


def _as_numbers(column: Any) -> Any:
    """Text that holds numbers as numbers, moments as seconds; any other column as it is."""
    import numpy as np
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        moments = column.cast(pa.timestamp("ns")).to_numpy()
        return pa.array((moments - moments.min()).astype(np.float64) / 1e9)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        texts = column.to_pylist()
        numbers = [None if text is None else number_in(text) for text in texts]
        if all(number is not None or text is None for number, text in zip(numbers, texts, strict=True)):
            return pa.array(numbers, pa.float64())
        # a note stays a note: the check says whether it is in the way
    return column


def _mended_times(
    columns: Mapping[str, Any], rows: int, mends: Mends, rates: Sequence[float]
) -> tuple[Samples | None, NDArray[Any]]:
    """The times in seconds and the order of the rows; no times where they stay as they are."""
    import numpy as np

    order = np.arange(rows)
    if mends.time_unit is None and mends.times is None:
        return None, order
    if mends.times == "even":
        if not rates:
            raise ValueError(f"{MANIFEST} names no sampling_rate_hz to make even times from")
        return order / max(rates), order
    if TIME_COLUMN not in columns:
        raise ValueError(f"it has no column {TIME_COLUMN}")
    exact = np.asarray(columns[TIME_COLUMN].to_numpy())
    times = np.asarray(exact - exact.min(), dtype=np.float64) / UNIT_FACTORS.get(mends.time_unit or "", 1.0)
    if mends.times == "sort":
        order = np.argsort(times, kind="stable")
    elif mends.times == "append":
        times = appended(times)
    elif mends.times == "spread":
        times = spread(times)
    return times[order], order


def appended(times: Samples) -> Samples:
    """Times in which a stretch that begins again follows the one before it by the usual step."""
    import numpy as np

    steps = np.diff(times)
    usual = float(np.median(steps[steps > 0])) if (steps > 0).any() else 0.0
    return np.concatenate(([times[0]], times[0] + np.cumsum(np.where(steps < 0, usual, steps))))


def spread(times: Samples) -> Samples:
    """Times in which rows with one stamp lie evenly until the next stamp; the last ones at the pace of those before."""
    import numpy as np

    if not np.all(np.diff(times) >= 0):
        raise ValueError("its times go back; mend that first")
    stamps, first, counts = np.unique(times, return_index=True, return_counts=True)
    if len(stamps) < 2:
        raise ValueError("all rows have the same time; --times even makes times from the rate")
    lengths = np.append(np.diff(stamps), np.median(np.diff(stamps)))
    group = np.repeat(np.arange(len(stamps)), counts)
    return stamps[group] + lengths[group] * (np.arange(len(times)) - first[group]) / counts[group]
