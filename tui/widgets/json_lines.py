"""JSON text laid out and coloured, as lines, without changing a digit of it.

The text's own tokens are laid out, not values parsed from them, so `1.10`, a repeated key or an escape shows as
it stands in the file. Layout is lazy: the first ten lines of a megabyte cost as much as ten lines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from rich.cells import cell_len, chop_cells

from core.text import printable
from tui.widgets.lines import Kind, Line, Span

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+|"', re.DOTALL)
_CLOSING = {"{": "}", "[": "]"}
_INDENT = 2
MIN_PIECE = 8
"""Columns of a long string that are worth beginning at a line's end."""


def is_json(text: str) -> bool:
    """Whether the text is one JSON object or array that can be laid out."""
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def looks_json(text: str) -> bool:
    """Whether the text begins and ends like a JSON object or array; cheap however long it is."""
    return text[:50].lstrip()[:1] + text[-50:].rstrip()[-1:] in ("{}", "[]")


def json_lines(text: str, width: int) -> Iterator[Line]:
    """Lines of JSON text, at most `width` columns each: whatever fits on a line stays on one.

    Text that is not JSON after all is laid out as well as it goes. Scalars of an array fill lines; members of an
    object take one each.
    """
    return _Layout(text, max(12, width)).lines()


def json_flat(text: str, limit: int) -> Line:
    """The first `limit` columns or so of JSON text on one line."""
    source = _Tokens(text)
    spans: list[Span] = []
    used = index = 0
    while used <= limit and (token := source.at(index)):
        spans += source.flat(index)
        used += _size(token) + 1
        index += 1
    return tuple(spans)


def json_flow(text: str, width: int) -> Iterator[Line]:
    """JSON text run together and broken where a line is full, between members: the most that fits on few lines."""
    source = _Tokens(text)
    width = max(4, width)
    row: list[Span] = []
    used = index = 0
    while source.at(index):
        end = source.member_end(index, width)
        spans = [span for position in range(index, end) for span in source.flat(position)]
        size = sum(_size(piece) for piece, _ in spans)
        if used and used + size - spans[-1][0].endswith(" ") > width:
            yield tuple(row)
            row, used = [], 0
        for piece, kind in spans:
            piece = piece.rstrip() if used + _size(piece) > width else piece
            first, *rest = broken(piece, width - used, width)
            row.append((first, kind))
            for part in rest:
                yield tuple(row)
                row = []
                row.append((part, kind))
                used, first = 0, part
            used += _size(first)
        index = end
    if row:
        yield tuple(row)


def broken(text: str, room: int, width: int) -> Iterator[str]:
    """The text in pieces, the first of at most `room` columns, the others of `width`: broken after a blank, and within
    a word only where that alone is wider. The first piece is empty where a word of it fits on the next line only."""
    at = 0
    while len(text) - at > room or _size(text[at:]) > room:
        head = chop_cells(text[at : at + room + 1], room)[0] if room > 0 else ""
        breaks_word = room >= width or (room >= MIN_PIECE and " " not in text[at : at + width + 1])
        end = head.rfind(" ") + 1 or (len(head) if breaks_word else 0)
        yield text[at : at + end]
        at, room = at + end, width
    yield text[at:]


def _size(text: str) -> int:
    """How many columns a text takes."""
    return len(text) if text.isascii() else cell_len(text)


