"""The values of the filter language: how they are read, and what is said of one that cannot be.

Every function here raises FilterError, with the place it was given.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from core.errors import UsageError
from core.filters.terms import ANY, NONE, Operator


class FilterError(UsageError):
    """A filter that cannot be read. `position` is where, counted from 0, for a screen to mark."""

    def __init__(self, position: int, sentence: str) -> None:
        super().__init__(f"filter, character {position + 1}: {sentence}")
        self.position = position
        self.sentence = sentence


_NUMBER = re.compile(r"(\d+(?:\.\d+)?)(k|m|kb|mb)?(?:\.\.(\d+(?:\.\d+)?)(k|m|kb|mb)?)?", re.IGNORECASE)
_SCALE = {"": 1, "k": 1e3, "kb": 1e3, "m": 1e6, "mb": 1e6}


def nearest(word: str, known: Iterable[str]) -> str:
    """The word that was probably meant, or all there are, as a sentence."""
    words = list(known)
    close = difflib.get_close_matches(word.casefold(), words, 1, 0.5) or [
        known_word for known_word in words if word and known_word.startswith(word.casefold())
    ]
    return f"did you mean `{close[0]}`?" if close else f"known are: {', '.join(words)}"


def choice(name: str, choices: Sequence[str], word: str, start: int) -> str:
    """The one of `choices` that a word stands for: in any case of letters, or by its beginning."""
    plain = word.casefold()
    known = (*choices, NONE, ANY)
    if plain in known:
        return plain
    full = [word_of_choice for word_of_choice in choices if plain and word_of_choice.startswith(plain)]
    if len(full) == 1:
        return full[0]
    raise FilterError(start, f"`{word}` is no value of {name}; {nearest(plain, known)}")


def looks_numeric(value: str) -> bool:
    """Whether a value is a number or a range of numbers."""
    return _NUMBER.fullmatch(value) is not None


def number_range(name: str, operator: Operator, value: str, start: int) -> tuple[float, float]:
    """The smallest and largest number that a value stands for: `2..5`, `5k`, or the same number twice."""
    number = _NUMBER.fullmatch(value)
    if number is None or (number[3] and operator != ":"):
        raise FilterError(start, f"`{value}` is no number; write `{name}>=2` or `{name}:2..5`")
    low = float(number[1]) * _SCALE[(number[2] or "").lower()]
    return low, float(number[3]) * _SCALE[(number[4] or "").lower()] if number[3] else low


def check_date(name: str, value: str, start: int) -> None:
    """Nothing when the value is a date that may be cut short."""
    if not re.fullmatch(r"\d{4}(-\d\d(-\d\d(T\d\d(:\d\d(:\d\d)?)?)?)?)?", value):
        raise FilterError(start, f"`{value}` is no date; write `{name}>=2026-11-21`, `{name}:2026-11`")


_SPECIAL = re.compile(r'[",*?\[\x00-\x1f]')


def term(name: str, value: str) -> str:
    """A term of the filter language for one value; signs that mean something there are left open with `?`."""
    if not value:
        return f"{name}:{NONE}"
    plain = _SPECIAL.sub("?", value)
    if plain.casefold() in (NONE, ANY):
        plain = f"{plain[:-1]}?"
    return f'{name}:"{plain}"' if re.search(r"\s", plain) else f"{name}:{plain}"
