"""The threads of a folder: read, save without overwriting anybody's work, trash."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path

from core.errors import ConflictError, ThreadError, UsageError, system_reason
from core.files import read_regular_file
from core.storage.atomic import Content, write_atomic
from core.storage.locks import BusyError, thread_locked
from core.storage.numbers import HighestNumbers
from core.storage.thread_files import exists, packed_bytes, path_of, read_bytes, remove, stems
from core.thread.json_form import decode, encode
from core.thread.updates import touched
from core.thread.value import Thread

_SAFE_STEM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,180}")
_NUMBERED = re.compile(r"_v4_(\d+)$")
_NUMBERS = HighestNumbers()


@dataclass(frozen=True, slots=True)
class Stored:
    """A thread as it stands on disk, with the hash of the bytes that were read or written."""

    thread: Thread
    stem: str
    digest: str
    data: bytes = field(default=b"", repr=False, compare=False)
    """The bytes themselves, so that they can come back exactly when another program replaces the file."""
    stamp: tuple[int, int] | None = field(default=None, repr=False, compare=False)
    """Size and time of the file as it was opened, where it is handed on to be taken without another look."""


Record = Callable[[str, Content | None, Content | None], None]
"""Told of a write before it happens: the stem, what is there, and what will be (None: no file)."""


def read(folder: Path, stem: str) -> Stored:
    """Read one thread.

    Raises:
        ThreadError: the file is missing, unreadable, or no thread; the message says which and where.
    """
    path = path_of(folder, stem)
    return stored_as(Content.of(read_bytes(path)), stem)


def read_all(folder: Path, chosen: Iterable[str] | None = None) -> Iterator[Stored | ThreadError]:
    """Every thread of the folder (or the chosen ones) in the order of their stems, problems in their place."""
    for stem in stems(folder) if chosen is None else chosen:
        try:
            yield read(folder, stem)
        except ThreadError as error:
            yield error


def save(folder: Path, stored: Stored, thread: Thread, record: Record | None = None) -> Stored:
    """Save a new value of a thread over the one that was read.

    Raises:
        ConflictError: the file is no longer what was read; nothing was written.
        SensorloomError: it cannot be written.
    """
    if thread == stored.thread:
        return stored
    content = Content.of(encode(touched(thread)))
    replace(folder, stored.stem, content, stored.digest, record)
    return stored_as(content, stored.stem)


def replace(
    folder: Path, stem: str, content: Content | None, expected: str | None, record: Record | None = None
) -> None:
    """Put exact bytes in a thread file's place, or remove it, if it is still what was read.

    Args:
        folder: the threads folder.
        stem: which thread.
        content: the new bytes; None removes the file.
        expected: the digest of what was read; None when there must be no file.
        record: told before the write, under the thread's lock.

    Raises:
        ConflictError: the file is no longer what was read; nothing was written.
        SensorloomError: it cannot be written.
    """
    path = path_of(folder, stem)
    with thread_locked(folder, stem):
        there = present(folder, stem)
        if (there and there.digest) != expected:
            raise ConflictError(f"{path.name} {_what_happened(there, expected)}")
        if record is not None:
            record(stem, there, content)
        if content is not None:
            write_atomic(path, content.data)
        elif there is not None:
            remove(folder, stem)


def present(folder: Path, stem: str) -> Content | None:
    """What a thread's file holds, or a pack in its place; None when there is neither. Raises ConflictError when it
    cannot be read."""
    path = path_of(folder, stem)
    try:
        return Content.of(read_regular_file(path))
    except FileNotFoundError:
        return _packed(path)
    except OSError as error:
        raise ConflictError(f"{path.name} can no longer be read: {system_reason(error)}") from error


def _packed(path: Path) -> Content | None:
    try:
        data = packed_bytes(path)
    except ThreadError as error:
        raise ConflictError(str(error)) from error
    return None if data is None else Content.of(data)


def _what_happened(there: Content | None, expected: str | None) -> str:
    if there is None:
        return "was deleted by another program since it was read"
    return "exists already" if expected is None else "was changed by another program since it was read"


def create(folder: Path, thread: Thread, record: Record | None = None) -> Stored:
    """Save a thread that has no file yet; `record` is told before the write.

    Raises:
        ConflictError: a file of that name exists.
        UsageError: the id cannot be a file name.
    """
    _refuse_unsafe(thread.id)
    with thread_locked(folder, thread.id):
        return _create(folder, thread, record)


def create_new(
    folder: Path,
    dataset: str,
    session: str,
    make: Callable[[str], Thread],
    record: Record | None = None,
    reserved: Callable[[], Iterable[str]] = tuple,
    numbers: HighestNumbers = _NUMBERS,
) -> Stored:
    """Save the thread that `make` builds for the next free id; two programs of ours never get the same one.

    `reserved` gives stems that are not in the folder and must not be given again, such as those of deleted threads;
    `numbers` remembers what was found.
    """
    base = id_base(dataset, session)
    with numbers.next(folder, partial(_highest, folder, reserved)) as number, ExitStack() as stack:
        while not _begun(stack, folder, stem := f"{base}_v4_{number:04d}"):
            number += 1
        numbers.note(folder, number)
        return _create(folder, make(stem), record)


def _begun(stack: ExitStack, folder: Path, stem: str) -> bool:
    """Take a new thread's lock, unless there is such a thread, or somebody is about to write one."""
    with ExitStack() as attempt:
        try:
            attempt.enter_context(thread_locked(folder, stem, patience_sec=0))
        except BusyError:
            return False
        if exists(folder, stem):
            return False
        stack.push(attempt.pop_all())
    return True


