"""What a filter looks at in a summary: one field, and what is read in it.

That it is one field lets a million summaries be gone through without a line of Python for each: what was said of a
value once is said of every thread that has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from core.thread.summary import Summary

_REMEMBERED = 4096
"""Values of a field of which the answer is known."""

Read = TypeVar("Read")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Fact(Generic[Read]):
    """Something that a summary tells by one of its fields."""

    field: str
    read: Callable[[Any], Read]
    """What the field's value says."""

    def __call__(self, summary: Summary) -> Read:
        """What this summary tells."""
        return self.read(getattr(summary, self.field))

    def of_each(self, some: Iterable[Summary]) -> Iterable[Read]:
        """What each of these summaries tells."""
        return map(self.read, self.values(some))

    def values(self, some: Iterable[Summary]) -> Iterable[Any]:
        """The field of each of these summaries."""
        return map(attrgetter(self.field), some)

    def then(self, answer: Callable[[Read], Answer]) -> Fact[Answer]:
        """What follows from it, which is found out once for each of the values that come often."""
        read = self.read
        return Fact(self.field, lru_cache(_REMEMBERED)(lambda value: answer(read(value))))


def word(value: str) -> tuple[str, ...]:
    """A text as the words that a filter compares: none where it is empty."""
    return (value,) if value else ()


def truth_word(value: bool | None) -> tuple[str, ...]:
    """The same of what is true, false or not known."""
    return () if value is None else ("true",) if value else ("false",)


def as_it_is(value: Any) -> Any:
    """The field's own value."""
    return value
