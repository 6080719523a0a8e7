"""A workspace, the real slices where they are, and raw files as the publishers write them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from core.workspace import Workspace, open_workspace

SLICES = Path(__file__).parents[3] / "../shared/data"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    root = tmp_path / "ws"
    root.mkdir()
    return open_workspace(str(root), environ={})


@pytest.fixture
def real() -> Callable[[str], Path]:
    """The path of a real slice; the test is skipped where it is not."""

    def find(name: str) -> Path:
        path = SLICES / name
        if not path.exists():
            pytest.skip(f"the real slice {name} is not in {SLICES}")
        return path

    return find


@pytest.fixture
def zipped(tmp_path: Path) -> Callable[..., Path]:
    """Write a zip of {name: text or bytes}."""

    def write(files: Mapping[str, str | bytes], name: str = "raw.zip") -> Path:
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, content in files.items():
                archive.writestr(member, content)
        return path

    return write


@pytest.fixture
def make_dataset(workspace: Workspace) -> Callable[..., Path]:
    """Write a dataset in the standard form by hand, as anyone could have."""

    def make(
        name: str = "theirs",
        manifest: Any = None,
        labels: Any = None,
        subjects: Any = None,
        sessions: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Path:
        folder = workspace.data / name
        (folder / "sessions").mkdir(parents=True)
        columns = {"timestamp_sec": np.arange(100) / 50, "acc_x": np.sin(np.arange(100) / 3)}
        other = columns | {"acc_x": np.cos(np.arange(100) / 3.7)}
        sessions = {"train_16_0001": columns, "train_7_0002": other} if sessions is None else sessions
        manifest = default_manifest() if manifest is None else manifest
        labels = {session: ["walking"] for session in sessions} if labels is None else labels
        (folder / "manifest.json").write_text(json.dumps(manifest))
        (folder / "labels.json").write_text(json.dumps(labels))
        if subjects is not None:
            (folder / "subjects.json").write_text(json.dumps(subjects))
        for session, data in sessions.items():
            (folder / "sessions" / session).mkdir()
            parquet.write_table(pa.table(dict(data)), folder / "sessions" / session / "data.parquet")
        return folder

    return make


def default_manifest() -> dict[str, Any]:
    return {
        "dataset_name": "Theirs",
        "description": "Somebody's data.",
        "activities": ["walking", "sitting"],
        "channels": [{"name": "acc_x", "description": "acceleration, x", "unit": "g", "sampling_rate_hz": 50}],
    }


@pytest.fixture
def uci_raw() -> Callable[..., dict[str, str]]:
    """A UCI HAR archive's files as the original has them: CRLF, double spaces, exponents of three digits."""

    def build(rows: int = 6, splits: tuple[str, ...] = ("train", "test"), inertial: str = "Inertial Signals") -> Any:
        files: dict[str, str] = {
            "UCI HAR Dataset/README.txt": "readme",
            "UCI HAR Dataset/activity_labels.txt": "1 WALKING",
        }
        for split in splits:
            home = f"UCI HAR Dataset/{split}"
            files[f"{home}/y_{split}.txt"] = "".join(f"{row % 6 + 1}\n" for row in range(rows))
            files[f"{home}/subject_{split}.txt"] = "".join(f"{row // 2 + 1}\n" for row in range(rows))
            for number, signal in enumerate(
                f"{kind}_{axis}" for kind in ("body_acc", "body_gyro", "total_acc") for axis in "xyz"
            ):
                lines = (
                    "".join(f"{'  ' if value >= 0 else ' '}{three_digits(value)}" for value in uci_values(row, number))
                    for row in range(rows)
                )
                files[f"{home}/{inertial}/{signal}_{split}.txt"] = "".join(f"{line}\r\n" for line in lines)
        return files

    return build


def uci_values(row: int, signal: int) -> list[float]:
    return [(row + 1) * 0.01 * (signal - 4) + sample * 1e-4 for sample in range(128)]


def three_digits(value: float) -> str:
    mantissa, exponent = f"{value:.7e}".split("e")
    return f"{mantissa}e{exponent[0]}{int(exponent[1:]):03d}"
