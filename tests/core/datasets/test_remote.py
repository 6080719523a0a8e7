"""Raw files and datasets at a URL, with the file system in memory that fsspec brings."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from core.cli.commands import run_command
from core.datasets import downloads
from core.datasets.downloads import DOWNLOADS, brought
from core.datasets.importing import import_dataset
from core.datasets.plan import ImportStoppedError
from core.datasets.remote import is_url, name_at, remote_at, shown_url
from core.datasets.standard import open_dataset
from core.datasets.unused import UNUSED_SEC
from core.errors import DatasetError, UsageError
from core.workspace import Workspace
from tests.phone import phone_recording

Zipped = Callable[..., Path]


@pytest.fixture
def memory() -> Generator[MemoryFileSystem]:
    system = MemoryFileSystem()
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


def run(workspace: Workspace, *arguments: str) -> int:
    return run_command(["datasets", *arguments, "--workspace", str(workspace.root)])


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def answered(status: int) -> FileNotFoundError:
    """What fsspec raises of a server of HTTP that answers so, whatever it answers."""
    error = FileNotFoundError("https://host/x.zip?X-Amz-Signature=secret")
    error.__cause__ = RuntimeError(f"{status}, message='...'")
    error.__cause__.status = status  # type: ignore[attr-defined]  # as aiohttp's has it
    return error


def mhealth(zipped: Zipped, name: str = "raw.zip") -> Path:
    rows = "".join("\t".join(["1.5"] * 22 + [str(row % 7), "1"]) + "\n" for row in range(600))
    return zipped({"mHealth_subject1.log": rows}, name)


def test_raw_files_are_imported_from_a_url_as_from_a_path(
    workspace: Workspace, memory: MemoryFileSystem, zipped: Zipped
) -> None:
    path = mhealth(zipped)
    memory.pipe("/bucket/raw.zip", path.read_bytes())
    assert run(workspace, "import", "mhealth", str(path), "--name", "here") == 0
    assert run(workspace, "import", "mhealth", "memory://bucket/raw.zip", "--name", "there") == 0
    assert files_of(workspace.data / "here") == files_of(workspace.data / "there")
    assert not any((workspace.data / DOWNLOADS).rglob("raw.zip"))


def test_a_folder_of_recordings_is_called_as_it_is_there(
    workspace: Workspace, memory: MemoryFileSystem, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    phone = phone_recording(tmp_path / "phone")
    for path in phone.iterdir():
        memory.pipe(f"/bucket/phone/{path.name}", path.read_bytes())
    assert run(workspace, "import", "table", "memory://bucket/phone", "--look") == 0
    assert "sensor_logger" in capsys.readouterr().out
    assert len(list((workspace.data / DOWNLOADS).glob("*/phone/*.csv"))) == 3
    assert run(workspace, "import", "table", "memory://bucket/phone", "--yes") == 0
    assert open_dataset(workspace, "phone").activities


def test_a_download_that_broke_off_goes_on(
    workspace: Workspace, memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        memory.pipe(f"/bucket/raw/{number}.csv", bytes([number]) * 1000)

    def stop(done: int, total: int, what: str) -> None:
        assert (total, what) == (4000, "raw")
        if done > 2000:
            raise ImportStoppedError("stopped")

    with pytest.raises(ImportStoppedError):
        brought(workspace.data, "memory://bucket/raw", stop)
    copied: list[str] = []
    get = MemoryFileSystem.get

    def noted(self: MemoryFileSystem, sources: list[str], *rest: Any, **options: Any) -> Any:
        copied.extend(sources)
        return get(self, sources, *rest, **options)

    monkeypatch.setattr(MemoryFileSystem, "get", noted)
    folder = brought(workspace.data, "memory://bucket/raw")
    assert files_of(folder) == {f"{number}.csv": bytes([number]) * 1000 for number in range(4)}
    assert 0 < len(copied) < 4
    copied.clear()
    memory.pipe("/bucket/raw/3.csv", b"n" * 1000)  # as long as it was, and another one
    memory.rm("/bucket/raw/0.csv")
    assert sorted(files_of(brought(workspace.data, "memory://bucket/raw"))) == ["1.csv", "2.csv", "3.csv"]
    assert copied == ["/bucket/raw/3.csv"]
    assert (folder / "3.csv").read_bytes() == b"n" * 1000


def test_what_nobody_imports_is_dropped_after_a_week(workspace: Workspace, memory: MemoryFileSystem) -> None:
    memory.pipe({"/bucket/a.csv": b"a", "/bucket/b.csv": b"b"})
    old = brought(workspace.data, "memory://bucket/a.csv")
    os.utime(old.parent, (1e9, old.stat().st_mtime - UNUSED_SEC - 1))
    assert brought(workspace.data, "memory://bucket/b.csv").read_bytes() == b"b"
    assert not old.exists()


@pytest.mark.parametrize("packed", [False, True])
def test_a_dataset_is_got_whole(
    workspace: Workspace,
    memory: MemoryFileSystem,
    zipped: Zipped,
    packed: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import_dataset(workspace, "demo")
    files = files_of(workspace.data / "demo")
    if packed:
        archive = zipped({f"data/mine/{name}": content for name, content in files.items()})
        memory.pipe("/bucket/mine.zip", archive.read_bytes())
    else:
        memory.pipe({f"/bucket/mine/{name}": content for name, content in files.items()})
        memory.pipe("/bucket/mine/.hidden", b"")
    url = f"memory://bucket/mine{'.zip' if packed else ''}"
    assert run(workspace, "get", url) == 0
    assert "mine: 420 sessions in data/mine" in capsys.readouterr().out
    assert files_of(workspace.data / "mine") == files
    assert run(workspace, "get", url) == 1
    assert "there is a dataset mine already; add --replace" in capsys.readouterr().err
    assert not list((workspace.data / ".downloads").glob("*/*")), "it was brought here before that was said"
    assert run(workspace, "get", url, "--replace", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert files_of(Path(told["replaced"])) == files


def test_what_is_no_dataset_is_not_put_in_the_place_of_one(
    workspace: Workspace, zipped: Zipped, capsys: pytest.CaptureFixture[str]
) -> None:
    import_dataset(workspace, "demo")
    before = files_of(workspace.data / "demo")
    for files, sentence in (
        ({"notes.txt": "x"}, "there is no labels.json in it"),
        ({"manifest.json": "{}", "labels.json": "["}, "labels.json: not JSON"),
        ({"manifest.json": "{}", "labels.json": '{"a": "walking"}'}, "holds no session that labels.json labels"),
    ):
        assert run(workspace, "get", str(zipped(files)), "--name", "demo", "--replace") == 1
        told = capsys.readouterr().err
        assert sentence in told and "raw.zip" in told and told.count("\n") == 1
    assert files_of(workspace.data / "demo") == before
    assert [path.name for path in workspace.data.iterdir()] == ["demo"]


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("memory://bucket/nowhere", "memory://bucket/nowhere: nothing is there"),
        ("nope://bucket/x", "nope://bucket/x is no URL that can be read; there are s3://, gs://, https:// and file://"),
        ("memory://bucket/raw", "bucket/raw/../../x cannot be copied: it is no plain path of a file"),
    ],
)
def test_failures_are_one_sentence(
    workspace: Workspace,
    memory: MemoryFileSystem,
    url: str,
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    memory.pipe("/elsewhere", b"x")
    memory.store["/bucket/raw/../../x"] = memory.store["/elsewhere"]
    assert run(workspace, "import", "mhealth", url) == 1
    told = capsys.readouterr()
    assert sentence in told.err and (told.out, told.err.count("\n")) == ("", 1)


class NoCredentialsError(Exception):
    """Called as botocore's."""


