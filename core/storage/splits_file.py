"""`splits.json` in the workspace: who is on which side of a split, and which sessions are never trained on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from core.errors import UsageError, WorkspaceError
from core.files import read_regular_file
from core.storage.atomic import write_atomic
from core.storage.locks import locked
from core.text import unicode_text

SPLITS_FILE = "splits.json"


@dataclass(slots=True)
class SplitBook:
    """What `splits.json` says."""

    held_out: list[str] = field(default_factory=list[str])
    """Patterns for `dataset/session` and `dataset/subject:name`; `*` stands for anything."""
    assigned: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    """For each way of splitting: group to side."""
    rest: dict[str, Any] = field(default_factory=dict[str, Any])
    split: str = ""
    """Which of those ways was the last by subject that was used."""

    @property
    def split_by_subject(self) -> str:
        """The way of splitting that says who is trained on: the last one by subject; of a file that does not tell, the
        one that came last. Empty where there is none."""
        return self.split or next((key for key in reversed(self.assigned) if " by subject," in key), "")

    def holds_out(self, dataset: str, session: str, subject: str) -> bool:
        """Whether a session is never to be trained on."""
        names = (f"{dataset}/{session}", *((f"{dataset}/subject:{subject}",) if subject else ()))
        return any(fits(pattern, name) for pattern in self.held_out for name in names)


def fits(pattern: str, name: str) -> bool:
    """Whether a pattern stands for a name; nothing in it is special but `*`."""
    return pattern == name if "*" not in pattern else _expression(pattern).fullmatch(name) is not None


@lru_cache
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)


def read_book(root: Path) -> SplitBook:
    """Read `splits.json`; an empty book when there is none. Raises WorkspaceError for one that is damaged."""
    path = root / SPLITS_FILE
    try:
        document = json.loads(read_regular_file(path))
    except FileNotFoundError:
        return SplitBook()
    except (OSError, ValueError) as error:
        raise WorkspaceError(f"{path}: cannot be read: {error}; mend it, or move it away to begin anew") from error
    try:
        form = msgspec.convert(document, _BookForm)
    except msgspec.ValidationError as error:
        raise WorkspaceError(f"{path}: {error}; mend it, or move it away to begin anew") from error
    rest = {key: value for key, value in document.items() if key not in _BookForm.__struct_fields__}
    return SplitBook(form.held_out, form.assigned, rest, form.split)


class _BookForm(msgspec.Struct):
    held_out: list[str] = []
    assigned: dict[str, dict[str, str]] = {}
    split: str = ""


def write_book(root: Path, book: SplitBook) -> None:
    """Save the sides that were assigned. What is held out stays as the file has it by now: it may have been named, or
    taken back, since the book was read. Raises SensorloomError."""
    with locked(root / ".sensorloom"):
        now = read_book(root)
        assigned = {key: {**now.assigned.get(key, {}), **book.assigned.get(key, {})}
                    for key in (*now.assigned, *book.assigned)}  # fmt: skip
        _save(root, SplitBook(now.held_out, assigned, now.rest, book.split or now.split))


def _save(root: Path, book: SplitBook) -> None:
    split = {"split": book.split} if book.split else {}
    document = {"held_out": book.held_out, "assigned": book.assigned, **split, **book.rest}
    write_atomic(root / SPLITS_FILE, (unicode_text(json.dumps(document, indent=1, ensure_ascii=False)) + "\n").encode())


def hold_out(root: Path, patterns: Iterable[str]) -> SplitBook:
    """Name sessions or subjects that are never to be trained on. Raises UsageError for a name of another form."""
    with locked(root / ".sensorloom"):
        book = read_book(root)
        for pattern in patterns:
            if "/" not in pattern:
                raise UsageError(f"`{pattern}` is no session; write `dataset/session` or `dataset/subject:name`")
            if pattern not in book.held_out:
                book.held_out.append(pattern)
        _save(root, book)
    return book


def release(root: Path, patterns: Iterable[str]) -> SplitBook:
    """Take names back that were held out. Raises UsageError for one that is not, naming those that are."""
    with locked(root / ".sensorloom"):
        book = read_book(root)
        for pattern in patterns:
            if pattern not in book.held_out:
                named = f"held out are: {', '.join(book.held_out)}" if book.held_out else "nothing is"
                raise UsageError(f"`{pattern}` is not held out; {named}")
            book.held_out.remove(pattern)
        _save(root, book)
    return book
