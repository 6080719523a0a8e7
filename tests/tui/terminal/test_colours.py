"""Which colours the program takes, by what a person wants, the environment says and the terminal answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from core.workspace import Workspace, open_workspace
from tests.tui.driving import opened
from tests.tui.motion import until
from tui.terminal.colours import FEW_COLOURS, FEW_ON_LIGHT, LIGHT, THEME, Ground, Wanted, ground_of, theme_for
from tui.terminal.driver import BackgroundAnswered, messages_of
from tui.terminal.input_door import InputDoor
from tui.terminal.textual_private import KEY_SEQUENCES, NAMED_KITTY_KEYS, SequenceReader

MANY = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
SIXTEEN = {"TERM": "xterm"}


@pytest.mark.parametrize(
    ("wanted", "environ", "ground", "theme"),
    [
        ("auto", MANY, None, THEME),
        ("auto", MANY, "dark", THEME),
        ("auto", MANY, "light", LIGHT),
        ("auto", MANY | {"COLORFGBG": "0;15"}, None, LIGHT),
        ("auto", MANY | {"COLORFGBG": "0;15"}, "dark", THEME),
        ("dark", MANY, "light", THEME),
        ("light", MANY, "dark", LIGHT),
        ("16", MANY, None, FEW_COLOURS),
        ("auto", SIXTEEN, None, FEW_COLOURS),
        ("auto", SIXTEEN, "light", FEW_ON_LIGHT),
        ("light", MANY | {"NO_COLOR": "1"}, None, FEW_COLOURS),
    ],
)
def test_the_theme_is_the_one_wanted_or_else_fits_the_terminal(
    wanted: Wanted, environ: Mapping[str, str], ground: Ground | None, theme: object
):
    assert theme_for(wanted, environ, ground) is theme


@pytest.mark.parametrize(
    ("answer", "ground"),
    [
        ("rgb:ffff/ffff/ffff", "light"),
        ("rgb:fd/f6/e3", "light"),
        ("rgb:0/0/0", "dark"),
        ("rgb:0000/2b2b/3636", "dark"),
        ("rgba:ffff/ffff/ffff/ffff", "light"),
        ("?", None),
        ("", None),
    ],
)
def test_a_terminals_answer_is_read_as_x_names_colours(answer: str, ground: Ground | None):
    assert ground_of(answer) == ground


@pytest.mark.parametrize("end", ["\x07", "\x1b\\", "\x9c"])
@pytest.mark.parametrize("cut", [1, 3, 9, 22])
def test_the_answer_comes_through_the_door_however_it_is_cut_and_ended(end: str, cut: int):
    door, reader = InputDoor(KEY_SEQUENCES, NAMED_KITTY_KEYS, 0.1, lambda: 0.0), SequenceReader()
    answer = f"\x1b]11;rgb:ffff/ffff/eeee{end}"
    arrivals = [*door.feed(answer[:cut]), *door.feed(answer[cut:])]
    told: list[Any] = [message for arrival in arrivals for message in messages_of(reader, arrival)]
    assert [message.colour for message in told] == ["rgb:ffff/ffff/eeee"]


@pytest.mark.parametrize(("setting", "theme"), [("", LIGHT), ('[screen]\ntheme = "dark"\n', THEME)])
async def test_the_app_goes_by_the_answer_unless_a_theme_was_chosen(
    workspace: Workspace, add_thread: Callable[..., str], setting: str, theme: Any
):
    add_thread(1)
    (workspace.root / "sensorloom.toml").write_text(setting)
    async with opened(open_workspace(str(workspace.root), environ={})) as (pilot, screen):
        app = screen.app
        assert app.theme == THEME.name
        app.post_message(BackgroundAnswered("rgb:fbfb/fafa/f7f7"))
        await until(pilot, lambda: app.theme == theme.name)
        await pilot.press("f3")
        await until(pilot, lambda: app.theme == (LIGHT if theme is THEME else FEW_ON_LIGHT).name)
