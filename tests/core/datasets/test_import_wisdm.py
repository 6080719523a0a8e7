"""Both WISDM releases, from records with every quirk, and from the real slices."""

from __future__ import annotations

import random
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.datasets.importing import import_dataset
from core.datasets.plan import ImportOptions
from core.datasets.standard import open_dataset
from core.datasets.wisdm import ACTIVITIES
from core.errors import DatasetError, UsageError
from core.workspace import Workspace

Zipped = Callable[..., Path]
STEP = 50_354_004


def records(
    letter: str, first: int, count: int, *, subject: int = 1600, at: int = 10**14, step: int = STEP
) -> list[str]:
    """`count` records from the `first` step on; x is the step, so that a row can be found again."""
    return [f"{subject},{letter},{at + k * step},{k}.0,9.8,-1.5E-4;" for k in range(first, first + count)]


def name(device: str, sensor: str, subject: int = 1600) -> str:
    return f"wisdm-dataset/raw/{device}/{sensor}/data_{subject}_{sensor}_{device}.txt"


def test_sensors_of_one_device_are_joined_on_their_times(workspace: Workspace, zipped: Zipped) -> None:
    files = {
        name("phone", "accel"): "\n".join([*records("A", 0, 410), *records("B", 5000, 210, at=10**12)]),
        name("phone", "gyro"): "\n".join([*records("A", 5, 403), *records("B", 5000, 210, at=10**12)]),
        "wisdm-dataset/activity_key.txt": "walking = A\n",
        "wisdm-dataset/arff_files/phone/accel/data_1600_accel_phone.arff": "@relation x",
    }
    report = import_dataset(workspace, "wisdm", zipped(files))
    dataset = open_dataset(workspace, "wisdm")
    assert report.activities == {"jogging": 1, "walking": 2}
    assert report.dropped["accelerometer records without a gyroscope record at that time"] == 7
    for session, (label,) in dataset.labels.items():
        window = dataset.load(session)
        assert session.startswith("1600_phone_")
        assert dataset.subjects[session] == "1600"
        assert window.names == tuple(f"phone_{sensor}_{axis}" for sensor in ("accel", "gyro") for axis in "xyz")
        assert np.array_equal(window.values[0], window.values[3])  # the same step of both
        assert window.values[0, 0] in ((5000,) if label == "jogging" else (5, 204))
        assert 198 <= len(window.time_sec) <= 200
        assert window.time_sec[1] == pytest.approx(0.050354)
        assert window.values[2, 0] == pytest.approx(-1.5e-4)


def test_phone_and_watch_are_apart_and_may_miss_what_they_miss(workspace: Workspace, zipped: Zipped) -> None:
    files = {
        name("phone", "accel"): "\n".join(records("A", 0, 210) + records("D", 9000, 210)),
        name("phone", "gyro"): "\n".join(records("A", 0, 210)),  # no sitting
        name("watch", "accel"): "\n".join(records("S", 0, 210, at=10**9)),
        name("watch", "gyro"): "\n".join(records("S", 0, 210, at=10**13)),  # another clock
        name("watch", "gyro", 1601): "\n".join(records("Q", 0, 210, subject=1601)),
    }
    path = zipped(files)
    report = import_dataset(workspace, "wisdm", path)
    dataset = open_dataset(workspace, "wisdm")
    held = {labels[0]: dataset.load(session).names for session, labels in dataset.labels.items()}
    assert {label: names[:: len(names) - 1] for label, names in held.items()} == {
        "walking": ("phone_accel_x", "phone_gyro_z"),
        "sitting": ("phone_accel_x", "phone_accel_z"),
        "folding_clothes": ("watch_accel_x", "watch_accel_z"),
        "writing": ("watch_gyro_x", "watch_gyro_z"),
    }
    assert len(dataset.channels) == 12
    assert report.dropped["gyroscope records without an accelerometer record at that time"] == 210
    import_dataset(workspace, "wisdm", path, name="watch", options=ImportOptions(device="watch"))
    assert len(open_dataset(workspace, "watch").channels) == 6
    assert all("_watch_" in session for session in open_dataset(workspace, "watch").labels)
    with pytest.raises(UsageError, match="there are phone and watch"):
        import_dataset(workspace, "wisdm", path, name="x", options=ImportOptions(device="glasses"))


