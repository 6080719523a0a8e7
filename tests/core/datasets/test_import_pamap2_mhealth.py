"""PAMAP2 and MHEALTH, from files in the original layout with every quirk, and from the real slices."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from core.datasets.importing import import_dataset
from core.datasets.plan import ImportOptions
from core.datasets.standard import StandardDataset, open_dataset
from core.errors import DatasetError, UsageError
from core.workspace import Workspace

Zipped = Callable[..., Path]


def pamap2_row(time: float, activity: int, mark: float, dead: Iterable[int] = ()) -> str:
    """One line of 54 numbers. `mark` goes into the hand's acceleration, so that a row can be found again."""
    fields = [f"{time:g}", str(activity), "NaN"]
    for unit in range(3):
        values = ["NaN"] * 17 if unit in dead else [f"{unit}.{column:02d}" for column in range(17)]
        fields += values
    if 0 not in dead:
        fields[4] = f"{mark:g}"
    return " ".join(fields)


def pamap2_stretch(start: float, seconds: float, activity: int, dead: Iterable[int] = ()) -> list[str]:
    count = round(seconds * 100)
    times = [round(start + row / 100, 2) for row in range(count)]
    return [pamap2_row(time, activity, time, dead) for time in times]


def marks(dataset: StandardDataset, session: str) -> np.ndarray:
    window = dataset.load(session)
    return window.values[window.names.index("hand_acc16_x")]


def test_pamap2_windows_cross_no_activity_and_no_gap(workspace: Workspace, zipped: Zipped) -> None:
    lines = [
        *pamap2_stretch(10, 2, 0),
        *pamap2_stretch(12, 12.5, 4),  # two windows, and 2.5 s left
        *pamap2_stretch(24.5, 11, 3),  # two windows, and 1 s left
        *pamap2_stretch(40, 4, 3),  # too short behind the gap
        *pamap2_stretch(44, 5, 24),
    ]
    report = import_dataset(workspace, "pamap2", zipped({"PAMAP2_Dataset/Protocol/subject105.dat": "\n".join(lines)}))
    dataset = open_dataset(workspace, "pamap2")
    assert report.activities == {"rope_jumping": 1, "standing": 2, "walking": 2}
    assert report.dropped == {
        "rows too few for a window, at the end of a stretch": 250 + 100 + 400,
        "rows between activities (activity 0)": 200,
    }
    starts: list[tuple[str, float]] = []
    for session, (label,) in dataset.labels.items():
        times = marks(dataset, session)
        assert np.diff(times) == pytest.approx(0.01, abs=1e-4)
        assert len(times) == 500
        assert dataset.load(session).time_sec[[0, -1]] == pytest.approx([0, 4.99])
        assert dataset.subjects[session] == "subject105"
        starts.append((label, round(float(times[0]), 2)))
    assert sorted(starts) == [
        ("rope_jumping", 44.0), ("standing", 24.5), ("standing", 29.5), ("walking", 12.0), ("walking", 17.0),
    ]  # fmt: skip


def test_pamap2_survives_what_the_real_files_hold(workspace: Workspace, zipped: Zipped) -> None:
    walk = pamap2_stretch(5, 5, 4)
    walk[100:150] = pamap2_stretch(6, 0.5, 4, dead=(1,))  # the chest's radio is out
    walk[200] = walk[200].replace("NaN", "97", 1)  # a heart rate
    walk[300:300] = ["", "   ", "1.2 4 NaN", walk[299], walk[250], walk[298], walk[299].replace("0.02", "x.02")]
    dead = pamap2_stretch(10, 5, 5, dead=(0, 1, 2))
    extra = pamap2_stretch(15, 5, 9)
    text = "\r\n".join([*walk, *dead, *extra, "20.5 4 NaN 1.0"])  # the last line is cut off
    report = import_dataset(workspace, "pamap2", zipped({"subject101.dat": text}))
    assert report.activities == {"walking": 1}
    assert report.dropped == {
        "rows of an activity outside the protocol": 500,
        "broken lines (other than 54 numbers)": 3,
        "windows with more than half of their samples missing": 1,
        "rows with a repeated timestamp": 1,
        "rows out of order in time": 2,
    }
    window = open_dataset(workspace, "pamap2").load("subject101_0001")
    at = {name: values for name, values in zip(window.names, window.values, strict=True)}
    assert len(window.time_sec) == 500
    assert np.isnan(at["chest_gyro_x"]).sum() == 50
    assert np.isfinite(at["ankle_mag_z"]).all()
    assert np.flatnonzero(np.isfinite(at["heart_rate"])).tolist() == [200]
    assert at["hand_acc16_y"][0] == pytest.approx(0.02)
    assert at["chest_gyro_x"][0] == pytest.approx(1.07)
    assert at["ankle_mag_z"][0] == pytest.approx(2.12)
    assert not any("ori" in name or "acc6" in name for name in window.names)


