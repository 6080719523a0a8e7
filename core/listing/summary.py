"""Reading one thread file for its summary, which `core.thread.summary` counts. Files are only ever read here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core.errors import ThreadError
from core.storage.thread_files import (
    ROWS,
    RegularFile,
    is_stem,
    no_thread_problem,
    path_of,
    read_bytes,
    read_regular,
    stamp_of,
)
from core.thread.json_form import OlderFormError, decoded
from core.thread.skim import skimmed
from core.thread.summary import Summary, summary_of
from core.thread.value import Thread
from core.workspace import PACK

if TYPE_CHECKING:
    from core.storage.pack_file import PackedFile


class Look(msgspec.Struct, gc=False):
    """What reading one file gave."""

    summary: Summary
    data: bytes = b""
    thread: Thread | None = None
    """None for what is no thread."""
    line: bytes = b""
    """The file on one line, see `core.thread.json_form.Decoded`."""


def summarize(folder: Path, stem: str) -> Summary:
    """Read one file. Never raises for what the file holds: that becomes the summary's `problem`."""
    file = _regular(folder, stem)
    if file and (summary := skimmed(file.data, stem, file.size, file.mtime_ns)):
        return summary
    return _look(folder, stem, file).summary


def look(folder: Path, stem: str) -> Look:
    """Read one file, and keep what it held. Never raises for what that is."""
    return _look(folder, stem, _regular(folder, stem))


def _regular(folder: Path, stem: str) -> RegularFile | PackedFile | None:
    return read_regular(f"{folder}/{stem}.json") if is_stem(stem) and not stem.endswith((ROWS, PACK)) else None


def _look(folder: Path, stem: str, file: RegularFile | PackedFile | None) -> Look:
    size, mtime_ns = 0, 0
    if problem := no_thread_problem(folder, stem):
        size, mtime_ns = stamp_of(str(path_of(folder, stem))) or (0, 0)
        return Look(Summary(stem, size, mtime_ns, "other", problem))
    try:
        if file is None:
            path = path_of(folder, stem)
            size, mtime_ns = stamp_of(str(path)) or (0, 0)
            file = RegularFile(read_bytes(path), size, mtime_ns)
        thread, line = decoded(file.data, f"{stem}.json")
    except ThreadError as error:
        if file is not None:
            size, mtime_ns = file.size, file.mtime_ns
        shape = "v3" if isinstance(error, OlderFormError) else "other"
        return Look(Summary(stem, size, mtime_ns, shape, str(error)), file.data if file else b"")
    return Look(summary_of(thread, stem, file.size, file.mtime_ns, line), file.data, thread, line)
