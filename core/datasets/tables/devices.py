"""Files of devices and apps that are no tables, made into some: `.cwa`, `.gt3x`, `.fit`, and Sensor Logger's JSON.

Each is read by a library that is installed on its own, but for the JSON; what comes of it lies in Parquet or CSV files
beside the import, and is read like any other table.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.datasets.archive import Raw, RawFile
from core.errors import DatasetError

if TYPE_CHECKING:
    Columns = Mapping[str, Any]

DEVICE_ENDINGS = (".cwa", ".gt3x", ".fit")
_EXTRA = "pip install 'sensorloom[devices]'"
_LOOK_BYTES = 4096
_RECORD_UNITS = {
    "heart_rate": "bpm", "cadence": "rpm", "enhanced_speed": "m/s", "speed": "m/s", "power": "W",
    "enhanced_altitude": "m", "temperature": "°C",
}  # fmt: skip
"""What of a FIT file's `record` messages is read; never where somebody was."""


def with_device_tables(raw: Raw) -> None:
    """Put tables in the place of the files of devices. Raises DatasetError: one cannot be read, or what reads it is not
    installed."""
    if not any(_converter(file) for file in raw.files):
        return
    files: list[RawFile] = []
    for file in raw.files:
        convert = _converter(file)
        files += [file] if convert is None else _converted(file, convert, raw.scratch)
    raw.files = files


def _converter(file: RawFile) -> Callable[[Path, RawFile], Mapping[str, Columns]] | None:
    name = file.name.lower()
    if name.endswith((".cwa", ".gt3x")):
        return _of_actigraphy
    if name.endswith(".fit"):
        return _of_fit
    if name.endswith(".json") and _is_sensor_logger(file.read(_LOOK_BYTES)):
        return _of_sensor_logger
    return None


def _converted(
    file: RawFile, convert: Callable[[Path, RawFile], Mapping[str, Columns]], scratch: Path
) -> Iterator[RawFile]:
    import pyarrow as pa
    from pyarrow import parquet

    scratch.mkdir(parents=True, exist_ok=True)
    copy = scratch / f"device{len(list(scratch.iterdir()))}{file.name[file.name.rfind('.') :].lower()}"
    file.copy_to(copy)
    tables = convert(copy, file)
    copy.unlink()
    for name, columns in tables.items():
        path = copy.with_suffix(f".{len(list(scratch.iterdir()))}")
        if name.endswith(".csv"):
            with path.open("w", newline="", encoding="utf-8") as target:
                csv.writer(target).writerows([list(columns), *zip(*columns.values(), strict=True)])
        else:
            parquet.write_table(pa.table(dict(columns)), path)
        yield RawFile(name, path.stat().st_size, file.archive, partial(path.open, "rb"))


def _stem(file: RawFile) -> str:
    return file.name.rpartition(".")[0]


def _missing(file: RawFile, library: str) -> DatasetError:
    return DatasetError(f"{file.name}: {library} reads such files and is not installed: {_EXTRA}")


def _of_actigraphy(path: Path, file: RawFile) -> Mapping[str, Columns]:
    """Axivity's and ActiGraph's raw recordings: acceleration in g, angular velocity in deg/s, as actfast gives them."""
    try:
        import actfast
    except ImportError as error:
        raise _missing(file, "actfast") from error
    try:
        series: Mapping[str, Mapping[str, Any]] = actfast.read(str(path))["timeseries"]
    except Exception as error:  # actfast raises what its parser met
        raise DatasetError(f"{file.name}: actfast cannot read it: {' '.join(str(error).split())[:160]}") from error
    samples = series.get("high_frequency") or series.get("acceleration") or {}
    if not len(samples.get("datetime", ())):
        raise DatasetError(
            f"{file.name}: actfast finds no acceleration in it; export it as a raw CSV by the maker's program, and "
            "import that"
        )
    columns: dict[str, Any] = {"time": samples["datetime"]}
    for name, short, unit in (("acceleration", "acc", "g"), ("gyroscope", "gyro", "deg/s")):
        if name in samples:
            columns |= {f"{short}_{axis} [{unit}]": samples[name][:, at] for at, axis in enumerate("xyz")}
    return {f"{_stem(file)}.parquet": columns}