class EndpointConnectionError(Exception):
    """Called as botocore's."""


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (NoCredentialsError("Unable to locate credentials"), "no credentials that can be used (Unable to locate"),
        (EndpointConnectionError("Could not connect"), "nobody answers there"),
        (PermissionError("Access Denied"), "it may not be read with the credentials that this machine has"),
        (FileNotFoundError("The specified bucket does not exist"), "there is no such bucket"),
        (OSError(28, "No space left on device"), "no space left on device"),
        (RuntimeError("odd"), "odd"),
        (RuntimeError("odd, url='https://other/x?X-Amz-Signature=secret'"), "odd, url='https://other/x'"),
        (RuntimeError("odd: memory://bucket/x.zip?X-Amz-%53ignature=secret"), "odd: memory://bucket/x.zip"),
        (answered(500), "its server answers with 500; try again later"),
        (answered(429), "its server answers with 429; try again later"),
        (answered(404), "nothing is there"),
    ],
)
def test_what_a_provider_refuses_is_said_without_what_the_url_hides(
    memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch, error: Exception, sentence: str
) -> None:
    def refuse(self: object, path: str) -> object:
        raise error

    monkeypatch.setattr(type(memory), "info", refuse)
    with pytest.raises(DatasetError) as raised:
        remote_at("memory://me:secret@bucket/x.zip?X-Amz-Signature=secret").files()
    assert str(raised.value).startswith(f"memory://bucket/x.zip: {sentence}")
    assert "secret" not in str(raised.value)


def test_what_is_not_installed_is_named_with_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(UsageError, match=r"s3:// cannot be read here: .*; `pip install 'sensorloom\[cloud\]'`"):
        remote_at("s3://bucket/x")
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(UsageError, match="s3:// is read by fsspec, which is not installed here"):
        remote_at("s3://bucket/x")


def test_a_url_is_told_from_a_path_and_shown_without_a_signature() -> None:
    assert is_url("s3://bucket/x") and is_url("HTTPS://host/x") and is_url("file:///x")
    assert not is_url("data/x") and not is_url("C:/x") and not is_url("/a//b")
    assert shown_url("https://me:pass@host/a%20b.zip?sig=1") == "https://host/a%20b.zip"
    assert shown_url("https://me:p@ss?word@host/x.zip?to=a@b") == "https://host/x.zip"
    assert shown_url("s3://bucket/me@work/x") == "s3://bucket/me@work/x"
    assert name_at("https://host/a%20b.zip?sig=1") == "a b.zip"
    assert name_at("s3://bucket/raw/") == "raw"


def test_two_programs_do_not_bring_the_same_at_once(
    workspace: Workspace, memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe("/bucket/a.csv", b"a")
    told: list[str] = []

    def meanwhile(done: int, total: int, what: str) -> None:
        with pytest.raises(UsageError, match="by another program") as raised:
            downloads.brought(workspace.data, "memory://bucket/a.csv")
        told.append(str(raised.value))

    brought(workspace.data, "memory://bucket/a.csv", meanwhile)
    assert told