def test_pamap2_is_found_nested_and_its_optional_part_is_said(workspace: Workspace, zipped: Zipped) -> None:
    stretch = "\n".join(pamap2_stretch(0, 5, 4))
    inner = zipped(
        {
            "PAMAP2_Dataset/Protocol/subject101.dat": stretch,
            "PAMAP2_Dataset/Optional/subject101.dat": stretch,
            "__MACOSX/PAMAP2_Dataset/Protocol/._subject101.dat": b"\x00\x05",
        }
    )
    report = import_dataset(workspace, "pamap2", zipped({"PAMAP2_Dataset.zip": inner.read_bytes()}, "outer.zip"))
    assert report.sessions == 1
    assert report.dropped == {"files of the optional recordings": 1}


def test_length_and_overlap(workspace: Workspace, zipped: Zipped) -> None:
    path = zipped({"subject101.dat": "\n".join(pamap2_stretch(0, 10, 4))})
    report = import_dataset(workspace, "pamap2", path, options=ImportOptions(length_sec=2, overlap=0.5))
    dataset = open_dataset(workspace, "pamap2")
    assert report.sessions == 9
    starts = sorted(round(float(marks(dataset, session)[0]), 2) for session in dataset.labels)
    assert starts == [0, 1, 2, 3, 4, 5, 6, 7, 8]
    assert {len(marks(dataset, session)) for session in dataset.labels} == {200}
    for options in (ImportOptions(length_sec=0), ImportOptions(length_sec=float("nan")), ImportOptions(overlap=1)):
        with pytest.raises(UsageError, match=r"--length|--overlap"):
            import_dataset(workspace, "pamap2", path, name="x", options=options)


def test_a_number_says_nothing_about_the_activity(workspace: Workspace, zipped: Zipped) -> None:
    lines = [line for k, activity in enumerate((1, 2, 3, 4, 5)) for line in pamap2_stretch(200 * k, 100, activity)]
    import_dataset(workspace, "pamap2", zipped({"subject101.dat": "\n".join(lines)}))
    dataset = open_dataset(workspace, "pamap2")
    in_order = [dataset.labels[session][0] for session in sorted(dataset.labels)]
    same_as_next = sum(first == second for first, second in pairwise(in_order))
    assert len(in_order) == 100
    assert same_as_next < 40  # 95 in recorded order, about 19 by chance
    assert list(dataset.labels) == sorted(dataset.labels)


def test_the_real_pamap2_fragments(workspace: Workspace, real: Callable[[str], Path]) -> None:
    report = import_dataset(workspace, "pamap2", real("pamap2_fragments.zip"))
    assert (report.sessions, report.subjects, set(report.activities.values())) == (12, 6, {1})
    assert report.dropped == {"rows between activities (activity 0)": 500}
    dataset = open_dataset(workspace, "pamap2")
    assert set(report.activities) == set(dataset.activities)
    for session in dataset.labels:
        window = dataset.load(session)
        upright = np.linalg.norm(window.values[[window.names.index(f"chest_acc16_{axis}") for axis in "xyz"]], axis=0)
        assert 8 < np.nanmean(upright) < 17


