"""What comes from the terminal, before Textual's parser sees it: keys go in, a paste goes in whole, noise stays out.

A terminal also sends replies: to questions of this program, of the one before it, of tmux. They may come late, cut in
two or joined to keys, and a parser that does not know them types them out, where every letter is a command. So nothing
passes here but what is known: text, the sequences in Textual's own tables, keys in kitty's notation put into the form
Textual reads, mouse, focus, answers to what Textual asks, and which colour the terminal's background has.

Sources: ECMA-48 section 5.4 (control sequences) and 5.6 (control strings), https://invisible-island.net/xterm/ctlseqs,
https://sw.kovidgoyal.net/kitty/keyboard-protocol.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Collection, Generator, Iterator
from dataclasses import dataclass
from typing import Literal

ESCAPE = "\x1b"
SEQUENCE_SECONDS = 1.0
"""An unfinished sequence is waited for this long and then dropped. Only the escape key alone is over sooner."""

_STRINGS = ("]", "P", "X", "^", "_")
"""What, behind ESC, begins a control string: OSC, DCS, SOS, PM, APC."""
_STRING_ENDS = re.compile("\x07|\x18|\x1a|\x9c|\x1b(?:\\\\)?")
"""What ends a control string: BEL, ST, CAN or SUB; a bare ESC begins something else."""
_BACKGROUND = re.compile("\x1b\\]11;([ -~]{1,40}?)(?:\x07|\x1b\\\\|\x9c)")
"""The answer to `ASK_BACKGROUND`: a colour as X names it."""
_ANSWER_BEGIN = "\x1b]11;"
_LONGEST_ANSWER = 64
"""Characters after which an unfinished answer is none."""
ASK_BACKGROUND = "\x1b]11;?\x1b\\"
"""Asks for the colour of the background; terminals that do not know the question say nothing."""
_CSI = re.compile(r"\x1b\[(?:\[[A-Za-z]|[ -?]+[@-~]|[@-Z\\-~])")
_CSI_BEGUN = re.compile(r"\x1b\[(?:\[|[ -?]*)\Z")
_CSI_PARAMETERS = re.compile(r"\x1b\[[ -?]*")
_SS3 = re.compile(r"\x1bO[\d;]*[@-~]")
_SS3_BEGUN = re.compile(r"\x1bO[\d;]*\Z")
_PASTE_BEGIN, _PASTE_END = "\x1b[200~", "\x1b[201~"
_LATE_REST = re.compile(
    r"[]PX^_][^\x1b\x07]*(?:\x07|\x1b\\)|\](?:\d+;|[lL])|P[>!+$\d]|_G"
    r"|\[(?:[\d?<>][\d;:?<>$-]*[@-~]|[ABCDFHIO])|\[M[ -~]{3}|O(?:[\d;]+[@-~]|[A-DFHP-S])"
)
"""What a chunk begins with that is the rest of a sequence whose ESC came long before, and was taken for the key."""
_OLD_MOUSE = "\x1b[M"
"""Three characters follow it. The program asks for the newer form, and Textual does not read this one."""
_REPORTS = re.compile(
    r"\x1b\[(?:[IO]"  # focus came, focus went
    r"|<\d{1,4};-?\d{1,6};-?\d{1,6}[Mm]"  # mouse
    r"|\?\d{1,5};\d\$y"  # which modes there are
    r"|48;\d{1,6}(?::\d{0,6})?;\d{1,6}(?::\d{0,6})?;\d{1,6}(?::\d{0,6})?;\d{1,6}(?::\d{0,6})?t)"  # the size
)
_KITTY = re.compile(
    r"\x1b\[(?P<code>\d{0,7})(?::(?P<shifted>\d{0,7}))?(?::\d{0,7})?"
    r"(?:;(?P<modifiers>\d{0,3})(?::(?P<event>\d))?)?(?:;(?P<text>[\d:]{0,64}))?(?P<end>[u~ABCDEFHPQRS])"
)
_RELEASED = "3"
_SHIFT_ONLY = (2, 66)
"""Modifiers that say shift, without and with caps lock: one more than their bits."""
_INTRODUCER = re.compile("[\x1b\x80-\x9f]")
_C1 = {chr(code): "" for code in range(0x80, 0xA0)} | {
    chr(ord(second) + 0x40): f"{ESCAPE}{second}" for second in ("[", "O", *_STRINGS)
}
"""Controls that have one character of their own, as two; the others of their kind are nothing a terminal sends."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something that came from the terminal and is meant."""

    kind: Literal["keys", "sequence", "alt", "paste", "background"]
    """Plain text to be read key by key, one whole sequence, a character with alt, pasted text, or a colour's name."""
    text: str


