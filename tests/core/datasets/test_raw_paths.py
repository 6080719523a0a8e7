"""What a path that is being typed may mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.datasets.raw_paths import raw_paths
from core.errors import DatasetError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("data", "phone", "Phone_2", ".hidden"):
        (tmp_path / name).mkdir()
    for name in ("phones.csv", "walk.tar.gz", "notes.pdf", "phone/a.parquet"):
        (tmp_path / name).write_text("x")
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("", ["phone/", "Phone_2/", "phones.csv", "walk.tar.gz", "data/"]),
        ("pho", ["phone/", "Phone_2/", "phones.csv"]),
        ("Phone_2", ["Phone_2/"]),
        ("phone", ["phone/", "Phone_2/", "phones.csv"]),
        ("phone/", ["phone/", "phone/a.parquet"]),
        (".hid", [".hidden/"]),
        (".", ["./", "./phone/", "./Phone_2/", "./phones.csv", "./walk.tar.gz", "./data/"]),
        ("phone/..", ["phone/../", "phone/../data/", "phone/../phone/", "phone/../Phone_2/",
                      "phone/../phones.csv", "phone/../walk.tar.gz"]),
        ("nothing", []),
    ],
)  # fmt: skip
def test_folders_and_raw_files_that_begin_so_the_likely_ones_first(folder: Path, typed: str, meant: list[str]):
    paths = raw_paths(typed, folder, last=[folder / "data"])
    assert [each.text for each in paths] == meant
    assert all(each.path.exists() and (each.size is None) == each.path.is_dir() for each in paths)


def test_the_home_and_a_folder_that_is_not_there(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(folder))
    assert [each.text for each in raw_paths("~", folder / "phone")][:2] == ["~/", "~/data/"]
    assert raw_paths("~/ph", folder)[0].path == folder / "phone"
    with pytest.raises(DatasetError, match="/no/where/: no such file or directory; name a folder or file"):
        raw_paths("/no/where/at", folder)
    with pytest.raises(DatasetError, match="~nobody_at_all/: no such file"):
        raw_paths("~nobody_at_all/x", folder)
    with pytest.raises(DatasetError, match="s3://bucket/raw is brought by a command: sensorloom datasets import"):
        raw_paths("s3://bucket/raw", folder)