def test_wisdm_survives_what_the_real_files_hold(workspace: Workspace, zipped: Zipped) -> None:
    walk = records("A", 0, 205)
    walk[50:51] = [walk[50] + walk[51] + "  ", "", "1600,A,12;", "1600,A,1,2,3,4,5;", walk[52][:-1] + ",;"]
    walk[55:57] = []  # two records stand above already
    lines = [
        *walk,
        *records("A", 205, 3, subject=1699),
        "1600,N,100,1,2,3;",
        "1600,A,0,0,0,0;",
        *records("C", 0, 100),
        *records("C", 112, 205),  # after a gap of 0.6 s
        *(record for k, record in enumerate(records("E", 0, 1000, step=10_000_000)) if k < 1000),  # 100 Hz
    ]
    lines[120:120] = [lines[119]]  # a repeated timestamp
    lines[90], lines[91] = lines[91], lines[90]  # one that goes back
    report = import_dataset(workspace, "wisdm", zipped({name("watch", "accel"): "\r\n".join(lines)}))
    assert report.activities == {"stairs": 1, "standing": 1, "walking": 1}
    dropped = {reason: count for reason, count in report.dropped.items() if "end of a stretch" not in reason}
    assert 780 <= dropped.pop("rows recorded faster than the 20 a second of the rest") <= 800
    assert dropped == {
        "records of another subject than the file's": 3,
        "broken records": 2,
        "records of an unknown activity": 1,
        "records of zeros": 1,
        "rows with a repeated timestamp": 1,
        "rows out of order in time": 1,
    }
    dataset = open_dataset(workspace, "wisdm")
    standing = next(session for session, labels in dataset.labels.items() if labels == ("standing",))
    assert np.median(np.diff(dataset.load(standing).time_sec)) == pytest.approx(0.05)


def old_release(lines: list[str]) -> dict[str, str]:
    return {
        "WISDM_ar_v1.1/WISDM_ar_v1.1_raw.txt": "\n".join(lines),
        "WISDM_ar_v1.1/WISDM_ar_v1.1_raw_about.txt": "about; 1,2,3;",
        "WISDM_ar_v1.1/readme.txt": "readme",
    }


@pytest.mark.parametrize(("importer", "form"), [("wisdm", "zip"), ("wisdm_v1", "tar"), ("wisdm", "text")])
def test_the_older_release(workspace: Workspace, zipped: Zipped, tmp_path: Path, importer: str, form: str) -> None:
    def old(user: int, word: str, count: int, at: int, step: int) -> list[str]:
        return [f"{user},{word},{at + k * step},{k}.5,-{k},0.25;" for k in range(count)]

    lines = [
        *old(33, "Jogging", 210, 10**12, STEP),
        *old(33, "Walking", 210, 10**9, STEP),
        *old(7, "Sitting", 110, 5, 10**8),
    ]
    lines[3:5] = [lines[3] + lines[4]]  # two records on one line
    lines[10] = lines[10].replace(";", ",;")
    lines[20:20] = [
        "",
        "33,Jogging,0,0,0,0;",
        "33,Jogging,49106442306000,-0.1,12.3,;",
        "11,Walking,1867172313000,4.4,4.4,",
    ]
    path = zipped(old_release(lines))
    if form == "text":
        path = tmp_path / "WISDM_ar_v1.1_raw.txt"
        path.write_text("\n".join(lines))
    if form == "tar":  # as the release is published
        tar = tmp_path / "WISDM_ar_latest.tar.gz"
        with zipfile.ZipFile(path) as archive, tarfile.open(tar, "w:gz") as packed:
            archive.extractall(tmp_path / "unpacked")
            packed.add(tmp_path / "unpacked/WISDM_ar_v1.1", "WISDM_ar_v1.1")
        path = tar
    report = import_dataset(workspace, importer, path)
    dataset = open_dataset(workspace, importer)
    assert report.activities == {"jogging": 1, "sitting": 1, "walking": 1}
    assert {reason: count for reason, count in report.dropped.items() if "end of a stretch" not in reason} == {
        "broken records": 2,
        "records of zeros": 1,
    }
    assert dict(dataset.subjects) == {"user33_0001": "33", "user33_0002": "33", "user7_0001": "7"}
    window = dataset.load("user7_0001")
    assert window.names == ("phone_accel_x", "phone_accel_y", "phone_accel_z")
    assert window.values[:, 3].tolist() == [3.5, -3, 0.25]