class InputDoor:
    """Sorts what comes in, however it is cut into chunks."""

    def __init__(
        self,
        sequences: Collection[str],
        functional_keys: Collection[str],
        escape_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args:
        sequences: what is a key in the notation of old.
        functional_keys: kitty's keys that have a name, as `13u`.
        escape_seconds: after this long an ESC with nothing behind it is the escape key.
        clock: seconds.
        """
        self._sequences = sequences
        self._functional_keys = functional_keys
        self._escape_seconds = escape_seconds
        self._clock = clock
        self._begun = ""
        """The beginning of a sequence whose end has not come yet."""
        self._begun_at = 0.0
        self._escaped_at = -SEQUENCE_SECONDS
        self._pasted: list[str] | None = None

    def feed(self, text: str) -> Iterator[Arrival]:
        """What of this is meant. Text is as decoded, cut anywhere."""
        if self._clock() - self._escaped_at < SEQUENCE_SECONDS and _LATE_REST.match(text):
            self._begun = self._begun or ESCAPE
        self._escaped_at = -SEQUENCE_SECONDS
        rest, continued = self._begun + text, bool(self._begun)
        self._begun = ""
        while rest:
            if self._pasted is not None:
                rest, continued = (yield from self._paste(rest)), False
                continue
            introducer = _INTRODUCER.search(rest)
            plain = rest[: introducer.start()] if introducer else rest
            if plain:
                yield Arrival("keys", plain)
            if introducer is None:
                return
            rest = _C1.get(introducer[0], introducer[0]) + rest[introducer.end() :]
            if rest[:1] != ESCAPE:
                continue
            length, arrival = self._next(rest)
            if not length:
                if not continued:
                    self._begun_at = self._clock()
                self._begun = _begun(rest)
                return
            rest, continued = rest[length:], False
            if arrival is not None:
                yield arrival

    def tick(self) -> Iterator[Arrival]:
        """What has become plain because nothing more came. Call it at least ten times a second."""
        age = self._clock() - self._begun_at
        if self._pasted is not None or not self._begun:
            return
        if self._begun == ESCAPE and age >= self._escape_seconds:
            self._begun, self._escaped_at = "", self._clock()
            yield Arrival("sequence", ESCAPE)
        elif age >= SEQUENCE_SECONDS:
            self._begun = ""

    def _next(self, text: str) -> tuple[int, Arrival | None]:
        """The length of the sequence that text begins with, 0 while it is unfinished, and what it means."""
        second = text[1:2]
        if not second:
            return 0, None
        if second == ESCAPE:
            return 1, Arrival("sequence", ESCAPE)
        if second in _STRINGS:
            length = _string_length(text)
            answer = _BACKGROUND.fullmatch(text[:length])
            return length, Arrival("background", answer[1]) if answer else None
        if second == "[":
            return self._control_sequence(text)
        if second == "O":
            if (match := _SS3.match(text)) is None:
                return (0 if _SS3_BEGUN.match(text) else 2), None
            return match.end(), Arrival("sequence", match[0]) if match[0] in self._sequences else None
        if second == "\\":  # the end of a string that is not here
            return 2, None
        return 2, Arrival("sequence" if text[:2] in self._sequences else "alt", text[:2])

    def _control_sequence(self, text: str) -> tuple[int, Arrival | None]:
        if text.startswith(_OLD_MOUSE):
            return (6 if len(text) >= 6 else 0), None
        if (match := _CSI.match(text)) is None:
            if _CSI_BEGUN.match(text):
                return 0, None
            broken_off = _CSI_PARAMETERS.match(text)
            return broken_off.end() if broken_off else 2, None
        sequence = match[0]
        if sequence == _PASTE_BEGIN:
            self._pasted = []
            return match.end(), None
        if sequence in self._sequences or _REPORTS.fullmatch(sequence):
            return match.end(), Arrival("sequence", sequence)
        key = kitty_key(sequence, self._functional_keys)
        return match.end(), Arrival("sequence", key) if key else None

    def _paste(self, text: str) -> Generator[Arrival, None, str]:
        """Take pasted text in; returns what stands behind its end."""
        assert self._pasted is not None
        body, end, rest = text.partition(_PASTE_END)
        if not end:
            held = next((n for n in range(len(_PASTE_END) - 1, 0, -1) if text.endswith(_PASTE_END[:n])), 0)
            self._pasted.append(text[: len(text) - held])
            self._begun = text[len(text) - held :]
            return ""
        pasted, self._pasted = "".join((*self._pasted, body)), None
        yield Arrival("paste", pasted.replace("\r\n", "\n").replace("\r", "\n"))
        return rest


def kitty_key(sequence: str, functional_keys: Collection[str]) -> str:
    """A key in kitty's notation in the form that Textual reads: without the fields for the event and other layouts.

    Args:
        sequence: a whole control sequence.
        functional_keys: the keys that have a name, as `13u`.

    Returns:
        The sequence; empty for what is no key, or a key let go.
    """
    match = _KITTY.fullmatch(sequence)
    if match is None or match["event"] == _RELEASED:
        return ""
    code, modifiers, end = int(match["code"] or 1), int(match["modifiers"] or 0), match["end"]
    if f"{code}{end}" not in functional_keys and not (end == "u" and match["code"] and _is_character(code)):
        return ""
    points = [int(point) for point in (match["text"] or "").split(":") if point]
    if end == "u" and not points and match["shifted"] and modifiers in _SHIFT_ONLY:
        points = [int(match["shifted"])]
    text = ":".join(map(str, points)) if all(map(_is_character, points)) else ""
    return (
        f"{ESCAPE}[{code}" + (f";{modifiers or ''}" if modifiers or text else "") + (f";{text}" if text else "") + end
    )


def _begun(text: str) -> str:
    """What is kept of an unfinished sequence: of a control string only how it begins, unless it may be an answer."""
    may_answer = text.startswith(_ANSWER_BEGIN) or _ANSWER_BEGIN.startswith(text)
    if text[1:2] not in _STRINGS or (may_answer and len(text) <= _LONGEST_ANSWER):
        return text
    return text[:2] + ESCAPE * text[2:].endswith(ESCAPE)


def _string_length(text: str) -> int:
    """Up to and with the end of a control string; 0 while that has not come."""
    match = _STRING_ENDS.search(text, 2)
    if match is None or (match[0] == ESCAPE and match.end() == len(text)):
        return 0
    return match.start() if match[0] == ESCAPE else match.end()


def _is_character(code: int) -> bool:
    """Whether a number is the code of something one can type: no control, no half of a pair, no private key code."""
    return (
        0x20 <= code <= sys.maxunicode
        and not 0x7F <= code < 0xA0
        and not 0xD800 <= code < 0xE000
        and not 0xE000 <= code <= 0xF8FF
    )
