"""What a check finds, and what it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from core.thread.value import Thread

UNREADABLE = "file"
"""The check that a file which is no thread fails."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong in one thread."""

    check: str
    """Name of the check."""
    message: int | None
    """Index of the message, from 0; None when it is about the whole thread."""
    sentence: str
    """What is wrong, in this thread in particular."""
    fix: str = ""
    """What would put it right; what `--fix` does where `fixable`."""
    fixable: bool = False
    """Whether it can be put right without anybody deciding anything."""


@dataclass(frozen=True, slots=True)
class Context:
    """What is known beside the thread."""

    stem: str = ""
    """The file's stem; empty when the thread has no file."""
    labels: tuple[str, ...] = ()
    """The dataset's label set; empty when it is not known."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a thread on its own."""

    name: str
    about: str
    """What it looks for, in one line."""
    find: Callable[[Thread, Context], Iterator[Finding]]
    fix: Callable[[Thread], Thread] | None = None
    """Puts right what it finds fixable; doing it twice changes nothing more."""