def test_a_damaged_tar_is_one_sentence(workspace: Workspace, tmp_path: Path) -> None:
    raw, whole = tmp_path / "WISDM_ar_v1.1_raw.txt", tmp_path / "old.tar.gz"
    drawn = random.Random(1)
    raw.write_text("\n".join(f"1,Walking,{k},{drawn.random()},1,1;" for k in range(9000)))
    with tarfile.open(whole, "w:gz") as packed:
        packed.add(raw, raw.name)
    whole.write_bytes(whole.read_bytes()[:60_000])
    with pytest.raises(DatasetError, match=r"old.tar.gz.*(no whole|damaged|cannot be)"):
        import_dataset(workspace, "wisdm_v1", whole)
    assert list(workspace.data.iterdir()) == []


def test_the_real_older_lines(workspace: Workspace, real: Callable[[str], Path]) -> None:
    path = real("wisdm_v1_lines.zip")
    with pytest.raises(DatasetError, match="5 rows too few for a window"):
        import_dataset(workspace, "wisdm", path)
    import_dataset(workspace, "wisdm", path, options=ImportOptions(length_sec=0.35))
    dataset = open_dataset(workspace, "wisdm")
    assert dict(dataset.labels) == {"user33_0001": ("jogging",)}
    window = dataset.load("user33_0001")
    assert window.values[:, 0] == pytest.approx([-0.6946377, 12.680544, 0.50395286])
    assert window.time_sec == pytest.approx([0, 0.099945, 0.149841, 0.259979])


def test_real_records(workspace: Workspace, real: Callable[[str], Path], tmp_path: Path) -> None:
    part = tmp_path / "part.zip"
    with zipfile.ZipFile(real("wisdm.zip")) as whole, zipfile.ZipFile(part, "w") as excerpt:
        for member in whole.namelist():
            if "_1609_" in member or "_1611_accel_phone" in member:
                excerpt.writestr(member, b"\n".join(whole.read(member).split(b"\n")[:12_000]))
        raw = whole.read("wisdm-dataset/raw/phone/accel/data_1609_accel_phone.txt").decode().splitlines()[:12_000]
    report = import_dataset(workspace, "wisdm", part)
    dataset = open_dataset(workspace, "wisdm")
    assert report.subjects == 2
    assert set(dataset.subjects.values()) == {"1609", "1611"}
    assert set(report.activities) <= set(dataset.activities)
    assert dataset.load("1611_phone_0001").names == ("phone_accel_x", "phone_accel_y", "phone_accel_z")
    letters: dict[bytes, set[str]] = {}
    for record in raw:
        _, letter, _, x, y, z = record.rstrip(";").split(",")
        letters.setdefault(np.array([x, y, z], dtype=np.float32).tobytes(), set()).add(letter)
    key = {label: letter for letter, label in ACTIVITIES.items()}
    rows = 0
    for session, (label,) in dataset.labels.items():
        if session.startswith("1609_phone"):
            values = np.ascontiguousarray(dataset.load(session).values[:3].T.astype(np.float32))
            rows += len(values)
            assert all(key[label] in letters[row.tobytes()] for row in values)
    assert rows > 9_000
