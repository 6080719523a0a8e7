"""How the rows of a text file are written: encoding, separator, decimal mark, names, what stands above them."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from core.errors import DatasetError

LOOK_BYTES = 1 << 18
"""So much of a file's beginning is looked at."""
_LOOK_LINES = 400
BLANKS = " "
"""The separator of columns that blanks part, however many."""
_SEPARATORS = (",", ";", "\t", "|", BLANKS)
_NUMBER = {mark: re.compile(rf"[-+]?(\d++[{mark}]?\d*+|[{mark}]\d++)([eE][-+]?\d++)?") for mark in (".", ",")}
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?\s?(Z|[-+]\d\d:?\d\d)?")
"""A date and time as ISO 8601 writes it."""
_LINE_END = re.compile(r"\r\n|\n|\r")
_QUOTED_LINES = 20
"""A cell in quotes goes over so many lines at most."""
_MISSING = {"", "nan", "na", "null", "none", "n/a"}
_START_OF_TIME = 1e8
"""Seconds since 1970 below which a number is no moment that somebody recorded at: 1973."""


class NoRows(DatasetError):
    """A file is no table. One that cannot be read for damage is another matter: it may be the table that is wanted."""


class Unreadable(NoRows):
    """A file is damaged, or none of what it is called after."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file of rows is written."""

    encoding: str
    separator: str
    decimal: str
    above: int
    """Lines before the first row of values: a heading, the names of the columns."""
    names: tuple[str, ...]
    """The columns; `column_1` … where the file names none."""
    kinds: tuple[str, ...]
    """What each column holds: `number`, `moment` (a date and time), `text` or `nothing`."""
    heading: str = ""
    """What stands above the names, where devices write when and how fast they recorded."""
    start_sec: float | None = None
    """Seconds since 1970 of the first row, where the first rows are start and rate (Empatica E4)."""
    rate_hz: float | None = None
    """Rows a second, where the file says so outside of its rows."""


def decoded(data: bytes) -> tuple[str, str]:
    """Text and its encoding: a byte order mark tells it, else it is UTF-8, else Windows' western one."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace"), encoding
    try:
        return data.decode(), "utf-8"
    except UnicodeDecodeError as error:
        if error.start > len(data) - 4:  # a letter that is cut where the look ends
            return data[: error.start].decode(), "utf-8"
        return data.decode("cp1252", "replace"), "cp1252"


def look(data: bytes, name: str) -> Layout:
    """How a file's rows are written.

    Args:
        data: the file's beginning, `LOOK_BYTES` of it.
        name: the file, for the message.

    Raises:
        NoRows: it holds no rows of numbers.
    """
    text, encoding = decoded(data)
    lines = lines_of(text)
    if len(data) >= LOOK_BYTES:
        lines = lines[:-1]
    separator, decimal = _separator(lines[:_LOOK_LINES])
    lines = whole_lines(lines, separator)[:_LOOK_LINES]
    rows = _rows(lines, separator)
    width = _width(rows)
    first = next((at for at, row in enumerate(rows) if len(row) == width and _is_row(row, decimal)), None)
    if first is None or width == 0:
        raise NoRows(f"{name}: it holds no rows of numbers")
    headed = first > 0 and len(rows[first - 1]) == width
    names = tuple(_unique(rows[first - 1])) if headed else tuple(f"column_{n}" for n in range(1, width + 1))
    heading = "\n".join(lines[: first - headed])
    body = [row for row in rows[first:] if len(row) == width]
    start, rate, above = None, _rate_in(heading), first
    if not headed and (told := _start_and_rate(body, decimal)):
        (start, rate), above, body = told, first + 2, body[2:]
    kinds = tuple(_kind([row[column] for row in body], decimal) for column in range(width))
    return Layout(encoding, separator, decimal, above, names, kinds, heading, start, rate)


def _rows(lines: Sequence[str], separator: str) -> list[list[str]]:
    """The fields of each line. A separator at the end of every line ends it; where one line goes on behind it, the
    others have an empty cell there, such as a label that comes later.
    """
    width = _width([_parts(line, separator) for line in lines])
    goes_on = any(len(parts := _parts(line, separator)) == width and parts[-1].strip() for line in lines)
    return [fields(line, separator, width if goes_on else 0) for line in lines]


def _parts(line: str, separator: str) -> list[str]:
    return line.split() if separator == BLANKS else _cells(without_row_end(line, separator), separator)


def fields(line: str, separator: str, width: int = 0) -> list[str]:
    """A line's fields without blanks and quotes around them.

    Args:
        line: a row, or what stands above the rows.
        separator: what parts them. One at the line's end begins no field, unless there are `width` with it.
        width: how many there are, where that is known.
    """
    parts = _parts(line, separator)
    if len(parts) > 1 and len(parts) != width and not parts[-1].strip():
        parts = parts[:-1]
    return [part.strip().strip('"').strip() for part in parts]


def without_row_end(line: str, separator: str) -> str:
    """A line without its end, and without the semicolon that ends every row of some files, SisFall's and WISDM's."""
    plain = line.rstrip()
    return plain.removesuffix(";") if separator not in (";", BLANKS) and plain.endswith(";") else line.rstrip("\r\n")


def lines_of(text: str) -> list[str]:
    """A text's lines. Only ends of lines part them: `str.splitlines` would part a cell at a form feed or U+2028."""
    lines = _LINE_END.split(text)
    return lines if lines[-1] else lines[:-1]


