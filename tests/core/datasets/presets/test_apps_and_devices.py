"""Files of apps and devices, in their makers' forms, give the signal that was written into them."""

from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path

import numpy as np
import pytest

from core.cli.commands import run_command
from core.datasets.archive import open_raw
from core.datasets.presets.fitting import fitting_presets
from core.datasets.presets.pages import presets
from core.datasets.standard import open_dataset
from core.datasets.tables.form import TableForm
from core.datasets.tables.proposal import look_at_tables
from core.workspace import Workspace
from tests.core.datasets.presets.device_forms import DEVICES, Files
from tests.core.datasets.presets.forms import GRAVITY, moved

EXPECTED = {
    "sensor_logger_csv": ("sensor_logger", "acc", "m/s²", 100, ""),
    "sensor_logger_json": ("sensor_logger", "acc", "m/s²", 100, ""),
    "phyphox": ("phyphox", "acc", "m/s²", 100, ""),
    "sensorlog_ios": ("sensorlog_ios", "acc", "g", 50, ""),
    "androsensor": ("androsensor", "acc", "m/s²", 50, ""),
    "empatica_e4": ("empatica_e4", "acc", "g", 64, ""),
    "actigraph_csv": ("actigraph_csv", "acc", "g", 30, ""),
    "axivity_cwa": ("", "acc", "g", 100, "actfast"),
    "actigraph_gt3x": ("", "acc", "g", 30, "actfast"),
    "garmin_fit": ("", "acc", "g", 100, "fitdecode"),
}
"""The preset that fits, the sensor with its unit and rate, and what reads it."""


def test_every_app_and_device_is_tried() -> None:
    known = {preset.name for preset in presets() if preset.page.kind != "public set"}
    assert known == {name.removesuffix("_json") if "logger" in name else name for name in EXPECTED} - {
        "sensor_logger_csv"
    } and {*EXPECTED} == {*DEVICES}


@pytest.mark.parametrize("name", EXPECTED)
def test_what_a_device_writes_is_read_back(workspace: Workspace, tmp_path: Path, name: str) -> None:
    preset, sensor, unit, rate, library = EXPECTED[name]
    if library and not importlib.util.find_spec(library):
        pytest.skip(f"{library}, of the extra devices, is not installed")
    raw = zipped(tmp_path / "raw.zip", DEVICES[name]())
    with open_raw(raw, tmp_path / "scratch") as opened:
        assert [each.name for each in fitting_presets(opened, presets())] == ([preset] if preset else [])
    label = () if "logger" in name else ("--label", "all:walking")
    arguments = ["datasets", "import", "table", str(raw), "--name", "mine", "--length", "9", *label]
    assert run_command([*arguments, "--workspace", str(workspace.root)]) == 0
    dataset = open_dataset(workspace, "mine")
    own = [channel for channel in dataset.channels if channel.name in {f"{sensor}_{axis}" for axis in "xyz"}]
    assert [(each.name[-1], each.unit, round(each.rate_hz or 0)) for each in own] == [
        (axis, unit, rate) for axis in "xyz"
    ]
    window = dataset.load(dataset.sessions[0])
    values = window.values[[window.names.index(each.name) for each in own]] / (GRAVITY if unit == "m/s²" else 1)
    since = 10.0 if name == "empatica_e4" else 0.0
    expected = moved(1000, walking=True, seconds=20)[np.round((window.time_sec + since) * 1000).astype(int)].T
    assert np.abs(values - expected).max() < 0.03, "within a count, and the interpolation of slower sensors"


def test_sensors_of_one_recording_are_joined_and_where_somebody_was_is_not_read(tmp_path: Path) -> None:
    for name in ("sensor_logger_json", "garmin_fit"):
        if name == "garmin_fit" and not importlib.util.find_spec("fitdecode"):
            continue
        raw = zipped(tmp_path / f"{name}.zip", DEVICES[name]())
        with open_raw(raw, tmp_path / "scratch") as opened:
            form = next((each.form for each in fitting_presets(opened, presets())), TableForm(label="all:walking"))
            proposal = look_at_tables(opened, form)
        assert len(proposal.recordings) == 1
        channels = {channel.name for channel in proposal.recordings[0].channels}
        assert channels >= {"acc_x", "gyro_x" if "logger" in name else "heart_rate"}
        assert not any("lat" in channel or "position" in channel for channel in channels)


def test_labels_beside_a_known_app_may_have_another_name_than_its_own(tmp_path: Path) -> None:
    files = DEVICES["sensor_logger_csv"]()
    del files["Annotation.csv"]
    files |= {"labels.csv": "start,end,label\n0,9,walking\n", "Metadata.json": '\n {"device": "a phone"}'}
    with open_raw(zipped(tmp_path / "raw.zip", files), tmp_path / "scratch") as opened:
        (form,) = (each.form for each in fitting_presets(opened, presets()))
        proposal = look_at_tables(opened, form)
    assert [each.label for stretches in proposal.intervals.values() for each in stretches] == ["walking"]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"walk.cwa": b"no recording" * 100}, "walk.cwa: actfast"),
        ({"walk.fit": b"no recording" * 9}, "walk.fit: fitdecode cannot read it"),
        ({"walk.json": '[{"sensor": "Accelerometer", "seconds_elapsed": "0"'}, "walk.json: it is no whole export"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(
    workspace: Workspace, tmp_path: Path, files: Files, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["datasets", "import", "table", str(zipped(tmp_path / "raw.zip", files)), "--label", "all:x"]
    assert run_command([*arguments, "--workspace", str(workspace.root)]) == 1
    wrong = capsys.readouterr().err
    assert says in wrong and len(wrong.splitlines()) == 1


def test_what_is_not_installed_says_how_to_install_it(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "actfast", None)
    raw = zipped(tmp_path / "raw.zip", {"walk.cwa": b"MD"})
    assert run_command(["datasets", "import", "table", str(raw), "--workspace", str(workspace.root)]) == 1
    assert "pip install 'sensorloom[devices]'" in capsys.readouterr().err


def zipped(path: Path, files: Files) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path
