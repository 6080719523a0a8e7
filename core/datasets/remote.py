"""What lies at a URL, a folder or a file, and copying it here: `s3://`, `gs://`, `https://` and whatever else fsspec
knows.

Credentials are those of the environment or of the provider's own files, as the provider's library finds them. None is
asked for here, and none is written or shown: what a URL itself holds of them is left out of every message.
"""

from __future__ import annotations

import importlib
import logging
import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, unquote

from core.datasets.plan import Progress
from core.errors import DatasetError, SensorloomError, UsageError, system_reason
from core.text import one_line

_URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_URL_IN_TEXT = re.compile(r"[a-z][a-z0-9+.-]+://[^\s'\"]+", re.IGNORECASE)
_VERSIONS = ("ETag", "etag", "md5Hash", "generation", "LastModified", "updated", "mtime", "modified", "created")
"""Where file systems say that a file of the same name and size is another one than before."""
_NO_CREDENTIALS = ("Credential", "ProfileNotFound", "TokenRetrieval", "SSOToken", "RefreshError", "TokenLoad")
"""Parts of the names of what botocore and google-auth raise where they find none that can be used."""
_NO_WAY = ("Connection", "Connector", "Timeout", "gaierror", "ServerDisconnected")
"""The same, where nobody answers."""
_TOO_MANY, _FAILED = 429, 500
"""Statuses of HTTP of a server that is asked too often, and from which one says that it failed itself."""
_CLOUD = "`pip install 'sensorloom[cloud]'`"


def is_url(text: str) -> bool:
    """Whether this is a URL and no path of this machine."""
    return _URL.match(text) is not None


def shown_url(url: str) -> str:
    """A URL as it may be shown and kept: without a user, a password and a query, which may be a signature."""
    return re.sub("//[^/]*@", "//", url).partition("?")[0]  # up to the last @: a password may hold one, and a ?


def name_at(url: str) -> str:
    """What a file or folder is called at a URL."""
    shown = shown_url(url).rstrip("/")
    name = shown.rpartition("/")[2]
    return unquote(name) if _is_http(url) else name


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file at a URL."""

    name: str
    """Its path below the URL; empty where the URL is the file's."""
    size: int | None
    """Bytes, where that is known."""
    version: str
    """What changes when it is replaced; empty where that is not told."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A folder or a file at a URL."""

    url: str
    root: str
    """Its path as the file system has it."""
    _system: Any

    @property
    def has_folders(self) -> bool:
        """Whether what lies in a folder can be listed."""
        return not _is_http(self.url)

    def files(self) -> list[RemoteFile]:
        """What is there, sorted by name: the files of a folder, or the file itself. Raises DatasetError."""
        with _told_of(self.url):
            info = self._system.info(self.root)
            if info["type"] == "directory":
                listed = self._system.find(self.root, detail=True)
                files = list(_below(self.root, listed))
                if not files:
                    raise FileNotFoundError
                return files
            if str(info.get("mimetype", "")).startswith("text/html") or self.url.endswith("/"):
                raise DatasetError(f"{shown_url(self.url)} is a web page: name the URL of an archive or a file")
            return [_file("", info)]

    def copy(self, names: Sequence[str], target: Path, progress: Progress | None = None, total: int = 0) -> None:
        """Copy files here, many at once.

        Args:
            names: their paths below the URL; an empty one is the file that is at the URL.
            target: the folder that they go below, or that one file.
            progress: told the bytes that came, of `total`. What it raises ends the copying.
            total: bytes in all.

        Raises:
            DatasetError: one of them is not there, cannot be read, or cannot be written here.
        """
        from fsspec.callbacks import DEFAULT_CALLBACK

        told = _callback(progress, total, name_at(self.url)) if progress else DEFAULT_CALLBACK
        paths = [target / name for name in names]
        with _told_of(self.url, sources := [self._source(name) for name in names]):
            for folder in {path.parent for path in paths}:
                folder.mkdir(parents=True, exist_ok=True)
            self._system.get(sources, [str(path) for path in paths], callback=told)

    def _source(self, name: str) -> str:
        return f"{self.root.rstrip('/')}/{quote(name) if _is_http(self.url) else name}" if name else self.root