def whole_lines(lines: Sequence[str], separator: str) -> list[str]:
    """Lines with those joined, by a blank, whose end stands inside quotes (RFC 4180, 2.6). A quote that the next
    `_QUOTED_LINES` do not close is a mistake, and its line stays alone: it must not take the rest of the file along.
    """
    return joined_lines(lines, separator, more=False)[0]


def joined_lines(lines: Sequence[str], separator: str, *, more: bool) -> tuple[list[str], list[str]]:
    """The whole lines of a part of a file, and the last ones where `more` has to be read to know whether a quote is
    closed."""
    if separator == BLANKS or not any('"' in line for line in lines):
        return list(lines), []
    whole: list[str] = []
    at = 0
    while at < len(lines):
        line, until = lines[at], at + 1
        if not is_closed(line, separator):
            for end in range(at + 2, min(at + _QUOTED_LINES, len(lines)) + 1):
                joined = " ".join(lines[at:end])
                if is_closed(joined, separator):
                    line, until = joined, end
                    break
            else:
                if more and at + _QUOTED_LINES > len(lines):
                    return whole, list(lines[at:])
        whole.append(line)
        at = until
    return whole, []


def is_closed(line: str, separator: str) -> bool:
    """Whether every quote that a field of the line begins with is closed in it."""
    return '"' not in line or separator == BLANKS or _closed(separator).fullmatch(line) is not None


@cache
def _closed(separator: str) -> re.Pattern[str]:
    mark = re.escape(separator)
    field = rf'(?: *"(?:[^"]|"")*+"[^{mark}]*+| *+(?!")[^{mark}]*+)'
    return re.compile(f"{field}(?:{mark}{field})*+", re.DOTALL)


def _cells(line: str, separator: str) -> list[str]:
    """A line's fields; a separator inside of quotes parts none."""
    if '"' not in line or not is_closed(line, separator):
        return line.split(separator)
    return next(csv.reader([line], delimiter=separator, skipinitialspace=True), [""])


def _separator(lines: Sequence[str]) -> tuple[str, str]:
    """The separator and decimal mark with which most cells are values; of equals the one with more columns."""
    best = (0.0, 0, ",", ".")
    for separator in _SEPARATORS:
        rows = [fields(line, separator) for line in lines if line.strip()]
        width = _width(rows)
        for decimal in ".,":
            if decimal == separator:
                continue
            cells = [cell for row in rows if len(row) == width for cell in row]
            values = sum(_is_value(cell, decimal) for cell in cells)
            share = values / max(len(lines) * width, 1)
            # more columns of the same share are better; the decimal point is the usual one
            if (round(share, 1), width) > (round(best[0], 1), best[1]):
                best = (share, width, separator, decimal)
    return best[2], best[3]


def _width(rows: Sequence[Sequence[str]]) -> int:
    """The usual number of fields in the later half, where the heading is over."""
    later = Counter(len(row) for row in rows[len(rows) // 2 :] if row)
    return later.most_common(1)[0][0] if later else 0


def _is_number(cell: str, decimal: str) -> bool:
    return _NUMBER[decimal].fullmatch(cell) is not None


def _is_value(cell: str, decimal: str) -> bool:
    return _is_number(cell, decimal) or MOMENT.fullmatch(cell) is not None or cell.lower() in _MISSING


def _is_row(row: Sequence[str], decimal: str) -> bool:
    """Whether a line is of values: at least one number or moment, and more values than words."""
    values = [cell for cell in row if _is_number(cell, decimal) or MOMENT.fullmatch(cell)]
    return bool(values) and 2 * sum(_is_value(cell, decimal) for cell in row) >= len(row)


def _kind(cells: Sequence[str], decimal: str) -> str:
    there = [cell for cell in cells if cell.lower() not in _MISSING]
    if not there:
        return "nothing"
    if sum(MOMENT.fullmatch(cell) is not None for cell in there) >= 0.9 * len(there):
        return "moment"
    return "number" if sum(_is_number(cell, decimal) for cell in there) >= 0.9 * len(there) else "text"


def _unique(names: Sequence[str]) -> list[str]:
    """Names as they stand; an empty one by its number, one that is there already with a number behind it."""
    unique: dict[str, None] = {}
    for number, name in enumerate(names, 1):
        plain = name or f"column_{number}"
        twin = 2
        while plain in unique:
            plain, twin = f"{name or f'column_{number}'}_{twin}", twin + 1
        unique[plain] = None
    return list(unique)


def _rate_in(heading: str) -> float | None:
    """Rows a second as a heading tells them: ActiGraph writes "at 30 Hz", others "sampling rate: 100"."""
    match = re.search(r"\bat (\d+(?:\.\d+)?) ?Hz", heading, re.IGNORECASE) or re.search(
        r"(?:sampl\w*[ _]*(?:rate|frequency)|frequency)\W*(\d+(?:\.\d+)?(?:e[-+]?\d+)?)", heading, re.IGNORECASE
    )
    return float(match[1]) if match and float(match[1]) > 0 else None


def _start_and_rate(rows: Sequence[Sequence[str]], decimal: str) -> tuple[float, float] | None:
    """Start and rate where the first two rows are those: Empatica E4, "Data export and formatting from E4 connect".

    Each of the two holds one number as often as there are columns.
    """
    if len(rows) < 3 or any(len(set(row)) > 1 or not _is_number(row[0], decimal) for row in rows[:2]):
        return None
    start, rate = (float(row[0].replace(",", ".")) for row in rows[:2])
    return (start, rate) if start > _START_OF_TIME and 0 < rate <= 10_000 else None
