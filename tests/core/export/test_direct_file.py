"""Large files on their way past the cache, with and without a system that has such a way."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from core.export import direct_file
from core.export.direct_file import BLOCK_BYTES, DirectFile

_SIZES = [0, 1, 4095, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES + 5]


def _pieces(size: int) -> list[bytes]:
    data = b"".join(b"%07d\n" % number for number in range(size // 8 + 1))[:size]
    return [data[:3], data[3 : size // 2], b"", data[size // 2 :]]


def _write(path: Path, pieces: list[bytes]) -> None:
    handle = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        file = DirectFile(handle)
        for piece in pieces:
            file.write(piece)
        file.flush()
        assert os.pread(handle, 8, 0) == b"".join(pieces)[:8]  # as a copy of the rows reads it
    finally:
        os.close(handle)


@pytest.mark.parametrize("size", _SIZES)
def test_what_was_written_is_what_is_there(tmp_path: Path, size: int):
    _write(tmp_path / "rows", _pieces(size))
    assert (tmp_path / "rows").read_bytes() == b"".join(_pieces(size))


@pytest.mark.parametrize("size", _SIZES)
@pytest.mark.parametrize("where", ["system", "file system", "this file"])
def test_without_a_way_past_the_cache_it_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, where: str
):
    write, refused = os.write, list[int]()

    def refuse_once(handle: int, data: memoryview) -> int:
        if len(data) == BLOCK_BYTES and not refused:
            refused.append(handle)
            raise OSError(22, "Invalid argument")
        return write(handle, data)

    if where == "system":
        monkeypatch.setattr(direct_file, "_DIRECT", 0)
    elif where == "file system":
        monkeypatch.setattr(DirectFile, "_switched", lambda *_: False)
    else:
        monkeypatch.setattr(DirectFile, "_switched", lambda *_: True)
        monkeypatch.setattr("os.write", refuse_once)
    monkeypatch.setattr(direct_file, "_MANY_BYTES", BLOCK_BYTES)
    _write(tmp_path / "rows", _pieces(size))
    assert (tmp_path / "rows").read_bytes() == b"".join(_pieces(size))


@pytest.mark.parametrize("room", [0, 5000, BLOCK_BYTES, BLOCK_BYTES + 5000])
def test_a_disk_that_is_full_is_said_and_what_fits_is_written(tmp_path: Path, room: int):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
        with pytest.raises(OSError, match="File too large"):
            _write(tmp_path / "rows", _pieces(3 * BLOCK_BYTES))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (tmp_path / "rows").read_bytes() == b"".join(_pieces(3 * BLOCK_BYTES))[:room]


def test_through_the_cache_the_disk_begins_before_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "posix_fadvise", lambda _, start, length, __: told.append((start, length)), raising=False)  # type: ignore[misc]
    monkeypatch.setattr(os, "POSIX_FADV_DONTNEED", 4, raising=False)
    monkeypatch.setattr(direct_file, "_DIRECT", 0)
    monkeypatch.setattr(direct_file, "_MANY_BYTES", BLOCK_BYTES)
    _write(tmp_path / "rows", _pieces(5 * BLOCK_BYTES))
    assert told == [(0, 2 * BLOCK_BYTES), (2 * BLOCK_BYTES, 2 * BLOCK_BYTES)]
