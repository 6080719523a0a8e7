"""Making outside text safe to draw.

A terminal obeys ESC, OSC and C1 bytes wherever they come from, and Textual writes them through, so a
model, a tool or a data file could move the cursor, retitle the window or set the clipboard. Text is
stored as it came; `printable` is applied where it is drawn.
"""

from __future__ import annotations

import re

UNSAFE_RANGES = (
    "\x00\x08", "\x0b\x1f", "\x7f\x9f",  # C0 except tab and newline, DEL, C1
    "\u061c\u061c", "\u200b\u200f", "\u202a\u202e", "\u2060\u2069",  # zero-width and bidirectional controls
    "\u2028\u2029", "\ufeff\ufeff", "\ufff9\ufffb", "\ud800\udfff",  # odd breaks, BOM, annotations, half a pair
    "\U000e0000\U000e007f",  # tag characters: invisible text
)  # fmt: skip
"""First and last of each run of characters that a terminal could obey, or that a reader could not see."""
UNSAFE = re.compile(f"[{''.join('-'.join(ends) for ends in UNSAFE_RANGES)}]")


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else "\N{REPLACEMENT CHARACTER}"


def printable(text: str) -> str:
    """Replace every character a terminal could obey, or a reader could not see, with a visible one.

    Newlines and tabs stay; `\\r\\n` becomes `\\n`.
    """
    return UNSAFE.sub(_visible, text.replace("\r\n", "\n"))


_SURROGATE = re.compile("[\ud800-\udfff]")


def unicode_text(text: str) -> str:
    """Text as UTF-8 can carry it: half a surrogate pair, which JSON files and file names may hold, is no character."""
    return text if text.isascii() else _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)


def unicode_texts(texts: list[str]) -> list[str]:
    """The same of many."""
    return texts if "".join(texts).isascii() else [unicode_text(text) for text in texts]


def counted(number: object, noun: str) -> str:
    """A number with its noun, given for one: `1 turn`, `2,000 turns`, `3 stretches`, `2 tries`."""
    text = f"{number:,}" if isinstance(number, int) else str(number)
    return f"{text} {noun if number == 1 else _plural(noun)}"


def _plural(noun: str) -> str:
    if noun.endswith(("s", "x", "z", "ch", "sh")):
        return f"{noun}es"
    return f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else f"{noun}s"


_FIRST_NOUN = re.compile(r"^((?:broken|hidden|gyroscope|accelerometer) )?(\w+?)(ies|s)\b")
_OF_MANY = {"that are no tables": "that is no table", " are no numbers": " is no number", "that are ": "that is ",
            "of their": "of its", "have ": "has "}  # fmt: skip


def reason_counted(count: int, reason: str) -> str:
    """How often something was left out, with the reason as counters have it: `3 rows without a label`, `1 row …`."""
    if count == 1:
        reason = _FIRST_NOUN.sub(lambda m: f"{m[1] or ''}{m[2]}{'y' if m[3] == 'ies' else ''}", reason)
        for many, single in _OF_MANY.items():
            reason = reason.replace(many, single)
    return f"{count} {reason}"


def one_line(text: str, limit: int = 200) -> str:
    """`text` on one line, safe to draw, cut to `limit` characters with an ellipsis."""
    flat = " ".join(printable(text[: limit * 4]).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
