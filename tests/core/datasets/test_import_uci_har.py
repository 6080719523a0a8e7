"""UCI HAR, from files in the original's layout and from the real slice."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.datasets.importing import import_dataset
from core.datasets.plan import ImportOptions
from core.datasets.standard import open_dataset
from core.errors import DatasetError, UsageError
from core.workspace import Workspace

UciRaw = Callable[..., dict[str, str]]
Zipped = Callable[..., Path]
LABELS = ("walking", "walking_upstairs", "walking_downstairs", "sitting", "standing", "laying")
SIGNALS = "UCI HAR Dataset/test/Inertial Signals"


def value(row: int, signal: int, sample: int) -> float:
    return (row + 1) * 0.01 * (signal - 4) + sample * 1e-4


def check_small(workspace: Workspace, rows: int = 6) -> None:
    dataset = open_dataset(workspace, "uci_har")
    assert len(dataset.labels) == 2 * rows
    assert dataset.labels["train_02_0003"] == ("sitting",)
    assert dataset.subjects["train_02_0003"] == "2"
    window = dataset.load("test_01_0001")
    assert window.names[:3] == ("body_acc_x", "body_acc_y", "body_acc_z")
    assert window.values.shape == (9, 128)
    # the raw files' order is body_acc, body_gyro, total_acc: signal 6 is total_acc_x
    assert window.values[window.names.index("total_acc_x")] == pytest.approx(
        [value(1, 6, n) for n in range(128)], abs=1e-6
    )
    assert window.time_sec[[0, 1, -1]] == pytest.approx([0, 0.02, 2.54])


def test_a_folder_and_a_zip_give_the_same(
    workspace: Workspace, uci_raw: UciRaw, zipped: Zipped, tmp_path: Path
) -> None:
    archive = zipped(uci_raw())
    report = import_dataset(workspace, "uci_har", archive)
    assert (report.sessions, report.subjects, report.dropped) == (12, 3, {})
    assert report.activities == dict.fromkeys(sorted(LABELS), 2)
    check_small(workspace)
    with zipfile.ZipFile(archive) as files:
        files.extractall(tmp_path / "folder")
    import_dataset(workspace, "uci_har", tmp_path / "folder/UCI HAR Dataset", name="again")
    for file in (workspace.data / "uci_har/sessions").rglob("*.parquet"):
        twin = workspace.data / "again" / file.relative_to(workspace.data / "uci_har")
        assert file.read_bytes() == twin.read_bytes()


def test_the_manifest_describes_every_channel(workspace: Workspace, uci_raw: UciRaw, zipped: Zipped) -> None:
    import_dataset(workspace, "uci_har", zipped(uci_raw()))
    dataset = open_dataset(workspace, "uci_har")
    assert dataset.activities == LABELS
    assert len(dataset.channels) == 9
    for channel in dataset.channels:
        assert "waist" in channel.description
        assert channel.unit in ("g", "rad/s")
        assert channel.rate_hz == 50


@pytest.mark.parametrize("wrapped", ["mac", "underscore", "nested", "deep"])
def test_archives_as_people_have_them(workspace: Workspace, uci_raw: UciRaw, zipped: Zipped, wrapped: str) -> None:
    files: dict[str, str | bytes] = dict(
        uci_raw(inertial="Inertial_Signals" if wrapped == "underscore" else "Inertial Signals")
    )
    if wrapped == "mac":
        twins = {f"__MACOSX/{Path(name).parent}/._{Path(name).name}": b"\x00\x05\x16\x07" for name in files}
        files |= twins | {"UCI HAR Dataset/.DS_Store": b"\x00"}
    if wrapped == "deep":
        files = {f"downloads/har/{name}": content for name, content in files.items()}
    path = zipped(files)
    if wrapped == "nested":
        path = zipped({"UCI HAR Dataset.zip": path.read_bytes(), "UCI HAR Dataset.names": "names"}, "outer.zip")
    import_dataset(workspace, "uci_har", path)
    check_small(workspace)
    assert sorted(entry.name for entry in workspace.data.iterdir()) == ["uci_har"]


def test_what_is_broken_is_counted_and_the_rest_kept(workspace: Workspace, uci_raw: UciRaw, zipped: Zipped) -> None:
    files = uci_raw(rows=8)
    broken = files[f"{SIGNALS}/body_acc_y_test.txt"].splitlines()
    broken[1] = broken[1][:500]  # too few numbers
    broken[2] = broken[2].replace("e-", "e-?", 1)
    files[f"{SIGNALS}/body_acc_y_test.txt"] = "\n\n".join(broken) + "\n\n \n"
    for signal in ("body_acc_x", "body_acc_y", "body_acc_z", "total_acc_x", "total_acc_y"):
        name = f"{SIGNALS}/{signal}_test.txt"
        lines = [line for line in files[name].splitlines() if line.strip()]
        lines[3] = " ".join(["NaN"] * 128)
        files[name] = "\n".join(lines)
    one_signal = f"{SIGNALS}/body_gyro_z_test.txt"
    lines = files[one_signal].splitlines()
    lines[4] = " ".join(["NaN"] * 128)
    files[one_signal] = "\r\n".join(lines)
    files["UCI HAR Dataset/test/y_test.txt"] = files["UCI HAR Dataset/test/y_test.txt"].replace("6\n", "9\n")
    report = import_dataset(workspace, "uci_har", zipped(files))
    assert report.dropped == {
        "windows with a broken line (other than 128 numbers)": 2,
        "windows with more than half of their samples missing": 1,
        "windows of an unknown subject or activity": 1,
    }
    dataset = open_dataset(workspace, "uci_har")
    assert sorted(session for session in dataset.labels if session.startswith("test")) == [
        "test_01_0000", "test_03_0004", "test_04_0006", "test_04_0007",
    ]  # fmt: skip
    partly = dataset.load("test_03_0004")
    assert np.isnan(partly.values[partly.names.index("body_gyro_z")]).all()
    assert np.isfinite(partly.values).sum() == 8 * 128


def test_a_split_alone_is_imported_and_the_other_said(workspace: Workspace, uci_raw: UciRaw, zipped: Zipped) -> None:
    report = import_dataset(workspace, "uci_har", zipped(uci_raw(splits=("test",))))
    assert report.sessions == 6
    assert report.dropped == {"split, train, which is not in the archive": 1}


def test_an_archive_that_is_not_whole_gives_one_error_and_nothing_else(
    workspace: Workspace, uci_raw: UciRaw, zipped: Zipped
) -> None:
    whole = zipped(uci_raw())
    short = uci_raw()
    short[f"{SIGNALS}/total_acc_z_test.txt"] = "".join(short[f"{SIGNALS}/total_acc_z_test.txt"].splitlines(True)[:4])
    long = uci_raw()
    long[f"{SIGNALS}/total_acc_z_test.txt"] += long[f"{SIGNALS}/total_acc_z_test.txt"]
    missing = uci_raw()
    del missing[f"{SIGNALS}/body_gyro_z_test.txt"]
    uneven = uci_raw()
    uneven["UCI HAR Dataset/train/subject_train.txt"] += "3\n"
    cut_off, flipped, text = (whole.with_name(name) for name in ("cut.zip", "flipped.zip", "text.zip"))
    cut_off.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    damaged = bytearray(whole.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    flipped.write_bytes(damaged)
    text.write_text("<html>404</html>")
    for path, sentence in (
        (cut_off, "end is missing"),
        (flipped, "damaged"),
        (text, "no folder, zip or tar"),
        (whole.with_name("nowhere.zip"), "does not exist"),
        (zipped({"other/data.csv": "1,2"}, "other.zip"), "is no UCI HAR dataset"),
        (zipped(short, "short.zip"), "total_acc_z_test.txt has only 4 rows for 6 labels"),
        (zipped(long, "long.zip"), "total_acc_z_test.txt has more than 6 rows for 6 labels"),
        (zipped(missing, "missing.zip"), "body_gyro_z_test.txt is missing"),
        (zipped(uneven, "uneven.zip"), "7 subjects for 6 labels"),
    ):
        with pytest.raises(DatasetError, match=sentence) as caught:
            import_dataset(workspace, "uci_har", path)
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)
        assert list(workspace.data.iterdir()) == []


def test_its_windows_are_fixed(workspace: Workspace, uci_raw: UciRaw, zipped: Zipped) -> None:
    with pytest.raises(UsageError, match="takes no --length"):
        import_dataset(workspace, "uci_har", zipped(uci_raw()), options=ImportOptions(length_sec=5))


def test_the_real_slice_row_for_row(workspace: Workspace, real: Callable[[str], Path]) -> None:
    path = real("uci_har.zip")
    report = import_dataset(workspace, "uci_har", path)
    dataset = open_dataset(workspace, "uci_har")
    expected: dict[str, tuple[str, str]] = {}
    with zipfile.ZipFile(path) as archive:
        for split in ("train", "test"):
            home = f"UCI HAR Dataset/{split}"
            labels = archive.read(f"{home}/y_{split}.txt").split()
            subjects = archive.read(f"{home}/subject_{split}.txt").split()
            for row, (label, subject) in enumerate(zip(labels, subjects, strict=True)):
                expected[f"{split}_{int(subject):02d}_{row:04d}"] = (LABELS[int(label) - 1], subject.decode())
        for name in ("body_acc_x", "total_acc_z", "body_gyro_y"):
            raw = archive.read(f"UCI HAR Dataset/test/Inertial Signals/{name}_test.txt").splitlines()
            for session in ("test_02_0000", "test_24_2946"):
                window = dataset.load(session)
                row = [float(number) for number in raw[int(session.split("_")[-1])].split()]
                assert window.values[window.names.index(name)] == pytest.approx(row, rel=1e-6)
    assert {session: (dataset.labels[session][0], dataset.subjects[session]) for session in dataset.labels} == expected
    assert (report.sessions, report.subjects, report.dropped) == (2947 + 822, 17, {})
    assert report.activities == Counter(label for label, _ in expected.values())
    assert set(dataset.sessions) == set(expected)
