"""A raw dataset as somebody has it on disk: a folder, a zip, a zip in a zip, a tar, or a single file.

An importer asks for files by the end of their name, so it does not matter how deep they are nested. What a
Mac adds (`__MACOSX/`, `._name`, `.DS_Store`) is never listed.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import IO, cast

from core.errors import DatasetError, system_reason
from core.storage.atomic import digest

_MAC_TWIN = re.compile(r"(^|/)(__MACOSX/|\._|\.DS_Store$)")
_SINGLE = (
    ".txt", ".dat", ".log", ".csv", ".tsv", ".parquet", ".jsonl", ".ndjson", ".json", ".cwa", ".gt3x", ".fit", ".csv.gz"
)  # fmt: skip
"""Raw files that may be named by themselves: the older WISDM release is one text, a recording of one's own a table."""
_ONE_FILE = ".gt3x"
"""A zip that is one recording of an ActiGraph, and no archive of several."""
_GZIPPED = re.compile(r"(?<=\.csv)\.gz$", re.IGNORECASE)
"""Tables that are packed one by one, as CAPTURE-24 is."""
_ARCHIVE = re.compile(r"\.(zip|tar|tgz|tbz2?|txz|tar\.\w+)$", re.IGNORECASE)
MAX_UNPACKED = 32_000_000_000
"""Bytes that are read from one archive at most; the largest of the known datasets unpacks to 2 GB."""
_NESTED = re.compile(r"\.zip$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RawFile:
    """One file of the raw dataset."""

    name: str
    """Its path inside the archive, with `/`."""
    size: int
    """Bytes, uncompressed."""
    archive: str
    """What it is in, as a message names it."""
    open: Callable[[], IO[bytes]]
    packed: bool = False
    """Whether going back in it means to unpack it again."""

    def read(self, size: int = -1) -> bytes:
        """All of it, or the first `size` bytes. Raises DatasetError when the archive is damaged there."""
        with self.opened() as file:
            return file.read(size)

    @contextmanager
    def opened(self) -> Generator[IO[bytes]]:
        """It, to be read in parts. Raises DatasetError when the archive is damaged where it is read."""
        with self._reading(), self.open() as file:
            yield file

    def lines(self) -> Generator[bytes]:
        """Its lines with their ends, streamed. Raises DatasetError when the archive is damaged there."""
        with self._reading(), io.BufferedReader(cast("io.RawIOBase", self.open()), 1 << 20) as file:
            yield from file

    def copy_to(self, path: Path) -> None:
        """Unpack it. Raises DatasetError when the archive is damaged there."""
        with self._reading(), self.open() as source, path.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)

    @contextmanager
    def _reading(self) -> Generator[None]:
        try:
            yield
        except (zipfile.BadZipFile, zlib.error, tarfile.TarError, EOFError, NotImplementedError, RuntimeError) as error:
            raise DatasetError(f"{self.archive}: {self.name} cannot be unpacked, it is damaged: {error}") from error
        except OSError as error:
            reason = system_reason(error)
            raise DatasetError(f"{self.archive}: {self.name} cannot be read: {reason}") from error


@dataclass(slots=True)
class Raw:
    """The files of a raw dataset."""

    path: Path
    files: list[RawFile]
    scratch: Path
    """A folder for what is unpacked or put by meanwhile; it need not be there, and is removed at the end."""
    _stack: ExitStack
    _nested: list[RawFile] = field(default_factory=list[RawFile])
    _named: tuple[Path, ...] = ()
    """What the person named, where that was several."""
    _wanted: dict[str, int] = field(default_factory=dict[str, int])
    """Bytes of each packed file that an importer asked for."""

    def find(self, pattern: str) -> list[tuple[RawFile, re.Match[str]]]:
        """The files whose whole name, or the part of it after a `/`, matches; sorted by name, with the match.

        When none does, zips inside the archive are opened and searched too.

        Raises:
            DatasetError: a wanted file is there twice, or what is wanted would unpack to more than `MAX_UNPACKED`.
        """
        wanted = re.compile(pattern)
        while True:
            matches = [(file, match) for file in self.files if (match := _ending(wanted, file.name))]
            if matches or not self._nested:
                self._check_once(matches)
                self._check_size([file for file, _ in matches])
                return sorted(matches, key=lambda pair: pair[0].name)
            self._open_nested()

    def _check_once(self, matches: list[tuple[RawFile, re.Match[str]]]) -> None:
        first: dict[str, str] = {}
        for file, match in matches:
            if match[0] in first:
                both = f"as {first[match[0]]} and as {file.name}" if file.name != first[match[0]] else "under one name"
                raise DatasetError(f"{self.path}: {match[0]} is there twice, {both}; leave one of them out")
            first[match[0]] = file.name

    def _check_size(self, files: list[RawFile]) -> None:
        self._wanted |= {file.name: file.size for file in files if not self.path.is_dir()}
        size = sum(self._wanted.values())
        if size > MAX_UNPACKED:
            raise DatasetError(
                f"{self.path} would unpack to {size / 1e9:,.0f} GB, and {MAX_UNPACKED / 1e9:,.0f} GB at most are read "
                "from an archive; if that is meant, unpack it and name the folder"
            )

    def signature(self) -> str:
        """What changes when the raw files change: their names and sizes, and the archive's own time."""
        listed = sorted(f"{file.size} {file.name}" for file in (*self.files, *self._nested))
        named = [part for path in self._named or (self.path,) for part in (path.absolute(), path.stat().st_mtime_ns)]
        return digest("\n".join((*map(str, named), *listed)).encode(errors="surrogateescape"))

    def _open_nested(self) -> None:
        pending, self._nested = self._nested, []
        for number, file in enumerate(pending):
            self._check_size([file])
            self.scratch.mkdir(parents=True, exist_ok=True)
            copy = self.scratch / f"nested{number}.zip"
            file.copy_to(copy)
            files = _zip_files(copy, self._stack, shown=f"{self.path}: {file.name}")
            self.files += [replace(inner, name=f"{file.name}/{inner.name}") for inner in files]