class _Tokens:
    """The tokens of a JSON text, found as they are asked for."""

    def __init__(self, text: str) -> None:
        self._read: list[str] = []
        self._more = _TOKEN.finditer(text)

    def at(self, index: int) -> str:
        """Token number `index`, or an empty string after the last."""
        while len(self._read) <= index:
            match = next(self._more, None)
            if match is None:
                return ""
            token = match[0]
            if not (token.isascii() and token.isprintable()):
                token = printable(token)
            self._read.append(token.replace("\n", "\\n") if "\n" in token else token)
        return self._read[index]

    def flat(self, index: int) -> list[Span]:
        """A token as it stands inside a line, with the space that follows it there."""
        token = self.at(index)
        if token in (",", ":"):
            return [(f"{token} ", "dim")]
        return [(token, self.kind(index))]

    def kind(self, index: int) -> Kind:
        """What a token is."""
        token = self.at(index)
        first = token[:1]
        if first == '"':
            return "key" if self.at(index + 1) == ":" else "string"
        if first in "{}[],:":
            return "dim"
        return "constant" if first in "tfnN" else "number"

    def member_end(self, index: int, width: int) -> int:
        """Where what begins at `index` and stays on one line ends: a member, or an array's element, with the brackets
        that close behind it and the comma. Of a container wider than a line it is the beginning, up to its bracket."""
        end = index + 2 if self.at(index + 1) == ":" else index
        size = sum(_size(self.at(position)) + 1 for position in range(index, end))
        if self.at(end) in _CLOSING:
            closing = self.end_within(end, width - size - 1)
            if closing is None:
                return end + 1
            size += sum(_size(piece) for position in range(end, closing + 1) for piece, _ in self.flat(position))
            end = closing
        else:
            size += _size(self.at(end))
        end += 1
        while self.at(end) in ("}", "]") and size < width - 1:
            size, end = size + 1, end + 1
        return end + (self.at(end) == ",")

    def end_within(self, index: int, room: int) -> int | None:
        """Where the container that opens at `index` closes, if all of it takes at most `room` columns."""
        depth = 0
        while token := self.at(index):
            room -= _size(token) + (token in (",", ":"))
            if room < 0:
                return None
            depth += (token in _CLOSING) - (token in ("}", "]"))
            if depth == 0:
                return index
            index += 1
        return None


class _Layout:
    """Lays tokens out; one object per text."""

    def __init__(self, text: str, width: int) -> None:
        self._tokens = _Tokens(text)
        self._width = width
        self._open: list[str] = []
        self._row: list[Span] = []
        self._column = 0

    def lines(self) -> Iterator[Line]:
        """All lines, in order."""
        index = 0
        while token := self._tokens.at(index):
            if token in _CLOSING:
                end = self._tokens.end_within(index, self._width - self._column - 1)
                if end is None:
                    self._open.append(token)
                    self._put([(token, "dim")])
                    yield self._break()
                    index += 1
                    continue
                for position in range(index, end + 1):
                    self._put(self._tokens.flat(position))
                index = end + 1
            elif token in ("}", "]"):
                del self._open[-1:]
                yield self._break()
                self._put([(token, "dim")])
                index += 1
            elif self._tokens.at(index + 1) == ":":
                yield from self._scalar(index, len(": ["))
                self._put([(": ", "dim")])
                index += 2
                continue
            else:
                yield from self._scalar(index, len(","))
                index += 1
            if self._tokens.at(index) == ",":
                index += 1
                self._put([(",", "dim")])
                if self._goes_on(index):
                    self._put([(" ", "dim")])
                else:
                    yield self._break()
        if self._column:
            yield tuple(self._row)

    def _goes_on(self, index: int) -> bool:
        """Whether the next element of an array still fits on this line."""
        token = self._tokens.at(index)
        if not self._open or self._open[-1] != "[" or token in _CLOSING:
            return False
        return self._column + _size(token) + 2 <= self._width

    def _scalar(self, index: int, behind: int) -> Iterator[Line]:
        """Put a scalar and keep `behind` columns free after it, broken over lines where it is wider than the pane."""
        text, kind = self._tokens.at(index), self._tokens.kind(index)
        if _size(text) > self._width - self._column - behind and self._column > self._margin():
            if self._width - self._column - behind < min(_size(text), MIN_PIECE):
                yield self._break()
        room = max(1, self._width - self._column - behind)
        first, *rest = broken(text, room, max(2, self._width - self._margin() - behind))
        self._put([(first, kind)])
        for piece in rest:
            yield self._break()
            self._put([(piece, kind)])

    def _put(self, spans: list[Span]) -> None:
        self._row += spans
        self._column += sum(_size(text) for text, _ in spans)

    def _margin(self) -> int:
        return min(len(self._open) * _INDENT, self._width // 2)

    def _break(self) -> Line:
        done = tuple(self._row)
        margin = self._margin()
        self._row = [(" " * margin, "text")] if margin else []
        self._column = margin
        return done