def test_the_real_pamap2_subject(workspace: Workspace, real: Callable[[str], Path]) -> None:
    path = real("pamap2.zip")
    report = import_dataset(workspace, "pamap2", path)
    assert report.activities == {"rope_jumping": 12}
    assert report.dropped == {
        "rows between activities (activity 0)": 2086,
        "rows too few for a window, at the end of a stretch": 6391 - 6000,
    }
    raw = zipfile.ZipFile(path).read("PAMAP2_Dataset/Protocol/subject109.dat").split(b"\n")
    rope = np.array([[float(value) for value in line.split()] for line in raw if line.split()[1:2] == [b"24"]])
    dataset = open_dataset(workspace, "pamap2")
    spans = sorted(
        (float(marks(dataset, session)[0]), float(marks(dataset, session)[-1])) for session in dataset.labels
    )
    expected = sorted((rope[k, 4], rope[k + 499, 4]) for k in range(0, 6000, 500))
    assert np.array(spans) == pytest.approx(np.array(expected), rel=1e-6)


def mhealth_line(label: int, mark: float) -> str:
    return "\t".join([f"{mark:g}", *(f"{column}.5" for column in range(1, 23)), str(label)])


def test_mhealth_windows_and_quirks(workspace: Workspace, zipped: Zipped) -> None:
    lines = [mhealth_line(0, -1)] * 20
    lines += [mhealth_line(4, row) for row in range(250)]
    lines += [mhealth_line(9, row) for row in range(1000, 1260)]
    lines[100:101] = ["", lines[100][:30]]  # a blank line, and one that is cut off
    lines += [mhealth_line(13, 0), mhealth_line(1, 0)]
    files = {
        "MHEALTHDATASET/mHealth_subject3.log": "\r\n".join(lines),
        "MHEALTHDATASET/mHealth_subject10.log": "\n".join(mhealth_line(12, row) for row in range(250)),
        "MHEALTHDATASET/README.txt": "Oresti Ba\xf1os".encode("latin-1"),
    }
    report = import_dataset(workspace, "mhealth", zipped(files))
    dataset = open_dataset(workspace, "mhealth")
    assert report.activities == {"cycling": 1, "jump_front_back": 1, "walking": 1}
    assert report.dropped == {
        "rows between activities (label 0)": 20,
        "rows too few for a window, at the end of a stretch": 10 + 1,
        "broken lines (other than 24 numbers)": 1,
        "rows of an unknown activity": 1,
    }
    assert dict(dataset.subjects) == {
        "subject10_0001": "subject10", "subject3_0001": "subject3", "subject3_0002": "subject3",
    }  # fmt: skip
    walking = next(session for session, labels in dataset.labels.items() if labels == ("walking",))
    window = dataset.load(walking)
    assert window.values.shape == (23, 249)
    assert window.names[:5] == ("chest_acc_x", "chest_acc_y", "chest_acc_z", "ecg_lead1", "ecg_lead2")
    assert np.diff(window.time_sec).max() == pytest.approx(0.04)  # where the broken line was
    assert window.values[3, 0] == 3.5


def test_the_real_mhealth_rows(workspace: Workspace, real: Callable[[str], Path]) -> None:
    path = real("mhealth_rows.zip")
    with pytest.raises(DatasetError, match="not one session could be made of it"):
        import_dataset(workspace, "mhealth", path)
    assert list(workspace.data.iterdir()) == []
    report = import_dataset(workspace, "mhealth", path, options=ImportOptions(length_sec=0.06))
    assert (report.sessions, report.subjects, set(report.activities.values())) == (24, 2, {2})
    raw = zipfile.ZipFile(path).read("MHEALTHDATASET/mHealth_subject2.log").splitlines()
    jumping = [[float(value) for value in line.split(b"\t")] for line in raw if line.endswith(b"\t12")]
    dataset = open_dataset(workspace, "mhealth")
    of_subject = [session for session in dataset.labels if dataset.subjects[session] == "subject2"]
    (session,) = (session for session in of_subject if dataset.labels[session] == ("jump_front_back",))
    assert dataset.load(session).values.T == pytest.approx(np.array(jumping)[:, :23], rel=1e-6)