def _ending(wanted: re.Pattern[str], name: str) -> re.Match[str] | None:
    """The match of a name's last parts, from one of its `/` on; of as few parts as possible."""
    starts = [0, *(slash.end() for slash in re.finditer("/", name))]
    return next((match for start in reversed(starts) if (match := wanted.fullmatch(name, start))), None)


def may_be_raw(name: str) -> bool:
    """Whether a file is called as a raw file or an archive is."""
    return name.lower().endswith(_SINGLE) or is_archive(name)


def is_archive(name: str) -> bool:
    """Whether a file is called as an archive of several is."""
    return _ARCHIVE.search(name) is not None


@contextmanager
def open_raw(path: Path, scratch: Path, *more: Path, listing: Callable[[int], None] | None = None) -> Generator[Raw]:
    """Open a folder, zip, tar or single raw file for reading, or several of them as if they lay in one folder.

    Args:
        path: what the person named.
        scratch: a folder where a zip inside the archive may be unpacked; removed at the end.
        more: what the person named beside it.
        listing: told how many files of a folder were listed by now; what it raises ends the listing.

    Raises:
        DatasetError: it is missing, or no folder, zip or tar, or a damaged one.
    """
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, scratch, ignore_errors=True)
        if more:
            paths = tuple(dict.fromkeys((path, *more)))
            files = [file for named in paths for file in _under(named, paths, _files_of(named, stack, listing))]
        else:
            paths, files = (), _files_of(path, stack, listing)
        plain = [_unzipped(file) for file in files if not _MAC_TWIN.search(file.name)]
        nested = [file for file in plain if _NESTED.search(file.name)]
        shown = together(path, *more)
        yield Raw(shown, [file for file in plain if file not in nested], scratch, stack, nested, paths)


def together(path: Path, *more: Path) -> Path:
    """The folder that several paths lie in; the path itself, where it is alone."""
    return Path(os.path.commonpath([named.absolute() for named in (path, *more)])) if more else path


def _under(path: Path, paths: Sequence[Path], files: Sequence[RawFile]) -> list[RawFile]:
    """Files under the name of what holds them, so that those of several paths are told apart."""
    folder = path.name
    if sum(other.name == path.name for other in paths) > 1:
        folder = f"{path.absolute().parent.name}/{path.name}"
    if len(files) == 1 and files[0].name == path.name:
        return [replace(files[0], name=folder)]
    return [replace(file, name=f"{folder}/{file.name}") for file in files]


def _unzipped(file: RawFile) -> RawFile:
    """A table that is packed by itself, as it is inside."""
    if not _GZIPPED.search(file.name):
        return file

    def opened() -> IO[bytes]:
        return cast("IO[bytes]", gzip.GzipFile(fileobj=file.open()))

    return replace(file, name=_GZIPPED.sub("", file.name), open=opened)


def _files_of(path: Path, stack: ExitStack, listing: Callable[[int], None] | None) -> list[RawFile]:
    if path.is_dir():
        return _folder_files(path, listing)
    if not path.exists():
        raise DatasetError(f"{path} does not exist; name the dataset's raw folder or archive as it was downloaded")
    alone = path.name.lower().endswith(_SINGLE)
    if not path.name.lower().endswith(_ONE_FILE) and zipfile.is_zipfile(path):
        return _zip_files(path, stack, shown=str(path))
    if not alone and _is_tar(path):
        return _tar_files(path, stack)
    if alone:
        return [RawFile(path.name, path.stat().st_size, str(path), partial(path.open, "rb"))]
    raise DatasetError(f"{path} is no folder, zip or tar, or a zip whose end is missing (a broken download?)")


def as_text(name: str) -> str:
    """A file's name that every file can hold: bytes of it that are no UTF-8 as `\\xff`."""
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")


def _folder_files(folder: Path, listing: Callable[[int], None] | None) -> list[RawFile]:
    def opener(path: Path) -> Callable[[], IO[bytes]]:
        return lambda: path.open("rb")

    files: list[RawFile] = []
    for number, path in enumerate(folder.rglob("*")):
        if listing and not number % 100:
            listing(number)
        if path.is_file():
            name = as_text(path.relative_to(folder).as_posix())
            files.append(RawFile(name, path.stat().st_size, str(folder), opener(path)))
    return files


def _zip_files(path: Path, stack: ExitStack, shown: str) -> list[RawFile]:
    try:
        archive = stack.enter_context(zipfile.ZipFile(path))
    except (zipfile.BadZipFile, OSError) as error:
        raise DatasetError(f"{shown} is no whole zip archive: {error}") from error

    def opener(info: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
        return lambda: archive.open(info)

    members = (member for member in archive.infolist() if not member.is_dir())
    return [RawFile(member.filename, member.file_size, shown, opener(member), packed=True) for member in members]


def _is_tar(path: Path) -> bool:
    try:
        return tarfile.is_tarfile(path)
    except (OSError, EOFError, zlib.error):
        return False


def _tar_files(path: Path, stack: ExitStack) -> list[RawFile]:
    try:
        archive = stack.enter_context(tarfile.open(path))
        members = [member for member in archive.getmembers() if member.isfile()]
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise DatasetError(f"{path} is no whole tar archive: {error}") from error

    def opener(member: tarfile.TarInfo) -> Callable[[], IO[bytes]]:
        return lambda: cast("IO[bytes]", archive.extractfile(member))

    return [RawFile(as_text(member.name), member.size, str(path), opener(member), packed=True) for member in members]
