from __future__ import annotations

import re
from typing import Any

import pytest

from core.errors import WorkspaceError
from core.workspace import open_workspace
from tui.app import SensorloomApp
from tui.keys import ACTIONS, KEY_BAR, PANE_ACTIONS, rebound
from tui.screens.help import help_lines
from tui.screens.main import MainScreen
from tui.widgets.lines import plain_text

NAMED = {
    "up", "down", "left", "right", "home", "end", "pageup", "pagedown", "tab", "shift+tab", "enter", "escape",
    "backspace", "delete", "space", "slash", "exclamation_mark", "question_mark", "left_square_bracket",
    "right_square_bracket",
}  # fmt: skip
SAFE = NAMED | {f"f{number}" for number in range(2, 10)} | {f"ctrl+{letter}" for letter in "defgklnoprtuwxyz"}


def test_every_key_arrives_over_ssh_and_tmux():
    for action in (*PANE_ACTIONS, *ACTIONS):
        for key in action.keys.split(","):
            assert key in SAFE or re.fullmatch(r"[a-zEG-Z0-9]", key), f"{action.id}: {key}"


def test_letters_that_a_split_arrow_key_leaves_do_nothing():
    assert not {key for action in ACTIONS for key in action.keys.split(",")} & set("ABCDFH")


def test_no_two_actions_share_a_key_or_a_name():
    keys = [key for action in (*PANE_ACTIONS, *ACTIONS) for key in action.keys.split(",")]
    assert sorted(set(keys)) == sorted(keys)
    names = [action.id for action in (*PANE_ACTIONS, *ACTIONS)]
    assert len(set(names)) == len(names)


def test_the_key_bar_names_actions_that_exist():
    known = {action.id for action in ACTIONS}
    assert {name for names in KEY_BAR.values() for name in names} <= known


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"turn.rum": "f5"}, "did you mean `turn.run`"),
        ({"turn.run": "x"}, "both"),
        ({"turn.run": ""}, "no key"),
    ],
)
def test_a_wrong_rebinding_is_refused_in_one_sentence(keys: dict[str, str], reason: str):
    with pytest.raises(WorkspaceError, match=reason) as caught:
        rebound(keys)
    assert "\n" not in str(caught.value)


def test_the_help_has_every_action_and_its_own_key():
    text = "\n".join(plain_text(line) for line in help_lines(rebound({"turn.run": "f5"}), 80))
    for action in ACTIONS:
        assert action.id in text
    assert re.search(r"^ +f5 +ask the model", text, re.MULTILINE)


async def test_a_rebound_key_acts_and_the_old_one_does_not(workspace: Any, add_thread: Any, until: Any):
    add_thread(1)
    (workspace.root / "sensorloom.toml").write_text('[keys]\n"app.help" = "f5"\n')
    app = SensorloomApp(open_workspace(str(workspace.root)))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: hasattr(app.screen, "feed"))
        await pilot.press("question_mark")
        assert isinstance(app.screen, MainScreen)
        await pilot.press("f5")
        await until(pilot, lambda: type(app.screen).__name__ == "HelpScreen")


async def test_every_action_has_a_handler(workspace: Any, until: Any):
    app = SensorloomApp(workspace)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: hasattr(app.screen_stack[0], "feed"))
        screen = app.screen_stack[0]
        assert isinstance(screen, MainScreen)
        missing = [action.id for action in ACTIONS if not screen.can_do(action.id)]
        assert missing == []
