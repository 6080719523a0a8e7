"""A number the assistant quotes that nothing it has seen holds, within rounding.

Seen are the user's messages, earlier results, and the arguments the assistant chose itself. A share may be quoted
in percent. Small whole numbers without a unit count things and are passed over, as are numbers inside names.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator

from core.lint.finding import Check, Context, Finding
from core.thread.value import Thread, call_arguments, calls_of, is_assistant, text_of

COUNTING = 12
"""Whole numbers up to this need a unit to be looked at."""

HEDGED = 0.05
"""How far from a held number one may be that is called `about`, as a share of it."""

_QUOTED = re.compile(
    r"(?P<hedge>\b(?:about|around|roughly|nearly|almost|approximately|some|over|under|circa)\s+|[~≈]\s*)?"
    r"(?<![\w.:/])(?P<number>[-−+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[-−+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)"
    r"(?!\w|\.\d|[:/]\d)(?P<unit>\s*(?:%|percent\b|‰|°|[munk]?g\b|m/s|Hz\b|kHz\b|rad\b|deg|degrees?\b|bpm\b|beats\b"
    r"|steps\b|cycles\b|s\b|ms\b|sec|seconds?\b|min\b|minutes?\b|samples\b|standard deviations?\b))?"
)
_HELD = re.compile(r"\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_NOT_SAID = re.compile(
    r"^[ \t]*\d+[.)]\s"  # the number of a list's item
    r"|^.*final answer.*$",
    re.IGNORECASE | re.MULTILINE,
)


def _grounding(thread: Thread, context: Context) -> Iterator[Finding]:
    for index, text, unit, is_held in quotes_of(thread):
        if not is_held:
            sentence = f"it quotes {text}{unit}, which no earlier result holds"
            yield Finding("grounding", index, sentence, "quote what a result says, or call the tool that says it")


def quotes_of(thread: Thread) -> Iterator[tuple[int, str, str, bool]]:
    """Every number that the assistant quotes and that needs a source: the message's index, the number as written, its
    unit, and whether what was seen before it holds it."""
    held: list[float] = []
    seen: list[str] = []  # looked through for numbers once one is quoted
    for index, message in enumerate(thread.messages):
        if not is_assistant(message):
            seen.append(text_of(message))
            continue
        seen += map(call_arguments, calls_of(message))
        quoted = list(_QUOTED.finditer(_NOT_SAID.sub("", text_of(message))))
        if quoted:
            held = sorted({*held, *(number for text in seen for number in numbers_in(text))})
            seen = []
        for written, unit, is_held in _looked_up(quoted, held):
            yield index, written, unit, is_held


def quoted_numbers(text: str) -> list[str]:
    """Every number that a text quotes, as written, in its order; not those in its answer, nor those in names."""
    return [quote["number"].replace(",", "").lstrip("+") for quote in _QUOTED.finditer(_NOT_SAID.sub("", text))]


def numbers_in(text: str) -> Iterator[float]:
    """Every number a text holds, without its sign: `-3.26`, `"1.6-2.6"` and `train_16` hold 3.26, 1.6, 2.6, 16."""
    for digits in _HELD.findall(text):
        yield float(digits)
    for grouped in re.findall(r"\d{1,3}(?:,\d{3})+", text):
        yield float(grouped.replace(",", ""))


def quotes_any(text: str, held: list[float]) -> bool:
    """Whether a text quotes a number that is held, within rounding; `held` is in order. Counts are passed over."""
    return quotes_from(text, held) > 0


def quotes_from(text: str, held: list[float]) -> int:
    """How many of the numbers that a text quotes are held, as `quotes_any` has it."""
    return sum(is_held for _, _, is_held in _looked_up(_QUOTED.finditer(text), held))


def _looked_up(quoted: Iterable[re.Match[str]], held: list[float]) -> Iterator[tuple[str, str, bool]]:
    """The quoted numbers as written, each with its unit and whether it is held."""
    for quote in quoted:
        written = quote["number"]
        plain = written.replace(",", "").replace("−", "-").lstrip("+-")
        unit = quote["unit"] or ""
        value = float(plain)
        if value.is_integer() and value <= COUNTING and "." not in plain and not unit:
            continue
        digits = plain.lower().partition("e")[0].partition(".")[2]
        exponent = int(plain.lower().partition("e")[2] or 0)
        half = 0.5 * 10.0 ** (exponent - len(digits)) * (1 + 1e-9)
        near = max(half, HEDGED * value) if quote["hedge"] else half
        percent = unit.strip() in ("%", "percent")
        is_held = _holds(held, value, near) or (percent and _holds(held, value / 100, near / 100))
        yield written, unit, is_held


def _holds(held: list[float], value: float, near: float) -> bool:
    index = bisect_left(held, value - near - 1e-12)
    return index < len(held) and held[index] <= value + near + 1e-12


GROUNDING = Check("grounding", "a number that no earlier result holds", _grounding)