def remote_at(url: str) -> Remote:
    """What lies at a URL, of which nothing is looked at yet.

    Raises:
        UsageError: what reads it is not installed, or nothing does.
    """
    protocol = url.partition("://")[0]
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise UsageError(f"{protocol}:// is read by fsspec, which is not installed here: {_CLOUD} brings it") from error
    for noisy in ("gcsfs", "aiobotocore", "botocore"):  # they print stacks of what is told here in a sentence
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    try:
        with _told_of(url):
            system, root = url_to_fs(url)
    except ImportError as error:
        bring = _CLOUD if protocol in ("s3", "s3a", "gs", "gcs", "http", "https") else "pip"
        told = one_line(str(error), 100).rstrip(".")
        raise UsageError(f"{protocol}:// cannot be read here: {told}; {bring} brings it") from error
    except ValueError as error:
        known = "s3://, gs://, https:// and file://"
        raise UsageError(
            f"{shown_url(url)} is no URL that can be read; there are {known}, and more of fsspec"
        ) from error
    return Remote(url, str(root), system)


def total_size(files: Iterable[RemoteFile]) -> int:
    """Bytes of files, as far as they are known."""
    return sum(file.size or 0 for file in files)


def _is_http(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))


def _below(root: str, listed: Mapping[str, Mapping[str, Any]]) -> Iterator[RemoteFile]:
    """The files of a folder. Raises DatasetError for a name that would lead out of a folder here."""
    start = root.rstrip("/") + "/"
    for path, info in sorted(listed.items()):
        name = path.removeprefix(start)
        if info["type"] != "file" or name.endswith("/"):  # a folder that a browser made is an object, too
            continue
        parts = PurePosixPath(name).parts
        if not path.startswith(start) or ".." in parts or name.startswith("/") or "\0" in name or "\\" in name:
            raise DatasetError(f"{one_line(path, 200)} cannot be copied: it is no plain path of a file")
        yield _file(name, info)


def _file(name: str, info: Mapping[str, Any]) -> RemoteFile:
    version = next((str(info[key]) for key in _VERSIONS if info.get(key)), "")
    return RemoteFile(name, info.get("size"), version)


@contextmanager
def _told_of(url: str, sources: Sequence[str] = ()) -> Generator[None]:
    """Tell what a file system raises in one sentence. `sources` are the files that are asked for."""
    try:
        yield
    except (SensorloomError, ImportError):
        raise
    except ValueError as error:
        if "Protocol not known" in str(error):
            raise
        raise DatasetError(f"{shown_url(url)}: {_reason(error, url)}") from error
    except Exception as error:
        missing = next((source for source in sources if len(sources) > 1 and source in str(error)), "")
        where = f"{shown_url(url)}: {missing.rpartition(name_at(url) + '/')[2]}" if missing else shown_url(url)
        raise DatasetError(f"{where}: {_reason(error, url)}") from error


def _reason(error: BaseException, url: str) -> str:
    """Why something at a URL cannot be had, with the way out."""
    chain = list(_causes(error))
    names = " ".join(type(cause).__name__ for cause in chain)
    statuses = {status for cause in chain if isinstance(status := getattr(cause, "status", 0), int)}
    # a library may spell the URL otherwise, or name the one that a server sent it on to
    told = _URL_IN_TEXT.sub(lambda match: shown_url(match[0]), str(error).replace(url, shown_url(url)))
    told = one_line(told, 200).rstrip(".")
    if any(part in names for part in _NO_CREDENTIALS):
        own = "" if _is_http(url) else "; they are taken from the environment or the provider's own files"
        return f"no credentials that can be used ({told}){own}"
    if statuses & {401, 403} or any(isinstance(cause, PermissionError) for cause in chain) or told == "Forbidden":
        return "it may not be read with the credentials that this machine has, or does not exist"
    if busy := next((status for status in statuses if status == _TOO_MANY or status >= _FAILED), 0):
        return f"its server answers with {busy}; try again later"
    if any(part in names for part in _NO_WAY):
        return "nobody answers there; look at the address, at the network, and for S3 at AWS_ENDPOINT_URL"
    if isinstance(error, FileNotFoundError) and error.errno is None:
        return "there is no such bucket" if "bucket does not exist" in told else "nothing is there"
    return system_reason(error) if isinstance(error, OSError) and error.strerror else told or type(error).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _callback(progress: Progress, total: int, what: str) -> Any:
    """What fsspec tells how far it is: it is asked for a branch of itself for each file, which is told the bytes."""
    callbacks = importlib.import_module("fsspec.callbacks")
    done = 0

    class Branch(callbacks.Callback):
        def absolute_update(self, value: int) -> None:
            self.relative_update(value - self.value)

        def relative_update(self, inc: int = 1) -> None:
            nonlocal done
            self.value += inc
            done += inc
            progress(done, max(total, done), what)

    class Whole(callbacks.Callback):
        def branched(self, path_1: Any, path_2: Any, **options: Any) -> Any:
            return Branch()

    return Whole()