def _of_fit(path: Path, file: RawFile) -> Mapping[str, Columns]:
    """A FIT file: the accelerometer and the gyroscope where they are in it, and what a watch notes each second."""
    try:
        import fitdecode
    except ImportError as error:
        raise _missing(file, "fitdecode") from error
    rows: dict[str, list[dict[str, Any]]] = {}
    try:
        with fitdecode.FitReader(path) as reader:
            for frame in reader:
                if isinstance(frame, fitdecode.FitDataMessage):
                    values = {field.name: field.value for field in frame.fields}
                    rows.setdefault(frame.name, []).append(values)
    except (fitdecode.FitError, OSError) as error:
        raise DatasetError(f"{file.name}: fitdecode cannot read it: {' '.join(str(error).split())[:160]}") from error
    tables: dict[str, Columns] = {}
    for message, sensor, short, unit in (
        ("accelerometer_data", "accel", "acc", "g"),
        ("gyroscope_data", "gyro", "gyro", "deg/s"),
    ):
        if message in rows:
            tables[f"{_stem(file)}_{short}.parquet"] = _fit_samples(rows[message], sensor, short, unit)
    if records := [row for row in rows.get("record", []) if row.get("timestamp")]:
        names = [name for name in _RECORD_UNITS if any(row.get(name) is not None for row in records)]
        columns = {f"{name} [{_RECORD_UNITS[name]}]": [_number(row.get(name)) for row in records] for name in names}
        if columns:
            tables[f"{_stem(file)}_heartrate.parquet"] = {"time": [_moment(row) for row in records], **columns}
    if not tables:
        raise DatasetError(f"{file.name}: it holds neither samples of a sensor nor what a watch notes each second")
    return tables


def _fit_samples(messages: Sequence[Mapping[str, Any]], sensor: str, short: str, unit: str) -> Columns:
    """Samples of several a message, each with its offset in ms; calibrated ones where they are there."""
    calibrated = all(message.get(f"calibrated_{sensor}_x") is not None for message in messages)
    kind = f"calibrated_{sensor}" if calibrated else sensor
    time_ns: list[int] = []
    axes: dict[str, list[float]] = {axis: [] for axis in "xyz"}
    for message in messages:
        start = _moment(message) + int(message.get("timestamp_ms") or 0) * 10**6
        time_ns += [start + int(offset) * 10**6 for offset in _several(message.get("sample_time_offset"))]
        for axis, own in axes.items():
            own += [_number(value) for value in _several(message.get(f"{kind}_{axis}"))]
    told = f" [{unit}]" if calibrated else ""
    least = min(len(time_ns), *map(len, axes.values()))
    return {"time": time_ns[:least], **{f"{short}_{axis}{told}": own[:least] for axis, own in axes.items()}}


def _several(value: Any) -> Sequence[Any]:
    return value if isinstance(value, tuple | list) else () if value is None else (value,)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else float(np.nan)


def _moment(message: Mapping[str, Any]) -> int:
    return round(message["timestamp"].timestamp()) * 10**9


def _is_sensor_logger(head: bytes) -> bool:
    return head.lstrip().startswith(b"[") and b'"sensor"' in head and b'"seconds_elapsed"' in head


def _of_sensor_logger(path: Path, file: RawFile) -> Mapping[str, Columns]:
    """Sensor Logger's JSON, a list of rows of every sensor, as the CSV files that it writes into a zip."""
    try:
        rows: list[dict[str, Any]] = json.loads(path.read_bytes())
        by_sensor: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            by_sensor.setdefault(str(row["sensor"]), []).append(row)
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{file.name}: it is no whole export of Sensor Logger: {str(error)[:120]}") from error
    tables: dict[str, Columns] = {}
    for sensor, own in by_sensor.items():
        names = [name for name in own[0] if name != "sensor"]
        tables[f"{_stem(file)}/{sensor}.csv"] = {name: [row.get(name, "") for row in own] for name in names}
    return tables
