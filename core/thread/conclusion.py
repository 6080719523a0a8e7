"""What a text concludes: the label on its `Final Answer:` line and the confidence on its `Confidence:` line."""

from __future__ import annotations

import re
from functools import lru_cache

_FINAL = re.compile(r"[*_#> \t]*final answer[*_ \t]*:[*_ \t]*(.+)", re.IGNORECASE)
CONFIDENCES = ("high", "medium", "low")
CONCLUDING = re.compile(r"^[*_#> \t]*(?:final answer|confidence)[*_ \t]*:.*$", re.IGNORECASE | re.MULTILINE)
"""The lines that close a thread: what they state is read here, and they hold no sentence."""
_SHORT = 80
"""A line with fewer characters is remembered with what it states."""
_CONFIDENCE = re.compile(r"[*_#> \t]*confidence[*_ \t]*:[*_ \t]*(high|medium|low)\b", re.IGNORECASE)


def final_answer(text: str) -> str | None:
    """The label on the last `Final Answer: …` line, or None."""
    return _answer(text, _lowered(text))


def stated_confidence(text: str) -> str | None:
    """`high`, `medium` or `low` from the last `Confidence: …` line, or None."""
    return _confidence(text, _lowered(text))


def conclusion(text: str, known: object) -> tuple[str | None, str | None]:
    """The final answer, and with it the confidence: what the text states; where it states none, what its metadata say
    it stated elsewhere."""
    lines = text.rsplit("\n", 2)
    if len(lines) == 3 and max(len(lines[1]), len(lines[2])) < _SHORT:  # most end with two lines that others have too
        answer = _short_answer(lines[2])
        stated = _short_confidence(lines[2]) or _short_confidence(lines[1])
        if answer and (stated or ":" not in lines[0]):
            return answer, stated or _confidence_in(known)
    lowered = _lowered(text)
    if not (answer := _answer(text, lowered)):
        return None, None
    return answer, _confidence(text, lowered) or _confidence_in(known)


_short_answer = lru_cache(maxsize=4096)(final_answer)
_short_confidence = lru_cache(maxsize=4096)(stated_confidence)


def _confidence_in(known: object) -> str | None:
    return known if isinstance(known, str) and known in CONFIDENCES else None


def _answer(text: str, lowered: str) -> str | None:
    return _last_line(_FINAL, "final answer", text, lowered).rstrip("*_ \t.").strip().strip("`\"'[]") or None


def _confidence(text: str, lowered: str) -> str | None:
    return _last_line(_CONFIDENCE, "confidence", text, lowered).lower() or None


def _lowered(text: str) -> str:
    """In small letters, each in its place."""
    lowered = text.lower()
    if len(lowered) != len(text):  # a letter that becomes two, of which there is one
        lowered = "".join(letter.lower()[0] for letter in text)
    return lowered


def _last_line(pattern: re.Pattern[str], words: str, text: str, lowered: str) -> str:
    """What `pattern` captures of the last line it fits, which has `words` in it; empty when it fits none."""
    at = lowered.rfind(words)
    while at >= 0:
        start = text.rfind("\n", 0, at) + 1
        if match := pattern.match(text, start):
            return match[1]
        at = lowered.rfind(words, 0, start)
    return ""
