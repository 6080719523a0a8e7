"""The same picture in fewer bytes: what Textual sends to the terminal says every style and place in full.

Each piece of text comes with its whole style and a reset after it, and each row with two moves of the cursor. Here
a style says only what differs from the one before, and a move that another one follows is left out: about half of
the bytes of a frame, which is what a slow link waits for.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from textual.driver import Driver

_STYLE = re.compile(r"\x1b\[([\d;]*)m")
_MOVES = re.compile(r"(?:\x1b\[\d+;\d+H|[\r\n])*(\x1b\[\d+;\d+H)")
_ATTRIBUTES = frozenset(("1", "2", "3", "4", "5", "7", "8", "9"))


class Look(NamedTuple):
    """How text is drawn: the codes of its colours, empty for the terminal's own, and its attributes."""

    foreground: str = ""
    background: str = ""
    attributes: frozenset[str] = frozenset()


PLAIN = Look()


class Pen:
    """Shortens what is written, piece after piece; it knows the look that the last one left."""

    def __init__(self) -> None:
        self._left = PLAIN

    def shortened(self, data: str) -> str:
        """A sequence that shows what `data` would. With codes not known here it stays as it is, and ends in a reset."""
        parts = _STYLE.split(_MOVES.sub(r"\1", data))
        shown = wanted = self._left
        out: list[str] = [parts[0]]
        for at in range(1, len(parts), 2):
            after = _after(wanted, parts[at])
            if after is None:
                self._left = PLAIN
                return f"{data}\x1b[0m"
            wanted = after
            text = parts[at + 1]
            if text:
                if wanted != shown and not _only_moves(text):
                    out.append(_change(shown, wanted))
                    shown = wanted
                out.append(text)
        out.append(_change(shown, wanted))
        self._left = wanted
        return "".join(out)


def _only_moves(text: str) -> bool:
    return text[0] == "\x1b" and text[-1] == "H" and _MOVES.fullmatch(text) is not None


@lru_cache(maxsize=4096)
def _after(look: Look, codes: str) -> Look | None:
    """The look once these codes were sent; None when they hold one that is not known."""
    foreground, background, attributes = look
    left = codes.split(";")
    while left:
        code = left.pop(0)
        if code in ("", "0"):
            foreground, background, attributes = PLAIN
        elif code in ("38", "48"):
            size = {"5": 2, "2": 4}.get(left[0] if left else "")
            if size is None or len(left) < size:
                return None
            colour = ";".join((code, *left[:size]))
            del left[:size]
            foreground, background = (colour, background) if code == "38" else (foreground, colour)
        elif code in _ATTRIBUTES:
            attributes |= {code}
        elif len(code) in (2, 3) and code[:-1] in ("3", "9"):
            foreground = "" if code == "39" else code
        elif len(code) in (2, 3) and code[:-1] in ("4", "10"):
            background = "" if code == "49" else code
        else:
            return None
    return Look(foreground, background, attributes)


@lru_cache(maxsize=4096)
def _change(old: Look, new: Look) -> str:
    """What makes the terminal go from one look to the other."""
    if old == new:
        return ""
    codes: list[str] = []
    if old.attributes - new.attributes:
        codes, old = ["0"], PLAIN
    codes += sorted(new.attributes - old.attributes)
    if new.foreground != old.foreground:
        codes.append(new.foreground or "39")
    if new.background != old.background:
        codes.append(new.background or "49")
    return f"\x1b[{';'.join(codes)}m"


def terse(driver: type[Driver]) -> type[Driver]:
    """A driver that writes as `driver` does, in fewer bytes."""

    class TerseDriver(driver):
        """Shortens what it writes."""

        _pen: Pen | None = None

        def write(self, data: str) -> None:
            """Write to the terminal."""
            self._pen = self._pen or Pen()
            super().write(self._pen.shortened(data))

    return TerseDriver