def _refuse_unsafe(stem: str) -> None:
    if not is_safe_stem(stem):
        raise UsageError(f"{stem!r} cannot be a thread's id: use letters, digits, `.`, `_` and `-`")


def _create(folder: Path, thread: Thread, record: Record | None) -> Stored:
    path = path_of(folder, thread.id)
    if exists(folder, thread.id):
        raise ConflictError(f"{path.name} exists already")
    content = Content.of(encode(touched(thread)))
    if record is not None:
        record(thread.id, None, content)
    write_atomic(path, content.data)
    return stored_as(content, thread.id)


def stored_as(content: Content, stem: str) -> Stored:
    """The thread in a file's bytes that were read already. Raises ThreadError."""
    return Stored(decode(content.data, f"{stem}.json"), stem, content.digest, content.data)


def is_safe_stem(text: str) -> bool:
    """Whether a text can be a new thread's id: letters, digits, `.`, `_` and `-`."""
    return _SAFE_STEM.fullmatch(text) is not None


def id_base(dataset: str, session: str) -> str:
    """What the ids of a session's threads begin with, before `_v4_`."""
    return re.sub(r"[^A-Za-z0-9._\-]+", "-", f"{dataset}_{session}")[:150].lstrip("._-") or "thread"


def new_id(
    folder: Path,
    dataset: str,
    session: str,
    reserved: Callable[[], Iterable[str]] = tuple,
    numbers: HighestNumbers = _NUMBERS,
) -> str:
    """A free id `{dataset}_{session}_v4_{NNNN}`: one above the highest number in the folder and in `reserved`."""
    base = id_base(dataset, session)
    number = numbers.of(folder, partial(_highest, folder, reserved)) + 1
    while exists(folder, f"{base}_v4_{number:04d}"):
        number += 1
    numbers.note(folder, number)
    return f"{base}_v4_{number:04d}"


def _highest(folder: Path, reserved: Callable[[], Iterable[str]]) -> int:
    matches = (_NUMBERED.search(stem) for stem in chain(stems(folder), reserved()))
    return max((int(match[1]) for match in matches if match), default=0)
