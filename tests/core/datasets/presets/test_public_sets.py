"""Each public set that is known, in a few rows of its publishers' form, becomes a dataset without an option."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.cli.commands import run_command
from core.datasets.presets.pages import presets
from core.datasets.standard import StandardDataset, open_dataset
from core.workspace import Workspace
from tests.core.datasets.presets.forms import FORMS, GRAVITY

EXPECTED = {
    "motion_sense": ({"walking", "sitting"}, {"1", "2"}, "user_acc_z", "g", 50),
    "harth": ({"walking", "sitting"}, {"S006", "S008"}, "back_acc_z", "g", 50),
    "ku_har": ({"walk", "sit"}, {"1001"}, "user_acc_z", "m/s²", 100),
    "sisfall": ({"walking_slowly", "fall_forward_jogging_trip"}, {"SA01"}, "acc2_z", "g", 200),
    "dsads": ({"walking_in_parking_lot", "sitting"}, {"1", "2"}, "left_leg_acc_z", "m/s²", 25),
    "opportunity": ({"walking", "sitting"}, {"S1"}, "back_acc_z", "mg", 30),
    "realworld2016": ({"walking", "sitting"}, {"1"}, "chest_acc_z", "m/s²", 50),
    "hhar": ({"walk"}, {"a", "b"}, "acc_z", "m/s²", 200),
    "capture24": ({"sleep", "light"}, {"P001"}, "acc_z", "g", 100),
    "hapt_raw": ({"walking", "standing"}, {"01"}, "acc_z", "g", 50),
    "pamap2_kaggle": ({"nordic_walking", "lying"}, {"1", "2"}, "chest_acc_z", "m/s²", 100),
    "mhealth_kaggle": ({"walking", "standing"}, {"subject1", "subject2"}, "left_ankle_acc_z", "m/s²", 50),
}
"""Labels, subjects, a channel with its unit, and the rate."""


def test_every_public_set_is_tried() -> None:
    known = {preset.name for preset in presets() if preset.page.kind == "public set" and not preset.page.refuse}
    assert known == {*EXPECTED} == {*FORMS}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_public_set_is_known_by_its_files(
    workspace: Workspace, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = imported(workspace, written(tmp_path / "raw", FORMS[name]()), capsys)
    labels, subjects, channel, unit, rate = EXPECTED[name]
    assert {label for own in dataset.labels.values() for label in own} == labels
    assert {*dataset.subjects.values()} == subjects
    own = next(each for each in dataset.channels if each.name == channel)
    assert (own.unit, round(own.rate_hz or 0)) == (unit, rate)
    assert own.description
    gravity = {"m/s²": GRAVITY, "mg": 1000.0}.get(unit, 1.0)
    for session in dataset.sessions:
        window = dataset.load(session)
        values = window.values[window.names.index(channel)] / gravity
        still = float(np.std(values)) < 0.02
        assert still != (dataset.labels[session][0] in {*labels} and walks(dataset.labels[session][0])), session
        mean = 0.0 if channel.startswith("user") else 1.0
        assert float(np.mean(values)) == pytest.approx(mean, abs=0.05), session


def walks(label: str) -> bool:
    return "walk" in label or label == "light"


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def imported(workspace: Workspace, raw: Path, capsys: pytest.CaptureFixture[str], *options: str) -> StandardDataset:
    arguments = ["datasets", "import", "table", str(raw), "--name", "known", "--workspace", str(workspace.root)]
    code = run_command([*arguments, *options])
    assert code == 0, capsys.readouterr().err
    return open_dataset(workspace, "known")
