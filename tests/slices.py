"""Real data for tests: every so many rows of the slices, in the publishers' layout, where the slices are."""

from __future__ import annotations

import zipfile
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "shared" / "data"
RUN = 400
"""Records in a row that are taken of a WISDM activity: 20 s, two windows."""


def uci_har(folder: Path, every: int = 8) -> Path:
    """The UCI HAR slice in the archive's own layout, with every `every`-th window of each split."""
    with zipfile.ZipFile(FOLDER / "uci_har.zip") as packed:
        for member in packed.namelist():
            content = packed.read(member)
            if member.endswith(("_test.txt", "_train.txt")):
                content = b"".join(content.splitlines(keepends=True)[::every])
            _write(folder / member, content)
    return folder


def wisdm(folder: Path, subjects: tuple[str, ...] = ("1600", "1604", "1606", "1609")) -> Path:
    """The WISDM slice in the archive's own layout: these subjects, and the first `RUN` records of each activity."""
    with zipfile.ZipFile(FOLDER / "wisdm.zip") as packed:
        for member in packed.namelist():
            parts = Path(member).stem.split("_")
            if "/raw/" not in member:
                _write(folder / member, packed.read(member))
            elif parts[1] in subjects:
                lines: dict[bytes, list[bytes]] = {}
                for line in packed.read(member).splitlines(keepends=True):
                    of_activity = lines.setdefault(line.split(b",", 2)[1], [])
                    if len(of_activity) < RUN:
                        of_activity.append(line)
                _write(folder / member, b"".join(line for some in lines.values() for line in some))
    return folder


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
