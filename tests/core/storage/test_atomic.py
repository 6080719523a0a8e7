"""Saves on file systems that cannot do everything."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from core import curate
from core.errors import SensorloomError
from core.storage.atomic import exchange, write_atomic
from core.storage.store import Stored
from core.workspace import Workspace
from tests.core.curate.world import set_verdict


@pytest.mark.parametrize("refusal", [errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM])
def test_a_file_system_that_refuses_to_sync_and_to_set_permissions_is_saved_on(
    workspace: Workspace, finished: Stored, monkeypatch: pytest.MonkeyPatch, refusal: int
):
    def refuse(*_: object) -> None:
        raise OSError(refusal, os.strerror(refusal))

    for name in ("os.fsync", "os.fchmod"):
        monkeypatch.setattr(name, refuse)
    judged = set_verdict(workspace, finished, "accept")
    assert (workspace.threads / f"{judged.stem}.json").read_bytes() == judged.data
    assert curate.undo(workspace, judged.stem).stored == finished


def test_a_private_file_stays_private_where_permissions_cannot_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    path = tmp_path / "a"
    path.write_bytes(b"1")
    path.chmod(0o600)
    monkeypatch.setattr("os.fchmod", refuse)
    write_atomic(path, b"2")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"2", 0o600)


@pytest.mark.parametrize("failure", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_is_full_or_fails_is_no_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: int):
    def fail(_: int) -> None:
        raise OSError(failure, os.strerror(failure))

    path = tmp_path / "a"
    path.write_bytes(b"1")
    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(SensorloomError, match=str(path)):
        write_atomic(path, b"2")
    assert [entry.read_bytes() for entry in tmp_path.iterdir()] == [b"1"]


@pytest.mark.parametrize("refusal", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_one_sentence(
    workspace: Workspace, finished: Stored, monkeypatch: pytest.MonkeyPatch, refusal: int
):
    def refuse(*_: object) -> None:
        raise OSError(refusal, os.strerror(refusal))

    monkeypatch.setattr("fcntl.lockf", refuse)
    with pytest.raises(SensorloomError, match=f"cannot write in {workspace.threads}: {os.strerror(refusal).lower()}"):
        set_verdict(workspace, finished, "accept")
    assert (workspace.threads / f"{finished.stem}.json").read_bytes() == finished.data


def test_a_rename_that_is_refused_is_one_sentence_and_leaves_nothing(
    workspace: Workspace, finished: Stored, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(SensorloomError, match=rf"cannot write .*{finished.stem}.json: operation not permitted"):
        set_verdict(workspace, finished, "accept")
    assert [path.name for path in workspace.threads.iterdir() if path.suffix == ".tmp"] == []
    assert (workspace.threads / f"{finished.stem}.json").read_bytes() == finished.data


def test_two_names_are_swapped_in_one_step(tmp_path: Path):
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
        (folder / folder.name).touch()
    try:
        exchange(old, new)
    except OSError:
        pytest.skip("the file system here has no such step")
    assert (old / "new").exists() and (new / "old").exists()
    with pytest.raises(OSError):
        exchange(old, tmp_path / "nowhere")
    assert (old / "new").exists()
