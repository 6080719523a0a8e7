from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from tui.terminal.output_diff import Pen

Style = tuple[str, str, frozenset[str]]
_TOKEN = re.compile(
    r"\x1b\[(?P<style>[\d;]*)m|\x1b\[(?P<y>\d+);(?P<x>\d+)H|(?P<other>\x1b\[\?\d+[hl])|(?P<char>.)", re.DOTALL
)


def styled(style: Style, codes: list[str]) -> Style:
    ink, ground, flags = style
    while codes:
        code = codes.pop(0)
        if code in ("", "0"):
            ink, ground, flags = "", "", frozenset()
        elif code in ("38", "48"):
            size = 4 if codes[0] == "2" else 2
            colour = ";".join(codes[:size])
            del codes[:size]
            ink, ground = (colour, ground) if code == "38" else (ink, colour)
        elif len(code) == 1:
            flags |= {code}
        elif code[0] == "4" or code[:2] == "10":
            ground = code.removeprefix("49")
        else:
            ink = code.removeprefix("39")
    return ink, ground, flags


def picture(data: str) -> tuple[dict[tuple[int, int], tuple[str, Style]], Style]:
    """What a terminal would show: each cell's character and style, and the style it is left in."""
    cells: dict[tuple[int, int], tuple[str, Style]] = {}
    x = y = 1
    style: Style = ("", "", frozenset())
    for token in _TOKEN.finditer(data):
        if (codes := token["style"]) is not None:
            style = styled(style, codes.split(";"))
        elif token["y"]:
            x, y = int(token["x"]), int(token["y"])
        elif token["char"] in ("\r", "\n"):
            x, y = (1, y) if token["char"] == "\r" else (x, y + 1)
        elif token["char"]:
            cells[x, y] = (token["char"], style)
            x += 1
    return cells, style


COLOURS = st.sampled_from(["", "38;2;1;2;3", "38;5;7", "31", "97", "48;2;9;9;9", "48;5;200", "44", "104", "39", "49"])
STYLES = st.lists(st.one_of(COLOURS, st.sampled_from(["1", "2", "3", "4", "7", "9", "0"])), max_size=4)
PIECES = st.one_of(
    STYLES.map(lambda codes: f"\x1b[{';'.join(code for code in codes if code)}m"),
    st.tuples(st.integers(1, 4), st.integers(1, 9)).map(lambda position: f"\x1b[{position[0]};{position[1]}H"),
    st.sampled_from(["\r\n", "a", "long text ", " ", "│", "\x1b[?2026l", "\x1b[0m"]),
)


@given(st.lists(st.lists(PIECES, max_size=12).map("".join), min_size=1, max_size=4))
def test_the_picture_and_the_state_stay_the_same(writes: list[str]) -> None:
    pen = Pen()
    assert picture("".join(map(pen.shortened, writes))) == picture("".join(writes))


def test_rows_say_their_style_and_place_once() -> None:
    cell = "\x1b[38;2;1;2;3;48;2;4;5;6m"
    data = f"\x1b[1;1H{cell}one\x1b[0m{cell}two\x1b[0m\x1b[1;7H\r\n\x1b[2;1H{cell}three\x1b[0m"
    assert Pen().shortened(data) == f"\x1b[1;1H{cell}onetwo\x1b[2;1Hthree\x1b[39;49m"


def test_codes_that_are_not_known_pass_as_they_are() -> None:
    pen = Pen()
    assert pen.shortened("\x1b[1mbold") == "\x1b[1mbold"
    assert pen.shortened("\x1b[0m\x1b[58;5;1munder\x1b[0m") == "\x1b[0m\x1b[58;5;1munder\x1b[0m\x1b[0m"
    assert pen.shortened("plain") == "plain"
